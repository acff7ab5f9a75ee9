"""Coupons, and what a subscription has off."""

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from django.db import IntegrityError, transaction
from django.db.models import Max

from billing.domain.days import day_problem
from billing.domain.discounts import Per
from billing.domain.dues import boundary_after, plan_on, whole_of
from billing.domain.facts import SubscriptionFacts
from billing.events import CouponArchived, CouponCreated
from billing.models import (
    MOST_DISCOUNTS,
    MOST_PERIODS,
    BilledPeriod,
    Coupon,
    Plan,
    Product,
    Subscription,
    SubscriptionDiscount,
)
from billing.selectors import subscription_facts
from billing.services.products import keep_products
from billing.services.subscriptions import changed, live_one, schedule
from core import clock, money
from core.errors import CodeTaken, Conflict, Invalid, NotFound
from core.events import emit
from core.locks import lock_one

_CODE = re.compile(r"[\w.-]{1,40}")
HUNDRED = Decimal(100)


class Giving(TypedDict, total=False):
    """How often a coupon is given at the most, and the last day on which it is."""

    most: int | None
    until: date | None


def create_coupon(
    *,
    code: str,
    name: str,
    percent: Decimal | None = None,
    amount: Decimal | None = None,
    currency: str = "",
    per: str | None = None,
    periods: int | None = None,
    plans: Sequence[str] = (),
    products: Sequence[str] = (),
    **giving: Unpack[Giving],
) -> Coupon:
    """A discount that many may have: `percent` off each line, or `amount` in major units of a currency. Inside work().

    An amount is once off each bill (`per` bill, unless said otherwise), shared by its lines, or off each line. For
    `periods` of a subscription's plan, 1 for once, None for ever; for some `plans` and what belongs to some
    `products` (codes), or all that is billed; given `most` times at the most, and not after `until`. Raises Invalid,
    CodeTaken when the code is taken.
    """
    problems = _per_problems(per, amount, currency)
    problems |= _problems(code, name, percent, amount, currency, periods, giving.get("most"))
    wanted = list(dict.fromkeys(plans))
    known = set(Plan.objects.filter(code__in=wanted).values_list("code", flat=True))
    if missing := [each for each in wanted if each not in known]:
        problems["plans"] = f"There is no plan {missing[0]}."
    named = list(dict.fromkeys(products))
    if missing := _unknown(named):
        problems["products"] = f"There is no product {missing[0]}."
    if problems:
        raise Invalid("The coupon cannot be saved.", fields=problems)
    try:
        with transaction.atomic():
            made: Coupon = Coupon.objects.create(
                code=code, name=name.strip(), percent=percent or 0, amount=amount or 0, currency=currency,
                per=_per(per, amount), periods=periods, plans=wanted, products=named, **giving,
            )  # fmt: skip
    except IntegrityError as error:
        raise CodeTaken(f"There is a coupon {code} already.") from error
    emit(CouponCreated(made.public_id, made.version, code=made.code, title=made.name))
    return made


def archive_coupon(public_id: str) -> Coupon:
    """Give a coupon no more; who has it keeps it. Again changes nothing. Inside work()."""
    coupon: Coupon = lock_one(Coupon.objects.filter(public_id=public_id))
    if coupon.archived_at is None:
        coupon.archived_at = clock.now()
        coupon.touch("archived_at")
        emit(CouponArchived(coupon.public_id, coupon.version, code=coupon.code))
    return coupon


def give_coupon(public_id: str, *, coupon: str, on: date | None = None, today: date) -> SubscriptionDiscount:
    """Give a subscription what a coupon (code) takes off, from a local date on. Inside work().

    By default from the first day that nothing is billed for. Natural key: subscription, coupon and first day; the same
    again changes nothing. Raises NotFound for a coupon that is not here, Conflict for one that is not given any more,
    used up, or granted to the subscription already, and what `discount` raises.
    """
    subscription = live_one(public_id)
    row: Coupon = _coupon(coupon)
    (facts,) = subscription_facts([subscription.pk])
    day = on or _first(facts, today)
    there = SubscriptionDiscount.objects.filter(subscription=subscription, coupon=row)
    lived = [each for each in there if each.ends_on != each.starts_on]
    if same := [each for each in lived if each.starts_on == day]:
        return same[0]
    if any(each.ends_on is None or each.ends_on > day for each in lived):
        raise Conflict(f"It has {row.code} already.")
    if row.archived_at is not None or (row.until is not None and today > row.until):
        raise Conflict(f"{row.code} is not given any more.")
    if row.most is not None and row.given >= row.most:
        raise Conflict(f"{row.code} was given {row.given} times, and no more.")
    if row.currency and row.currency != facts.currency:
        raise Conflict(f"{row.code} is in {row.currency}, and this is billed in {facts.currency}.")
    made = _grant(
        subscription, facts, day, row.periods,
        coupon=row, name=row.name, percent=row.percent, amount=row.amount, per=row.per, plans=row.plans,
        products=row.products,
    )  # fmt: skip
    row.given += 1
    row.touch("given")
    return made


