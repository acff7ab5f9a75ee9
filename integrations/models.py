"""Outgoing webhooks: addresses that are told what happened, and each telling."""

from django.db import models

from core import clock
from core.base import Record, Sealed, TenantForeignKey, TenantRow
from core.models import OutboxEvent
from integrations.domain.states import State


class Endpoint(Record):
    """An address of the organization's that gets events. `events` are names, empty for all; `thin` sends only ids.

    `old_secret` signs beside the new one until `old_until`. While `paused_until` nothing is tried, so that a dead
    address costs one try at a time; `failing_since` is when it last took nothing any more.
    """

    PREFIX = "whe"

    url = models.CharField(max_length=500)
    description = models.CharField(max_length=200, blank=True, default="")
    events = models.JSONField(default=list, blank=True)
    thin = models.BooleanField(default=False)
    secret = Sealed()
    old_secret = Sealed()
    old_until = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    paused_until = models.DateTimeField(null=True, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_why = models.CharField(max_length=200, blank=True, default="")


class Delivery(Record):
    """One event for one address; told once, however often it is tried. `object_id` orders what is told of a thing."""

    AUDITED = False  # its tries are their own log
    PREFIX = "whd"

    endpoint = TenantForeignKey(Endpoint)
    event = TenantForeignKey(OutboxEvent)
    object_id = models.CharField(max_length=40)
    state = models.CharField(max_length=10, default=State.PENDING)
    failures = models.PositiveSmallIntegerField(default=0)
    replays = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "endpoint", "event"], name="delivery_once")
        ]
        indexes = [
            models.Index(fields=["organization", "endpoint", "-id"], name="delivery_newest"),
            models.Index(
                fields=["organization", "endpoint", "object_id", "event"],
                name="delivery_pending",
                condition=models.Q(state="pending"),
            ),
        ]


class DeliveryTry(TenantRow):
    """One try: what was answered, or why there was no answer. `status` 0 is none."""

    AUDITED = False  # a log of its own

    delivery = TenantForeignKey(Delivery)
    at = models.DateTimeField(default=clock.wall)
    status = models.PositiveSmallIntegerField(default=0)
    milliseconds = models.PositiveIntegerField(default=0)
    answer = models.CharField(max_length=2000, blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["organization", "delivery", "id"], name="deliverytry_delivery")]
