"""Runs that a person started: worked off by a worker, so that no request waits for them."""

from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.services.mrr import FILL, fill_movements
from billing.services.run import give_up, run_billing
from billing.services.start import RUN, still_tried
from billing.services.usage_alerts import LOOK, look
from core.models import Effect
from core.registry import effect, given_up
from core.scope import work

LABEL = gettext_lazy("Bill what is due")


@effect(RUN, LABEL)
def run(due: Effect) -> None:
    """Bill everything due by the day; run again it bills only what is missing."""
    run_billing(date.fromisoformat(due.payload["as_of"]))


@effect(LOOK, gettext_lazy("Look whether usage has reached an alert"))
def look_at_alerts(due: Effect) -> None:
    """Tell of the alerts that are reached; run again it tells nothing twice."""
    with work():
        look(subscription_id=due.payload["subscription"], meter_id=due.payload["meter"])


@effect(FILL, gettext_lazy("Write what subscriptions are worth a month"))
def fill(due: Effect) -> None:
    """Write movements that are missing; run again it writes none twice."""
    fill_movements()


@given_up(RUN)
def end(due: Effect, why: str) -> None:
    """The run ends with what is parked, unless another start of it is still tried."""
    as_of = date.fromisoformat(due.payload["as_of"])
    if not still_tried(as_of, beside=due):
        give_up(as_of, _("“%(what)s” keeps failing and is parked: %(why)s") % {"what": LABEL, "why": why})
