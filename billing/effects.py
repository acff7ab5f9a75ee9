"""What a person started: runs and bulk changes, worked off by a worker, so that no request waits for them."""

from datetime import date, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.services import renewals
from billing.services.bulk_jobs import LOOK, LOOKING, RUNNING
from billing.services.bulk_jobs import RUN as RUN_MANY
from billing.services.mrr import FILL, fill_movements
from billing.services.run import give_up, run_billing
from billing.services.start import RUN, still_tried
from billing.services.usage_alerts import LOOK as ALERTS
from billing.services.usage_alerts import look
from core import clock
from core.effects import Later
from core.models import Effect
from core.registry import effect, given_up
from core.scope import work
from tenants.services.steps import Steps

LABEL = gettext_lazy("Bill what is due")
TURN = timedelta(seconds=30)
"""How long many subscriptions are worked on before other work gets its turn."""


@effect(RUN, LABEL)
def run(due: Effect) -> None:
    """Bill everything due by the day; run again it bills only what is missing."""
    run_billing(date.fromisoformat(due.payload["as_of"]))


@effect(ALERTS, gettext_lazy("Look whether usage has reached an alert"))
def look_at_alerts(due: Effect) -> None:
    """Tell of the alerts that are reached; run again it tells nothing twice."""
    with work():
        look(subscription_id=due.payload["subscription"], meter_id=due.payload["meter"])


@effect(FILL, gettext_lazy("Write what subscriptions are worth a month"))
def fill(due: Effect) -> None:
    """Write movements that are missing; run again it writes none twice."""
    fill_movements()


@effect(renewals.LOOK, gettext_lazy("Look for renewals to tell customers of"))
def look_for_renewals(due: Effect) -> None:
    """Tell of what renews soon; run again it tells nothing twice."""
    renewals.look(due.payload["entity"], turn=due.payload["turn"], after=due.payload["after"])


@given_up(RUN)
def end(due: Effect, why: str) -> None:
    """The run ends with what is parked, unless another start of it is still tried."""
    as_of = date.fromisoformat(due.payload["as_of"])
    if not still_tried(as_of, beside=due):
        give_up(as_of, _("“%(what)s” keeps failing and is parked: %(why)s") % {"what": LABEL, "why": why})


def _in_steps(steps: Steps, job: str) -> None:
    """Step after step for one turn; what is left comes with the next turn, behind what was committed."""
    end = clock.wall() + TURN
    with work():
        steps.take_up(job)
    while steps.step(job):
        if clock.wall() >= end:
            raise Later(clock.now())


@effect(LOOK, gettext_lazy("Look at many subscriptions"))
def look_at_many(due: Effect) -> None:
    """Try a bulk change on each, writing nothing but what would become of it."""
    _in_steps(LOOKING, due.payload["job"])


@effect(RUN_MANY, gettext_lazy("Change many subscriptions"))
def change_many(due: Effect) -> None:
    """Do a bulk change to each that can be changed; run again it goes on behind what was done."""
    _in_steps(RUNNING, due.payload["job"])


@given_up(LOOK)
def end_look(due: Effect, why: str) -> None:
    LOOKING.give_up(due.payload["job"], why)


@given_up(RUN_MANY)
def end_change(due: Effect, why: str) -> None:
    RUNNING.give_up(due.payload["job"], why)
