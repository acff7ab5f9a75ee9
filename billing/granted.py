"""What subscriptions have off, as pricing needs it, and what billed periods had of it. Inside work()."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, Exists, IntegerField, OuterRef, Subquery, TextField, When
from django.db.models.functions import Cast, JSONObject

from billing.domain.discounts import Belongs, Discount, Per, Taken
from billing.models import CreditedPeriod, DiscountShare, SubscriptionDiscount
from core.money import Money

_DISCOUNT = ("public_id", "name", "per", "plans", "products", "starts_on", "ends_on", "given_until")


def discounts_of(subscription: Any) -> ArraySubquery:
    """What a subscription ever had off, as JSON in the order in which it applies: first what is for some plans or
    products."""
    rows = SubscriptionDiscount.objects.filter(subscription=subscription)
    said: dict[str, Any] = {name: name for name in _DISCOUNT}
    said |= {name: Cast(name, TextField()) for name in ("percent", "amount")}
    stay = DiscountShare.objects.exclude(_all_back())
    last = stay.filter(discount=OuterRef("discount")).order_by("-due_on").values("due_on")[:1]
    shares = stay.filter(discount=OuterRef("pk"), due_on=Subquery(last))
    said["taken"] = ArraySubquery(
        shares.order_by("period").values(
            said=JSONObject(on="due_on", period="period_id", minor="amount_minor")
        )
    )
    general = Case(When(plans=[], products=[], then=1), default=0, output_field=IntegerField())
    return ArraySubquery(rows.order_by(general, "id").values(said=JSONObject(**said)))


def _all_back() -> Exists:
    """Whether the period that a share is of was credited from its first day on, and the share with it."""
    return Exists(
        CreditedPeriod.objects.filter(
            period=OuterRef("period"), period_start=OuterRef("period__period_start")
        )
    )


def shares_of(period: Any) -> ArraySubquery:
    """The shares that a billed period had of amounts per bill, as JSON."""
    rows = DiscountShare.objects.filter(period=period).order_by("id")
    return ArraySubquery(rows.values(said=JSONObject(of="discount__public_id", minor="amount_minor")))


def shares(said: Sequence[Mapping[str, Any]], currency: str) -> dict[str, Decimal]:
    """What `shares_of` read: major units by the discount's id."""
    return {each["of"]: Money(each["minor"], currency).decimal for each in said}


def _taken(said: Sequence[Mapping[str, Any]]) -> Taken | None:
    if not said:
        return None
    parts = tuple((each["period"], each["minor"]) for each in said)
    return Taken(date.fromisoformat(said[0]["on"]), parts)


def discount(said: Mapping[str, Any]) -> Discount:
    """What `discounts_of` read of one."""
    ends_on = said["ends_on"]
    return Discount(
        name=said["name"],
        percent=Decimal(said["percent"]).normalize(),
        amount=Decimal(said["amount"]).normalize(),
        starts_on=date.fromisoformat(said["starts_on"]),
        ends_on=date.fromisoformat(ends_on) if ends_on else None,
        plans=frozenset(said["plans"]),
        products=frozenset(said["products"]),
        key=said["public_id"],
        per=Per(said["per"]),
        taken=_taken(said["taken"]),
    )


def belongs(product: str | None, before: Sequence[Mapping[str, str]]) -> tuple[Belongs, ...]:
    """The products that a plan belongs to, as its row says it: the one of now, and those before."""
    turns = [date.fromisoformat(each["until"]) for each in before]
    codes = [*(each["product"] for each in before), product or ""]
    return tuple(each for each in zip(codes, [None, *turns], [*turns, None], strict=True) if each[0])
