"""Prepaid balances under whatever people, banks and days do to them: never more than was paid, and the books hold."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import TypeVar

import time_machine
from django.db.models import Model, QuerySet, Sum
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from cashapp.services.payments import record
from core.books import verify
from core.errors import AppError
from core.scope import Scope, work
from customers.models import Customer
from invoicing.domain.prepaid import Gone
from invoicing.models import Document, TopUp, TopUpMove
from invoicing.prepaid import balance
from invoicing.services.correct import give_up, take_up, void
from invoicing.services.credit import credit
from invoicing.services.prepaid import expire, hold, pay_in_advance, top_up
from ledger.domain.entries import Purpose
from ledger.models import Leg
from receivables.models import Allocation, OpenItem
from receivables.selectors import item_states
from receivables.services.allocate import Part, allocate
from receivables.services.reverse import reverse, take_back
from tests import factories

Row = TypeVar("Row", bound=Model)
FIRST = date(2026, 11, 2)
CURRENCIES = ("EUR", "EUR", "USD")
_names = count()
_picks = st.integers(0, 99)
_amounts = st.integers(1, 9000)


class Wallet(RuleBasedStateMachine):
    """Two customers with balances, a day that moves forward, and money that comes, goes and comes back."""

    @initialize()
    def begin(self) -> None:
        self.today = FIRST
        with work():
            self.owners = [factories.customer(), factories.customer()]
        self.buy(0, 5000, 9, 0)
        self.pay(0, 100, 0)

    def attempt(self, act: Callable[[], object]) -> None:
        """A refusal is an answer; anything else is not."""
        noon = datetime.combine(self.today, time(12), UTC)
        with time_machine.travel(noon, tick=False), suppress(AppError), work():
            act()

    def own(self, rows: "QuerySet[Row]") -> "QuerySet[Row]":
        """Those of the two customers; what earlier examples left stays out."""
        return rows.filter(customer__in=self.owners)

    def one(self, rows: "QuerySet[Row]", pick: int) -> Row | None:
        """One of their rows, if there is any."""
        found = list(self.own(rows).order_by("pk"))
        return found[pick % len(found)] if found else None

    def key(self) -> str:
        return f"w{next(_names)}"

    def owner(self, pick: int) -> Customer:
        return self.owners[pick % 3 // 2]  # the first twice as often

    @rule(who=_picks, minor=_amounts, days=st.none() | st.integers(1, 40), coin=_picks)
    def buy(self, who: int, minor: int, days: int | None, coin: int) -> None:
        """Top up, in the currency that the customer has now."""
        owner = self.owner(who)
        until = None if days is None else self.today + timedelta(days=days)

        def act() -> None:
            owner.currency = CURRENCIES[coin % 3]
            owner.save(update_fields=["currency"])
            top_up(owner.public_id, minor=minor, expires_on=until, key=self.key(), today=self.today)

        self.attempt(act)

    @rule(pick=_picks, share=st.sampled_from([30, 60, 100]), over=st.sampled_from([0, 0, 700]))
    def pay(self, pick: int, share: int, over: int) -> None:
        """Part or all of what is open of an invoice, or more than that."""

        def act() -> None:
            item = self.one(OpenItem.objects.filter(kind="invoice", open_minor__gt=0), pick)
            if item is not None:
                minor = max(1, item.open_minor * share // 100)
                record(
                    customer=item.customer.public_id, minor=minor + over, received_on=self.today,
                    method="bank_transfer", key=self.key(), parts={item.pk: minor}, currency=item.currency,
                )  # fmt: skip

        self.attempt(act)

    @rule(pick=_picks, other=_picks)
    def apply(self, pick: int, other: int) -> None:
        """Put what is left of a payment or a credit note against an invoice."""

        def act() -> None:
            credits = OpenItem.objects.filter(kind__in=["payment", "credit_note"], open_minor__gt=0)
            owed = OpenItem.objects.filter(kind="invoice", open_minor__gt=0)
            left = self.one(credits, pick)
            to = left and self.one(owed.filter(customer=left.customer_id, currency=left.currency), other)
            if left and to:
                minor = min(left.open_minor, to.open_minor)
                allocate([Part(self.key(), to.pk, left.pk, minor)], effective_on=self.today)

        self.attempt(act)

    @rule(pick=_picks)
    def bounce(self, pick: int) -> None:
        def act() -> None:
            if paid := self.one(OpenItem.objects.filter(kind="payment"), pick):
                reverse(paid.source, against=Purpose.BANK, on=self.today, reason="returned")

        self.attempt(act)

    @rule(pick=_picks)
    def unapply(self, pick: int) -> None:
        def act() -> None:
            rows = Allocation.objects.filter(reverses=None, credit_item__customer__in=self.owners)
            if found := list(rows.order_by("pk")):
                take_back(found[pick % len(found)].pk, on=self.today, reason="by mistake")

        self.attempt(act)

    @rule(who=_picks, cents=st.integers(1, 6000), share=st.sampled_from([40, 100, 100]), coin=_picks)
    def use(self, who: int, cents: int, share: int, coin: int) -> None:
        """An invoice of which a part is to be paid of the balance; of what expires first, as far as it goes."""

        def act() -> None:
            owner = self.owner(who)
            owner.currency = CURRENCIES[coin % 3]
            owner.save(update_fields=["currency"])
            bill = factories.invoice(owner, ("1", f"{cents / 100:.2f}"), on=self.today)
            wanted = bill.total_minor * share // 100
            before = self.available(owner, bill.currency)
            pay_in_advance(hold([owner.pk]), {bill.pk: wanted}, {bill.pk: bill}, on=self.today)
            got = TopUpMove.objects.filter(document=bill, kind=Gone.DRAWN).order_by("id")
            expected, rest = [], wanted
            for pk, minor in before:
                if part := min(rest, minor):
                    expected.append((pk, part))
                    rest -= part
            assert list(got.values_list("top_up_id", "minor")) == expected
            assert (
                item_states([bill.public_id])[bill.public_id].open_minor == bill.total_minor - wanted + rest
            )

        self.attempt(act)

    def available(self, owner: Customer, currency: str) -> list[tuple[int, int]]:
        """What can be drawn of each top-up, read from rows, in the order in which it is to be drawn."""
        rows = [row for row in TopUp.objects.filter(customer=owner, currency=currency) if self.lasts(row)]
        rows.sort(key=lambda row: (row.expires_on or date.max, row.pk))
        return [(row.pk, paid_of(row)) for row in rows]

    def lasts(self, row: TopUp) -> bool:
        return row.expires_on is None or row.expires_on > self.today

    @rule(pick=_picks, minor=st.none() | _amounts, used=st.booleans())
    def give_back(self, pick: int, minor: int | None, used: bool) -> None:
        """Credit a top-up, or an invoice that may have drawn."""

        def act() -> None:
            if document := self.one(Document.objects.filter(kind="invoice", prepays=not used), pick):
                amounts = None if minor is None else {1: minor}
                credit(document.public_id, on=self.today, reason="back", key=self.key(), amounts=amounts)

        self.attempt(act)

    @rule(pick=_picks)
    def cancel(self, pick: int) -> None:
        def act() -> None:
            if document := self.one(Document.objects.filter(kind="invoice"), pick):
                void(document.public_id, on=self.today, reason="wrong")

        self.attempt(act)

    @rule(pick=_picks, minor=st.none() | _amounts)
    def lose(self, pick: int, minor: int | None) -> None:
        def act() -> None:
            if item := self.one(OpenItem.objects.filter(kind="invoice", open_minor__gt=0), pick):
                give_up(item.source, minor=minor, on=self.today, reason="insolvent", key=self.key())

        self.attempt(act)

    @rule(pick=_picks)
    def find(self, pick: int) -> None:
        def act() -> None:
            lost = Allocation.objects.filter(credit_item__kind="write_off").values("debit_item")
            if item := self.one(OpenItem.objects.filter(kind="invoice", pk__in=lost), pick):
                take_up(item.source, on=self.today, reason="paid after all")

        self.attempt(act)

    @rule(days=st.integers(1, 15), late=st.booleans())
    def wait(self, days: int, late: bool) -> None:
        """Days go by; what ends meanwhile is ended on its day, or once somebody comes for it."""
        for _ in range(days):
            self.today += timedelta(days=1)
            if not late:
                self.end()

    @rule()
    def end(self) -> None:
        with work():
            due = self.own(TopUp.objects.filter(expires_on__lte=self.today, left_minor__gt=0))
            names = list(due.order_by("id").values_list("public_id", flat=True))
        for name in names:
            self.attempt(lambda name=name: expire(name, today=self.today))  # type: ignore[misc]

    @invariant()
    def it_is_never_more_than_was_paid(self) -> None:
        if not hasattr(self, "owners"):
            return
        with work():
            assert (found := verify()) == [], found
            rows = list(self.own(TopUp.objects.select_related("document")))
            assert all(0 <= row.left_minor <= row.total_minor for row in rows)
            for owner in self.owners:
                own = [row for row in rows if row.customer_id == owner.pk]
                sums: dict[str, int] = {row.currency: 0 for row in own if self.lasts(row) and row.left_minor}
                for row in own:
                    if self.lasts(row) and row.left_minor:
                        sums[row.currency] += paid_of(row)
                assert {each.currency: each.minor for each in balance(owner.pk, today=self.today)} == sums
                for code in {row.currency for row in own}:
                    legs = Leg.objects.filter(account__purpose="prepaid", customer_id=owner.pk, currency=code)
                    owes = legs.aggregate(minor=Sum("minor"))["minor"] or 0
                    assert owes == -sum(row.left_minor for row in own if row.currency == code)


def paid_of(row: TopUp) -> int:
    owed = OpenItem.objects.get(source=row.document.public_id).open_minor
    return max(0, row.left_minor - int(owed))


def test_whatever_happens_a_balance_is_what_was_paid_and_is_left(acorn: Scope) -> None:
    run_state_machine_as_test(
        Wallet,
        settings=settings(
            max_examples=10, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
