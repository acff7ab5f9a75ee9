"""What the gate is told of what a run is about to bill: few queries a batch, whatever its size."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, Count, Exists, F, Max, OuterRef, Q, Subquery, Sum, TextField, When, Window
from django.db.models.functions import Cast, Coalesce, JSONObject, RowNumber

from billing.domain.charges import ACTIVE, Charge
from billing.domain.dues import Due, plan_on
from billing.domain.gate import Bill, Crowd, Finding, Item, Line, Scene, Terms, assemble, review
from billing.domain.gate.kept import agreed, terms_of
from billing.domain.lines import discount_minor
from billing.domain.proration import MIDNIGHT, Proration
from billing.domain.terms import as_json, kept_terms
from billing.granted import discounts_of
from billing.models import (
    ONCE,
    AcceptedFinding,
    BilledPeriod,
    BillingRun,
    CorrectedPeriod,
    HeldSubscription,
    Price,
    SubscriptionItem,
)
from billing.recorded import as_gate_says, before, declared, in_arrears, parts_of, said_of_discounts
from billing.selectors import subscription_facts
from core.periods import DATES, Listed, Period, local_midnight, period_on
from invoicing.domain.totals import LineDraft

PAST = 6
"""Periods of an item that are looked back on."""
CROWD = 200
"""Last billed periods of a price that say what others pay."""
QUARTER = timedelta(days=92)
"""What a customer paid in this time says what it usually pays."""

KNOWN = 3
"""Billed periods from which that is known."""
SHORTEST = {"day": 1, "week": 7, "month": 28, "quarter": 89, "year": 365}
"""Days of the shortest period of a unit."""
MISSED = 1000
SLACK: dict[str, int | None] = {
    Proration.DAY: 1,
    Proration.SECOND: 1,
    Proration.THIRTIETH: 3,
    Proration.NONE: None,
}
"""Days that a part of a period may be off by each convention."""

_OF = "subscription__"
_ITEM = (
    "id", "subscription_id", "role", "quantity", "starts_on", "starts_time", "ends_on", "price_id", "price__plan_id",
    "price__plan__name", "price__plan__code", "price__plan__product__code", "price__plan__products_before",
    "price__model", "price__unit_price", "price__terms", "price__currency",
    "price__unit", "price__every", "price__dates", "price__timing", "price__tax_percent",
    *(f"{_OF}{name}" for name in (
        "created_at", "price_id", "quantity", "anchor", "proration", "zone", "ends_on", "customer_id",
        "customer__country", "customer__currency", "customer__created_at",
    )),
    "created_at", "waited", "yes", "paid", "discounts",
)  # fmt: skip


@dataclass
class Expectation:
    """What holds for one run: its day, the run before, and the crowds of prices, read when they are asked for."""

    as_of: date
    crowds: dict[str, Crowd] = field(default_factory=dict)
    plans: dict[tuple[str, str], Crowd] = field(default_factory=dict)
    known: set[int] = field(default_factory=set)

    @cached_property
    def last_run_on(self) -> date | None:
        """The day of the last run before that ended with nothing left."""
        done = BillingRun.objects.filter(as_of__lt=self.as_of, state="done")
        return done.aggregate(day=Max("as_of"))["day"]

    def scene(self, plan_ids: Iterable[int]) -> Scene:
        """The scene of a batch that bills something of these plans for the first time; a query where one is new."""
        if new := set(plan_ids) - self.known:
            self.known |= new
            self._read(new)
        return Scene(self.as_of, self.last_run_on, self.crowds, self.plans)

    def _read(self, plan_ids: set[int]) -> None:
        recent = (
            BilledPeriod.objects.filter(item__price__plan_id__in=plan_ids)
            .annotate(nth=Window(RowNumber(), partition_by=F("item__price_id"), order_by=F("id").desc()))
            .filter(nth__lte=CROWD)
            .values("id")
        )
        by_price: dict[str, list[tuple[str, Line]]] = defaultdict(list)
        by_plan: dict[tuple[str, str], list[tuple[str, Line]]] = defaultdict(list)
        seen, cache = set(), Cache()
        for row in _billed(BilledPeriod.objects.filter(pk__in=recent)).order_by("-id"):
            if row["item_id"] in seen or not row["quantity"]:
                continue
            seen.add(row["item_id"])
            line = cache.line(row)
            member = (row["document__customer__country"], line)
            by_price[line.terms.price].append(member)
            by_plan[line.terms.plan, line.terms.currency].append(member)
        self.crowds |= {key: each for key, members in by_price.items() if (each := assemble(members))}
        self.plans |= {key: each for key, members in by_plan.items() if (each := assemble(members))}


@dataclass
class Cache:
    """Terms that were read once: most lines of a batch share theirs."""

    texts: dict[str, Terms] = field(default_factory=dict)
    prices: dict[tuple[Any, ...], Terms] = field(default_factory=dict)

    def line(
        self, row: Mapping[str, Any], otherwise: Terms | None = None, quantity: Decimal | None = None
    ) -> Line:
        """A billed period as it was; what was billed before terms were kept was billed as `otherwise` says."""
        text = row["kept"]
        if text == "{}" and otherwise is not None:
            terms = otherwise
        elif text not in self.texts:
            terms = self.texts[text] = terms_of(row["terms"])
        else:
            terms = self.texts[text]
        count, net = row["quantity"], row["amount_minor"]
        if row["changed"]:  # it is known by now what it should have been from the start
            count, net = Decimal(row["changed"]["quantity"]), row["changed"]["after"]
        count = quantity if count is None else count
        return Line(
            item=row["item_id"],
            customer=row["document__customer_id"],
            span=Period(row["period_start"], row["period_end"]),
            quantity=(count if count is not None else Decimal(1)).normalize(),
            amount_minor=net + row["discount_minor"],
            discount_minor=row["discount_minor"],
            terms=terms,
            metered=bool(row["terms"].get("metered")),
        )


def _billed(rows: Any) -> Any:
    last = CorrectedPeriod.objects.filter(period=OuterRef("pk")).order_by("-nth")
    said = JSONObject(quantity=Cast("quantity_now", TextField()), after="after_minor")
    return rows.annotate(kept=Cast("terms", TextField()), changed=Subquery(last.values(said=said)[:1])).values(
        "item_id", "period_start", "period_end", "quantity", "amount_minor", "discount_minor", "terms", "kept",
        "changed", "document__customer_id", "document__customer__country",
    )  # fmt: skip


def _price_of(row: Mapping[str, Any], *, metered: bool) -> dict[str, Any]:
    """The price of an item's row as it is kept with what is billed."""
    terms = kept_terms(row["price__model"], row["price__unit_price"], row["price__terms"])
    kept = agreed(
        as_json(terms),
        model=row["price__model"], price=row["price_id"], plan=row["price__plan__name"],
        currency=row["price__currency"], unit=row["price__unit"], every=row["price__every"],
        dates=row["price__dates"], timing=row["price__timing"], tax_percent=row["price__tax_percent"],
    )  # fmt: skip
    return kept | {"metered": True} if metered else kept


