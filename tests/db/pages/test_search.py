"""The palette's search: what is found by which beginning, by whom, and never anything of another organization."""

from collections.abc import Callable
from datetime import date
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cashapp.services.payments import record
from core import registry, search
from core.scope import Scope, enter, work
from customers.models import Customer, NameStart
from customers.services.customers import update_customer, word_starts
from tenants.models import Membership, Role
from tests import factories

SEARCH = "/o/acorn/search/?q="
DAY = date(2026, 11, 2)


def found(client: Client, text: str) -> list[str]:
    answer = client.get(SEARCH + quote(text))
    assert answer.status_code == 200
    return [hit.label for group in answer.context["answer"].groups for hit in group.hits]


@pytest.fixture
def shop(house: Scope, kestrel: Customer) -> dict[str, str]:
    """Kestrel Freight (K-77) with an invoice, a credit note's worth of numbers, and a payment with a reference."""
    with enter(house), work():
        invoice = factories.invoice(kestrel, ("1", "1234.50"), tax="0", on=DAY)
        record(
            customer=kestrel.public_id,
            minor=4_318_22,
            received_on=DAY,
            method="bank_transfer",
            memo="BACS 8841",
            key="k1",
            parts={},
        )
        return {"invoice": invoice.number, "doc": invoice.public_id, "customer": kestrel.public_id}


@pytest.mark.parametrize(
    "text",
    ["kes", "KESTREL", "frei", "Freight", "kestrel f", "Kestrel  Freight", "K-7", "k-77", "Késtrel", " kes "],
)
def test_a_customer_is_found_by_the_start_of_any_word_or_its_number(
    ana: Client, shop: dict[str, str], text: str
) -> None:
    assert found(ana, text)[0] == "Kestrel Freight"


@pytest.mark.parametrize("text", ["estrel", "reight", "7", "kestrel x", "%", "_", "K%", "kes*"])
def test_the_middle_of_a_word_is_not_its_start(ana: Client, shop: dict[str, str], text: str) -> None:
    assert found(ana, text) == []


def test_documents_are_found_by_number_digits_and_exact_total(ana: Client, shop: dict[str, str]) -> None:
    number = shop["invoice"]
    for text in (number, number[:8], number.lower(), number[4:], "1", "1234.50", "1,234.5", shop["doc"]):
        assert number in found(ana, text), text
    for text in ("1234.51", "1234.505", "INV-1999"):
        assert number not in found(ana, text), text


def test_payments_are_found_by_reference_and_exact_amount(ana: Client, shop: dict[str, str]) -> None:
    for text in ("BACS", "bacs 88", "4318.22", "4,318.22"):
        assert found(ana, text) == ["BACS 8841"], text
    assert found(ana, "k1") == []  # the form's hidden key is nobody's reference


@pytest.mark.parametrize(
    "text",
    ["", " ", "\0", "\0kes\0", "\U0010ffff", "\ud800", "a" * 5000, "<script>alert(1)</script>", "'; --", "9" * 300,
     "NaN", "1e5", "٣", "-0", "1,2,3", "\u202ekes"],
)  # fmt: skip
def test_odd_input_is_answered_plainly(ana: Client, shop: dict[str, str], text: str) -> None:
    answer = ana.get("/o/acorn/search/", {"q": text.encode("utf-8", "surrogatepass")})
    assert answer.status_code == 200
    assert b"<script>" not in answer.content


def test_names_are_escaped_and_links_open(ana: Client, house: Scope) -> None:
    with enter(house), work():
        factories.customer(name="<b>Bold</b> & Co")
    answer = ana.get(SEARCH + "%3Cb")
    assert b"&lt;b&gt;Bold&lt;/b&gt; &amp; Co" in answer.content
    (group,) = answer.context["answer"].groups
    assert ana.get(group.hits[0].href).status_code == 200


def test_nothing_found_says_what_was_searched(ana: Client, shop: dict[str, str]) -> None:
    shown = ana.get(SEARCH + "zzz").content.decode()
    assert "Nothing found in Customers, Invoices and credit notes, Products, Payments." in shown
    assert "data-none" in shown


def test_another_organization_finds_nothing_of_it(
    client_of: Callable[[str], Client], shop: dict[str, str]
) -> None:
    bea = client_of("Bea")
    assert bea.get(SEARCH + "kes").status_code == 404
    for text in ("kes", shop["invoice"], "BACS", "4318.22", shop["doc"], shop["customer"]):
        answer = bea.get("/o/birch/search/", {"q": text})
        assert answer.status_code == 200
        assert answer.context["answer"].groups == [], text


