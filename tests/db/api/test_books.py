"""Open items, ageing, DSO, journal and trial balance by API: the figures of the pages, in a constant number of
statements."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from django.test import Client

from core.scope import Scope, enter, work
from customers.models import Customer
from tenants.models import User
from tests import factories
from tests.db.api.conftest import Program, pointers, same_refusal, statements

pytestmark = pytest.mark.usefixtures("books")
AS_OF = "2026-12-20"


@contextmanager
def inside(house: Scope) -> Iterator[None]:
    with enter(house), work():
        yield


@pytest.fixture
def shop(house: Scope) -> list[Customer]:
    """Two customers, one in each of two currencies, with something in every bucket and credit not used."""
    with inside(house):
        kestrel = factories.customer(name="Kestrel Freight")
        dollar = factories.customer(name="Dollar Inc", currency="USD")
        for minor, day in ((500, 1), (700, 10)):
            factories.item(kestrel, minor, due_on=date(2026, 12, day))
        factories.item(kestrel, 1_100, due_on=date(2027, 1, 5))
        factories.item(kestrel, 1_300, on=date(2026, 9, 1), due_on=date(2026, 9, 15))
        factories.item(dollar, 2_000, on=date(2026, 10, 1), due_on=date(2026, 10, 15))
        factories.invoice(kestrel)
        factories.payment(kestrel, 400)
        factories.payment(dollar, 90)
    return [kestrel, dollar]


@pytest.fixture
def ana(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.get(name="Ana"))
    return client


def page(client: Client, path: str) -> Any:
    answer = client.get(f"/o/acorn/{path}")
    assert answer.status_code == 200
    return answer.context


def test_the_ageing_is_the_pages(api: Program, shop: list[Customer], ana: Client) -> None:
    for day in (AS_OF, "2026-11-02", "2026-09-10", "2026-01-01"):
        said = api.get(f"/ageing?as_of={day}&customers=500")
        sections = page(ana, f"ageing/?on={day}")["sections"]
        assert [each["currency"] for each in said["currencies"]] == [each["currency"] for each in sections]
        for mine, section in zip(said["currencies"], sections, strict=True):
            aged_rows = [section["total"], *(each["aged"] for each in section["rows"])]
            for row, aged in zip([mine, *mine["customers"]], aged_rows, strict=True):
                assert [row[f"{name}_minor"] for name in BUCKETS] == aged.owed
                assert (row["credit_minor"], row["net_minor"]) == (aged.credit_minor, aged.net.minor)
            assert mine["proved"] is section["proved"] is True
            assert mine["customer_count"] == len(section["rows"]) == len(mine["customers"])


BUCKETS = ("not_due", "days_1_30", "days_31_60", "days_61_90", "days_over_90")


def test_each_bucket_holds_what_is_so_late(api: Program, shop: list[Customer]) -> None:
    euro, dollar = api.get(f"/ageing?as_of={AS_OF}&customers=5")["currencies"]
    # the invoice of 119.00 of 2 November is due on the 16th: 34 days late
    assert [euro[f"{name}_minor"] for name in BUCKETS] == [1_100, 1_200, 11_900, 0, 1_300]
    assert (euro["overdue_minor"], euro["credit_minor"], euro["net_minor"]) == (14_400, 400, 15_100)
    assert [dollar[f"{name}_minor"] for name in BUCKETS] == [0, 0, 0, 2_000, 0]
    assert dollar["customers"][0]["customer"] == shop[1].public_id
    assert api.get(f"/ageing?as_of={AS_OF}")["currencies"][0]["customers"] == []


def test_dso_is_the_pages(api: Program, shop: list[Customer], ana: Client) -> None:
    said = api.get(f"/dso?as_of={AS_OF}")
    sections = page(ana, f"ageing/dso/?on={AS_OF}")["sections"]
    assert said["since"] == page(ana, f"ageing/dso/?on={AS_OF}")["since"].isoformat()
    assert len(said["currencies"]) == len(sections) == 2
    for mine, section in zip(said["currencies"], sections, strict=True):
        dso = section["dso"]
        assert (mine["currency"], mine["closing_minor"]) == (section["currency"], dso.closing_minor)
        assert mine["sales_minor"] == dso.sales_minor
        assert mine["days"] == (None if dso.value is None else f"{dso.value.normalize():f}")
    assert said["currencies"][0]["days"] is not None


def test_open_items_are_found(api: Program, shop: list[Customer]) -> None:
    kestrel = shop[0].public_id
    for query, expected in (
        ("", 8),
        (f"customer={kestrel}&", 6),
        ("currency=USD&", 2),
        ("kind=payment&", 2),
        ("side=credit&", 2),
        ("due_before=2026-12-01&side=debit&", 3),
        ("only_open=true&", 8),
    ):
        assert len(api.get(f"/open_items?{query}limit=100")["data"]) == expected, query
    for query, pointer in (
        ("kind=gift", "/kind"),
        ("side=both", "/side"),
        ("only_open=1", "/only_open"),
        ("due_before=2026-02-30", "/due_before"),
    ):
        answer = api("GET", f"/open_items?{query}")
        assert (answer.status_code, pointers(answer)) == (422, [pointer])
    item = api.get("/open_items?kind=payment&currency=EUR&expand[]=customer")["data"][0]
    assert (item["open_minor"], item["side"], item["customer"]["id"]) == (400, "credit", kestrel)
    assert api.get(f"/payments/{item['source']}")["open_item"] == item["id"]
    assert api.get(f"/open_items/{item['id']}")["customer"] == kestrel
    api.post(f"/payments/{item['source']}/apply", {})
    assert len(api.get("/open_items?kind=payment&only_open=true")["data"]) == 1


def test_the_open_items_come_to_the_ageing(api: Program, shop: list[Customer]) -> None:
    items = api.get("/open_items?only_open=true&limit=100")["data"]
    today = api.get("/ageing")
    for each in today["currencies"]:
        signed = [
            item["open_minor"] if item["side"] == "debit" else -item["open_minor"]
            for item in items
            if item["currency"] == each["currency"] and item["effective_on"] <= today["as_of"]
        ]
        assert sum(signed) == each["net_minor"]


def test_the_journal_is_the_pages(api: Program, shop: list[Customer], ana: Client) -> None:
    for query in ("", "account=1100&", "until=2026-10-31&", "since=2026-11-01&account=2100&"):
        said = api.get(f"/journal_entries?{query}limit=100")["data"]
        entries = page(ana, f"journal/?{query}")["entries"]
        assert [each["id"] for each in said] == [f"entry_{entry.entry_id}" for entry in entries]
        for mine, entry in zip(said, entries, strict=True):
            assert (mine["kind"], mine["source"], mine["label"]) == (entry.kind, entry.source, entry.label)
            assert [(leg["account"], leg["amount_minor"]) for leg in mine["legs"]] == [
                (leg.code, leg.amount.minor) for leg in entry.legs
            ]
            assert sum(leg["amount_minor"] for leg in mine["legs"]) == 0
    payment = api.get("/open_items?kind=payment&currency=EUR")["data"][0]
    (entry,) = api.get(f"/journal_entries?source={payment['source']}")["data"]
    assert {(leg["customer"], leg["open_item"]) for leg in entry["legs"]} == {
        (shop[0].public_id, payment["id"]),
        (shop[0].public_id, None),
    }
    assert api.get(f"/journal_entries/{entry['id']}") == entry


def test_the_trial_balance_is_the_pages(api: Program, shop: list[Customer], ana: Client) -> None:
    for day in (AS_OF, "2026-10-31"):
        said = api.get(f"/trial_balance?as_of={day}")["currencies"]
        balances = page(ana, f"journal/trial-balance/?until={day}")["balances"]
        assert [
            (each["currency"], [(row["account"], row["balance_minor"]) for row in each["accounts"]])
            for each in said
        ] == [(each.currency, [(row.code, row.balance.minor) for row in each.rows]) for each in balances]
        for each in said:
            assert each["debit_minor"] == each["credit_minor"] > 0
            assert sum(row["balance_minor"] for row in each["accounts"]) == 0


def test_statements_do_not_grow_with_the_books(api: Program, shop: list[Customer], house: Scope) -> None:
    paths = (
        "/open_items?limit=100&expand[]=customer",
        "/journal_entries?limit=100",
        "/ageing?customers=500",
        "/dso",
        "/trial_balance",
    )
    before = {path: statements(api, path) for path in paths}
    with inside(house):
        for _ in range(12):
            owner = factories.customer(parent_id=shop[0].pk)
            factories.invoice(owner)
            factories.payment(owner, 50)
    for path in paths:
        assert statements(api, path) <= before[path], path


@pytest.mark.parametrize("path", ["/ageing", "/dso", "/trial_balance"])
@pytest.mark.parametrize("day", ["today", "2026-02-30", "0001-01-01", "9999-12-31", ""])
def test_a_day_that_is_none_is_named(api: Program, path: str, day: str) -> None:
    answer = api("GET", f"{path}?as_of={day}")
    assert (answer.status_code, pointers(answer)) == (422, ["/as_of"])


def test_too_many_customers_are_not_listed(api: Program) -> None:
    for given in ("501", "-1", "all"):
        answer = api("GET", f"/ageing?customers={given}")
        assert (answer.status_code, pointers(answer)) == (422, ["/customers"])


def test_another_organizations_books_are_nobodys(
    api: Program, as_key: Callable[..., Program], shop: list[Customer]
) -> None:
    item = api.get("/open_items")["data"][0]["id"]
    entry = api.get("/journal_entries")["data"][0]["id"]
    bea = as_key("birch", "bea@birch.example")
    same_refusal(bea, "GET", f"/open_items/{item}", item)
    same_refusal(bea, "GET", f"/journal_entries/{entry}", entry)
    assert bea("GET", "/journal_entries/entry_x").status_code == 404
    for path in ("/open_items", f"/open_items?customer={shop[0].public_id}", "/journal_entries"):
        assert bea.get(path)["data"] == []
    for path in ("/ageing", "/dso", "/trial_balance"):
        assert bea.get(path)["currencies"] == []


def test_books_need_their_right(as_key: Callable[..., Program], shop: list[Customer]) -> None:
    key = as_key("acorn", "ana@acorn.example", rights=["payments.view"])
    for path in ("/open_items", "/open_items/x", "/ageing", "/dso", "/journal_entries", "/trial_balance"):
        assert key("GET", path).status_code == 403
