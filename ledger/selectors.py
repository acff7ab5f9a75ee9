"""Reads of the books: what an object has in the journal, the journal itself, and the trial balance."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Cast

from core import tallies
from core.errors import NotFound
from core.money import Money
from core.paging import Order
from ledger.domain.entries import Purpose
from ledger.models import Account, Entry, Leg, PeriodLock

NEWEST = Order("pk", int, descending=True)


@dataclass(frozen=True, slots=True)
class LegView:
    """One leg as a journal shows it: exactly one of `debit` and `credit` is set, both are positive."""

    code: str
    name: str
    amount: Money
    customer: str = ""
    open_item: str = ""

    @property
    def debit(self) -> Money | None:
        return self.amount if self.amount.minor > 0 else None

    @property
    def credit(self) -> Money | None:
        return -self.amount if self.amount.minor < 0 else None


@dataclass(frozen=True, slots=True)
class EntryView:
    """An entry with its legs, debits first; `label` is the open item that it came from or moved, as people know it."""

    entry_id: int
    kind: str
    effective_on: date
    posted_on: date
    source: str
    label: str
    legs: tuple[LegView, ...]
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Sums:
    """Debits and credits of one currency."""

    debit: Money
    credit: Money

    @property
    def balanced(self) -> bool:
        return self.debit == self.credit

    @property
    def balance(self) -> Money:
        return self.debit - self.credit


def with_legs(entries: Sequence[Entry]) -> list[EntryView]:
    """The entries with their legs, one query. Inside work()."""
    legs: dict[int, list[Leg]] = defaultdict(list)
    rows = Leg.objects.filter(entry_id__in=[entry.pk for entry in entries])
    for leg in rows.select_related("account", "open_item", "customer").order_by("entry_id", "id"):
        legs[leg.entry_id].append(leg)
    return [_entry_view(entry, legs[entry.pk]) for entry in entries]


def _entry_view(entry: Entry, legs: Sequence[Leg]) -> EntryView:
    items = [leg.open_item for leg in legs if leg.open_item]
    own = [item.label for item in items if item.source == entry.source]
    label = own[-1] if own else items[0].label if items else ""
    views = [
        LegView(
            leg.account.code,
            leg.account.name,
            Money(leg.minor, leg.currency),
            leg.customer.public_id if leg.customer else "",
            leg.open_item.public_id if leg.open_item else "",
        )
        for leg in legs
    ]
    return EntryView(
        entry_id=entry.pk,
        kind=entry.kind,
        effective_on=entry.effective_on,
        posted_on=entry.posted_on,
        source=entry.source,
        label=label,
        legs=tuple(sorted(views, key=lambda leg: leg.credit is not None)),
        recorded_at=entry.recorded_at,
    )


def entries_about(sources: Collection[str], item_ids: Collection[int]) -> list[EntryView]:
    """Entries that come from one of the sources or move one of the open items, in order. One query, inside work()."""
    # A union, so that each side uses its own index; with OR between them all entries would be read.
    moved = Leg.objects.filter(open_item_id__in=list(item_ids)).values("entry_id")
    about = Entry.objects.filter(source__in=list(sources)).values("pk").union(moved)
    entries: dict[int, Entry] = {}
    legs: dict[int, list[Leg]] = defaultdict(list)
    rows = Leg.objects.filter(entry__in=about).select_related("entry", "account", "open_item", "customer")
    for leg in rows.order_by("entry_id", "id"):
        entries[leg.entry_id] = leg.entry
        legs[leg.entry_id].append(leg)
    return [_entry_view(entry, legs[pk]) for pk, entry in entries.items()]


def sums_of(entries: Sequence[EntryView]) -> list[Sums]:
    """Debits and credits of the entries by currency."""
    totals: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for entry in entries:
        for leg in entry.legs:
            totals[leg.amount.currency][leg.amount.minor < 0] += abs(leg.amount.minor)
    return [Sums(Money(debit, code), Money(credit, code)) for code, (debit, credit) in sorted(totals.items())]


@dataclass(frozen=True, slots=True)
class JournalFilter:
    """What of the journal is wanted; None and "" leave a condition out. Days are inclusive, of `effective_on`."""

    since: date | None = None
    until: date | None = None
    account: str = ""
    source: str = ""

    def __bool__(self) -> bool:
        return bool(self.since or self.until or self.account or self.source)


def journal(wanted: JournalFilter) -> "QuerySet[Entry]":
    """Entries of the journal that are wanted. Inside work()."""
    found: QuerySet[Entry] = Entry.objects.all()
    if wanted.since:
        found = found.filter(effective_on__gte=wanted.since)
    if wanted.until:
        found = found.filter(effective_on__lte=wanted.until)
    if wanted.source:
        found = found.filter(source=wanted.source)
    if wanted.account:
        found = found.filter(Exists(Leg.objects.filter(entry=OuterRef("pk"), account__code=wanted.account)))
    return found


def entry(entry_id: int) -> EntryView:
    """An entry with its legs, two queries; raises NotFound. Inside work()."""
    found = Entry.objects.filter(pk=entry_id).first()
    if found is None:
        raise NotFound("That entry is not here.")
    return with_legs([found])[0]


def journal_sums(wanted: JournalFilter) -> list[Sums]:
    """Debits and credits of what is wanted by currency; of the account's legs alone when one is named."""
    legs = Leg.objects.filter(entry__in=journal(wanted).values("id"))
    if wanted.account:
        legs = legs.filter(account__code=wanted.account)
    debit, credit = Sum("minor", filter=Q(minor__gt=0)), Sum("minor", filter=Q(minor__lt=0))
    rows = legs.values("currency").annotate(debit=debit, credit=credit).order_by("currency")
    return [
        Sums(Money(row["debit"] or 0, row["currency"]), Money(-(row["credit"] or 0), row["currency"]))
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """An account's balance in one currency, on the side it stands."""

    code: str
    name: str
    kind: str
    balance: Money

    @property
    def debit(self) -> Money | None:
        return self.balance if self.balance.minor > 0 else None

    @property
    def credit(self) -> Money | None:
        return -self.balance if self.balance.minor < 0 else None


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """Balances of all accounts in one currency; debits and credits come to the same."""

    currency: str
    rows: tuple[BalanceRow, ...]
    sums: Sums


def trial_balances(as_of: date | None = None) -> list[TrialBalance]:
    """The trial balance of each currency as of a day, or of everything. Two queries, inside work()."""
    accounts = {str(account.pk): account for account in Account.objects.all()}
    legs = tallies.sums("legs", "currency", "mark", where=Q() if as_of is None else Q(day__lte=as_of))
    groups: dict[str, list[BalanceRow]] = defaultdict(list)
    for row in sorted(legs, key=lambda row: (row["currency"], accounts[row["mark"]].code)):
        account, balance = accounts[row["mark"]], Money(int(row["sum"]), row["currency"])
        groups[row["currency"]].append(BalanceRow(account.code, account.name, account.kind, balance))
    return [
        TrialBalance(
            code,
            tuple(rows),
            Sums(
                Money(sum(row.balance.minor for row in rows if row.balance.minor > 0), code),
                Money(-sum(row.balance.minor for row in rows if row.balance.minor < 0), code),
            ),
        )
        for code, rows in groups.items()
    ]


def chart() -> list[dict[str, Any]]:
    """Code and name of each account, by code. Inside work()."""
    return list(Account.objects.order_by("code").values("code", "name"))


def control_balances(on: date) -> dict[str, int]:
    """Receivables less unapplied cash as of the end of a day, minor units by currency; one query."""
    control = Account.objects.filter(purpose__in=(Purpose.RECEIVABLE, Purpose.UNAPPLIED))
    marks = control.annotate(mark=Cast("pk", CharField())).values("mark")
    summed = tallies.sums("legs", "currency", where=Q(mark__in=marks, day__lte=on))
    return {row["currency"]: int(row["sum"]) for row in summed if row["sum"]}


def open_from(days: Iterable[tuple[int, date]]) -> dict[tuple[int, date], date]:
    """For each (legal entity, day) the first day from then on whose books are open, one query. Inside work()."""
    wanted = list(days)
    locks = PeriodLock.objects.filter(entity_id__in={entity_id for entity_id, _ in wanted})
    closed: dict[int, date] = {}
    for entity_id, through in locks.values_list("entity_id", "closed_through"):
        closed[entity_id] = max(through, closed.get(entity_id, through))
    return {
        (entity_id, day): max(day, closed[entity_id] + timedelta(days=1)) if entity_id in closed else day
        for entity_id, day in wanted
    }


def closed_entities(on: date) -> dict[int, date]:
    """Legal entities whose books take no posting of a day, with the day they are closed through. Inside work()."""
    return dict(PeriodLock.objects.filter(closed_through__gte=on).values_list("entity_id", "closed_through"))
