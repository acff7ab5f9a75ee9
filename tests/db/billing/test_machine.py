"""Subscriptions under whatever people and clocks do to them: nothing twice, no gap, the preview is the result."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import time_machine
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from billing.domain.anchors import Rhythm
from billing.domain.proration import Proration
from billing.models import (
    BilledPeriod,
    CorrectedPeriod,
    CreditedPeriod,
    HeldSubscription,
    LateUsage,
    Price,
    Subscription,
    SubscriptionItem,
    SubscriptionStep,
)
from billing.previews import next_bill
from billing.ramps import upcoming
from billing.selectors import preview
from billing.services.bulk_change import Given, Wish, carry_out, look_at
from billing.services.change import add_step, change, revoke_change, subscribe_in_steps
from billing.services.lifecycle import pause, reactivate, resume
from billing.services.prices import create_price
from billing.services.replay import replay_billing
from billing.services.run import run_billing
from billing.services.steps import Step
from billing.services.subscriptions import add_item, end, end_item, release, subscribe
from billing.services.usage_voids import void
from core import clock
from core.books import verify
from core.errors import AppError
from core.scope import Scope, work
from customers.models import Customer
from tests import factories
from tests.db.billing.ramped import as_said
from tests.metering import meter, said, send

ZONES = ("Pacific/Kiritimati", "Europe/Berlin", "America/St_Johns", "Pacific/Pago_Pago")
FIRST = date(2023, 12, 29)
METERED = 7
"""The price whose quantity is counted."""
LISTED = ["01-05", "02-03", "02-28", "03-01", "05-15", "12-25"]
_names = count()
_days = st.integers(0, 40)
_rhythms = st.sampled_from([
    Rhythm(),
    Rhythm(trial_days=14),
    Rhythm(calendar=True),
    Rhythm(anchor_day=31, proration=Proration.THIRTIETH),
    Rhythm(anchor=date(2024, 2, 29), trial_days=3),
    Rhythm(calendar=True, proration=Proration.NONE),
    Rhythm(calendar=True, proration=Proration.SECOND),
    Rhythm(trial_days=1, proration=Proration.SECOND),
])  # fmt: skip
_times = st.sampled_from([time(), time(0, 0, 1), time(12), time(23, 59, 59)])
_quantities = st.decimals(0, 30, places=2)


def prices() -> list[Price]:
    """One of each kind that bills in its own way."""
    tiers = [
        {"up_to": Decimal(5), "unit_price": Decimal("7.333")},
        {"unit_price": Decimal("6.5"), "flat": Decimal(1)},
    ]
    kinds: list[dict[str, object]] = [
        {"model": "per_unit", "unit_price": Decimal("14.505")},
        {"model": "flat", "unit_price": Decimal(29), "unit": "week", "every": 2},
        {"model": "graduated", "tiers": tiers, "timing": "arrears"},
        {"model": "volume", "tiers": tiers, "unit": "quarter"},
        {
            "model": "package",
            "unit_price": Decimal("0.99"),
            "per": Decimal(3),
            "timing": "arrears",
            "unit": "week",
        },
        {"model": "flat", "unit_price": Decimal(77), "unit": "dates", "dates": LISTED},
        {"model": "flat", "unit_price": Decimal(99), "unit": "once"},
        {"model": "graduated", "tiers": tiers, "timing": "arrears", "meter": meter("sum").code},
    ]
    return [
        create_price(name=f"P{n}", code=f"p{n}", currency="EUR", **given)  # type: ignore[arg-type]
        for n, given in enumerate(kinds)
    ]


class Life(RuleBasedStateMachine):
    """A few subscriptions, a day that moves forward, and runs that come when they come."""

    offered: list[Price]

    @initialize(zone=st.sampled_from(ZONES), late=_days)
    def begin(self, zone: str, late: int) -> None:
        self.today = FIRST + timedelta(days=late)
        self.sent: list[str] = []
        with work():
            self.owner = factories.customer()
            Customer.objects.filter(pk=self.owner.pk).update(zone=zone)
        self.take(0, Decimal(1), 0, Rhythm())
        self.count(0, 0)

    def attempt(self, act: Callable[[], object]) -> None:
        """A refusal is an answer; anything else is not."""
        with suppress(AppError), work():
            act()

    def at(self, sub: str, at: time) -> time:
        """A time of day, where days are shared by it."""
        with work():
            by = Subscription.objects.get(public_id=sub).proration
        return at if by == Proration.SECOND else time()

    def one(self, pick: int) -> str:
        with work():
            ids = list(Subscription.objects.filter(customer=self.owner).values_list("public_id", flat=True))
        return str(ids[pick % len(ids)])

    @rule(price=st.integers(0, 5), quantity=_quantities, ahead=st.integers(-40, 40), rhythm=_rhythms)
    def take(self, price: int, quantity: Decimal, ahead: int, rhythm: Rhythm) -> None:
        day = self.today + timedelta(days=ahead)
        self.attempt(lambda: subscribe(
            customer=self.owner.public_id, price=self.offered[price], quantity=quantity, starts_on=day,
            rhythm=rhythm,
        ))  # fmt: skip

    @rule(pick=st.integers(0, 9), price=st.integers(0, 6), quantity=_quantities, ahead=st.integers(-40, 40))
    def add(self, pick: int, price: int, quantity: Decimal, ahead: int) -> None:
        day = self.today + timedelta(days=ahead)
        sub = self.one(pick)
        self.attempt(lambda: add_item(sub, price=self.offered[price], quantity=quantity, starts_on=day))

    @rule(pick=st.integers(0, 9), ahead=st.integers(-40, 40))
    def count(self, pick: int, ahead: int) -> None:
        """Bill what its meter counts from a day on."""
        sub, day = self.one(pick), self.today + timedelta(days=ahead)
        self.attempt(lambda: add_item(sub, price=self.offered[METERED], quantity=Decimal(1), starts_on=day))

    @rule(pick=st.integers(0, 9), back=st.integers(0, 36 * 24), amount=_quantities, again=st.booleans())
    def use(self, pick: int, back: int, amount: Decimal, again: bool) -> None:
        """Something was used up to 36 days ago; an hour ago and a month ago count the same."""
        with self.at_noon(), work():
            by = self.offered[METERED].meter
            counted = SubscriptionItem.objects.filter(
                subscription__customer=self.owner, price=self.offered[METERED]
            )
            of = counted.order_by("id")[pick % counted.count()].subscription
            name = self.sent[-1] if again and self.sent else f"use{next(_names)}"
            self.sent.append(name)
            send(said(by, of, name, amount=str(amount), at=clock.now() - timedelta(hours=back)))

    @rule(pick=st.integers(0, 9), back=st.integers(24, 30 * 24), amount=_quantities)
    def use_late(self, pick: int, back: int, amount: Decimal) -> None:
        """A month goes by and is billed; then more of it comes."""
        self.wait(32)
        self.run()
        self.use(pick, back, amount, False)

    @rule(pick=st.integers(0, 99))
    def unuse(self, pick: int) -> None:
        if self.sent:
            with self.at_noon(), work():
                void([self.sent[pick % len(self.sent)]])

    def at_noon(self) -> Any:
        """Events know how late they are by the clock."""
        return time_machine.travel(datetime.combine(self.today, time(12), UTC), tick=False)

    @rule(
        pick=st.integers(0, 9),
        price=st.none() | st.integers(0, 6),
        quantity=st.none() | _quantities,
        ahead=st.none() | st.integers(-10, 60),
        at=_times,
    )
    def alter(
        self, pick: int, price: int | None, quantity: Decimal | None, ahead: int | None, at: time
    ) -> None:
        on = None if ahead is None else self.today + timedelta(days=ahead)
        self.altered(self.one(pick), price, quantity, on, at)

    @rule(
        pick=st.integers(0, 9),
        nth=st.integers(0, 9),
        price=st.none() | st.integers(0, 6),
        quantity=st.none() | _quantities,
        at=_times,
    )
    def alter_where_it_changes(
        self, pick: int, nth: int, price: int | None, quantity: Decimal | None, at: time
    ) -> None:
        """From a day on which the plan becomes another, billed or not, or on which a pause is over."""
        sub = self.one(pick)
        with work():
            rows = SubscriptionItem.objects.filter(subscription__public_id=sub, role="plan")
            days = sorted(set(rows.values_list("starts_on", flat=True)))
        self.altered(sub, price, quantity, days[-1 - nth % len(days)], at)

    def altered(
        self, sub: str, price: int | None, quantity: Decimal | None, on: date | None, at: time
    ) -> None:
        chosen = None if price is None else self.offered[price]
        at = time() if on is None else self.at(sub, at)
        self.attempt(lambda: change(sub, price=chosen, quantity=quantity, on=on, at=at, today=self.today))

    @rule(
        pick=st.integers(0, 9),
        price=st.none() | st.integers(0, 6),
        quantity=st.none() | _quantities,
        ahead=st.integers(1, 120),
        at=_times,
    )
    def step(self, pick: int, price: int | None, quantity: Decimal | None, ahead: int, at: time) -> None:
        """Another step, behind those that are to come, before them or between; the others stay."""
        sub, on = self.one(pick), self.today + timedelta(days=ahead)
        base = None if price is None else self.offered[price]
        wish = Step(base, quantity=quantity, on=on, at=self.at(sub, at))
        before = self.days(sub)
        self.attempt(lambda: add_step(sub, wish, today=self.today))
        assert self.days(sub) - {on} == before - {on}

    @rule(price=st.integers(0, 5), steps=st.lists(st.tuples(st.integers(1, 90), _quantities), max_size=4))
    def take_in_steps(self, price: int, steps: list[tuple[int, Decimal]]) -> None:
        wishes = [Step(quantity=quantity, on=self.today + timedelta(days=ahead)) for ahead, quantity in steps]
        self.attempt(lambda: subscribe_in_steps(
            customer=self.owner.public_id, price=self.offered[price], starts_on=self.today, steps=wishes,
            today=self.today,
        ))  # fmt: skip

    @rule(pick=st.integers(0, 9), nth=st.integers(0, 5))
    def step_back(self, pick: int, nth: int) -> None:
        """Each can be taken back by itself."""
        sub = self.one(pick)
        with work():
            row = Subscription.objects.get(public_id=sub)
            coming = [each.on for each in upcoming(row, today=self.today) if each.open]
        if coming:
            before, gone = self.days(sub), coming[nth % len(coming)]
            self.attempt(lambda: revoke_change(sub, on=gone, today=self.today))
            assert self.days(sub) in (before - {gone}, before)

    def days(self, sub: str) -> set[date]:
        with work():
            return set(
                SubscriptionStep.objects.filter(subscription__public_id=sub).values_list("on", flat=True)
            )

    @rule(pick=st.integers(0, 9))
    def alter_back(self, pick: int) -> None:
        sub = self.one(pick)
        self.attempt(lambda: revoke_change(sub, today=self.today))

    @rule(pick=st.integers(0, 9), ahead=st.none() | st.integers(-20, 40), days=st.none() | st.integers(1, 60))
    def rest(self, pick: int, ahead: int | None, days: int | None) -> None:
        on = None if ahead is None else self.today + timedelta(days=ahead)
        back = None if days is None else (on or self.today) + timedelta(days=days)
        sub = self.one(pick)
        self.attempt(lambda: pause(sub, on=on, resumes_on=back, today=self.today))

    @rule(pick=st.integers(0, 9), ahead=st.integers(-20, 20))
    def go_on(self, pick: int, ahead: int) -> None:
        sub = self.one(pick)
        self.attempt(lambda: resume(sub, on=self.today + timedelta(days=ahead), today=self.today))

    @rule(pick=st.integers(0, 9), ahead=st.none() | st.integers(-20, 20))
    def come_back(self, pick: int, ahead: int | None) -> None:
        on = None if ahead is None else self.today + timedelta(days=ahead)
        sub = self.one(pick)
        self.attempt(lambda: reactivate(sub, on=on, today=self.today))

    @rule(pick=st.integers(0, 9), ahead=st.integers(-30, 80), at=_times)
    def leave(self, pick: int, ahead: int, at: time) -> None:
        sub = self.one(pick)
        at, on = self.at(sub, at), self.today + timedelta(days=ahead)
        self.attempt(lambda: end(sub, on=on, at=at, today=self.today))

    @rule(pick=st.integers(0, 9), ahead=st.integers(-30, 80))
    def drop(self, pick: int, ahead: int) -> None:
        with work():
            ids = list(SubscriptionItem.objects.exclude(role="plan").values_list("public_id", flat=True))
        if ids:
            item = str(ids[pick % len(ids)])
            self.attempt(lambda: end_item(item, on=self.today + timedelta(days=ahead), today=self.today))

    @rule(
        act=st.sampled_from(["change", "end", "pause"]),
        price=st.integers(0, 6),
        ahead=st.none() | st.integers(-10, 60),
        days=st.none() | st.integers(1, 60),
    )
    def all_at_once(self, act: str, price: int, ahead: int | None, days: int | None) -> None:
        """A look writes nothing, and what it says can be done to one is done."""
        on = None if ahead is None else self.today + timedelta(days=ahead)
        back = None if days is None or act != "pause" else (on or self.today) + timedelta(days=days)
        wish = Wish(act, self.offered[price] if act == "change" else None, on, back)
        with work():
            rows = list(Subscription.objects.select_related("price").order_by("pk"))
            before = SubscriptionItem.objects.count()
            seen = look_at(rows, wish, today=self.today)
            assert SubscriptionItem.objects.count() == before
            fits = [each for each in seen if each.error is None]
            given = [Given(each.row.pk, each.day, each.digest) for each in fits]
            assert carry_out(given, wish, today=self.today) == {}
            for each in fits:
                now = Subscription.objects.get(pk=each.row.pk)
                bill = next_bill(now, today=self.today, settled=True, alone=True)
                assert each.charge_minor == (bill.totals.net_minor if bill.totals else 0)
                assert each.credit_minor == sum(note.totals.net_minor for note in bill.credits)

    @rule(days=_days)
    def wait(self, days: int) -> None:
        self.today += timedelta(days=days)

    @rule()
    def run(self) -> None:
        """What the preview says is what is billed, and a second run finds nothing."""
        with work():
            held = Subscription.objects.filter(held_at__isnull=False).values_list("public_id", flat=True)
            for sub in held:
                release(sub)
            charges, _odd = preview(self.today)
            said = {
                each.facts.public_id: sum(line.amount_minor for line in each.lines)
                for each in charges
                if each.lines
            }
            back = {
                each.facts.public_id: sum(part.unused_minor for part in each.credits)
                for each in charges
                if each.credits
            }
            again = {
                each.facts.public_id: sum(part.minor for part in each.corrections)
                for each in charges
                if each.corrections
            }
            before, given = BilledPeriod.objects.count(), CreditedPeriod.objects.count()
            changed = CorrectedPeriod.objects.count()
        run_billing(self.today)
        with work():
            rows = BilledPeriod.objects.order_by("id")[before:]
            billed: dict[str, int] = {}
            for row in rows.select_related("subscription"):
                name = row.subscription.public_id
                billed[name] = billed.get(name, 0) + row.amount_minor
            credited: dict[str, int] = {}
            for part in CreditedPeriod.objects.order_by("id")[given:].select_related("subscription"):
                name = part.subscription.public_id
                credited[name] = credited.get(name, 0) + part.amount_minor
            corrected: dict[str, int] = {}
            steps = CorrectedPeriod.objects.order_by("id")[changed:].select_related("subscription")
            for step in steps:
                name = step.subscription.public_id
                corrected[name] = corrected.get(name, 0) + step.difference_minor
            late = set(Subscription.objects.filter(held_at__isnull=False).values_list("public_id", flat=True))
            for each in HeldSubscription.objects.filter(subscription__public_id__in=late):
                alone = not SubscriptionItem.objects.filter(subscription=each.subscription_id).exclude(
                    role="plan"
                )
                assert not alone or "added_twice" not in {one["kind"] for one in each.findings}, each.reason
        assert billed == {name: minor for name, minor in said.items() if name not in late}
        assert credited == {name: minor for name, minor in back.items() if name not in late}
        assert corrected == {name: minor for name, minor in again.items() if name not in late}
        run_billing(self.today)
        with work():
            assert BilledPeriod.objects.count() == before + len(rows)
            assert CorrectedPeriod.objects.count() == changed + len(steps)

    @invariant()
    def the_books_hold(self) -> None:
        if hasattr(self, "owner"):
            with work():
                assert verify() == []
                for row in Subscription.objects.filter(customer=self.owner):
                    as_said(row)

    def teardown(self) -> None:
        """All that was billed would be billed today, but where usage came late and no run came for it yet."""
        if hasattr(self, "owner"):
            self.wait(31)
            self.run()
        again = replay_billing()
        with work():
            waits = set(LateUsage.objects.values_list("subscription__public_id", flat=True))
        assert [each for each in again.differences if each.subscription not in waits] == []
        assert again.mrr == []


def test_whatever_happens_to_subscriptions_they_are_billed_once_and_the_books_hold(acorn: Scope) -> None:
    with work():
        Life.offered = prices()
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=6, stateful_step_count=18, deadline=None, suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
