"""The chain over the audit: every row sealed once, and whatever is done to it behind the database's back is named."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from threading import Thread

import psycopg2
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from core import anchors, clock, doors, seals, tasks
from core.models import AuditEntry, AuditPending, AuditSeal, Job
from core.scope import Scope, enter, work
from tests import databases
from tests.db.isolation.conftest import as_owner

TABLES = ("core_auditentry", "core_auditpending", "core_auditseal")


def write(*kinds: str) -> None:
    """A transaction of its own for each."""
    for kind in kinds:
        with work():
            Job.objects.create(kind=kind)


def seal_all() -> None:
    while seals.seal():
        pass


def proof() -> seals.Proof:
    with work():
        return seals.prove()


def tamper(sql: str, *params: object) -> None:
    """As the owner with the triggers put out: what the database itself cannot refuse."""
    name = connection.settings_dict["NAME"]
    session = psycopg2.connect(databases.with_name(databases.OWNER_URL, name))
    with session, session.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(sql, params or None)
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    session.close()


def job_rows() -> list[int]:
    with work():
        return list(
            AuditEntry.objects.filter(content_type__model="job").order_by("id").values_list("pk", flat=True)
        )


@pytest.fixture
def chain(committed_acorn: Scope, settings: object, tmp_path: Path) -> list[int]:
    """Three links after the cast's, an anchor over them; the ids of their audit rows."""
    settings.ANCHOR_ROOT = tmp_path / "anchors"  # type: ignore[attr-defined]
    for kind in ("one", "two", "three"):
        write(kind)
        assert seals.seal()
    assert anchors.write()
    return job_rows()


def verify(*arguments: str) -> tuple[str, str]:
    """What the command says, and what it complains about."""
    out, err = StringIO(), StringIO()
    try:
        call_command("verify_audit", *arguments, stdout=out, stderr=err)
    except CommandError as error:
        err.write(str(error))
    return out.getvalue(), err.getvalue()


# ------------------------------------------------------------------------------------------------- how it is made


def test_every_row_is_queued_and_then_sealed_once(acorn: Scope) -> None:
    with work():
        Job.objects.create(kind="x")
        Job.objects.bulk_create([Job(kind="y"), Job(kind="z")])
        Job.objects.update(message="changed")
        assert AuditPending.objects.count() == 3
    before = proof()
    assert (before.waiting, before.wrong) == (5, [])
    seal_all()
    after = proof()
    assert (after.waiting, after.rows, after.wrong) == (0, before.rows + 5, [])
    with work():
        link = AuditSeal.objects.order_by("-number")[0]
        assert (link.rows, link.first_id, link.last_id) == (5, link.ids[0], link.ids[-1])
        assert sorted(link.ids) == link.ids
    seal_all()
    assert proof().seals == after.seals


def test_what_was_undone_is_not_queued(acorn: Scope) -> None:
    with work():
        with transaction.atomic():
            Job.objects.create(kind="x")
            transaction.set_rollback(True)
        assert AuditPending.objects.count() == 0


def test_a_row_that_commits_late_with_a_smaller_id_is_sealed_in_a_later_link(committed_acorn: Scope) -> None:
    name = connection.settings_dict["NAME"]
    late = psycopg2.connect(databases.with_name(databases.APP_URL, name))
    with late.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('app.organization_id', %s, true)", [str(committed_acorn.organization_id)]
        )
        cursor.execute("UPDATE tenants_legalentity SET terms_days = 7")
    write("early")
    assert seals.seal() == 1
    late.commit()
    late.close()
    (early,) = job_rows()
    with work():
        late_id = AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).filter(pk__lt=early)[0]
        assert AuditPending.objects.get().ids == [late_id]
    assert seals.seal() == 1
    found = proof()
    assert (found.wrong, found.waiting) == ([], 0)
    with work():
        assert AuditSeal.objects.order_by("-number")[0].ids == [late_id]


