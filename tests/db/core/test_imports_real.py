"""Files of a real ledger, where they lie beside the repository: sums to the last unit."""

import csv
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Count, Sum

from cashapp.models import BankLine
from core.books import verify
from core.money import from_decimal
from core.scope import Scope, work
from invoicing.models import Document
from receivables.models import OpenItem
from tests.db.core.imports import checked, counts, problems, run, undone

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "data" / "receivables"
INVOICES, PAYMENTS = FOLDER / "invoices.csv", FOLDER / "payments.csv"
pytestmark = pytest.mark.skipif(not INVOICES.is_file(), reason="the files are not here")


@pytest.fixture(autouse=True)
def own_files(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


def sums_of(path: Path, amount: str, currency: str) -> dict[str, tuple[int, int]]:
    """(rows, minor units) by currency of the file, each amount rounded by itself."""
    found: dict[str, list[int]] = {}
    with path.open(encoding="utf-8-sig", newline="") as rows:
        for row in csv.DictReader(rows):
            minor = from_decimal(Decimal(row[amount].replace(",", "")), row[currency]).minor
            found.setdefault(row[currency], []).append(minor)
    return {code: (len(minors), sum(minors)) for code, minors in found.items()}


def test_open_invoices_of_a_real_ledger(committed_acorn: Scope) -> None:
    data = INVOICES.read_bytes()
    told = checked("invoices", data)
    assert counts(told) == (13_662, 0, 1_865)
    assert Counter(each["code"] for row in problems(told).values() for each in row) == {"decimals": 1_865}
    told = checked("invoices", data, rounds=True)
    assert counts(told) == (15_527, 0, 0)
    done = run(told)
    assert (done.state, counts(done)) == ("done", (15_527, 0, 0))
    wanted = sums_of(INVOICES, "Amount", "Currency Code")
    with work():
        made = Document.objects.order_by().values_list("currency").annotate(Count("id"), Sum("total_minor"))
        assert {code: (n, int(minor)) for code, n, minor in made} == wanted
        items = OpenItem.objects.order_by().values_list("currency").annotate(Count("id"), Sum("open_minor"))
        assert {code: (n, int(minor)) for code, n, minor in items} == wanted
        assert verify() == []
    assert counts(checked("invoices", data, rounds=True)) == (0, 15_527, 0)
    assert undone(done).state == "undone"
    with work():
        assert not Document.objects.exclude(state="void").exists()


def test_payments_of_a_real_bank_account(committed_acorn: Scope) -> None:
    with PAYMENTS.open(encoding="utf-8-sig", newline="") as rows:
        names = csv.DictReader(rows).fieldnames or []
    told = checked("payments", PAYMENTS.read_bytes(), rounds=True)
    assert told.rows == 12_262
    assert told.failed == 0, next(iter(problems(told).items()))
    done = run(told)
    amount, currency = told.mapping["amount"], told.mapping["currency"]
    assert {amount, currency} <= set(names)
    with work():
        made = BankLine.objects.order_by().values_list("currency").annotate(Count("id"), Sum("minor"))
        assert {code: (n, int(minor)) for code, n, minor in made} == sums_of(PAYMENTS, amount, currency)
        assert verify() == []
    assert counts(checked("payments", PAYMENTS.read_bytes(), rounds=True)) == (0, 12_262, 0)
    assert undone(done).state == "undone"
