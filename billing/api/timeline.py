"""A subscription's timeline for programs."""

from typing import Any

from rest_framework import serializers

from billing import timeline
from billing.api.views import TAG
from billing.domain.timeline import Kind
from billing.permissions import SUBSCRIPTIONS_VIEW
from core.api.fields import Day, Exact, Id, In, Out, Word
from core.api.operations import Api, Call, operation


class TimelineQuery(In):
    before = Day(
        required=False, help_text="Only what lies before this day; `earlier` of the last answer goes on."
    )


class TimelinePartOut(Out):
    """A period of an item that an invoice bills or a credit note takes back."""

    item = Id()
    what = serializers.CharField(help_text="The name of its plan.")
    period_start = serializers.DateField()
    period_end = serializers.DateField(help_text="The first day that is not in it.")
    amount_minor = serializers.IntegerField(help_text="Net; below zero for a credit.")


class TimelineEntryOut(Out):
    """One thing of one day."""

    OBJECT = "timeline_entry"

    day = serializers.DateField(
        help_text="In the subscription's zone; of invoices and credit notes the run's."
    )
    kind = Word([str(each) for each in Kind])
    to_come = serializers.BooleanField(help_text="Whether it is agreed and not there yet.")
    item = Id(allow_null=True, help_text="What is billed from then on, or no more.")
    price = Id(source="item.price", allow_null=True, default=None)
    quantity = Exact(source="item.quantity", max_digits=28, allow_null=True, default=None)
    price_before = Id(source="before.price", allow_null=True, default=None, help_text="Of a change.")
    quantity_before = Exact(source="before.quantity", max_digits=28, allow_null=True, default=None)
    until = serializers.DateField(
        allow_null=True,
        help_text="First day after a trial, a pause, a discount; of a notice the day told of.",
    )
    discount = Id(allow_null=True)
    feature = serializers.CharField(
        source="override.feature.code", allow_null=True, default=None, help_text="Of an override."
    )
    document = Id(allow_null=True, help_text="The invoice or credit note.")
    run = Id(allow_null=True)
    parts = TimelinePartOut(many=True)
    amount_minor = serializers.IntegerField(allow_null=True, help_text="What is billed or credited, net.")
    reason = serializers.CharField(help_text="Why it was held, or no mail was sent.")
    mrr_minor = serializers.IntegerField(help_text="What it is worth a month after the day.")
    mrr_change_minor = serializers.IntegerField(
        source="movement.delta_minor", allow_null=True, default=None, help_text="How this changed that."
    )


class TimelineOut(Out):
    """What was agreed of a subscription and what came of it, in order of days, past and to come."""

    OBJECT = "subscription_timeline"

    subscription = Id()
    currency = serializers.CharField(source="subscription.price.currency")
    zone = serializers.CharField(source="subscription.zone", help_text="Its days are days there.")
    today = serializers.DateField()
    entries = TimelineEntryOut(many=True)
    earlier = serializers.DateField(
        allow_null=True,
        help_text="When it is too long for one answer: what lies before this day is left out; ask `before` it.",
    )


class SubscriptionTimeline(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_VIEW, query=TimelineQuery, gives=TimelineOut)
    def get(self, call: Call, public_id: str) -> timeline.Timeline:
        """Get a subscription's timeline.

        Its beginning, trial, plans, quantities, items, discounts, pauses and ends, each on its day, with the invoices
        and credit notes that came of them and what it is worth a month. What was taken back before its day is not here.
        """
        given: dict[str, Any] = dict(call.filters)
        return timeline.timeline(public_id, **given)
