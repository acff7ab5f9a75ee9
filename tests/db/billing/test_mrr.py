"""Every change of a contract writes its movement of monthly recurring revenue, in the same transaction, once."""

from contextlib import closing
from datetime import date
from decimal import Decimal
from importlib import import_module
from io import StringIO
from pathlib import Path

import psycopg2
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

import billing.migrations
from billing.domain.anchors import Rhythm
from billing.models import MrrMovement, Price, Subscription, SubscriptionItem
from billing.services.amend import amend
from billing.services.change import change, revoke_change
from billing.services.discounts import discount, end_discount
from billing.services.lifecycle import pause, reactivate, resume
from billing.services.mrr import FILL, fill_movements
from billing.services.prices import create_price
from billing.services.replay import replay_billing
from billing.services.run import run_billing
from billing.services.subscriptions import add_item, end, end_item, release, subscribe
from core.books import verify
from core.effects import due, work_off
from core.errors import AppError
from core.models import AuditEntry, Effect
from core.scope import Scope, enter, work
from tests import factories
from tests.billed import proven
from tests.databases import OWNER_URL, with_name

DAY = date(2026, 2, 1)
TODAY = date(2026, 2, 10)
DELETED = 2
"""What the audit calls a deletion."""


def price(amount: str, **given: object) -> Price:
    terms: dict[str, object] = {"model": "per_unit", "unit_price": Decimal(amount), **given}
    code = f"p{Price.objects.count()}"
    return create_price(name=f"Plan {code}", code=code, currency="EUR", **terms)  # type: ignore[arg-type]


def told(sub: Subscription | None = None) -> list[tuple[str, str, int, int]]:
    with work():
        rows = MrrMovement.objects.order_by("day", "subscription_id")
        mine = rows.filter(subscription=sub) if sub else rows
        return [(str(row.day), row.kind, row.delta_minor, row.after_minor) for row in mine]


@pytest.fixture
def sub(acorn: Scope) -> Subscription:
    """100 a month from 1 February 2026 on."""
    with work():
        return subscribe(customer=factories.customer().public_id, price=price("100"), starts_on=DAY)


NEW = ("2026-02-01", "new", 10_000, 10_000)


def test_a_subscription_is_new_from_its_first_day(sub: Subscription) -> None:
    assert told() == [NEW]
    with work():
        assert MrrMovement.objects.get().currency == "EUR"
    proven()


def test_what_is_added_expands_and_what_ends_contracts(sub: Subscription) -> None:
    with work():
        made = add_item(
            sub.public_id, price=price("600", unit="year"), quantity=Decimal(2), starts_on=date(2026, 3, 10)
        )
        add_item(sub.public_id, price=price("99", unit="once"), starts_on=date(2026, 3, 1))
    assert told() == [NEW, ("2026-03-10", "expansion", 10_000, 20_000)]
    with work():
        end_item(made.public_id, on=date(2026, 5, 1), today=TODAY)
        end_item(made.public_id, on=date(2026, 5, 1), today=TODAY)
    assert told()[1:] == [
        ("2026-03-10", "expansion", 10_000, 20_000),
        ("2026-05-01", "contraction", -10_000, 10_000),
    ]
    proven()


def test_an_end_churns_wherever_it_is_moved(sub: Subscription) -> None:
    with work():
        end(sub.public_id, on=date(2026, 6, 1), today=TODAY)
    assert told() == [NEW, ("2026-06-01", "churn", -10_000, 0)]
    with work():
        amend(sub.public_id, ends_on=date(2026, 4, 15), today=TODAY)
    assert told() == [NEW, ("2026-04-15", "churn", -10_000, 0)]
    proven()


def test_a_change_that_is_revoked_leaves_no_movement_but_the_audit_has_it(sub: Subscription) -> None:
    with work():
        change(sub.public_id, quantity=Decimal(3), on=date(2026, 4, 1), today=TODAY)
    assert told() == [NEW, ("2026-04-01", "expansion", 20_000, 30_000)]
    with work():
        change(sub.public_id, price=price("40"), on=date(2026, 5, 1), today=TODAY)
    april = ("2026-04-01", "expansion", 20_000, 30_000)
    assert told() == [NEW, april, ("2026-05-01", "contraction", -18_000, 12_000)]
    with work():
        for month in (5, 4):
            revoke_change(sub.public_id, on=date(2026, month, 1), today=TODAY)
        revoke_change(sub.public_id, today=TODAY)
    assert told() == [NEW]
    with work():
        gone = AuditEntry.objects.filter(content_type__model="mrrmovement", action=DELETED)
        assert gone.count() == 2
    proven()


