"""Features under two hands at once, past the services, in the sandbox, and in the proof of the books."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from billing.entitlements import Whose, entitlement, entitlements
from billing.models import Feature, FeatureGrant, FeatureOverride, Plan, Subscription
from billing.services.features import (
    Granted,
    change_feature,
    create_feature,
    retire_feature,
    set_plan_features,
)
from billing.services.overrides import set_override
from core import clock
from core.books import verify
from core.errors import Invalid
from core.models import OutboxEvent
from core.periods import local_midnight
from core.scope import Scope, enter, work
from tests import factories
from tests.db.billing.test_usage_at_once import at_once, open_elsewhere
from tests.db.sandbox.test_copying import copy


def grants(*codes: str) -> list[Granted]:
    return [Granted(code, Decimal(n)) for n, code in enumerate(codes, 1)]


def furnished(*codes: str, **given: Any) -> Subscription:
    """Limits with these codes, and a subscription whose plan grants all of them."""
    today = clock.today("Europe/Berlin")
    sub = factories.subscription(factories.customer(), today - timedelta(days=3), **given)
    for code in codes:
        create_feature(name=code.title(), code=code, kind="limit", unit="pieces")
    set_plan_features(sub.price.plan.public_id, grants(*codes))
    return sub


def held(sub: Subscription) -> dict[str, Decimal | None]:
    found = entitlements(Whose.SUBSCRIPTION, sub.public_id)
    return {each.feature.code: each.value.amount for each in found.found if each.on}


def changes() -> int:
    return int(OutboxEvent.objects.filter(name="plan.features_changed").count())


def test_two_who_set_a_plan_at_once_leave_what_one_of_them_wanted(committed_acorn: Scope) -> None:
    codes = "abcdef"
    with work():
        sub = furnished(*codes)
        plan = sub.price.plan.public_id
    wishes = [grants(*codes[n % 3 :: 2]) for n in range(6)]
    wish: Callable[[list[Granted]], Callable[[], Any]] = lambda mine: lambda: set_plan_features(plan, mine)  # noqa: E731
    at_once(committed_acorn, *(wish(each) for each in wishes))
    with work():
        found = held(sub)
        assert found in [{each.feature: each.amount for each in mine} for mine in wishes]


def test_an_override_sent_twice_at_once_is_one(committed_acorn: Scope) -> None:
    with work():
        sub = furnished("seats")
    said = {"feature": "seats", "mode": "add", "amount": Decimal(50), "today": clock.today(sub.zone)}
    at_once(committed_acorn, *[lambda: set_override(sub.public_id, **said)] * 4)
    with work():
        assert FeatureOverride.objects.count() == 1
        assert OutboxEvent.objects.filter(name="feature_override.set").count() == 1
        assert held(sub) == {"seats": 51}


def test_a_feature_is_not_granted_while_it_is_retired(committed_acorn: Scope) -> None:
    """Whoever grants it waits for whoever retires it, and is then refused."""
    with work():
        plan = furnished("seats").price.plan.public_id
        row = create_feature(name="Old", code="old", kind="switch")
    with (
        open_elsewhere(committed_acorn, lambda: retire_feature(row.public_id)),
        pytest.raises(OperationalError, match="lock timeout"),
        work(),
    ):
        set_plan_features(plan, [Granted("old")])
    with pytest.raises(Invalid), work():
        set_plan_features(plan, [Granted("old")])
    with work():
        assert not FeatureGrant.objects.filter(feature=row).exists()


def test_the_database_refuses_what_goes_past_the_services(acorn: Scope) -> None:
    with work():
        sub = furnished("seats")
        feature = Feature.objects.get()
        plan = sub.price.plan
        own = {"subscription": sub, "feature": feature}
        for make in (
            lambda: Feature.objects.create(name="Seats", code="seats", kind="switch"),
            lambda: FeatureGrant.objects.create(plan=plan, feature=feature, amount=Decimal(1)),
            lambda: FeatureGrant.objects.filter(plan=plan).update(amount=Decimal(-1)),
            lambda: FeatureOverride.objects.create(**own, amount=Decimal(-1)),
            lambda: FeatureOverride.objects.create(**own, mode="add"),
            lambda: FeatureOverride.objects.create(**own, mode="minus", amount=Decimal(1)),
        ):
            with pytest.raises(IntegrityError), transaction.atomic():
                make()
        assert held(sub) == {"seats": 1}


def test_a_grant_that_does_not_fit_its_kind_is_found(acorn: Scope) -> None:
    with work(), transaction.atomic():
        furnished("seats")
        assert verify() == []
        Feature.objects.update(kind="switch")
        assert [each.check for each in verify()] == ["what is granted of a feature fits its kind"]
        transaction.set_rollback(True)


def test_the_local_day_of_the_subscription_decides(acorn: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    day = date(2026, 12, 1)
    with work():
        create_feature(name="SSO", code="sso", kind="switch")
        for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
            sub = factories.subscription(factories.customer(), day)
            Subscription.objects.filter(pk=sub.pk).update(zone=zone)
            set_plan_features(sub.price.plan.public_id, [Granted("sso")])
            begins = local_midnight(day, zone)
            for moment, on in ((begins - timedelta(seconds=1), False), (begins, True)):
                monkeypatch.setattr(clock, "now", lambda moment=moment: moment)
                assert entitlement(Whose.SUBSCRIPTION, sub.public_id, "sso")[1].on is on, (zone, moment)


def test_nothing_is_granted_where_the_plan_is_interrupted(acorn: Scope) -> None:
    """Items end and begin again: what lies between grants nothing, and an override with it waits."""
    with work():
        sub = furnished("seats")
        today = clock.today(sub.zone)
        set_override(sub.public_id, feature="seats", mode="add", amount=Decimal(9), today=today)
        (item,) = sub.items.all()
        item.ends_on = today + timedelta(days=2)
        item.touch("ends_on")
        later = today + timedelta(days=5)
        sub.items.create(
            price=sub.price, quantity=1, role="plan", starts_on=later, organization_id=sub.organization_id
        )
        found = [
            entitlement(Whose.SUBSCRIPTION, sub.public_id, "seats", on=today + timedelta(days=n))[
                1
            ].value.amount
            for n in (1, 2, 4, 5)
        ]
        assert found == [10, None, None, 10]
        transaction.set_rollback(True)


def test_the_sum_of_units_is_exact_to_the_twelfth_place(acorn: Scope) -> None:
    with work():
        sub = furnished("seats", quantity=Decimal("999999999999.999999999999"))
        change_feature(Feature.objects.get().public_id, per_unit=True)
        set_plan_features(sub.price.plan.public_id, [Granted("seats", Decimal("999999999999.000000000001"))])
        exact = 999999999999999999999999 * 999999999999000000000001  # as whole numbers of the twelfth place
        amount = held(sub)["seats"]
        assert amount is not None
        assert amount.as_tuple().digits == Decimal(exact).as_tuple().digits
        assert amount.as_tuple().exponent == -24


def test_any_number_of_subscriptions_and_features_is_one_statement(acorn: Scope) -> None:
    with work():
        sub = furnished("a", "b", "c")
        for _ in range(3):
            factories.subscription(sub.customer, sub.anchor)
        with CaptureQueriesContext(connection) as seen:
            found = entitlements(Whose.CUSTOMER, sub.customer.public_id)
        assert (len(seen), len(found.found)) == (1, 3)


def test_features_come_into_the_sandbox_and_once(sandbox: Scope, committed_acorn: Scope) -> None:
    with work():
        sub = furnished("seats", "old")
        create_feature(name="SSO", code="sso", kind="switch")
        retire_feature(Feature.objects.get(code="old").public_id)
        today = clock.today(sub.zone)
        set_override(sub.public_id, feature="sso", today=today, why="Promised to the boss of Kestrel")
        set_override(sub.public_id, feature="seats", mode="add", amount=Decimal(50), today=today)
    for _ in range(2):
        assert copy(sandbox).state == "done"
        with enter(sandbox), work():
            (made,) = Subscription.objects.all()
            assert {row.code: row.retired_at is None for row in Feature.objects.all()} == {
                "seats": True, "old": False, "sso": True,
            }  # fmt: skip
            later = max(item.starts_on for item in made.items.all())
            found = entitlements(Whose.SUBSCRIPTION, made.public_id, on=later).found
            assert {each.feature.code: each.value.amount for each in found if each.on} == {
                "seats": 51, "old": 2, "sso": None,
            }  # fmt: skip
            assert {row.why for row in FeatureOverride.objects.all()} == {""}
            assert Plan.objects.count() == 1
            assert verify() == []
