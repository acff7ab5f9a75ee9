"""Balances by customer and over all of them: pure reads, each a constant number of queries, inside work()."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    F,
    IntegerField,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from core import tallies
from core.money import Money
from customers.balances import Balance, OpenLine
from receivables.domain.dso import Dso, first_day
from receivables.domain.items import SIDES, Kind, Side
from receivables.models import OpenItem

NOT_DUE, LAST_BUCKET = 0, 4
_BUCKET_ENDS = (0, 30, 60, 90)
"""Last day late of each ageing bucket but the last."""

_FIGURES = ("owed_minor", "overdue_minor", "credit_minor", "items")
_OPEN = Q(topic__in=("open", "later"))
"""The tallies that together say what is open by the day on which it is due."""
_debit, _credit = Q(side=Side.DEBIT), Q(side=Side.CREDIT)


def _open_rows() -> "QuerySet[OpenItem]":
    rows: QuerySet[OpenItem] = OpenItem.objects.filter(open_minor__gt=0)
    return rows


def _sum(condition: Q, of: str = "open_minor") -> Coalesce:
    return Coalesce(Sum(of, filter=condition), 0, output_field=BigIntegerField())


def _overdue(today: date) -> Combinable:
    """What was due before today; of an item whose deposit is open, the rest only when its own day is past."""
    later = _debit & Q(due_on__lt=today, rest_due_on__gte=today)
    return _sum(_debit & Q(due_on__lt=today)) - _sum(later, "later_minor")


def _sums(today: date) -> dict[str, Any]:
    return {
        "owed_minor": _sum(_debit),
        "overdue_minor": _overdue(today),
        "credit_minor": _sum(_credit),
        "items": Count("pk"),
    }


def by_customer(customer_ids: Iterable[int], *, today: date) -> dict[int, list[Balance]]:
    """Balances of customers by id, by currency; one query."""
    rows = _open_rows().filter(customer_id__in=list(customer_ids)).values("customer_id", "currency")
    found: dict[int, list[Balance]] = {}
    for row in rows.annotate(**_sums(today)).order_by("currency"):
        figures: dict[str, Any] = dict(row)
        found.setdefault(figures.pop("customer_id"), []).append(Balance(**figures))
    return found


def of_all(customer_ids: "QuerySet[Any, Any]", *, today: date) -> list[Balance]:
    """Balances of all customers of a subquery of ids together, by currency; one query."""
    rows = _open_rows().filter(customer_id__in=customer_ids).values("currency")
    return [Balance(**row) for row in rows.annotate(**_sums(today)).order_by("currency")]


def of_all_but(customer_ids: "QuerySet[Any, Any]", *, today: date) -> list[Balance]:
    """Balances of everybody together but a few, the customers of a subquery of ids, by currency; two queries."""
    sums: dict[str, Counter[str]] = {}
    for row in tallies.sums_where(_OPEN, "currency", "kind", late=_is_late(today)):
        figures = sums.setdefault(row["currency"], Counter())
        figures["items"] += int(row["n"])
        if SIDES[Kind(row["kind"])] is Side.CREDIT:
            figures["credit_minor"] += int(row["sum"])
        else:
            figures["owed_minor"] += int(row["sum"])
            figures["overdue_minor"] += int(row["sum"]) if row["late"] else 0
    for balance in of_all(customer_ids, today=today):
        for name in _FIGURES:
            sums[balance.currency][name] -= getattr(balance, name)
    return [
        Balance(code, **{name: figures[name] for name in _FIGURES})
        for code, figures in sorted(sums.items())
        if figures["items"]
    ]


def _is_late(today: date) -> Case:
    return Case(When(day__lt=today, then=Value(1)), default=Value(0), output_field=IntegerField())


def overdue_ids(*, today: date) -> "QuerySet[Any, Any]":
    """Ids of customers with something overdue, as a subquery."""
    return _open_rows().filter(_debit, due_on__lt=today).values("customer_id")


def open_in(currency: str) -> Combinable:
    """What a customer owes in a currency less credits, as an expression over the customer's row."""
    signed = Case(When(_debit, then=F("open_minor")), default=-F("open_minor"))
    rows = _open_rows().filter(customer_id=OuterRef("pk"), currency=currency).order_by().values("customer_id")
    summed = rows.annotate(minor=Sum(signed)).values("minor")
    return Coalesce(Subquery(summed), Value(0), output_field=BigIntegerField())


