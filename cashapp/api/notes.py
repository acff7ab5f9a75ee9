"""Credit notes as money: what is open of one is put against what the same customer owes."""

from typing import Any

from cashapp.api.outputs import CreditOut
from cashapp.api.parts import MOST_PARTS, PartIn, by_item
from cashapp.api.payments import TAG, allocation_given, today
from cashapp.permissions import PAYMENTS_APPLY, PAYMENTS_VIEW
from cashapp.selectors import applied_to
from cashapp.services.payments import apply_credit, credit_of
from core.api.fields import In, many
from core.api.operations import Api, Call, operation, referred
from customers.selectors import by_ids


class ApplyCreditIn(In):
    parts = many(PartIn, most=MOST_PARTS, allow_empty=False, help_text="Where it goes.")


def _given(document: str) -> dict[str, Any]:
    """A credit note's item with what it was put against. Inside work()."""
    item = credit_of(document)
    return {
        "document": document,
        "open_item": item.public_id,
        "label": item.label,
        "customer": by_ids({item.customer_id})[item.customer_id],
        "currency": item.currency,
        "total_minor": item.total_minor,
        "open_minor": item.open_minor,
        "reserved_minor": item.reserved_minor,
        "effective_on": item.effective_on,
        "allocations": [allocation_given(each) for each in applied_to(item.item_id)],
    }


class OneCredit(Api):
    tag = TAG

    @operation(PAYMENTS_VIEW, gives=CreditOut)
    def get(self, call: Call, document: str) -> dict[str, Any]:
        """Get what is open of a credit note, by the note's id, and what it was put against."""
        return _given(document)


class CreditApply(Api):
    tag = TAG

    @operation(PAYMENTS_APPLY, takes=ApplyCreditIn, gives=CreditOut)
    def post(self, call: Call, document: str) -> dict[str, Any]:
        """Put what is open of a credit note against what the customer owes the same legal entity.

        Under the same idempotency key it is done once. `POST /allocations/{id}/undo` takes a part back.
        """
        credit = credit_of(document)
        parts = by_item(call.data["parts"], customer_id=credit.customer_id, currency=credit.currency)
        on = max(credit.effective_on, today())
        referred("parts", lambda: apply_credit(document, parts=parts, on=on, key=call.intent))
        return _given(document)
