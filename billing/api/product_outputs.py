"""Products and plans, as the API gives them."""

from rest_framework import serializers

from billing.models import NOW, PERIOD_END
from core.api.fields import Out, RecordOut, Word

TAKES_EFFECT = [NOW, PERIOD_END]


class ProductOut(RecordOut):
    """What plans belong to. Its code never changes."""

    OBJECT = "product"

    name = serializers.CharField()
    code = serializers.CharField()
    description = serializers.CharField()
    archived_at = serializers.DateTimeField(allow_null=True, help_text="Its plans are not offered since.")


class PlanOut(RecordOut):
    """Something sold by the period, or owed once."""

    OBJECT = "plan"

    name = serializers.CharField()
    code = serializers.CharField()
    product = serializers.CharField(
        source="product.code",
        default=None,
        allow_null=True,
        help_text="Code of the product that it belongs to; null for none.",
    )
    deposit_percent = serializers.IntegerField(
        help_text="Of each invoice with it, due on the day of issue; a customer's own goes before it."
    )


class PlanOfferOut(Out):
    """A plan that customers on another may change to by themselves."""

    OBJECT = "plan_offer"

    plan = serializers.CharField(source="to.code", help_text="Its code.")
    takes_effect = Word(TAKES_EFFECT, help_text="At once, or at the end of the period under way.")


class PlanOffersOut(Out):
    """All that customers on a plan may change to by themselves, in the order those plans were made."""

    OBJECT = "plan_offers"

    plan = serializers.CharField(source="plan.public_id")
    version = serializers.IntegerField(
        source="plan.version", help_text="Of the plan; the number in the ETag."
    )
    data = PlanOfferOut(many=True, source="offers")  # type: ignore[assignment]
