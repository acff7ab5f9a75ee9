"""The raw-SQL writer writes what was given, exactly, and is judged like any other."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, ProgrammingError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import bulk
from core.models import AuditEntry, Effect, FxRate, Job, StoredFile
from core.scope import Scope, enter, work

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(codec="ascii", exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab\t\\"), inner, max_size=3),
    max_leaves=5,
).filter(lambda value: value is not None)
NASTY = [
    "",
    " ",
    "\\N",
    "\\.",
    "\\",
    "a\tb",
    "a\nb",
    "a\r\nb",
    "\\t",
    "null",
    "NULL",
    '"',
    "'; DROP TABLE core_job; --",
    "{}",
    "\x07\x0b\x0c\x1b",
    "ÄÖ – 你好 🎉 e\u0301 \u202e",
    "\u2028\u2029\ufeff",
]


@pytest.mark.parametrize("text", NASTY)
def test_text_comes_back_as_it_was_given(acorn: Scope, text: str) -> None:
    with work():
        bulk.insert(Job, [{"kind": "x", "message": text, "payload": {text: [text]}}])
        job = Job.objects.get()
        assert (job.message, job.payload) == (text, {text: [text]})


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "message": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
                "done": st.integers(0, 2**31 - 1),
                "cancel_requested": st.booleans(),
                "payload": JSON,
                "updated_at": st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)),
            }
        ),
        min_size=1,
        max_size=5,
    )
)  # fmt: skip
def test_any_rows_come_back(acorn: Scope, rows: list[dict[str, Any]]) -> None:
    with transaction.atomic():
        with work():
            bulk.insert(Job, [{"kind": "x", **row} for row in rows])
            found = list(Job.objects.order_by("id").values(*rows[0]))
        transaction.set_rollback(True)
    assert found == rows


def test_every_type_and_its_default(acorn: Scope) -> None:
    with work():
        rate = Decimal("1234567.123456789012")
        bulk.insert(FxRate, [{"base": "EUR", "quote": "USD", "on": date(2026, 2, 28), "rate": rate}])
        assert FxRate.objects.values_list("rate", "on", "organization_id").get() == (
            rate,
            date(2026, 2, 28),
            acorn.organization_id,
        )
        bulk.insert(Job, [{"kind": "a"}, {"kind": "b"}])
        one, two = Job.objects.order_by("id")
        assert (one.state, one.done, one.result_id, one.cancel_requested, one.version) == (
            "queued",
            0,
            None,
            False,
            1,
        )
        assert one.public_id.startswith("job_")
        assert one.public_id != two.public_id
        assert one.payload == two.payload == {}


@pytest.mark.parametrize("value", [1.5, b"x", object(), {"a"}, ["x"]])
def test_what_it_cannot_write_exactly_is_refused(acorn: Scope, value: object) -> None:
    with work(), pytest.raises(TypeError):
        bulk.insert(Job, [{"kind": "x", "message": value}])


def test_an_unknown_column_is_refused(acorn: Scope) -> None:
    with work(), pytest.raises(TypeError, match="nonsense"):
        bulk.insert(Job, [{"kind": "x", "nonsense": 1}])


@pytest.mark.parametrize(
    "second", [{"kind": "y"}, {"kind": "y", "message": "m", "done": 1}, {"kind": "y", "done": 1}]
)
def test_rows_with_other_keys_are_refused_not_half_written(acorn: Scope, second: dict[str, Any]) -> None:
    with work():
        with pytest.raises(TypeError):
            bulk.insert(Job, [{"kind": "x", "message": "m"}, second])
        assert not Job.objects.exists()


def test_the_organization_is_the_scopes_whatever_is_given(acorn: Scope, birch: Scope) -> None:
    with work():
        bulk.insert(Job, [{"kind": "x", "organization_id": birch.organization_id}])
        assert Job.objects.get().organization_id == acorn.organization_id


def test_the_policy_judges_every_row(acorn: Scope, birch: Scope) -> None:
    """The database's setting is Acorn's, whatever the code in between believes."""
    from core.scope import _scope

    with work():
        token = _scope.set(birch)
        try:
            with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
                bulk.insert(Job, [{"kind": "x"}])
        finally:
            _scope.reset(token)


def test_keys_checks_and_lengths_judge_too(acorn: Scope) -> None:
    rate = {"base": "EUR", "quote": "USD", "on": date(2026, 1, 1), "rate": Decimal(1)}
    with work():
        bulk.insert(FxRate, [rate])
        for wrong in ([rate], [{**rate, "base": "X", "rate": Decimal(-1)}]):
            with pytest.raises(IntegrityError), transaction.atomic():
                bulk.insert(FxRate, wrong)
        with pytest.raises(DatabaseError), transaction.atomic():
            bulk.insert(Job, [{"kind": "x" * 61}])
        with pytest.raises(DatabaseError), transaction.atomic():
            bulk.insert(Job, [{"kind": "nul\0byte"}])


def test_a_reference_to_another_organizations_row_is_refused(
    acorn: Scope, birch: Scope, as_member: Callable[[str, str], Scope]
) -> None:
    with enter(birch), work():
        file = StoredFile.objects.create(
            kind="k", name="n", content_type="t", size=1, sha256="0", storage_key="s"
        )
    with work(), pytest.raises(IntegrityError, match="core_job_result_fk"), transaction.atomic():
        bulk.insert(Job, [{"kind": "x", "result_id": file.pk}])


def test_two_batches_of_one_table_in_one_transaction(acorn: Scope) -> None:
    with work():
        for n in range(3):
            bulk.insert(Effect, [{"kind": "k", "key": f"{n}", "due_at": datetime(2026, 1, 1, tzinfo=UTC)}])
        assert Effect.objects.count() == 3


def test_nothing_is_nothing(acorn: Scope, django_assert_num_queries: Any) -> None:
    with work(), django_assert_num_queries(0):
        bulk.insert(Job, [])
        bulk.update(Job, [])


def test_reserved_ids_are_distinct_and_usable(acorn: Scope) -> None:
    with work():
        ids = bulk.reserve_ids(Job, 5)
        assert len(set(ids)) == 5
        bulk.insert(Job, [{"id": pk, "kind": f"{pk}"} for pk in ids])
        assert list(Job.objects.order_by("id").values_list("id", flat=True)) == sorted(ids)


# ------------------------------------------------------------------------------------------------------ update


def test_update_sets_each_rows_own_values(acorn: Scope) -> None:
    with work():
        jobs = [Job.objects.create(kind=kind) for kind in "abc"]
        bulk.update(
            Job,
            [
                {"id": jobs[0].pk, "message": NASTY[5], "done": 3},
                {"id": jobs[1].pk, "message": "\\N", "done": 4},
            ],
        )
        found = list(Job.objects.order_by("id").values_list("message", "done", "version"))
    assert found == [("a\tb", 3, 2), ("\\N", 4, 2), ("", 0, 1)]


def test_update_sets_null(acorn: Scope) -> None:
    with work():
        file = StoredFile.objects.create(
            kind="k", name="n", content_type="t", size=1, sha256="0", storage_key="s"
        )
        job = Job.objects.create(kind="x", result=file)
        bulk.update(Job, [{"id": job.pk, "result_id": None}])
        assert Job.objects.get().result_id is None


def test_update_does_not_reach_another_organization(acorn: Scope, birch: Scope) -> None:
    with enter(birch), work():
        theirs = Job.objects.create(kind="theirs")
    with work():
        bulk.update(Job, [{"id": theirs.pk, "kind": "taken"}])
    with enter(birch), work():
        assert Job.objects.get().kind == "theirs"


def test_bulk_writes_are_audited(acorn: Scope) -> None:
    with work():
        bulk.insert(Job, [{"kind": "a"}, {"kind": "b"}])
        rows = list(Job.objects.order_by("id"))
        made = AuditEntry.objects.get(action=AuditEntry.Action.CREATE, content_type__model="job")
        assert made.additional_data["ids"] == [row.pk for row in rows]
        bulk.update(Job, [{"id": row.pk, "message": "m"} for row in rows])
        changed = AuditEntry.objects.filter(action=AuditEntry.Action.UPDATE).order_by("object_id")
        assert [(entry.object_id, entry.changes) for entry in changed] == [
            (row.pk, {"message": ["", "m"]}) for row in rows
        ]