def open_lines(customer_id: int, *, limit: int) -> list[OpenLine]:
    """Open items of a customer, oldest due first; one query."""
    rows = _open_rows().filter(customer_id=customer_id).order_by("due_on", "id")[:limit]
    return [
        OpenLine(
            label=item.label,
            kind=item.kind,
            source=item.source,
            effective_on=item.effective_on,
            due_on=item.due_on,
            total=Money(_signed(item, item.total_minor), item.currency),
            amount=Money(_signed(item, item.open_minor), item.currency),
            later=Money(item.later_minor, item.currency),
            later_on=item.rest_due_on,
        )
        for item in rows
    ]


def _signed(item: OpenItem, minor: int) -> int:
    return minor if item.side == Side.DEBIT else -minor


def recent_sources(customer_id: int, *, limit: int) -> dict[str, str]:
    """Labels of a customer's newest items by what they came from and by their own public id; one query."""
    rows = OpenItem.objects.filter(customer_id=customer_id).order_by("-id")
    found: dict[str, str] = {}
    for source, public_id, label in rows.values_list("source", "public_id", "label")[:limit]:
        found |= {source: label, public_id: label}
    return found


def has_items(entity_id: int) -> bool:
    """Whether anything was ever booked for a legal entity; one query."""
    return OpenItem.objects.filter(entity_id=entity_id).exists()


def any_items() -> bool:
    """Whether anything was ever booked; one query."""
    return OpenItem.objects.exists()


