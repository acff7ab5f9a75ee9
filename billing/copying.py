"""Plans, prices and running subscriptions for the sandbox: amounts and quantities as they are."""

from collections.abc import Sequence
from typing import Any

from billing.models import Price, Subscription
from billing.services.prices import create_price
from billing.services.subscriptions import subscribe
from core.copying import Copier, register
from customers.selectors import public_ids_by_external_id

PRICE = ("model", "unit_price", "currency", "unit", "every", "tax_percent")
SUBSCRIPTION = ("quantity", "autopay", "ends_on")


def _prices(rows: Sequence[Price]) -> list[dict[str, Any]]:
    return [
        {
            "live": row.public_id,
            "code": row.plan.code,
            "name": row.plan.name,
            **{name: getattr(row, name) for name in PRICE},
        }
        for row in rows
    ]


def _write_prices(facts: list[dict[str, Any]]) -> int:
    made = 0
    for each in facts:
        if Price.objects.filter(external_id=each["live"]).exists():
            continue
        price = create_price(code=each["code"], name=each["name"], **{name: each[name] for name in PRICE})
        Price.objects.filter(pk=price.pk).update(external_id=each["live"])
        made += 1
    return made


def _subscriptions(rows: Sequence[Subscription]) -> list[dict[str, Any]]:
    return [
        {
            "live": row.public_id,
            "customer": row.customer.public_id,
            "price": row.price.public_id,
            "starts_on": row.next_bill_on,
            **{name: getattr(row, name) for name in SUBSCRIPTION},
        }
        for row in rows
    ]


def _write_subscriptions(facts: list[dict[str, Any]]) -> int:
    """Each goes on where the live one stands: what was billed there is not billed again here."""
    customers = public_ids_by_external_id([each["customer"] for each in facts])
    prices = {
        row.external_id: row for row in Price.objects.filter(external_id__in=[f["price"] for f in facts])
    }
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
        subscribe(
            customer=customers[each["customer"]],
            price=prices[each["price"]],
            starts_on=each["starts_on"],
            external_id=each["live"],
            **{name: each[name] for name in SUBSCRIPTION},
        )
        made += 1
    return made


def _running() -> Any:
    return Subscription.objects.filter(state="active").select_related("customer", "price")


register(Copier("prices", 5, lambda: Price.objects.select_related("plan"), _prices, _write_prices))
register(Copier("subscriptions", 20, _running, _subscriptions, _write_subscriptions, people=True))
