"""The mail about a webhook that was switched off, to those who can switch it on."""

from dataclasses import dataclass
from typing import Any, ClassVar

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core.models import OutboxEvent
from core.registry import handles
from integrations.events import WebhookDisabled
from integrations.models import Endpoint
from integrations.permissions import WEBHOOKS_EDIT
from messaging.composers import Answer, Ready, Skip, composer
from messaging.domain.letters import Letter
from messaging.services.queue import Draft, queue_for_event
from tenants.rights import holders_of
from tenants.selectors import organization

DISABLED = "webhook_disabled"


@dataclass(frozen=True, kw_only=True)
class WebhookOff(Letter):
    """A webhook takes nothing any more and was switched off."""

    template: ClassVar[str] = "webhook_disabled"

    address: str
    why: str
    webhooks_url: str


@handles(WebhookDisabled)
def mail_disabled(rows: list[OutboxEvent]) -> None:
    """Queue the mail to each who may change webhooks."""
    for row in rows:
        drafts = [
            Draft(
                DISABLED,
                row.object_public_id,
                to=each.email,
                dedupe=f"{row.object_version}:{each.email}"[:120],
            )
            for each in holders_of(WEBHOOKS_EDIT)
        ]
        queue_for_event(drafts)


@composer(DISABLED, _("Webhook switched off"))
def compose_disabled(message: Any) -> Answer:
    """As things are now; nothing when it is on again."""
    row = Endpoint.objects.filter(public_id=message.about).first()
    if row is None or row.disabled_at is None:
        return Skip("The webhook is on again, or gone.")
    if message.to_address not in {each.email for each in holders_of(WEBHOOKS_EDIT)}:
        return Skip("Who it is for may not change webhooks any more.")
    house = organization()
    return Ready(
        WebhookOff(
            organization_name=house.name,
            customer_name=message.to_address,
            address=row.url,
            why=row.disabled_why,
            webhooks_url=settings.BASE_URL + reverse("webhooks", args=[house.slug]),
        )
    )
