"""What invoices refuse by API: at its field, once, to whom it is not given, with nothing changed."""

from collections.abc import Callable
from typing import Any

import pytest

from core.scope import Scope, enter, work
from customers.models import Customer
from messaging.models import Message
from tests.db.api.conftest import Program, said
from tests.db.api.invoices import body, draft, issued, written

pytestmark = pytest.mark.usefixtures("judged")


# what cannot be is named


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"customer": "cus_none"}, "/customer"),
        ({"customer": 7}, "/customer"),
        ({"lines": []}, "/lines"),
        ({"lines": {}}, "/lines"),
        ({"lines": [7]}, "/lines/0"),
        ({"lines": [{"description": "x", "unit_price": "1"}] * 151}, "/lines"),
        ({"terms_days": 366}, "/terms_days"),
        ({"terms_days": "14"}, "/terms_days"),
        ({"memo": "\0"}, "/memo"),
        ({"memo": "x" * 2001}, "/memo"),
        ({"metadata": {"a": 1}}, "/metadata/a"),
        ({"external_id": "x" * 256}, "/external_id"),
        ({"currency": "EUR"}, "/currency"),
    ],
)
def test_a_value_that_cannot_be_is_named(
    api: Program, house: Scope, kestrel: Customer, change: Any, pointer: str
) -> None:
    path = f"/invoices/{draft(api, kestrel)['id']}"
    before = written(house)
    for method, address, sent in (("POST", "/invoices", body(kestrel, **change)), ("PATCH", path, change)):
        answer = api(method, address, sent)
        assert answer.status_code == 422, answer.content
        assert said(answer)["errors"][0]["pointer"] == pointer
    assert written(house) == before


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"description": ""}, "description"),
        ({"description": None}, "description"),
        ({"unit_price": 14.5}, "unit_price"),
        ({"unit_price": "14,50"}, "unit_price"),
        ({"unit_price": "1e3"}, "unit_price"),
        ({"unit_price": "NaN"}, "unit_price"),
        ({"unit_price": "\u0661"}, "unit_price"),
        ({"unit_price": " 1"}, "unit_price"),
        ({"unit_price": "1.0000000000001"}, "unit_price"),
        ({"unit_price": "9999999999999999"}, "unit_price"),
        ({"unit_price": "999999999999999"}, "unit_price"),
        ({"unit_price": "100000000", "quantity": "100000000"}, "unit_price"),
        ({"quantity": 3}, "quantity"),
        ({"quantity": ""}, "quantity"),
        ({"tax_percent": "101"}, "tax_percent"),
        ({"tax_percent": "-1"}, "tax_percent"),
        ({"tax_percent": "7.00001"}, "tax_percent"),
        ({"service_start": "2026-11-31"}, "service_start"),
        ({"service_start": "2026-11-01"}, "service_end"),
        ({"service_start": "2026-11-01", "service_end": "2026-11-01"}, "service_end"),
        ({"service_start": "0001-01-01", "service_end": "9999-12-31"}, "service_start"),
        ({"price": "1"}, "price"),
    ],
)
def test_a_line_that_cannot_be_is_named(
    api: Program, house: Scope, kestrel: Customer, change: Any, name: str
) -> None:
    before = written(house)
    good = {"description": "x", "unit_price": "1"}
    for path in ("/invoices", "/invoices/preview"):
        answer = api("POST", path, body(kestrel, lines=[good, {**good, **change}]))
        assert answer.status_code == 422, answer.content
        assert said(answer)["errors"][0]["pointer"] == f"/lines/1/{name}"
    assert written(house) == before


def test_a_change_takes_whole_lines(api: Program, house: Scope, kestrel: Customer) -> None:
    """A field may be left out of a change, but not of a line in it."""
    path = f"/invoices/{draft(api, kestrel)['id']}"
    before = written(house)
    answer = api("PATCH", path, {"lines": [{"description": "x"}]})
    assert [each["pointer"] for each in said(answer)["errors"]] == ["/lines/0/unit_price"]
    assert written(house) == before


@pytest.mark.parametrize(
    "lines",
    [
        [{"description": "x", "unit_price": "-1"}],
        [
            {"description": "x", "unit_price": "900000000000"},
            {"description": "y", "unit_price": "9000000000000"},
        ],
    ],
)
def test_a_total_out_of_range_is_the_lines_fault(
    api: Program, house: Scope, kestrel: Customer, lines: Any
) -> None:
    before = written(house)
    for path in ("/invoices", "/invoices/preview"):
        answer = api("POST", path, body(kestrel, lines=lines))
        assert [each["pointer"] for each in said(answer)["errors"]] == ["/lines"]
    assert written(house) == before


