"""Bringing files in by API: sent, read, mapped, checked, run, mended, undone; and every way a file can be bad."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core import effects, uploads
from core.imports.reading import MAX_ROWS
from core.models import AuditEntry, Import
from core.scope import Scope, enter, work
from customers.models import Customer
from tests.db.api.conftest import V1, Program, pointers, said, same_refusal
from tests.db.messaging.notices import happen, told

GOOD = b"Number,Name,E-mail\nC1,Kestrel Freight,ap@kestrel.example\nC2,Moss & Wexley,\nC3,,x\n"
OPEN = (
    b"Invoice number,Customer number,Customer name,Currency,Amount,Issued on\n"
    b"A-1,C9,Kestrel,EUR,10.50,2026-11-02\nA-2,C9,Kestrel,JPY,10.50,2026-11-02\nA-3,C9,Kestrel,EUR,0,2026-11-02\n"
)
ACTS = ("check", "run", "stop", "undo", "discard")


@pytest.fixture(autouse=True)
def own_files(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path)
    return tmp_path


def send(
    api: Program, data: bytes, kind: str = "customers", content_type: str = "text/csv", **headers: str
) -> Any:
    given = {
        "Authorization": f"Bearer {api.secret}",
        "Content-Type": content_type,
        **{k.replace("_", "-"): v for k, v in headers.items()},
    }
    path = f"{V1}/imports?kind={kind}&file_name=people.csv"
    answer = api.client.generic("POST", path, data, content_type=content_type, headers=given)
    assert answer.status_code < 500, answer.content
    return answer


def opened(api: Program, data: bytes, kind: str = "customers") -> str:
    answer = send(api, data, kind)
    assert answer.status_code == 201, answer.content
    return str(said(answer)["id"])


def worked_off(house: Scope) -> None:
    with enter(house):
        effects.work_off([])


def checked(api: Program, house: Scope, data: bytes, kind: str = "customers", **body: Any) -> str:
    source = opened(api, data, kind)
    assert api.post(f"/imports/{source}/check", body, 202)["state"] == "checking"
    worked_off(house)
    assert api.get(f"/imports/{source}")["state"] == "ready"
    return source


def imports_of(house: Scope) -> int:
    with enter(house), work():
        return Import.objects.count()


def test_a_file_is_brought_in_mended_and_undone(api: Program, house: Scope) -> None:
    sent = said(send(api, GOOD))
    path = f"/imports/{sent['id']}"
    assert (sent["state"], sent["rows"], sent["file_name"]) == ("uploaded", 3, "people.csv")
    assert sent["headers"] == ["Number", "Name", "E-mail"]
    assert sent["mapping"] == {"number": "Number", "name": "Name", "email": "E-mail"}
    assert sent["reading"] == {"encoding": "utf-8", "delimiter": ","}
    assert sent["samples"][0] == ["C1", "Kestrel Freight", "ap@kestrel.example"]
    asked = api.post(f"{path}/check", {}, 202)
    assert (asked["state"], asked["worked"]) == ("checking", 0)
    worked_off(house)
    plan = api.get(path)
    assert (plan["state"], plan["created"], plan["failed"]) == ("ready", 2, 1)
    assert {(each["code"], each["column"], each["rows"]) for each in plan["problems"]} == {
        ("missing", "name", 1),
        ("bad", "email", 1),
    }
    (row,) = api.get(f"{path}/rows")["data"]
    assert (row["number"], [each["column"] for each in row["problems"]]) == (4, ["name", "email"])
    assert api.get("/customers")["data"] == []
    assert api.post(f"{path}/run", None, 202)["state"] == "running"
    worked_off(house)
    done = api.get(path)
    assert (done["state"], done["created"], done["failed"]) == ("done", 2, 1)
    assert {each["number"] for each in api.get("/customers")["data"]} == {"C1", "C2"}
    failed = api("GET", f"{path}/failed_rows")
    assert failed["Content-Type"] == "text/csv"
    assert [each["detail"] for each in api.get("/access_events?kind=exported")["data"]] == [
        f"GET {V1}{path}/failed_rows"
    ]
    lines = failed.content.decode("utf-8-sig").splitlines()
    assert lines[0] == "Number,Name,E-mail,Problem"
    assert lines[1].startswith("C3,,x,")
    again = checked(api, house, failed.content.replace(b"C3,,x", b"C3,Heron,h@heron.example"))
    assert api.get(f"/imports/{again}")["created"] == 1
    assert api.post(f"{path}/undo", None, 202)["state"] == "undoing"
    worked_off(house)
    assert api.get(path)["state"] == "undone"
    assert api.get("/customers")["data"] == []
    with enter(house), work():
        entries = AuditEntry.objects.filter(additional_data__origin="api")
        assert "import" in {each.content_type.model for each in entries.select_related("content_type")}


def test_the_same_file_is_one_import_and_the_same_key_one_answer(
    api: Program, house: Scope, own_files: Path
) -> None:
    first, again = (send(api, GOOD, Idempotency_Key="one") for _ in range(2))
    assert (again.status_code, said(again)) == (201, said(first))
    assert again["Idempotent-Replayed"] == "true"
    assert said(send(api, GOOD))["id"] == said(first)["id"]
    other = send(api, GOOD.replace(b"C1", b"C8"), Idempotency_Key="one")
    assert (other.status_code, said(other)["code"]) == (422, "key_reused")
    assert imports_of(house) == 1
    api.post(f"/imports/{said(first)['id']}/discard")
    kept = len([each for each in own_files.rglob("*") if each.is_file()])
    assert said(send(api, GOOD, Idempotency_Key="one"))["id"] == said(first)["id"]
    assert len([each for each in own_files.rglob("*") if each.is_file()]) == kept
    assert imports_of(house) == 1


@pytest.mark.parametrize(
    ("data", "facts"),
    [
        (b"", {}),
        (b"   \n", {}),
        (b"Number,Name\n", {}),
        (b"Number,,Name\nC1,x,y\n", {"line": 1, "column": 2}),
        (b"Number,Name,Name\nC1,x,y\n", {"line": 1, "column": 2}),
        (b'Number,Name\nC1,Kestrel\nC2,"open\n', {"line": 3}),
        (b"Number,Name\nC1,\x00\nC2,x\n", {"line": 2}),
        (bytes(range(256)) * 40, {}),
        (b"\xff\xfe\x00", {}),
        (b"PK\x03\x04" + bytes(200), {}),
        (b"Number,Name\n" + b"C1," + b"x" * 30_000 + b"\n", {"line": 2}),
        (",".join(f"c{n}" for n in range(300)).encode() + b"\n1\n", {}),
    ],
    ids=lambda each: repr(each)[:24],
)
def test_a_bad_file_is_refused_with_where_it_is_bad(
    api: Program, house: Scope, data: bytes, facts: dict[str, int]
) -> None:
    refused = send(api, data)
    assert (refused.status_code, refused["Content-Type"]) == (422, "application/problem+json")
    body = said(refused)
    assert body["code"] == "unreadable"
    assert {name: body.get(name) for name in facts} == facts
    assert imports_of(house) == 0


def test_a_file_is_bounded_in_bytes_and_rows(
    api: Program, house: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = b"Number,Name\n" + b"C1,x\n" * (MAX_ROWS + 1)
    refused = send(api, rows)
    assert (refused.status_code, said(refused)["code"]) == (422, "unreadable")
    assert "200,000" in said(refused)["detail"] or "200000" in said(refused)["detail"]
    refused = send(api, b"Number,Name\n" + b"x" * uploads.MAX_BYTES)
    assert (refused.status_code, said(refused)["code"]) == (413, "too_large")
    assert imports_of(house) == 0


def test_only_a_file_as_it_is_is_taken(api: Program, house: Scope) -> None:
    for content_type in ("application/json", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        refused = send(api, GOOD, content_type=content_type)
        assert (refused.status_code, said(refused)["code"]) == (415, "unsupported_media_type")
    assert pointers(send(api, GOOD, "horses")) == ["/kind"]
    assert pointers(send(api, GOOD, "customers&page=2")) == ["/page"]
    assert imports_of(house) == 0


def test_columns_and_meanings_are_named(api: Program, house: Scope) -> None:
    source = opened(api, b"A;B;C\nC1;Kestrel;Acorn\n")
    path = f"/imports/{source}"
    assert api.get(path)["mapping"] == {}
    refused = api("POST", f"{path}/check", {})
    assert (refused.status_code, sorted(pointers(refused))) == (422, ["/mapping/name", "/mapping/number"])
    for body, field in (
        ({"mapping": {"number": "A", "name": "Z"}}, "/mapping/name"),
        ({"mapping": {"number": "A", "name": "B", "colour": "C"}}, "/mapping/colour"),
        ({"mapping": {"number": "A", "name": "B"}, "values": {"name": {"x": "y"}}}, "/values/name"),
        ({"mapping": {"number": "A", "name": "B"}, "values": {"entity": {"x": "y"}}}, "/values/entity"),
        ({"mapping": {"number": 1}}, "/mapping/number"),
        ({"mapping": []}, "/mapping"),
        ({"days": "ymd"}, "/days"),
        ({"decimal_mark": ""}, "/decimal_mark"),
        ({"horses": 1}, "/horses"),
    ):
        refused = api("POST", f"{path}/check", body)
        assert (refused.status_code, pointers(refused)) == (422, [field]), body
    assert api.get(path)["state"] == "uploaded"
    api.post(f"{path}/check", {"mapping": {"number": "A", "name": "B"}, "days": "dmy"}, 202)
    worked_off(house)
    ready = api.get(path)
    assert (ready["state"], ready["created"], ready["choices"]["days"]) == ("ready", 1, "dmy")
    assert api.get(f"{path}/values") == {"object": "import_values", "columns": []}
    kinds = {each["kind"]: each for each in api.get("/import_kinds")["data"]}
    assert list(kinds) == ["customers", "invoices", "payments"]
    assert {each["name"] for each in kinds["customers"]["columns"] if each["required"]} == {"number", "name"}


def test_a_file_is_read_in_another_way(api: Program, house: Scope) -> None:
    source = checked(api, house, "Number;Name\nC1;Käfer, Söhne\n".encode("cp1252"))
    path = f"/imports/{source}"
    refused = api("POST", f"{path}/read", {"encoding": "utf-8", "delimiter": ";"})
    assert (refused.status_code, said(refused)["code"], said(refused)["line"]) == (422, "unreadable", 1)
    assert pointers(api("POST", f"{path}/read", {"encoding": "ebcdic", "delimiter": ";"})) == ["/encoding"]
    read = api.post(f"{path}/read", {"encoding": "cp1252", "delimiter": ","})
    assert (read["state"], read["headers"], read["created"]) == ("uploaded", ["Number;Name"], 0)


def test_amounts_that_cannot_be_are_named_by_row_and_column(api: Program, house: Scope) -> None:
    source = checked(api, house, OPEN, "invoices")
    rows = api.get(f"/imports/{source}/rows")["data"]
    assert [
        (each["number"], each["problems"][0]["column"], each["problems"][0]["code"]) for each in rows
    ] == [
        (3, "amount", "decimals"),
        (4, "amount", "sign"),
    ]
    assert api.post(f"/imports/{source}/check", {"rounds": True}, 202)["choices"]["rounds"] is True


def test_acts_in_the_wrong_state_are_conflicts(api: Program, house: Scope) -> None:
    source = opened(api, GOOD)
    for act, status in (("run", 409), ("stop", 409), ("undo", 409), ("discard", 200), ("discard", 200)):
        assert api("POST", f"/imports/{source}/{act}").status_code == status, act
    refused = api("POST", f"/imports/{source}/check", {})
    assert (refused.status_code, said(refused)["code"]) == (409, "state_conflict")
    assert api("POST", f"/imports/{source}/run", {"x": 1}).status_code == 422


def test_an_import_seen_before_somebody_changed_it_is_not_run(api: Program, house: Scope) -> None:
    source = checked(api, house, GOOD)
    seen = api("GET", f"/imports/{source}")["ETag"]
    api.post(f"/imports/{source}/check", {}, 202)
    refused = api("POST", f"/imports/{source}/run", If_Match=seen)
    assert (refused.status_code, said(refused)["code"]) == (412, "version_mismatch")


def test_what_was_used_stays(api: Program, house: Scope) -> None:
    source = checked(api, house, GOOD)
    api.post(f"/imports/{source}/run", None, 202)
    worked_off(house)
    customer = api.get("/customers")["data"][0]
    line = {"description": "Work", "quantity": "1", "unit_price": "5", "tax_percent": "0"}
    api.post("/invoices", {"customer": customer["id"], "lines": [line]}, 201)
    api.post(f"/imports/{source}/undo", None, 202)
    worked_off(house)
    kept = api.get(f"/imports/{source}")
    assert kept["state"] == "done"
    assert kept["message"]
    with enter(house), work():
        assert Customer.objects.count() == 2


def test_rights_are_those_of_the_pages(as_key: Callable[..., Program], house: Scope, api: Program) -> None:
    source = opened(api, GOOD)
    for rights in (["imports.view"], ["imports.view", "customers.create"], ["imports.view", "imports.run"]):
        key = as_key("acorn", "ana@acorn.example", rights=rights)
        assert send(key, GOOD + b"C7,x,\n").status_code == 403
        for act in ACTS:
            body = {} if act == "check" else None
            assert key("POST", f"/imports/{source}/{act}", body).status_code == 403, (rights, act)
        read = {"encoding": "utf-8", "delimiter": ";"}
        assert key("POST", f"/imports/{source}/read", read).status_code == 403
        assert key("GET", f"/imports/{source}/values").status_code == 403
    assert (
        as_key("acorn", "ana@acorn.example", rights=["customers.view"])("GET", "/imports").status_code == 403
    )
    assert api.get(f"/imports/{source}")["state"] == "uploaded"


def test_another_organizations_import_is_nobodys(
    as_key: Callable[..., Program], api: Program, house: Scope
) -> None:
    source = opened(api, GOOD)
    bea = as_key("birch", "bea@birch.example")
    for path in ("", "/rows", "/failed_rows", "/values"):
        same_refusal(bea, "GET", f"/imports/{source}{path}", source)
    for act in ACTS:
        same_refusal(bea, "POST", f"/imports/{source}/{act}", source, {} if act == "check" else None)
    same_refusal(bea, "POST", f"/imports/{source}/read", source, {"encoding": "utf-8", "delimiter": ";"})
    assert api.get(f"/imports/{source}")["state"] == "uploaded"
    assert said(send(bea, GOOD))["id"] != source


def test_files_are_sent_at_a_measured_pace(
    api: Program, house: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arapp.imports.columns.UPLOADS", 1)
    opened(api, GOOD)
    refused = send(api, GOOD + b"C7,x,\n", Idempotency_Key="two")
    assert (refused.status_code, said(refused)["code"]) == (429, "too_many")
    monkeypatch.setattr("arapp.imports.columns.UPLOADS", 10)
    assert send(api, GOOD + b"C7,x,\n", Idempotency_Key="two").status_code == 201


def test_whoever_made_the_key_is_told_how_its_import_ended(api: Program, house: Scope) -> None:
    source = checked(api, house, GOOD)
    made = ("api_key.changed", 1)
    happen()
    assert told("Ana") == [made], "what was only checked is no news"
    api.post(f"/imports/{source}/run", {}, 202)
    worked_off(house)
    happen()
    assert told("Ana") == [made, ("import.ended", 1)]
    assert told("Ben") == told("Vic") == []
