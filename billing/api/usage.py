"""Meters and usage for programs: events taken one by one and in batches, corrected, and read as figures."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing import metering
from billing.api.usage_outputs import (
    MeterOut,
    TakenManyOut,
    TakenOut,
    UsageAlertOut,
    UsageAlertReachedOut,
    UsageEventOut,
    UsageOut,
    VoidedManyOut,
)
from billing.counted import counted_periods
from billing.domain.usage import Aggregation
from billing.domain.usage_events import ID, LATE_DAYS, MOST_LATE_DAYS, NAME, Refused, Said, read
from billing.listing import subscription
from billing.models import WHY, Meter, UsageAlert
from billing.permissions import SUBSCRIPTIONS_VIEW, USAGE_CREATE, USAGE_EDIT, USAGE_VIEW
from billing.services.meters import archive_meter, create_meter
from billing.services.usage import MOST, Status, ingest
from billing.services.usage_alerts import archive_alert, create_alert
from billing.services.usage_voids import Outcome, void
from core import clock
from core.api.fields import Day, Exact, Flag, In, Moment, PublicId, Text, Whole, many
from core.api.operations import Api, Call, Listing, operation, referred
from core.errors import Invalid
from core.scope import current

TAG = "Usage"
_PROPERTIES = {
    "type": "object",
    "additionalProperties": {"type": ["string", "integer", "boolean"]},
    "maxProperties": 20,
}


class MetersQuery(In):
    archived = Flag(required=False, help_text="Only those that are, or are not.")


class MeterIn(In):
    name = Text()
    code = Text(max_length=NAME, help_text="Small letters, digits, dots and dashes.")
    aggregation = serializers.ChoiceField(
        [str(each) for each in Aggregation],
        help_text="`last` is the value of the latest instant, `unique` counts different keys, `weighted_sum` is the"
        " average over time of a level that each value changes and that goes on from one period to the next.",
    )
    field = Text(
        max_length=NAME,
        required=False,
        allow_blank=True,
        help_text="The property that holds the value, or the key of `unique`; none for `count`.",
    )
    group_by = serializers.ListField(
        child=Text(max_length=NAME), max_length=3, required=False, help_text="Properties to count apart by."
    )
    late_days = Whole(
        min_value=1,
        max_value=MOST_LATE_DAYS,
        required=False,
        help_text=f"So many days late an event may come; {LATE_DAYS}, unless you say otherwise.",
    )


@extend_schema_field(_PROPERTIES)
class Properties(serializers.JSONField):
    """What an event says beside its names: texts, whole numbers, true and false; decimals as text."""


class EventIn(In):
    """An event; read by the rules of domain/usage_events.py, which batches use too."""

    transaction_id = Text(max_length=ID, help_text="Yours; an event of the same id counts once, for ever.")
    meter = Text(max_length=NAME, help_text="Its code or id.")
    subscription = Text(max_length=255, help_text="Its id, or what your system calls it.")
    at = Moment(required=False, help_text="When it was used; now, unless you say otherwise.")
    properties = Properties(required=False)
    replaces = Text(
        max_length=ID,
        required=False,
        help_text="The transaction id of an event that this one takes the place of; that is voided with it.",
    )

    def to_internal_value(self, data: Any) -> Any:
        try:
            return {"said": read(data)}
        except Refused as refused:
            raise serializers.ValidationError(_nested(refused.fields)) from refused


def _nested(fields: Mapping[str, str]) -> dict[str, Any]:
    """Problems by field as the framework has them: `properties/gb` is a field of a field."""
    found: dict[str, Any] = {}
    for path, why in fields.items():
        outer, _, inner = path.partition("/")
        if inner:
            held = found.setdefault(outer, {})
            if isinstance(held, dict):
                held[inner] = [why]
        else:
            found[outer or "non_field_errors"] = [why]
    return found


@extend_schema_field(many(EventIn, most=MOST, min_length=1))
class Events(serializers.Field):
    """Up to a thousand events, each read for itself."""

    def to_internal_value(self, data: Any) -> list[Said | Refused]:
        if not isinstance(data, list) or not 1 <= len(data) <= MOST:
            raise serializers.ValidationError(f"This is a list of 1 to {MOST} events.")
        return [_read(each) for each in data]


def _read(sent: Any) -> Said | Refused:
    try:
        return read(sent)
    except Refused as refused:
        return refused


class EventsIn(In):
    events = Events()


class VoidIn(In):
    transaction_ids = serializers.ListField(child=Text(max_length=ID), min_length=1, max_length=MOST)
    why = Text(max_length=WHY, required=False, allow_blank=True, help_text="Shown with the event.")


class EventsQuery(In):
    meter = Text(max_length=NAME, required=False, help_text="Its code or id.")
    subscription = PublicId(required=False)
    transaction_id = Text(max_length=ID, required=False)
    at_from = Moment(required=False)
    at_to = Moment(required=False, help_text="The first instant that is not in it.")


class UsageQuery(In):
    meter = Text(max_length=NAME, help_text="Its code or id.")

    def get_fields(self) -> dict[str, Any]:
        days = {
            "from": Day(required=False, help_text="The first of this month, unless you say otherwise."),
            "to": Day(required=False, help_text="The first day that is not in it; a month after `from`."),
        }
        return {**super().get_fields(), **days}


class Meters(Api):
    tag = TAG

    @operation(USAGE_VIEW, query=MetersQuery, gives=MeterOut, many=True)
    def get(self, call: Call) -> Listing:
        """List meters, the newest first."""
        rows = metering.meters()
        if "archived" in call.query:
            rows = rows.filter(archived_at__isnull=not call.query["archived"])
        return Listing(rows)

    @operation(USAGE_EDIT, takes=MeterIn, gives=MeterOut, status=201)
    def post(self, call: Call) -> Meter:
        """Create a meter. How it counts never changes: archive it, and make another."""
        return create_meter(**call.data)


class OneMeter(Api):
    tag = TAG

    @operation(USAGE_VIEW, gives=MeterOut)
    def get(self, call: Call, public_id: str) -> Meter:
        """Get a meter."""
        return metering.meter(public_id)


class MeterArchive(Api):
    tag = TAG

    @operation(USAGE_EDIT, gives=MeterOut)
    def post(self, call: Call, public_id: str) -> Meter:
        """Take no more events for a meter. What was counted stays. Again changes nothing."""
        call.hold(metering.meter(public_id))
        return archive_meter(metering.meter(public_id).public_id)


class AlertIn(In):
    meter = Text(max_length=NAME, help_text="Its code or id.")
    subscription = PublicId(
        required=False, allow_null=True, help_text="Each of the meter's, unless you name one."
    )
    threshold = Exact(max_digits=27, decimal_places=12, help_text="In the meter's own unit, more than zero.")


class UsageAlerts(Api):
    tag = TAG

    @operation(USAGE_VIEW, gives=UsageAlertOut, many=True)
    def get(self, call: Call) -> Listing:
        """List alerts, the newest first."""
        return Listing(metering.alerts())

    @operation(USAGE_EDIT, takes=AlertIn, gives=UsageAlertOut, status=201)
    def post(self, call: Call) -> UsageAlert:
        """Create an alert.

        When the meter reaches the figure in a period of a subscription, its billing period of that moment, members are
        told and the event `usage.threshold_reached` goes out: within a minute or two, once in each period.
        """
        named = call.data.get("subscription")
        meter = referred("meter", lambda: metering.meter(call.data["meter"]))
        row = referred("subscription", lambda: subscription(named)) if named else None
        return create_alert(meter=meter, subscription=row, threshold=call.data["threshold"])


class UsageAlertReachedList(Api):
    tag = TAG

    @operation(USAGE_VIEW, gives=UsageAlertReachedOut, many=True)
    def get(self, call: Call, public_id: str) -> Listing:
        """List the periods in which an alert was reached, the newest first."""
        return Listing(metering.reached(metering.alert(public_id)))


class UsageAlertArchive(Api):
    tag = TAG

    @operation(USAGE_EDIT, gives=UsageAlertOut)
    def post(self, call: Call, public_id: str) -> UsageAlert:
        """Tell nothing more of an alert. Again changes nothing."""
        call.hold(metering.alert(public_id))
        archive_alert(public_id)
        return metering.alert(public_id)


class UsageEvents(Api):
    tag = TAG

    @operation(USAGE_VIEW, query=EventsQuery, gives=UsageEventOut, many=True)
    def get(self, call: Call) -> Listing:
        """List events, the latest first, voided ones too."""
        rows = metering.events(metering.EventFilter(**call.filters))
        return Listing(rows, metering.NEWEST_EVENTS, metering.with_voids)

    @operation(USAGE_CREATE, takes=EventIn, gives=TakenOut)
    def post(self, call: Call) -> dict[str, str]:
        """Record an event.

        The transaction id makes it safe to send again: the same id is a duplicate whatever else it says, and changes
        nothing. An event may come as late as its meter allows, and an hour ahead of now.
        """
        (taken,) = ingest([call.data["said"]])
        if taken.status is Status.FAILED:
            raise Invalid("The event cannot be taken.", fields=taken.problems)
        return {"status": str(taken.status), "transaction_id": taken.transaction_id}


class UsageEventsBatch(Api):
    tag = TAG

    @operation(USAGE_CREATE, takes=EventsIn, gives=TakenManyOut)
    def post(self, call: Call) -> dict[str, Any]:
        """Record 1 to 1,000 events at once, each on its own.

        The answer says of each whether it was taken, was here already, or why it was refused. Send the same batch again
        when you got no answer.
        """
        return _results(Status, "events", ingest(call.data["events"]))


class UsageEventsVoid(Api):
    tag = TAG

    @operation(USAGE_EDIT, takes=VoidIn, gives=VoidedManyOut)
    def post(self, call: Call) -> dict[str, Any]:
        """Have events count no more, 1 to 1,000 at once, each on its own.

        Possible as long as an event of that time may still come. A transaction id stays taken; to correct an event,
        send another one that replaces it. Again changes nothing.
        """
        return _results(
            Outcome, "transaction_ids", void(call.data["transaction_ids"], why=call.data.get("why", ""))
        )


def _results(words: Any, sent: str, found: list[Any]) -> dict[str, Any]:
    counts = Counter(each.status for each in found)
    return {
        **{str(word): counts[word] for word in words},
        "data": [
            {
                "status": str(each.status),
                "transaction_id": each.transaction_id,
                "errors": [
                    {"pointer": _pointer(sent, place, path), "message": why}
                    for path, why in each.problems.items()
                ],
            }
            for place, each in enumerate(found)
        ],
    }


def _pointer(sent: str, place: int, path: str) -> str:
    inner = "" if sent == "transaction_ids" or not path else f"/{path}"
    return f"/{sent}/{place}{inner}"


class SubscriptionUsage(Api):
    tag = TAG

    @operation(USAGE_VIEW, query=UsageQuery, gives=UsageOut)
    def get(self, call: Call, public_id: str) -> metering.Usage:
        """What a meter counted of a subscription: in all, by day and by group.

        It is true at that moment: an event that was taken is in it. Of `max`, `last`, `unique` and `weighted_sum` the
        days do not add up to the whole.
        """
        row = subscription(public_id)
        meter = referred("meter", lambda: metering.meter(call.query["meter"]))
        first = metering.first_of_month(clock.now(), row.zone)
        start = call.query.get("from", first)
        end = call.query.get("to", metering.month_after(start))
        found = metering.usage_by_day(row, meter, start, end)
        if not current().may(SUBSCRIPTIONS_VIEW):
            return found
        return replace(found, billed=counted_periods(row, meter, since=start, until=end))