@dataclass(frozen=True, slots=True)
class Bucket:
    """Open debits of one currency by days past due: 0 not due, 1 up to 30, 2 up to 60, 3 up to 90, 4 over 90."""

    level: int
    minor: int
    items: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one currency stands today. `received_minor` came in since `since`, payments by value date,
    those taken back subtracted."""

    currency: str
    buckets: tuple[Bucket, ...]
    credit_minor: int
    received_minor: int
    received_count: int
    dso: Dso

    @property
    def owed(self) -> Money:
        return Money(sum(bucket.minor for bucket in self.buckets), self.currency)

    @property
    def overdue(self) -> Money:
        return Money(sum(bucket.minor for bucket in self.buckets[1:]), self.currency)

    @property
    def open(self) -> Money:
        return Money(self.owed.minor - self.credit_minor, self.currency)

    @property
    def credit(self) -> Money:
        return Money(self.credit_minor, self.currency)

    @property
    def received(self) -> Money:
        return Money(self.received_minor, self.currency)


def bucket_days(level: int, today: date) -> tuple[date | None, date | None]:
    """First and last due date of an ageing bucket; None where it is open-ended."""
    first = None if level == LAST_BUCKET else today - timedelta(days=_BUCKET_ENDS[level])
    last = None if level == NOT_DUE else today - timedelta(days=_BUCKET_ENDS[level - 1] + 1)
    return first, last


def _level(today: date) -> Case:
    whens = [
        When(day__gte=today - timedelta(days=days), then=Value(level))
        for level, days in enumerate(_BUCKET_ENDS)
    ]
    return Case(*whens, default=Value(LAST_BUCKET), output_field=IntegerField())


def standings(*, today: date, since: date) -> list[Standing]:
    """Each currency in which something is open or came in since `since`, by code; one query."""
    buckets: dict[str, dict[int, Bucket]] = {}
    credit: dict[str, int] = {}
    flows: dict[str, _Flow] = {}
    came_in = Q(kind__in=(Kind.PAYMENT, Kind.REVERSAL), day__gt=since)
    wanted = _OPEN | (Q(topic="items", day__lte=today) & (came_in | _sold(today)))
    for row in tallies.sums_where(wanted, "topic", "currency", "kind", level=_level(today)):
        code, kind, level, minor, n = (row[name] for name in ("currency", "kind", "level", "sum", "n"))
        if not (n or minor):
            continue
        if row["topic"] == "items":
            _add(flows.setdefault(code, {}), kind, int(minor), int(n))
        elif SIDES[Kind(kind)] is Side.CREDIT:
            credit[code] = credit.get(code, 0) + int(minor)
        else:
            before = buckets.setdefault(code, {}).get(level, Bucket(level, 0, 0))
            buckets[code][level] = Bucket(level, before.minor + int(minor), before.items + int(n))
    received = {code for code, kinds in flows.items() if {Kind.PAYMENT, Kind.REVERSAL} & kinds.keys()}
    return [
        _standing(code, buckets.get(code, {}), credit.get(code, 0), flows.get(code, {}))
        for code in sorted({*buckets, *credit, *received})
    ]


_Flow = dict[str, tuple[int, int]]
"""Minor units and number of items by kind."""


def _standing(code: str, buckets: dict[int, Bucket], credit_minor: int, flow: _Flow) -> Standing:
    received, count = flow.get(Kind.PAYMENT, (0, 0))
    owed = sum(bucket.minor for bucket in buckets.values())
    return Standing(
        currency=code,
        buckets=tuple(buckets.get(level, Bucket(level, 0, 0)) for level in range(LAST_BUCKET + 1)),
        credit_minor=credit_minor,
        received_minor=received - flow.get(Kind.REVERSAL, (0, 0))[0],
        received_count=count,
        dso=_dso(owed - credit_minor, flow),
    )


def _dso(closing_minor: int, flow: _Flow) -> Dso:
    invoiced, credited, voided = (
        flow.get(kind, (0, 0))[0] for kind in (Kind.INVOICE, Kind.CREDIT_NOTE, Kind.VOID)
    )
    return Dso(closing_minor, invoiced, credited, voided)


def _sold(until: date) -> Q:
    return Q(kind__in=(Kind.INVOICE, Kind.CREDIT_NOTE, Kind.VOID), day__gte=first_day(until))


def _add(flow: _Flow, kind: str, minor: int, items: int) -> None:
    before = flow.get(kind, (0, 0))
    flow[kind] = before[0] + minor, before[1] + items


def _flows(which: Q, *, until: date) -> dict[str, _Flow]:
    found: dict[str, _Flow] = {}
    for row in tallies.sums("items", "currency", "kind", where=which & Q(day__lte=until)):
        if row["n"]:
            _add(found.setdefault(row["currency"], {}), row["kind"], int(row["sum"]), int(row["n"]))
    return found


def dso(closing: dict[str, int], *, on: date) -> dict[str, Dso]:
    """Days sales outstanding at the end of a day by currency, from what was open then in minor units; one query."""
    flows = _flows(_sold(on), until=on)
    return {
        code: _dso(closing.get(code, 0), flows.get(code, {}))
        for code in sorted(closing.keys() | flows.keys())
    }


@dataclass(frozen=True, slots=True)
class LatePayer:
    """A customer's overdue sum in one currency and the oldest due date of it."""

    customer_id: int
    overdue: Money
    oldest_due_on: date


def late_payers(currency: str, *, today: date, limit: int) -> list[LatePayer]:
    """Who owes most past due in a currency, biggest first; one query."""
    rows = _open_rows().filter(_debit, currency=currency, due_on__lt=today).values("customer_id")
    summed = rows.annotate(minor=_overdue(today), oldest=Min("due_on")).order_by("-minor", "customer_id")
    return [
        LatePayer(row["customer_id"], Money(row["minor"], currency), row["oldest"]) for row in summed[:limit]
    ]
