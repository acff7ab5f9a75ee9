"""Invoices by API: their whole life, many at once, and lists of them."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import files
from core.scope import Scope, enter, work
from customers.models import Customer
from invoicing.models import Document
from messaging.models import Message
from tests import factories
from tests.db.api.conftest import Program, said
from tests.db.api.invoices import body, draft, issued, today, written

pytestmark = pytest.mark.usefixtures("judged")


# the life of one


def test_a_draft_is_written_changed_issued_and_mailed(api: Program, kestrel: Customer, house: Scope) -> None:
    made = draft(api, kestrel, memo="Thank you", metadata={"order": "4711"}, external_id="ERP-1")
    assert (made["object"], made["kind"], made["state"], made["number"]) == (
        "invoice",
        "invoice",
        "draft",
        "",
    )
    assert (made["net_minor"], made["tax_minor"], made["total_minor"]) == (14350, 827 + 700, 15877)
    assert [line["amount_minor"] for line in made["lines"]] == [4350, 10000]
    assert [line["quantity"] for line in made["lines"]] == ["3", "1"]
    assert [line["tax_percent"] for line in made["lines"]] == ["19", "7"]
    assert [(tax["percent"], tax["base_minor"], tax["tax_minor"]) for tax in made["taxes"]] == [
        ("7", 10000, 700),
        ("19", 4350, 827),
    ]
    assert (made["lines"][1]["service_start"], made["lines"][1]["detail"]) == ("2026-11-01", "on site")
    assert (made["open_minor"], made["paid_minor"], made["pdf"]) == (0, 0, "none")
    assert (made["metadata"], made["external_id"]) == ({"order": "4711"}, "ERP-1")

    path = f"/invoices/{made['id']}"
    changed = api(
        "PATCH",
        path,
        {"lines": [{"description": "One", "unit_price": "100"}], "terms_days": 30},
        If_Match='"1"',
    )
    assert (changed.status_code, changed["ETag"]) == (200, '"2"')
    assert (said(changed)["total_minor"], said(changed)["memo"]) == (11900, "Thank you")

    done = api.post(f"{path}/issue", {})
    assert (done["state"], done["number"], done["open_minor"]) == ("open", f"INV-{today().year}-00001", 11900)
    assert done["due_on"] == str(today() + timedelta(days=30))
    assert done["pdf"] == "pending"
    assert api.post(f"{path}/send")["queued"] == 1
    with enter(house), work():
        assert Message.objects.get().about == made["id"]
    assert api.get(path) == done


def test_lines_say_why(api: Program, house: Scope, kestrel: Customer) -> None:
    from billing.services.run import run_billing

    with enter(house):
        with work():
            factories.subscription(kestrel, today())
        run_billing(today())
    (line,) = api.get("/invoices")["data"][0]["lines"]
    assert [step["label"] for step in line["why"]][1:] == ["1 × 14.50", "Rounded once, half away from zero"]


@pytest.mark.parametrize(
    "lines",
    [
        [{"description": "x", "unit_price": "0.005", "quantity": "1"}],
        [{"description": "x", "unit_price": "0.333333333333", "quantity": "3", "tax_percent": "7.7"}],
        [
            {"description": "x", "unit_price": "1000000", "quantity": "12.5"},
            {"description": "y", "unit_price": "-999.99", "tax_percent": "0"},
        ],
    ],
)
def test_a_preview_is_the_result_to_the_cent_and_writes_nothing(
    api: Program, kestrel: Customer, house: Scope, lines: Any
) -> None:
    before = written(house)
    shown = api.post("/invoices/preview", body(kestrel, lines=lines))
    assert written(house) == before
    made = draft(api, kestrel, lines=lines)
    for name in (
        "net_minor",
        "tax_minor",
        "total_minor",
        "taxes",
        "lines",
        "currency",
        "terms_days",
        "customer",
    ):
        assert made[name] == shown[name], name


def test_a_draft_is_deleted(api: Program, kestrel: Customer, house: Scope) -> None:
    path = f"/invoices/{draft(api, kestrel)['id']}"
    assert api("DELETE", path, If_Match='"7"').status_code == 412
    assert api("DELETE", path, If_Match='"1"').status_code == 204
    assert api("GET", path).status_code == 404
    path = f"/invoices/{issued(api, kestrel)['id']}"
    before = written(house)
    assert api("DELETE", path).status_code == 409
    assert written(house) == before


def test_an_issued_one_takes_labels_and_nothing_else(api: Program, kestrel: Customer, house: Scope) -> None:
    done = issued(api, kestrel)
    path = f"/invoices/{done['id']}"
    answer = api("PATCH", path, {"metadata": {"paid": "soon"}, "external_id": "A"})
    assert answer.status_code == 200
    assert {**said(answer), "version": 0, "updated_at": ""} == {
        **done,
        "metadata": {"paid": "soon"},
        "external_id": "A",
        "version": 0,
        "updated_at": "",
    }
    before = written(house)
    refused = api("PATCH", path, {"memo": "x", "metadata": {}})
    assert (refused.status_code, said(refused)["code"]) == (409, "state_conflict")
    assert written(house) == before


def test_an_external_id_is_one_invoices_until_it_is_void(
    api: Program, kestrel: Customer, house: Scope
) -> None:
    first = draft(api, kestrel, external_id="ERP-1")
    before = written(house)
    again = api("POST", "/invoices", body(kestrel, external_id="ERP-1"))
    assert (again.status_code, said(again)["code"]) == (409, "external_id_taken")
    other = draft(api, kestrel)
    taken = api("PATCH", f"/invoices/{other['id']}", {"external_id": "ERP-1"})
    assert (taken.status_code, said(taken)["code"]) == (409, "external_id_taken")
    api("DELETE", f"/invoices/{other['id']}")
    assert written(house) == before
    api.post(f"/invoices/{first['id']}/issue", {})
    api.post(f"/invoices/{first['id']}/void", {"reason": "wrong"})
    assert draft(api, kestrel, external_id="ERP-1")["external_id"] == "ERP-1"


def test_a_change_without_lines_keeps_them(api: Program, house: Scope, kestrel: Customer) -> None:
    made = draft(api, kestrel)
    with enter(house), work():
        euro = factories.customer(name="Other")
        yen = factories.customer(name="Yen", currency="JPY")
    path = f"/invoices/{made['id']}"
    moved = said(api("PATCH", path, {"customer": euro.public_id}))
    assert (moved["customer"], moved["lines"]) == (euro.public_id, made["lines"])
    refused = api("PATCH", path, {"customer": yen.public_id})
    assert [each["pointer"] for each in said(refused)["errors"]] == ["/customer"]
    lines = [{"description": "x", "unit_price": "1200"}]
    there = said(api("PATCH", path, {"customer": yen.public_id, "lines": lines}))
    assert (there["currency"], there["net_minor"]) == ("JPY", 1200)


# corrections


def test_void(api: Program, kestrel: Customer) -> None:
    path = f"/invoices/{issued(api, kestrel)['id']}"
    done = api.post(f"{path}/void", {"reason": "wrong customer"})
    assert (done["state"], done["open_minor"], done["number"]) == ("void", 0, f"INV-{today().year}-00001")
    again = api("POST", f"{path}/void", {"reason": "wrong customer"})
    assert (again.status_code, said(again)["code"]) == (409, "not_correctable")


def test_credit_of_lines_and_of_the_rest(api: Program, kestrel: Customer) -> None:
    made = issued(api, kestrel)
    path = f"/invoices/{made['id']}"
    note = api.post(
        f"{path}/credit", {"reason": "one back", "lines": [{"position": 1, "amount_minor": 1450}]}, 201
    )
    assert (note["object"], note["kind"], note["credits"]) == ("credit_note", "credit_note", made["id"])
    assert (note["state"], note["net_minor"], note["total_minor"]) == ("applied", 1450, 1726)
    after = api.get(path)
    assert (after["open_minor"], after["paid_minor"], after["state"]) == (15877 - 1726, 1726, "part_paid")
    assert [line["left_minor"] for line in after["lines"]] == [2900, 10000]
    rest = api.post(f"{path}/credit", {"reason": "all of it"}, 201)
    assert rest["total_minor"] + note["total_minor"] == made["total_minor"]
    assert api.get(path)["state"] == "paid"
    listed = api.get("/invoices?kind=credit_note")["data"]
    assert [each["id"] for each in listed] == [rest["id"], note["id"]]


def test_write_off_and_its_undo(api: Program, kestrel: Customer) -> None:
    path = f"/invoices/{issued(api, kestrel)['id']}"
    part = api.post(f"{path}/write_off", {"reason": "too small", "amount_minor": 877})
    assert part["open_minor"] == 15000
    whole = api.post(f"{path}/write_off", {"reason": "bankrupt"})
    assert (whole["open_minor"], whole["state"]) == (0, "paid")
    back = api.post(f"{path}/write_off/undo", {"reason": "they paid"})
    assert (back["open_minor"], back["state"]) == (15877, "open")
    again = api("POST", f"{path}/write_off/undo", {"reason": "they paid"})
    assert (again.status_code, said(again)["code"]) == (409, "not_correctable")


def test_the_pdf_is_its_bytes_or_why_not(api: Program, house: Scope, kestrel: Customer) -> None:
    path = f"/invoices/{draft(api, kestrel)['id']}"
    assert said(api("GET", f"{path}/pdf"))["code"] == "no_pdf"
    done = api.post(f"{path}/issue", {})
    pending = api("GET", f"{path}/pdf")
    assert (pending.status_code, said(pending)["code"]) == (409, "pdf_pending")
    with enter(house):
        stored = files.store(b"%PDF-1.7", kind="document", name=f"{done['number']}.pdf", content_type="a/b")
        with work():
            Document.objects.filter(public_id=done["id"]).update(pdf=stored)
    answer = api("GET", f"{path}/pdf")
    assert (answer.status_code, answer["Content-Type"], answer.content) == (
        200,
        "application/pdf",
        b"%PDF-1.7",
    )
    assert done["number"] in answer["Content-Disposition"]
    assert api.get(path)["pdf"] == "ready"


# many


def test_bulk_says_of_each_what_became_of_it(api: Program, house: Scope, kestrel: Customer) -> None:
    with enter(house), work():
        silent = factories.customer(name="Silent")
    ids = [draft(api, kestrel)["id"] for _ in range(3)]
    quiet, done = draft(api, silent)["id"], issued(api, kestrel)["id"]
    report = api.post("/invoices/bulk", {"act": "issue", "ids": [*ids, "doc_none", done, ids[0], quiet]})
    assert (report["done"], report["failed"]) == (4, 2)
    assert [(each["id"], each["done"], each["code"]) for each in report["items"]] == [
        *((each, True, "") for each in ids),
        ("doc_none", False, "not_found"),
        (done, False, "state_conflict"),
        (quiet, True, ""),
    ]
    assert {api.get(f"/invoices/{each}")["state"] for each in [*ids, quiet]} == {"open"}
    sent = api.post("/invoices/bulk", {"act": "send", "ids": [ids[0], quiet]})
    assert [each["code"] for each in sent["items"]] == ["", "not_sent"]


def test_one_bad_one_stops_no_other(
    api: Program, house: Scope, kestrel: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where all at once is refused, each is tried on its own, and what was refused left nothing."""
    from core.errors import Conflict
    from invoicing.services import bulk

    ids = [draft(api, kestrel)["id"] for _ in range(3)]
    with enter(house), work():
        bad = Document.objects.get(public_id=ids[1]).pk
    real = bulk.issue

    def picky(pks: Any, **given: Any) -> Any:
        found = real(pks, **given)
        if bad in pks:
            raise Conflict("Not this one.", code="picky")
        return found

    monkeypatch.setattr(bulk, "issue", picky)
    report = api.post("/invoices/bulk", {"act": "issue", "ids": ids})
    assert [each["code"] for each in report["items"]] == ["", "picky", ""]
    assert [api.get(f"/invoices/{each}")["state"] for each in ids] == ["open", "draft", "open"]
    numbers = [api.get(f"/invoices/{each}")["number"] for each in ids]
    assert numbers == [f"INV-{today().year}-00001", "", f"INV-{today().year}-00002"]


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ({"act": "void", "ids": ["x"]}, "/act"),
        ({"act": "issue", "ids": []}, "/ids"),
        ({"act": "issue", "ids": ["x"] * 501}, "/ids"),
        ({"act": "issue", "ids": [7]}, "/ids/0"),
        ({"ids": ["x"]}, "/act"),
    ],
)
def test_a_bulk_that_cannot_be_is_named(api: Program, sent: Any, pointer: str) -> None:
    answer = api("POST", "/invoices/bulk", sent)
    assert answer.status_code == 422
    assert said(answer)["errors"][0]["pointer"] == pointer


