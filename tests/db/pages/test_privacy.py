"""Who lacks the right to see personal data or account numbers finds none: on no page, in no file, over no API."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from cashapp.models import BankLine
from core import vault
from core.scope import Scope, enter, work
from customers.models import Contact, Customer
from messaging.models import Message
from receivables.models import OpenItem
from tenants.models import Membership, Role
from tenants.permissions import built_in_roles
from tests import factories
from tests.conftest import seat
from tests.db.api.conftest import Program, key_of
from tests.db.pages.test_roles import give
from tests.routes import Route, api_routes, staff_routes

EMAIL, STREET, ACCOUNT = "canary.person@kestrel.example", "7 Canary Lane", "DE02120300000000202051"


@pytest.fixture
def ids(house: Scope) -> dict[str, str]:
    """A customer with all that is sensitive, a mail to them and a bank line of theirs."""
    with enter(house), work():
        customer = factories.customer(name="Kestrel", number="K-9", email=EMAIL, address=STREET)
        document = factories.invoice(customer)
        message = Message.objects.create(
            kind="document", about=document.public_id, to_address=EMAIL, header_id="<x>",
            customer_public_id=customer.public_id, reply_to=EMAIL,
        )  # fmt: skip
        line = BankLine(
            key="k1", payer="Kestrel", memo="thanks", currency="EUR", minor=100, booked_on=factories.DAY
        )
        line.account = vault.seal(BankLine, "account", line.public_id, ACCOUNT)
        line.save()
        known = ["payer_account", {"payer": "Kestrel", "line": str(line.pk)}]
        item = OpenItem.objects.get(source=document.public_id)
        line.proposals = [
            {"customer": customer.pk, "parts": [[item.pk, 100]], "score": 50, "lines": [], "reasons": [known],
             "doubts": []}
        ]  # fmt: skip
        line.save()
        return {
            "customers": customer.public_id,
            "invoices": document.public_id,
            "messages": message.public_id,
            "bank-lines": line.public_id,
            "bank_lines": line.public_id,
            "members": Membership.objects.get(user__name="Vic").public_id,
            "roles": Role.objects.get(key="viewer").public_id,
        }


@pytest.fixture
def reader(house: Scope) -> Role:
    """All that can be done but seeing what is sensitive."""
    every = built_in_roles()["finance_manager"].rights - {
        "personal.view",
        "bank.view",
        "imports.view",
        "imports.run",
    }
    with enter(house), work():
        role = Role.objects.create(name="Reader", permissions=sorted(every))
    give(house, "Vic", role)
    return role


def address(route: Route, ids: dict[str, str]) -> str:
    kind = route.text.removeprefix("o/<slug:slug>/").removeprefix("api/v1/").split("/")[0]
    return route.address(
        {name: "acorn" if name == "slug" else ids.get(kind, "1") for name in route.parameters}
    )


def found_in(answer: Any) -> set[str]:
    body = (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode(
        "utf-8", "replace"
    )
    return {text for text in (EMAIL, STREET, ACCOUNT) if text in body}


def test_no_page_and_no_file_shows_what_is_sensitive(
    client_of: Callable[[str], Client], house: Scope, ids: dict[str, str], reader: Role
) -> None:
    vic = client_of("Vic")
    leaks = {}
    for route in staff_routes():
        for query in ("", "?tab=messages", "?q=canary.person", "?as=text"):
            answer = vic.get(address(route, ids) + query)
            if leaked := found_in(answer):
                leaks[route.text + query] = leaked
    # What was issued shows the party it was issued to.
    assert {
        place: what for place, what in leaks.items() if what != {STREET} or "invoices/" not in place
    } == {}


def test_who_may_see_it_sees_it(
    client_of: Callable[[str], Client], house: Scope, ids: dict[str, str]
) -> None:
    """The same crawl finds everything for who may, so what it looks for is there."""
    ana, seen = client_of("Ana"), set()
    for route in staff_routes():
        seen |= found_in(ana.get(address(route, ids)))
    assert seen == {EMAIL, STREET, ACCOUNT}


def test_a_key_without_the_right_gets_null_and_writes_none(
    house: Scope, ids: dict[str, str], reader: Role
) -> None:
    program = Program(key_of(seat("acorn", "vic@acorn.example")))
    for route in api_routes():
        assert found_in(program("GET", "/" + address(route, ids).lstrip("/"))) == set()
    path = f"/customers/{ids['customers']}"
    assert program.get(path)["email"] is None
    refused = program("PATCH", path, {"email": "mine@x.example"})
    assert refused.status_code == 403
    assert program("PATCH", path, {"name": "Kestrel AG"}).status_code == 200
    with enter(house), work():
        assert Customer.objects.get(public_id=ids["customers"]).email == EMAIL


def test_a_form_keeps_what_it_does_not_show(
    client_of: Callable[[str], Client], house: Scope, ids: dict[str, str], reader: Role
) -> None:
    vic = client_of("Vic")
    told = {"name": "Kestrel SE", "number": "K-9", "currency": "EUR", "terms_days": "14", "version": "1"}
    place = f"/o/acorn/customers/{ids['customers']}/"
    assert vic.post(place + "edit/", {**told, "email": "mine@x.example"}).status_code == 302
    person = {"contact-name": "Moss", "contact-email": "moss@x.example"}
    assert vic.post(place + "contacts/", person).status_code == 403
    with enter(house), work():
        row = Customer.objects.get(public_id=ids["customers"])
        assert (row.name, row.email, row.address) == ("Kestrel SE", EMAIL, STREET)
        assert Contact.objects.count() == 1
