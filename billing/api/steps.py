"""Steps of a subscription's plan for programs: what it becomes over time, said at once or one by one."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from rest_framework import serializers

from billing import listing
from billing.models import MOST_PERIODS, MOST_QUANTITY, SubscriptionStep
from billing.permissions import SUBSCRIPTIONS_EDIT, SUBSCRIPTIONS_VIEW
from billing.ramps import Upcoming, upcoming
from billing.services.change import add_step, revoke_change
from billing.services.prices import MOST_UNIT_PRICE
from billing.services.steps import Step
from core.api.fields import Day, Exact, Id, In, Out, PublicId, TimeOfDay, Whole
from core.api.operations import Api, Call, Listing, operation, referred
from core.errors import NotFound
from core.paging import Order
from invoicing.api.outputs import business_today

TAG = "Subscriptions"


def own_unit_price() -> Exact:
    """A unit price that is said for a single subscription."""
    return Exact(
        max_digits=27,
        decimal_places=12,
        min_value=0,
        max_value=MOST_UNIT_PRICE,
        required=False,
        help_text="Instead of the price's own, for this subscription alone, in major units.",
    )


def time_of_day() -> TimeOfDay:
    """When on its day something changes or ends."""
    return TimeOfDay(
        required=False,
        help_text="Time of that day in the subscription's zone, its beginning unless you say otherwise. Only of what is"
        " prorated by the `second`: what was and what is then share the day.",
    )


class StepIn(In):
    """What the plan becomes from a day on."""

    price = PublicId(
        required=False,
        help_text="Of any plan, in the same currency; the one before it, unless you say otherwise.",
    )
    unit_price = own_unit_price()
    quantity = Exact(
        max_digits=27,
        decimal_places=12,
        min_value=0,
        max_value=MOST_QUANTITY,
        required=False,
        help_text="The one before it, unless you say otherwise.",
    )
    on = Day(
        required=False,
        help_text="First day of the change; the end of the period under way, unless you say otherwise.",
    )
    after_periods = Whole(
        min_value=1,
        max_value=MOST_PERIODS,
        required=False,
        help_text="Instead: after so many of the plan's periods, the first being the one under way.",
    )
    at = time_of_day()


def wished(said: Mapping[str, Any], at: str = "") -> dict[str, Any]:
    """What was said of a step, its price found; `at` names the place in what was sent."""
    found = dict(said)
    if "price" in found:
        found["price"] = referred(f"{at}price", lambda: listing.price(found["price"]))
    return found


def steps_wished(said: list[Mapping[str, Any]]) -> list[Step]:
    """The steps that a subscription is to begin with."""
    return [Step(**wished(each, f"steps.{n}.")) for n, each in enumerate(said)]


class StepOut(Out):
    """What was said of a subscription's plan from a day to come on; a price or quantity of null stays as it is."""

    OBJECT = "subscription_step"

    on = serializers.DateField(help_text="First day of it; what names it in its subscription.")
    at = serializers.TimeField(help_text="Time of that day, where it is prorated by the second.")
    price = Id(allow_null=True)
    quantity = Exact(max_digits=28, allow_null=True)
    price_before = Id(help_text="What holds before it.")
    quantity_before = Exact(max_digits=28)
    amount_before_minor = serializers.IntegerField(
        allow_null=True,
        help_text="What a whole period costs before it, net, without discounts; null where a meter counts.",
    )
    price_after = Id(help_text="What holds from then on.")
    quantity_after = Exact(max_digits=28)
    amount_after_minor = serializers.IntegerField(
        allow_null=True, help_text="What a whole period costs then."
    )
    currency = serializers.CharField(source="price_after.currency")
    reached = serializers.BooleanField(help_text="False where the subscription ends before it.")


class SubscriptionSteps(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_VIEW, gives=StepOut, many=True)
    def get(self, call: Call, public_id: str) -> Listing:
        """List the steps of a subscription's plan that are to come, by their days."""
        row = listing.subscription(public_id)
        today = business_today()

        def given(steps: list[SubscriptionStep]) -> list[Upcoming]:
            days = {each.on for each in steps}
            return [each for each in upcoming(row, today=today) if each.on in days]

        return Listing(
            SubscriptionStep.objects.filter(subscription=row, on__gt=today), Order("on", date), given
        )

    @operation(SUBSCRIPTIONS_EDIT, takes=StepIn, gives=StepOut, status=201)
    def post(self, call: Call, public_id: str) -> Upcoming:
        """Let the plan become another from a day to come on.

        What is set for other days stays as it was said, also where this one lies between two of them; what is set for
        the same day is replaced. The same again changes nothing. `/change` changes it today or before, and
        `/change/preview` says what is billed and credited next.
        """
        row = listing.subscription(public_id)
        call.hold(row)
        today = business_today()
        on = add_step(public_id, Step(**wished(call.data)), today=today)
        coming = upcoming(listing.subscription(public_id), today=today)
        return next(each for each in coming if each.on == on)


class OneSubscriptionStep(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_EDIT, status=204)
    def delete(self, call: Call, public_id: str, on: str) -> None:
        """Take back a step that is to come, named by its day. Those of other days stay as they were said."""
        row = listing.subscription(public_id)
        call.hold(row)
        try:
            day = date.fromisoformat(on)
        except ValueError as error:
            raise NotFound("Nothing is set for that day.") from error
        revoke_change(public_id, on=day, today=business_today())
