"""Billing's lists and figures for pages."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Least

from billing.counted import bills_first, corrected_sums
from billing.domain.charges import ACTIVE, Charge, charge
from billing.domain.dues import Odd, dues, unused_from
from billing.domain.facts import SubscriptionFacts
from billing.domain.gate import Finding
from billing.domain.invoices import invoices_of
from billing.domain.prepaid import metered_minor
from billing.expectation import Expectation, judge, missed, with_nothing
from billing.findings import held, told
from billing.models import (
    PLAN,
    BilledPeriod,
    BillingRun,
    CorrectedPeriod,
    HeldSubscription,
    LateUsage,
    Plan,
    Price,
    Subscription,
    SubscriptionItem,
)
from billing.selectors import (
    billable,
    billable_again,
    closed_books,
    due,
    due_again,
    preview,
    subscription_facts,
    to_bill,
)
from billing.standing import standing
from billing.together import NextCredit, credits_with, invoice_with
from core.errors import AppError, NotFound
from core.money import Money
from core.paging import Order
from customers.selectors import billing_facts
from invoicing.domain.totals import Totals, totals
from invoicing.prepaid import would_pay
from receivables.listing import first_due

NEWEST = Order("pk", int, descending=True)
PREVIEWED = 1000


def plans() -> list[tuple[Plan, list[Price]]]:
    """Plans by name with their prices, each plan's by currency; two queries. Inside work()."""
    prices: dict[int, list[Price]] = defaultdict(list)
    for price in Price.objects.filter(overrides=None).order_by("currency", "id"):
        prices[price.plan_id].append(price)
    return [(plan, prices[plan.pk]) for plan in Plan.objects.order_by("name", "id")]


def subscribed() -> dict[int, int]:
    """Number of live subscriptions that bill something at a price, by its id. Inside work()."""
    in_force = Q(ends_on=None) | Q(ends_on__gte=F("subscription__next_bill_on"), ends_on__gt=F("starts_on"))
    live = SubscriptionItem.objects.filter(in_force, subscription__state="active")
    rows = live.values_list("price_id").annotate(n=Count("subscription_id", distinct=True))
    return dict(rows.order_by())


def price(public_id: str) -> Price:
    """The price with this public id; raises NotFound. Inside work()."""
    found = (
        Price.objects.select_related("plan", "replaced_by", "meter", "overrides")
        .filter(public_id=public_id)
        .first()
    )
    if found is None:
        raise NotFound("That price is not here.")
    return found


def price_rows(*, plan: str = "", currency: str = "") -> "QuerySet[Price]":
    """Prices with their plans, those of a plan (code) and of a currency when they are given. Inside work().

    What was agreed for single subscriptions is not among them.
    """
    exact = {"plan__code": plan, "currency": currency}
    found: QuerySet[Price] = Price.objects.filter(overrides=None).select_related(
        "plan", "replaced_by", "meter"
    )
    return found.filter(**{name: value for name, value in exact.items() if value})


def plan_rows() -> "QuerySet[Plan]":
    """All plans. Inside work()."""
    found: QuerySet[Plan] = Plan.objects.all()
    return found


def prices(*, currency: str = "") -> list[Price]:
    """Prices that are offered, with their plans, by plan; those of a currency when it is given. Inside work()."""
    found = Price.objects.select_related("plan").filter(retired_at=None, overrides=None)
    wanted = found.filter(currency=currency) if currency else found
    return list(wanted.order_by("plan__name", "currency", "id"))


def subscriptions(
    *, state: str = "", customer: str = "", plan: str = "", today: date | None = None
) -> "QuerySet[Subscription]":
    """Subscriptions that are wanted, with customer and plan, in no order. Inside work().

    A `state` is one as of `today`, a local date; active has also what is held, on trial, to come or past due. Each
    has `unpaid_since`, the day on which the first due of its open invoices was due, without a statement of its own.
    """
    unpaid = (
        Subquery(first_due(OuterRef("customer_id"), rows.values("document__public_id")))
        for rows in (
            BilledPeriod.objects.filter(subscription=OuterRef(OuterRef("pk"))),
            CorrectedPeriod.objects.filter(subscription=OuterRef(OuterRef("pk"))),
        )
    )
    found: QuerySet[Subscription] = Subscription.objects.select_related(
        "customer", "price__plan", "price__overrides__plan"
    )
    found = found.annotate(unpaid_since=Least(*unpaid))
    if state and today is not None:
        found = found.filter(standing(state, today))
    if customer:
        found = found.filter(customer__public_id=customer)
    if plan:
        items = SubscriptionItem.objects.filter(subscription=OuterRef("pk"), price__plan__code=plan)
        found = found.filter(Exists(items))
    return found


def subscription(public_id: str) -> Subscription:
    """The subscription with this public id; raises NotFound. Inside work()."""
    found = subscriptions().filter(public_id=public_id).first()
    if found is None:
        raise NotFound("That subscription is not here.")
    return found


