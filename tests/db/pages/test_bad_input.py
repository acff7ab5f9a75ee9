"""What pages answer to input no honest browser sends: figures of other scripts, fields sent twice, odd methods."""

from collections.abc import Callable
from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from core.fields import Day
from core.scope import Scope, enter, work
from customers.models import Customer
from integrations.models import Endpoint
from tenants.models import LegalEntity, User
from tests.db.pages.test_session import SIGN_UP
from tests.routes import Route, routes

Snapshot = Callable[[], dict[str, list[object]]]
NEW = "/o/acorn/customers/new/"
CUSTOMER = {
    "name": "Heron",
    "number": "H-1",
    "currency": "EUR",
    "country": "",
    "terms_days": "14",
    "parent": "",
}
SENDS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def test_a_count_in_other_than_plain_digits_is_refused(ana: Client, snapshot: Snapshot) -> None:
    before = snapshot()
    for days in ("١٤", "１４", "1_4", "1e1", "14.0", "NaN", "9" * 1000, str(2**63), "-1", "0x1", "1 4"):
        answer = ana.post(NEW, {**CUSTOMER, "terms_days": days})
        assert answer.status_code == 422, days
        assert 'id="id_terms_days_error"' in answer.content.decode()
    assert snapshot() == before


def test_a_count_in_plain_digits_is_taken(ana: Client) -> None:
    assert ana.post(NEW, {**CUSTOMER, "terms_days": " 14 "}).status_code == 302


@pytest.mark.parametrize("name", ["zone", "currency", "country", "tax_percent", "terms_days"])
def test_the_legal_entity_is_not_what_cannot_be(ana: Client, house: Scope, name: str) -> None:
    with enter(house), work():
        before = LegalEntity.objects.values().get()
    page = ana.get("/o/acorn/settings/").context["form"]
    said = {key: str(page[key].value() or "") for key in page.fields}
    for value in ("Mars/Olympus", "+14:00", "١٩", "1_9", "1e1", "NaN", "101e", "-5", "\ufffd", "x" * 2000):
        answer = ana.post("/o/acorn/settings/save/", {**said, name: value})
        assert answer.status_code == 422, value
        assert f'id="id_{name}_error"' in answer.content.decode()
    with enter(house), work():
        assert LegalEntity.objects.values().get() == before


@pytest.mark.parametrize("name", ["name", "terms_days", "currency", "version"])
def test_a_field_sent_twice_is_refused_and_nothing_is_written(
    ana: Client, kestrel: Customer, snapshot: Snapshot, name: str
) -> None:
    before = snapshot()
    said: dict[str, object] = {**CUSTOMER, "version": str(kestrel.version)}
    answer = ana.post(f"/o/acorn/customers/{kestrel.public_id}/edit/", {**said, name: ["1", "2"]})
    assert answer.status_code == 400
    assert "came more than once" in answer.content.decode()
    assert snapshot() == before


def test_fields_that_the_form_does_not_have_are_not_written(
    ana: Client, house: Scope, kestrel: Customer
) -> None:
    with enter(house), work():
        before = Customer.objects.values().get(pk=kestrel.pk)
    said = {**CUSTOMER, "number": before["number"], "version": str(kestrel.version)}
    more = {
        "organization": "2",
        "organization_id": "2",
        "id": "1",
        "pk": "1",
        "public_id": "cus_x",
        "archived_at": "2026-01-01",
    }
    answer = ana.post(f"/o/acorn/customers/{kestrel.public_id}/edit/", {**said, **more})
    assert answer.status_code == 302
    with enter(house), work():
        after = Customer.objects.values().get(pk=kestrel.pk)
    changed = {name for name, value in after.items() if value != before[name]}
    assert changed <= {"name", "name_key", "terms_days", "email", "version", "updated_at"}, changed


def test_a_host_in_full_width_letters_is_the_same_mailbox(db: None, client: Client) -> None:
    """Otherwise one mailbox has two accounts, and an invitation may be taken by the other."""
    answer = client.post("/sign-up/", {**SIGN_UP, "email": "ana@ａcorn.example"})
    assert answer.status_code == 422
    assert "has an account already" in answer.content.decode()
    assert not User.objects.filter(email__contains="ａ").exists()


