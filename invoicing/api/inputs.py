"""What the API takes about invoices and credit notes."""

from typing import Any

from rest_framework import serializers

from core.api.fields import MOST_MINOR, CurrencyCode, Day, Exact, In, Metadata, Minor, PublicId, Text, Whole
from invoicing.listing import STATES
from invoicing.services.edit import MAX_LINES

MAX_IDS = 500
REASON = 300


class InvoicesQuery(In):
    state = serializers.ChoiceField(
        choices=STATES, required=False, help_text="`open` has what is overdue or paid in part as well."
    )
    kind = serializers.ChoiceField(
        choices=["invoice", "opening", "credit_note"],
        required=False,
        help_text="`opening` are invoices that another system issued; `invoice` has them as well.",
    )
    q = Text(max_length=60, required=False, help_text="Start of the number, its digits, or the total.")
    customer = PublicId(required=False)
    subscription = PublicId(
        required=False, help_text="Those that bill it, and the credit notes that take back some of that."
    )
    currency = CurrencyCode(required=False)
    amount = Exact(
        max_digits=19, decimal_places=4, required=False, help_text="The total exactly, in major units."
    )
    due_from = Day(required=False)
    due_to = Day(required=False, help_text="That day as well.")
    issued_from = Day(required=False)
    issued_to = Day(required=False, help_text="That day as well.")


class InvoiceLineIn(In):
    description = Text(max_length=500)
    detail = Text(max_length=500, required=False, allow_blank=True)
    quantity = Exact(
        max_digits=27, decimal_places=12, required=False, help_text="1, unless you say otherwise."
    )
    unit_price = Exact(
        max_digits=27, decimal_places=12, help_text="In major units; below zero takes something off."
    )
    tax_percent = Exact(
        max_digits=7,
        decimal_places=4,
        min_value=0,
        max_value=100,
        required=False,
        help_text="The legal entity's, unless you say otherwise.",
    )
    service_start = Day(required=False, allow_null=True, help_text="First day that the line is for.")
    service_end = Day(required=False, allow_null=True, help_text="First day that it is not for.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A line is always whole, also where a change names only some fields of the invoice."""
        missing = [name for name in ("description", "unit_price") if name not in attrs]
        if missing:
            raise serializers.ValidationError(dict.fromkeys(missing, "This field is required."))
        return attrs


class InvoiceContentIn(In):
    customer = PublicId(help_text="Its currency is the invoice's.")
    lines = serializers.ListField(child=InvoiceLineIn(), min_length=1, max_length=MAX_LINES)
    terms_days = Whole(
        min_value=0,
        max_value=365,
        required=False,
        help_text="Days to pay; the customer's, unless you say otherwise.",
    )
    deposit_percent = Whole(
        min_value=0,
        max_value=100,
        required=False,
        help_text="Percent of it due on the day it is issued; the customer's, unless you say otherwise.",
    )
    memo = Text(max_length=2000, lines=True, required=False, allow_blank=True)


class InvoiceIn(InvoiceContentIn):
    external_id = Text(
        max_length=255, required=False, allow_blank=True, help_text="What your system calls it."
    )
    metadata = Metadata()


class IssueIn(In):
    issued_on = Day(required=False, help_text="Today, unless you say otherwise; never in the future.")


class ReasonIn(In):
    reason = Text(max_length=REASON, help_text="Kept in the audit trail.")
    on = Day(required=False, help_text="Today, unless you say otherwise; from the invoice's day on.")


class CreditLineIn(In):
    position = Whole(min_value=1, max_value=MAX_LINES)
    amount_minor = Minor(help_text="Net; below zero for a line that is below zero.")


class CreditIn(ReasonIn):
    lines = serializers.ListField(
        child=CreditLineIn(),
        required=False,
        min_length=1,
        max_length=MAX_LINES,
        help_text="Net amounts by line; everything that is left, unless you say otherwise.",
    )

    def validate_lines(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """A line is named once."""
        seen: set[int] = set()
        for n, each in enumerate(lines):
            if each["position"] in seen:
                raise serializers.ValidationError({str(n): {"position": ["This line is named twice."]}})
            seen.add(each["position"])
        return lines


class WriteOffIn(ReasonIn):
    amount_minor = Whole(
        min_value=1,
        max_value=MOST_MINOR,
        required=False,
        help_text="Everything that is open, unless you say otherwise.",
    )


class BulkIn(In):
    act = serializers.ChoiceField(choices=["issue", "send"])
    ids = serializers.ListField(child=PublicId(), min_length=1, max_length=MAX_IDS)