@dataclass(frozen=True, slots=True)
class Judged:
    """What the gate found by subscription, and for each item what is kept of its terms with what is billed."""

    findings: Mapping[int, tuple[Finding, ...]]
    kept: Mapping[int, dict[str, Any]]


def judge(charges: Sequence[Charge], expected: Expectation) -> Judged:
    """What is odd of charges that are about to be issued; two queries, and one more where a plan is new to the run.

    Inside work(). A run, a preview and a dry run ask this one function.
    """
    reader = _Reader(charges, expected)
    bills = [reader.bill(each) for each in charges]
    yes = {key for rows in reader.items.values() for row in rows for key in row["yes"]}
    return Judged(review(bills, reader.scene(bills), yes), reader.kept)


def missed(as_of: date) -> list[int]:
    """Live subscriptions that no run comes for by a day though something of them is due: ids, the first 1,000.

    A rough look at each item's last period; `judge` says by the calendar whether it is so. Inside work().
    """
    last = BilledPeriod.objects.filter(item=OuterRef("pk")).order_by("-period_start").values("period_end")[:1]
    items = (
        SubscriptionItem.objects.filter(
            subscription__state="active", subscription__held_at=None, subscription__next_bill_on__gt=as_of
        )
        .exclude(price__unit=ONCE)
        .annotate(through=Coalesce(Subquery(last), "starts_on"))
        .filter(Q(ends_on=None) | Q(ends_on__gt=F("through")))
        .filter(Q(subscription__ends_on=None) | Q(subscription__ends_on__gt=F("through")))
    )
    due = Q(price__timing="advance", through__lte=as_of)
    for unit, days in SHORTEST.items():
        due |= Q(price__timing="arrears", price__unit=unit, through__lte=as_of - timedelta(days=days))
    listed = Price.objects.filter(timing="arrears", unit=DATES).values_list("dates", flat=True)
    for dates in listed.distinct():
        begun = period_on(as_of, Listed(tuple(dates)), 1, as_of).start
        due |= Q(price__timing="arrears", price__dates=dates, through__lt=begun)
    found = items.filter(due).order_by("subscription_id").values_list("subscription_id", flat=True)
    return list(found.distinct()[:MISSED])


