"""Background work of cash application: webhooks, the sandbox's reports, and the sweeper of open attempts."""

from cashapp.models import Attempt
from cashapp.services import inbox
from cashapp.services.attempts import ask
from core import clock, registry
from core.models import Effect
from core.scope import work

SWEEP = 50


@registry.effect("sandbox.webhook")
def report_sandbox(effect: Effect) -> None:
    """Bring the sandbox's report to the inbox, as the network would."""
    inbox.receive(
        provider="sandbox", event_id=effect.payload["event_id"], payload={"key": effect.payload["key"]}
    )


@registry.effect("webhook.handle")
def handle_webhook(effect: Effect) -> None:
    inbox.handle(effect.payload["id"])


@registry.due_worker("attempts")
def sweep(row_ids: list[int]) -> None:
    """Ask about attempts of the scope's organization that have no result yet."""
    with work():
        waiting = list(Attempt.objects.filter(check_at__lte=clock.wall()).order_by("check_at", "id")[:SWEEP])
    for attempt in waiting:
        ask(attempt)
