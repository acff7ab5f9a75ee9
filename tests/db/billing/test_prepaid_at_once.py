"""A run that draws of a prepaid balance, and beside it whatever else moves that money: either first, never stuck."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine

from core.scope import Scope, work
from invoicing.models import Document, TopUp
from invoicing.services.correct import void
from invoicing.services.credit import credit
from invoicing.services.prepaid import expire, hold, pay_in_advance, top_up
from ledger.domain.entries import Purpose
from receivables.models import OpenItem
from receivables.services.reverse import reverse
from tests import factories
from tests.billed import proven
from tests.db.billing.test_late_at_once import batch
from tests.db.billing.test_prepaid_runs import FIRST, NEXT, calling, drawn, left, prepaid, waits
from tests.db.billing.test_usage_at_once import open_elsewhere

CALLS = 16303
"""What November's calls come to, with tax."""
Act = Callable[[], Any]


@pytest.fixture(autouse=True)
def _early_in_december() -> Any:
    with time_machine.travel(datetime(2026, 12, 3, 12, tzinfo=UTC), tick=True):
        yield


def either(scope: Scope, first: Act, then: Act, *, queues: bool) -> None:
    """Begin one, do the other while it is open, end the first. Where they `queues`, the other is seen to wait."""
    with open_elsewhere(scope, first):
        if queues:
            done = waits(scope, then)
        else:
            with work():
                then()
    if queues:
        done()


@pytest.mark.parametrize("run_first", [True, False])
def test_what_ends_beside_a_run_ends_once(committed_acorn: Scope, run_first: bool) -> None:
    _, sub = calling()
    with work():
        row = prepaid(sub.customer, 50000, expires_on=date(2026, 12, 2))
    bill, end = batch(NEXT), lambda: expire(row.public_id, today=date(2026, 12, 2))
    pair = (bill, end) if run_first else (end, bill)
    either(committed_acorn, *pair, queues=True)
    assert (drawn(), left()) == ([CALLS] if run_first else [], [0])
    proven()


@pytest.mark.parametrize("run_first", [True, False])
def test_another_top_up_is_voided_beside_a_run(committed_acorn: Scope, run_first: bool) -> None:
    _, sub = calling()
    with work():
        prepaid(sub.customer, 50000)
        other = top_up(sub.customer.public_id, minor=700, key="other", today=FIRST)
        name = other.document.public_id
    bill, cancel = batch(NEXT), lambda: void(name, on=NEXT, reason="not wanted")
    pair = (bill, cancel) if run_first else (cancel, bill)
    either(committed_acorn, *pair, queues=True)
    assert (drawn(), left()) == ([CALLS], [50000 - CALLS, 0])
    proven()


@pytest.mark.parametrize("run_first", [True, False])
def test_a_payment_of_a_top_up_comes_back_beside_a_run(committed_acorn: Scope, run_first: bool) -> None:
    """What was drawn before the bank said so stays; the customer owes it."""
    _, sub = calling()
    with work():
        prepaid(sub.customer, 50000)
        source = OpenItem.objects.get(kind="payment").source
    bill = batch(NEXT)

    def bounce() -> None:
        reverse(source, against=Purpose.BANK, on=NEXT, reason="returned")

    pair = (bill, bounce) if run_first else (bounce, bill)
    either(committed_acorn, *pair, queues=False)
    assert (drawn(), left()) == ([CALLS], [50000 - CALLS])
    with work():
        assert OpenItem.objects.get(label=TopUp.objects.get().document.number).open_minor == 50000
    proven()


@pytest.mark.parametrize("draw_first", [True, False])
def test_an_invoice_is_credited_beside_a_draw(committed_acorn: Scope, draw_first: bool) -> None:
    """The next run draws of the same balance while what the last one drew is given back."""
    _, sub = calling()
    with work():
        row = prepaid(sub.customer, 50000)
        old = factories.invoice(sub.customer)
        pay_in_advance(hold([sub.customer_id]), {old.pk: 5000}, {old.pk: old}, on=FIRST)
    bill, give_back = batch(NEXT), lambda: credit(old.public_id, on=NEXT, reason="back", key="c")
    pair = (bill, give_back) if draw_first else (give_back, bill)
    either(committed_acorn, *pair, queues=False)
    assert (drawn(), left()) == ([5000, CALLS], [50000 - 5000 - CALLS])
    with work():
        assert Document.objects.get(credits=old).total_minor == old.total_minor
        assert OpenItem.objects.get(kind="credit_note").open_minor == 5000
        assert TopUp.objects.get(pk=row.pk).left_minor == 50000 - 5000 - CALLS
    proven()


@pytest.mark.parametrize("run_first", [True, False])
def test_it_is_topped_up_beside_a_run(committed_acorn: Scope, run_first: bool) -> None:
    _, sub = calling()
    with work():
        prepaid(sub.customer, 10000)
    bill, more = batch(NEXT), lambda: prepaid(sub.customer, 5000)
    pair = (bill, more) if run_first else (more, bill)
    either(committed_acorn, *pair, queues=True)
    assert (drawn(), left()) == ([10000], [0, 5000])
    proven()
