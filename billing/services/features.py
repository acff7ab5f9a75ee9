"""Features: what plans can grant, and what each plan grants of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction

from billing.domain.features import (
    MOST_FEATURES,
    Combine,
    Kind,
    feature_problems,
    value_problems,
)
from billing.events import FeatureChanged, FeatureCreated, PlanFeaturesChanged
from billing.models import Feature, FeatureGrant, Plan
from core import clock
from core.errors import CodeTaken, Invalid
from core.events import emit
from core.locks import keep, lock_one


@dataclass(frozen=True, slots=True)
class Granted:
    """What a plan is to grant of a feature, a code: a limit has an amount or is unlimited, a text its words."""

    feature: str
    amount: Decimal | None = None
    unlimited: bool = False
    text: str = ""


def create_feature(
    *,
    name: str,
    code: str,
    kind: str,
    unit: str = "",
    combine: str = str(Combine.MAX),
    per_unit: bool = False,
) -> Feature:
    """A feature that plans can grant from now on. Inside work(). Natural key: its code.

    `unit` is the word for what a limit counts. `combine` and `per_unit` say what limits of several items come to.
    Raises Invalid, also for more than 200 features that are not retired, and CodeTaken; emits feature.created.
    """
    problems = feature_problems(name, code, kind, unit, combine)
    if per_unit and kind != Kind.LIMIT:
        problems["per_unit"] = "Only a limit is granted for each unit."
    if not problems and Feature.objects.filter(retired_at=None).count() >= MOST_FEATURES:
        problems["code"] = f"There are {MOST_FEATURES} features already; retire some."
    if problems:
        raise Invalid("The feature cannot be saved.", fields=problems)
    try:
        with transaction.atomic():
            made: Feature = Feature.objects.create(
                name=name.strip(), code=code, kind=kind, unit=unit.strip(), combine=combine, per_unit=per_unit
            )
    except IntegrityError as error:
        raise CodeTaken(f"There is a feature “{code}” already.") from error
    emit(FeatureCreated(made.public_id, made.version, **_said(made)))
    return made


def _said(row: Feature) -> dict[str, Any]:
    same = {name: getattr(row, name) for name in ("code", "kind", "unit", "combine", "per_unit")}
    return {"label": row.name, **same}


def change_feature(
    public_id: str,
    *,
    name: str | None = None,
    unit: str | None = None,
    combine: str | None = None,
    per_unit: bool | None = None,
) -> Feature:
    """Call a feature otherwise, or let its limits come to something else, for all who have it. Inside work().

    What is None stays; code and kind never change. The same wish again changes nothing. Raises Invalid; emits
    feature.changed.
    """
    row: Feature = lock_one(Feature.objects.filter(public_id=public_id))
    wanted = {
        "name": None if name is None else name.strip(),
        "unit": None if unit is None else unit.strip(),
        "combine": combine,
        "per_unit": per_unit,
    }
    changed = [key for key, value in wanted.items() if value is not None and value != getattr(row, key)]
    for key in changed:
        setattr(row, key, wanted[key])
    problems = feature_problems(row.name, row.code, row.kind, row.unit, row.combine)
    if row.per_unit and row.kind != Kind.LIMIT:
        problems["per_unit"] = "Only a limit is granted for each unit."
    if problems:
        raise Invalid("The feature cannot be saved.", fields=problems)
    return _changed(row, changed)


def retire_feature(public_id: str) -> Feature:
    """Let no plan and no subscription be given a feature anew; who has it keeps it. Inside work().

    Again changes nothing. Emits feature.changed.
    """
    row: Feature = lock_one(Feature.objects.filter(public_id=public_id))
    if row.retired_at is not None:
        return row
    row.retired_at = clock.now()
    return _changed(row, ["retired_at"])


def _changed(row: Feature, changed: Sequence[str]) -> Feature:
    if changed:
        row.touch(*changed)
        emit(FeatureChanged(row.public_id, row.version, **_said(row), retired=row.retired_at is not None))
    return row


def set_plan_features(public_id: str, wanted: Sequence[Granted], *, moved_in: bool = False) -> Plan:
    """Let a plan (public id) grant just this to all who have it, from now on. Inside work().

    Natural key: plan and feature. What it granted and is not named, it grants no more. A retired feature stays where it
    was granted and is not granted anew, but to what is `moved_in` from elsewhere. The same wish again changes nothing.
    Raises Invalid, with fields by place; emits plan.features_changed.
    """
    plan: Plan = lock_one(Plan.objects.filter(public_id=public_id))
    there = {
        row.feature.code: row for row in FeatureGrant.objects.filter(plan=plan).select_related("feature")
    }
    known = kept_features([each.feature for each in wanted])
    problems: dict[str, str] = {}
    said: set[str] = set()
    for place, each in enumerate(wanted):
        feature = known.get(each.feature)
        if each.feature in said:
            problems[f"features.{place}.feature"] = "Say each feature once."
        elif feature is None:
            problems[f"features.{place}.feature"] = "That feature is not here."
        elif feature.retired_at and each.feature not in there and not moved_in:
            problems[f"features.{place}.feature"] = "This feature is not granted anew."
        else:
            found = value_problems(
                Kind(feature.kind), amount=each.amount, unlimited=each.unlimited, text=each.text
            )
            problems |= {f"features.{place}.{name}": why for name, why in found.items()}
        said.add(each.feature)
    if problems:
        raise Invalid("The features of the plan cannot be saved.", fields=problems)
    if _written(plan, there, wanted, known):
        plan.touch()
        emit(PlanFeaturesChanged(plan.public_id, plan.version, plan=plan.code, features=tuple(sorted(said))))
    return plan


def kept_features(codes: Sequence[str]) -> dict[str, Feature]:
    """Features by code, as they are and to the end of the transaction stay. Inside work()."""
    if not codes:
        return {}
    rows = Feature.objects.filter(code__in=codes).order_by("pk")
    keep(rows)
    return {row.code: row for row in rows}


def _written(
    plan: Plan, there: dict[str, FeatureGrant], wanted: Sequence[Granted], known: dict[str, Feature]
) -> bool:
    """Write what is different; whether anything was."""
    gone = [row.pk for code, row in there.items() if code not in {each.feature for each in wanted}]
    fresh, other = [], []
    for each in wanted:
        row = there.get(each.feature)
        text = each.text.strip()
        if row is None:
            fresh.append(FeatureGrant(plan=plan, feature=known[each.feature], amount=each.amount, text=text))
        elif (row.amount, row.text) != (each.amount, text):
            row.amount, row.text = each.amount, text
            other.append(row)
    if gone:
        FeatureGrant.objects.filter(pk__in=gone).delete()
    FeatureGrant.objects.bulk_create(fresh)
    FeatureGrant.objects.bulk_update(other, ["amount", "text"])
    return bool(gone or fresh or other)
