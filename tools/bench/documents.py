"""PDF against bare WeasyPrint on the same HTML, and in two processes."""

import threading
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.template.loader import render_to_string

from core.pdf import Renderer
from core.pdf_worker import make_renderer
from core.sheets import DocumentSheet, SheetLine, SheetTax
from tools.bench.report import Row, middle, seconds

PAGES = 20


def document() -> str:
    """An invoice of one page and ten lines, as the product lays it out."""
    sheet = DocumentSheet(
        title="Invoice",
        number="INV-2026-00042",
        seller_name="Acorn Instruments",
        buyer_name="Kestrel Freight Ltd",
        issued_on="26 November 2026",
        currency="EUR",
        net="1,000.00",
        total="1,190.00",
        lines=tuple(
            SheetLine(f"Track Pro {n}", "100.00", quantity="1", unit_price="100.00") for n in range(10)
        ),
        tax_lines=(SheetTax("VAT 19 %", "1,000.00", "190.00"),),
        due_on="26 December 2026",
    )
    return render_to_string("invoicing/document_pdf.html", {"doc": sheet})


def pdf() -> Iterator[Row]:
    """One document of ten lines: whole service against the library alone; two processes against one."""
    html = document()
    fonts = Path(settings.BASE_DIR) / "static" / "dist" / "fonts"
    library = make_renderer(str(fonts))
    library(html)
    bare = middle(lambda: library(html), rounds=9)
    first, second = Renderer(), Renderer()
    for each in (first, second):
        each.render(html)
    own = middle(lambda: first.render(html), rounds=9)
    alone = seconds(lambda: [first.render(html) for _ in range(PAGES)])

    def half(renderer: Renderer) -> None:
        for _ in range(PAGES // 2):
            renderer.render(html)

    def both() -> None:
        threads = [threading.Thread(target=half, args=[each]) for each in (first, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    together = seconds(both)
    first.stop()
    second.stop()
    yield Row(
        "PDF, one page of ten lines", f"{own * 1000:.0f} ms", f"{bare * 1000:.0f} ms by the library", own / bare, 1.15,
        at_least=False,
    )  # fmt: skip
    yield Row(
        "  two processes",
        f"{PAGES / together:.1f} pages/s",
        f"{PAGES / alone:.1f} pages/s by one",
        alone / together,
        1.7,
    )
