"""Plans that are moved between products whenever somebody likes, while discounts come and go and runs bill."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import time_machine
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from billing.models import (
    BilledPeriod,
    DiscountShare,
    HeldSubscription,
    Plan,
    Price,
    Subscription,
    SubscriptionDiscount,
)
from billing.previews import next_bill
from billing.selectors import preview, subscription_facts
from billing.services.change import change
from billing.services.discounts import create_coupon, discount, end_discount, give_coupon
from billing.services.lifecycle import pause
from billing.services.mrr import fill_movements
from billing.services.prices import create_price
from billing.services.products import create_product, move_plan
from billing.services.run import run_billing
from billing.services.subscriptions import add_item, release, subscribe
from core import clock
from core.effects import waiting
from core.errors import AppError
from core.scope import Scope, work
from customers.models import Customer
from tests import factories
from tests.billed import proven

ZONES = ("Pacific/Kiritimati", "Europe/Berlin", "Pacific/Pago_Pago")
FIRST = datetime(2025, 1, 20, 3, tzinfo=UTC)
PRODUCTS = ("", "a", "b", "c")
KINDS: tuple[dict[str, Any], ...] = (
    {"unit_price": Decimal("14.505")},
    {"unit_price": Decimal(29), "timing": "arrears"},
    {"unit_price": Decimal(11), "unit": "week"},
    {"unit_price": Decimal(40), "unit": "week", "every": 2, "timing": "arrears"},
)
_picks = st.integers(0, 99)
_plans = st.integers(0, len(KINDS) - 1)
_ahead = st.integers(-40, 40)
_products = st.lists(st.sampled_from(PRODUCTS[1:]), max_size=2, unique=True)


class Moves(RuleBasedStateMachine):
    """A few subscriptions to four plans, and what each plan belongs to from which day on, kept beside the product's own
    record of it."""

    @initialize(zone=st.sampled_from(ZONES), hours=st.integers(0, 30 * 24))
    def begin(self, zone: str, hours: int) -> None:
        self.before = transaction.savepoint()
        self.now, self.zone = FIRST + timedelta(hours=hours), zone
        self.turns: list[list[tuple[date, str]]] = [[(date.min, "")] for _ in KINDS]
        self.used: set[str] = set()
        self.given: list[str] = []
        with self.then(), work():
            self.owner = factories.customer()
            Customer.objects.filter(pk=self.owner.pk).update(zone=zone)
            for code in PRODUCTS[1:]:
                create_product(name=code.upper(), code=code)
                create_coupon(
                    code=code, name=f"C{code}", percent=Decimal(30), products=[code], periods=2, most=3
                )
            self.prices: list[Price] = [
                create_price(name=f"P{n}", code=f"p{n}", model="flat", currency="EUR", **kind)
                for n, kind in enumerate(KINDS)
            ]
        self.take(0, 0)
        self.give(0, ["a", "b"], None, 50, None, None)
        self.move(0, "a")

    @contextmanager
    def then(self) -> Iterator[None]:
        with time_machine.travel(self.now, tick=False):
            yield

    def today(self) -> date:
        return clock.today(self.zone)

    def attempt(self, act: Callable[[], object]) -> bool:
        """A refusal is an answer; anything else is not."""
        with self.then(), suppress(AppError):
            with work(), transaction.atomic():
                act()
            return True
        return False

    def one(self, pick: int) -> str:
        with work():
            ids = list(Subscription.objects.order_by("pk").values_list("public_id", flat=True))
        return str(ids[pick % len(ids)])

    @rule(plan=_plans, ahead=_ahead)
    def take(self, plan: int, ahead: int) -> None:
        self.attempt(lambda: subscribe(
            customer=self.owner.public_id, price=self.prices[plan], starts_on=self.today() + timedelta(ahead)
        ))  # fmt: skip

    @rule(pick=_picks, plan=_plans, ahead=_ahead)
    def add(self, pick: int, plan: int, ahead: int) -> None:
        sub = self.one(pick)
        self.attempt(lambda: add_item(
            sub, price=self.prices[plan], starts_on=self.today() + timedelta(ahead)
        ))  # fmt: skip

    @rule(pick=_picks, plan=_plans, ahead=st.none() | _ahead)
    def alter(self, pick: int, plan: int, ahead: int | None) -> None:
        sub = self.one(pick)
        self.attempt(lambda: change(
            sub, price=self.prices[plan], on=None if ahead is None else self.today() + timedelta(ahead),
            today=self.today(),
        ))  # fmt: skip

    @rule(pick=_picks, days=st.integers(1, 50))
    def rest(self, pick: int, days: int) -> None:
        sub = self.one(pick)
        self.attempt(lambda: pause(
            sub, on=self.today(), resumes_on=self.today() + timedelta(days), today=self.today()
        ))  # fmt: skip

    @rule(
        pick=_picks,
        products=_products,
        plan=st.none() | _plans,
        percent=st.sampled_from([None, 25, 50]),
        periods=st.none() | st.integers(1, 3),
        ahead=st.none() | _ahead,
        per=st.sampled_from(["bill", "line"]),
    )
    def give(
        self, pick: int, products: list[str], plan: int | None, percent: int | None,
        periods: int | None, ahead: int | None, per: str = "bill",
    ) -> None:  # fmt: skip
        sub = self.one(pick)
        said: dict[str, Any] = {"percent": Decimal(percent or 0)}
        if percent is None:
            said = {"amount": Decimal("3.33"), "per": per}
        if self.attempt(lambda: discount(
            sub, name=f"D{len(self.given)}", products=products,
            plans=[] if plan is None else [f"p{plan}"], periods=periods,
            on=None if ahead is None else self.today() + timedelta(ahead), today=self.today(), **said,
        )):  # fmt: skip
            self.given.append(sub)
            self.used |= set(products)

    @rule(pick=_picks, code=st.sampled_from(PRODUCTS[1:]), ahead=st.none() | _ahead)
    def redeem(self, pick: int, code: str, ahead: int | None) -> None:
        sub = self.one(pick)
        on = None if ahead is None else self.now.date() + timedelta(ahead)
        if self.attempt(lambda: give_coupon(sub, coupon=code, on=on, today=self.today())):
            self.used.add(code)

    @rule(pick=_picks, ahead=st.none() | _ahead)
    def take_back(self, pick: int, ahead: int | None) -> None:
        with work():
            ids = list(SubscriptionDiscount.objects.order_by("pk").values_list("public_id", flat=True))
        if ids:
            self.attempt(lambda: end_discount(
                ids[pick % len(ids)], today=self.today(),
                on=None if ahead is None else self.today() + timedelta(ahead),
            ))  # fmt: skip

    @rule(plan=_plans, product=st.sampled_from(PRODUCTS))
    def move(self, plan: int, product: str) -> None:
        """No day before the first that has begun nowhere is another."""
        history = self.turns[plan]
        was, before = history[-1][1], self.off()
        with self.then():
            turn = clock.today("Pacific/Kiritimati") + timedelta(days=1)
        assert self.attempt(lambda: move_plan(self.prices[plan].plan.public_id, product=product))
        if was == product:
            pass
        elif {was, product} & self.used:
            history[:] = [each for each in history if each[0] < turn]
            history.append((turn, product))
        else:
            history[-1] = (history[-1][0], product)
        after = self.off()
        assert {key: names for key, names in after.items() if key[1] < turn} == {
            key: names for key, names in before.items() if key[1] < turn
        }

    @rule(plan=_plans, first=st.sampled_from(PRODUCTS), then=st.sampled_from(PRODUCTS))
    def move_twice(self, plan: int, first: str, then: str) -> None:
        self.move(plan, first)
        self.move(plan, then)

    def off(self) -> dict[tuple[int, date], list[str]]:
        """The discounts of each item on each of a hundred days, as the pricing core says it."""
        with work():
            ids = list(Subscription.objects.order_by("pk").values_list("pk", flat=True))
            facts = subscription_facts(ids)
        days = [self.now.date() + timedelta(n) for n in range(-60, 40)]
        return {
            (item.item_id, day): [part.name for part in each.discounts_of(item) if part.holds(day)]
            for each in facts
            for item in each.items
            for day in days
        }

    def belongs(self, plan: str, day: date) -> str:
        return [product for start, product in self.turns[int(plan[1:])] if start <= day][-1]

    def expected(self, row: SubscriptionDiscount, plan: str, day: date) -> bool:
        if not (row.starts_on <= day and (row.ends_on is None or day < row.ends_on)):
            return False
        return not (row.plans or row.products) or plan in row.plans or self.belongs(plan, day) in row.products

    @rule(hours=st.integers(1, 40 * 24))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(months=st.integers(1, 3))
    def wait_long_and_run(self, months: int) -> None:
        self.now += timedelta(days=31 * months)
        self.run()

    @rule()
    def run(self) -> None:
        with self.then():
            day = clock.today("Europe/Berlin")
            with work():
                for sub in Subscription.objects.filter(held_at__isnull=False).values_list(
                    "public_id", flat=True
                ):
                    release(sub)
                charges, _odd = preview(day)
                said = {
                    each.facts.subscription_id: sum(line.amount_minor for line in each.lines)
                    for each in charges
                }
                one = (
                    Subscription.objects.filter(state="active", next_bill_on__lte=day).order_by("pk").first()
                )
                shown = next_bill(one, today=day, alone=True) if one else None
                before = BilledPeriod.objects.count()
            run_billing(day)
            with work():
                rows = list(
                    BilledPeriod.objects.order_by("id").select_related("item__price__plan", "subscription")[
                        before:
                    ]
                )
                still = HeldSubscription.objects.exclude(subscription__held_at=None)
                held = dict(still.values_list("subscription_id", "reason"))
            assert not [reason for reason in held.values() if "discount" in reason]
            billed = dict.fromkeys(said.keys() - held.keys(), 0)
            for row in rows:
                billed[row.subscription_id] += row.amount_minor
            assert billed == {pk: minor for pk, minor in said.items() if pk not in held}
            if one is not None and one.pk not in held and shown is not None and shown.totals is not None:
                assert shown.totals.net_minor == billed[one.pk]
            for row in rows:
                self.as_granted(row)

    def as_granted(self, row: BilledPeriod) -> None:
        """First what is for some, then what is for all; each off what is left."""
        with work():
            given = sorted(
                SubscriptionDiscount.objects.filter(subscription=row.subscription_id),
                key=lambda each: (not (each.plans or each.products), each.pk),
            )
            shares = dict(DiscountShare.objects.filter(period=row).values_list("discount_id", "amount_minor"))
        left = whole = Decimal(row.amount_minor + row.discount_minor)
        for each in given:
            if not self.expected(each, row.item.price.plan.code, row.period_start):
                assert each.pk not in shares
            elif each.per == "bill":
                assert shares[each.pk] <= each.amount * 100
                left -= min(left, shares[each.pk])
            else:
                left -= min(left, left * each.percent / 100 + each.amount * 100)
        assert abs(left - row.amount_minor) <= 1, (row.period_start, whole, left, row.amount_minor)

    @invariant()
    def all_is_as_it_was_said(self) -> None:
        if not hasattr(self, "owner"):
            return
        with work():
            given = {each.pk: each for each in SubscriptionDiscount.objects.all()}
            for plan, history in zip(
                Plan.objects.select_related("product").order_by("code"), self.turns, strict=True
            ):
                assert (plan.product.code if plan.product else "") == history[-1][1]
            ids = list(Subscription.objects.order_by("pk").values_list("pk", flat=True))
            for each in subscription_facts(ids):
                mine = [row for row in given.values() if row.subscription_id == each.subscription_id]
                for item in each.items:
                    for n in range(-60, 60, 3):
                        day = self.now.date() + timedelta(n)
                        said = sorted(part.name for part in each.discounts_of(item) if part.holds(day))
                        assert said == sorted(row.name for row in mine if self.expected(row, item.plan, day))

    def teardown(self) -> None:
        if not hasattr(self, "owner"):
            return
        try:
            self.wait(32 * 24)
            self.run()
            with self.then():
                with work():
                    moved = waiting().filter(kind="billing.mrr").exists()
                if moved:
                    fill_movements()
                proven()
        finally:
            transaction.savepoint_rollback(self.before)


def test_whatever_is_moved_discounts_are_those_of_the_day(acorn: Scope) -> None:
    run_state_machine_as_test(
        Moves,
        settings=settings(
            max_examples=6, stateful_step_count=18, deadline=None, suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