def discount(
    public_id: str,
    *,
    name: str,
    percent: Decimal | None = None,
    amount: Decimal | None = None,
    per: str | None = None,
    periods: int | None = None,
    plans: Sequence[str] = (),
    products: Sequence[str] = (),
    on: date | None = None,
    today: date,
) -> SubscriptionDiscount:
    """Take something off what one subscription bills, as a coupon does, from a local date on. Inside work().

    Raises Invalid for a day that is billed already, for terms that make no discount, and when it has too many;
    Conflict when the subscription is paused or has ended.
    """
    subscription = live_one(public_id)
    (facts,) = subscription_facts([subscription.pk])
    problems = _problems("x", name, percent, amount, facts.currency if amount else "", periods, None)
    problems = _per_problems(per, amount, facts.currency) | problems
    codes = {item.plan for item in facts.items}
    if strange := [each for each in plans if each not in codes]:
        problems["plans"] = f"It does not bill {strange[0]}."
    if strange := _unknown(products):
        problems["products"] = f"There is no product {strange[0]}."
    if problems:
        raise Invalid("The discount cannot be given.", fields=problems)
    return _grant(
        subscription, facts, on or _first(facts, today), periods,
        name=name.strip(), percent=percent or 0, amount=amount or 0, per=_per(per, amount),
        plans=list(dict.fromkeys(plans)), products=list(dict.fromkeys(products)),
    )  # fmt: skip


def end_discount(
    public_id: str, *, of: str = "", on: date | None = None, today: date
) -> SubscriptionDiscount:
    """Take nothing off any more for periods that begin on a local date or later. Inside work().

    By default from the first day that nothing is billed for. What is billed keeps it. The same again changes nothing.
    `of` is the subscription that it must be of, when that is known. Raises NotFound where there is no such discount,
    Invalid for a day that is billed already.
    """
    rows = SubscriptionDiscount.objects.filter(public_id=public_id)
    known = rows.values_list("subscription__public_id", flat=True).first()
    if known is None or (of and known != of):
        raise NotFound("That discount is not here.")
    subscription = lock_one(Subscription.objects.filter(public_id=known))
    row: SubscriptionDiscount = lock_one(
        SubscriptionDiscount.objects.filter(public_id=public_id, subscription=subscription)
    )
    (facts,) = subscription_facts([subscription.pk])
    day = on or _first(facts, today)
    if row.ends_on is not None and row.ends_on <= day:
        return row
    if day > row.starts_on:
        _require_unbilled(facts, day)
    row.ends_on = max(day, row.starts_on)
    if row.ends_on == row.starts_on:
        _require_unbilled(facts, row.starts_on)
    row.touch("ends_on")
    changed(schedule(subscription, items=True), "discount", row.ends_on)
    return row


def _grant(
    subscription: Subscription, facts: SubscriptionFacts, day: date, periods: int | None, **terms: Any
) -> SubscriptionDiscount:
    if problem := day_problem(day):
        raise Invalid(problem, fields={"on": problem})
    if day < subscription.starts_on or (subscription.ends_on is not None and day >= subscription.ends_on):
        problem = "A day within the subscription."
        raise Invalid(problem, fields={"on": problem})
    _require_unbilled(facts, day)
    if SubscriptionDiscount.objects.filter(subscription=subscription).count() >= MOST_DISCOUNTS:
        raise Invalid(f"A subscription has {MOST_DISCOUNTS} discounts at the most.")
    ends_on = _after(facts, day, periods)
    keep_products(terms["products"])  # whoever moves a plan of one sees this discount, or waits for it
    made: SubscriptionDiscount = SubscriptionDiscount.objects.create(
        subscription=subscription, starts_on=day, ends_on=ends_on, given_until=ends_on, **terms
    )
    changed(schedule(subscription, items=True), "discount", day)
    return made


