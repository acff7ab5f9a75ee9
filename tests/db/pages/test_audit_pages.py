"""The audit as people read it: who, when, from where, and each field in words; nobody without the right."""

import csv
import re
from collections.abc import Callable
from io import StringIO

import pytest
from django.test import Client

from cashapp.models import Attempt
from core import clock
from core.bulk import insert
from core.models import Job, StoredFile
from core.scope import Actor, Scope, acting, enter, work
from core.seals import seal
from customers.models import Contact, Customer, Link
from tenants.models import Membership, User
from tests import factories

AUDIT = "/o/acorn/settings/audit/"


def text(answer: object) -> str:
    assert answer.status_code == 200  # type: ignore[attr-defined]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))  # type: ignore[attr-defined]


def change(house: Scope, row: Customer, **values: object) -> None:
    with enter(house), work():
        Customer.objects.filter(pk=row.pk).update(**values)


def test_a_record_tells_its_changes_in_words(ana: Client, house: Scope, kestrel: Customer) -> None:
    change(house, kestrel, terms_days=45, zone="Europe/Paris")
    page = text(ana.get(f"/o/acorn/audit/{kestrel.public_id}/"))
    assert "Days to pay: 30 → 45" in page
    assert "Time zone: Europe/Berlin → Europe/Paris" in page
    assert "Customer changed" in page
    assert "Customer created" in page
    assert "Ana Page · same request" in page


def test_its_parts_are_among_them(ana: Client, house: Scope, kestrel: Customer) -> None:
    with enter(house), work():
        contact = Contact.objects.create(customer=kestrel, name="Ada", email="ada@kestrel.example")
        contact.name = "Ada Byron"
        contact.save()
    assert "Contact changed" in text(ana.get(f"/o/acorn/audit/{kestrel.public_id}/"))


def test_what_was_made_together_with_others_tells_its_beginning(ana: Client, house: Scope) -> None:
    with enter(house), work():
        first, second = (factories.customer(name=f"Made {n}") for n in (1, 2))
        Customer.objects.filter(pk__in=[first.pk, second.pk]).update(email="both@x.example")
        insert(Job, [{"kind": "x"}, {"kind": "y"}])
    page = text(ana.get(AUDIT, {"kind": "core.job"}))
    assert "2 records at once" in page


def test_money_stands_with_its_currency(ana: Client, house: Scope) -> None:
    with enter(house), work():
        document = factories.invoice(factories.customer(), ("1", "100.00"), tax="0")
        item = f"/o/acorn/audit/{document.public_id}/"
    page = text(ana.get(item))
    assert "State: draft → issued" in page
    assert ana.get(f"/o/acorn/invoices/{document.public_id}/").content.decode().count(item) == 1


def test_the_page_filters_by_everything(ana: Client, house: Scope, kestrel: Customer) -> None:
    change(house, kestrel, terms_days=45)
    with enter(house), work(), enter(acting(actor=Actor("system", label="rule 7"), origin="import")), work():
        Customer.objects.filter(pk=kestrel.pk).update(terms_days=46)
    with enter(house), work():
        ana_id = Membership.objects.get(user__email="ana@acorn.example").public_id
        ben_id = Membership.objects.get(user__email="ben@acorn.example").public_id

    def found(**asked: str) -> tuple[bool, bool]:
        page = text(ana.get(AUDIT, {"kind": "customers.customer", "action": "changed", **asked}))
        return "30 → 45" in page, "45 → 46" in page

    assert found() == (True, True)
    assert found(who=ana_id) == (True, False)
    assert found(who=ben_id) == (False, False)
    assert found(who="system") == (False, True)
    assert found(origin="import") == (False, True)
    assert found(record=kestrel.public_id) == (True, True)
    assert found(record="req_test") == (True, True)
    assert found(record="cus_nobody") == (False, False)
    assert found(start="2000-01-01", end="2000-12-31") == (False, False)
    assert found(start="2000-01-01") == (True, True)
    assert found(action="removed") == (False, False)
    assert found(kind="core.job") == (False, False)
    assert "rule 7" in text(ana.get(AUDIT, {"origin": "import"}))


@pytest.mark.parametrize(
    "query",
    [
        "who=%00",
        "who=9999999999999999999999",
        "kind=nonsense",
        "start=x",
        "record=%27",
        "page=zzz",
        "action=4",
        "origin=x",
    ],
)
def test_odd_filters_are_no_errors(ana: Client, house: Scope, query: str) -> None:
    assert ana.get(f"{AUDIT}?{query}").status_code == 200


def test_older_changes_are_on_the_next_page(ana: Client, house: Scope, kestrel: Customer) -> None:
    for n in range(60):
        change(house, kestrel, terms_days=100 + n)
    first = ana.get(AUDIT, {"kind": "customers.customer"})
    assert "158 → 159" in text(first)
    assert "101 → 102" not in text(first)
    (onward,) = set(re.findall(r'href="(\?[^"]*page=[^"]+)"', first.content.decode()))
    assert "101 → 102" in text(ana.get(AUDIT + onward.replace("&amp;", "&")))


