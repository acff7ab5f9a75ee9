"""Payments for programs: recorded, put against what is owed, taken back."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from rest_framework import serializers

from cashapp.api.outputs import AllocationOut, PaymentDetailOut, PaymentOut
from cashapp.api.parts import MOST_PARTS, PartIn, by_item
from cashapp.models import Payment
from cashapp.permissions import PAYMENTS_APPLY, PAYMENTS_RECORD, PAYMENTS_REVERSE, PAYMENTS_VIEW
from cashapp.selectors import Applied, PaymentFilter, applied_to, payments, standing
from cashapp.services.payments import METHODS, apply_rest, payment_row, record, reverse
from core import clock, ids
from core.api.fields import CurrencyCode, Day, In, Minor, PublicId, Text, many
from core.api.operations import Api, Call, Listing, operation, referred
from core.errors import NotFound
from customers.selectors import customer as customer_of
from receivables.selectors import allocation, item_states
from receivables.services.reverse import take_back
from tenants.selectors import entity

TAG = "Payments"
ALLOCATION = "alloc"


class PaymentsQuery(In):
    customer = PublicId(required=False)
    currency = CurrencyCode(required=False)
    method = serializers.ChoiceField(METHODS, required=False)
    received_from = Day(required=False)
    received_to = Day(required=False)


class PaymentIn(In):
    customer = PublicId()
    amount_minor = Minor(min_value=1)
    currency = CurrencyCode()
    received_on = Day()
    method = serializers.ChoiceField(METHODS)
    memo = Text(max_length=300, required=False, allow_blank=True)
    parts = many(
        PartIn,
        most=MOST_PARTS,
        required=False,
        help_text="Where it goes: the oldest due first when left out, nowhere yet when empty.",
    )


class ApplyIn(In):
    parts = many(
        PartIn,
        most=MOST_PARTS,
        required=False,
        allow_empty=False,
        help_text="Where it goes; the oldest due first when left out.",
    )


class TakeBackIn(In):
    reason = Text(max_length=300)
    on = Day(required=False, help_text="The day on which it is booked; today when left out.")


def shown(rows: Sequence[Payment]) -> list[Payment]:
    """Payments with where they stand, one query."""
    items = item_states([row.public_id for row in rows])
    for row in rows:
        row.item = items[row.public_id]  # type: ignore[attr-defined]
        row.standing = standing(row, items[row.public_id])  # type: ignore[attr-defined]
    return list(rows)


def _detail(public_id: str) -> Payment:
    (row,) = shown([payment_row(public_id)])
    row.allocations = [allocation_given(each) for each in applied_to(row.item.item_id)]  # type: ignore[attr-defined]
    return row


def allocation_given(each: Applied) -> dict[str, Any]:
    """An allocation as it is given."""
    return {
        "id": ids.numbered(ALLOCATION, each.allocation_id),
        "item": each.item,
        "document": each.source if each.source.startswith("doc_") else None,
        "label": each.label,
        "amount_minor": each.amount.minor,
        "currency": each.amount.currency,
        "effective_on": each.on,
        "reason": each.reason,
        "reverses": ids.numbered(ALLOCATION, each.reverses_id) if each.reverses_id else None,
        "stands": each.stands,
        "final": each.final,
    }


def today() -> date:
    """The legal entity's day. Inside work()."""
    return clock.today(entity().zone)


class Payments(Api):
    tag = TAG

    @operation(PAYMENTS_VIEW, query=PaymentsQuery, gives=PaymentOut, many=True, expands=["customer"])
    def get(self, call: Call) -> Listing:
        """List payments, the newest first."""
        rows = payments(PaymentFilter(**call.filters)).select_related("customer__parent")
        return Listing(rows, prepare=shown)

    @operation(PAYMENTS_RECORD, takes=PaymentIn, gives=PaymentDetailOut, status=201, keyed=True)
    def post(self, call: Call) -> Payment:
        """Record money that came another way than through a gateway.

        The idempotency key is the natural key: the same payment sent again under it is answered as it is.
        """
        said = dict(call.data)
        owner = referred("customer", lambda: customer_of(said["customer"]))
        parts = said.pop("parts", None)
        if parts is not None:
            parts = by_item(parts, customer_id=owner.pk, currency=said["currency"])
        minor = said.pop("amount_minor")
        made = referred("parts", lambda: record(minor=minor, parts=parts, key=call.intent, **said))
        return _detail(made.public_id)


class OnePayment(Api):
    tag = TAG

    @operation(PAYMENTS_VIEW, gives=PaymentDetailOut, expands=["customer"])
    def get(self, call: Call, public_id: str) -> Payment:
        """Get a payment with all that was done with it."""
        return _detail(public_id)


class PaymentApply(Api):
    tag = TAG

    @operation(PAYMENTS_APPLY, takes=ApplyIn, gives=PaymentDetailOut)
    def post(self, call: Call, public_id: str) -> Payment:
        """Put unapplied money of a payment against what the customer owes.

        Named parts, or the oldest due first. Under the same idempotency key it is done once.
        """
        row = payment_row(public_id)
        parts = call.data.get("parts")
        if parts is not None:
            parts = by_item(parts, customer_id=row.customer_id, currency=row.currency)
        referred("parts", lambda: apply_rest(public_id, parts=parts, on=today(), key=call.intent))
        return _detail(public_id)


class PaymentReverse(Api):
    tag = TAG

    @operation(PAYMENTS_REVERSE, takes=TakeBackIn, gives=PaymentDetailOut)
    def post(self, call: Call, public_id: str) -> Payment:
        """Take a payment back: what it settled is open again. Again changes nothing.

        For money booked by mistake or returned by the bank.
        """
        reverse(public_id, on=call.data.get("on") or today(), reason=call.data["reason"])
        return _detail(public_id)


class AllocationUndo(Api):
    tag = TAG

    @operation(PAYMENTS_APPLY, takes=TakeBackIn, gives=AllocationOut)
    def post(self, call: Call, allocation_id: str) -> dict[str, Any]:
        """Take one allocation back: its item is open again, and its money unapplied."""
        number = ids.number_in(ALLOCATION, allocation_id)
        if number is None:
            raise NotFound("That allocation is not here.")
        row = allocation(number)
        take_back(row.pk, on=call.data.get("on") or today(), reason=call.data["reason"])
        found = applied_to(row.credit_item_id)
        return allocation_given(next(each for each in found if each.allocation_id == row.pk))