@pytest.mark.parametrize(
    ("act", "sent", "pointer"),
    [
        ("void", {}, "/reason"),
        ("void", {"reason": " "}, "/reason"),
        ("void", {"reason": "x" * 301}, "/reason"),
        ("void", {"reason": "x", "on": "2999-01-01"}, "/on"),
        ("void", {"reason": "x", "on": "2020-01-01"}, "/on"),
        ("credit", {"reason": "x", "on": "2999-01-01"}, "/on"),
        ("credit", {"reason": "x", "lines": []}, "/lines"),
        ("credit", {"reason": "x", "lines": [{"position": 9, "amount_minor": 1}]}, "/lines/0/amount_minor"),
        (
            "credit",
            {"reason": "x", "lines": [{"position": 1, "amount_minor": 10**16}]},
            "/lines/0/amount_minor",
        ),
        ("credit", {"reason": "x", "lines": [{"position": 1, "amount_minor": -1}]}, "/lines/0/amount_minor"),
        (
            "credit",
            {
                "reason": "x",
                "lines": [{"position": 2, "amount_minor": 1}, {"position": 1, "amount_minor": 4351}],
            },
            "/lines/1/amount_minor",
        ),
        ("credit", {"reason": "x", "lines": [{"position": 1, "amount_minor": 1}] * 2}, "/lines/1/position"),
        ("write_off", {"reason": "x", "amount_minor": 0}, "/amount_minor"),
        ("write_off", {"reason": "x", "amount_minor": 10**16}, "/amount_minor"),
        ("write_off", {"reason": "x", "amount_minor": 1.5}, "/amount_minor"),
        ("write_off", {"reason": "x", "on": "2020-01-01"}, "/on"),
        ("write_off/undo", {}, "/reason"),
        ("issue", {"issued_on": "2999-01-01"}, "/issued_on"),
    ],
)
def test_an_act_that_cannot_be_is_named(
    api: Program, house: Scope, kestrel: Customer, act: str, sent: Any, pointer: str
) -> None:
    path = f"/invoices/{(draft if act == 'issue' else issued)(api, kestrel)['id']}/{act}"
    before = written(house)
    answer = api("POST", path, sent)
    assert answer.status_code == 422, answer.content
    assert [each["pointer"] for each in said(answer)["errors"]] == [pointer]
    assert written(house) == before


def test_an_act_that_does_not_fit_changes_nothing(api: Program, house: Scope, kestrel: Customer) -> None:
    new, done = draft(api, kestrel)["id"], issued(api, kestrel)["id"]
    note = api.post(f"/invoices/{issued(api, kestrel)['id']}/credit", {"reason": "x"}, 201)["id"]
    before = written(house)
    why = {"reason": "x"}
    for path, sent, code in (
        (f"/invoices/{new}/void", why, "not_correctable"),
        (f"/invoices/{new}/credit", why, "not_correctable"),
        (f"/invoices/{new}/write_off", why, "not_correctable"),
        (f"/invoices/{new}/send", None, "conflict"),
        (f"/invoices/{done}/issue", {}, "state_conflict"),
        (f"/invoices/{done}/write_off", {**why, "amount_minor": 15878}, "more_than_open"),
        (f"/invoices/{note}/void", why, "not_correctable"),
        (f"/invoices/{note}/credit", why, "not_correctable"),
        (f"/invoices/{note}/write_off", why, "not_correctable"),
    ):
        answer = api("POST", path, sent)
        assert (answer.status_code, said(answer)["code"]) == (409, code), path
    assert written(house) == before


def test_if_match_holds_for_every_act(api: Program, house: Scope, kestrel: Customer) -> None:
    new, done = draft(api, kestrel)["id"], issued(api, kestrel)["id"]
    before = written(house)
    for path, sent in (
        (f"/invoices/{new}/issue", {}),
        (f"/invoices/{done}/send", None),
        (f"/invoices/{done}/void", {"reason": "x"}),
        (f"/invoices/{done}/credit", {"reason": "x"}),
        (f"/invoices/{done}/write_off", {"reason": "x"}),
        (f"/invoices/{done}/write_off/undo", {"reason": "x"}),
    ):
        answer = api("POST", path, sent, If_Match='"9"')
        assert (answer.status_code, said(answer)["code"]) == (412, "version_mismatch"), path
    assert api("PATCH", f"/invoices/{new}", {"memo": "x"}, If_Match='"9"').status_code == 412
    assert written(house) == before
    assert api("POST", f"/invoices/{done}/void", {"reason": "x"}, If_Match='"2"').status_code == 200


# once


def test_the_same_post_twice_is_done_once(api: Program, house: Scope, kestrel: Customer) -> None:
    def twice(path: str, sent: Any, key: str) -> Any:
        first = api("POST", path, sent, Idempotency_Key=key)
        assert first.status_code in {200, 201}, first.content
        before = written(house)
        again = api("POST", path, sent, Idempotency_Key=key)
        assert (again["Idempotent-Replayed"], said(again)) == ("true", said(first))
        assert written(house) == before
        return said(first)

    made = twice("/invoices", body(kestrel), "k" * 255)
    path = f"/invoices/{made['id']}"
    twice(f"{path}/issue", {}, "issue")
    twice(f"{path}/send", None, "send")
    twice(f"{path}/credit", {"reason": "x", "lines": [{"position": 1, "amount_minor": 1}]}, "credit")
    twice(f"{path}/write_off", {"reason": "x", "amount_minor": 5}, "write_off")
    twice(f"{path}/write_off/undo", {"reason": "x"}, "undo")
    twice("/invoices/bulk", {"act": "send", "ids": [made["id"]]}, "bulk")