def test_two_sealers_at_once_seal_each_row_once(committed_acorn: Scope) -> None:
    def run() -> None:
        with enter(committed_acorn):
            seal_all()
        connection.close()

    for n in range(5):
        write(*[f"{n}-{each}" for each in range(8)])
        sealers = [Thread(target=run) for _ in range(2)]
        for sealer in sealers:
            sealer.start()
        for sealer in sealers:
            sealer.join()
    seal_all()
    found = proof()
    assert (found.wrong, found.waiting) == ([], 0)
    with work():
        ids = [pk for link in AuditSeal.objects.all() for pk in link.ids]
        assert len(ids) == len(set(ids)) == AuditEntry.objects.count()


def test_a_sealer_that_dies_in_between_leaves_all_of_it_queued(committed_acorn: Scope) -> None:
    write("x")

    def die() -> None:
        with work():
            assert doors.seal_audit() == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        die()
    assert proof().waiting == 1
    assert seals.seal() == 1
    assert (proof().waiting, proof().wrong) == (0, [])


def test_a_second_sealer_leaves_the_first_alone(committed_acorn: Scope) -> None:
    write("x")
    name = connection.settings_dict["NAME"]
    first = psycopg2.connect(databases.with_name(databases.APP_URL, name))
    with first.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('app.organization_id', %s, true), seal_audit()",
            [str(committed_acorn.organization_id)],
        )
        assert seals.seal() == 0
        first.commit()
    first.close()
    assert (proof().waiting, proof().wrong) == (0, [])


def test_the_dispatcher_brings_it_within_the_minute_and_leaves_idle_organizations_alone(
    acorn: Scope, birch: Scope
) -> None:
    def due(after: int) -> set[int]:
        at = clock.wall() + timedelta(seconds=after)
        return set(doors.due_work("seals", max_rows=9, per_tenant=9, wall=at))

    with work():
        Job.objects.create(kind="x")
    assert due(0) == set()
    assert due(55) == {acorn.organization_id}
    tasks.run_due(kind="seals", organization_id=acorn.organization_id)
    assert due(55) == set()
    assert proof().waiting == 0


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO core_auditseal (organization_id, number, first_id, last_id, rows, ids, digests, previous, hash,"
        " sealed_at) VALUES ({}, 99, 1, 1, 1, '{{1}}', 'x', '', '', now())",
        "UPDATE core_auditseal SET hash = ''",
        "DELETE FROM core_auditseal",
        "INSERT INTO core_auditpending (organization_id, ids, digests, at) VALUES ({}, '{{1}}', 'x', now())",
        "DELETE FROM core_auditpending",
        "SELECT audit_queue()",
        "ALTER TABLE core_auditentry DISABLE TRIGGER core_auditentry_queue",
    ],
)
def test_the_app_can_neither_write_a_seal_nor_empty_the_queue(acorn: Scope, statement: str) -> None:
    with work():
        Job.objects.create(kind="x")
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement.format(acorn.organization_id))


def test_a_seal_takes_no_row_of_another_organization(acorn: Scope, birch: Scope) -> None:
    with enter(birch), work():
        Job.objects.create(kind="theirs")
    seal_all()
    with enter(birch):
        assert proof().waiting == 1


# ----------------------------------------------------------------------------------------------- what is named


def test_a_clean_audit_says_so(chain: list[int]) -> None:
    out, err = verify()
    assert "acorn: " in out
    assert "birch: " in out
    assert out.endswith("1 anchors fit.\n")
    assert err == ""
    out, err = verify("--organization", "acorn")
    assert "birch" not in out


def forge(chain: list[int]) -> str:
    tamper("UPDATE core_auditentry SET actor_email = 'somebody else' WHERE id = %s", chain[1])
    return f"acorn: Audit row {chain[1]} was forged"


def forge_what_changed(chain: list[int]) -> str:
    tamper(
        "UPDATE core_auditentry SET additional_data = jsonb_set(additional_data, '{ids}', '[7]') WHERE id = %s",
        chain[0],
    )
    return f"acorn: Audit row {chain[0]} was forged"


def forge_the_time(chain: list[int]) -> str:
    tamper("UPDATE core_auditentry SET timestamp = timestamp + interval '1 us' WHERE id = %s", chain[0])
    return f"acorn: Audit row {chain[0]} was forged"


