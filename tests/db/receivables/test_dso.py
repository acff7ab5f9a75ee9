"""Days sales outstanding from the books: what counts as sold, as of which day, and what it opens into."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.scope import Scope, enter, work
from invoicing.services.correct import void
from invoicing.services.credit import credit
from receivables import balances
from receivables.ageing import ageing
from receivables.domain.items import Kind
from receivables.selectors import item_states
from receivables.services.allocate import Part, allocate
from tenants.models import Membership, Role, User
from tests import factories
from tests.cast import CANARY

DAY = date(2026, 11, 26)
FIRST = DAY - timedelta(days=89)
PAGE = "/o/acorn/ageing/dso/"


def page_of(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(name=name))
    return client


def as_of(on: date) -> dict[str, Decimal | None]:
    closing = {each.currency: each.total.net.minor for each in ageing(on)}
    return {code: each.value for code, each in balances.dso(closing, on=on).items()}


def sold(*days: date, currency: str = "EUR") -> None:
    owner = factories.customer(currency=currency)
    for day in days:
        factories.invoice(owner, ("1", "900.00"), tax="0", on=day)


@pytest.mark.parametrize(("day", "counted"), [(FIRST, True), (FIRST - timedelta(days=1), False), (DAY, True)])
def test_the_first_and_the_last_day_count_and_the_one_before_does_not(
    acorn: Scope, day: date, counted: bool
) -> None:
    with work():
        sold(day)
        assert as_of(DAY) == {"EUR": Decimal(90) if counted else None}


def test_a_past_day_is_as_it_was(acorn: Scope) -> None:
    """900 sold on 1 October, half of it paid on the 20th, 900 more sold on 1 November."""
    with work():
        owner = factories.customer()
        first = factories.invoice(owner, ("1", "900.00"), tax="0", on=date(2026, 10, 1))
        paid = factories.payment(owner, 45_000, on=date(2026, 10, 20))
        allocate(
            [Part("p", item_states([first.public_id])[first.public_id].item_id, paid.item_id, 45_000)],
            effective_on=date(2026, 10, 20),
        )
        factories.invoice(owner, ("1", "900.00"), tax="0", on=date(2026, 11, 1))
        assert as_of(date(2026, 9, 30)) == {}
        assert as_of(date(2026, 10, 19)) == {"EUR": Decimal(90)}
        assert as_of(date(2026, 10, 20)) == {"EUR": Decimal(45)}
        assert as_of(date(2026, 11, 1)) == {"EUR": Decimal("67.5")}


def test_credit_notes_and_voids_are_no_sales_and_other_items_neither(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        kept, credited, voided = (
            factories.invoice(owner, ("1", "900.00"), tax="0", on=FIRST + timedelta(days=n)) for n in range(3)
        )
        credit(credited.public_id, on=DAY, reason="r", key="credit-1", amounts={1: 30_000})
        void(voided.public_id, on=DAY, reason="r")
        factories.item(owner, 7_000, Kind.OPENING, on=DAY)
        factories.payment(owner, 1_000, on=DAY)
        (euro,) = balances.dso({"EUR": 1}, on=DAY).values()
        assert (euro.invoiced_minor, euro.credited_minor, euro.voided_minor) == (270_000, 30_000, 90_000)
        # 900 + 600 + 70 - 10 open, 1,500 sold: 1,560 / 1,500 x 90.
        assert as_of(DAY) == {"EUR": Decimal("93.6")}
    assert kept.number


def test_currencies_are_never_mixed(acorn: Scope) -> None:
    with work():
        sold(DAY)
        sold(FIRST - timedelta(days=9), currency="USD")
        assert as_of(DAY) == {"EUR": Decimal(90), "USD": None}


def test_home_and_the_page_say_the_same(acorn: Scope) -> None:
    with work():
        sold(DAY - timedelta(days=3), DAY)
        factories.payment(factories.customer(), 12_345, on=DAY)
        (standing,) = balances.standings(today=DAY, since=DAY - timedelta(days=30))
        assert {"EUR": standing.dso.value} == as_of(DAY)


def test_each_figure_opens_what_it_is_made_of(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        factories.invoice(owner, ("1", "900.00"), tax="0", on=FIRST - timedelta(days=1))
        note = factories.invoice(owner, ("1", "900.00"), tax="0", on=FIRST)
        credit(note.public_id, on=DAY, reason="r", key="credit-1", amounts={1: 30_000})
    vic = page_of("Vic")
    answer = vic.get(PAGE, {"on": DAY.isoformat()})
    (section,) = answer.context["sections"]
    for name, figure in (("invoices", "invoiced"), ("notes", "credited")):
        (total,) = vic.get(section[name]).context["sums"]
        assert total.total == section[figure]
    (aged,) = vic.get(section["ageing"]).context["sections"]
    assert aged["total"].net == section["closing"]
    assert vic.get(section["voids"]).status_code == 200


def test_without_sales_the_page_has_a_dash_and_says_why(acorn: Scope) -> None:
    with work():
        factories.item(factories.customer(), 100, on=DAY)
    shown = page_of("Vic").get(PAGE, {"on": DAY.isoformat()}).content.decode()
    assert "no sales to divide by" in shown
    home = page_of("Vic").get("/o/acorn/").content.decode()
    assert "Nothing was sold in 90 days" in home


def test_statements_do_not_grow_and_nobody_elses_rows_are_in_it(acorn: Scope, birch: Scope) -> None:
    with enter(birch), work():
        factories.invoice(factories.customer(name=f"Bea's {CANARY}"), on=DAY)
    vic = page_of("Vic")

    def queries(count: int) -> int:
        with work():
            sold(*[DAY] * count)
        with CaptureQueriesContext(connection) as seen:
            answer = vic.get(PAGE, {"on": DAY.isoformat()})
        assert [section["currency"] for section in answer.context["sections"]] == ["EUR"]
        return len(seen)

    queries(1)
    assert queries(1) == queries(9)


@pytest.mark.parametrize("on", ["x", "2026-02-30", "0001-01-01", "9999-12-31", "\x00"])
def test_a_day_that_is_none_is_named(acorn: Scope, on: str) -> None:
    answer = page_of("Vic").get(PAGE, {"on": on})
    assert answer.status_code == 422
    assert b"That day was not understood" in answer.content


def test_who_may_not_see_it(acorn: Scope) -> None:
    assert page_of("Bea").get(PAGE).status_code == 404
    assert Client().get(PAGE).status_code == 302
    with work():
        sold(DAY)
        role = Role.objects.create(name="Guest", permissions=["home.view"])
        Membership.objects.filter(user__name="Vic").update(role=role)
    vic = page_of("Vic")
    assert vic.get(PAGE).status_code == 403
    shown = vic.get("/o/acorn/").content.decode()
    assert "DSO" in shown
    assert "ageing/dso/" not in shown  # no link into a refusal
