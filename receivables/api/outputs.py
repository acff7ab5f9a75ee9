"""Open items and the figures over them, as the API gives them."""

from typing import Any

from rest_framework import serializers

from core.api.fields import Exact, Id, Out, RecordOut, Ref
from receivables.domain.items import Kind, Side


class OpenItemOut(RecordOut):
    """What is still open of an invoice, a payment or a credit. Amounts are positive whatever the side."""

    OBJECT = "open_item"

    customer = Ref("customers.api.outputs.CustomerOut")
    kind = serializers.ChoiceField([str(each) for each in Kind])
    side = serializers.ChoiceField(
        [str(each) for each in Side], help_text="A debit is owed to you, a credit was paid or is owed back."
    )
    label = serializers.CharField()  # type: ignore[assignment]
    source = serializers.CharField(help_text="What it came from: an invoice's or a payment's id.")  # type: ignore[assignment]
    currency = serializers.CharField()
    total_minor = serializers.IntegerField()
    open_minor = serializers.IntegerField()
    reserved_minor = serializers.IntegerField(help_text="Of what is open, promised to charges under way.")
    effective_on = serializers.DateField()
    due_on = serializers.DateField(help_text="Something of it is due next on this day.")
    later_minor = serializers.IntegerField(help_text="Of what is open, due on `later_due_on` only.")
    later_due_on = serializers.DateField(
        source="rest_due_on", allow_null=True, help_text="Where a deposit is, or was, due before the rest."
    )
    settled_on = serializers.DateField(allow_null=True)


class LateItemOut(Out):
    """An invoice that was paid late, or is late and open still."""

    open_item = serializers.CharField(source="public_id", help_text="Its id.")
    source = serializers.CharField(help_text="What it came from: an invoice's id.")  # type: ignore[assignment]
    label = serializers.CharField()  # type: ignore[assignment]
    currency = serializers.CharField(source="total.currency")
    total_minor = serializers.IntegerField(source="total.minor")
    due_on = serializers.DateField()
    settled_on = serializers.DateField(allow_null=True)
    days_late = serializers.IntegerField()


class PaymentHabitsOut(Out):
    """How a customer paid what was due in the last 365 days, and whether to ask for a deposit."""

    OBJECT = "payment_habits"

    customer = serializers.CharField(source="customer.public_id")
    invoice_count = serializers.IntegerField(
        source="habits.invoices", help_text="That were due, and to be paid."
    )
    late_count = serializers.IntegerField(
        source="habits.late", help_text="Of those, more than three days late."
    )
    average_days_late = serializers.IntegerField(source="habits.average_days", help_text="Of the late ones.")
    advised_deposit_percent = serializers.IntegerField(
        source="advised",
        help_text="To be set as the customer's `deposit_percent`; 0 where that is set, or less than half were late.",
    )
    late = LateItemOut(many=True, help_text="The last due first, at most 100.")


class AgedOut(Out):
    """What is owed by how late it is, and credit not used yet."""

    not_due_minor = serializers.IntegerField()
    days_1_30_minor = serializers.IntegerField()
    days_31_60_minor = serializers.IntegerField()
    days_61_90_minor = serializers.IntegerField()
    days_over_90_minor = serializers.IntegerField()
    overdue_minor = serializers.IntegerField()
    credit_minor = serializers.IntegerField(help_text="Unused credit and payments; positive.")
    net_minor = serializers.IntegerField(help_text="Owed less credit.")


class AgedCustomerOut(AgedOut):
    """The same of one customer."""

    customer = Id()
    name = serializers.CharField(source="customer.name")


class AgeingCurrencyOut(AgedOut):
    """The same of all customers in one currency."""

    currency = serializers.CharField()
    customer_count = serializers.IntegerField()
    proved = serializers.BooleanField(help_text="Whether the ledger says the same of that day.")
    customers = AgedCustomerOut(many=True)


class AgeingOut(Out):
    """Who owed what and how late at the end of a day."""

    OBJECT = "ageing"

    as_of = serializers.DateField()
    currencies = AgeingCurrencyOut(many=True)


class DsoCurrencyOut(Out):
    """Days of sales still to be paid, with what the figure is made of."""

    currency = serializers.CharField()
    days: Any = Exact(source="value", allow_null=True, help_text="To a tenth; null without sales.")
    closing_minor = serializers.IntegerField(help_text="Open at the end of the day, credits taken off.")
    invoiced_minor = serializers.IntegerField()
    credited_minor = serializers.IntegerField()
    voided_minor = serializers.IntegerField()
    sales_minor = serializers.IntegerField()


class DsoOut(Out):
    """Days sales outstanding at the end of a day, by the simple formula over 90 days."""

    OBJECT = "dso"

    as_of = serializers.DateField()
    since = serializers.DateField(help_text="First day of the sales that count.")
    currencies = DsoCurrencyOut(many=True)
