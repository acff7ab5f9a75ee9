"""What the gate held, on the run's page: seen by who may see runs, released by who may start them, by nobody else."""

from datetime import date
from decimal import Decimal

import pytest
from django.test import Client

from billing.models import AcceptedFinding, BillingRun, HeldSubscription, Subscription, SubscriptionItem
from billing.services.run import run_billing
from core.scope import Scope, enter, work
from tests import factories

FIRST, SECOND = date(2026, 10, 1), date(2026, 11, 1)
SAID = "A recorded change took it from 12 to 1200: is that meant?"


@pytest.fixture
def held(acorn: Scope) -> tuple[BillingRun, Subscription]:
    """A run that held a subscription of which somebody typed a hundred times too much."""
    with work():
        sub = factories.subscription(factories.customer(), FIRST, quantity=Decimal(12))
    run_billing(FIRST)
    with work():
        SubscriptionItem.objects.filter(subscription=sub).update(ends_on=SECOND)
        SubscriptionItem.objects.create(
            subscription=sub, price=sub.price, quantity=Decimal(1200), starts_on=SECOND, role="plan"
        )
        Subscription.objects.filter(pk=sub.pk).update(quantity=Decimal(1200))
    return run_billing(SECOND), sub


def test_the_run_page_shows_what_was_found_and_releases_it(
    held: tuple[BillingRun, Subscription], ana: Client
) -> None:
    run, sub = held
    page = f"/o/acorn/runs/{run.public_id}/"
    shown = ana.get(page).content.decode()
    with work():
        name = sub.customer.name
    for word in ("Fix", "Release"):
        assert f'{word}<span class="visually-hidden"> {name}</span>' in shown
    assert f"{SAID} EUR 17,400.00; the one before was EUR 174.00." in shown
    assert f'href="/o/acorn/subscriptions/{sub.public_id}/"' in shown
    assert SAID in ana.get(f"/o/acorn/subscriptions/{sub.public_id}/").content.decode()
    path = f"/o/acorn/subscriptions/{sub.public_id}/release/"
    for _ in range(2):
        assert ana.post(path, {"run": run.public_id}).status_code == 302
    with work():
        assert AcceptedFinding.objects.count() == 1
    assert SAID not in ana.get(page).content.decode()
    assert run_billing(SECOND).documents == 1


def test_the_preview_shows_it_too(acorn: Scope, held: tuple[BillingRun, Subscription], ana: Client) -> None:
    with work():
        Subscription.objects.update(held_at=None, held_reason="")
    shown = ana.post("/o/acorn/runs/preview/", {"as_of": SECOND.isoformat()}).content.decode()
    assert SAID in shown
    with work():
        assert HeldSubscription.objects.count() == 1


def test_who_may_not_start_runs_sees_it_and_releases_nothing(
    held: tuple[BillingRun, Subscription], vic: Client
) -> None:
    run, sub = held
    assert SAID in vic.get(f"/o/acorn/runs/{run.public_id}/").content.decode()
    assert vic.post(f"/o/acorn/subscriptions/{sub.public_id}/release/").status_code == 403
    with work():
        assert not AcceptedFinding.objects.exists()
        assert Subscription.objects.get(pk=sub.pk).held_at is not None


def test_another_organization_finds_nothing(
    held: tuple[BillingRun, Subscription], birch: Scope, bea: Client
) -> None:
    run, sub = held
    for slug in ("birch", "acorn"):
        assert bea.post(f"/o/{slug}/subscriptions/{sub.public_id}/release/").status_code == 404
        assert bea.get(f"/o/{slug}/runs/{run.public_id}/").status_code == 404
    with work():
        assert not AcceptedFinding.objects.exists()
    with enter(birch), work():
        assert not HeldSubscription.objects.exists()