def periods(row: Subscription) -> "QuerySet[BilledPeriod]":
    """What was billed of a subscription, with its documents. Inside work()."""
    found: QuerySet[BilledPeriod] = BilledPeriod.objects.filter(subscription=row).select_related(
        "document", "run", "item__price__plan"
    )
    return found


@dataclass(frozen=True, slots=True)
class BilledItem:
    """An item of a subscription with the first day that nothing was billed for yet, and whether more comes."""

    row: SubscriptionItem
    billed_through: date
    live: bool

    @property
    def comes_later(self) -> bool:
        """Whether it takes the place of the plan that is shown, on a day to come."""
        at_once = self.row.subscription
        same = (at_once.price_id, at_once.quantity) == (self.row.price_id, self.row.quantity)
        return self.row.role == PLAN and self.live and self.billed_through == self.row.starts_on and not same


def items(row: Subscription, facts: SubscriptionFacts | None = None) -> list[BilledItem]:
    """What a subscription bills and billed, the plan first, but changes taken back. Inside work().

    Two queries, one when its facts are known.
    """
    if facts is None:
        (facts,) = subscription_facts([row.pk])
    known = {each.item_id: each for each in facts.items}
    rows = SubscriptionItem.objects.filter(subscription=row).exclude(ends_on=F("starts_on"))
    rows = rows.select_related("price__plan", "price__meter", "subscription")
    found = [
        BilledItem(each, known[each.pk].billed_through, next(dues(facts, known[each.pk]), None) is not None)
        for each in rows
    ]
    return sorted(found, key=lambda each: (each.row.role != PLAN, each.row.pk))


@dataclass(frozen=True, slots=True)
class NextBill:
    """What the next invoice of a subscription, as of a day, will say and what is credited with it, or why it cannot be.

    `charges` are all that the invoice bills, the subscription's own among them; none where it makes no invoice.
    `prepaid_minor` of its total is paid out of the customer's prepaid balance, if that stays as it is.
    """

    charge: Charge | None
    totals: Totals | None
    odd: str = ""
    credits: tuple[NextCredit, ...] = ()
    as_of: date | None = None
    charges: tuple[Charge, ...] = ()
    prepaid_minor: int = 0

    @property
    def due_minor(self) -> int:
        """What is left to pay of it, less what is credited with it; below zero where more is credited."""
        total = self.totals.total_minor - self.prepaid_minor if self.totals is not None else 0
        return total - sum(each.totals.total_minor for each in self.credits)

    @property
    def others(self) -> list[str]:
        """Public ids of other subscriptions on the same invoice."""
        return [each.facts.public_id for each in self.charges if each is not self.charge]


def next_bill(
    row: Subscription,
    *,
    today: date,
    settled: bool = False,
    alone: bool = False,
    facts: SubscriptionFacts | None = None,
) -> NextBill:
    """The next invoice of a subscription, by the run's own function. Inside work().

    It is as of the day on which something is due next, or late usage is, or today, if that is later; `settled`: of its
    bill, when all that ends within a billed period has ended, as previews ask; `alone`: without what others have on the
    same invoice. Of one that has ended there is none, but where usage came late.
    """
    known = facts
    if known is None and (row.state == ACTIVE or LateUsage.objects.filter(subscription=row).exists()):
        (known,) = subscription_facts([row.pk])
    if known is None or (row.state != ACTIVE and not any(item.late for item in known.items)):
        return NextBill(None, None)
    known, as_of = _comes(row, known, today, settled=settled)
    (known,) = to_bill([known], as_of)
    try:
        found = charge(known, as_of)
        less = found.credits or any(each.back for each in found.corrections)
        given = credits_with(found, as_of) if less else ()
    except (Odd, AppError) as reason:  # what cannot be credited, as in closed books, is not billed either
        return NextBill(None, None, str(reason))
    if not found.drafts and not given:
        return NextBill(None, None)
    whole = (found,) if alone else invoice_with(found, as_of, today)
    paid = would_pay(
        metered_minor(whole),
        customer_id=known.customer_id,
        entity_id=known.entity_id,
        currency=known.currency,
        on=as_of,
    )
    return NextBill(found, _totals(whole), credits=given, as_of=as_of, charges=whole, prepaid_minor=paid)


def _comes(
    row: Subscription, facts: SubscriptionFacts, today: date, *, settled: bool
) -> tuple[SubscriptionFacts, date]:
    """The day of the run that makes the next invoice, and the facts without what another run bills before."""
    late = facts.late_on
    alone = late is not None and not bills_first(row, max(late, today))
    if late is not None and alone and (row.state != ACTIVE or not settled):
        return facts, max(late, today)
    ends = [day for item in facts.items if (day := unused_from(facts, item)) is not None]
    if alone:
        facts = replace(facts, items=tuple(replace(item, late=None) for item in facts.items))
    return facts, max([row.next_bill_on, today, *(ends if settled else ())])


def _totals(invoice: Sequence[Charge]) -> Totals:
    return totals(tuple(line for each in invoice for line in each.drafts))


