"""What customers on a plan may change to by themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from billing.events import PlanOffersChanged
from billing.models import MOST_OFFERS, NOW, PERIOD_END, Plan, PlanOffer
from core.errors import Invalid
from core.events import emit
from core.locks import lock_one


@dataclass(frozen=True, slots=True)
class Offered:
    """A plan, by its code, that customers may change to, and when that takes effect: `now` or `period_end`."""

    plan: str
    takes_effect: str


def set_plan_offers(public_id: str, wanted: Sequence[Offered], *, moved_in: bool = False) -> Plan:
    """Let customers on a plan (public id) change to just these by themselves, from now on. Inside work().

    Natural key: the two plans. What is not named is not offered any more; what was changed stays. A plan of an archived
    product stays where it was offered and is not offered anew, but to what is `moved_in` from elsewhere. The same wish
    again changes nothing. Raises Invalid, with fields by place; emits plan.offers_changed.
    """
    plan: Plan = lock_one(Plan.objects.filter(public_id=public_id))
    there = {row.to.code: row for row in PlanOffer.objects.filter(plan=plan).select_related("to")}
    codes = [each.plan for each in wanted]
    known = {row.code: row for row in Plan.objects.filter(code__in=codes).select_related("product")}
    problems = {} if len(wanted) <= MOST_OFFERS else {"offers": f"Up to {MOST_OFFERS} plans."}
    kept = set(known if moved_in else there)
    for place, each in enumerate(wanted):
        if each.takes_effect not in {NOW, PERIOD_END}:
            problems[f"offers.{place}.takes_effect"] = "At once, or at the end of the period."
        if why := _problem(plan, known.get(each.plan), again=each.plan in codes[:place], kept=kept):
            problems[f"offers.{place}.plan"] = why
    if problems:
        raise Invalid("What customers may change to cannot be saved.", fields=problems)
    if _written(plan, there, {each.plan: each.takes_effect for each in wanted}, known):
        plan.touch()
        emit(PlanOffersChanged(plan.public_id, plan.version, plan=plan.code, offers=tuple(sorted(codes))))
    return plan


def _problem(plan: Plan, to: Plan | None, *, again: bool, kept: set[str]) -> str:
    if to is None:
        return "That plan is not here."
    if again:
        return "Say each plan once."
    if to.pk == plan.pk:
        return "Another plan than this one."
    if to.product is not None and to.product.archived_at is not None and to.code not in kept:
        return f"{to.product.name} is not offered any more."
    return ""


def _written(
    plan: Plan, there: Mapping[str, PlanOffer], wanted: Mapping[str, str], known: Mapping[str, Plan]
) -> bool:
    """Write what is different; whether anything was."""
    gone = [row.pk for code, row in there.items() if code not in wanted]
    fresh = [
        PlanOffer(plan=plan, to=known[code], takes_effect=when)
        for code, when in wanted.items()
        if code not in there
    ]
    other = [row for code, row in there.items() if wanted.get(code, row.takes_effect) != row.takes_effect]
    for row in other:
        row.takes_effect = wanted[row.to.code]
    if gone:
        PlanOffer.objects.filter(pk__in=gone).delete()
    PlanOffer.objects.bulk_create(fresh)
    PlanOffer.objects.bulk_update(other, ["takes_effect"])
    return bool(gone or fresh or other)
