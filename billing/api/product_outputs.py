"""Products and plans, as the API gives them."""

from rest_framework import serializers

from core.api.fields import RecordOut


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
