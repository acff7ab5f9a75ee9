"""Customers at their pages."""

from collections.abc import Iterator

import pytest
import time_machine
from django.test import Client

from billing.models import Subscription
from billing.services.run import run_billing
from core.scope import Scope, work
from tests.db.portal.owned import JUNE, NOON, offer, priced, sold


@pytest.fixture
def noon() -> Iterator[time_machine.Traveller]:
    """Of 16 June 2026."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def customer() -> Client:
    return Client()


@pytest.fixture
def sub(acorn: Scope, noon: time_machine.Traveller) -> Subscription:
    """Team for 30 a month, billed for June; Business for 90 is offered at once, Solo for 10 at its end."""
    with work():
        made = sold(priced("team", "30"))
        priced("business", "90")
        priced("solo", "10")
    run_billing(JUNE)
    offer(("business", "now"), ("solo", "period_end"))
    return made