def test_statements_do_not_grow_with_the_bulk(api: Program, kestrel: Customer) -> None:
    def count(n: int) -> int:
        ids = [draft(api, kestrel)["id"] for _ in range(n)]
        with CaptureQueriesContext(connection) as asked:
            assert api.post("/invoices/bulk", {"act": "issue", "ids": ids})["done"] == n
        return len(asked)

    count(1)
    assert count(2) == count(8)


# lists


def test_filters_have_the_pages_names(api: Program, house: Scope, kestrel: Customer) -> None:
    day = today()
    with enter(house), work():
        dollar = factories.customer(name="Dollar", currency="USD")
        late = factories.invoice(kestrel, ("1", "10.00"), on=day - timedelta(days=40)).public_id
        new = factories.invoice(kestrel, ("1", "20.00"), on=day).public_id
        usd = factories.invoice(dollar, ("1", "10.00"), on=day).public_id
        Document.objects.filter(pk=factories.draft_invoice(kestrel)).update(public_id="doc_draft")

    def ids(query: str) -> list[str]:
        return [each["id"] for each in api.get(f"/invoices?{query}")["data"]]

    assert ids("") == ["doc_draft", usd, new, late]
    assert ids("state=draft") == ["doc_draft"]
    assert ids("state=open") == [usd, new, late]
    assert ids("state=overdue") == [late]
    assert ids("state=paid") == ids("state=void") == ids("kind=credit_note") == ids("kind=opening") == []
    assert ids("kind=invoice&currency=USD") == [usd]
    assert ids(f"customer={dollar.public_id}") == [usd]
    assert ids("customer=cus_none") == []
    assert ids("amount=11.90") == ids("amount=-11.9") == [usd, late]
    assert ids(f"issued_from={day}") == [usd, new]
    assert ids(f"issued_to={day - timedelta(days=1)}") == [late]
    assert ids(f"due_from={day}") == [usd, new]
    assert ids(f"due_to={day}") == [late]
    assert ids("q=23.80") == [new]
    assert ids(f"q=INV-{day.year}-") == [usd, new, late]
    assert {each["state"] for each in api.get("/invoices?state=overdue")["data"]} == {"overdue"}