def test_only_kinds_that_may_be_seen_are_searched(
    client_of: Callable[[str], Client], house: Scope, shop: dict[str, str]
) -> None:
    with enter(house), work():
        role = Role.objects.create(name="Clerk", permissions=["home.view", "customers.view"])
        Membership.objects.filter(user__name="Vic").update(role=role)
    vic = client_of("Vic")
    assert found(vic, "kes") == ["Kestrel Freight"]
    assert found(vic, shop["invoice"]) == []
    assert found(vic, "BACS") == []
    shown = vic.get(SEARCH + "zzz").content.decode()
    assert "Nothing found in Customers." in shown


def test_without_any_right_to_search_that_is_said(client_of: Callable[[str], Client], house: Scope) -> None:
    with enter(house), work():
        role = Role.objects.create(name="Guest", permissions=["home.view"])
        Membership.objects.filter(user__name="Vic").update(role=role)
    assert b"There is nothing here that you may search." in client_of("Vic").get(SEARCH + "zzz").content
    with enter(house), work():
        role.permissions = ["customers.view"]
        role.save()
    assert client_of("Vic").get(SEARCH + "zzz").status_code == 403


def test_a_renamed_customer_is_found_by_the_new_name_only(
    ana: Client, house: Scope, kestrel: Customer
) -> None:
    with enter(house), work():
        update_customer(kestrel.pk, version=kestrel.version, name="Wexley & Daughters")
        assert NameStart.objects.filter(customer=kestrel).count() == 2
    assert found(ana, "kes") == []
    assert found(ana, "daugh") == ["Wexley & Daughters"]


def test_an_archived_customer_is_found_and_marked(ana: Client, house: Scope, kestrel: Customer) -> None:
    ana.post(f"/o/acorn/customers/{kestrel.public_id}/archive/")
    (group,) = ana.get(SEARCH + "kes").context["answer"].groups
    assert group.hits[0].detail == "K-77, archived"


def test_a_handful_of_each_kind_in_a_constant_number_of_statements(ana: Client, house: Scope) -> None:
    def ask() -> tuple[int, int]:
        with CaptureQueriesContext(connection) as captured:
            labels = found(ana, "kestrel")
        return len(labels), len(captured)

    with enter(house), work():
        factories.invoice(factories.customer(name="Kestrel Kestrel"))
    ask()
    few = ask()
    with enter(house), work():
        for n in range(12):
            factories.invoice(factories.customer(name=f"Kestrel Kestrel {n}"))
    many = ask()
    assert many == (search.LIMIT, few[1])
    assert few[0] == 1
    assert many[1] <= 20


def test_only_operators_that_may_use_an_index_are_asked_by(ana: Client, shop: dict[str, str]) -> None:
    """Under row-level security only leakproof ones may; what a search sends has no others."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bool_and(p.proleakproof), count(*) FROM pg_operator o JOIN pg_proc p ON p.oid = o.oprcode"
            " WHERE (o.oprname, o.oprleft, o.oprright) IN (('=', 25, 25), ('<', 25, 25), ('>=', 25, 25), ('=', 20, 20))"
        )
        assert cursor.fetchone() == (True, 4)
    for text in ("kes", "1234.50", "INV-2026", "BACS"):
        with CaptureQueriesContext(connection) as captured:
            found(ana, text)
        sent = " ".join(query["sql"] for query in captured).upper()
        assert not any(word in sent for word in (" LIKE ", "UPPER(", "LOWER(", " ~ ", "SIMILAR"))


@pytest.mark.parametrize(
    ("key", "starts"),
    [
        ("", []),
        ("kestrel", ["kestrel"]),
        ("kestrel freight ltd", ["kestrel freight ltd", "freight ltd", "ltd"]),
        ("smith-jones (uk)", ["smith-jones (uk)", "jones (uk)", "uk)"]),
        ("& co", ["& co", "co"]),
        ("--", ["--"]),
    ],
)
def test_word_starts(key: str, starts: list[str]) -> None:
    assert word_starts(key) == starts


def test_the_migration_fills_what_the_service_writes(house: Scope) -> None:
    from importlib import import_module

    fill = import_module("customers.migrations.0003_name_starts").FILL
    with enter(house), work():
        for name in ("Kestrel Freight", "Smith-Jones (UK) / Sons", "& Co", "Ünal A.Ş."):
            factories.customer(name=name)
        written = set(NameStart.objects.values_list("customer_id", "start"))
        NameStart.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute(fill)
        assert set(NameStart.objects.values_list("customer_id", "start")) == written


def test_every_source_names_a_permission_and_there_are_some() -> None:
    assert {each.permission for each in registry.searches} == {
        "customers.view",
        "invoices.view",
        "payments.view",
        "subscriptions.view",
    }
