"""Products, meters, plans, prices, coupons, features and running subscriptions for the sandbox, as they are."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db.models import Q

from billing import coupon_copying, feature_copying, product_copying  # noqa: F401 - register what they copy
from billing.domain.dues import dues
from billing.domain.facts import SubscriptionFacts
from billing.domain.proration import MIDNIGHT
from billing.domain.terms import NEEDS, as_json
from billing.models import (
    PLAN,
    Meter,
    Price,
    Subscription,
    SubscriptionDiscount,
    SubscriptionItem,
    SubscriptionStep,
)
from billing.quotes import terms_at
from billing.ramps import ramp_from
from billing.selectors import subscription_facts
from billing.services.deposits import set_plan_deposit
from billing.services.meters import create_meter
from billing.services.moving import Moved, MovedItem, MovedStep, move_in
from billing.services.prices import create_price, own_price, retire_price
from core import clock
from core.copying import Copier, register
from customers.selectors import public_ids_by_external_id

METER = ("name", "code", "aggregation", "field", "group_by", "late_days")
PRICE = ("model", "currency", "unit", "every", "dates", "timing", "tax_percent")


def _prices(rows: Sequence[Price]) -> list[dict[str, Any]]:
    return [
        {
            "live": row.public_id,
            "code": row.plan.code,
            "name": row.plan.name,
            "deposit": row.plan.deposit_percent,
            "terms": _terms(row),
            "retired": row.retired_at is not None,
            "meter": row.meter.code if row.meter else "",
            "overrides": row.overrides.public_id if row.overrides else "",
            **{name: getattr(row, name) for name in PRICE},
        }
        for row in rows
    ]


def _terms(row: Price) -> dict[str, Any]:
    """What the price says, and what its model needs also where that is the usual, which is not kept."""
    terms = terms_at(row)
    return {**as_json(terms), **{name: getattr(terms, name) for name in NEEDS.get(terms.model, ())}}


def _write_prices(facts: list[dict[str, Any]]) -> int:
    made = 0
    for each in facts:
        if Price.objects.filter(external_id=each["live"]).exists():
            continue
        price = _priced(each)
        Price.objects.filter(pk=price.pk).update(external_id=each["live"])
        if each["retired"]:
            retire_price(price.public_id)
        set_plan_deposit(price.plan.public_id, each["deposit"])
        made += 1
    return made


KEPT = (
    "starts_on", "trial_ends_on", "anchor", "proration", "zone", "ends_on", "ends_time", "refund", "autopay",
    "ended_by_customer",
)  # fmt: skip
PAUSE = ("paused_on", "resumes_on")
OFF = ("name", "percent", "amount", "per", "plans", "products", "starts_on", "ends_on", "given_until")


def _priced(said: dict[str, Any]) -> Price:
    """The price here; one that overrides another follows it, having been made after it."""
    if said["overrides"]:
        base = Price.objects.get(external_id=said["overrides"])
        return own_price(base, said["terms"]["unit_price"], moved_in=True)
    return create_price(
        **{name: said[name] for name in ("code", "name", "meter", *PRICE)}, moved_in=True, **said["terms"]
    )


def _subscriptions(rows: Sequence[Subscription]) -> list[dict[str, Any]]:
    """Where each stands: its days, and of items and discounts what is left."""
    facts = {each.subscription_id: each for each in subscription_facts([row.pk for row in rows])}
    off: dict[int, list[SubscriptionDiscount]] = defaultdict(list)
    for each in (
        SubscriptionDiscount.objects.filter(subscription__in=rows).select_related("coupon").order_by("pk")
    ):
        off[each.subscription_id].append(each)
    sold: dict[int, dict[int, SubscriptionItem]] = defaultdict(dict)
    for item in SubscriptionItem.objects.filter(subscription__in=rows).select_related("price"):
        sold[item.subscription_id][item.pk] = item
    steps: dict[int, list[SubscriptionStep]] = defaultdict(list)
    for step in SubscriptionStep.objects.filter(subscription__in=rows).select_related("price").order_by("on"):
        steps[step.subscription_id].append(step)
    found = []
    for row in rows:
        items = _left(row, facts[row.pk], sold[row.pk], steps[row.pk])
        if any(item.role == PLAN and item.ends_on != item.starts_on for item in items):
            found.append(
                {
                    "customer": row.customer.public_id,
                    "moved": Moved(
                        external_id=row.public_id,
                        terms={name: getattr(row, name) for name in (*KEPT, *PAUSE)},
                        items=items,
                        discounts=_off(off[row.pk], min(item.starts_on for item in items)),
                        steps=_said(steps[row.pk], items),
                    ),
                }
            )
    return found


def _left(
    row: Subscription,
    facts: SubscriptionFacts,
    sold: Mapping[int, SubscriptionItem],
    steps: Sequence[SubscriptionStep],
) -> list[MovedItem]:
    """What of the items is still to come, from the first day that is not billed.

    What a pause ended that is not over has nothing to come, and is there so that the pause can be moved.
    """
    pausing = row.resumes_on is not None and row.resumes_on > clock.today(row.zone)
    found = []
    for item in facts.items:
        its = sold[item.item_id]
        if next(dues(facts, item), None) is not None:
            found.append(_moved(its, item.billed_through))
        elif pausing and its.paused and its.ends_on is not None and its.ends_on == row.paused_on:
            if its.role == PLAN:  # what was said for its day goes on from there
                ramp = ramp_from(row, facts, list(sold.values()), steps)
                held = ramp.held(its.ends_on)
                its.price, its.quantity = ramp.prices[held.price], held.quantity
            found.append(_moved(its, its.ends_on))
    return found


def _moved(row: SubscriptionItem, starts_on: date) -> MovedItem:
    since = row.starts_time if starts_on == row.starts_on else MIDNIGHT
    return MovedItem(
        row.price.public_id, row.quantity, row.role, starts_on, row.ends_on, row.paused, since, row.ends_time
    )


def _said(rows: Sequence[SubscriptionStep], items: Sequence[MovedItem]) -> list[MovedStep]:
    """The steps of the plan that are said for days after its first one there."""
    first = min(item.starts_on for item in items if item.role == PLAN)
    return [
        MovedStep(row.on, row.price.public_id if row.price else "", row.quantity, row.at, row.by_customer)
        for row in rows
        if row.on > first
    ]


def _off(rows: Sequence[SubscriptionDiscount], first: date) -> list[dict[str, Any]]:
    """The discounts that hold for something from a day on."""
    return [
        {**{name: getattr(row, name) for name in OFF}, "coupon": row.coupon.code if row.coupon else ""}
        for row in rows
        if row.ends_on is None or row.ends_on > max(first, row.starts_on)
    ]


def _write_subscriptions(facts: list[dict[str, Any]]) -> int:
    """Each goes on where the live one stands: what was billed there is not billed again here."""
    customers = public_ids_by_external_id([each["customer"] for each in facts])
    wanted = {name for each in facts for name in each["moved"].prices}
    prices = {row.external_id: row for row in Price.objects.filter(external_id__in=wanted)}
    names = [each["moved"].external_id for each in facts]
    there = set(Subscription.objects.filter(external_id__in=names).values_list("external_id", flat=True))
    made = 0
    for each in facts:
        moved: Moved = each["moved"]
        known = each["customer"] in customers and moved.prices <= prices.keys()
        if moved.external_id not in there and known:
            move_in(moved, customer=customers[each["customer"]], prices=prices)
            made += 1
    return made


def _meters(rows: Sequence[Meter]) -> list[dict[str, Any]]:
    return [{name: getattr(row, name) for name in METER} for row in rows]


def _write_meters(facts: list[dict[str, Any]]) -> int:
    codes = [each["code"] for each in facts]
    there = set(Meter.objects.filter(code__in=codes).values_list("code", flat=True))
    fresh = [each for each in facts if each["code"] not in there]
    for each in fresh:
        create_meter(**each)
    return len(fresh)


def _priced_here() -> Any:
    return Price.objects.select_related("plan", "meter", "overrides")


def _running() -> Any:
    return Subscription.objects.filter(state="active").select_related("customer", "price")


def _counting() -> Any:
    """Meters that count, and archived ones that a price goes by still."""
    named = Price.objects.exclude(meter=None).values("meter_id")
    return Meter.objects.filter(Q(archived_at=None) | Q(pk__in=named))


register(Copier("prices", 6, _priced_here, _prices, _write_prices))
register(Copier("meters", 5, _counting, _meters, _write_meters))
register(Copier("subscriptions", 20, _running, _subscriptions, _write_subscriptions, people=True))
