"""Reads of features: what there is, what plans grant of them, and what single subscriptions have instead."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from billing.domain.features import Value
from billing.models import Feature, FeatureGrant, FeatureOverride, Plan, Price, Subscription
from core.errors import NotFound


def features() -> "QuerySet[Feature]":
    """The organization's features. Inside work()."""
    found: QuerySet[Feature] = Feature.objects.all()
    return found


def feature(name: str) -> Feature:
    """The feature with this code or id; raises NotFound. Inside work()."""
    found = features().filter(Q(code=name) | Q(public_id=name)).first()
    if found is None:
        raise NotFound("That feature is not here.")
    return found


def plan(name: str) -> Plan:
    """The plan with this code or id; raises NotFound. Inside work()."""
    found: Plan | None = (
        Plan.objects.select_related("product").filter(Q(code=name) | Q(public_id=name)).first()
    )
    if found is None:
        raise NotFound("That plan is not here.")
    return found


def grants(of: Plan) -> list[FeatureGrant]:
    """What a plan grants, in the order the features were made. Inside work()."""
    rows = FeatureGrant.objects.filter(plan=of).select_related("feature")
    return list(rows.order_by("feature_id"))


def overrides(of: Subscription) -> "QuerySet[FeatureOverride]":
    """What a subscription has of features by its own. Inside work()."""
    found: QuerySet[FeatureOverride] = FeatureOverride.objects.filter(subscription=of)
    return found.select_related("feature", "subscription")


def override(of: Subscription, named: Feature) -> FeatureOverride | None:
    """What a subscription has of a feature by its own, if anything. Inside work()."""
    return overrides(of).filter(feature=named).first()


def value_of(row: FeatureGrant | FeatureOverride) -> Value:
    """What a row grants."""
    return Value(row.amount, row.text, getattr(row, "granted", True))


@dataclass(frozen=True, slots=True)
class Matrix:
    """Plans beside each other, and of each feature what each of them grants, None for nothing."""

    plans: list[Plan]
    rows: list[tuple[Feature, list[FeatureGrant | None]]]

    def of(self, shown: Plan) -> dict[str, FeatureGrant]:
        """What one of the plans grants, by the feature's code."""
        place = self.plans.index(shown)
        return {feature.code: each[place] for feature, each in self.rows if each[place] is not None}  # type: ignore[misc]


def matrix() -> Matrix:
    """Plans that are offered or grant something, and features that are not retired or granted. Inside work().

    Three queries. Both stand in the order they were made: of plans that is mostly from small to large.
    """
    granting = FeatureGrant.objects.filter(plan=OuterRef("pk"))
    offered = Price.objects.filter(plan=OuterRef("pk"), retired_at=None)
    plans = list(Plan.objects.filter(Exists(offered) | Exists(granting)).order_by("pk"))
    said: dict[tuple[int, int], Any] = {
        (row.feature_id, row.plan_id): row for row in FeatureGrant.objects.select_related("feature")
    }
    granted = {feature_id for feature_id, _ in said}
    rows = [
        (row, [said.get((row.pk, each.pk)) for each in plans])
        for row in features().order_by("pk")
        if row.retired_at is None or row.pk in granted
    ]
    return Matrix(plans, rows)
