"""Features, what plans grant of them, and what customers are entitled to, as the API gives it."""

from typing import Any

from rest_framework import serializers

from billing.domain.features import Combine, Kind, Mode, Source
from core.api.fields import Exact, Out, RecordOut, Word

ROOM = 80
KINDS, COMBINES, MODES = ([str(each) for each in words] for words in (Kind, Combine, Mode))


class FeatureOut(RecordOut):
    """Something that plans grant. Neither its code nor its kind ever change."""

    OBJECT = "feature"

    name = serializers.CharField()
    code = serializers.CharField()
    kind = Word(KINDS, help_text="Yes or no, how much, or a word.")
    unit = serializers.CharField(help_text="The word for what a limit counts.")
    combine = Word(COMBINES, help_text="What a limit comes to that several items grant: the highest, or all.")
    per_unit = serializers.BooleanField(help_text="A limit is granted for each unit of an item's quantity.")
    retired_at = serializers.DateTimeField(allow_null=True, help_text="Not granted anew since.")


class _Amount(Exact):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_digits": ROOM, "read_only": True, "allow_null": True, **kwargs})


class _Unlimited(serializers.BooleanField):
    """Whether a row grants a limit without an end."""

    def get_attribute(self, instance: Any) -> bool:
        on = getattr(instance, "granted", True)
        return bool(on and instance.feature.kind == Kind.LIMIT and instance.amount is None)


class GrantOut(Out):
    """What a plan grants of a feature."""

    OBJECT = "feature_grant"

    feature = serializers.CharField(source="feature.code")
    kind = Word(KINDS, source="feature.kind")
    amount = _Amount(help_text="Of a limit; null where there is none.")
    unlimited = _Unlimited(read_only=True)
    text = serializers.CharField()


class PlanFeaturesOut(Out):
    """All that a plan grants, in the order the features were made."""

    OBJECT = "plan_features"

    plan = serializers.CharField(source="plan.public_id")
    version = serializers.IntegerField(
        source="plan.version", help_text="Of the plan; the number in the ETag."
    )
    data = GrantOut(many=True, source="grants")  # type: ignore[assignment]


class FeatureOverrideOut(RecordOut):
    """What one subscription has of a feature instead of what its items grant, or on top."""

    OBJECT = "feature_override"

    subscription = serializers.CharField(source="subscription.public_id")
    feature = serializers.CharField(source="feature.code")
    mode = Word(MODES, help_text="`set` takes the place of what the items grant, `add` comes on top.")
    granted = serializers.BooleanField(help_text="False: the feature is taken away.")
    amount = _Amount(help_text="Of a limit; null where there is none.")
    unlimited = _Unlimited(read_only=True)
    text = serializers.CharField()
    ends_on = serializers.DateField(allow_null=True, help_text="First day that it is over; null for good.")
    why = serializers.CharField()


class EntitlementSourceOut(Out):
    """An item or an override that an entitlement comes from."""

    object = serializers.SerializerMethodField()
    id = serializers.CharField(source="public_id")
    subscription = serializers.CharField()
    name = serializers.CharField(help_text="The item's plan, or why there is an override.")
    mode = Word(["", *MODES], source="said_mode", help_text="Of an override; empty for an item.")
    granted = serializers.BooleanField(source="value.on")
    amount = _Amount(source="value.amount", help_text="By itself, times the quantity where that is so.")
    text = serializers.CharField(source="value.text")

    def get_object(self, source: Source) -> str:
        return "feature_override" if source.is_override else "subscription_item"


class EntitlementOut(Out):
    """Whether somebody has a feature, how much of it, and where it comes from."""

    OBJECT = "entitlement"

    feature = serializers.CharField(source="feature.code")
    name = serializers.CharField(source="feature.name")
    kind = Word(KINDS, source="feature.kind")
    unit = serializers.CharField(source="feature.unit")
    granted = serializers.BooleanField(
        source="on", help_text="Whether there is any: of a limit, whether it is above zero."
    )
    amount = _Amount(
        source="value.amount", help_text="Of a limit; null where there is none, and where it is off."
    )
    unlimited = serializers.BooleanField()
    text = serializers.CharField(source="value.text")
    sources = EntitlementSourceOut(many=True)


class EntitlementsOut(Out):
    """What somebody has of each feature that is not retired, or that they have, in the order those were made."""

    OBJECT = "entitlements"

    owner = serializers.CharField(source="whose", help_text="The customer's id, or the subscription's.")
    data = EntitlementOut(many=True, source="found")  # type: ignore[assignment]
