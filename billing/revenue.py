"""Monthly recurring revenue over any days: opening, what moved it, closing; and the movements behind each figure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta
from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import TruncMonth
from django.utils.translation import gettext as _

from billing.domain.mrr import Move
from billing.models import MrrMovement
from core.errors import Invalid
from core.money import Money
from core.paging import Order

MOST_MONTHS = 120
NEWEST = Order("day", date, descending=True)


@dataclass(frozen=True, slots=True)
class MovementFilter:
    """Which movements are wanted; what is empty asks for all. Days are the first and the last that count."""

    day_from: date | None = None
    day_to: date | None = None
    kind: str = ""
    currency: str = ""
    subscription: str = ""
    customer: str = ""
    plan: str = ""
    product: str = ""


@dataclass(frozen=True, slots=True)
class Moved:
    """Recurring revenue of a currency before `start`, how each kind moved it up to the end of `end`, and then."""

    start: date
    end: date
    opening: Money
    by_kind: Mapping[Move, Money]

    @property
    def net(self) -> Money:
        """What all movements come to."""
        return sum(self.by_kind.values(), Money(0, self.opening.currency))

    @property
    def closing(self) -> Money:
        """The recurring revenue at the end: opening and movements."""
        return self.opening + self.net


@dataclass(frozen=True, slots=True)
class Revenue:
    """Recurring revenue of a currency: each month, cut where the days begin and end, and all of it as one."""

    currency: str
    months: list[Moved]
    whole: Moved


@dataclass(slots=True)
class _Sums:
    opening: int = 0
    months: dict[date, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))


def year_to(day: date) -> date:
    """The first day of the eleventh month before a day's: the beginning of a year of months that ends with it."""
    return day.replace(day=1) - relativedelta(months=11)


def revenue(day_from: date, day_to: date, *, plan: str = "", product: str = "") -> list[Revenue]:
    """Recurring revenue of each currency over days, both included; two queries. Inside work().

    With `plan` or `product`, codes, that of the subscriptions which are on it, or on a plan of it, now. Raises Invalid
    for days in the wrong order and for more than MOST_MONTHS months.
    """
    months = _months(day_from, day_to)
    rows = movement_rows(MovementFilter(plan=plan, product=product)).order_by()
    sums: dict[str, _Sums] = defaultdict(_Sums)
    for code, minor in rows.filter(day__lt=day_from).values_list("currency").annotate(Sum("delta_minor")):
        sums[code].opening = int(minor)
    within = rows.filter(day__gte=day_from, day__lte=day_to).annotate(month=TruncMonth("day"))
    for code, month, kind, minor in within.values_list("currency", "month", "kind").annotate(
        Sum("delta_minor")
    ):
        sums[code].months[month][kind] = int(minor)
    return [
        _revenue(code, each, months) for code, each in sorted(sums.items()) if each.opening or each.months
    ]


def movement_rows(wanted: MovementFilter) -> "QuerySet[MrrMovement]":
    """The movements that are wanted, with subscription, plan and customer, in no order. Inside work()."""
    exact = {
        "kind": wanted.kind,
        "currency": wanted.currency,
        "subscription__public_id": wanted.subscription,
        "subscription__customer__public_id": wanted.customer,
        "subscription__price__plan__code": wanted.plan,
        "subscription__price__plan__product__code": wanted.product,
        "day__gte": wanted.day_from,
        "day__lte": wanted.day_to,
    }
    found: QuerySet[MrrMovement] = MrrMovement.objects.select_related(
        "subscription__customer", "subscription__price__plan"
    )
    return found.filter(Q(**{name: value for name, value in exact.items() if value}))


def sums_of(rows: "QuerySet[MrrMovement]") -> list[Money]:
    """What movements come to, by currency; one query. Inside work()."""
    found = rows.order_by("currency").values_list("currency").annotate(Sum("delta_minor"))
    return [Money(int(minor), code) for code, minor in found]


def worth_by_plan(day: date, *, product: str) -> list[tuple[int, Money]]:
    """What subscriptions are worth a month on a day, by the plan (id) of a product (code) that they are on now.

    By currency, what is not nothing; one query. Inside work().
    """
    rows = movement_rows(MovementFilter(day_to=day, product=product)).order_by("currency")
    found = rows.values_list("subscription__price__plan_id", "currency").annotate(Sum("delta_minor"))
    return [(plan_id, Money(int(minor), code)) for plan_id, code, minor in found if minor]


def _months(day_from: date, day_to: date) -> list[tuple[date, date]]:
    """First and last day of each month of the days, cut at both ends. Raises Invalid."""
    if day_to < day_from:
        problem = _("The last day comes before the first.")
        raise Invalid(problem, fields={"day_to": problem})
    count = (day_to.year - day_from.year) * 12 + day_to.month - day_from.month + 1
    if count > MOST_MONTHS:
        problem = _("At most %(n)s months at once.") % {"n": MOST_MONTHS}
        raise Invalid(problem, fields={"day_from": problem})
    first = day_from.replace(day=1)
    starts = [first + relativedelta(months=n) for n in range(count)]
    return [
        (max(start, day_from), min(start + relativedelta(months=1) - timedelta(days=1), day_to))
        for start in starts
    ]


def _revenue(code: str, sums: _Sums, months: Iterable[tuple[date, date]]) -> Revenue:
    rows = list(_moved(code, sums, months))
    total = {move: sum((row.by_kind[move] for row in rows), Money(0, code)) for move in Move}
    return Revenue(code, rows, Moved(rows[0].start, rows[-1].end, Money(sums.opening, code), total))


def _moved(code: str, sums: _Sums, months: Iterable[tuple[date, date]]) -> Iterator[Moved]:
    opening = Money(sums.opening, code)
    for start, end in months:
        kinds = sums.months.get(start.replace(day=1), {})
        each = Moved(start, end, opening, {move: Money(kinds.get(str(move), 0), code) for move in Move})
        yield each
        opening = each.closing
