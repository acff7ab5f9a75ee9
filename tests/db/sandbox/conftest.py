"""A sandbox with customers and subscriptions, and ways to move its clock without a worker beside."""

import hashlib
from datetime import date, timedelta
from typing import Any

import pytest

from core import registry, timetravel
from core.scope import Scope, enter, work
from core.tasks import system_scope
from invoicing.models import Document
from ledger.models import Entry, Leg
from tests import factories


@pytest.fixture(autouse=True)
def own_cache(settings: Any) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}


@pytest.fixture(autouse=True)
def no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Documents are not drawn here: that would take most of the time. Their mails do not wait for it."""
    monkeypatch.setitem(registry.effects, "document.pdf", lambda effect: None)
    monkeypatch.setattr("invoicing.mails.WAIT_FOR_PDF", timedelta())


def furnish(scope: Scope, count: int, *, first: date) -> None:
    """Customers with a subscription each, from `first` over the days of a month, monthly ones and weekly ones."""
    with enter(system_scope(scope.organization_id)), work():
        for n in range(count):
            owner = factories.customer(number=f"S{n}", name=f"Payer {n}", email=f"payer{n}@kestrel.example")
            factories.subscription(owner, first + timedelta(days=n % 31), unit="month" if n % 5 else "week")


def run(scope: Scope, *, most: int = 1000) -> int:
    """Work the move off as workers do, turn after turn; how many turns it took."""
    for turn in range(most):
        with enter(system_scope(scope.organization_id)):
            with work():
                if timetravel.under_way() is None:
                    return turn
            timetravel.go_on([])
    raise AssertionError("the clock never came to its target")


def move(scope: Scope, by: timedelta) -> Any:
    """Move the clock by a span, all the way; the job that did it."""
    with enter(system_scope(scope.organization_id)), work():
        job = timetravel.start(timetravel.business_now() + by)
    run(scope)
    with enter(scope), work():
        job.refresh_from_db()
    return job


def digest(scope: Scope) -> str:
    """What was billed and booked, without ids and moments: by number, day and amounts."""
    with enter(scope), work():
        documents = list(
            Document.objects.order_by("number").values_list(
                "number", "state", "issued_on", "due_on", "total_minor", "currency", "customer__number"
            )
        )
        entries = sorted(
            Leg.objects.values_list(
                "entry__effective_on", "entry__posted_on", "account__code", "minor", "currency"
            )
        )
        count = Entry.objects.count()
    return hashlib.sha256(repr((documents, entries, count)).encode()).hexdigest()
