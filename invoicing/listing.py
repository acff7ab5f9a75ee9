"""Invoices and credit notes as lists: what is wanted, its rows, and what it comes to."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

from core import tallies
from core.money import Money
from core.paging import Order
from core.search import of_amount, starts
from invoicing.domain.display import standing
from invoicing.domain.numbers import PREFIXES
from invoicing.domain.states import State
from invoicing.models import Document
from invoicing.subscriptions import of_subscription
from receivables.listing import OpenSum, open_by_currency, open_of, open_sources, open_sums
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
    subscription: str = ""
    currency: str = ""
    amount: str = ""
    due_from: date | None = None
    due_to: date | None = None
    issued_from: date | None = None
    issued_to: date | None = None

    @property
    def is_tallied(self) -> bool:
        """Whether nothing but state, kind and currency is asked for, of which the figures are kept."""
        return self == DocumentFilter(state=self.state, kind=self.kind, currency=self.currency)


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """One row of the list. A credit note's amounts are negative: it takes away from what is owed.

    `due_on` is the day on which something of it is due next.
    """

    document: Document
    states: list[str]
    total: Money
    open: Money | None
    due_on: date | None

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
    if wanted.subscription:
        found = found.filter(of_subscription(wanted.subscription))
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
    if state == "overdue":  # no item is due before its document says so; saying that passes over the newest
        sooner = Q(due_on__lt=today) | Q(deposit_percent__gt=0, issued_on__lt=today)
        return found.filter(sooner, state=State.ISSUED, public_id__in=open_sources(due_before=today))
    if state == "paid":
        return found.filter(~Exists(open_of(OuterRef("public_id"))), state=State.ISSUED)
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
                    due_on=item.due_on if item else document.due_on,
                    today=today,
                ),
                due_on=item.due_on if item else document.due_on,
                total=Money(sign * document.total_minor, document.currency),
                open=Money(sign * item.open_minor, document.currency) if item else None,
            )
        )
    return found


def totals(wanted: DocumentFilter, *, today: date) -> list[CurrencyTotal]:
    """What the wanted documents come to by currency, credit notes taking away. Two queries, inside work()."""
    if wanted.is_tallied:
        return _tallied(wanted, today)
    return counted(documents(wanted, today=today))


def counted(found: "QuerySet[Document]") -> list[CurrencyTotal]:
    """The same of any documents, by reading them."""
    sums = _Sums()
    for row in found.order_by().values("currency", "kind").annotate(n=Count("id"), minor=Sum("total_minor")):
        sums.add(row["kind"], row["currency"], row["n"], row["minor"])
    return sums.totals(open_by_currency(found.order_by().values("public_id")) if sums.counts else {})


def _tallied(wanted: DocumentFilter, today: date) -> list[CurrencyTotal]:
    """The same from the tallies of documents and of open items, each of which is one issued document."""
    kinds = _KINDS.get(wanted.kind, [wanted.kind]) if wanted.kind else ["invoice", "opening", "credit_note"]
    still = [] if wanted.state in {"draft", "void"} else _still_open(wanted, kinds, today)
    sums = _Sums()
    left: dict[str, int] = defaultdict(int)
    if wanted.state in {"open", "overdue"}:
        for each in still:
            sums.add(each.kind, each.currency, each.count, each.total_minor)
    else:
        for row in tallies.sums("documents", "kind", "currency", where=_kept(wanted, kinds)):
            sums.add(row["kind"], row["currency"], int(row["n"]), int(row["sum"]))
        for each in still if wanted.state == "paid" else ():
            sums.add(each.kind, each.currency, -each.count, -each.total_minor)
    for each in still if wanted.state != "paid" else ():
        left[each.currency] += each.open_minor
    return sums.totals(left)


def _still_open(wanted: DocumentFilter, kinds: Sequence[str], today: date) -> list[OpenSum]:
    found = open_sums(kinds, due_before=today if wanted.state == "overdue" else None)
    return [each for each in found if wanted.currency in {"", each.currency}]


def _kept(wanted: DocumentFilter, kinds: Sequence[str]) -> Q:
    state = State.ISSUED if wanted.state == "paid" else wanted.state
    exact = {"mark": state, "currency": wanted.currency}
    return Q(kind__in=kinds, **{name: value for name, value in exact.items() if value})


@dataclass(slots=True)
class _Sums:
    """Counts and totals by currency; a credit note's takes away."""

    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    minor: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, kind: str, currency: str, count: int, minor: int) -> None:
        self.counts[currency] += count
        self.minor[currency] += -minor if kind == "credit_note" else minor

    def totals(self, still: Mapping[str, int]) -> list[CurrencyTotal]:
        """In order of currency; `still` is what is open."""
        return [
            CurrencyTotal(n, Money(int(self.minor[code]), code), Money(int(still.get(code, 0)), code))
            for code, n in sorted(self.counts.items())
            if n
        ]