@pytest.mark.parametrize("email", ["noor+ar@cedar.example", "noor@münchen.example"])
def test_addresses_with_a_plus_or_an_umlaut_are_taken(db: None, client: Client, email: str) -> None:
    assert client.post("/sign-up/", {**SIGN_UP, "email": email}).status_code == 302
    assert User.objects.filter(email=email).exists()


def test_a_body_beyond_the_limit_is_refused(ana: Client, snapshot: Snapshot) -> None:
    before = snapshot()
    assert ana.post(NEW, {**CUSTOMER, "name": "x" * 10_000_000}).status_code == 400
    assert snapshot() == before


@pytest.mark.parametrize("origin", ["null", "https://evil.example", "http://testserver.evil.example"])
@pytest.mark.parametrize("path", [NEW, "/sign-in/", "/o/acorn/settings/save/"])
def test_a_form_from_elsewhere_is_refused(db: None, origin: str, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get(email="ana@acorn.example"))
    client.get(path)
    token = client.cookies["csrftoken"].value if "csrftoken" in client.cookies else "x" * 32
    said = {**CUSTOMER, "csrfmiddlewaretoken": token}
    assert client.post(path, said, headers={"Origin": origin}).status_code == 403


@pytest.mark.parametrize(
    "path", ["/sign-in/", "/o/acorn/customers/", "/api/v1/customers", "/api/openapi.json"]
)
def test_no_other_site_may_read_an_answer(ana: Client, path: str) -> None:
    for method in (ana.get, ana.options):
        answer = method(
            path, headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        )
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


def test_no_header_makes_another_method_of_a_request(
    ana: Client, kestrel: Customer, snapshot: Snapshot
) -> None:
    before = snapshot()
    path = f"/o/acorn/customers/{kestrel.public_id}/archive/"
    for header in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        assert ana.get(path, headers={header: "POST"}).status_code == 405
        assert ana.get(path + "?_method=POST", headers={header: "DELETE"}).status_code == 405
    assert snapshot() == before


@pytest.mark.parametrize("route", routes(), ids=lambda route: route.text)
def test_methods_that_pages_do_not_have_are_refused(ana: Client, route: Route) -> None:
    values = {name: "acorn" if name == "slug" else "1" for name in route.parameters}
    for method in ("TRACE", "PUT", "PATCH", "DELETE", "CONNECT", "FOO"):
        assert ana.generic(method, route.address(values)).status_code in {404, 405}, method


@pytest.mark.parametrize(
    "path", ["customers/", "invoices/", "payments/", "bank-lines/", "subscriptions/", "journal/"]
)
def test_a_query_that_lists_do_not_know_shows_no_more(ana: Client, kestrel: Customer, path: str) -> None:
    for query in (
        *(
            "order_by=organization__name",
            "sort=tenant",
            "fields=*",
            "q[$ne]=",
            "page=-1",
            "page=x",
            "size=100000",
        ),
        *("q=%00", "q=%25%25%25%25", "after=x", "older=9999999999999999999", "id=" + "1," * 1000),
    ):
        answer = ana.get(f"/o/acorn/{path}?{query}")
        assert answer.status_code in {200, 404}, query
        assert "birchcanary" not in answer.content.decode()


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "[::ffff:10.0.0.1]", "localhost"])
def test_nobody_inside_is_told_of_events_from_a_page(ana: Client, house: Scope, host: str) -> None:
    said = {"url": f"https://{host}/hook", "every": "on"}
    answer = ana.post("/o/acorn/settings/webhooks/new/", said)
    assert answer.status_code == 422
    with enter(house), work():
        assert not Endpoint.objects.exists()


def test_a_day_is_written_one_way_on_pages() -> None:
    for text in (
        "٢٠٢٦-١١-٢٦",
        "2026-1-5",
        "11/26/2026",
        "26.11.2026",
        "20261126",
        "0026-01-01",
        "9999-12-31",
    ):
        with pytest.raises(ValidationError):
            Day().clean(text)
    assert Day().clean(" 2026-11-26 ") == date(2026, 11, 26)
