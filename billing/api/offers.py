"""What customers on a plan may change to by themselves, for programs."""

from dataclasses import dataclass

from rest_framework import serializers

from billing import features
from billing.api.prices import TAG
from billing.api.product_outputs import TAKES_EFFECT, PlanOffersOut
from billing.models import MOST_OFFERS, Plan, PlanOffer
from billing.offers import offers
from billing.permissions import SUBSCRIPTIONS_EDIT, SUBSCRIPTIONS_VIEW
from billing.services.offers import Offered, set_plan_offers
from core.api.fields import In, Text, many
from core.api.operations import Api, Call, operation


class OfferIn(In):
    plan = Text(max_length=40, help_text="Its code.")
    takes_effect = serializers.ChoiceField(
        TAKES_EFFECT, help_text="At once, `now`, or at the end of the period under way, `period_end`."
    )


class PlanOffersIn(In):
    offers = many(OfferIn, most=MOST_OFFERS)


@dataclass(frozen=True, slots=True)
class GivenOffers:
    """A plan with what it may be changed to, as it is given."""

    plan: Plan
    offers: list[PlanOffer]


class PlanOffers(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_VIEW, gives=PlanOffersOut)
    def get(self, call: Call, plan: str) -> GivenOffers:
        """What customers on a plan may change to by themselves, the plan by its code or id."""
        row = features.plan(plan)
        return GivenOffers(row, offers(row))

    @operation(SUBSCRIPTIONS_EDIT, takes=PlanOffersIn, gives=PlanOffersOut)
    def put(self, call: Call, plan: str) -> GivenOffers:
        """Let customers on a plan change to just these by themselves, on the page that a subscription's link opens.

        What is not named is not offered any more; what was changed stays. The same again changes nothing.
        """
        row = features.plan(plan)
        call.hold(row)
        row = set_plan_offers(row.public_id, [Offered(**each) for each in call.data["offers"]])
        return GivenOffers(row, offers(row))
