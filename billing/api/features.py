"""Features for programs: what there is, what plans grant, what customers are entitled to."""

from dataclasses import dataclass

from rest_framework import serializers

from billing import features
from billing.api.feature_outputs import (
    COMBINES,
    KINDS,
    MODES,
    EntitlementOut,
    EntitlementsOut,
    FeatureOut,
    FeatureOverrideOut,
    PlanFeaturesOut,
)
from billing.domain.features import CODE, MOST_AMOUNT, MOST_FEATURES, NAME, TEXT, UNIT, WHY, Entitled
from billing.entitlements import Entitlements, Whose, entitlement, entitlements
from billing.listing import subscription
from billing.models import Feature, FeatureGrant, FeatureOverride, Plan, Subscription
from billing.permissions import SUBSCRIPTIONS_CREATE, SUBSCRIPTIONS_EDIT, SUBSCRIPTIONS_VIEW
from billing.services.features import (
    Granted,
    change_feature,
    create_feature,
    retire_feature,
    set_plan_features,
)
from billing.services.overrides import remove_override, set_override
from core import clock
from core.api.fields import Day, Exact, Flag, In, Text, many
from core.api.operations import Api, Call, Listing, operation

TAG = "Features"


def _amount() -> Exact:
    return Exact(
        max_digits=27,
        decimal_places=12,
        min_value=0,
        max_value=MOST_AMOUNT,
        required=False,
        allow_null=True,
        help_text="Of a limit.",
    )


def _unlimited() -> Flag:
    return Flag(required=False, help_text="Of a limit, instead of an amount.")


def _text() -> Text:
    return Text(max_length=TEXT, required=False, allow_blank=True, help_text="Of a text.")


class FeaturesQuery(In):
    retired = Flag(required=False, help_text="Only those that are, or are not.")


class _FeatureWords(In):
    name = Text(max_length=NAME)
    unit = Text(
        max_length=UNIT,
        required=False,
        allow_blank=True,
        help_text="The word for what a limit counts: seats, GB.",
    )
    combine = serializers.ChoiceField(
        COMBINES,
        required=False,
        help_text="What a limit comes to that several items grant: the highest, `max`, unless you say otherwise, or"
        " all together, `sum`.",
    )
    per_unit = Flag(
        required=False, help_text="A limit is granted for each unit of an item's quantity; false by default."
    )


class FeatureIn(_FeatureWords):
    code = Text(max_length=CODE, help_text="Small letters, digits and dashes.")
    kind = serializers.ChoiceField(KINDS, help_text="It never changes: retire the feature, and make another.")


class FeatureChangeIn(_FeatureWords):
    pass


class GrantIn(In):
    feature = Text(max_length=CODE, help_text="Its code.")
    amount = _amount()
    unlimited = _unlimited()
    text = _text()


class PlanFeaturesIn(In):
    features = many(GrantIn, most=MOST_FEATURES)


class OverrideIn(In):
    mode = serializers.ChoiceField(
        MODES,
        required=False,
        help_text="`set`, unless you say otherwise, takes the place of what the items grant; `add`, of a limit, comes"
        " on top.",
    )
    granted = Flag(required=False, help_text="false takes the feature away.")
    amount = _amount()
    unlimited = _unlimited()
    text = _text()
    ends_on = Day(required=False, allow_null=True, help_text="First day that it is over.")
    why = Text(max_length=WHY, required=False, allow_blank=True, help_text="Shown where it is shown.")


class EntitlementsQuery(In):
    on = Day(
        required=False,
        help_text="By what plans grant now, on that day of each subscription's zone; today, unless you say otherwise.",
    )


class Features(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_VIEW, query=FeaturesQuery, gives=FeatureOut, many=True)
    def get(self, call: Call) -> Listing:
        """List features, the newest first."""
        rows = features.features()
        if "retired" in call.query:
            rows = rows.filter(retired_at__isnull=not call.query["retired"])
        return Listing(rows)

    @operation(SUBSCRIPTIONS_CREATE, takes=FeatureIn, gives=FeatureOut, status=201)
    def post(self, call: Call) -> Feature:
        """Create a feature: a switch, a limit or a text that plans can grant."""
        return create_feature(**call.data)


class OneFeature(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_VIEW, gives=FeatureOut)
    def get(self, call: Call, feature: str) -> Feature:
        """Get a feature, by its code or id."""
        return features.feature(feature)

    @operation(SUBSCRIPTIONS_EDIT, takes=FeatureChangeIn, gives=FeatureOut)
    def patch(self, call: Call, feature: str) -> Feature:
        """Change what a feature is called, or what its limits come to. It holds at once for all who have it."""
        row = features.feature(feature)
        call.hold(row)
        return change_feature(row.public_id, **call.data)


