"""Events for programs: read in an order in which nothing is missed and nothing comes twice."""

from arapp.api.outputs import EventOut
from core import feed
from core.api.fields import In, Moment, PublicId, Text
from core.api.operations import Api, Call, Listing, operation
from core.models import OutboxEvent
from tenants.permissions import EVENTS_VIEW

TAG = "Events"


class EventsQuery(In):
    name = Text(max_length=80, required=False, help_text="Such as payment.received.")
    about = PublicId(required=False, help_text="The object that it happened to.")
    since = Moment(required=False, help_text="Occurred at this time or later.")
    after = PublicId(required=False, help_text="The id of the last event you have.")


class Events(Api):
    tag = TAG

    @operation(EVENTS_VIEW, query=EventsQuery, gives=EventOut, many=True)
    def get(self, call: Call) -> Listing:
        """List events, the oldest first.

        Walk by `next`, keep the id of the last event, and go on with `after` later: nothing is ever added before an
        event that was seen, so nothing is missed and nothing comes twice. An event is listed moments after it happened.
        """
        return Listing(feed.feed(feed.EventFilter(**call.filters)), feed.IN_ORDER)


class OneEvent(Api):
    tag = TAG

    @operation(EVENTS_VIEW, gives=EventOut)
    def get(self, call: Call, public_id: str) -> OutboxEvent:
        """Get an event."""
        return feed.event(public_id)
