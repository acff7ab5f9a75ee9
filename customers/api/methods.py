"""Kept cards for programs: seen and removed. Only their customer keeps one, on a page of their own."""

from rest_framework import serializers

from core.api.fields import Id, In, Out, PublicId, RecordOut
from core.api.operations import Api, Call, Listing, operation
from customers import selectors
from customers.models import PaymentMethod
from customers.permissions import CUSTOMERS_EDIT, CUSTOMERS_VIEW
from customers.services import methods

TAG = "Payment methods"


class PaymentMethodOut(RecordOut):
    """A card that a customer keeps, to be charged by itself. Its number is known to the gateway alone."""

    OBJECT = "payment_method"

    customer = Id()
    gateway = serializers.CharField()
    brand = serializers.CharField()
    last4 = serializers.CharField()
    expires_on = serializers.DateField(help_text="Its last good day.")
    consent = serializers.CharField(help_text="What the customer agreed to, in the words they were shown.")
    agreed_at = serializers.DateTimeField()
    live = serializers.BooleanField(help_text="Whether it is charged still; one at a time is.")
    removed_at = serializers.DateTimeField(allow_null=True)


class CardLinkOut(Out):
    """A link to the page on which a customer keeps a card."""

    OBJECT = "card_link"

    customer = Id()
    url = serializers.CharField()


class PaymentMethodsQuery(In):
    customer = PublicId(required=False)


class PaymentMethods(Api):
    tag = TAG

    @operation(CUSTOMERS_VIEW, query=PaymentMethodsQuery, gives=PaymentMethodOut, many=True)
    def get(self, call: Call) -> Listing:
        """List kept cards and those that were removed, the newest first."""
        rows = methods.method_rows()
        if customer := call.query.get("customer", ""):
            rows = rows.filter(customer__public_id=customer)
        return Listing(rows)


class OnePaymentMethod(Api):
    tag = TAG

    @operation(CUSTOMERS_VIEW, gives=PaymentMethodOut)
    def get(self, call: Call, method: str) -> PaymentMethod:
        """Get a card."""
        return methods.method(method)

    @operation(CUSTOMERS_EDIT, gives=PaymentMethodOut)
    def delete(self, call: Call, method: str) -> PaymentMethod:
        """Charge a card no more. Again changes nothing."""
        return methods.remove(method)


class CardLink(Api):
    tag = TAG

    @operation(CUSTOMERS_EDIT, gives=CardLinkOut)
    def post(self, call: Call, public_id: str) -> dict[str, object]:
        """The link to the page on which a customer keeps a card, or removes it; the same each time."""
        row = selectors.customer(public_id)
        return {"customer": row, "url": methods.card_url(row)}