@pytest.mark.parametrize(
    "query",
    [
        "state=sent",
        "kind=x",
        "currency=eur",
        "amount=x",
        "amount=1e3",
        "due_from=soon",
        "q=%00",
        "page=x",
        "expand[]=x",
    ],
)
def test_a_filter_that_is_none_is_refused(api: Program, query: str) -> None:
    assert api("GET", f"/invoices?{query}").status_code == 422


def test_statements_do_not_grow_with_the_list(api: Program, house: Scope) -> None:
    def count(path: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            api.get(path)
        return len(asked)

    def more(n: int) -> None:
        with enter(house), work():
            for _ in range(n):
                owner = factories.customer(parent_id=factories.customer().pk)
                factories.draft_invoice(owner)
                factories.invoice(owner, ("1", "3"), ("2", "4"))
        for each in api.get("/invoices?state=open&limit=2")["data"]:
            api.post(f"/invoices/{each['id']}/credit", {"reason": "x"}, 201)

    more(2)
    paths = ("/invoices?limit=100", "/invoices?limit=100&expand[]=customer")
    before = [count(path) for path in paths]
    more(6)
    assert [count(path) for path in paths] == before
    whole = api.get("/invoices?expand[]=customer")["data"][0]["customer"]
    assert whole["object"] == "customer"
