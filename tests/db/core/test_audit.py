"""Every write is in the audit, with who did it, however it was made; nobody can write or change the audit."""

from time import monotonic

import pytest
from django.db import DatabaseError, connection, transaction

from core import bulk
from core.models import AuditEntry, Job
from core.scope import Actor, Scope, acting, enter, work

Action = AuditEntry.Action


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def entries(**given: object) -> list[AuditEntry]:
    """Of jobs: the template's own rows left some too."""
    return list(AuditEntry.objects.filter(content_type__model="job", **given).order_by("id"))


def raw() -> object:
    return list(AuditEntry.objects.order_by("id").values_list())


def test_an_insert_leaves_ids_a_digest_and_the_actor(acorn: Scope) -> None:
    with work():
        job = Job.objects.create(kind="x")
        (entry,) = entries()
    assert (entry.action, entry.object_id, entry.actor_id, entry.actor_email) == (
        Action.CREATE,
        job.pk,
        acorn.actor.id,
        "Ana",
    )
    assert entry.cid == "req_test"
    assert entry.content_type.model == "job"
    assert entry.additional_data["ids"] == [job.pk]
    assert len(entry.additional_data["digest"]) == 64
    assert entry.additional_data["origin"] == "page"


@pytest.mark.parametrize("how", ["save", "update", "bulk_update", "raw"])
def test_an_update_leaves_before_and_after(acorn: Scope, how: str) -> None:
    with work():
        job = Job.objects.create(kind="x")
        job.message = "after"
        if how == "save":
            job.save()
        elif how == "update":
            Job.objects.filter(pk=job.pk).update(message="after")
        elif how == "bulk_update":
            Job.objects.bulk_update([job], ["message"])
        else:
            sql("UPDATE core_job SET message = 'after'")
        (entry,) = entries(action=Action.UPDATE)
    assert (entry.object_id, entry.changes, entry.actor_email) == (job.pk, {"message": ["", "after"]}, "Ana")


@pytest.mark.parametrize("how", ["delete", "queryset", "raw"])
def test_a_delete_leaves_the_whole_row(acorn: Scope, how: str) -> None:
    with work():
        job = Job.objects.create(kind="gone", message="was here")
        pk = job.pk
        if how == "delete":
            job.delete()
        elif how == "queryset":
            Job.objects.filter(pk=pk).delete()
        else:
            sql("DELETE FROM core_job")
        (entry,) = entries(action=Action.DELETE)
    assert (entry.object_id, entry.changes["message"], entry.changes["kind"]) == (pk, "was here", "gone")


def test_an_update_of_many_rows_is_not_planned_as_one_of_few(acorn: Scope) -> None:
    """Each old row compared with each new one: seconds at a thousand rows, minutes at twenty thousand."""
    with work():
        bulk.insert(Job, [{"kind": "x"} for _ in range(2500)])
        first = Job.objects.order_by("id")[0]
        for n in range(7):  # the server keeps a plan after a few calls
            Job.objects.filter(pk=first.pk).update(message=f"{n}")
        began = monotonic()
        Job.objects.update(message="all")
        assert monotonic() - began < 2
        assert len(entries(action=Action.UPDATE)) == 2507


def test_a_write_that_changes_nothing_leaves_nothing(acorn: Scope) -> None:
    with work():
        Job.objects.create(kind="x")
        sql("UPDATE core_job SET kind = kind, version = version + 1")
        assert entries(action=Action.UPDATE) == []


def test_a_write_that_was_undone_leaves_nothing(acorn: Scope) -> None:
    with work():
        with transaction.atomic():
            Job.objects.create(kind="x")
            transaction.set_rollback(True)
        assert entries() == []


def test_who_acts_inside_open_work_is_who_the_audit_names(acorn: Scope) -> None:
    """A rule or an import acts under its own name in the work of the person who started it."""
    rule = Actor("system", label="rule 7")
    with work():
        Job.objects.create(kind="hers")
        with enter(acting(actor=rule, origin="import")), work():
            Job.objects.create(kind="its")
        Job.objects.create(kind="hers again")
        found = [(e.actor_email, e.actor_id, e.additional_data["origin"]) for e in entries()]
    assert found == [
        ("Ana", acorn.actor.id, "page"),
        ("rule 7", None, "import"),
        ("Ana", acorn.actor.id, "page"),
    ]


def test_the_name_comes_back_when_the_other_fails(acorn: Scope) -> None:
    def fail() -> None:
        with transaction.atomic(), enter(acting(actor=Actor("system", label="rule 7"))), work():
            raise ZeroDivisionError

    with work():
        with pytest.raises(ZeroDivisionError):
            fail()
        Job.objects.create(kind="hers")
        assert entries()[0].actor_email == "Ana"


def test_each_organization_reads_its_own_audit(acorn: Scope, birch: Scope) -> None:
    with enter(birch), work():
        Job.objects.create(kind="theirs")
    with work():
        assert entries() == []


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO core_auditentry (organization_id, content_type_id, object_pk, object_repr, action, changes_text,"
        " timestamp) VALUES ({}, 1, '', '', 0, '', now())",
        "UPDATE core_auditentry SET actor_email = 'somebody else'",
        "DELETE FROM core_auditentry",
        "TRUNCATE core_auditentry",
        "ALTER TABLE core_auditentry DISABLE TRIGGER ALL",
        "ALTER TABLE core_job DISABLE TRIGGER USER",
        "DROP TRIGGER core_job_audit_update ON core_job",
        "SET LOCAL session_replication_role = replica",
        "SELECT audit_insert()",
        "CREATE TEMPORARY TABLE t (id bigint); CREATE TRIGGER x AFTER INSERT ON t EXECUTE FUNCTION audit_insert()",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "SET ROLE arapp_door",
        "CREATE TABLE public.core_auditentry2 (id int)",
    ],
)
def test_the_audit_cannot_be_written_or_put_out(acorn: Scope, statement: str) -> None:
    with work():
        Job.objects.create(kind="x")
        before = raw()
        with pytest.raises(DatabaseError), transaction.atomic():
            sql(statement.format(acorn.organization_id))
        assert raw() == before


def test_a_temporary_table_of_the_same_name_does_not_catch_the_audit(acorn: Scope) -> None:
    with work(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM public.core_auditentry")
        before = cursor.fetchone()[0]
        cursor.execute("CREATE TEMPORARY TABLE core_auditentry (LIKE public.core_auditentry) ON COMMIT DROP")
        Job.objects.create(kind="x")
        cursor.execute(
            "SELECT (SELECT count(*) FROM pg_temp.core_auditentry), count(*) FROM public.core_auditentry"
        )
        assert cursor.fetchone() == (0, before + 1)
        cursor.execute("DROP TABLE pg_temp.core_auditentry")
