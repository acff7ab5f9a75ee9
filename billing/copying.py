"""Meters, plans, prices, features and running subscriptions for the sandbox: amounts and quantities as they are."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Q

from billing import feature_copying  # noqa: F401 - registers what it copies
from billing.domain.dues import dues
from billing.domain.facts import ItemFacts, SubscriptionFacts
from billing.domain.terms import NEEDS, as_json
from billing.models import Meter, Price, Subscription, SubscriptionItem
from billing.quotes import terms_at
from billing.selectors import subscription_facts
from billing.services.meters import create_meter
from billing.services.prices import create_price, retire_price
from billing.services.subscriptions import add_item, end_item, subscribe
from core import clock
from core.copying import Copier, register
from customers.selectors import public_ids_by_external_id

METER = ("name", "code", "aggregation", "field", "group_by", "late_days")
PRICE = ("model", "currency", "unit", "every", "timing", "tax_percent")


def _prices(rows: Sequence[Price]) -> list[dict[str, Any]]:
    return [
        {
            "live": row.public_id,
            "code": row.plan.code,
            "name": row.plan.name,
            "terms": _terms(row),
            "retired": row.retired_at is not None,
            "meter": row.meter.code if row.meter else "",
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
        said = {name: each[name] for name in ("code", "name", "meter", *PRICE)}
        price = create_price(**said, **each["terms"])
        Price.objects.filter(pk=price.pk).update(external_id=each["live"])
        if each["retired"]:
            retire_price(price.public_id)
        made += 1
    return made


def _subscriptions(rows: Sequence[Subscription]) -> list[dict[str, Any]]:
    facts = {each.subscription_id: each for each in subscription_facts([row.pk for row in rows])}
    prices = dict(
        SubscriptionItem.objects.filter(subscription__in=rows).values_list("pk", "price__public_id")
    )
    found = []
    for row in rows:
        each = facts[row.pk]
        live = [item for item in each.items if _runs(each, item)]
        plans = sorted((item for item in live if item.is_plan), key=lambda item: item.starts_on)
        if plans:
            plan = plans[0]
            added = [item for item in live if not item.is_plan]
            found.append(
                {
                    "live": row.public_id,
                    "customer": row.customer.public_id,
                    "price": prices[plan.item_id],
                    "quantity": plan.quantity,
                    "starts_on": plan.billed_through,
                    "autopay": row.autopay,
                    "ends_on": row.ends_on,
                    "added": [
                        (
                            prices[item.item_id],
                            item.quantity,
                            max(item.billed_through, plan.billed_through),
                            item.ends_on,
                        )
                        for item in added
                    ],
                }
            )
    return found


def _runs(facts: SubscriptionFacts, item: ItemFacts) -> bool:
    """Whether something of an item is still to come, and will come again."""
    return item.unit is not None and next(dues(facts, item), None) is not None


def _write_subscriptions(facts: list[dict[str, Any]]) -> int:
    """Each goes on where the live one's plan stands: what was billed there is not billed again here.

    A change set for later stays with the live one.
    """
    customers = public_ids_by_external_id([each["customer"] for each in facts])
    wanted = {name for each in facts for name in (each["price"], *(one for one, *_ in each["added"]))}
    prices = {row.external_id: row for row in Price.objects.filter(external_id__in=wanted)}
    there = set(
        Subscription.objects.filter(external_id__in=[f["live"] for f in facts]).values_list(
            "external_id", flat=True
        )
    )
    made = 0
    for each in facts:
        known = each["customer"] in customers and each["price"] in prices
        if each["live"] in there or not known:
            continue
        sub = subscribe(
            customer=customers[each["customer"]],
            price=prices[each["price"]],
            external_id=each["live"],
            moved_in=True,
            **{name: each[name] for name in ("quantity", "starts_on", "autopay", "ends_on")},
        )
        for name, quantity, starts_on, ends_on in each["added"]:
            _add(sub, prices[name], quantity, starts_on, ends_on)
        made += 1
    return made


def _add(sub: Subscription, price: Price, quantity: Decimal, starts_on: date, ends_on: date | None) -> None:
    """What is beside the plan, when something of it is left to bill behind the plan's first day here."""
    if ends_on is not None and ends_on <= starts_on:
        return
    item = add_item(sub.public_id, price=price, quantity=quantity, starts_on=starts_on, moved_in=True)
    if ends_on is not None:
        end_item(item.public_id, on=ends_on, today=clock.today(sub.zone))


def _meters(rows: Sequence[Meter]) -> list[dict[str, Any]]:
    return [{name: getattr(row, name) for name in METER} for row in rows]


def _write_meters(facts: list[dict[str, Any]]) -> int:
    codes = [each["code"] for each in facts]
    there = set(Meter.objects.filter(code__in=codes).values_list("code", flat=True))
    fresh = [each for each in facts if each["code"] not in there]
    for each in fresh:
        create_meter(**each)
    return len(fresh)


def _running() -> Any:
    return Subscription.objects.filter(state="active").select_related("customer", "price")


def _counting() -> Any:
    """Meters that count, and archived ones that a price goes by still."""
    named = Price.objects.exclude(meter=None).values("meter_id")
    return Meter.objects.filter(Q(archived_at=None) | Q(pk__in=named))


register(Copier("prices", 6, lambda: Price.objects.select_related("plan", "meter"), _prices, _write_prices))
register(Copier("meters", 5, _counting, _meters, _write_meters))
register(Copier("subscriptions", 20, _running, _subscriptions, _write_subscriptions, people=True))
