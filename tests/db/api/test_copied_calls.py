"""What a page offers to copy as an API call gives what the page shows; each page has a call, an act, or a reason."""

import re
import shlex
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from arapp.api.calls import ACTS, CALLS, PAGES_ONLY, V1
from arapp.management.commands.openapi import FILE
from billing.models import BillingRun
from billing.services import bulk_jobs
from billing.services.bulk_change import Wish
from billing.services.discounts import create_coupon
from billing.services.features import create_feature
from billing.services.prices import create_price
from billing.services.products import create_product
from billing.services.subscriptions import subscribe
from cashapp.models import BankLine
from cashapp.services.payments import record
from core.api.schema import document
from core.scope import Scope, enter, work
from customers.models import Customer
from integrations.services.endpoints import add
from invoicing.listing import DocumentFilter
from invoicing.services import bulk
from invoicing.services.prepaid import top_up
from tenants.models import User
from tests import factories
from tests.db.api.conftest import Program
from tests.db.core.imports import checked, csv
from tests.db.messaging.test_pages import message
from tests.metering import meter
from tests.routes import staff_routes

HOST = "http://testserver"
GETS = [name for name, call in CALLS.items() if call.method == "get"]
OTHERS = [name for name in CALLS if name not in GETS]
ANY_ID = re.compile(r"\b[a-z]{2,5}_[0-9A-Z]{26}\b")


@pytest.fixture
def ana(house: Scope) -> Client:
    client = Client()
    client.force_login(User.objects.get(email="ana@acorn.example"))
    return client


@pytest.fixture
def ids(house: Scope, kestrel: Customer, settings: Any, tmp_path: Path) -> dict[str, str]:
    """One of everything, by the name of its page."""
    settings.MEDIA_ROOT = str(tmp_path)
    found = {"customer": kestrel.public_id}
    with enter(house), work():
        found["invoice"] = factories.invoice(kestrel).public_id
        found["record-audit"] = found["invoice"]
        factories.invoice(factories.customer(name="Heron", currency="USD"))
        factories.draft_invoice(kestrel)
        create_feature(name="SSO", code="sso", kind="switch")
        found["top-up"] = top_up(kestrel.public_id, minor=500, key="t", today=factories.DAY).public_id
        found["top-up-new"] = kestrel.public_id
        found["payment"] = record(
            customer=kestrel.public_id, minor=5_000, currency="EUR", received_on=factories.DAY,
            method="bank_transfer", key="k1",
        ).public_id  # fmt: skip
        price = create_price(name="Pro", code="pro", model="flat", unit_price=Decimal(10), currency="EUR")
        found["price"] = price.public_id
        found["message"] = message(customer_public_id=kestrel.public_id).public_id
        found["subscription"] = subscribe(
            customer=kestrel.public_id, price=price, starts_on=date(2026, 11, 1)
        ).public_id
        found["subscription-history"] = found["subscription"]
        found["bulk-change"] = bulk_jobs.start(
            Wish("end"), {"ids": [found["subscription"]]}, today=date(2026, 11, 26), key="bulk_12345678"
        )
        create_coupon(code="ten", name="Ten", percent=Decimal(10))
        found["product"] = create_product(name="Track", code="track").public_id
        found["meter"] = meter().public_id
        found["run"] = BillingRun.objects.create(as_of=date(2026, 11, 2)).public_id
        found["bank-line"] = BankLine.objects.create(
            key="b1", payer="Kestrel", memo="thanks", currency="EUR", minor=100, booked_on=factories.DAY
        ).public_id
        found["webhook"] = add(url="https://erp.example/hook").endpoint.public_id
        found["invoices-job"] = bulk.start(
            "send", DocumentFilter(), today=date(2026, 11, 26), key="form_12345678"
        )
    with enter(house):
        found["import"] = checked("customers", csv(("Number", "Name"), [("C1", "Moss")])).public_id
    return found


def address_of(name: str, ids: dict[str, str]) -> str:
    (route,) = [each for each in staff_routes() if each.name == name]
    own = ids.get(name) or ids.get(name.rpartition("-")[0], "")
    return route.address({"slug": "acorn", "public_id": own, "customer": ids["customer"]})


def copied(client: Client, address: str) -> tuple[Any, Any]:
    """The page, and the words of the command it offers."""
    page = client.get(address)
    assert page.status_code == 200, page.status_code
    call = page.context["shell"].call
    assert (
        call.text.replace("&", "&amp;").replace("'", "&#x27;").replace('"', "&quot;") in page.content.decode()
    )
    return page, shlex.split(call.text.replace(" \\\n", " "))


def followed(api: Program, words: list[str]) -> Any:
    """What the API answers to the command, which holds a place for a key and none of its own."""
    assert words[0] == "curl"
    assert words[-1] == "Authorization: Bearer $KEY"
    (address,) = [each for each in words if each.startswith(HOST)]
    return api.get(address.removeprefix(HOST))


@pytest.mark.parametrize("name", GETS)
def test_a_copied_call_gives_what_the_page_shows(
    ana: Client, api: Program, ids: dict[str, str], name: str
) -> None:
    page, words = copied(ana, address_of(name, ids))
    body = followed(api, words)
    if "{public_id}" in CALLS[name].path and name != "record-audit":
        shown = body.get("run", body.get("bulk_change", body))
        assert shown.get("id", shown.get("subscription")) == ids[name]
    elif "data" in body:
        assert body["data"] or name == "access"
        given = {each["id"] for each in body["data"] if ANY_ID.fullmatch(each["id"])}
        prefixes = {each.partition("_")[0] for each in given}
        on_page = {
            each for each in ANY_ID.findall(page.content.decode()) if each.partition("_")[0] in prefixes
        }
        assert on_page in (given, set()), name


