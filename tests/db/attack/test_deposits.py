"""Deposits attacked: every figure of what is late, charges that come to light late, and what a mail then says."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from django.test import Client

from billing.previews import next_bill
from billing.services.deposits import set_plan_deposit
from billing.services.prices import create_price
from billing.services.run import run_billing
from billing.services.subscriptions import subscribe
from cashapp.models import SandboxCharge
from cashapp.services import tries
from core import clock, effects, ids
from core.books import verify
from core.relay import relay
from core.scope import Scope, work
from core.templatetags.fmt import longdate
from customers.domain.cards import Card
from customers.models import Customer
from customers.services.customers import update_customer
from customers.services.methods import keep as keep_method
from invoicing.listing import rows
from invoicing.models import Document
from invoicing.services.content import changed_content, content_of
from invoicing.services.correct import void
from invoicing.services.edit import create_draft
from invoicing.services.issue import header
from receivables import balances
from receivables.ageing import ageing
from receivables.domain.habits import Habits
from receivables.habits import habits_of
from receivables.models import Allocation, OpenItem
from receivables.selectors import item_states, states_by_id
from receivables.services.allocate import undo
from receivables.services.reserve import release, reserve
from tests import factories
from tests.billed import proven
from tests.db.billing.test_late_runs import CLOSED, per_call
from tests.db.billing.test_metered import sold, used
from tests.db.billing.test_renewals import NEXT, tell, with_card, yearly
from tests.db.cashapp.kept import BEGAN, DUE, bill, charged, keep, mails, never_takes, open_of, swept
from tests.db.cashapp.test_autopay_deposits import DEPOSIT, REST, owner, text_of  # noqa: F401
from tests.db.portal.test_pay import link_to
from tests.db.sandbox.conftest import no_files  # noqa: F401
from tests.factories import DAY
from tests.lived import at, live
from tests.metering import meter
from tests.prepaid import draw, topped

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


def test_what_is_promised_to_a_charge_counts_for_the_deposit_first(acorn: Scope) -> None:
    with work():
        made = factories.item(factories.customer(), 1_000, due_on=LATER, deposit=(300, DAY))
        reserve({made.item_id: 200})
        (item,) = states_by_id([made.item_id]).values()
        assert [(each.open_minor, each.due_on) for each in item.targets] == [(100, DAY), (700, LATER)]
        reserve({made.item_id: 200})
        (item,) = states_by_id([made.item_id]).values()
        assert [(each.open_minor, each.due_on) for each in item.targets] == [(600, LATER)]
        release({made.item_id: 400})


def test_how_late_what_is_open_is_goes_by_the_last_day_too(acorn: Scope) -> None:
    with work():
        made = factories.customer()
        document = factories.invoice(made, deposit_percent=30)
        assert habits_of([made.pk], today=document.due_on) == {}
        assert habits_of([made.pk], today=document.due_on + timedelta(days=10)) == {made.pk: Habits(1, 1, 10)}


def test_what_a_prepaid_balance_paid_was_paid(acorn: Scope) -> None:
    with work():
        made = factories.customer()
        document = factories.invoice(made, ("1", "50.00"), tax="0")
        topped(made, 5_000)
        draw(made, document, 5_000, on=document.due_on + timedelta(days=9))
        assert habits_of([made.pk], today=DAY + timedelta(days=60))[made.pk] == Habits(2, 1, 9)


def test_a_draft_keeps_its_deposit_whatever_its_customer_is_told_since(acorn: Scope) -> None:
    with work():
        made = factories.customer(deposit_percent=25)
        line = {"description": "Work", "unit_price": "100.00", "tax_percent": 0}
        draft = create_draft(content_of(made.public_id, [line]), key="k")
        update_customer(made.pk, version=made.version, deposit_percent=60)
        draft.refresh_from_db()
        assert changed_content(draft, {"memo": "Thanks"}).deposit_percent == 25


def test_the_seal_is_over_the_deposit_too(acorn: Scope) -> None:
    with work():
        made = factories.customer()
        assert header(factories.invoice(made, deposit_percent=30))["deposit_percent"] == 30
        assert "deposit_percent" not in header(factories.invoice(made))


def test_a_list_says_that_a_deposit_is_late_and_since_when(acorn: Scope) -> None:
    with work():
        document = factories.invoice(factories.customer(), deposit_percent=30)
        (row,) = rows([document], today=DAY + timedelta(days=1))
        assert (row.state, row.due_on) == ("overdue", DAY)


def test_what_a_prepaid_balance_will_pay_is_not_asked_for_at_once(acorn: Scope) -> None:
    with time_machine.travel(datetime(2026, 12, 3, 12, tzinfo=UTC), tick=True):
        with work():
            by = meter("sum")
            price = per_call(by)
            sub = sold(price)
            set_plan_deposit(price.plan.public_id, 50)
            used(by, sub, "30", "2026-11-10T10:00Z")
        run_billing(date(2026, 11, 1))
        with work():
            topped(sub.customer, 1_000)
            sub.refresh_from_db()
            coming = next_bill(sub, today=date(2026, 12, 1))
            assert coming.prepaid_minor == 1_000
        run_billing(date(2026, 12, 1))
        with work():
            (item,) = item_states([Document.objects.latest("id").public_id]).values()
            assert item.next_minor == coming.deposit_minor > 0
        proven()


@pytest.mark.parametrize(("percent", "promised"), [(100, True), (30, False)])
def test_a_renewal_promises_a_card_that_is_good_until_all_is_due(
    acorn: Scope, percent: int, promised: bool
) -> None:
    with work():
        made = factories.customer(email="pay@kestrel.example", deposit_percent=percent)
    bought = yearly(made, autopay=True, billed=False)
    with_card(bought, until=NEXT)
    tell(30)
    with at(BEGAN, 1):
        run_billing(BEGAN)
    live(NEXT - timedelta(days=30))
    (mail,) = mails("renewal_upcoming")
    assert ("charged to your saved method" in text_of(mail)) is promised
    assert ("30 % of it are to be paid at once" in text_of(mail)) is not promised


def test_a_renewal_that_is_due_at_once_names_no_days(acorn: Scope) -> None:
    with work():
        made = factories.customer(email="pay@kestrel.example", deposit_percent=100)
    yearly(made)
    tell(30)
    live(NEXT - timedelta(days=30))
    (mail,) = mails("renewal_upcoming")
    assert "to be paid on its day" in text_of(mail)


def test_a_card_is_promised_for_what_comes_and_not_for_a_deposit_that_is_due(acorn: Scope) -> None:
    with work():
        made = factories.customer(email="pay@kestrel.example")
        keep_method(
            made.public_id,
            gateway="sandbox",
            card=Card("card_ok", "Visa", "4242", date(2099, 12, 31)),
            consent="Yes.",
        )
        today = clock.today(made.entity.zone)
        document = factories.invoice(
            made, ("1", "100.00"), tax="0", on=today, deposit_percent=30, autopay=True
        )
    payer = Client()
    address = link_to(document)
    assert "Charged by itself" not in payer.get(address, follow=True).content.decode()
    with work():
        factories.pay(document, minor=3_000, on=today)
    shown = payer.get(address, follow=True).content.decode()
    assert f"Charged by itself to Visa •••• 4242 on {longdate(document.due_on)}" in shown


def test_the_rest_is_tried_again_as_its_deposit_was(owner: Customer, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    keep(owner)
    live(BEGAN, 3)
    with at(BEGAN, 3):
        run_billing(BEGAN)
    for day, minors in ((BEGAN, [DEPOSIT]), (DUE, [DEPOSIT, REST])):
        with monkeypatch.context() as down:
            never_takes(down)
            live(day, 4)
            swept(day, 5)
        for hour in (7, 8, 12):
            swept(day, hour)
        assert charged() == [(minor, "succeeded") for minor in minors]
    proven()