def test_it_says_when_the_chain_was_last_sealed(ana: Client, house: Scope, kestrel: Customer) -> None:
    with enter(house):
        seal()
    assert re.search(r"Sealed last .*, seal \d+\.", text(ana.get(AUDIT)))


def test_the_number_of_queries_does_not_grow(
    ana: Client, house: Scope, kestrel: Customer, queries: Callable[[Client, str], int]
) -> None:
    change(house, kestrel, terms_days=45)
    for address in (AUDIT + "?kind=customers.customer", f"/o/acorn/audit/{kestrel.public_id}/"):
        ana.get(address)
        before = queries(ana, address)
        for n in range(20):
            change(house, kestrel, terms_days=50 + n)
        assert queries(ana, address) == before
        assert before < 25


def test_secrets_are_never_shown(ana: Client, house: Scope, kestrel: Customer) -> None:
    secret = "5ec7e7" * 10
    with enter(house), work():
        link = Link.objects.create(
            digest=secret, purpose="pay", customer=kestrel, target="x", expires_at=clock.wall()
        )
        Link.objects.filter(pk=link.pk).update(digest=secret[::-1])
        Link.objects.filter(pk=link.pk).delete()
        Job.objects.create(kind="x", payload={})
        Job.objects.update(payload={"api_token": secret, "n": 1})
    for address in (AUDIT, AUDIT + "csv/"):
        page = ana.get(address).content.decode()
        assert secret not in page
        assert secret[::-1] not in page
        assert "not shown" in page


def test_the_token_of_a_charged_card_is_never_shown(ana: Client, house: Scope, kestrel: Customer) -> None:
    with enter(house), work():
        attempt = Attempt.objects.create(
            key="k", customer=kestrel, entity_id=kestrel.entity_id, gateway="sandbox", method="tok_5ec7e7", minor=5,
            currency="EUR", description="x",
        )  # fmt: skip
        Attempt.objects.filter(pk=attempt.pk).update(method="tok_7e7ce5")
    for address in (AUDIT, AUDIT + "csv/"):
        page = ana.get(address).content.decode()
        assert "tok_" not in page
        assert "not shown" in page


def test_a_password_is_said_to_have_changed(ana: Client, house: Scope) -> None:
    user = User.objects.get(email="ben@acorn.example")
    with enter(house), work():
        user.set_password("another long password")
        user.save()
        member = Membership.objects.get(user=user).public_id
    page = text(ana.get(f"/o/acorn/audit/{member}/"))
    assert "Password: not shown → not shown" in page
    assert user.password not in page


def test_the_file_has_a_line_for_each_field_and_no_formula(
    ana: Client, house: Scope, kestrel: Customer
) -> None:
    change(house, kestrel, name="=HYPERLINK(1)", terms_days=45)
    answer = ana.get(AUDIT + "csv/", {"kind": "customers.customer", "action": "changed"})
    rows = list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"))))
    assert {(row["Field"], row["Before"], row["After"]) for row in rows} == {
        ("Name", "Kestrel Freight", "'=HYPERLINK(1)"),
        ("Days to pay", "30", "45"),
    }
    assert {(row["Who"], row["From"], row["Id"]) for row in rows} == {("Ana", "Page", kestrel.public_id)}


@pytest.mark.parametrize("name", ["Ben", "Vic"])
def test_who_lacks_the_right_sees_none_of_it(
    client_of: Callable[[str], Client], house: Scope, kestrel: Customer, name: str
) -> None:
    client = client_of(name)
    for address in (AUDIT, AUDIT + "csv/", f"/o/acorn/audit/{kestrel.public_id}/"):
        assert client.get(address).status_code == 403
    page = client.get(f"/o/acorn/customers/{kestrel.public_id}/").content.decode()
    assert "/audit/" not in page


def test_another_organizations_record_is_not_there(
    client_of: Callable[[str], Client], house: Scope, kestrel: Customer
) -> None:
    bea = client_of("Bea")
    assert bea.get(f"/o/acorn/audit/{kestrel.public_id}/").status_code == 404
    assert bea.get(f"/o/birch/audit/{kestrel.public_id}/").status_code == 404
    assert "Kestrel" not in bea.get("/o/birch/settings/audit/").content.decode()


def test_what_has_no_page_has_no_audit_page(ana: Client, house: Scope) -> None:
    with enter(house), work():
        file = StoredFile.objects.create(
            kind="x", name="x", content_type="x", size=1, sha256="0" * 64, storage_key="x"
        )
    assert ana.get(f"/o/acorn/audit/{file.public_id}/").status_code == 404


def test_who_a_member_is_stands_there_by_name(ana: Client, house: Scope) -> None:
    with enter(house), work():
        Membership.objects.filter(user__email="ben@acorn.example").update(disabled_at=clock.wall())
    page = text(ana.get(AUDIT, {"kind": "tenants.membership", "action": "changed"}))
    assert "Member changed Ben Shut out since: –" in page