def test_it_may_begin_in_the_past_or_in_the_future_and_twice_is_once(acorn: Scope) -> None:
    with work():
        owner = factories.customer().public_id
        for day in (date(2020, 1, 31), date(2031, 6, 1)):
            made = subscribe(
                customer=owner, price=price("30", unit="quarter"), starts_on=day, ends_on=date(2032, 1, 1)
            )
            release(made.public_id)
    assert told() == [
        ("2020-01-31", "new", 1_000, 1_000),
        ("2031-06-01", "new", 1_000, 1_000),
        ("2032-01-01", "churn", -1_000, 0),
        ("2032-01-01", "churn", -1_000, 0),
    ]
    proven()


def test_a_pause_is_churn_and_going_on_a_reactivation(sub: Subscription) -> None:
    with work():
        pause(sub.public_id, on=date(2026, 3, 1), today=TODAY)
    assert told() == [NEW, ("2026-03-01", "churn", -10_000, 0)]
    with work():
        resume(sub.public_id, on=date(2026, 5, 15), today=TODAY)
    gone = ("2026-03-01", "churn", -10_000, 0)
    assert told() == [NEW, gone, ("2026-05-15", "reactivation", 10_000, 10_000)]
    proven()


def test_a_pause_that_is_taken_back_moved_nothing(sub: Subscription) -> None:
    with work():
        pause(sub.public_id, on=date(2026, 3, 1), resumes_on=date(2026, 4, 1), today=TODAY)
    assert [each[1] for each in told()] == ["new", "churn", "reactivation"]
    with work():
        resume(sub.public_id, on=date(2026, 3, 1), today=TODAY)
    assert told() == [NEW]
    proven()


def test_an_end_that_is_taken_back_moved_nothing_and_one_that_came_did(sub: Subscription) -> None:
    with work():
        end(sub.public_id, on=date(2026, 6, 1), today=TODAY)
        reactivate(sub.public_id, today=TODAY)
    assert told() == [NEW]
    with work():
        end(sub.public_id, on=date(2026, 3, 1), today=TODAY)
    run_billing(date(2026, 3, 10))
    with work():
        reactivate(sub.public_id, on=date(2026, 4, 1), today=date(2026, 3, 20))
    assert told()[1:] == [
        ("2026-03-01", "churn", -10_000, 0),
        ("2026-04-01", "reactivation", 10_000, 10_000),
    ]
    proven()


def test_a_trial_is_worth_nothing_until_it_is_over(acorn: Scope) -> None:
    with work():
        owner = factories.customer().public_id
        subscribe(customer=owner, price=price("100"), starts_on=DAY, rhythm=Rhythm(trial_days=14))
    assert told() == [("2026-02-15", "new", 10_000, 10_000)]
    proven()


def test_a_discount_moves_what_it_takes_off(sub: Subscription) -> None:
    with work():
        given = discount(sub.public_id, name="Loyal", percent=Decimal(25), on=date(2026, 3, 1), today=TODAY)
    assert told() == [NEW, ("2026-03-01", "contraction", -2_500, 7_500)]
    with work():
        end_discount(given.public_id, of=sub.public_id, on=date(2026, 5, 1), today=TODAY)
    assert told()[2:] == [("2026-05-01", "expansion", 2_500, 10_000)]
    proven()


def test_days_that_are_credited_are_worth_nothing_and_money_moves_nothing(sub: Subscription) -> None:
    run_billing(TODAY)
    with work():
        end(sub.public_id, on=date(2026, 2, 20), today=TODAY)
    before = told()
    assert before == [NEW, ("2026-02-20", "churn", -10_000, 0)]
    run_billing(date(2026, 2, 20))
    assert told() == before
    proven()


def test_a_run_moves_nothing(sub: Subscription) -> None:
    with work():
        change(sub.public_id, quantity=Decimal(2), on=date(2026, 3, 1), today=TODAY)
    before = told()
    run_billing(date(2026, 4, 2))
    assert told() == before
    proven()


def test_a_refused_change_writes_no_movement(sub: Subscription) -> None:
    with work():
        fee = price("9", unit="once")
    with work(), pytest.raises(AppError):
        end(sub.public_id, on=date(1900, 1, 1), today=TODAY)
    with work(), pytest.raises(AppError):
        change(sub.public_id, price=fee, on=date(2026, 4, 1), today=TODAY)
    assert told() == [NEW]


