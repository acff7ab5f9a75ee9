"""Invoices and credit notes as lists: what is wanted, its rows, and what it comes to."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from core.money import Money
from core.paging import Order
from core.search import of_amount, starts
from invoicing.domain.display import standing
from invoicing.domain.numbers import PREFIXES
from invoicing.domain.states import State
from invoicing.models import Document
from receivables.listing import open_by_currency, open_sources, settled_sources
from receivables.selectors import item_states

NEWEST = Order("pk", int, descending=True)
STATES = ("draft", "open", "overdue", "paid", "void")
_KINDS = {"invoice": ["invoice", "opening"]}
"""What a kind of the filter means; an invoice of another system is one as well."""
_YEARS_BACK = 3
_COUNTER = re.compile(r"\d{1,7}", re.ASCII)


@dataclass(frozen=True, slots=True)
class DocumentFilter:
    """What is wanted; None and "" leave a condition out. Days are inclusive. `amount` is in major units as text."""

    state: str = ""
    kind: str = ""
    text: str = ""
    customer: str = ""
    currency: str = ""
    amount: str = ""
    due_from: date | None = None
    due_to: date | None = None
    issued_from: date | None = None
    issued_to: date | None = None


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """One row of the list. A credit note's amounts are negative: it takes away from what is owed."""

    document: Document
    states: list[str]
    total: Money
    open: Money | None

    @property
    def state(self) -> str:
        return self.states[0]


@dataclass(frozen=True, slots=True)
class CurrencyTotal:
    """What the filtered set comes to in one currency."""

    count: int
    total: Money
    open: Money


def documents(wanted: DocumentFilter, *, today: date) -> "QuerySet[Document]":
    """The documents that are wanted, in no order. Inside work()."""
    exact: dict[str, Any] = {
        "kind__in": _KINDS.get(wanted.kind, [wanted.kind]) if wanted.kind else [],
        "customer__public_id": wanted.customer,
        "currency": wanted.currency,
        "due_on__gte": wanted.due_from,
        "due_on__lte": wanted.due_to,
        "issued_on__gte": wanted.issued_from,
        "issued_on__lte": wanted.issued_to,
    }
    found: QuerySet[Document] = Document.objects.filter(
        **{name: value for name, value in exact.items() if value}
    )
    if wanted.amount:
        found = found.filter(of_amount("total_minor", wanted.amount) or Q(pk__in=[]))
    if wanted.text:
        found = found.filter(of_text(wanted.text, today))
    return _of_state(found, wanted.state, today)


def _of_state(found: "QuerySet[Document]", state: str, today: date) -> "QuerySet[Document]":
    if state in {"draft", "void"}:
        return found.filter(state=state)
    if state == "open":
        return found.filter(state=State.ISSUED, public_id__in=open_sources())
    if state == "overdue":
        return found.filter(state=State.ISSUED, public_id__in=open_sources(due_before=today))
    if state == "paid":
        return found.filter(Q(public_id__in=settled_sources()) | Q(total_minor=0), state=State.ISSUED)
    return found


def of_text(text: str, today: date) -> Q:
    """Documents whose number starts with the text or ends in its digits, or whose total it is."""
    written = text.strip()
    text = written.upper()
    wanted = starts("number", *{text, written})  # numbers of other systems may have small letters
    if text[:1].isdigit() and "-" in text:
        wanted |= starts("number", *(f"{prefix}-{text}" for prefix in PREFIXES.values()))
    if _COUNTER.fullmatch(text):
        years = range(today.year - _YEARS_BACK, today.year + 1)
        wanted |= Q(
            number__in=[f"{prefix}-{year}-{int(text):05d}" for prefix in PREFIXES.values() for year in years]
        )
    return wanted | (of_amount("total_minor", text) or Q())


def rows(page: Sequence[Document], *, today: date) -> list[DocumentRow]:
    """The page's rows with what is open of each, one query. Inside work()."""
    items = item_states([document.public_id for document in page])
    found = []
    for document in page:
        item = items.get(document.public_id)
        sign = -1 if document.kind == "credit_note" else 1
        found.append(
            DocumentRow(
                document=document,
                states=standing(
                    document.kind,
                    document.state,
                    total_minor=document.total_minor,
                    open_minor=item.open_minor if item else None,
                    due_on=document.due_on,
                    today=today,
                ),
                total=Money(sign * document.total_minor, document.currency),
                open=Money(sign * item.open_minor, document.currency) if item else None,
            )
        )
    return found


def totals(found: "QuerySet[Document]") -> list[CurrencyTotal]:
    """What the documents come to by currency, credit notes taking away. Two queries, inside work()."""
    counts: dict[str, int] = defaultdict(int)
    sums: dict[str, int] = defaultdict(int)
    for row in found.order_by().values("currency", "kind").annotate(n=Count("id"), minor=Sum("total_minor")):
        counts[row["currency"]] += row["n"]
        sums[row["currency"]] += -row["minor"] if row["kind"] == "credit_note" else row["minor"]
    if not counts:
        return []
    still = open_by_currency(found.order_by().values("public_id"))
    return [
        CurrencyTotal(counts[code], Money(int(sums[code]), code), Money(int(still.get(code, 0)), code))
        for code in sorted(counts)
    ]
