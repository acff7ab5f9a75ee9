"""Prepaid balances for programs."""

from functools import partial

from rest_framework import serializers

from core import ids
from core.api.fields import MOST_MINOR, Day, Flag, Id, In, Out, PublicId, Ref, Text, Whole, Word
from core.api.operations import Api, Call, Listing, operation, referred
from invoicing import prepaid
from invoicing.api.outputs import business_today
from invoicing.domain.prepaid import Gone
from invoicing.models import TopUpMove
from invoicing.permissions import INVOICES_ISSUE, INVOICES_VIEW
from invoicing.prepaid import TopUpView
from invoicing.services.prepaid import MEMO, top_up

TAG = "Prepaid balances"
STATES = ("active", "unpaid", "expired", "used")
EXPANDS = ["customer"]


class TopUpsQuery(In):
    customer = PublicId(required=False)
    left = Flag(required=False, help_text="Only those of which something is left, or nothing.")


class TopUpIn(In):
    customer = PublicId(help_text="Its currency is the balance's.")
    amount_minor = Whole(min_value=1, max_value=MOST_MINOR)
    expires_on = Day(
        required=False,
        allow_null=True,
        help_text="The first day on which it pays no more; never, if left out.",
    )
    memo = Text(max_length=MEMO, lines=True, required=False, allow_blank=True, help_text="On the invoice.")


class TopUpOut(Out):
    """What a customer pays in advance by an invoice; what is paid of it pays for what meters count."""

    OBJECT = "top_up"

    id = serializers.CharField(source="row.public_id", help_text="Prefixed, sortable, the only id there is.")
    version = serializers.IntegerField(source="row.version", help_text="Grows with every change.")
    created_at = serializers.DateTimeField(source="row.created_at")
    updated_at = serializers.DateTimeField(source="row.updated_at")
    customer = Ref("customers.api.outputs.CustomerOut", source="row.customer")
    invoice = Id(source="row.document", help_text="Pay it, void it or credit it like any other.")
    currency = serializers.CharField(source="row.currency")
    total_minor = serializers.IntegerField(source="row.total_minor")
    left_minor = serializers.IntegerField(
        source="row.left_minor", help_text="Of the total, what was not drawn, credited, voided or expired."
    )
    available_minor = serializers.IntegerField(help_text="Of what is left, what was paid and can be drawn.")
    expires_on = serializers.DateField(
        source="row.expires_on", allow_null=True, help_text="The first day on which it pays no more."
    )
    state = Word(STATES, help_text="`unpaid`: something is left, and nothing of that was paid.")


class TopUpMoveOut(Out):
    """A part of a top-up that is gone."""

    OBJECT = "top_up_move"

    id = serializers.SerializerMethodField()
    kind = Word(tuple(str(each) for each in Gone), help_text="`drawn` paid an invoice.")
    amount_minor = serializers.IntegerField(source="minor")
    on = serializers.DateField()
    document = Id(
        allow_null=True, help_text="The invoice that it paid, or the credit note that took it back."
    )
    recorded_at = serializers.DateTimeField()

    def get_id(self, row: TopUpMove) -> str:
        """The row's number: a move has no life of its own."""
        return ids.numbered("topupmove", row.pk)


class TopUps(Api):
    tag = TAG

    @operation(INVOICES_VIEW, query=TopUpsQuery, gives=TopUpOut, many=True, expands=EXPANDS)
    def get(self, call: Call) -> Listing:
        """List top-ups, the newest first.

        What a customer's prepaid balance comes to is the sum of `available_minor`.
        """
        rows = prepaid.top_ups(customer=call.query.get("customer", ""), left=call.query.get("left"))
        if "customer" in call.query["expand"]:
            rows = rows.select_related("customer__parent", "document")
        return Listing(rows, prepare=partial(prepaid.shown, today=business_today()))

    @operation(INVOICES_ISSUE, takes=TopUpIn, gives=TopUpOut, status=201)
    def post(self, call: Call) -> TopUpView:
        """Top a customer's prepaid balance up.

        An invoice without tax is issued and mailed. What is paid of it pays the metered lines of coming invoices, tax
        included, when a run issues them: first of what expires first.
        """
        said = dict(call.data)
        customer, minor, today = said.pop("customer"), said.pop("amount_minor"), business_today()
        made = referred("customer", lambda: top_up(customer, minor=minor, key=call.key, today=today, **said))
        return _one(made.public_id)


class OneTopUp(Api):
    tag = TAG

    @operation(INVOICES_VIEW, gives=TopUpOut, expands=EXPANDS)
    def get(self, call: Call, public_id: str) -> TopUpView:
        """Get a top-up."""
        return _one(public_id)


class TopUpMoves(Api):
    tag = TAG

    @operation(INVOICES_VIEW, gives=TopUpMoveOut, many=True)
    def get(self, call: Call, public_id: str) -> Listing:
        """List what became of a top-up, the newest first."""
        return Listing(prepaid.moves(prepaid.top_up(public_id)))


def _one(public_id: str) -> TopUpView:
    (found,) = prepaid.shown([prepaid.top_up(public_id)], today=business_today())
    return found
