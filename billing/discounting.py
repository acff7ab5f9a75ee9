"""Reads of coupons and of what subscriptions have off."""

from datetime import date

from django.db.models import F, Q, QuerySet

from billing.listing import subscription
from billing.models import Coupon, Subscription, SubscriptionDiscount
from core.errors import NotFound

CHOICES = 200
"""Coupons that a page lets people choose from; others are given by their code over the API."""


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
    return _of(subscription(subscription_id))


def _of(row: Subscription) -> "QuerySet[SubscriptionDiscount]":
    found: QuerySet[SubscriptionDiscount] = SubscriptionDiscount.objects.filter(subscription=row)
    return found.select_related("coupon", "subscription")


def discounts_in_order(row: Subscription) -> list[SubscriptionDiscount]:
    """What a subscription has or had off, in the order in which it applies, but what was taken back before it held.

    Inside work().
    """
    rows = _of(row).exclude(ends_on=F("starts_on"))
    return sorted(rows, key=lambda each: (not each.plans and not each.products, each.pk))


def live_coupons(today: date) -> list[Coupon]:
    """Coupons that may be given on a local date, by code, the first 200. Inside work()."""
    not_over = Q(until=None) | Q(until__gte=today)
    left = Q(most=None) | Q(given__lt=F("most"))
    return list(Coupon.objects.filter(not_over, left, archived_at=None).order_by("code")[:CHOICES])
