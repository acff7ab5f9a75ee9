"""Imports as people do them: a file is sent, its columns named, every row checked, brought in, undone."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from core import effects, uploads
from core.models import Import, ImportRow
from core.scope import Scope, enter, work
from customers.models import Customer
from invoicing.models import Document
from tenants.models import LegalEntity, Membership, Role
from tests.cast import CANARY

GOOD = b"Number,Name,E-mail\nC1,Kestrel Freight,ap@kestrel.example\nC2,Moss & Wexley,\nC3,,x\n"
OPEN = (
    b"Invoice number,Customer number,Customer name,Currency,Amount,Issued on\n"
    b"A-1,C9,Kestrel,EUR,10.50,2026-11-02\nA-2,C9,Kestrel,JPY,10.50,2026-11-02\nA-3,C9,Kestrel,EUR,0,2026-11-02\n"
)
HOME = "/o/acorn/imports/"


@pytest.fixture(autouse=True)
def own_files(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


def send(
    client: Client, data: bytes, *, kind: str = "customers", name: str = "people.csv", slug: str = "acorn"
) -> Any:
    return client.post(f"/o/{slug}/imports/new/", {"kind": kind, "file": SimpleUploadedFile(name, data)})


def page_of(answer: Any) -> str:
    assert answer.status_code == 302, answer.content.decode()[-3000:]
    return str(answer["Location"])


def named(client: Client, address: str, **also: str) -> None:
    """Send the columns as they were preselected."""
    shown = client.get(f"{address}columns/").context
    given = {f"map_{each['name']}": each["heading"] for each in shown["columns"]}
    page_of(client.post(f"{address}columns/", {**given, **also}))


def worked_off(house: Scope) -> None:
    with enter(house):
        effects.work_off([])


def the(house: Scope) -> Import:
    with enter(house), work():
        return Import.objects.order_by("-id")[0]


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_a_file_is_brought_in_and_taken_back(ana: Client, house: Scope) -> None:
    assert "Nothing was brought in yet" in text(ana.get(HOME))
    address = page_of(send(ana, GOOD))
    assert ana.get(address)["Location"] == f"{address}columns/"
    named(ana, address)
    assert 'hx-trigger="every' in text(ana.get(address))
    worked_off(house)
    shown = text(ana.get(address))
    assert "Bring in 2 of 3 rows" in shown
    assert "Name is missing." in shown
    assert "This is not an e-mail address." in shown
    page_of(ana.post(f"{address}run/"))
    worked_off(house)
    shown = text(ana.get(f"{address}?rows=made"))
    with enter(house), work():
        made = {row.number: row for row in Customer.objects.filter(number__in=["C1", "C2", "C3"])}
    assert set(made) == {"C1", "C2"}
    assert f"/o/acorn/customers/{made['C2'].public_id}/" in shown
    with enter(house), work():
        Import.objects.update(created_at=datetime(2026, 1, 31, 23, 30, tzinfo=UTC))
    assert "1 Feb 00:30" in text(ana.get(HOME)).replace("1 Feb 2026", "1 Feb"), (
        "by the organization's own clock"
    )
    page_of(ana.post(f"{address}undo/"))
    worked_off(house)
    assert "Undone" in text(ana.get(address))
    with enter(house), work():
        assert not Customer.objects.filter(number__in=["C1", "C2", "C3"]).exists()


def test_progress_ends_by_loading_the_page_anew(ana: Client, house: Scope) -> None:
    address = page_of(send(ana, GOOD))
    named(ana, address)
    going = ana.get(f"{address}progress/?polls=41")
    assert "every 5s" in text(going)
    assert "HX-Refresh" not in going
    worked_off(house)
    assert ana.get(f"{address}progress/?polls=x")["HX-Refresh"] == "true"


def test_amounts_are_rounded_by_one_click(ana: Client, house: Scope) -> None:
    address = page_of(send(ana, OPEN, kind="invoices"))
    named(ana, address)
    worked_off(house)
    shown = text(ana.get(address))
    assert "Round this 1 amount" in shown
    assert "Bring in 1 of 3 rows" in shown
    page_of(ana.post(f"{address}choose/", {"rounds": "1"}))
    worked_off(house)
    assert "Bring in 2 of 3 rows" in text(ana.get(address))
    assert the(house).choices["rounds"] is True


@pytest.mark.parametrize(
    ("column", "cells", "choice", "word"),
    [
        ("Issued on", b"03/04/2026", {"days": "mdy"}, "Month first"),
        ("Amount", b'"1.234"', {"decimal_mark": ","}, "Comma: 1.234,50"),
    ],
)
def test_what_reads_two_ways_is_chosen_by_one_click(
    ana: Client, house: Scope, column: str, cells: bytes, choice: dict[str, str], word: str
) -> None:
    header = b"Invoice number,Customer number,Customer name,Currency,Amount,Issued on\n"
    row = {"Amount": b"10", "Issued on": b"2026-11-02", column: cells}
    address = page_of(
        send(ana, header + b"A-1,C9,Kestrel,EUR,%s,%s\n" % (row["Amount"], row["Issued on"]), kind="invoices")
    )
    named(ana, address)
    worked_off(house)
    shown = text(ana.get(address))
    assert word in shown
    assert "no row can be brought in" in shown
    page_of(ana.post(f"{address}choose/", choice))
    worked_off(house)
    assert "Bring in the 1 row" in text(ana.get(address))


def test_a_choice_of_nothing_changes_nothing(ana: Client, house: Scope) -> None:
    address = page_of(send(ana, OPEN, kind="invoices"))
    named(ana, address)
    before = the(house).version
    assert ana.post(f"{address}choose/", {"days": "ymd", "decimal_mark": ";"}).status_code == 422
    assert the(house).version == before


def test_needed_columns_are_asked_for_beside_their_field(ana: Client, house: Scope) -> None:
    address = page_of(send(ana, b"Foo,Bar\n1,2\n"))
    answer = ana.post(f"{address}columns/", {"map_number": "Foo", "map_name": "Nothing of the kind"})
    assert answer.status_code == 422
    assert 'aria-describedby="map_name_error"' in text(answer)
    assert the(house).state == "uploaded"


def test_columns_are_remembered_also_for_mended_rows(ana: Client, house: Scope) -> None:
    address = page_of(send(ana, b"Foo,Bar\n1,Kestrel\n2,\n"))
    page_of(ana.post(f"{address}columns/", {"map_number": "Foo", "map_name": "Bar"}))
    worked_off(house)
    failed = ana.get(f"{address}failed/").content
    assert failed.decode("utf-8-sig").splitlines() == ["Foo,Bar,Problem", "2,,Name is missing."]
    again = page_of(send(ana, failed.replace(b"2,,", b"2,Moss,")))
    assert the(house).mapping == {"number": "Foo", "name": "Bar"}
    named(ana, again)
    worked_off(house)
    assert "Bring in the 1 row" in text(ana.get(again))


def test_failed_rows_that_fail_again_have_one_problem_column(ana: Client, house: Scope) -> None:
    address = page_of(send(ana, b"Number,Name\n1,\n"))
    named(ana, address)
    worked_off(house)
    again = page_of(send(ana, ana.get(f"{address}failed/").content))
    named(ana, again)
    worked_off(house)
    assert ana.get(f"{again}failed/").content.decode("utf-8-sig").splitlines()[0] == "Number,Name,Problem"


def test_failed_rows_cannot_become_formulas(ana: Client, house: Scope) -> None:
    address = page_of(send(ana, b'=HYPERLINK("x"),Number,Name\n"=1+1",C1,\n@SUM(A1),-2+3,"\t=cmd"\n'))
    page_of(ana.post(f"{address}columns/", {"map_number": "Number", "map_name": "Name"}))
    worked_off(house)
    lines = ana.get(f"{address}failed/").content.decode("utf-8-sig").splitlines()
    assert lines[1].startswith("'=1+1,C1")
    assert all(not cell.startswith(("=", "@", "+", "\t")) for line in lines for cell in line.split(","))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "The file is empty."),
        (b"Number,Name\n", "There are no rows under the heading."),
        (b"Number,Number\n1,2\n", "Two columns are called “Number”."),
        (b'Number,Name\n1,"open\n', "breaks off"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)) * 9, "form-err"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_beside_its_field(
    ana: Client, house: Scope, data: bytes, said: str
) -> None:
    answer = send(ana, data)
    assert answer.status_code == 422
    assert said in text(answer)
    assert 'id="id_file_error"' in text(answer)
    with enter(house), work():
        assert not Import.objects.exists()


def test_no_file_and_no_kind_are_asked_for(ana: Client) -> None:
    assert "Choose a file" in text(ana.post(f"{HOME}new/", {"kind": "customers"}))
    answer = send(ana, GOOD, kind="invoice_lines")
    assert answer.status_code == 422


@pytest.mark.parametrize("rows", [10_000, 20_000])
def test_a_file_too_large_is_not_read_to_its_end(
    ana: Client, house: Scope, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    """By what the sender declares, and by what comes when a little more is declared than the file may be."""
    monkeypatch.setattr(uploads, "MAX_BYTES", 100_000)
    answer = send(ana, b"Number,Name\n" + b"C1,Kestrel\n" * rows)
    assert answer.status_code == 422
    (said,) = answer.context["form"].errors["file"]
    assert said.startswith("The file is larger than ")
    with enter(house), work():
        assert not Import.objects.exists()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("..\\..\\people.csv", "people.csv"),
        ("a\u202evsc.exe.csv", "avsc.exe.csv"),
        ("x" * 300 + ".csv", "x" * 100),
        ("a\r\nSet-Cookie: x=1.csv", "a · 3 rows"),
        ("<b>bold<b>.csv", "&lt;b&gt;bold&lt;b&gt;.csv"),
    ],
)
def test_a_files_name_does_no_harm(ana: Client, house: Scope, name: str, shown: str) -> None:
    address = page_of(send(ana, GOOD, name=name))
    named(ana, address)
    worked_off(house)
    answer = ana.get(address)
    assert shown in text(answer)
    assert "\u202e" not in text(answer)
    failed = ana.get(f"{address}failed/")
    assert failed["Content-Disposition"].isascii()
    assert "Set-Cookie" not in failed.headers


def test_the_same_file_sent_twice_is_one_import(ana: Client) -> None:
    assert page_of(send(ana, GOOD)) == page_of(send(ana, GOOD, name="copy.csv"))


def test_the_encoding_can_be_changed(ana: Client, house: Scope) -> None:
    address = page_of(send(ana, "Number;Name\nC1;Käthe\n".encode("cp1252")))
    assert "Käthe" in text(ana.get(f"{address}columns/"))
    refused = ana.post(f"{address}reread/", {"encoding": "utf-8", "delimiter": ";"})
    assert refused.status_code == 422
    assert "Choose another encoding" in text(refused)
    page_of(ana.post(f"{address}reread/", {"encoding": "cp1250", "delimiter": ","}))
    assert the(house).headers == ["Number;Name"]
    assert ana.post(f"{address}reread/", {"encoding": "rot13", "delimiter": ","}).status_code == 422


def test_values_of_the_file_are_given_a_meaning(ana: Client, house: Scope) -> None:
    with enter(house), work():
        first = LegalEntity.objects.get()
        LegalEntity.objects.create(
            name="Acorn North", code="NORTH", country="DK", currency="DKK", zone="Europe/Copenhagen"
        )
    address = page_of(send(ana, b"Number,Name,Company Code\nC1,Kestrel,1000\nC2,Moss,2000\nC3,Wexley,9\n"))
    asked = ana.post(f"{address}values/", {"map_entity": "Company Code"})
    assert [row[0] for row in asked.context["values"][0]["rows"]] == ["1000", "2000", "9"]
    named(ana, address, theirs_entity=["1000", "2000", "9"], ours_entity=[first.code, "NORTH", "x"])  # type: ignore[arg-type]
    worked_off(house)
    shown = text(ana.get(address))
    assert "No legal entity has the code 9." in shown
    page_of(ana.post(f"{address}run/"))
    worked_off(house)
    with enter(house), work():
        assert Customer.objects.get(number="C2").entity.code == "NORTH"


def test_nothing_new_greys_the_button(ana: Client, house: Scope) -> None:
    for _ in range(2):
        address = page_of(send(ana, b"Number,Name\nC1,Kestrel\n"))
        named(ana, address)
        worked_off(house)
        shown = text(ana.get(address))
        refused = ana.post(f"{address}run/")
        worked_off(house)
    assert "nothing in it is new" in shown
    assert refused.status_code == 409
    assert the(house).state == "ready"


def test_templates_can_be_brought_in_as_they_are(ana: Client, house: Scope) -> None:
    for kind in ("customers", "invoices", "payments"):
        template = ana.get(f"{HOME}template/{kind}/")
        address = page_of(send(ana, template.content, kind=kind, name=f"{kind}.csv"))
        named(ana, address)
        worked_off(house)
        assert "Bring in the 1 row" in text(ana.get(address)), kind
    assert ana.get(f"{HOME}template/nothing/").status_code == 404


def test_imported_invoices_look_like_what_they_are(ana: Client, house: Scope) -> None:
    data = OPEN.replace(b"Issued on\n", b"Issued on,Reference,Id\n").replace(
        b"2026-11-02\n", b"2026-11-02,PO-77,4711\n"
    )
    address = page_of(send(ana, data, kind="invoices", name="open.csv"))
    named(ana, address)
    worked_off(house)
    page_of(ana.post(f"{address}run/"))
    worked_off(house)
    with enter(house), work():
        made = Document.objects.get()
    shown = text(ana.get(f"/o/acorn/invoices/{made.public_id}/"))
    for said in ("open.csv", "line 2", "PO-77", "4711", "Write off", "Void", "opening", f'href="{address}"'):
        assert said in shown, said
    for absent in ("Credit note", "Send again", "it is being made", "Autopay", "prices without tax"):
        assert absent not in shown, absent
    listed = text(ana.get("/o/acorn/invoices/"))
    assert "opening" in listed
    assert "A-1" in text(ana.get("/o/acorn/invoices/?kind=invoice"))
    assert "A-1" in text(ana.get("/o/acorn/invoices/?kind=opening"))
    assert "A-1" not in text(ana.get("/o/acorn/invoices/?kind=credit_note"))
    assert "A-1" in text(ana.get("/o/acorn/invoices/?q=a-1"))
    assert ana.post(f"/o/acorn/invoices/{made.public_id}/send/", {"key": "form_12345678"}).status_code == 409
    assert ana.post(
        f"/o/acorn/invoices/{made.public_id}/credit/", {"reason": "x", "key": "form_12345678", "what": "all"}
    ).status_code in {409, 422}
    page_of(ana.post(f"/o/acorn/invoices/{made.public_id}/void/", {"void-reason": "brought in twice"}))
    with enter(house), work():
        assert Document.objects.get().state == "void"


WRITES = ["columns/", "values/", "reread/", "choose/", "run/", "stop/", "undo/", "discard/"]
READS = ["", "progress/", "failed/", "columns/"]


def snapshot(house: Scope) -> list[Any]:
    with enter(house), work():
        return [
            *Import.objects.order_by("id").values_list("id", "version", "state"),
            *ImportRow.objects.order_by("id").values_list("id", "made"),
            Customer.objects.count(),
        ]


@pytest.mark.parametrize("state", ["uploaded", "ready", "done"])
def test_who_may_not(client_of: Callable[[str], Client], ana: Client, house: Scope, state: str) -> None:
    address = page_of(send(ana, GOOD))
    if state != "uploaded":
        named(ana, address)
        worked_off(house)
    if state == "done":
        page_of(ana.post(f"{address}run/"))
        worked_off(house)
    vic, bea, before = client_of("Vic"), client_of("Bea"), snapshot(house)
    given = {"map_number": "Number", "map_name": "Name", "rounds": "1", "encoding": "utf-8", "delimiter": ","}
    for path in WRITES:
        assert vic.post(f"{address}{path}", given).status_code == 403, path
        assert bea.post(f"{address}{path}", given).status_code == 404, path
        other = f"{address}{path}".replace("/acorn/", "/birch/")
        answer = bea.post(other, given)
        assert answer.status_code == 404, other
        assert "Kestrel" not in text(answer)
    assert send(vic, GOOD).status_code == 403
    assert send(bea, GOOD).status_code == 404
    for path in READS:
        assert bea.get(f"{address}{path}").status_code == 404
        assert bea.get(f"{address}{path}".replace("/acorn/", "/birch/")).status_code == 404
    assert snapshot(house) == before
    listed = text(bea.get("/o/birch/imports/"))
    assert "people.csv" not in listed
    assert CANARY not in text(ana.get(HOME))
    assert vic.get(address).status_code == 403


def test_the_importers_own_right_is_needed_as_well(
    client_of: Callable[[str], Client], ana: Client, house: Scope
) -> None:
    address = page_of(send(ana, GOOD))
    named(ana, address)
    worked_off(house)
    ben, before = client_of("Ben"), snapshot(house)
    for rights in (["imports.run"], ["customers.create"]):
        with enter(house), work():
            role = Role.objects.create(name=rights[0], permissions=["imports.view", "home.view", *rights])
            Membership.objects.filter(user__name="Ben").update(role=role)
        for path in WRITES:
            assert ben.post(f"{address}{path}", {"rounds": "1"}).status_code == 403, path
        assert send(ben, GOOD + b"C4,x,\n").status_code == 403
        assert "needs the right" in text(ben.get(address))
    assert snapshot(house) == before


def test_lists_take_a_constant_number_of_statements(
    ana: Client, house: Scope, queries: Callable[[Client, str], int]
) -> None:
    page_of(send(ana, GOOD))
    one = queries(ana, HOME)
    for n in range(6):
        page_of(send(ana, GOOD + f"C{n + 5},x,\n".encode()))
    assert queries(ana, HOME) == one
    assert one <= 16


def test_a_page_of_failed_rows_takes_a_constant_number_of_statements(
    ana: Client, house: Scope, queries: Callable[[Client, str], int]
) -> None:
    counts = []
    for n in (2, 90):
        address = page_of(send(ana, b"Number,Name\n" + b"".join(b"C%d,\n" % each for each in range(n))))
        named(ana, address)
        worked_off(house)
        counts.append(queries(ana, address))
        shown = text(ana.get(f"{address}?problem=missing"))
        assert f">{n}<" in shown
    assert counts[0] == counts[1]
    older = ana.get(address).context["older"]
    assert "C41" in text(ana.get(f"{address}{older}"))


def test_stopping_and_giving_up(ana: Client, house: Scope) -> None:
    address = page_of(send(ana, GOOD))
    page_of(ana.post(f"{address}discard/"))
    page_of(ana.post(f"{address}discard/"))
    assert "Given up" in text(ana.get(address))
    assert ana.post(f"{address}run/").status_code == 409
    again = page_of(send(ana, GOOD))
    assert again != address
    named(ana, again)
    worked_off(house)
    page_of(ana.post(f"{again}run/"))
    page_of(ana.post(f"{again}stop/"))
    worked_off(house)
    assert "Stopped with 3 rows to go" in text(ana.get(again))
    assert the(house).created == 0
