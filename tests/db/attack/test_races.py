"""Two hands on one thing at the same moment, in both orders: one of them wins, nobody hangs, the books agree."""

import threading
from collections.abc import Callable, Sequence
from datetime import date

import pytest
from django.db import connection
from django.db.models import QuerySet

from cashapp.models import Payment
from cashapp.services.attempts import pay
from cashapp.services.payments import apply_rest
from cashapp.services.payments import record as record_payment
from cashapp.services.payments import reverse as take_back
from core import scope as scopes
from core.errors import AppError
from core.scope import Scope, work
from customers.models import Customer
from invoicing.models import Document
from invoicing.services.correct import void
from invoicing.services.credit import credit
from receivables.models import OpenItem
from receivables.services import reverse as reversing
from receivables.services.write_off import write_off
from tests import factories
from tests.factories import DAY

Act = Callable[[], object]


def together(scope: Scope, *acts: Act) -> list[Exception | None]:
    """Run the acts at a barrier, each in a thread; how each failed."""
    barrier = threading.Barrier(len(acts))
    ends: list[Exception | None] = [None] * len(acts)

    def run(n: int, act: Act) -> None:
        try:
            with scopes.enter(scope):
                barrier.wait()
                act()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            ends[n] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n, act)) for n, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ends


def in_work(act: Act) -> Act:
    def run() -> None:
        with work():
            act()

    return run


def test_corrections_of_one_invoice_at_once(committed_acorn: Scope) -> None:
    """Each pair of void, credit, write-off, payment and charge: what is refused is refused in words."""
    for a, b in [(a, b) for a in range(5) for b in range(5)]:
        with work():
            owner = factories.customer()
            document = factories.invoice(owner, ("1", "100.00"), tax="0")
            item = OpenItem.objects.get(source=document.public_id)
        name = f"{a}{b}{item.pk}"
        acts = acts_on(owner, document, item, name)
        ends = together(committed_acorn, acts[a], acts_on(owner, document, item, name + "x")[b])
        assert all(end is None or isinstance(end, AppError) for end in ends), (a, b, ends)
        assert None in ends, (a, b, ends)


def acts_on(owner: Customer, document: Document, item: OpenItem, name: str) -> Sequence[Act]:
    return [
        in_work(lambda: void(document.public_id, on=DAY, reason="r")),
        in_work(lambda: credit(document.public_id, on=DAY, reason="r", key=f"credit{name}")),
        in_work(lambda: write_off(item.pk, minor=10_000, on=DAY, reason="r", key=f"wo{name}")),
        in_work(lambda: recorded(owner, f"pay{name}")),
        lambda: pay(key=f"k{name}", amounts={item.pk: 10_000}, method="card_ok", description="d"),
    ]


def recorded(owner: Customer, key: str, on: date = DAY) -> Payment:
    return record_payment(customer=owner.public_id, minor=10_000, received_on=on, method="check", key=key)


@pytest.mark.parametrize("times", range(3))
def test_one_form_recorded_eight_times_at_once(committed_acorn: Scope, times: int) -> None:
    with work():
        owner = factories.customer()
        for _ in range(3):
            factories.invoice(owner, ("1", "30.00"), tax="0")
    ends = together(committed_acorn, *[in_work(lambda: recorded(owner, "form-eight"))] * 8)
    assert ends == [None] * 8
    with work():
        assert Payment.objects.count() == 1


@pytest.mark.parametrize("n", range(6))
def test_applying_and_taking_back_one_payment_at_once(committed_acorn: Scope, n: int) -> None:
    with work():
        owner = factories.customer()
        items = [
            OpenItem.objects.get(source=factories.invoice(owner, ("1", "30.00"), tax="0").public_id)
            for _ in range(2)
        ]
        source = factories.payment(owner, 10_000).source
        apply_rest(source, parts={items[1].pk: 100}, on=DAY, key="first")

    def applied(k: int) -> Act:
        return in_work(lambda: apply_rest(source, parts={items[k].pk: 500}, on=DAY, key=f"a{k}"))

    acts = [applied(0), applied(1), in_work(lambda: take_back(source, on=DAY, reason="r"))]
    ends = together(committed_acorn, *(acts if n % 2 else reversed(acts)))
    assert all(end is None or isinstance(end, AppError) for end in ends), ends
    with work():
        assert OpenItem.objects.get(source=source).open_minor == 0


def test_what_is_applied_while_a_payment_is_being_taken_back_waits_for_nobody(
    committed_acorn: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One allocation comes before the locks are had, another waits behind them: neither ends in a deadlock."""
    with work():
        owner = factories.customer()
        item = OpenItem.objects.get(source=factories.invoice(owner, ("1", "30.00"), tax="0").public_id)
        source = factories.payment(owner, 10_000).source
    ends: list[Exception | None] = []

    def applied(minor: int) -> threading.Thread:
        act = in_work(lambda: apply_rest(source, parts={item.pk: minor}, on=DAY, key=f"a{minor}"))
        thread = threading.Thread(target=lambda: ends.extend(together(committed_acorn, act)))
        thread.start()
        return thread

    lock, undo, waiting = reversing.lock, reversing.undo, []

    def lock_late(rows: QuerySet[OpenItem]) -> list[OpenItem]:
        if not ends:
            applied(100).join()
        return lock(rows)

    def undo_late(allocation_id: int, **given: object) -> None:
        if not waiting:
            waiting.append(applied(200))
            waiting[0].join(0.5)
        undo(allocation_id, **given)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(reversing, "lock", lock_late)
        patch.setattr(reversing, "undo", undo_late)
        with work():
            take_back(source, on=DAY, reason="r")
    waiting[0].join()
    assert ends[0] is None
    assert isinstance(ends[1], AppError)
    with work():
        assert OpenItem.objects.get(source=source).open_minor == 0
        assert OpenItem.objects.get(pk=item.pk).open_minor == 3_000
