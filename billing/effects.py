"""Runs that a person started: worked off by a worker, so that no request waits for them."""

from datetime import date

from django.utils.translation import gettext_lazy as _

from billing.services.run import run_billing
from billing.services.start import RUN
from core.models import Effect
from core.registry import effect


@effect(RUN, _("Bill what is due"))
def run(due: Effect) -> None:
    """Bill everything due by the day; run again it bills only what is missing."""
    run_billing(date.fromisoformat(due.payload["as_of"]))
