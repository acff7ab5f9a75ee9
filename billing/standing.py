"""How a subscription stands on a day, in one word: for lists as a condition, for a row from what was read with it."""

from datetime import date
from typing import Any

from django.db.models import Q

from billing.domain.charges import ACTIVE, ENDED, PAUSED
from billing.models import BilledPeriod, CorrectedPeriod
from core import clock
from receivables.listing import open_sources

PAST_DUE = "past_due"
STATES = ("scheduled", "trialing", ACTIVE, PAST_DUE, PAUSED, "held", ENDED)


def standing(state: str, today: date) -> Q:
    """Those that are in a state on a local date; active are also those held, on trial, to come or past due."""
    over = Q(state=ENDED) | Q(ends_on__isnull=False, ends_on__lte=today)
    paused = Q(paused_on__lte=today) & (Q(resumes_on=None) | Q(resumes_on__gt=today))
    runs = ~over & (Q(paused_on=None) | Q(paused_on__gt=today) | Q(resumes_on__lte=today))
    begun = Q(starts_on__lte=today) & (Q(trial_ends_on=None) | Q(trial_ends_on__lte=today))
    unpaid = Q(document__public_id__in=open_sources(due_before=today))
    late = Q(pk__in=BilledPeriod.objects.filter(unpaid).values("subscription"))
    late |= Q(pk__in=CorrectedPeriod.objects.filter(unpaid).values("subscription"))
    return {
        ENDED: over,
        "held": ~over & Q(held_at__isnull=False),
        PAUSED: ~over & paused,
        "scheduled": ~over & Q(starts_on__gt=today),
        "trialing": ~over & Q(starts_on__lte=today, trial_ends_on__gt=today),
        ACTIVE: runs,
        PAST_DUE: runs & begun & Q(held_at=None) & late,
    }[state]


def state_of(row: Any) -> str:
    """How a subscription of `listing.subscriptions` stands today in its zone, in one of `STATES`.

    What is over, paused or held is so from its day on, whether a run has settled it yet or not. Past due is an active
    one of whose invoices something is open after its day.
    """
    today = clock.today(row.zone)
    if row.state == ENDED or (row.ends_on is not None and row.ends_on <= today):
        return ENDED
    if row.held_at:
        return "held"
    if (
        row.paused_on is not None
        and row.paused_on <= today
        and (row.resumes_on is None or today < row.resumes_on)
    ):
        return PAUSED
    if row.starts_on > today:
        return "scheduled"
    if row.trial_ends_on is not None and today < row.trial_ends_on:
        return "trialing"
    return PAST_DUE if row.unpaid_since is not None and row.unpaid_since < today else ACTIVE
