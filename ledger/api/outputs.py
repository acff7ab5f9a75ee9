"""The books as the API gives them."""

from rest_framework import serializers

from core.api.fields import Out


class LegOut(Out):
    """One side of an entry: debits positive, credits negative."""

    account = serializers.CharField(help_text="Code of the account.")
    account_name = serializers.CharField()
    amount_minor = serializers.IntegerField()
    currency = serializers.CharField()
    customer = serializers.CharField(allow_null=True)
    open_item = serializers.CharField(allow_null=True)


class JournalEntryOut(Out):
    """One business fact in the books; never changed, corrected by another entry."""

    OBJECT = "journal_entry"

    id = serializers.CharField()
    kind = serializers.CharField()
    source = serializers.CharField(help_text="What it came from: an invoice's or a payment's id.")  # type: ignore[assignment]
    label = serializers.CharField()  # type: ignore[assignment]
    effective_on = serializers.DateField(help_text="The day it counts from.")
    posted_on = serializers.DateField(help_text="The day of the period it stands in.")
    recorded_at = serializers.DateTimeField()
    legs = LegOut(many=True)


class AccountBalanceOut(Out):
    """The balance of an account; debits positive, credits negative."""

    account = serializers.CharField()
    account_name = serializers.CharField()
    kind = serializers.CharField()
    balance_minor = serializers.IntegerField()


class CurrencyBalancesOut(Out):
    """Balances of all accounts in one currency; debits and credits come to the same."""

    currency = serializers.CharField()
    debit_minor = serializers.IntegerField()
    credit_minor = serializers.IntegerField()
    accounts = AccountBalanceOut(many=True)


class TrialBalanceOut(Out):
    """The balance of every account at the end of a day."""

    OBJECT = "trial_balance"

    as_of = serializers.DateField()
    currencies = CurrencyBalancesOut(many=True)