def with_nothing(subscription_ids: Sequence[int], as_of: date) -> list[Charge]:
    """Charges without a line, for what `missed` found: the gate says what is absent of them. Inside work()."""
    return [
        Charge(each, (), (), as_of, local_midnight(as_of, each.zone), ACTIVE, plan_on(each, as_of))
        for each in subscription_facts(subscription_ids)
    ]


class _Reader:
    """The rows of a batch, and the bills they make."""

    def __init__(self, charges: Sequence[Charge], expected: Expectation) -> None:
        self.expected = expected
        ids = [each.facts.subscription_id for each in charges]
        self.cache = Cache()
        self.kept: dict[int, dict[str, Any]] = {}
        self.agreed: dict[int, dict[str, Any]] = {}
        self.metered = {
            item.item_id for each in charges for item in each.facts.items if item.meter_id is not None
        }
        self.items: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for row in _items(ids, expected.as_of):
            self.items[row["subscription_id"]].append(row)
        self.past: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for row in _past(ids):
            self.past[row["item_id"]].append(row)

    def scene(self, bills: Sequence[Bill]) -> Scene:
        """The scene, with the crowds of plans that something is new of."""
        past = {line.item for bill in bills for line in bill.past}
        new = {line.item for bill in bills for line in bill.lines} - past
        plans = {row["price__plan_id"] for rows in self.items.values() for row in rows if row["id"] in new}
        return self.expected.scene(plans)

    def terms(self, row: Mapping[str, Any]) -> Terms:
        """The terms of an item by its own row, and keep them to be written with what is billed."""
        price = row["price_id"]
        if price not in self.agreed:
            self.agreed[price] = _price_of(row, metered=row["id"] in self.metered)
            self.cache.prices[price,] = terms_of(self.agreed[price])
        granted = [part for each in row["discounts"] for part in parts_of(each, row)]
        if not granted:
            self.kept[row["id"]] = self.agreed[price]
            return self.cache.prices[price,]
        self.kept[row["id"]] = self.agreed[price] | {"discounts": granted}
        return terms_of(self.kept[row["id"]])

    def bill(self, charge: Charge) -> Bill:
        """The gate's facts of one charge."""
        facts, rows = charge.facts, self.items[charge.facts.subscription_id]
        head = rows[0]
        items = tuple(self._item(row, rows) for row in rows)
        by_id = {each.id: each for each in items}
        past = tuple(
            self.cache.line(row, by_id[item].terms, by_id[item].quantity)
            for item in by_id
            for row in reversed(self.past.get(item, ()))
        )
        billed_in = past[-1].terms.currency if past else head[f"{_OF}customer__currency"]
        return Bill(
            subscription=facts.subscription_id,
            customer=head[f"{_OF}customer_id"],
            country=head[f"{_OF}customer__country"],
            currency=billed_in,
            entered_on=_local(head[f"{_OF}created_at"], facts.zone),
            lines=tuple(
                self._line(charge, due, draft, by_id[due.item.item_id])
                for due, draft in zip(charge.dues, charge.lines, strict=True)
            ),
            items=items,
            recounted=tuple(
                self._line(charge, each.due, each.whole, by_id[each.due.item.item_id])
                for each in charge.corrections
            ),
            past=past,
            declared=(*declared(items, by_id, self.past.keys()), *said_of_discounts(rows)),
            waited=head["waited"],
            arrears=in_arrears(rows),
            usual_minor=None if head["paid"] is None else int(head["paid"]) * 30 // QUARTER.days,
            listed=None
            if self.metered
            else (str(head[f"{_OF}price_id"]), head[f"{_OF}quantity"].normalize()),
        )

    def _item(self, row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Item:
        ends = [day for day in (row["ends_on"], row[f"{_OF}ends_on"]) if day is not None]
        return Item(
            id=row["id"],
            starts_on=row["starts_on"],
            ends_on=min(ends) if ends else None,
            anchor=row[f"{_OF}anchor"],
            terms=self.terms(row),
            quantity=None if row["id"] in self.metered else row["quantity"].normalize(),
            once=row["price__unit"] == ONCE,
            follows=before(row, rows),
            entered_on=_local(row["created_at"], row[f"{_OF}zone"]),
            slack=SLACK[row[f"{_OF}proration"]],
            timed=row["starts_time"] != MIDNIGHT,
        )

    def _line(self, charge: Charge, due: Due, draft: LineDraft, item: Item) -> Line:
        """A line as the pricing core made it, by the terms that it went by."""
        dates = due.item.unit.dates if isinstance(due.item.unit, Listed) else ()
        key = (
            item.terms.price,
            id(due.item.terms),
            draft.tax_percent,
            due.item.unit,
            due.item.every,
            due.item.timing,
        )
        if key not in self.cache.prices:
            self.cache.prices[key] = terms_of(
                agreed(
                    as_json(due.item.terms),
                    model=str(due.item.terms.model), price=int(item.terms.price), plan=due.item.name,
                    currency=charge.facts.currency, unit=str(due.item.unit or ONCE), every=due.item.every,
                    dates=dates, timing=str(due.item.timing), tax_percent=draft.tax_percent,
                )
            )  # fmt: skip
        start, end = draft.service_start or due.span.start, draft.service_end or due.span.end
        off = discount_minor(charge.facts.currency, due)
        granted = charge.facts.discounts_of(due.item)
        terms = self.cache.prices[key]
        if granted:
            terms = replace(terms, discounts=tuple(as_gate_says(each, terms.currency) for each in granted))
        return Line(
            item=item.id,
            customer=charge.facts.customer_id,
            span=Period(start, end),
            quantity=due.quantity,
            amount_minor=draft.amount_minor + off,
            discount_minor=off,
            terms=terms,
            metered=due.item.meter_id is not None,
        )


def _items(subscription_ids: Sequence[int], as_of: date) -> Any:
    """Items with their prices and subscriptions, as they are recorded; and what the customers of new ones paid."""
    subscription = OuterRef("subscription_id")
    held = HeldSubscription.objects.filter(subscription=subscription)
    yes = AcceptedFinding.objects.filter(subscription=subscription).values("key")
    paid = (
        BilledPeriod.objects.filter(
            subscription__customer=OuterRef("subscription__customer_id"), period_start__gt=as_of - QUARTER
        )
        .order_by()
        .values("subscription__customer_id")
        .annotate(minor=Sum("amount_minor"), n=Count("id"))
        .filter(n__gte=KNOWN)
        .values("minor")
    )
    new = ~Exists(BilledPeriod.objects.filter(subscription=subscription))
    rows = SubscriptionItem.objects.filter(subscription_id__in=subscription_ids)
    return (
        rows.annotate(
            waited=Exists(held),
            yes=ArraySubquery(yes),
            paid=Case(When(new, then=Subquery(paid))),
            discounts=discounts_of(OuterRef("subscription_id")),
        )
        .order_by("id")
        .values(*_ITEM)
    )


def _past(subscription_ids: Sequence[int]) -> Any:
    """The last periods of each item, newest first."""
    recent = (
        BilledPeriod.objects.filter(subscription_id__in=subscription_ids)
        .annotate(nth=Window(RowNumber(), partition_by=F("item_id"), order_by=F("period_start").desc()))
        .filter(nth__lte=PAST)
        .values("id")
    )
    return _billed(BilledPeriod.objects.filter(pk__in=recent)).order_by("item_id", "-period_start")


def _local(at: datetime, zone: str) -> date:
    return at.astimezone(ZoneInfo(zone)).date()
