"""What the database refuses of open items whatever the code above it does."""

from itertools import count

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from core import ids
from core.scope import Scope, work
from receivables.domain.items import Kind
from receivables.models import Allocation, OpenItem
from tests import factories
from tests.factories import DAY

_numbers = count(1)


def raw(debit: int, credit: int, minor: int, **given: object) -> None:
    with transaction.atomic():
        Allocation.objects.create(
            key=f"raw{next(_numbers)}", debit_item_id=debit, credit_item_id=credit, minor=minor, effective_on=DAY,
            posted_on=DAY, **given,
        )  # fmt: skip


@pytest.mark.parametrize("wrong", [{"open_minor": 40}, {"reserved_minor": 1}])
def test_an_item_starts_whole(acorn: Scope, wrong: dict[str, int]) -> None:
    with work():
        item = OpenItem.objects.get(pk=factories.item(factories.customer(), 100).item_id)
        item.pk, item.public_id, item.source = None, ids.new("item"), "another"
        for name, value in wrong.items():
            setattr(item, name, value)
        with pytest.raises(IntegrityError, match="starts whole"), transaction.atomic():
            item.save(force_insert=True)


def test_nothing_is_put_beyond_what_is_open_or_reserved(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        invoice, payment = factories.item(owner, 100), factories.item(owner, 500, Kind.PAYMENT)
        with pytest.raises(IntegrityError, match="openitem_open_within_total"):
            raw(invoice.item_id, payment.item_id, 101)
        OpenItem.objects.filter(pk=invoice.item_id).update(reserved_minor=60)
        with pytest.raises(IntegrityError, match="openitem_reserved_within_open"):
            raw(invoice.item_id, payment.item_id, 41)
        OpenItem.objects.filter(pk=invoice.item_id).update(reserved_minor=0)  # no attempt promised it


def test_an_undo_mirrors_what_it_undoes(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        invoice, other = factories.item(owner, 100), factories.item(owner, 100)
        payment = factories.item(owner, 100, Kind.PAYMENT)
        raw(invoice.item_id, payment.item_id, 60)
        done = Allocation.objects.get()
        for debit, minor in ((invoice.item_id, -59), (other.item_id, -60)):
            with pytest.raises(DatabaseError):
                raw(debit, payment.item_id, minor, reverses=done)
        raw(invoice.item_id, payment.item_id, -60, reverses=done)
        with pytest.raises(IntegrityError, match="allocation_undone_once"):
            raw(invoice.item_id, payment.item_id, -60, reverses=done)
        assert OpenItem.objects.get(pk=invoice.item_id).open_minor == 100
        transaction.set_rollback(True)  # raw allocations have no entries in the books
