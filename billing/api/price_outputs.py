"""Prices as programs are given them."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from billing.domain.facts import Timing
from billing.domain.pricing import Model
from billing.domain.terms import NEEDS
from billing.models import ONCE, Price
from billing.quotes import terms_at
from core.api.fields import Exact, Id, Out, RecordOut, Ref, Word
from core.periods import DATES, Unit


class Part(Exact):
    """A number of a tier; null where the tier does not say it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_digits": 27, "read_only": True, "allow_null": True, **kwargs})

    def get_attribute(self, instance: Any) -> Any:
        value = instance.get(str(self.field_name))
        return None if value is None else Decimal(value)


class Kept(Part):
    """A number of a price's terms; null where the price does not say it. What its model needs is always said."""

    def get_attribute(self, instance: Any) -> Any:
        if self.field_name in NEEDS.get(instance.model, ()):
            return getattr(terms_at(instance), str(self.field_name))
        return super().get_attribute(instance.terms)


class KeptCount(serializers.IntegerField):
    """A count of a price's terms; null where the price does not say it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"read_only": True, "allow_null": True, **kwargs})

    def get_attribute(self, instance: Price) -> Any:
        return instance.terms.get(self.field_name)


class KeptFlag(serializers.BooleanField):
    """A convention of a price's terms."""

    def get_attribute(self, instance: Price) -> Any:
        return getattr(terms_at(instance), str(self.field_name))


class TierOut(Out):
    """A range of quantities."""

    up_to = Part(help_text="Last quantity of the tier; the last tier has none.")
    unit_price = Part(help_text="Of a unit in the tier, in major units.")
    percent = Part(help_text="Of an amount in the tier.")
    flat = Part(help_text="Owed as soon as the tier is reached, in major units.")
    per = Part(help_text="Units that the unit price is for; a started lot counts whole.")


class PriceOut(RecordOut):
    """What a plan costs in one currency and interval. A price never changes; another takes its place."""

    OBJECT = "price"

    plan = Ref("billing.api.product_outputs.PlanOut")
    model = Word([str(each) for each in Model], help_text="How a quantity becomes an amount.")
    currency = serializers.CharField()
    unit_price = Exact(
        max_digits=28,
        help_text="Of all, of a unit or of a package, in major units; 0 where there are tiers or a percentage.",
    )

    tiers = TierOut(
        many=True, source="terms.tiers", default=(), help_text="Empty unless the model has tiers."
    )
    per = Kept(help_text="Units in a package.")
    free = Kept(help_text="Units, or for a percentage the amount, that cost nothing.")
    percent = Kept(help_text="Of the amount.")
    per_event = Kept(help_text="Beside the percentage, for each event, in major units.")
    free_events = KeptCount(help_text="Events that cost nothing.")
    free_total = Kept(help_text="Amount that costs nothing; the limit that is reached first ends both.")
    event_minimum = Kept(help_text="Least fee of an event, in major units.")
    event_maximum = Kept(help_text="Largest fee of an event, in major units.")
    minimum = Kept(help_text="Least amount of a period, in major units.")
    maximum = Kept(help_text="Largest amount of a period, in major units.")
    flat_at_zero = KeptFlag(
        read_only=True, help_text="Whether nothing still owes the first tier's flat part."
    )
    by_share = KeptFlag(
        read_only=True, help_text="Whether a part of a period where a meter counts goes by its share."
    )
    every = serializers.IntegerField(help_text="How many units long a period is.")
    unit = Word([*(str(each) for each in Unit), DATES, ONCE])
    dates = serializers.ListField(child=serializers.CharField(), help_text="Listed days, as 03-25.")
    timing = Word(
        [str(each) for each in Timing], help_text="Whether a period is billed at its start or at its end."
    )
    tax_percent = Exact(max_digits=7, decimal_places=4)
    meter = Id(allow_null=True, help_text="What it counts in a period is the quantity.")
    overrides = Id(
        allow_null=True,
        help_text="The price that it is with another unit price, agreed for single subscriptions.",
    )
    replaced_by = Id(allow_null=True, help_text="The price that took its place.")
    retired_at = serializers.DateTimeField(allow_null=True, help_text="Not offered since.")
