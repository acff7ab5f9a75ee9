"""What is taken off what subscriptions bill."""

from django.db import models

from billing.domain.discounts import Per
from billing.models.runs import BilledPeriod
from billing.models.subscriptions import Subscription
from core.base import Record, TenantForeignKey, TenantRow

MOST_PERIODS = 120
MOST_DISCOUNTS = 20
"""Of one subscription."""

_PER = models.Q(per=Per.LINE.value) | models.Q(per=Per.BILL.value, percent=0)


class Coupon(Record):
    """A discount that many may have: a percentage, or an amount in one currency, for some periods or for ever.

    `per` says whether the amount is off a bill or each line. `periods` None is for ever, 1 is once. It is for the plans
    with the codes in `plans` and those that belong to `products` (codes) when a period begins, for all where both are
    empty. Its terms never change; `given` counts up to `most`, and archived it is not given any more.
    """

    PREFIX = "coup"

    code = models.CharField(max_length=40)
    name = models.CharField(max_length=120)
    percent = models.DecimalField(max_digits=7, decimal_places=4, default=0)
    amount = models.DecimalField(max_digits=28, decimal_places=12, default=0)
    currency = models.CharField(max_length=3, blank=True, default="")
    per = models.CharField(max_length=4, default=Per.LINE.value, db_default=Per.LINE.value)
    periods = models.PositiveSmallIntegerField(null=True, blank=True)
    plans = models.JSONField(default=list, blank=True)
    products = models.JSONField(default=list, blank=True)
    most = models.PositiveIntegerField(null=True, blank=True)
    given = models.PositiveIntegerField(default=0)
    until = models.DateField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "code"], name="coupon_code"),
            models.CheckConstraint(
                condition=models.Q(percent__gt=0, percent__lte=100, amount=0, currency="")
                | (models.Q(percent=0, amount__gt=0) & ~models.Q(currency="")),
                name="coupon_one_kind",
            ),
            models.CheckConstraint(condition=_PER, name="coupon_per"),
            models.CheckConstraint(
                condition=models.Q(most=None) | models.Q(given__lte=models.F("most")), name="coupon_not_over"
            ),
        ]


class SubscriptionDiscount(Record):
    """What a subscription has off: for what begins a period from `starts_on` on and before `ends_on`.

    Its terms are those of the coupon on the day that it was given, or of this subscription alone. They never change;
    `ends_on` may come earlier than it was `given_until`.
    """

    PREFIX = "disc"

    subscription = TenantForeignKey(Subscription, related_name="discounts")
    coupon = TenantForeignKey(Coupon, null=True, blank=True)
    name = models.CharField(max_length=120)
    percent = models.DecimalField(max_digits=7, decimal_places=4, default=0)
    amount = models.DecimalField(max_digits=28, decimal_places=12, default=0)
    per = models.CharField(max_length=4, default=Per.LINE.value, db_default=Per.LINE.value)
    plans = models.JSONField(default=list, blank=True)
    products = models.JSONField(default=list, blank=True)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    given_until = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(percent__gte=0, percent__lte=100, amount__gte=0),
                name="subscriptiondiscount_sane",
            ),
            models.CheckConstraint(condition=_PER, name="subscriptiondiscount_per"),
            models.CheckConstraint(
                condition=models.Q(ends_on=None) | models.Q(ends_on__gte=models.F("starts_on")),
                name="subscriptiondiscount_forward",
            ),
            models.UniqueConstraint(
                fields=["organization", "subscription", "coupon", "starts_on"],
                name="subscriptiondiscount_once",
                condition=models.Q(ends_on=None) | models.Q(ends_on__gt=models.F("starts_on")),
            ),
        ]
        indexes = [models.Index(fields=["organization", "subscription"], name="subscriptiondiscount_of")]


class DiscountShare(TenantRow):
    """What a billed period had off of an amount per bill, net minor units. `due_on` is the local date of that bill.

    Natural key: discount and period.
    """

    discount = TenantForeignKey(SubscriptionDiscount, related_name="shares")
    period = TenantForeignKey(BilledPeriod, related_name="shares")
    due_on = models.DateField()
    amount_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "period", "discount"], name="discountshare_once"),
            models.CheckConstraint(condition=models.Q(amount_minor__gte=0), name="discountshare_sane"),
        ]
        indexes = [models.Index(fields=["organization", "discount", "due_on"], name="discountshare_last")]
