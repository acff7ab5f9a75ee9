"""Matching bank lines to open items: the decision alone, and with what it reads and books."""

import random
import time
from collections.abc import Iterator
from datetime import date, timedelta

from cashapp.domain.matching import Item, Known, Line, propose
from tools.bench.report import Row

DAY = date(2026, 11, 1)
WORDS = (
    "Freight",
    "Marine",
    "Dental",
    "Timber",
    "Optique",
    "Holding",
    "Foods",
    "Systems",
    "Energy",
    "Textil",
)


def world(lines: int, items: int) -> tuple[list[Line], list[Item], Known]:
    """Open items of ten customers' worth each, and lines that pay some: half quote a number, the rest only tie."""
    rng = random.Random(7)  # noqa: S311 - a bench, no secret
    owners = items // 10
    names = [f"{WORDS[n % len(WORDS)]} {n:06d} Ltd" for n in range(owners)]
    owed = [
        Item(n, n % owners, 1, "EUR", rng.randrange(1_000, 9_000_000), DAY - timedelta(days=60), DAY,
             (f"INV-2026-{n:06d}", f"{n * 7919 % 10**10:010d}"))
        for n in range(items)
    ]  # fmt: skip
    paid = rng.sample(owed, lines)
    money = [
        Line(n, names[item.customer_id] if n % 5 else "", f"DE{item.customer_id:020d}",
             f"Invoice {item.references[0]}" if n % 2 else "monthly", "EUR", item.open_minor, DAY)
        for n, item in enumerate(paid)
    ]  # fmt: skip
    known = {name.casefold(): frozenset({n}) for n, name in enumerate(names)}
    return money, owed, Known(known, {}, {})


def _cpu(lines: int, items: int) -> float:
    facts = world(lines, items)
    began = time.process_time()
    propose(*facts)
    return time.process_time() - began


def matching() -> Iterator[Row]:
    """CPU seconds of the decision for 10,000 lines and 50,000 open items, and its growth."""
    half, whole, double = _cpu(5_000, 25_000), _cpu(10_000, 50_000), _cpu(20_000, 100_000)
    yield Row(
        "matching, 10,000 lines to 50,000 items", f"{whole:.2f} s of CPU", "3 s", whole / 3, 1, at_least=False
    )
    yield Row(
        "  growth when both double", f"{double:.2f} s", f"{whole:.2f} s ({half:.2f} s half)", double / whole, 2.3,
        at_least=False,
    )  # fmt: skip
