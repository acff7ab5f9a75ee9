"""Corrections while a charge is under way, several customers in one charge, another organization's items."""

from datetime import timedelta

import pytest

from cashapp.services.attempts import give_up, pay
from cashapp.services.payments import record, reverse
from core.errors import Invalid, NotFound
from core.money import MAX_MINOR
from core.scope import Scope, enter, work
from customers.models import Customer
from invoicing.services.correct import NotCorrectable, void
from invoicing.services.credit import credit
from ledger.selectors import control_balances
from receivables.ageing import ageing
from receivables.models import Allocation, OpenItem
from receivables.services.allocate import AlreadyUndone, TooMuch, undo
from receivables.services.write_off import write_off
from tests import factories
from tests.factories import DAY


def owed(owner: Customer) -> OpenItem:
    document = factories.invoice(owner, ("1", "100.00"), tax="0")
    return OpenItem.objects.get(source=document.public_id)  # type: ignore[no-any-return]


def test_while_a_charge_is_under_way_its_amount_is_nobody_elses(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        item = owed(owner)
    attempt = pay(key="k", amounts={item.pk: 6_000}, method="card_authenticate", description="d")
    with work():
        with pytest.raises(NotCorrectable):
            void(item.source, on=DAY, reason="r")
        with pytest.raises(TooMuch):
            write_off(item.pk, minor=4_001, on=DAY, reason="r", key="form-wo-1")
        credit(
            item.source, on=DAY, reason="r", key="credit-1"
        )  # 40.00 of it is applied, 60.00 stays a credit
        item.refresh_from_db()
        assert (item.open_minor, item.reserved_minor) == (6_000, 6_000)
    give_up(attempt.public_id)
    with work():
        item.refresh_from_db()
        assert (item.open_minor, item.reserved_minor) == (6_000, 0)


def test_one_charge_is_for_one_customer(acorn: Scope) -> None:
    with work():
        items = [owed(factories.customer()) for _ in range(2)]
    with pytest.raises(Invalid):
        pay(key="k", amounts={item.pk: 100 for item in items}, method="card_ok", description="d")
    with work():
        assert not OpenItem.objects.exclude(reserved_minor=0).exists()


def test_anothers_items_and_customers_are_not_here(acorn: Scope, birch: Scope) -> None:
    with enter(birch), work():
        theirs = factories.customer()
        item = owed(theirs)
    with pytest.raises(NotFound):
        pay(key="k", amounts={item.pk: 100}, method="card_ok", description="d")
    with work():
        said = {"minor": 100, "received_on": DAY, "method": "check", "key": "form-theirs"}
        for customer, parts in ((factories.customer(), {item.pk: 100}), (theirs, None)):
            with pytest.raises(NotFound):
                record(customer=customer.public_id, parts=parts, **said)  # type: ignore[arg-type]
        with pytest.raises(NotFound):
            write_off(item.pk, minor=1, on=DAY, reason="r", key="form-theirs")
        with pytest.raises(NotFound):
            void(item.source, on=DAY, reason="r")


def test_undone_taken_back_and_credited_in_parts_ends_at_nothing(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        item = owed(owner)
        paid = record(
            customer=owner.public_id, minor=10_000, received_on=DAY, method="check", key="form-mixed"
        )
        applied = Allocation.objects.latest("id").pk
        undo(applied, on=DAY, reason="r")
        with pytest.raises(AlreadyUndone):
            undo(applied, on=DAY, reason="r")
        for _ in range(2):
            reverse(paid.public_id, on=DAY, reason="r")
        credit(item.source, on=DAY, reason="r", key="credit-1", amounts={1: 3_333})
        credit(item.source, on=DAY, reason="r", key="credit-2")
        assert not OpenItem.objects.filter(customer=owner, open_minor__gt=0).exists()


def test_the_largest_amounts_add_up(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        for n in range(3):
            factories.payment(owner, MAX_MINOR - n)


def test_a_written_off_invoice_gives_no_credit(acorn: Scope) -> None:
    """What a credit note takes back was never owed, so it is no bad debt either: the write-off goes first.

    Refusing would leave the same three steps to a person: take back, credit, write the rest off.
    """
    with work():
        owner = factories.customer()
        item = owed(owner)
        write_off(item.pk, minor=10_000, on=DAY, reason="gone", key="form-wo-1")
        credit(item.source, on=DAY, reason="r", key="credit-1")
        assert not OpenItem.objects.filter(customer=owner, side="credit", open_minor__gt=0).exists()
        assert written_off(item) == 0


def written_off(item: OpenItem) -> int:
    """What of the item is given up now."""
    rows = Allocation.objects.filter(debit_item=item, credit_item__kind="write_off")
    return sum(rows.values_list("minor", flat=True))


def test_what_a_credit_note_leaves_of_a_write_off_stays_written_off(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        item = owed(owner)
        for n, minor in enumerate((6_000, 4_000)):
            write_off(item.pk, minor=minor, on=DAY, reason="gone", key=f"form-wo-{n}")
        credit(item.source, on=DAY, reason="r", key="credit-1", amounts={1: 3_000})
        item.refresh_from_db()
        assert (item.open_minor, written_off(item)) == (0, 7_000)
        credit(item.source, on=DAY, reason="r", key="credit-2", amounts={1: 5_000})
        credit(item.source, on=DAY, reason="r", key="credit-2", amounts={1: 5_000})
        item.refresh_from_db()
        assert (item.open_minor, written_off(item)) == (0, 2_000)
        assert not OpenItem.objects.filter(customer=owner, open_minor__gt=0).exists()


def test_only_what_was_paid_of_a_written_off_invoice_becomes_credit(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        item = owed(owner)
        said = {"received_on": DAY, "method": "check", "key": "form-part-1"}
        record(customer=owner.public_id, minor=4_000, **said)  # type: ignore[arg-type]
        write_off(item.pk, minor=6_000, on=DAY, reason="gone", key="form-wo-1")
        note = credit(item.source, on=DAY, reason="r", key="credit-1")
        assert OpenItem.objects.get(source=note.public_id).open_minor == 4_000
        assert written_off(item) == 0


def test_a_credit_note_dated_before_the_write_off_agrees_on_every_day(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        item = owed(owner)
        write_off(item.pk, minor=10_000, on=DAY + timedelta(days=20), reason="gone", key="form-wo-1")
        credit(item.source, on=DAY + timedelta(days=5), reason="r", key="credit-1", amounts={1: 3_000})
        for days in range(25):
            (aged,) = ageing(DAY + timedelta(days=days)) or (None,)
            booked = control_balances(DAY + timedelta(days=days)).get("EUR", 0)
            assert (aged.total.net.minor if aged else 0) == booked >= 0
