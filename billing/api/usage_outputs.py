"""Meters and usage as the API gives them."""

from typing import Any

from rest_framework import serializers

from billing.domain.usage import Aggregation
from billing.domain.usage_events import groups_in
from billing.metering import Usage
from billing.models import UsageAlertReached, UsageEvent
from core import ids
from core.api.fields import Exact, Id, Out, RecordOut, Word

ROOM = 60
"""Digits that a figure may have."""


class MeterOut(RecordOut):
    """What is counted of subscriptions, and how. Only its end changes."""

    OBJECT = "meter"

    name = serializers.CharField()
    code = serializers.CharField(help_text="What events name it by.")
    aggregation = Word([str(each) for each in Aggregation])
    field = serializers.CharField(help_text="The property that holds the value, or the key of `unique`.")
    group_by = serializers.ListField(child=serializers.CharField())
    late_days = serializers.IntegerField(help_text="So many days late an event may come.")
    archived_at = serializers.DateTimeField(allow_null=True, help_text="It takes no events since.")


class UsageEventOut(Out):
    """Something that was used. It never changes; `voided_at` says since when it counts no more."""

    OBJECT = "usage_event"

    transaction_id = serializers.CharField()
    meter = serializers.CharField(source="series.meter.code")
    subscription = serializers.CharField(source="series.subscription.public_id")
    at = serializers.DateTimeField()
    value = Exact(max_digits=27)
    key = serializers.CharField(help_text="What `unique` counts; empty for others.")
    group = serializers.SerializerMethodField()
    properties = serializers.DictField(help_text="As they were sent.")
    received_at = serializers.DateTimeField()
    voided_at = serializers.DateTimeField(source="void.voided_at", default=None, allow_null=True)
    void_reason = serializers.CharField(source="void.why", default="")
    replaced_by = serializers.CharField(source="void.replaced_by", default="")

    def get_group(self, row: UsageEvent) -> dict[str, str]:
        return dict(zip(row.series.meter.group_by, groups_in(row.series.group), strict=True))


class UsageAlertOut(RecordOut):
    """A figure of a meter that is told of once in each period of a subscription, by notice and webhook."""

    OBJECT = "usage_alert"

    meter = serializers.CharField(source="meter.code")
    subscription = serializers.CharField(
        source="subscription.public_id", default=None, allow_null=True, help_text="null: each of the meter's."
    )
    threshold = Exact(max_digits=27)
    archived_at = serializers.DateTimeField(allow_null=True)


class UsageAlertReachedOut(Out):
    """That an alert was reached in a period of a subscription; told of once."""

    OBJECT = "usage_alert_reached"

    id = serializers.SerializerMethodField()
    subscription = Id()
    period_start = serializers.DateField()
    value = Exact(max_digits=ROOM, help_text="What the meter had come to by then.")
    at = serializers.DateTimeField()

    def get_id(self, row: UsageAlertReached) -> str:
        """The row's number: it has no life of its own."""
        return ids.numbered("reached", row.pk)


class EventProblemOut(Out):
    """Why an event was refused."""

    pointer = serializers.CharField()
    message = serializers.CharField()


class TakenOut(Out):
    """What became of an event. A duplicate changed nothing."""

    OBJECT = "usage_event_result"

    status = serializers.ChoiceField(["created", "duplicate"])
    transaction_id = serializers.CharField()


class TakenOneOut(Out):
    """What became of one event, in the order they were sent."""

    status = serializers.ChoiceField(["created", "duplicate", "failed"])
    transaction_id = serializers.CharField(help_text="Empty where it could not be read.")
    errors = EventProblemOut(many=True)  # type: ignore[assignment]


class TakenManyOut(Out):
    """What became of the events that were sent."""

    OBJECT = "usage_event_results"

    created = serializers.IntegerField()
    duplicate = serializers.IntegerField()
    failed = serializers.IntegerField()
    data = TakenOneOut(many=True)  # type: ignore[assignment]


class VoidedOneOut(Out):
    """What became of one event, in the order they were named."""

    status = serializers.ChoiceField(["voided", "unchanged", "failed"])
    transaction_id = serializers.CharField()
    errors = EventProblemOut(many=True)  # type: ignore[assignment]


class VoidedManyOut(Out):
    """What became of the events that were to be voided."""

    OBJECT = "usage_void_results"

    voided = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    failed = serializers.IntegerField()
    data = VoidedOneOut(many=True)  # type: ignore[assignment]


class UsageDayOut(Out):
    """One day of the subscription's zone."""

    day = serializers.DateField()
    value = Exact(max_digits=ROOM)


class UsageGroupOut(Out):
    """What the events of one group come to over the whole time."""

    group = serializers.DictField(child=serializers.CharField())
    value = Exact(max_digits=ROOM)


class CorrectionOut(Out):
    """A billed period was counted anew: what more was billed on an invoice, or less given by a credit note."""

    document = Id(allow_null=True, help_text="null: nothing was left of its invoice to give.")
    counted = Exact(source="quantity_now", max_digits=28)
    amount_minor = serializers.IntegerField(help_text="Net; below zero was given back.")


class BilledUsageOut(Out):
    """A billed period of what the meter counts. What was counted or voided since comes with a later bill."""

    period_start = serializers.DateField(source="row.period_start")
    period_end = serializers.DateField(source="row.period_end", help_text="The first day that is not in it.")
    invoice = Id(source="row.document")
    item = Id(source="row.item")
    counted = Exact(max_digits=28, allow_null=True, help_text="What it is billed as, corrections included.")
    billed_minor = serializers.IntegerField(help_text="Net, corrections included.")
    counted_now = Exact(max_digits=ROOM, allow_null=True)
    to_bill_minor = serializers.IntegerField(
        allow_null=True,
        help_text="What a later run bills more of it, below zero: credits. null: it cannot be priced.",
    )
    corrections = CorrectionOut(many=True)


class UsageOut(Out):
    """What a meter counted of a subscription."""

    OBJECT = "usage"

    subscription = serializers.CharField(source="subscription.public_id")
    meter = serializers.CharField(source="meter.code")
    aggregation = Word([str(each) for each in Aggregation], source="meter.aggregation")
    zone = serializers.CharField(source="subscription.zone", help_text="Its days are days there.")
    value = Exact(
        source="total", max_digits=ROOM, help_text="Over the whole time; not always the sum of its days."
    )
    days = serializers.SerializerMethodField()
    groups = serializers.SerializerMethodField()
    billed = BilledUsageOut(
        many=True,
        help_text="Billed periods that have a day of this time, the newest first, at most 100; only for whoever may see"
        " subscriptions.",
    )

    def get_fields(self) -> dict[str, Any]:
        spans = {
            "from": serializers.DateField(source="start"),
            "to": serializers.DateField(source="end", help_text="The first day that is not in it."),
        }
        return {**super().get_fields(), **spans}

    def get_days(self, found: Usage) -> list[dict[str, Any]]:
        return UsageDayOut([{"day": day, "value": value} for day, value in found.days], many=True).data  # type: ignore[return-value]

    def get_groups(self, found: Usage) -> list[dict[str, Any]]:
        return UsageGroupOut(
            [{"group": group, "value": value} for group, value in found.groups], many=True
        ).data  # type: ignore[return-value]