def test_long_keys_and_other_callers_are_told_apart(
    api: Program, as_key: Callable[..., Program], house: Scope, kestrel: Customer
) -> None:
    """Keys that differ at their end only are two intents, and so are the same keys of two callers."""
    other = as_key("acorn", "ben@acorn.example")
    ids = {
        caller("POST", "/invoices", body(kestrel), Idempotency_Key=key).content
        for caller, key in ((api, "k" * 254 + "1"), (api, "k" * 254 + "2"), (other, "k" * 254 + "1"))
    }
    assert len(ids) == 3
    path = f"/invoices/{issued(api, kestrel)['id']}/send"
    with enter(house), work():
        before = Message.objects.count()
    for key in ("k" * 254 + "3", "k" * 254 + "4"):
        assert api("POST", path, Idempotency_Key=key).status_code == 200
    with enter(house), work():
        assert Message.objects.count() == before + 2


# who may


def test_a_restricted_key_changes_nothing(
    api: Program, as_key: Callable[..., Program], house: Scope, kestrel: Customer
) -> None:
    new, done = draft(api, kestrel)["id"], issued(api, kestrel)["id"]
    reader = as_key("acorn", "ana@acorn.example", rights=["invoices.view"])
    assert reader.get(f"/invoices/{new}")["id"] == new
    assert len(reader.get("/invoices")["data"]) == 2
    assert reader.post("/invoices/preview", body(kestrel))["total_minor"] == 15877
    before = written(house)
    for method, path, sent in (
        ("POST", "/invoices", body(kestrel)),
        ("PATCH", f"/invoices/{new}", {"memo": "x"}),
        ("DELETE", f"/invoices/{new}", None),
        ("POST", f"/invoices/{new}/issue", {}),
        ("POST", f"/invoices/{done}/send", None),
        ("POST", f"/invoices/{done}/void", {"reason": "x"}),
        ("POST", f"/invoices/{done}/credit", {"reason": "x"}),
        ("POST", f"/invoices/{done}/write_off", {"reason": "x"}),
        ("POST", f"/invoices/{done}/write_off/undo", {"reason": "x"}),
        ("POST", "/invoices/bulk", {"act": "issue", "ids": [new]}),
    ):
        assert reader(method, path, sent).status_code == 403, path
    assert written(house) == before
    blind = as_key("acorn", "ana@acorn.example", rights=["customers.view"])
    for path in ("/invoices", f"/invoices/{new}", f"/invoices/{new}/pdf"):
        assert blind("GET", path).status_code == 403


def test_another_organization_is_not_there(
    api: Program, as_key: Callable[..., Program], house: Scope, kestrel: Customer
) -> None:
    new, done = draft(api, kestrel)["id"], issued(api, kestrel)["id"]
    bea = as_key("birch", "bea@birch.example")
    before = written(house)
    for method, path, sent in (
        ("GET", f"/invoices/{done}", None),
        ("GET", f"/invoices/{done}/pdf", None),
        ("PATCH", f"/invoices/{new}", {"memo": "x"}),
        ("DELETE", f"/invoices/{new}", None),
        ("POST", f"/invoices/{new}/issue", {}),
        ("POST", f"/invoices/{done}/send", None),
        ("POST", f"/invoices/{done}/void", {"reason": "x"}),
        ("POST", f"/invoices/{done}/credit", {"reason": "x"}),
        ("POST", f"/invoices/{done}/write_off", {"reason": "x"}),
        ("POST", f"/invoices/{done}/write_off/undo", {"reason": "x"}),
    ):
        absent_path = path.replace(new, "doc_none").replace(done, "doc_none")
        foreign, absent = bea(method, path, sent), bea(method, absent_path, sent)
        assert foreign.status_code == absent.status_code == 404, path
        assert {**said(foreign), "request_id": ""} == {**said(absent), "request_id": ""}
        locked = bea(method, path, sent, If_Match='"1"')
        assert locked.status_code == 404
    report = bea.post("/invoices/bulk", {"act": "issue", "ids": [new, "doc_none"]})
    assert {(each["code"], each["detail"]) for each in report["items"]} == {
        ("not_found", "That is not here.")
    }
    assert said(bea("POST", "/invoices", body(kestrel)))["errors"][0]["pointer"] == "/customer"
    assert bea.get("/invoices")["data"] == []
    assert bea.get(f"/invoices?customer={kestrel.public_id}")["data"] == []
    assert written(house) == before
