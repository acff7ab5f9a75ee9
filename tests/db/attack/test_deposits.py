"""Deposits attacked: every figure of what is late, charges that come to light late, and what a mail then says."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction

from billing.services.deposits import set_plan_deposit
from billing.services.prices import create_price
from billing.services.run import run_billing
from billing.services.subscriptions import subscribe
from cashapp.models import SandboxCharge
from cashapp.services import tries
from core import effects, ids
from core.books import verify
from core.relay import relay
from core.scope import Scope, work
from customers.models import Customer
from invoicing.models import Document
from invoicing.services.correct import void
from receivables import balances
from receivables.ageing import ageing
from receivables.domain.habits import Habits
from receivables.habits import habits_of
from receivables.models import Allocation, OpenItem
from receivables.services.allocate import undo
from tests import factories
from tests.billed import proven
from tests.db.billing.test_late_runs import CLOSED, per_call
from tests.db.billing.test_metered import used
from tests.db.cashapp.test_autopay import BEGAN, DUE, bill, charged, keep, mails, never_takes, open_of, swept
from tests.db.cashapp.test_autopay_deposits import DEPOSIT, REST, owner, text_of  # noqa: F401
from tests.db.sandbox.conftest import no_files  # noqa: F401
from tests.factories import DAY
from tests.lived import at, live
from tests.metering import meter

LATER = DAY + timedelta(days=60)


@pytest.mark.parametrize("days", [0, 1, 31, 60, 61, 200])
def test_every_figure_of_what_is_late_tells_the_parts_apart(acorn: Scope, days: int) -> None:
    with work():
        made = factories.customer()
        factories.item(made, 1_000, due_on=LATER, deposit=(300, DAY))
        factories.item(made, 50, due_on=DAY - timedelta(days=1))
        today = DAY + timedelta(days=days)
        (balance,) = balances.by_customer([made.pk], today=today)[made.pk]
        (standing,) = balances.standings(today=today, since=DAY)
        (payer,) = balances.late_payers("EUR", today=today, limit=5)
        (aged,) = ageing(today)
        assert [each.minor for each in standing.buckets] == aged.total.owed
        assert standing.overdue.minor == balance.overdue_minor == payer.overdue.minor
        assert sum(each.items for each in standing.buckets) == balance.items == 2


def test_a_deposit_that_was_taken_after_all_is_not_charged_with_the_rest(
    owner: Customer,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keep(owner)
    with monkeypatch.context() as down:
        never_takes(down)
        document = bill()
        for hour in range(4, 48):
            swept(BEGAN + timedelta(days=hour // 24), hour % 24)
    with work():
        SandboxCharge.objects.create(
            key=tries.key_of(document.public_id, tries.TRIES), reference=ids.new("sbx"), minor=DEPOSIT,
            currency="EUR", outcome="succeeded",
        )  # fmt: skip
    live(DUE)
    assert charged() == [(DEPOSIT, "succeeded"), (REST, "succeeded")]
    assert open_of(document) == (0, 0)
    proven()


def test_a_failed_charge_is_told_with_all_that_is_due(owner: Customer) -> None:  # noqa: F811
    keep(owner, "card_spent")
    bill()
    live(BEGAN, 5)
    live(DUE, 1)
    first, second = mails("payment_failed")
    assert "EUR 5.18 for invoice" in text_of(first)
    assert "EUR 17.26 for invoice" in text_of(second)


def test_nothing_is_told_of_a_deposit_that_was_paid_before_the_mail_leaves(owner: Customer) -> None:  # noqa: F811
    keep(owner, "card_spent")
    live(BEGAN, 3)
    with at(BEGAN, 3):
        run_billing(BEGAN)
        relay([])
        effects.work_off([])
        with work():
            factories.pay(Document.objects.get(), minor=DEPOSIT, on=BEGAN)
    assert charged() == [(DEPOSIT, "declined")]
    live(BEGAN, 5)
    (mail,) = mails("payment_failed")
    assert (mail.state, mail.letter_text) == ("skipped", "")


def test_a_void_says_nothing_of_a_payment_that_was_taken_off_before(acorn: Scope) -> None:
    with work():
        made = factories.customer()
        document = factories.invoice(made)
        late = document.due_on + timedelta(days=60)
        factories.pay(document, on=DAY)
        item = OpenItem.objects.get(source=document.public_id)
        undo(Allocation.objects.get(debit_item=item, reverses=None).pk, on=late, reason="Another's")
        void(document.public_id, on=late, reason="Wrong")
        assert habits_of([made.pk], today=late + timedelta(days=1)).get(made.pk, Habits()) == Habits()
        assert verify() == []


@pytest.mark.parametrize(
    "column", ["due_on = due_on + 1", "deposit_minor = 1", "rest_due_on = rest_due_on + 1"]
)
def test_the_app_moves_no_day_of_an_item(acorn: Scope, column: str) -> None:
    with work():
        factories.item(factories.customer(), 1_000, due_on=LATER, deposit=(300, DAY))
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE receivables_openitem SET {column}")


def test_both_parts_at_once_charge_once(owner: Customer) -> None:  # noqa: F811
    """Whose clock jumps over both days."""
    keep(owner)
    live(BEGAN, 3)
    with at(BEGAN, 3):
        run_billing(BEGAN)
    live(DUE + timedelta(days=3), 1)
    assert charged() == [(DEPOSIT + REST, "succeeded")]
    with work():
        assert open_of(Document.objects.get()) == (0, 0)
    proven()


def test_an_invoice_of_late_usage_alone_asks_for_the_deposit_of_its_plan(acorn: Scope) -> None:
    with time_machine.travel(datetime(2026, 12, 3, 12, tzinfo=UTC), tick=True):
        with work():
            by = meter("sum")
            plan = create_price(
                name="Year", code="year", model="flat", unit_price=Decimal(300), currency="EUR", unit="year"
            )
            price = per_call(by, unit="year")
            sub = subscribe(
                customer=factories.customer().public_id, price=plan, starts_on=date(2025, 12, 1),
                added=[(price, Decimal(1))],
            )  # fmt: skip
            used(by, sub, "30", "2026-11-10T10:00Z")
        run_billing(date(2025, 12, 1))
        run_billing(date(2026, 12, 1))
        with work():
            used(by, sub, "2", "2026-11-11T10:00Z")
            set_plan_deposit(price.plan.public_id, 30)
            sub.refresh_from_db()
        run_billing(CLOSED)
        with work():
            late = Document.objects.latest("id")
            assert (late.total_minor, late.deposit_percent, late.deposit_minor) == (476, 30, 143)
        proven()
