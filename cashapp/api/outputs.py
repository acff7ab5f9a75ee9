"""Payments, what they were put against, and bank lines, as the API gives them."""

from rest_framework import serializers

from core.api.fields import BankNumber, Id, Out, RecordOut, Ref

CUSTOMER = "customers.api.outputs.CustomerOut"


class PaymentOut(RecordOut):
    """Money received."""

    OBJECT = "payment"

    customer = Ref(CUSTOMER)
    amount_minor = serializers.IntegerField(source="minor")
    currency = serializers.CharField()
    unapplied_minor = serializers.IntegerField(
        source="item.open_minor", help_text="Put against nothing; 0 once it was taken back."
    )
    state = serializers.ChoiceField(["unapplied", "partly_applied", "applied", "reversed"], source="standing")
    received_on = serializers.DateField()
    method = serializers.CharField()
    memo = serializers.CharField()
    provider = serializers.CharField(help_text="manual, bank, or the gateway that took it.")
    open_item = serializers.CharField(source="item.public_id", help_text="Its own open item, a credit.")


class AllocationOut(Out):
    """A part of a payment put against an open item, or such a part taken back."""

    OBJECT = "allocation"

    id = serializers.CharField()
    item = serializers.CharField(help_text="The open item it is put against.")
    document = serializers.CharField(allow_null=True, help_text="The invoice, where the item is one's.")
    label = serializers.CharField()  # type: ignore[assignment]
    amount_minor = serializers.IntegerField(help_text="Negative where it takes another back.")
    currency = serializers.CharField()
    effective_on = serializers.DateField()
    reason = serializers.CharField()
    reverses = serializers.CharField(allow_null=True, help_text="The allocation that it takes back.")
    stands = serializers.BooleanField(help_text="Whether it counts and was not taken back.")
    final = serializers.CharField(help_text="Why it cannot be undone; empty where it can.")


class PaymentDetailOut(PaymentOut):
    """Money received, with all that was done with it."""

    allocations = AllocationOut(many=True)


class CreditOut(Out):
    """What is open of a credit note, with what it was put against. Amounts are positive."""

    OBJECT = "credit"

    document = serializers.CharField(help_text="The credit note.")
    open_item = serializers.CharField(help_text="Its open item, a credit.")
    label = serializers.CharField()  # type: ignore[assignment]
    customer = Id()
    currency = serializers.CharField()
    total_minor = serializers.IntegerField()
    open_minor = serializers.IntegerField()
    reserved_minor = serializers.IntegerField(help_text="Of what is open, promised to charges under way.")
    effective_on = serializers.DateField()
    allocations = AllocationOut(many=True)


class BankLineOut(RecordOut):
    """Money that came, as a bank or another system tells it."""

    OBJECT = "bank_line"

    state = serializers.ChoiceField(["open", "booked", "aside", "withdrawn"])
    booked_on = serializers.DateField()
    amount_minor = serializers.IntegerField(source="minor")
    currency = serializers.CharField()
    payer = serializers.CharField()
    account = BankNumber(source="account_number")
    memo = serializers.CharField()
    customer = Id(allow_null=True, help_text="Who paid, where the line itself says so.")
    payment = Id(allow_null=True, help_text="The payment as which it is booked.")
    external_id = serializers.CharField()


class PartOut(Out):
    """A part of the money, and the open item it would be put against."""

    item = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    amount_minor = serializers.IntegerField()


class ReasonOut(Out):
    """Why matching thinks so."""

    code = serializers.CharField(help_text="For programs.")
    text = serializers.CharField()


class ProposalOut(Out):
    """One way to use the money of a bank line."""

    OBJECT = "proposal"

    id = serializers.CharField(help_text="Names what is proposed; gone when it cannot be done any more.")
    customer = Id()
    title = serializers.CharField()
    score = serializers.IntegerField(help_text="Higher is likelier.")
    parts = PartOut(many=True)
    reasons = ReasonOut(many=True)
    doubts = ReasonOut(many=True)


class BankLineDetailOut(BankLineOut):
    """A bank line with what matching proposes for it, best first."""

    proposals = ProposalOut(many=True)


class LineProblemOut(Out):
    """Why a line was refused."""

    pointer = serializers.CharField()
    message = serializers.CharField()


class KeptLineOut(Out):
    """What became of one line, in the order they were sent."""

    status = serializers.ChoiceField(["created", "unchanged", "failed"])
    bank_line = serializers.CharField(allow_null=True)
    errors = LineProblemOut(many=True)  # type: ignore[assignment]


class KeptLinesOut(Out):
    """What became of the lines that were sent."""

    OBJECT = "bank_line_results"

    created = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    failed = serializers.IntegerField()
    data = KeptLineOut(many=True)  # type: ignore[assignment]


class MatchingOut(Out):
    """Matching was asked for."""

    OBJECT = "matching"

    waiting = serializers.IntegerField(help_text="Lines that are open now.")