def test_a_crash_after_the_movement_takes_it_along(
    sub: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("pulled")

    monkeypatch.setattr("billing.services.subscriptions.next_due", broken)
    with pytest.raises(RuntimeError), work():
        end(sub.public_id, on=date(2026, 6, 1), today=TODAY)
    monkeypatch.undo()
    assert told() == [NEW]
    proven()


def test_nothing_is_written_when_nothing_is_other(sub: Subscription) -> None:
    with work():
        before = AuditEntry.objects.filter(content_type__model="mrrmovement").count()
    assert fill_movements() == 0
    with work():
        assert AuditEntry.objects.filter(content_type__model="mrrmovement").count() == before


def test_all_that_is_missing_wrong_or_too_much_is_filled_in_in_batches(sub: Subscription) -> None:
    with work():
        for n in range(4):
            made = factories.subscription(factories.customer(), DAY, unit_price=Decimal(n + 1))
            end(made.public_id, on=date(2027, 1, 1), today=TODAY)
    right = told()
    with work():
        first, second, *_ = MrrMovement.objects.order_by("id")
        MrrMovement.objects.filter(kind="churn").delete()
        MrrMovement.objects.filter(pk=first.pk).update(delta_minor=5, after_minor=5)
        MrrMovement.objects.filter(pk=second.pk).update(day=date(2026, 2, 2))
        assert len(verify()) == 0
    assert len(replay_billing(batch=2).mrr) == 7
    with work():
        due(FILL, [("again", {})])
    work_off([])
    assert told() == right
    with work():
        assert Effect.objects.get(kind=FILL).done_at is not None
    proven()


def test_the_command_names_what_differs(sub: Subscription, acorn: Scope) -> None:
    with work():
        MrrMovement.objects.update(delta_minor=5, after_minor=5)
    wrong = StringIO()
    with pytest.raises(CommandError, match="1 movements of MRR"):
        call_command("replay_billing", organization="acorn", stderr=wrong)
    assert f"{sub.public_id} 2026-02-01: MRR new +5 to 5 kept, new +10000 to 10000 now" in wrong.getvalue()
    fill_movements()


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "new", "delta_minor": -1, "after_minor": -1},
        {"kind": "churn", "delta_minor": -5, "after_minor": 1},
        {"kind": "expansion", "delta_minor": 5, "after_minor": 5},
        {"kind": "contraction", "delta_minor": -5, "after_minor": 0},
        {"kind": "contraction", "delta_minor": 5, "after_minor": 9},
        {"kind": "loss", "delta_minor": 5, "after_minor": 9},
        {"kind": "reactivation", "delta_minor": 0, "after_minor": 0},
    ],
)
def test_the_database_refuses_a_kind_that_does_not_fit(sub: Subscription, wrong: dict[str, object]) -> None:
    with work(), pytest.raises(IntegrityError, match="mrrmovement_fits"), transaction.atomic():
        MrrMovement.objects.update(**wrong)
    with work(), pytest.raises(IntegrityError, match="mrrmovement_once"), transaction.atomic():
        MrrMovement.objects.create(
            subscription=sub, day=DAY, kind="new", currency="EUR", delta_minor=1, after_minor=1
        )


def test_the_books_notice_movements_that_do_not_add_up(sub: Subscription) -> None:
    with work():
        change(sub.public_id, quantity=Decimal(2), on=date(2026, 3, 1), today=TODAY)
        end(sub.public_id, on=date(2026, 6, 1), today=TODAY)
        rows = MrrMovement.objects
        for sign, changes in (
            ("new", {"delta_minor": 9_000, "after_minor": 9_000}),
            ("new", {"kind": "reactivation"}),
            ("expansion", {"after_minor": 20_001}),
            ("churn", {"delta_minor": -19_999}),
            ("churn", {"currency": "USD"}),
        ):
            with transaction.atomic():
                rows.filter(kind=sign).update(**changes)
                assert [each.check for each in verify() if "recurring revenue" in each.check], changes
                transaction.set_rollback(True)
        assert verify() == []


def test_the_movements_of_many_take_as_many_statements_as_those_of_one(sub: Subscription) -> None:
    with work():
        for n in range(6):
            factories.subscription(factories.customer(), DAY, unit_price=Decimal(n + 1))
        SubscriptionItem.objects.update(quantity=2)
        Subscription.objects.update(quantity=2)
    with CaptureQueriesContext(connection) as seen:
        assert fill_movements() == 7
    touching = [query for query in seen if "mrrmovement" in query["sql"]]
    assert len(touching) <= 3


def test_another_organization_sees_no_movement(sub: Subscription, birch: Scope) -> None:
    with enter(birch), work():
        assert MrrMovement.unscoped.count() == 0
        assert MrrMovement.unscoped.filter(subscription_id=sub.pk).update(delta_minor=1) == 0


def test_what_was_there_before_is_due_to_be_filled_in(committed_acorn: Scope) -> None:
    """The migration makes it due once for each organization with subscriptions, and a worker does it."""
    (migration,) = Path(billing.migrations.__path__[0]).glob("*_mrr.py")
    filled = import_module(f"billing.migrations.{migration.stem}").FILLED
    with work():
        factories.subscription(factories.customer(), DAY)
        MrrMovement.objects.all().delete()
    with closing(psycopg2.connect(with_name(OWNER_URL, connection.settings_dict["NAME"]))) as owner, owner:
        for _ in range(2):
            owner.cursor().execute(filled)
    with work():
        assert Effect.objects.get(kind=FILL).key == "fill"
    work_off([])
    assert told() == [("2026-02-01", "new", 1_450, 1_450)]
