"""Every event is told to the addresses that listen; each telling is worked off as an effect."""

from django.utils.translation import gettext_lazy as _

from core.models import Effect, OutboxEvent
from core.registry import effect, handles_every
from integrations import mails  # noqa: F401 - registers the mail about one that was switched off
from integrations.services import deliver
from integrations.services.endpoints import DELIVER


@handles_every
def tell(rows: list[OutboxEvent]) -> None:
    """Write what is to be told to whom."""
    deliver.fan_out(rows)


@effect(DELIVER, _("Tell a webhook"))
def send(row: Effect) -> None:
    """Try one delivery."""
    deliver.deliver(row.payload["delivery"])
