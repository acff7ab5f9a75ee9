"""What was billed can be billed again to the cent, and what cannot is named."""

from datetime import date
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from billing.models import BilledPeriod, Price, SubscriptionItem
from billing.services.prices import create_price
from billing.services.replay import replay_billing
from billing.services.run import run_billing
from billing.services.subscriptions import add_item, end, end_item, subscribe
from core.books import verify
from core.pages import dry_run
from core.scope import Scope, enter, work
from tests import factories

DAY = date(2026, 1, 31)


@pytest.fixture
def year(acorn: Scope) -> None:
    """Three subscriptions billed over half a year, with parts of periods, tiers, arrears, a fee and an end."""
    with work():
        owner = factories.customer()
        tiers = [{"up_to": Decimal(5), "unit_price": Decimal("7.333")}, {"unit_price": Decimal("6.5")}]
        calls = create_price(
            name="Calls", code="calls", model="graduated", currency="EUR", tiers=tiers, timing="arrears"
        )
        fee = create_price(
            name="Fee", code="fee", model="flat", currency="EUR", unit_price=Decimal(99), unit="once"
        )
        plan = create_price(
            name="Pro", code="pro", model="per_unit", currency="EUR", unit_price=Decimal("14.505")
        )
        first = subscribe(
            customer=owner.public_id, price=plan, quantity=Decimal(3), starts_on=DAY,
            added=[(calls, Decimal(12)), (fee, Decimal(1))],
        )  # fmt: skip
        subscribe(customer=owner.public_id, price=plan, starts_on=date(2026, 3, 17))
        third = subscribe(customer=owner.public_id, price=plan, starts_on=DAY)
    run_billing(date(2026, 3, 1))
    with work():
        late = add_item(first.public_id, price=calls, quantity=Decimal(7), starts_on=date(2026, 3, 10))
    run_billing(date(2026, 4, 2))
    with work():
        end(third.public_id, on=date(2026, 5, 11), today=date(2026, 5, 11))
        end_item(late.public_id, on=date(2026, 5, 20), today=date(2026, 5, 20))
    run_billing(date(2026, 7, 1))


@pytest.mark.usefixtures("year")
def test_every_period_comes_to_what_it_came_to() -> None:
    found = replay_billing(batch=2)
    with work():
        assert found.periods == BilledPeriod.objects.count() > 20
    assert found.differences == []


@pytest.mark.usefixtures("year")
def test_a_price_that_was_changed_after_all_is_named() -> None:
    with work():
        Price.objects.filter(plan__code="calls").update(terms={"tiers": [{"up_to": None, "unit_price": "7"}]})
    assert {each.would for each in replay_billing().differences} & {8400}


@pytest.mark.usefixtures("year")
def test_a_period_that_would_not_be_is_named(acorn: Scope) -> None:
    with work(), dry_run():
        item = SubscriptionItem.objects.filter(role="plan").order_by("id")[1]
        SubscriptionItem.objects.filter(pk=item.pk).update(starts_on=date(2026, 5, 1))
        whys = [each.why for each in replay_billing().differences]
    assert any("would be billed." in why for why in whys)
    assert "Nothing would be billed." not in whys


@pytest.mark.usefixtures("year")
def test_what_was_billed_beyond_its_end_is_found_in_the_books(acorn: Scope) -> None:
    with work(), dry_run():
        item = SubscriptionItem.objects.filter(role="plan").order_by("id")[1]
        SubscriptionItem.objects.filter(pk=item.pk).update(ends_on=date(2026, 5, 1))
        found = [each.check for each in verify()]
    assert "what is billed beyond its end is credited or due to be" in found


@pytest.mark.usefixtures("year")
def test_the_command_says_so(acorn: Scope) -> None:
    told, wrong = StringIO(), StringIO()
    call_command("replay_billing", organization="acorn", stdout=told)
    assert "no difference" in told.getvalue()
    with work():
        Price.objects.filter(plan__code="pro").update(unit_price=Decimal("14.51"))
    with pytest.raises(CommandError, match="would be billed otherwise"):
        call_command("replay_billing", organization="acorn", stderr=wrong)
    assert "billed, " in wrong.getvalue()


def test_anothers_periods_are_not_looked_at(acorn: Scope, birch: Scope) -> None:
    with enter(birch):
        with work():
            factories.subscription(factories.customer(), DAY)
        run_billing(DAY)
    assert replay_billing().periods == 0
