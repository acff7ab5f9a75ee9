"""Customers and contacts as the API gives them."""

from rest_framework import serializers

from core.api.fields import Id, Out, Personal, RecordOut, Ref


class CustomerOut(RecordOut):
    """A business or person that owes money."""

    OBJECT = "customer"

    name = serializers.CharField()
    number = serializers.CharField()
    email = Personal()
    address = Personal()
    country = serializers.CharField()
    currency = serializers.CharField(help_text="Of new invoices.")
    terms_days = serializers.IntegerField(help_text="Days to pay from the invoice date.")
    zone = serializers.CharField(help_text="Time zone in which days of new subscriptions begin.")
    deposit_percent = serializers.IntegerField(
        allow_null=True,
        help_text="Of each invoice, due on the day it is issued; null: as the plans on it say.",
    )
    one_invoice = serializers.BooleanField(
        help_text="Whether subscriptions that are due together stand on one invoice."
    )
    parent = Ref(  # type: ignore[assignment]
        "customers.api.outputs.CustomerOut", allow_null=True, help_text="The customer it is a part of."
    )
    archived_at = serializers.DateTimeField(allow_null=True)
    external_id = serializers.CharField()
    metadata = serializers.DictField(child=serializers.CharField())


class ContactOut(RecordOut):
    """A person at a customer; has no account."""

    OBJECT = "contact"

    customer = Id()
    name = serializers.CharField()
    email = Personal()
    receives_invoices = serializers.BooleanField()


class BalanceOut(Out):
    """What a customer owes and has in one currency."""

    OBJECT = "balance"

    currency = serializers.CharField()
    owed_minor = serializers.IntegerField(help_text="Open of invoices and fees.")
    overdue_minor = serializers.IntegerField(help_text="Of that, what is late today.")
    credit_minor = serializers.IntegerField(help_text="Unused credit and payments.")


class BalancesOut(Out):
    """What a customer owes and has, by currency."""

    OBJECT = "balances"

    customer = Id()
    balances = BalanceOut(many=True)