def runs() -> "QuerySet[BillingRun]":
    """The organization's runs. Inside work()."""
    found: QuerySet[BillingRun] = BillingRun.objects.all()
    return found


def run(public_id: str) -> BillingRun:
    """The run with this public id; raises NotFound. Inside work()."""
    found = BillingRun.objects.filter(public_id=public_id).first()
    if found is None:
        raise NotFound("That run is not here.")
    return found


@dataclass(frozen=True, slots=True)
class RunFigures:
    """How far a run is. `sums` are (documents, net) by currency."""

    to_go: int
    sums: list[tuple[int, Money]]


def run_figures(row: BillingRun) -> RunFigures:
    """What the run billed by currency and what is left for it, few queries. Inside work()."""
    sums = (
        BilledPeriod.objects.filter(run=row)
        .values("document__currency")
        .annotate(n=Count("document_id", distinct=True), minor=Sum("amount_minor"))
        .order_by("document__currency")
    )
    left = due(row.as_of).count() + due_again(row.as_of).count() if row.state != "done" else 0
    figures = {each["document__currency"]: (each["n"], int(each["minor"])) for each in sums}
    for each in corrected_sums(row):
        n, minor = figures.get(each["document__currency"], (0, 0))
        figures[each["document__currency"]] = n + each["n"], minor + int(each["minor"])
    return RunFigures(left, [(n, Money(minor, code)) for code, (n, minor) in sorted(figures.items())])


def held_by(row: BillingRun) -> list[HeldSubscription]:
    """What the run put aside and nobody has released yet, the first 200. Inside work()."""
    return list(
        HeldSubscription.objects.filter(run=row, subscription__held_at__isnull=False)
        .select_related("subscription__customer", "subscription__price__plan")
        .order_by("id")[:200]
    )


def billed_by(row: BillingRun) -> "QuerySet[BilledPeriod]":
    """What the run billed, with documents and customers. Inside work()."""
    found: QuerySet[BilledPeriod] = BilledPeriod.objects.filter(run=row).select_related(
        "document", "subscription__customer", "subscription__price__plan"
    )
    return found


@dataclass(frozen=True, slots=True)
class CurrencyPreview:
    """What a run would bill in one currency."""

    count: int
    net: Money
    total: Money


@dataclass(frozen=True, slots=True)
class WouldHold:
    """A subscription that a run would put aside: whose, why, and what the gate finds, as it would be stored."""

    subscription: str
    name: str
    reason: str
    findings: list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class RunPreview:
    """What a run would do: invoices and totals by currency, what it would hold and why; `more` was not looked at.

    `closed` says whose books keep it from billing all that is due.
    """

    count: int
    sums: list[CurrencyPreview]
    odd: list[WouldHold]
    more: int
    closed: str


def run_preview(as_of: date) -> RunPreview:
    """What a run for the day would bill, by the run's own function, the first 1000 subscriptions. Inside work()."""
    lines, found = judged_preview(as_of)
    return RunPreview(
        count=len(lines),
        sums=_sums(lines),
        odd=_named(found[:50]),
        more=max(0, billable(as_of).count() + billable_again(as_of).count() - PREVIEWED),
        closed=closed_books(as_of),
    )


def judged_preview(
    as_of: date,
) -> tuple[list[Charge], list[tuple[SubscriptionFacts, str, Sequence[Finding]]]]:
    """What a run for the day would bill, and what it would hold with the reason, of the first 1000. Inside work()."""
    charges, odd = preview(as_of, limit=PREVIEWED)
    charges += with_nothing(missed(as_of), as_of)
    judged = judge(charges, Expectation(as_of))
    lines = [each for each in charges if each.drafts and each.facts.subscription_id not in judged.findings]
    facts = {each.facts.subscription_id: each.facts for each in charges}
    found: list[tuple[SubscriptionFacts, str, Sequence[Finding]]] = [(each, why, ()) for each, why in odd]
    found += [(facts[pk], reason, findings) for pk, reason, findings in held(judged.findings)]
    return lines, found


def _sums(charges: Sequence[Charge]) -> list[CurrencyPreview]:
    groups: dict[str, list[Totals]] = defaultdict(list)
    for each in invoices_of(charges):
        groups[each[0].facts.currency].append(_totals(each))
    return [
        CurrencyPreview(
            len(all_of_it),
            Money(sum(each.net_minor for each in all_of_it), code),
            Money(sum(each.total_minor for each in all_of_it), code),
        )
        for code, all_of_it in sorted(groups.items())
    ]


def _named(found: Sequence[tuple[SubscriptionFacts, str, Sequence[Finding]]]) -> list[WouldHold]:
    customers = billing_facts({facts.customer_id for facts, _, _ in found})
    return [
        WouldHold(facts.public_id, customers[facts.customer_id].name, reason, told(findings))
        for facts, reason, findings in found
    ]


def plan_codes() -> list[dict[str, Any]]:
    """Code and name of each plan, by name. Inside work()."""
    return list(Plan.objects.order_by("name").values("code", "name"))
