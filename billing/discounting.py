"""Reads of coupons and of what subscriptions have off."""

from django.db.models import F, QuerySet

from billing.listing import subscription
from billing.models import Coupon, SubscriptionDiscount
from core.errors import NotFound


def coupons() -> "QuerySet[Coupon]":
    """All coupons, in no order. Inside work()."""
    found: QuerySet[Coupon] = Coupon.objects.all()
    return found


def coupon(public_id: str) -> Coupon:
    """The coupon with this public id; raises NotFound. Inside work()."""
    found = Coupon.objects.filter(public_id=public_id).first()
    if found is None:
        raise NotFound("That coupon is not here.")
    return found


def discounts(subscription_id: str) -> "QuerySet[SubscriptionDiscount]":
    """What a subscription (public id) has or had off, in no order; raises NotFound without it. Inside work()."""
    row = subscription(subscription_id)
    found: QuerySet[SubscriptionDiscount] = SubscriptionDiscount.objects.filter(subscription=row)
    return found.select_related("coupon", "subscription")


def held_discounts(subscription_id: str) -> list[SubscriptionDiscount]:
    """The same without those that were taken back before they held, in the order in which they apply. Inside work()."""
    rows = discounts(subscription_id).exclude(ends_on=F("starts_on"))
    return sorted(rows, key=lambda each: (not each.plans, each.pk))


def given_coupons() -> list[Coupon]:
    """Coupons that may be given still, by code. Inside work()."""
    return list(Coupon.objects.filter(archived_at=None).order_by("code"))
