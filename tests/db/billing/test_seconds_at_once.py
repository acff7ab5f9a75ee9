"""A change or an end at a time of day while a run bills: whoever comes first, the day is shared once."""

from collections.abc import Callable
from contextlib import closing
from datetime import date, time
from decimal import Decimal
from importlib import import_module
from pathlib import Path

import psycopg2
import pytest
from django.db import OperationalError, connection

import billing.migrations
from billing.expectation import Expectation
from billing.models import BilledPeriod, Subscription, SubscriptionItem
from billing.selectors import billable
from billing.services import run as runs
from billing.services.change import change
from billing.services.run import open_run, run_billing
from billing.services.subscriptions import end
from core.locks import claim
from core.scope import Scope, work
from tests.billed import billed, proven
from tests.databases import OWNER_URL, with_name
from tests.db.billing.test_lifecycle import credited
from tests.db.billing.test_seconds import AUGUST, JULY, MID, NOON, WHOLE, by_seconds
from tests.db.billing.test_usage_at_once import at_once, open_elsewhere

REST = ("2026-07-16", "2026-08-01")


@pytest.fixture
def sub(committed_acorn: Scope) -> Subscription:
    """31 a month, July billed, and twice as many from noon of the 16th on."""
    with work():
        made = by_seconds(31)
    run_billing(JULY)
    act(made, change, MID, NOON, quantity=Decimal(2))()
    return made


def act(
    sub: Subscription, service: Callable[..., object], on: date, at: time, **said: object
) -> Callable[[], None]:
    def done() -> None:
        with work():
            service(sub.public_id, on=on, at=at, today=MID, **said)

    return done


def batch() -> None:
    """One batch of the run of the 16th, as it bills it."""
    run = open_run(MID)
    runs._bill(run, [row.pk for row in claim(billable(MID), 500)], Expectation(MID), again=False)


def test_an_end_before_the_run_bills_is_in_its_bill(committed_acorn: Scope, sub: Subscription) -> None:
    with open_elsewhere(committed_acorn, act(sub, end, MID, time(6))), work():
        assert claim(billable(MID), 500) == [], "it is being ended: the run comes back for it"
    run_billing(MID)
    assert (billed(), credited()) == ([(*WHOLE, 3100)], [(*REST, 1575)])
    proven()


def test_an_end_while_the_run_bills_waits_and_comes_when_what_is_billed_stops(
    committed_acorn: Scope, sub: Subscription
) -> None:
    with open_elsewhere(committed_acorn, batch), pytest.raises(OperationalError):
        act(sub, end, MID, time(6))()
    act(sub, end, MID, time(6))()
    run_billing(MID)
    assert billed() == [(*WHOLE, 3100), (*REST, 1550)]
    assert credited() == [(*REST, 1550), (*REST, 1550)]
    proven()


def test_two_change_it_at_once_at_two_times_of_a_day_and_one_holds(
    committed_acorn: Scope, sub: Subscription
) -> None:
    at_once(
        committed_acorn,
        act(sub, change, MID, time(9), quantity=Decimal(3)), act(sub, change, MID, time(15), quantity=Decimal(5)),
    )  # fmt: skip
    run_billing(AUGUST)
    with work():
        items = SubscriptionItem.objects.filter(starts_on=MID, ends_on=None)
        (held,) = items.values_list("quantity", "starts_time")
    assert held in [(3, time(9)), (5, time(15))]
    proven()


def test_what_was_billed_before_gets_the_time_up_to_which_it_was(committed_acorn: Scope) -> None:
    """By a change of its plan and by its end; what is billed to the end of its period has none."""
    (migration,) = Path(billing.migrations.__path__[0]).glob("*_billed_until.py")
    filled = import_module(f"billing.migrations.{migration.stem}").FILLED
    with work():
        for on, service, said in (
            (MID, change, {"quantity": Decimal(2)}),
            (MID, end, {}),
            (AUGUST, end, {}),
            (date(2026, 8, 20), change, {"quantity": Decimal(2)}),
        ):
            service(by_seconds(31).public_id, on=on, at=NOON, today=JULY, **said)
    run_billing(JULY)
    with work():
        before = list(BilledPeriod.objects.order_by("id").values_list("until", flat=True))
        assert before == [NOON, NOON, time(), time()]
    with closing(psycopg2.connect(with_name(OWNER_URL, connection.settings_dict["NAME"]))) as owner, owner:
        owner.cursor().execute("UPDATE billing_billedperiod SET until = '00:00'")
        for _ in range(2):
            owner.cursor().execute(filled)
    with work():
        rows = BilledPeriod.objects.order_by("id").values_list("until", flat=True)
        assert [rows[0], rows[1], rows[3]] == [NOON, NOON, time()]
    proven()
