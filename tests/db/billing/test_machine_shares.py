"""Subscriptions under whatever happens to them, with amounts off their bills: shared to the minor unit, never twice."""

from collections import Counter, defaultdict
from datetime import date, time, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test

from billing.models import BilledPeriod, DiscountShare, HeldSubscription, SubscriptionDiscount
from billing.services.discounts import discount, end_discount
from core.scope import Scope, work
from tests.db.billing.test_machine import ZONES, Life, prices

_names = count()
_pick = st.integers(0, 9)
_ahead = st.none() | st.integers(-40, 40)


class Shared(Life):
    """A life with amounts per bill that are given and taken back."""

    @initialize(zone=st.sampled_from(ZONES), late=st.integers(0, 40))
    def begin(self, zone: str, late: int) -> None:
        self.before = transaction.savepoint()
        super().begin(zone, late)

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            transaction.savepoint_rollback(self.before)

    @rule(
        pick=_pick,
        minor=st.sampled_from([1, 333, 1000, 9000]),
        plan=st.none() | st.integers(0, 7),
        percent=st.sampled_from([None, None, 25]),
        periods=st.none() | st.integers(1, 3),
        ahead=_ahead,
    )
    def give(
        self, pick: int, minor: int, plan: int | None, percent: int | None, periods: int | None,
        ahead: int | None,
    ) -> None:  # fmt: skip
        sub = self.one(pick)
        said: dict[str, Any] = {"percent": percent} if percent else {"amount": Decimal(minor) / 100}
        self.attempt(lambda: discount(
            sub, name=f"D{next(_names)}", periods=periods, today=self.today,
            plans=[] if plan is None else [self.offered[plan].plan.code],
            on=None if ahead is None else self.today + timedelta(ahead), **said,
        ))  # fmt: skip

    @rule(pick=st.integers(0, 99), ahead=_ahead)
    def take_back(self, pick: int, ahead: int | None) -> None:
        with work():
            ids = list(SubscriptionDiscount.objects.order_by("pk").values_list("public_id", flat=True))
        if ids:
            on = None if ahead is None else self.today + timedelta(ahead)
            self.attempt(lambda: end_discount(ids[pick % len(ids)], on=on, today=self.today))

    @rule(pick=_pick, price=st.integers(0, 6), ahead=st.integers(-40, 3))
    def give_and_run_twice(self, pick: int, price: int, ahead: int) -> None:
        """What is added for a day that is billed, and what is changed on it."""
        self.give(pick, 1000, None, None, None, None)
        self.run()
        self.add(pick, price, Decimal(2), ahead)
        self.alter_where_it_changes(pick, 0, price, Decimal(3), time(12))
        self.run()

    def run(self) -> None:
        with work():
            before = BilledPeriod.objects.count()
            shared = DiscountShare.objects.count()
            known = {*DiscountShare.objects.values_list("discount_id", "due_on")}
        super().run()
        with work():
            rows = list(BilledPeriod.objects.order_by("id").select_related("item__price")[before:])
            shares = list(DiscountShare.objects.order_by("id")[shared:])
            found = [one for each in HeldSubscription.objects.all() for one in each.findings]
        assert not [one for one in found if one["kind"] in ("discount", "discount_twice")]
        self.as_much_as_there_is(rows, shares, known)

    def as_much_as_there_is(self, rows: list[Any], shares: list[Any], known: set[tuple[int, date]]) -> None:
        """Each bill of a day that was not billed before has all of it off, or as much as its lines come to."""
        sums: Counter[tuple[int, date]] = Counter()
        lines: dict[tuple[int, date], list[BilledPeriod]] = defaultdict(list)
        by_id = {row.pk: row for row in rows}
        for each in shares:
            sums[each.discount_id, each.due_on] += each.amount_minor
            lines[each.discount_id, each.due_on].append(by_id[each.period_id])
            timing = by_id[each.period_id].item.price.timing
            period = by_id[each.period_id]
            assert each.due_on == (period.period_end if timing == "arrears" else period.period_start)
        with work():
            amounts = dict(SubscriptionDiscount.objects.values_list("pk", "amount"))
        for key, had in sums.items():
            whole = int(amounts[key[0]] * 100)
            assert had <= whole
            later = any(discount == key[0] and on >= key[1] for discount, on in known)
            if not later and had < whole:
                assert all(row.amount_minor == 0 for row in lines[key]), "there was something left to take"


def test_amounts_off_bills_are_shared_whatever_happens(acorn: Scope) -> None:
    with work():
        Shared.offered = prices()
    run_state_machine_as_test(
        Shared,
        settings=settings(
            max_examples=6, stateful_step_count=18, deadline=None, suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
