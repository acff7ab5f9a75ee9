"""The printed document: what it was given is on it, as text, on as many pages as it takes."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from django.template.loader import render_to_string

from core import pdf
from core.sheets import DocumentSheet, SheetLine, SheetTax

LINE = SheetLine("Track Pro", "1,740.00", "1–31 October 2026", "120", "14.50", "20 %")
SHEET = DocumentSheet(
    title="Invoice",
    number="INV-2026-01847",
    seller_name="Acorn Instruments Ltd",
    seller_address=("14 Quay Row", "Dublin"),
    seller_tax_number="VAT IE 6388047V",
    buyer_name="Kestrel Freight Ltd",
    buyer_address=("Unit 9, Wharf Lane", "Bristol"),
    buyer_number="K-1042",
    issued_on="31 October 2026",
    due_on="14 November 2026",
    terms="Net 14",
    currency="GBP",
    net="1,740.00",
    total="2,088.00",
    tax_lines=(SheetTax("VAT 20 %", "1,740.00", "348.00"),),
    lines=(LINE,),
    memo="Thank you.",
    pay_url="https://pay.example/p/1",
    dated="2026-10-31",
)


def html(sheet: DocumentSheet) -> str:
    return render_to_string("invoicing/document_pdf.html", {"doc": sheet})


def text(sheet: DocumentSheet, folder: Path) -> list[str]:
    """The pages as text."""
    if not shutil.which("pdftotext"):
        pytest.skip("pdftotext reads the pages of this test")
    path = folder / "made.pdf"
    path.write_bytes(pdf.render(html(sheet)))
    read = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True)
    return read.stdout.split("\f")[:-1]


def test_everything_given_is_printed(tmp_path: Path) -> None:
    (page,) = text(SHEET, tmp_path)
    for words in (
        "Invoice", "INV-2026-01847", "Kestrel Freight Ltd", "Unit 9, Wharf Lane", "K-1042", "14 November 2026",
        "Net 14", "GBP 2,088.00", "Track Pro", "1–31 October 2026", "120", "14.50", "VAT 20 % on 1,740.00", "348.00",
        "Thank you.", "pay.example/p/1", "VAT IE 6388047V",
    ):  # fmt: skip
        assert words in page
    assert "Still to pay" not in page


def test_a_part_payment_is_told(tmp_path: Path) -> None:
    (page,) = text(replace(SHEET, paid="88.00", open="2,000.00"), tmp_path)
    assert "Already paid" in page
    assert "GBP 2,000.00" in page


def test_a_long_document_repeats_its_head_and_counts_its_pages(tmp_path: Path) -> None:
    pages = text(replace(SHEET, lines=(LINE,) * 80), tmp_path)
    assert len(pages) > 2
    assert all("Description" in page for page in pages[:-1])
    assert f"2/{len(pages)}" in pages[1].replace(" ", "")


def test_empty_columns_and_boxes_are_left_out(tmp_path: Path) -> None:
    bare = replace(
        SHEET, title="Credit note", lines=(SheetLine("Refund", "−5.00"),), pay_url="", due_on="", terms=""
    )
    (page,) = text(replace(bare, credit_of="INV-7"), tmp_path)
    assert "Credit for invoice" in page
    for words in ("Quantity", "Price", "Pay online", "To pay by", "Terms"):
        assert words not in page


def test_what_is_given_stays_text() -> None:
    evil = '"><img src="file:///etc/passwd"><style>*{display:none}</style>{{ doc }}{% debug %}'
    made = html(
        replace(
            SHEET, buyer_name=evil, memo=evil, number=evil, brand="red;} * {}", lines=(SheetLine(evil, evil),)
        )
    )
    assert "<img" not in made
    assert made.count("<style>") == 1
    assert "red;}" not in made
    assert "#274b9f" in made


@pytest.mark.parametrize(
    "name", ["W" * 3000, "株式会社 🚀", "شركة المثال", "a\0b\u202ec", "\ud800", "\n" * 100]
)
def test_any_name_becomes_a_document(name: str) -> None:
    sheet = replace(
        SHEET, buyer_name=name, seller_name=name, lines=(SheetLine(name, "1.00", name),), memo=name
    )
    assert pdf.render(html(sheet)).startswith(b"%PDF-")


def test_the_same_document_is_the_same_bytes() -> None:
    assert pdf.render(html(SHEET)) == pdf.render(html(SHEET))
