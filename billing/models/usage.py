"""Meters, the events they count, and the buckets that figures are read from. See docs/adr/0028."""

from django.db import models

from billing.domain.usage_events import ID, LATE_DAYS, NAME, UNIQUE_KEY
from billing.models.runs import WHY
from billing.models.subscriptions import Subscription
from core import clock
from core.base import Record, TenantForeignKey, TenantRow
from core.constraints import append_only


class Amount(models.DecimalField):
    """A sum of values or of values times seconds: exact, with room for all events there can be."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**{"max_digits": 80, "decimal_places": 18, **kwargs})  # type: ignore[arg-type]


class Meter(Record):
    """What is counted of a subscription. Nothing but its end changes; another way to count is another meter."""

    PREFIX = "mtr"

    name = models.CharField(max_length=200)
    code = models.CharField(max_length=NAME)
    aggregation = models.CharField(max_length=20)
    field = models.CharField(max_length=NAME, blank=True, default="")
    group_by = models.JSONField(blank=True, default=list)
    late_days = models.PositiveSmallIntegerField(default=LATE_DAYS)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="meter_code")]


class UsageSeries(TenantRow):
    """A meter of a subscription with the values that its events are grouped by: what events and buckets hang on."""

    AUDITED = False  # made by the first event of its group, never changed

    subscription = TenantForeignKey(Subscription)
    meter = TenantForeignKey(Meter)
    group = models.TextField(blank=True, default="", db_collation="C")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "subscription", "meter", "group"], name="usageseries_once"
            )
        ]
        indexes = [models.Index(fields=["organization", "meter", "subscription"], name="usageseries_meter")]


class UsageKey(TenantRow):
    """That an event of this transaction id was taken, ever, and where it is: the key that nothing is counted twice by.

    Its id is the event's.
    """

    AUDITED = False  # a fact of its own, never changed
    KEY = ("organization", "transaction_id")

    series = TenantForeignKey(UsageSeries)
    transaction_id = models.CharField(max_length=ID, db_collation="C")
    at = models.DateTimeField()

    class Meta:
        constraints = append_only("billing_usagekey")


class UsageEvent(TenantRow):
    """Something was used at an instant. Kept by the month of `at`; never changed: a void is a row of its own."""

    AUDITED = False  # a fact of its own, never changed
    KEY = ("organization", "series", "at", "id")

    series = TenantForeignKey(UsageSeries)
    transaction_id = models.CharField(max_length=ID, db_collation="C")
    at = models.DateTimeField()
    value = models.DecimalField(max_digits=27, decimal_places=12)
    key = models.CharField(max_length=UNIQUE_KEY, blank=True, default="", db_collation="C")
    properties = models.JSONField(blank=True, default=dict)
    received_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = append_only("billing_usageevent")
        indexes = [models.Index(fields=["organization", "at", "id"], name="usageevent_newest")]


class UsageVoid(TenantRow):
    """An event counts no more, since an instant and for a reason."""

    event_id = models.BigIntegerField()
    transaction_id = models.CharField(max_length=ID, db_collation="C")
    series = TenantForeignKey(UsageSeries)
    at = models.DateTimeField()
    voided_at = models.DateTimeField(default=clock.now)
    replaced_by = models.CharField(max_length=ID, blank=True, default="", db_collation="C")
    why = models.CharField(max_length=WHY, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "event_id"], name="usagevoid_once"),
            *append_only("billing_usagevoid"),
        ]


class UsageBucket(TenantRow):
    """What the events of a series within one slot of 15 minutes, or one day, of UTC come to. See domain/usage.py."""

    AUDITED = False  # derived from events
    KEY = ("organization", "series", "grain", "start")

    series = TenantForeignKey(UsageSeries)
    grain = models.PositiveSmallIntegerField()
    start = models.DateTimeField()
    count = models.BigIntegerField()
    total = Amount()
    area = Amount()
    most = Amount(null=True)
    last = Amount(null=True)
    last_at = models.DateTimeField(null=True)
    last_name = models.CharField(max_length=ID, blank=True, default="", db_collation="C")


class UsageSeen(TenantRow):
    """That a unique key occurred in a series on a day of UTC: how often, first and last."""

    AUDITED = False  # derived from events
    KEY = ("organization", "series", "day", "key")

    series = TenantForeignKey(UsageSeries)
    day = models.DateTimeField()
    key = models.CharField(max_length=UNIQUE_KEY, db_collation="C")
    count = models.BigIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()


class LateUsage(TenantRow):
    """Usage between two instants was counted or voided when it may have been billed already: its periods are looked at
    again with the subscription's next bill, on `due_on` at the latest, and then this goes.
    """

    AUDITED = False  # a note of what events say, gone when it was looked at

    subscription = TenantForeignKey(Subscription)
    meter = TenantForeignKey(Meter)
    since = models.DateTimeField()
    until = models.DateTimeField()
    due_on = models.DateField()
    due_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["organization", "subscription", "meter"], name="lateusage_of"),
            models.Index(fields=["organization", "due_on"], name="lateusage_due"),
            # The door that finds what is due across organizations reads this one.
            models.Index(fields=["due_at"], name="lateusage_due_anywhere"),
        ]


class UsageAlert(Record):
    """Somebody is to be told when a meter reaches a figure within a period: of one subscription, or of each."""

    PREFIX = "ualert"

    meter = TenantForeignKey(Meter)
    subscription = TenantForeignKey(Subscription, null=True, blank=True)
    threshold = models.DecimalField(max_digits=27, decimal_places=12)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(threshold__gt=0), name="usagealert_threshold"),
            models.UniqueConstraint(
                fields=["organization", "meter", "subscription", "threshold"],
                name="usagealert_once",
                condition=models.Q(archived_at=None),
                nulls_distinct=False,
            ),
        ]


class UsageAlertReached(TenantRow):
    """An alert was reached in a period of a subscription, and told of: once."""

    alert = TenantForeignKey(UsageAlert)
    subscription = TenantForeignKey(Subscription)
    period_start = models.DateField()
    value = Amount()
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "alert", "subscription", "period_start"],
                name="usagealertreached_once",
            ),
            *append_only("billing_usagealertreached"),
        ]
