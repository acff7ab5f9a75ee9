"""Lives of subscriptions that stand on one invoice, whose usage comes late, and whose invoices people correct by hand:
what each is shown before is what its document says, to the cent.
"""

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test

from billing.models import BilledPeriod, CorrectedPeriod, CreditedPeriod, Subscription
from billing.previews import NextBill, next_bill, run_preview
from billing.services.run import run_billing
from billing.services.subscriptions import release
from core.scope import Scope, work
from customers.models import Customer
from invoicing.models import Document
from invoicing.selectors import lines_left
from invoicing.services.correct import give_up, void
from invoicing.services.credit import credit
from receivables.selectors import item_states
from tests import factories
from tests.db.billing.test_machine import ZONES, Life, prices

_keys = count()


class Together(Life):
    """As `Life`, of a customer whose wish for one invoice, terms and way to pay change, and with documents in it."""

    @initialize(zone=st.sampled_from(ZONES), late=st.integers(0, 40))
    def begin(self, zone: str, late: int) -> None:
        super().begin(zone, late)
        self.wish(True, 14)
        for pick in range(2):
            self.another(pick)
        self.run()

    @rule()
    def month(self) -> None:
        self.wait(31)
        self.run()

    @rule(
        pick=st.integers(0, 9),
        amounts=st.lists(st.integers(1, 20), min_size=1, max_size=3),
        hand=st.booleans(),
    )
    def unuse_late(self, pick: int, amounts: list[int], hand: bool) -> None:
        """Something is used and billed; then a part of it is void, and perhaps credited by hand before."""
        for amount in amounts:
            self.use(pick, 5, Decimal(amount), False)
        self.wait(31)
        self.run()
        if hand:
            self.credit_by_hand(0, pick, 2)
        self.unuse(-1)

    @rule(one_invoice=st.booleans(), terms=st.sampled_from([14, 30]))
    def wish(self, one_invoice: bool, terms: int) -> None:
        with work():
            Customer.objects.filter(pk=self.owner.pk).update(one_invoice=one_invoice, terms_days=terms)

    @rule(pick=st.integers(0, 9))
    def another(self, pick: int) -> None:
        """Once more the same, so that they fall due together."""
        self.attempt(lambda: self._same(Subscription.objects.get(public_id=self.one(pick))))

    def _same(self, row: Subscription) -> None:
        factories.subscription(self.owner, max(row.starts_on, self.today - timedelta(days=9)))

    @rule(pick=st.integers(0, 9))
    def collect(self, pick: int) -> None:
        with work():
            row = Subscription.objects.get(public_id=self.one(pick))
            Subscription.objects.filter(pk=row.pk).update(autopay=not row.autopay)

    def invoice(self, pick: int) -> Document | None:
        rows = Document.objects.filter(kind="invoice", state="issued").order_by("-id")
        found: Document | None = rows[pick % rows.count()] if rows else None
        return found

    @rule(pick=st.integers(0, 9), line=st.integers(0, 9), share=st.integers(1, 4))
    def credit_by_hand(self, pick: int, line: int, share: int) -> None:
        def act() -> None:
            if invoice := self.invoice(pick):
                left = sorted((place, minor // share) for place, minor in lines_left(invoice).items())
                place, minor = left[line % len(left)]
                key = f"hand{next(_keys)}"
                credit(invoice.public_id, on=self.today, reason="Wrong", key=key, amounts={place: minor})

        self.attempt(act)

    @rule(pick=st.integers(0, 9))
    def void_by_hand(self, pick: int) -> None:
        def act() -> None:
            if invoice := self.invoice(pick):
                void(invoice.public_id, on=self.today, reason="Wrong")

        self.attempt(act)

    @rule(pick=st.integers(0, 9), share=st.integers(1, 2), paid=st.booleans())
    def settle(self, pick: int, share: int, paid: bool) -> None:
        """A half or all of an invoice is paid, or given up."""

        def act() -> None:
            invoice = self.invoice(pick)
            owed = item_states([invoice.public_id]).get(invoice.public_id) if invoice else None
            if invoice is None or owed is None or owed.available_minor < share:
                return
            minor = owed.available_minor // share
            if paid:
                factories.pay(invoice, on=self.today, minor=minor)
            else:
                key = f"up{next(_keys)}"
                give_up(invoice.public_id, minor=minor, on=self.today, reason="Bad", key=key)

        self.attempt(act)

    @rule()
    def run(self) -> None:
        with work():
            for name in Subscription.objects.exclude(held_at=None).values_list("public_id", flat=True):
                release(name)
            whole = run_preview(self.today)
            rows = Subscription.objects.select_related("price").order_by("pk")
            bills = {row.pk: next_bill(row, today=self.today) for row in rows}
            known = set(Document.objects.values_list("pk", flat=True))
        run_billing(self.today)
        with work():
            made = Document.objects.exclude(pk__in=known).order_by("pk")
            invoices = [each for each in made if each.kind == "invoice"]
            assert [(each.count, each.net.minor, each.total.minor) for each in whole.sums] == (
                [
                    (
                        len(invoices),
                        sum(each.net_minor for each in invoices),
                        sum(each.total_minor for each in invoices),
                    )
                ]
                if invoices
                else []
            )
            if not Subscription.objects.exclude(held_at=None).exists():
                self.compare(bills, {each.pk: each for each in made})
        run_billing(self.today)
        with work():
            assert Document.objects.count() == len(known) + len(made)

    def compare(self, bills: dict[int, NextBill], made: dict[int, Document]) -> None:
        """Of each subscription: its invoice, with what others have on it, and what is credited of it."""
        on: dict[int, set[int]] = defaultdict(set)
        back: dict[int, int] = defaultdict(int)
        steps: list[Any] = [
            *BilledPeriod.objects.filter(document__in=made),
            *CorrectedPeriod.objects.filter(document__in=made),
            *CreditedPeriod.objects.filter(document__in=made),
        ]
        for each in steps:
            if made[each.document_id].kind == "invoice":
                on[each.subscription_id].add(each.document_id)
            else:
                back[each.subscription_id] += abs(each.amount_minor)
        for pk, bill in bills.items():
            comes = bill.as_of == self.today
            total = (
                bill.totals.total_minor
                if comes and bill.totals and bill.charge and bill.charge.drafts
                else None
            )
            assert [made[name].total_minor for name in on[pk]] == ([] if total is None else [total])
            assert back[pk] == (sum(each.totals.net_minor for each in bill.credits) if comes else 0)


def test_whatever_happens_what_stands_together_is_what_each_was_shown(acorn: Scope) -> None:
    with work():
        Together.offered = prices()
    run_state_machine_as_test(
        Together,
        settings=settings(
            max_examples=4, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