@pytest.mark.parametrize(
    ("name", "query", "asked", "left"),
    [
        ("invoices", "state=draft&page=zzz", "state=draft", 1),
        ("invoices", "currency=USD&state=", "currency=USD", 1),
        ("invoices", "state=horse&currency=EUR", "currency=EUR", 3),
        ("invoices", "issued_from=2030-01-01", "issued_from=2030-01-01", 0),
        ("customers", "q=Hero&sort=name", "q=Hero", 1),
        ("customers", "archived=on", "archived=true", 0),
        ("payments", "currency=USD", "currency=USD", 0),
        ("subscriptions", "state=active&plan=pro", "state=active&plan=pro", 1),
        ("messages", "state=failed", "state=failed", 0),
        ("bank-lines", "state=booked", "state=booked", 0),
        ("audit", "kind=customers.customer&action=created", "kind=customers.customer&action=created", 2),
        ("audit", "who=owner&start=2030-01-01", "who=owner&start=2030-01-01", 0),
        ("access", "kind=refused&unusual=1", "kind=refused", 0),
    ],
)
def test_a_copied_list_has_the_filters_of_the_page(
    ana: Client, api: Program, ids: dict[str, str], name: str, query: str, asked: str, left: int
) -> None:
    page, words = copied(ana, f"{address_of(name, ids)}?{query}")
    assert words[1].partition("?")[2] == asked
    given = {each["id"] for each in followed(api, words)["data"]}
    assert len(given) == left
    prefixes = {each.partition("_")[0] for each in given}
    on_page = {each for each in ANY_ID.findall(page.content.decode()) if each.partition("_")[0] in prefixes}
    assert on_page in (given, set())


def test_days_are_called_as_the_api_calls_them(ana: Client, api: Program, ids: dict[str, str]) -> None:
    for name in ("ageing", "dso"):
        _page, words = copied(ana, f"{address_of(name, ids)}?on=2026-11-20")
        assert words[1].partition("?")[2] == "as_of=2026-11-20"
        assert followed(api, words)["as_of"] == "2026-11-20"


def test_what_was_typed_stays_within_its_quotes(ana: Client, api: Program, ids: dict[str, str]) -> None:
    odd = "'; rm -rf ~; $(id) `id` & \" <zz>"
    page = ana.get(address_of("customers", ids), {"q": odd, "currency": "EUR"})
    words = shlex.split(page.context["shell"].call.text.replace(" \\\n", " "))
    assert len(words) == 4
    seen = shlex.shlex(page.context["shell"].call.text, posix=True, punctuation_chars=True)
    assert not {"&", ";", "|", "(", ")"} & set(seen)
    assert followed(api, words)["data"] == []
    assert "<zz>" not in page.content.decode()


@pytest.mark.parametrize("name", OTHERS)
def test_a_call_that_writes_names_its_method_and_is_done_once(
    ana: Client, api: Program, ids: dict[str, str], name: str
) -> None:
    if name == "invoice-edit":
        (draft,) = api.get("/invoices?state=draft")["data"]
        ids = {**ids, "invoice": draft["id"]}
    if name == "credit-apply":
        note = api.post(f"/invoices/{ids['invoice']}/credit", {"reason": "all of it"}, 201)
        ids = {**ids, "credit-apply": note["id"]}
    _page, words = copied(ana, address_of(name, ids))
    method = CALLS[name].method.upper()
    assert words[:3] == ["curl", "-X", method]
    assert words[3].startswith(f"{HOST}{V1}")
    assert "Authorization: Bearer $KEY" in words
    assert ("Idempotency-Key: $(uuidgen)" in words) == (method == "POST")
    answer = api(method, words[3].removeprefix(HOST), {})
    assert answer.status_code not in {401, 403, 404, 405}


def test_nobody_sees_a_key_in_it(ana: Client, api: Program, ids: dict[str, str]) -> None:
    page = ana.get(address_of("keys", ids))
    assert not re.search(r"[sr]k_(live|test)_\w{20}", page.context["shell"].call.text)


def test_every_page_has_a_call_or_an_act_or_a_reason() -> None:
    names = [each.name for each in staff_routes()]
    told = [*CALLS, *ACTS, *PAGES_ONLY]
    assert sorted(told) == sorted(set(names))
    assert len(told) == len(set(told))


@pytest.mark.parametrize("name", ["invoices", "invoice-new", "import-new"])
def test_a_copied_call_leads_to_its_place_in_the_reference(
    ana: Client, ids: dict[str, str], name: str
) -> None:
    page = ana.get(address_of(name, ids))
    path, anchor = page.context["shell"].call.about.split("#")
    assert f'id="{anchor}"' in ana.get(path).content.decode()


def test_what_an_act_names_is_there() -> None:
    known = {
        (method.upper(), re.sub(r"{\w+}", "{}", path))
        for path, methods in document()["paths"].items()
        for method in methods
    }
    wanted = {(act.split()[0], V1 + re.sub(r"{\w+}", "{}", act.split()[1])) for act in ACTS.values()}
    assert wanted - known == set()


def test_the_document_lists_what_has_a_page_only() -> None:
    written = (FILE.parent / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (.*) \|$", written, re.MULTILINE))
    assert rows == PAGES_ONLY
