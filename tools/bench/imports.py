"""Bringing invoices in from a file, against set-based SQL that fills the same tables."""

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from django.db import connection

from core import clock
from core.imports import opening
from core.imports import work as imports
from core.scope import current, work
from ledger.services.post import accounts
from tools.bench.data import acorn
from tools.bench.report import Row, peak_memory, seconds

COUNT = 15_527
CUSTOMERS = 50
_PEER = Path(__file__).with_name("import_peer.sql")


def invoices_file(count: int) -> bytes:
    """A CSV file of so many invoices of fifty customers, with three references each."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(
        ["Invoice number", "Customer number", "Customer name", "Currency", "Amount", "Issued on", "Due on",
         "Reference", "Second reference", "External id"]
    )  # fmt: skip
    for n in range(count):
        day = date(2020, 1, 1) + timedelta(days=n % 2000)
        owner = n % CUSTOMERS
        writer.writerow(
            [f"OLD-{n:07d}", f"C{owner}", f"Customer {owner}", "EUR", f"{100 + n % 9000}.{n % 100:02d}", day,
             day + timedelta(days=30), f"PO{n * 7919 % 10**9:09d}", f"{n * 104729 % 10**10:010d}", n]
        )  # fmt: skip
    return text.getvalue().encode()


def _whole(data: bytes) -> None:
    """Upload, check every row, bring them in: all of what a person waits for."""
    source = opening.upload("invoices", data=data, name="invoices.csv")
    with work():
        imports.prepare(source.public_id, mapping=source.mapping, choices={}, queued=False)
    imports.work_off(source.public_id)
    with work():
        imports.start(source.public_id, queued=False)
    imports.work_off(source.public_id)


def _limit(count: int) -> float:
    with acorn():
        with work():
            accounts()
        return seconds(lambda: _peer(count))


def _peer(count: int) -> None:
    with work(), connection.cursor() as cursor:
        cursor.execute(
            _PEER.read_text(encoding="utf-8"),
            {"org": current().organization_id, "at": clock.now(), "count": count, "customers": CUSTOMERS},
        )


def bring_in() -> Iterator[Row]:
    """CSV read, checked, checked again and posted; growth from a quarter; the same file again; memory."""
    limit = _limit(COUNT)
    with acorn():
        quarter = seconds(lambda: _whole(invoices_file(COUNT // 4)))
    with acorn():
        data = invoices_file(COUNT)
        taken = seconds(lambda: _whole(data))
        memory = peak_memory()
    yield Row(
        f"import, {COUNT:,} invoices, checked and run", f"{COUNT / taken:,.0f} rows/s",
        f"{COUNT / limit:,.0f} /s by SQL", limit / taken, 0.25,
    )  # fmt: skip
    yield Row(
        "  the same, growth n to 4n",
        f"{taken:.1f} s",
        f"{quarter:.1f} s",
        taken / quarter,
        4.6,
        at_least=False,
    )
    yield Row("  peak memory of the process", f"{memory:.0f} MB", "300 MB", memory / 300, 1, at_least=False)
