"""The dashboard: figures that open into their rows, by currency, and an honest start."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.test import Client

from cashapp.services.payments import reverse
from core import clock
from core.scope import Scope, enter, work
from receivables import balances
from receivables.domain.items import Kind
from receivables.services.allocate import Part, allocate
from tests import factories

HOME = "/o/acorn/"


@pytest.fixture
def today(house: Scope) -> date:
    with enter(house):
        return clock.today("Europe/Berlin")


def test_a_new_organization_sees_its_first_steps(ana: Client, house: Scope) -> None:
    shown = ana.get(HOME)
    steps = {step["title"]: step["done"] for step in shown.context["steps"]}
    assert steps["Add the first customer"] is False
    assert steps["Invite a colleague"] is True
    with enter(house), work():
        factories.customer()
    steps = {step["title"]: step["done"] for step in ana.get(HOME).context["steps"]}
    assert steps["Add the first customer"] is True


def test_figures_by_currency(ana: Client, house: Scope, today: date) -> None:
    with enter(house), work():
        owner = factories.customer()
        dollar = factories.customer(currency="USD")
        due = factories.item(owner, 10_000, on=today, due_on=today)
        factories.item(owner, 3_000, on=today - timedelta(days=20), due_on=today - timedelta(days=1))
        factories.item(owner, 500, on=today - timedelta(days=200), due_on=today - timedelta(days=91))
        paid = factories.item(owner, 4_000, Kind.PAYMENT, on=today - timedelta(days=29))
        factories.item(owner, 9_000, Kind.PAYMENT, on=today - timedelta(days=30))
        factories.item(dollar, 700, on=today, due_on=today + timedelta(days=9))
        allocate([Part("a", due.item_id, paid.item_id, 4_000)], effective_on=today)
        euro, usd = balances.standings(today=today, since=today - timedelta(days=30))
    assert (euro.currency, usd.currency) == ("EUR", "USD")
    assert euro.owed.minor == 6_000 + 3_000 + 500
    assert euro.overdue.minor == 3_500
    assert (euro.credit.minor, euro.open.minor) == (9_000, 500)
    assert (euro.received.minor, euro.received_count) == (4_000, 1)
    assert [bucket.minor for bucket in euro.buckets] == [6_000, 3_000, 0, 0, 500]
    shown = ana.get(HOME).content.decode()
    assert "Ageing, EUR" in shown
    assert "Ageing, USD" in shown
    assert "Payments by value date" in shown


def test_a_payment_taken_back_is_not_received(house: Scope, today: date) -> None:
    with enter(house), work():
        owner = factories.customer()
        factories.item(owner, 4_000, Kind.PAYMENT, on=today)
        factories.item(owner, 1_500, Kind.REVERSAL, on=today)
        (euro,) = balances.standings(today=today, since=today - timedelta(days=30))
    assert (euro.received.minor, euro.received_count) == (2_500, 1)


@pytest.mark.parametrize(
    ("late", "level"),
    [(-5, 0), (0, 0), (1, 1), (30, 1), (31, 2), (60, 2), (61, 3), (90, 3), (91, 4), (900, 4)],
)
def test_buckets_and_their_days_agree(house: Scope, today: date, late: int, level: int) -> None:
    due_on = today - timedelta(days=late)
    first, last = balances.bucket_days(level, today)
    assert first is None or first <= due_on
    assert last is None or due_on <= last
    with enter(house), work():
        factories.item(factories.customer(), 100, due_on=due_on)
        (euro,) = balances.standings(today=today, since=today)
    assert [bucket.level for bucket in euro.buckets if bucket.minor] == [level]


def test_a_bucket_opens_exactly_its_invoices(ana: Client, house: Scope, today: date) -> None:
    with enter(house), work():
        owner = factories.customer(terms_days=0)
        for days in (10, 40, 45, 100):
            factories.invoice(owner, ("1", "10.00"), on=today - timedelta(days=days + 14))
    figures = ana.get(HOME).context["figures"][0]
    for bucket in figures.buckets:
        if bucket["href"] and bucket["share"]:
            rows = ana.get(bucket["href"]).context["rows"]
            assert sum(row.open.minor for row in rows) == bucket["share"]


def test_activity_reads_as_sentences(ana: Client, house: Scope, today: date) -> None:
    with enter(house), work():
        owner = factories.customer(name="Kestrel Freight")
        document = factories.invoice(owner, ("1", "10.00"), on=today)
    shown = ana.get(HOME).content.decode()
    assert f"{document.number} issued" in shown
    assert "Kestrel Freight, EUR" in shown


def test_statements_do_not_grow_with_rows(
    ana: Client, house: Scope, today: date, queries: Callable[[Client, str], int]
) -> None:
    def more(many: int) -> None:
        with enter(house), work():
            for n in range(many):
                owner = factories.customer(currency=["EUR", "USD", "GBP"][n % 3])
                factories.invoice(owner, on=today - timedelta(days=60))

    more(3)
    ana.get(HOME)
    few = queries(ana, HOME)
    more(12)
    assert queries(ana, HOME) == few
    assert few <= 21


def test_what_was_received_opens_into_its_payments(ana: Client, house: Scope, today: date) -> None:
    """Of its currency and its thirty days, with the same sum; a payment taken back is shown and not counted."""
    with enter(house), work():
        owner, abroad = factories.customer(), factories.customer(currency="USD")
        factories.payment(owner, 1_000, on=today)
        factories.payment(owner, 2_500, on=today - timedelta(days=29))
        factories.payment(owner, 40_000, on=today - timedelta(days=30))
        factories.payment(abroad, 7_777, on=today)
        gone = factories.payment(owner, 9_000, on=today)
        reverse(gone.source, on=today, reason="mistake")
    figures = {each.standing.currency: each for each in ana.get("/o/acorn/").context["figures"]}
    euro = figures["EUR"]
    shown = ana.get(euro.received_href).context
    assert [(str(total), n) for total, n in shown["sums"]] == [("EUR 35.00", 2)]
    assert euro.standing.received.minor == 3_500
    assert len(shown["rows"]) == 3
    assert len(shown["chips"]) == 2
    assert len(ana.get("/o/acorn/payments/").context["rows"]) == 5
    for odd in ("received_from=x", "currency=%00", "received_to=9999999", "currency=eur"):
        assert ana.get(f"/o/acorn/payments/?{odd}").status_code == 200