def _unknown(products: Sequence[str]) -> list[str]:
    known = set(Product.objects.filter(code__in=products).values_list("code", flat=True)) if products else ()
    return [each for each in products if each not in known]


def _coupon(code: str) -> Coupon:
    found = Coupon.objects.filter(code=code).values_list("pk", flat=True).first()
    if found is None:
        raise NotFound("That coupon is not here.")
    row: Coupon = lock_one(Coupon.objects.filter(pk=found))
    return row


def _first(facts: SubscriptionFacts, today: date) -> date:
    """The first day on which the plan begins a period while nothing that begins then or later is billed yet."""
    plan, last = plan_on(facts, today), _last_billed(facts)
    day = plan.billed_through
    return day if last is None or day > last else boundary_after(facts, plan, last)


def _after(facts: SubscriptionFacts, day: date, periods: int | None) -> date | None:
    """The first day after so many of the plan's periods, the first being the first that begins on the day or later."""
    if periods is None:
        return None
    plan = plan_on(facts, day)
    if day != plan.billed_through and day != whole_of(facts, plan, day).start:
        day = boundary_after(facts, plan, day)
    for _ in range(periods):
        day = whole_of(facts, plan, day).end
        if day_problem(day):
            problem = "That is longer than days are known; fewer, or for ever."
            raise Invalid(problem, fields={"periods": problem})
    return day


def _require_unbilled(facts: SubscriptionFacts, day: date) -> None:
    """Refuse a day up to which a period is billed that begins there: billed again it would come to something else."""
    last = _last_billed(facts)
    if last is not None and day <= last:
        problem = f"A period from {last} on is billed already; a day after that."
        raise Invalid(problem, fields={"on": problem})


def _last_billed(facts: SubscriptionFacts) -> date | None:
    """The last first day of what is billed."""
    items = [item.item_id for item in facts.items]
    day: date | None = BilledPeriod.objects.filter(item__in=items).aggregate(day=Max("period_start"))["day"]
    return day


def _problems(
    code: str, name: str, percent: Decimal | None, amount: Decimal | None, currency: str, periods: int | None,
    most: int | None,
) -> dict[str, str]:  # fmt: skip
    wrong = {
        "code": ("Letters, digits, dots and dashes.", not _CODE.fullmatch(code)),
        "name": ("Say what it is called on the invoice.", not name.strip()),
        "periods": (f"1 to {MOST_PERIODS}.", periods is not None and not 1 <= periods <= MOST_PERIODS),
        "most": ("At least once.", most is not None and most < 1),
        "currency": ("A percentage has no currency.", amount is None and bool(currency)),
    }
    problems = {field: said for field, (said, is_so) in wrong.items() if is_so}
    return problems | _off_problems(percent, amount, currency)


def _per(said: str | None, amount: Decimal | None) -> str:
    """What an amount is taken off, a bill unless somebody says otherwise; a percentage is of lines."""
    return said or (Per.LINE if amount is None else Per.BILL)


def _per_problems(said: str | None, amount: Decimal | None, currency: str) -> dict[str, str]:
    if said and said not in list(Per):
        return {"per": "A bill, or a line."}
    if amount is None:
        return {"per": "A percentage is of each line."} if said == Per.BILL else {}
    whole = said == Per.LINE or _is_money(amount, currency)
    return {} if whole else {"amount": "Off a bill it is of whole minor units."}


def _is_money(amount: Decimal, currency: str) -> bool:
    """Whether lines can share it out: it is so many minor units, and no more than there can be. True of a currency that
    is not known, where something else is wrong.
    """
    try:
        minor = amount.scaleb(money.exponent(currency))
    except money.MoneyError:
        return True
    return minor == int(minor) and minor <= money.MAX_MINOR


def _off_problems(percent: Decimal | None, amount: Decimal | None, currency: str) -> dict[str, str]:
    if (percent is None) == (amount is None):
        return {"percent": "A percentage, or an amount."}
    if percent is not None:
        return {} if 0 < percent <= HUNDRED else {"percent": "More than 0, up to 100."}
    if amount is None or not 0 < amount <= money.MAX_MINOR:
        return {"amount": "More than nothing."}
    try:
        money.exponent(currency)
    except money.MoneyError as error:
        return {"currency": str(error)}
    return {}