def delete(chain: list[int]) -> str:
    tamper("DELETE FROM core_auditentry WHERE id = %s", chain[1])
    return f"acorn: Audit row {chain[1]} was deleted"


def plant(chain: list[int]) -> str:
    tamper(
        "INSERT INTO core_auditentry (organization_id, content_type_id, object_pk, object_repr, action, changes_text,"
        " timestamp) SELECT organization_id, 1, '', '', 0, '', now() FROM core_auditentry WHERE id = %s",
        chain[0],
    )
    return "stands in no seal"


def cut_the_rows(chain: list[int]) -> str:
    tamper("DELETE FROM core_auditentry WHERE id >= %s", chain[2])
    return f"acorn: Audit row {chain[2]} was deleted"


def cut_the_tail(chain: list[int]) -> str:
    """Rows and seals alike: what is left is a sound chain, and only the anchor knows of more."""
    tamper("DELETE FROM core_auditentry WHERE id >= %s", chain[2])
    tamper("DELETE FROM core_auditseal WHERE last_id >= %s", chain[2])
    return "acorn: The tail was cut"


def delete_a_seal(chain: list[int]) -> str:
    tamper("DELETE FROM core_auditseal WHERE last_id = %s", chain[1])
    return "acorn: Seal 3 was deleted"


def forge_a_seal(chain: list[int]) -> str:
    tamper("UPDATE core_auditseal SET sealed_at = sealed_at - interval '1 day' WHERE last_id = %s", chain[1])
    return "acorn: Seal 3 was forged"


REBUILD = """
DO $$
DECLARE link record; before text := ''; head text;
BEGIN
    FOR link IN SELECT * FROM core_auditseal WHERE organization_id = {0} ORDER BY number LOOP
        UPDATE core_auditseal s SET digests = (
            SELECT string_agg(sha256(convert_to(jsonb_build_array(
                id, organization_id, content_type_id, object_pk, object_id, object_repr, action, changes_text, changes,
                serialized_data, actor_id, actor_email, cid, extract(epoch FROM timestamp), additional_data,
                host(remote_addr), remote_port)::text, 'UTF8')), ''::bytea ORDER BY id)
            FROM core_auditentry WHERE id = ANY (link.ids)), previous = before WHERE s.id = link.id;
        UPDATE core_auditseal s SET hash = encode(sha256(convert_to(jsonb_build_array(
            previous, organization_id, number, first_id, last_id, rows, to_jsonb(ids), extract(epoch FROM sealed_at)
            )::text, 'UTF8') || digests), 'hex') WHERE s.id = link.id RETURNING hash INTO before;
    END LOOP;
END $$
"""


def rebuild(chain: list[int]) -> str:
    """The whole chain written anew over a forged row: it fits in itself."""
    tamper("UPDATE core_auditentry SET actor_email = 'somebody else' WHERE id = %s", chain[0])
    with work():
        mine = AuditEntry.objects.get(pk=chain[0]).organization_id
    tamper(REBUILD.format(mine))
    assert proof().wrong == []
    return "acorn: Seal 4 is not the one of audit-"


@pytest.mark.parametrize(
    "act",
    [
        forge, forge_what_changed, forge_the_time, delete, plant, cut_the_rows, cut_the_tail, delete_a_seal,
        forge_a_seal, rebuild,
    ],
)  # fmt: skip
def test_what_was_done_behind_the_databases_back_is_named(
    chain: list[int], act: Callable[[list[int]], str]
) -> None:
    expected = act(chain)
    out, err = verify()
    assert expected in err
    assert "does not verify" in err
    assert "acorn: " not in out
    assert "birch: " in out


def test_the_command_ends_with_one(chain: list[int]) -> None:
    forge(chain)
    with pytest.raises(CommandError) as refused:
        call_command("verify_audit", stdout=StringIO(), stderr=StringIO())
    assert refused.value.returncode == 1


def test_verifying_writes_nothing(chain: list[int]) -> None:
    with as_owner():
        before = AuditEntry.unscoped.count(), AuditPending.unscoped.count()
    verify()
    with as_owner():
        assert (AuditEntry.unscoped.count(), AuditPending.unscoped.count()) == before
