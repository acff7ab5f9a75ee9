"""Customers: what is typed is kept or refused at its field, once, and never over somebody else's change."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client

from core.models import AuditEntry
from core.scope import Scope, enter, work
from customers.models import Contact, Customer
from customers.services.customers import NumberTaken, create_customer, name_key, suggest_number
from receivables.domain.items import Kind
from tests import factories
from tests.db.pages.test_session import ODD, odd

NEW = {"name": "Wexley & Söhne", "number": "W-1", "currency": "EUR", "terms_days": "14", "country": "DE"}
EDIT = {**NEW, "number": "K-77"}
BASE = "/o/acorn/customers/"


def at(customer: Customer, rest: str = "") -> str:
    return f"{BASE}{customer.public_id}/{rest}"


def fresh(house: Scope, customer: Customer) -> Customer:
    with enter(house), work():
        return Customer.objects.get(pk=customer.pk)


def test_a_new_customer_is_kept_and_shown(ana: Client, house: Scope) -> None:
    answer = ana.post(BASE + "new/", {**NEW, "email": "ap@wexley.example", "address": "Quai 1\nBasel"})
    assert answer.status_code == 302
    shown = ana.get(answer["Location"]).content.decode()
    assert "Wexley &amp; Söhne" in shown
    assert "ap@wexley.example" in shown
    with enter(house), work():
        row = Customer.objects.get(number="W-1")
        assert (row.name_key, row.terms_days, row.zone) == ("wexley & sohne", 14, "Europe/Berlin")
        assert Contact.objects.get(customer=row).email == "ap@wexley.example"


def test_the_same_form_sent_twice_makes_one(ana: Client, house: Scope) -> None:
    first, second = (ana.post(BASE + "new/", NEW) for _ in range(2))
    assert first["Location"] == second["Location"]
    with enter(house), work():
        assert Customer.objects.filter(number="W-1").count() == 1


def test_another_customer_with_the_number_is_refused_at_the_field(ana: Client, kestrel: Customer) -> None:
    answer = ana.post(BASE + "new/", {**NEW, "number": "K-77"})
    assert answer.status_code == 409
    text = answer.content.decode()
    assert 'id="id_number_error"' in text
    assert "Wexley &amp; Söhne" in text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "\u200b\u202e"),
        ("name", "x" * 201),
        ("number", ""),
        ("number", "9" * 41),
        ("email", "not an address"),
        ("email", "a@b.example\nBcc: c@d.example"),
        ("currency", "XXX"),
        ("currency", ""),
        ("country", "ZZ"),
        ("terms_days", "-1"),
        ("terms_days", "366"),
        ("terms_days", "1e3"),
        ("terms_days", "9" * 1000),
        ("parent", "nobody"),
        ("name", "a\0b"),
        ("address", "line\x07"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(
    ana: Client, snapshot: Callable[[], object], field: str, value: str
) -> None:
    before = snapshot()
    answer = ana.post(BASE + "new/", {**NEW, field: value})
    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert snapshot() == before


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("field", [*NEW, "email", "address", "parent", "version"])
def test_odd_input_never_breaks(ana: Client, kestrel: Customer, field: str, value: str) -> None:
    for path in (BASE + "new/", at(kestrel, "edit/")):
        assert ana.post(path, {**NEW, "version": "1", field: odd(value)}).status_code in {302, 409, 422}


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("name", ["q", "currency", "sort", "page", "overdue", "archived", "other"])
def test_odd_addresses_show_the_list(ana: Client, kestrel: Customer, name: str, value: str) -> None:
    assert ana.get(BASE, {name: odd(value)}).status_code == 200


def test_a_name_that_grows_when_folded_still_fits(house: Scope) -> None:
    assert len(name_key("\ufdfa" * 200)) == 200
    with enter(house), work():
        create_customer(name="\ufdfa" * 200, number="long")


def test_a_change_is_kept_and_told(ana: Client, house: Scope, kestrel: Customer) -> None:
    assert ana.post(at(kestrel, "edit/"), {**EDIT, "version": "1"}).status_code == 302
    row = fresh(house, kestrel)
    assert (row.name, row.name_key, row.version) == ("Wexley & Söhne", "wexley & sohne", 2)
    shown = ana.get(at(kestrel) + "?tab=activity").content.decode()
    assert "Name from “Kestrel Freight” to “Wexley &amp; Söhne”" in shown


def test_the_same_change_twice_is_one(ana: Client, house: Scope, kestrel: Customer) -> None:
    for _ in range(2):
        assert ana.post(at(kestrel, "edit/"), {**EDIT, "version": "1"}).status_code == 302
    assert fresh(house, kestrel).version == 2


def test_a_change_over_somebody_elses_is_refused_and_says_whose(
    ana: Client, client_of: Callable[[str], Client], house: Scope, kestrel: Customer
) -> None:
    client_of("Ben").post(at(kestrel, "edit/"), {**EDIT, "name": "Kestrel by Ben", "version": "1"})
    answer = ana.post(at(kestrel, "edit/"), {**EDIT, "name": "Kestrel by Ana", "version": "1"})
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "Ben changed this customer first." in text
    assert "Kestrel by Ben" in text
    assert "Kestrel by Ana" in text
    assert fresh(house, kestrel).name == "Kestrel by Ben"
    assert 'name="version" value="2"' in text
    ana.post(at(kestrel, "edit/"), {**EDIT, "name": "Kestrel by Ana", "version": "2"})
    assert fresh(house, kestrel).name == "Kestrel by Ana"


def test_a_form_without_its_version_does_not_write_over(ana: Client, house: Scope, kestrel: Customer) -> None:
    assert ana.post(at(kestrel, "edit/"), EDIT).status_code == 409
    assert fresh(house, kestrel).name == "Kestrel Freight"


def test_a_customer_cannot_hang_under_itself(ana: Client, house: Scope, kestrel: Customer) -> None:
    ana.post(BASE + "new/", {**NEW, "parent": "K-77"})
    with enter(house), work():
        child = Customer.objects.get(number="W-1")
        assert child.parent_id == kestrel.pk
    assert "Kestrel Freight" in ana.get(at(child)).content.decode()
    for parent in ("W-1", "K-77"):
        answer = ana.post(at(kestrel, "edit/"), {**EDIT, "parent": parent, "version": "1"})
        assert answer.status_code == 422
        assert 'id="id_parent_error"' in answer.content.decode()


def test_archived_is_left_out_until_it_is_back(ana: Client, house: Scope, kestrel: Customer) -> None:
    for _ in range(2):
        assert ana.post(at(kestrel, "archive/")).status_code == 302
    assert fresh(house, kestrel).version == 2
    assert "K-77" not in ana.get(BASE).content.decode()
    assert "K-77" in ana.get(BASE + "?archived=1").content.decode()
    page = ana.get(at(kestrel)).content.decode()
    assert "Bring back" in page
    assert f"/payments/new/{kestrel.public_id}/" in page, "what is open can still be paid"
    ana.post(at(kestrel, "restore/"))
    assert "K-77" in ana.get(BASE).content.decode()


def test_contacts_come_once_and_go(ana: Client, house: Scope, kestrel: Customer) -> None:
    person = {"contact-name": "R. Moss", "contact-email": "moss@k.example", "contact-receives_invoices": "on"}
    for _ in range(2):
        assert ana.post(at(kestrel, "contacts/"), person).status_code == 302
    taken = ana.post(at(kestrel, "contacts/"), {**person, "contact-name": "Somebody"})
    assert (taken.status_code, "R. Moss has this address" in taken.content.decode()) == (422, True)
    with enter(house), work():
        moss = Contact.objects.get(email="moss@k.example")
    path = at(kestrel, f"contacts/{moss.public_id}/remove/")
    assert ana.post(path).status_code == 302
    assert ana.post(path).status_code == 404


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("field", ["name", "email"])
def test_a_contact_of_odd_text_never_breaks(ana: Client, kestrel: Customer, field: str, value: str) -> None:
    person = {"contact-name": "R", "contact-email": "r@k.example", f"contact-{field}": odd(value)}
    assert ana.post(at(kestrel, "contacts/"), person).status_code in {302, 422}


def test_what_is_typed_is_shown_never_run(ana: Client, house: Scope) -> None:
    ana.post(
        BASE + "new/", {**NEW, "name": "<script>alert(1)</script>", "address": '"><img src=x onerror=1>'}
    )
    with enter(house), work():
        row = Customer.objects.get(number="W-1")
    for path in (BASE, at(row), at(row, "edit/"), at(row) + "?tab=activity"):
        text = ana.get(path).content.decode()
        assert "<script>alert" not in text
        assert "<img src=x" not in text


@pytest.mark.parametrize(
    ("newest", "suggested"),
    [("K9", "K10"), ("C-0041", "C-0042"), ("ACME", "ACME-1"), ("9" * 18, "1" + "0" * 18)],
)
def test_the_next_number_follows_the_newest(house: Scope, newest: str, suggested: str) -> None:
    with enter(house), work():
        factories.customer(number=newest)
        assert suggest_number() == suggested


def test_a_taken_number_is_not_suggested(house: Scope) -> None:
    with enter(house), work():
        factories.customer(number="K11")
        factories.customer(number="K10")
        assert suggest_number() == "K12"


def test_two_that_write_the_same_number_at_once_make_one(
    house: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second looked before the first had written."""
    from customers.services import customers as service

    with enter(house), work():
        factories.customer(name="First", number="X1")
        seen = iter([None])
        real = service._same
        monkeypatch.setattr(service, "_same", lambda values: next(seen, None) or real(values))
        with pytest.raises(NumberTaken):
            create_customer(name="Second", number="X1")
        assert Customer.objects.filter(number="X1").count() == 1


def test_balances_are_of_the_customer_by_currency(ana: Client, house: Scope, kestrel: Customer) -> None:
    with enter(house), work():
        factories.item(kestrel, 20_000, due_on=factories.DAY)
        factories.item(kestrel, 5_000, Kind.PAYMENT)
        usd = factories.customer(name="Kestrel US", number="K-78", currency="USD")
        factories.item(usd, 700)
    shown = ana.get(at(kestrel)).content.decode()
    assert "150.00" in shown
    assert "50.00 unused credit" in shown
    total = ana.get(BASE).context["sums"]
    assert {(row.currency, row.open.minor, row.overdue_minor) for row in total} == {
        ("EUR", 15_000, 20_000),
        ("USD", 700, 700),
    }


def test_the_audit_names_who_wrote(ana: Client, house: Scope, kestrel: Customer) -> None:
    ana.post(at(kestrel, "edit/"), {**EDIT, "version": "1"})
    with enter(house), work():
        entry = AuditEntry.objects.filter(object_id=kestrel.pk, action=1).latest("id")
        assert (entry.actor_email, entry.changes["name"][0]) == ("Ana", "Kestrel Freight")
    assert not connection.needs_rollback