class FeatureRetire(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_EDIT, gives=FeatureOut)
    def post(self, call: Call, feature: str) -> Feature:
        """Grant a feature anew no more. Who has it keeps it; again changes nothing."""
        row = features.feature(feature)
        call.hold(row)
        return retire_feature(row.public_id)


@dataclass(frozen=True, slots=True)
class GivenPlan:
    """A plan with what it grants, as it is given."""

    plan: Plan
    grants: list[FeatureGrant]


class PlanFeatures(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_VIEW, gives=PlanFeaturesOut)
    def get(self, call: Call, plan: str) -> GivenPlan:
        """What a plan grants, the plan by its code or id."""
        row = features.plan(plan)
        return GivenPlan(row, features.grants(row))

    @operation(SUBSCRIPTIONS_EDIT, takes=PlanFeaturesIn, gives=PlanFeaturesOut)
    def put(self, call: Call, plan: str) -> GivenPlan:
        """Let a plan grant just these features, to all who have it, from now on.

        What is not named is not granted any more. To let somebody keep more, set an override. The same again changes
        nothing.
        """
        row = features.plan(plan)
        call.hold(row)
        row = set_plan_features(row.public_id, [Granted(**each) for each in call.data["features"]])
        return GivenPlan(row, features.grants(row))


class FeatureOverrides(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_VIEW, gives=FeatureOverrideOut, many=True)
    def get(self, call: Call, public_id: str) -> Listing:
        """List what a subscription has of features by its own, also what is over, the newest first."""
        return Listing(features.overrides(subscription(public_id)))


def _held(call: Call, public_id: str, named: Feature) -> Subscription:
    """The subscription; with If-Match locked, its override being at the version that is named, 0 for none."""
    row = call.locked(subscription(public_id))
    there = features.override(row, named)
    call.expect(there.version if there else 0)
    return row


class OneFeatureOverride(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_EDIT, takes=OverrideIn, gives=FeatureOverrideOut)
    def put(self, call: Call, public_id: str, feature: str) -> FeatureOverride:
        """Let a subscription have something of a feature instead of what its items grant, or on top.

        It takes the place of an override that is there, and is in force while the plan is. The same again changes
        nothing.
        """
        named = features.feature(feature)
        row = _held(call, public_id, named)
        set_override(row.public_id, feature=named.code, today=clock.today(row.zone), **call.data)
        return features.overrides(row).get(feature=named)

    @operation(SUBSCRIPTIONS_EDIT, status=204)
    def delete(self, call: Call, public_id: str, feature: str) -> None:
        """Let a subscription have of a feature what its items grant again."""
        named = features.feature(feature)
        row = _held(call, public_id, named)
        remove_override(row.public_id, feature=named.code)


def _all(whose: Whose, name: str, call: Call) -> Entitlements:
    return entitlements(whose, name, on=call.query.get("on"))


def _one(whose: Whose, name: str, feature: str, call: Call) -> Entitled:
    return entitlement(whose, name, feature, on=call.query.get("on"))[1]


class CustomerEntitlements(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_VIEW, query=EntitlementsQuery, gives=EntitlementsOut)
    def get(self, call: Call, public_id: str) -> Entitlements:
        """What a customer is entitled to by the items of their subscriptions that are in force."""
        return _all(Whose.CUSTOMER, public_id, call)


class CustomerEntitlement(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_VIEW, query=EntitlementsQuery, gives=EntitlementOut)
    def get(self, call: Call, public_id: str, feature: str) -> Entitled:
        """Whether a customer has a feature, and how much of it; the feature by its code or id."""
        return _one(Whose.CUSTOMER, public_id, feature, call)


class ExternalEntitlements(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_VIEW, query=EntitlementsQuery, gives=EntitlementsOut)
    def get(self, call: Call, external_id: str) -> Entitlements:
        """What the customer is entitled to that your system calls so."""
        return _all(Whose.EXTERNAL, external_id, call)


class ExternalEntitlement(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_VIEW, query=EntitlementsQuery, gives=EntitlementOut)
    def get(self, call: Call, external_id: str, feature: str) -> Entitled:
        """Whether the customer has a feature that your system calls so, and how much of it."""
        return _one(Whose.EXTERNAL, external_id, feature, call)


class SubscriptionEntitlements(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_VIEW, query=EntitlementsQuery, gives=EntitlementsOut)
    def get(self, call: Call, public_id: str) -> Entitlements:
        """What a single subscription grants by its items and overrides."""
        return _all(Whose.SUBSCRIPTION, public_id, call)
