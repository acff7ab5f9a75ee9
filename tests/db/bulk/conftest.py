"""Whoever asks, five subscriptions to change at once, and a price to move them to."""

from datetime import timedelta

import pytest

from billing.models import (
    Price,
    Subscription,
)
from billing.services import bulk_jobs
from billing.services.run import run_billing
from core.scope import Scope, work
from tests import factories
from tests.db.billing.test_change import priced
from tests.db.bulk.many import MANY, today
from tests.db.pages_documents.conftest import bea, ben, vic  # noqa: F401


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A handful is many here."""
    monkeypatch.setattr(bulk_jobs, "STEP", 2)


@pytest.fixture
def subs(acorn: Scope) -> list[Subscription]:
    """Five of Kestrel's at 14.50 a month, billed since ten days ago."""
    with work():
        kestrel = factories.customer(name="Kestrel")
        made = [factories.subscription(kestrel, today() - timedelta(days=10)) for _ in range(MANY)]
    run_billing(today())
    return made


@pytest.fixture
def dear(acorn: Scope) -> Price:
    with work():
        return priced(name="Deluxe")
