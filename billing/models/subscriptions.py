"""Who bought what."""

from datetime import date, time

from django.db import models

from billing.domain.proration import Proration
from billing.models.catalogue import Price
from core.base import Record, TenantForeignKey, TenantRow

PLAN, ADDED, FEE = "plan", "added", "fee"
"""What an item is to its subscription: the plan itself, something beside it, something owed once."""
_DELTA = models.F("delta_minor")
_FITS = (
    models.Q(kind__in=["new", "reactivation"], delta_minor__gt=0, after_minor=_DELTA)
    | models.Q(kind="churn", delta_minor__lt=0, after_minor=0)
    | models.Q(kind="expansion", delta_minor__gt=0, after_minor__gt=_DELTA)
    | models.Q(kind="contraction", delta_minor__lt=0, after_minor__gt=0)
)
"""A movement's kind says whether it goes up or down, and from or to nothing; nothing is worth less than nothing."""
MOST_QUANTITY = 10**12
MOST_ADDED = 50
MOST_STEPS = 24


class Subscription(Record):
    """A customer's subscription to a plan. Its items say what is billed; periods are counted from the anchor.

    `price` and `quantity` are those of the plan it is on now, for lists. It begins on `starts_on` and is billed from
    its items' first day on, later when it begins with a trial. `anchor` is a day on which a period begins, before its
    first day or after. Paused it stays active where it is known when it goes on, else its state is paused. With
    `refund`, what is credited at its end is asked back to the method it was paid by. Prorated by the second it goes on
    to `ends_time` of the day it ends on, in its zone. `ended_by_customer`: its customer set that end on their page,
    where nobody had set another. `held_at` is set when a run could not bill it or the gate found its bill odd: it waits
    for a person and stops nothing else.
    """

    PREFIX = "sub"

    customer = TenantForeignKey("customers.Customer")
    price = TenantForeignKey(Price)
    quantity = models.DecimalField(max_digits=28, decimal_places=12, default=1)
    state = models.CharField(max_length=10, default="active")
    starts_on = models.DateField()
    trial_ends_on = models.DateField(null=True, blank=True)
    anchor = models.DateField()
    proration = models.CharField(max_length=10, default="day")
    zone = models.CharField(max_length=64)
    ends_on = models.DateField(null=True, blank=True)
    ends_time = models.TimeField(default=time.min, db_default=time.min)
    paused_on = models.DateField(null=True, blank=True)
    resumes_on = models.DateField(null=True, blank=True)
    refund = models.BooleanField(default=False)
    ended_by_customer = models.BooleanField(default=False, db_default=False)
    autopay = models.BooleanField(default=False)
    next_bill_on = models.DateField()
    next_bill_at = models.DateTimeField()
    held_at = models.DateTimeField(null=True, blank=True)
    held_reason = models.CharField(max_length=500, blank=True, default="")

    @property
    def by_the_second(self) -> bool:
        """Whether it changes and ends at a time of day."""
        return self.proration == Proration.SECOND

    @property
    def billed_items(self) -> "list[SubscriptionItem]":
        """Its items, the plan's first, by day; read them ahead where there are many subscriptions."""
        return sorted(self.items.all(), key=in_order)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "external_id"],
                name="subscription_external_id",
                condition=~models.Q(external_id=""),
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "next_bill_on", "id"],
                name="subscription_due",
                condition=models.Q(state="active", held_at=None),
            ),
            # The door that finds what is due across organizations reads this one.
            models.Index(
                fields=["next_bill_at"],
                name="subscription_due_anywhere",
                condition=models.Q(state="active", held_at=None),
            ),
            models.Index(fields=["organization", "customer"], name="subscription_customer"),
        ]


class SubscriptionItem(Record):
    """One thing that a subscription bills, from `starts_on` up to `ends_on`: the plan itself, or what is added to it.

    Price and quantity never change: what changes ends and another begins, so that every past bill can be made again.
    `paused`: a pause ended it, and when that is over another takes its place. Prorated by the second it begins at
    `starts_time` of its first day and goes on to `ends_time` of the day it ends on, in the subscription's zone.
    """

    PREFIX = "si"

    subscription = TenantForeignKey(Subscription, related_name="items")
    price = TenantForeignKey(Price)
    quantity = models.DecimalField(max_digits=28, decimal_places=12, default=1)
    role = models.CharField(max_length=10)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    starts_time = models.TimeField(default=time.min, db_default=time.min)
    ends_time = models.TimeField(default=time.min, db_default=time.min)
    paused = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_on=None) | models.Q(ends_on__gte=models.F("starts_on")),
                name="subscriptionitem_forward",
            ),
            models.CheckConstraint(condition=models.Q(quantity__gte=0), name="subscriptionitem_not_negative"),
        ]
        indexes = [models.Index(fields=["organization", "subscription"], name="subscriptionitem_of")]


def in_order(item: SubscriptionItem) -> tuple[bool, date, int]:
    """The plan's items by day, then what is beside it as it was added."""
    is_plan = item.role == PLAN
    return not is_plan, item.starts_on if is_plan else date.min, item.pk


class SubscriptionStep(TenantRow):
    """What was said of a subscription's plan from `on` on: another price, another quantity or both; None stays.

    Prorated by the second it holds from the time `at` of that day on.

    `by_customer`: its customer said so on their page, where nobody had said anything else; they may take it back, and
    whatever they say next takes its place.

    Natural key: subscription and day. The plan's items follow from these, see billing.domain.ramps; what is taken back
    leaves the table, and the audit has it.
    """

    subscription = TenantForeignKey(Subscription, related_name="steps")
    on = models.DateField()
    at = models.TimeField(default=time.min, db_default=time.min)
    price = TenantForeignKey(Price, null=True, blank=True)
    quantity = models.DecimalField(max_digits=28, decimal_places=12, null=True, blank=True)
    by_customer = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "subscription", "on"], name="subscriptionstep_once"
            ),
            models.CheckConstraint(
                condition=models.Q(price__isnull=False) | models.Q(quantity__isnull=False),
                name="subscriptionstep_says",
            ),
            models.CheckConstraint(
                condition=models.Q(quantity=None) | models.Q(quantity__gte=0),
                name="subscriptionstep_not_negative",
            ),
        ]


class RenewalNotice(TenantRow):
    """A customer was told that a subscription renews on `renews_on`, or that its trial ends then.

    Natural key: subscription and day. It is `mailed` once the customer has an address that a mail can go to; programs
    are told by then.
    """

    subscription = TenantForeignKey(Subscription)
    renews_on = models.DateField()
    trial = models.BooleanField()
    at = models.DateTimeField()
    mailed = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "subscription", "renews_on"], name="renewalnotice_once"
            )
        ]


class MrrMovement(TenantRow):
    """From `day` on a subscription is worth `after_minor` a month: `delta_minor` more or less than before.

    Natural key: subscription and day. Kept equal to what billing.domain.mrr says of the contract by every service that
    changes it, in the same transaction.
    """

    subscription = TenantForeignKey(Subscription)
    day = models.DateField()
    kind = models.CharField(max_length=12)
    currency = models.CharField(max_length=3)
    delta_minor = models.BigIntegerField()
    after_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "subscription", "day"], name="mrrmovement_once"),
            models.CheckConstraint(name="mrrmovement_fits", condition=_FITS),
        ]
        indexes = [models.Index(fields=["organization", "day", "id"], name="mrrmovement_day")]
