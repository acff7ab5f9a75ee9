"""Overrides: what one subscription has of a feature instead of what its items grant, or on top."""

from datetime import date
from decimal import Decimal

from billing.domain.days import day_problem
from billing.domain.features import WHY, Kind, Mode, value_problems
from billing.events import FeatureOverrideRemoved, FeatureOverrideSet
from billing.models import Feature, FeatureOverride, Subscription
from billing.services.features import kept_features
from core.errors import Conflict, Invalid, NotFound
from core.events import emit
from core.locks import lock_one


def set_override(  # noqa: PLR0913 - a wish with its parts, all by keyword
    public_id: str,
    *,
    feature: str,
    today: date,
    mode: str = str(Mode.SET),
    granted: bool = True,
    amount: Decimal | None = None,
    unlimited: bool = False,
    text: str = "",
    ends_on: date | None = None,
    why: str = "",
    moved_in: bool = False,
) -> FeatureOverride:
    """Let a subscription (public id) have this of a feature (code) from now up to a local day. Inside work().

    `mode` says whether it takes the place of what the items grant ("set") or comes on top ("add", of limits only);
    without `granted` the feature is taken away. A retired feature is given to what is `moved_in` from elsewhere alone.
    It is in force while the plan is. Natural key: subscription and feature; the same wish again changes nothing.
    Raises Invalid, NotFound for a feature that is not here, and Conflict for a subscription that has ended; emits
    feature_override.set.
    """
    subscription: Subscription = lock_one(Subscription.objects.filter(public_id=public_id))
    found = kept_features([feature]).get(feature)
    if found is None:
        raise NotFound("That feature is not here.")
    if subscription.ends_on is not None and subscription.ends_on <= today:
        raise Conflict("This has ended already.")
    rows = FeatureOverride.objects.filter(subscription=subscription, feature=found)
    row: FeatureOverride | None = rows.first()
    problems = _problems(found, mode=mode, granted=granted, amount=amount, unlimited=unlimited, text=text)
    problems |= _frame_problems(ends_on, why, today)
    if found.retired_at and row is None and not moved_in:
        problems["feature"] = "This feature is not granted anew."
    if problems:
        raise Invalid("The override cannot be saved.", fields=problems)
    wanted = {
        "mode": mode, "granted": granted, "amount": amount, "text": text.strip(), "ends_on": ends_on,
        "why": why.strip(),
    }  # fmt: skip
    if row is None:
        row = FeatureOverride.objects.create(subscription=subscription, feature=found, **wanted)
    else:
        changed = [name for name, value in wanted.items() if getattr(row, name) != value]
        if not changed:
            return row
        for name in changed:
            setattr(row, name, wanted[name])
        row.touch(*changed)
    emit(_set(row, subscription, found))
    return row


def remove_override(public_id: str, *, feature: str) -> None:
    """Let a subscription have of a feature (code) what its items grant again. Inside work().

    Raises NotFound when there is no such override; emits feature_override.removed.
    """
    subscription: Subscription = lock_one(Subscription.objects.filter(public_id=public_id))
    rows = FeatureOverride.objects.filter(subscription=subscription, feature__code=feature)
    row = rows.select_related("feature").first()
    if row is None:
        raise NotFound("There is no such override.")
    gone = FeatureOverrideRemoved(
        row.public_id,
        row.version + 1,
        subscription=subscription.public_id,
        customer=subscription.customer.public_id,
        feature=row.feature.code,
    )
    row.delete()
    emit(gone)


def _problems(
    feature: Feature, *, mode: str, granted: bool, amount: Decimal | None, unlimited: bool, text: str
) -> dict[str, str]:
    if mode not in list(Mode):
        return {"mode": f"One of {', '.join(Mode)}."}
    adds = mode == Mode.ADD
    if not granted:
        said = amount is not None or unlimited or text or adds
        return {"granted": "What is taken away has nothing else to say."} if said else {}
    if adds and feature.kind != Kind.LIMIT:
        return {"mode": "Only to a limit something can be added."}
    if adds and unlimited:
        return {"unlimited": "Add an amount, or set that there is no limit."}
    least = Decimal(1).scaleb(-12) if adds else Decimal(0)
    return value_problems(Kind(feature.kind), amount=amount, unlimited=unlimited, text=text, least=least)


def _frame_problems(ends_on: date | None, why: str, today: date) -> dict[str, str]:
    problems: dict[str, str] = {}
    if ends_on is not None:
        problem = day_problem(ends_on)
        if not problem and ends_on <= today:
            problem = "A day after today."
        if problem:
            problems["ends_on"] = problem
    if len(why) > WHY:
        problems["why"] = f"Up to {WHY} characters."
    return problems


def _set(row: FeatureOverride, subscription: Subscription, feature: Feature) -> FeatureOverrideSet:
    return FeatureOverrideSet(
        row.public_id,
        row.version,
        subscription=subscription.public_id,
        customer=subscription.customer.public_id,
        feature=feature.code,
        mode=row.mode,
        granted=row.granted,
        amount=None if row.amount is None else f"{row.amount.normalize():f}",
        text=row.text,
        ends_on=row.ends_on.isoformat() if row.ends_on else None,
    )
