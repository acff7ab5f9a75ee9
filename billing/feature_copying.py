"""Features for the sandbox: what there is, what plans grant, and what single subscriptions have by their own."""

from collections.abc import Iterable, Sequence
from typing import Any

from billing.models import Feature, FeatureGrant, FeatureOverride, Plan, Subscription
from billing.services.features import Granted, create_feature, retire_feature, set_plan_features
from billing.services.overrides import set_override
from core import clock
from core.copying import Copier, register
from core.errors import Conflict

FEATURE = ("name", "code", "kind", "unit", "combine", "per_unit")


def _features(rows: Sequence[Feature]) -> list[dict[str, Any]]:
    return [
        {**{name: getattr(row, name) for name in FEATURE}, "retired": row.retired_at is not None}
        for row in rows
    ]


def _write_features(facts: list[dict[str, Any]]) -> int:
    there = _there(each["code"] for each in facts)
    fresh = [each for each in facts if each["code"] not in there]
    for each in fresh:
        made = create_feature(**{name: each[name] for name in FEATURE})
        if each["retired"]:
            retire_feature(made.public_id)
    return len(fresh)


def _there(codes: Iterable[str]) -> set[str]:
    return set(Feature.objects.filter(code__in=list(codes)).values_list("code", flat=True))


def _plans(rows: Sequence[Plan]) -> list[dict[str, Any]]:
    grants = FeatureGrant.objects.filter(plan__in=rows).select_related("feature", "plan")
    return [
        {
            "code": row.code,
            "grants": [
                (
                    each.feature.code,
                    each.amount,
                    each.feature.kind == "limit" and each.amount is None,
                    each.text,
                )
                for each in grants
                if each.plan_id == row.pk
            ],
        }
        for row in rows
    ]


def _write_plans(facts: list[dict[str, Any]]) -> int:
    """Plans that grant something here already keep it."""
    granting = set(FeatureGrant.objects.values_list("plan_id", flat=True))
    plans = {row.code: row for row in Plan.objects.filter(code__in=[each["code"] for each in facts])}
    made = 0
    for each in facts:
        plan = plans.get(each["code"])
        if plan is not None and plan.pk not in granting:
            set_plan_features(plan.public_id, [Granted(*one) for one in each["grants"]], moved_in=True)
            made += 1
    return made


def _overrides(rows: Sequence[FeatureOverride]) -> list[dict[str, Any]]:
    return [
        {
            "subscription": row.subscription.public_id,
            "feature": row.feature.code,
            "mode": row.mode,
            "granted": row.granted,
            "amount": row.amount,
            "unlimited": row.granted and row.feature.kind == "limit" and row.amount is None,
            "text": row.text,
            "ends_on": row.ends_on,
        }
        for row in rows
    ]


def _write_overrides(facts: list[dict[str, Any]]) -> int:
    """Of the subscriptions that were copied, by the live ones' ids; why there is one stays with the live one."""
    named = {each["subscription"] for each in facts}
    rows = {row.external_id: row for row in Subscription.objects.filter(external_id__in=named)}
    there = set(
        FeatureOverride.objects.filter(subscription__in=rows.values()).values_list(
            "subscription__external_id", "feature__code"
        )
    )
    made = 0
    for each in facts:
        row = rows.get(each["subscription"])
        if row is None or (row.external_id, each["feature"]) in there:
            continue
        today = clock.today(row.zone)
        if each["ends_on"] is not None and each["ends_on"] <= today:
            continue
        said = {name: value for name, value in each.items() if name != "subscription"}
        try:
            set_override(row.public_id, today=today, moved_in=True, **said)
        except Conflict:  # it has ended here, by a clock that was moved
            continue
        made += 1
    return made


def _granting() -> Any:
    return Plan.objects.filter(pk__in=FeatureGrant.objects.values("plan_id"))


def _own() -> Any:
    rows = FeatureOverride.objects.filter(subscription__state="active")
    return rows.select_related("subscription", "feature")


register(Copier("features", 5, Feature.objects.all, _features, _write_features))
register(Copier("plan_features", 7, _granting, _plans, _write_plans))
register(Copier("feature_overrides", 21, _own, _overrides, _write_overrides, people=True))
