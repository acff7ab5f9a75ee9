"""Webhooks for programs: added, changed, tested, looked at and replayed."""

from typing import Any

from rest_framework import serializers

from core.api.fields import Flag, Id, In, Out, RecordOut, Text, Word
from core.api.operations import Api, Call, Listing, operation
from integrations import selectors
from integrations.domain.states import State
from integrations.models import Delivery, Endpoint
from integrations.permissions import WEBHOOKS_EDIT, WEBHOOKS_VIEW
from integrations.services import endpoints

TAG = "Webhooks"


class WebhookOut(RecordOut):
    """An address that is told what happens."""

    OBJECT = "webhook"

    url = serializers.CharField()
    description = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField(), help_text="Names of events; empty for all.")
    thin = serializers.BooleanField(help_text="Only ids are sent.")
    failing_since = serializers.DateTimeField(allow_null=True)
    disabled_at = serializers.DateTimeField(allow_null=True)
    disabled_why = serializers.CharField()


class FreshOut(Out):
    """A webhook with the secret its receiver checks signatures with, given this once."""

    OBJECT = "webhook_secret"

    webhook = WebhookOut(source="endpoint")
    secret = serializers.CharField(
        allow_null=True, help_text="Null when a repeated request is answered: it is kept nowhere."
    )


class DeliveryOut(RecordOut):
    """One event told to one address."""

    OBJECT = "delivery"

    webhook = Id(source="endpoint")
    event = Id()
    about = serializers.CharField(source="object_id")
    state = Word(list(State))
    failures = serializers.IntegerField()
    next_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


class WebhookIn(In):
    url = Text(max_length=500)
    description = Text(max_length=200, required=False, allow_blank=True)
    events = serializers.ListField(child=Text(max_length=80), required=False, max_length=200)
    thin = Flag(required=False)


class DeliveriesQuery(In):
    state = serializers.ChoiceField([each.value for each in State], required=False)


class Webhooks(Api):
    tag = TAG

    @operation(WEBHOOKS_VIEW, gives=WebhookOut, many=True)
    def get(self, call: Call) -> Listing:
        """List webhooks, the newest first."""
        return Listing(Endpoint.objects.all())

    @operation(WEBHOOKS_EDIT, takes=WebhookIn, gives=FreshOut, status=201, once=["secret"])
    def post(self, call: Call) -> Any:
        """Add a webhook; the answer has its secret, this once."""
        return endpoints.add(**call.data)


class OneWebhook(Api):
    tag = TAG

    @operation(WEBHOOKS_VIEW, gives=WebhookOut)
    def get(self, call: Call, public_id: str) -> Endpoint:
        """Get a webhook."""
        return selectors.webhook(public_id)

    @operation(WEBHOOKS_EDIT, takes=WebhookIn, gives=WebhookOut)
    def patch(self, call: Call, public_id: str) -> Endpoint:
        """Change a webhook. Only what is sent changes; its events are replaced as a whole."""
        row = selectors.webhook(public_id)
        now = {name: getattr(row, name) for name in ("url", "description", "events", "thin")}
        return endpoints.change(public_id, version=call.expect(row.version), **{**now, **call.data})

    @operation(WEBHOOKS_EDIT, status=204)
    def delete(self, call: Call, public_id: str) -> None:
        """Take a webhook away with the log of what it was told."""
        endpoints.drop(public_id)


class WebhookSecret(Api):
    tag = TAG

    @operation(WEBHOOKS_EDIT, gives=FreshOut, once=["secret"])
    def post(self, call: Call, public_id: str) -> Any:
        """Change a webhook's secret; for a day the old one signs as well."""
        return endpoints.roll_secret(public_id)


class WebhookTest(Api):
    tag = TAG

    @operation(WEBHOOKS_EDIT, gives=WebhookOut, status=202)
    def post(self, call: Call, public_id: str) -> Endpoint:
        """Send a test event to a webhook, whatever it listens to."""
        endpoints.ping(public_id)
        return selectors.webhook(public_id)


class WebhookDisable(Api):
    tag = TAG

    @operation(WEBHOOKS_EDIT, gives=WebhookOut)
    def post(self, call: Call, public_id: str) -> Endpoint:
        """Tell a webhook nothing until it is enabled. Again changes nothing."""
        return endpoints.set_off(public_id, off=True)


class WebhookEnable(Api):
    tag = TAG

    @operation(WEBHOOKS_EDIT, gives=WebhookOut)
    def post(self, call: Call, public_id: str) -> Endpoint:
        """Tell a webhook again; what still waited goes out. Again changes nothing."""
        return endpoints.set_off(public_id, off=False)


class Deliveries(Api):
    tag = TAG

    @operation(WEBHOOKS_VIEW, query=DeliveriesQuery, gives=DeliveryOut, many=True)
    def get(self, call: Call, public_id: str) -> Listing:
        """List what a webhook was told, the newest first."""
        row = selectors.webhook(public_id)
        found = Delivery.objects.select_related("endpoint", "event").filter(endpoint=row)
        return Listing(found.filter(state=call.query["state"]) if "state" in call.query else found)


class DeliveryReplay(Api):
    tag = TAG

    @operation(WEBHOOKS_EDIT, gives=DeliveryOut, status=202)
    def post(self, call: Call, public_id: str) -> Delivery:
        """Tell a delivery that ended once more, under its old id."""
        endpoints.replay(public_id)
        return selectors.delivery(public_id)
