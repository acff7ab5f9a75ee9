"""One act on many subscriptions, each as if it were done alone: tried on all first, by the function that does it."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from billing.domain.charges import ENDED
from billing.domain.days import day_problem
from billing.domain.dues import period_end, plan_on
from billing.domain.facts import SubscriptionFacts
from billing.models import ONCE, Price, Subscription
from billing.previews import NextBill, next_bill
from billing.ramps import steps_of
from billing.selectors import subscription_facts
from billing.services.change import change
from billing.services.lifecycle import pause
from billing.services.subscriptions import end
from core.errors import AppError, Conflict, Invalid, NotFound
from core.locks import lock
from core.pages import attempt, dry_run

CHANGE, END, PAUSE = "change", "end", "pause"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be done: to which price, on which day, until when. Without a day it is each one's period's end."""

    act: str
    price: Price | None = None
    on: date | None = None
    resumes_on: date | None = None
    refund: bool = False


class Held(Conflict):
    """A run put it aside, and a person has to look at it first."""

    code = "held"


class Planned(Conflict):
    """Somebody planned something for this one, which would be lost."""

    code = "planned"


class ChangedSince(Conflict):
    """It is another than it was when it was looked at."""

    code = "changed_since"


class Unchanged(Conflict):
    """It is so already."""

    code = "unchanged"


class Unbillable(Conflict):
    """After it no run could bill or credit it."""

    code = "unbillable"


def _change(public_id: str, wish: Wish, on: date | None, today: date) -> Subscription:
    return change(public_id, price=wish.price, on=on, today=today)


def _end(public_id: str, wish: Wish, on: date | None, today: date) -> Subscription:
    return end(public_id, on=on, refund=wish.refund, today=today)


def _pause(public_id: str, wish: Wish, on: date | None, today: date) -> Subscription:
    return pause(public_id, on=on, resumes_on=wish.resumes_on, today=today)


ACTS: dict[str, Callable[[str, Wish, date | None, date], Subscription]] = {
    CHANGE: _change,
    END: _end,
    PAUSE: _pause,
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What would become of a subscription, or why it cannot be: `error`.

    `digest` says what it was. From `day` on it is another; the next run, as of `bill_on`, bills and credits so much,
    net minor units of its currency.
    """

    row: Subscription
    digest: str
    day: date | None = None
    bill_on: date | None = None
    charge_minor: int = 0
    credit_minor: int = 0
    error: AppError | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """A subscription that is to be done: on which day, and what it was when it was looked at, if anybody looked."""

    pk: int
    on: date | None = None
    digest: str = ""


def require_sane(wish: Wish) -> Wish:
    """The wish, if it can be done to any subscription at all; raises Invalid."""
    if wish.act not in ACTS:
        raise Invalid(_("Say what is to be done."), fields={"act": _("Say what is to be done.")})
    problems = {
        name: problem
        for name, day in (("on", wish.on), ("resumes_on", wish.resumes_on))
        if day is not None and (problem := day_problem(day))
    }
    if wish.act == CHANGE and (wish.price is None or wish.price.unit == ONCE):
        problems["price"] = _("Choose a price that comes again.")
    elif wish.price is not None and wish.price.overrides_id is not None:
        problems["price"] = _("This price is one subscription's own.")
    elif wish.price is not None and wish.price.retired_at is not None:
        problems["price"] = _("This price is not offered any more.")
    if wish.on and wish.resumes_on and wish.resumes_on <= wish.on:
        problems["resumes_on"] = _("A day after the first of the pause.")
    if problems:
        raise Invalid(next(iter(problems.values())), fields=problems)
    return wish


def look_at(rows: Sequence[Subscription], wish: Wish, *, today: date) -> list[Seen]:
    """What would become of each: done by `carry_out`'s own act, billed by the run's function, and taken back.

    Nothing is written, and what is locked is free again before the next is looked at. Inside work().
    """
    facts = {each.subscription_id: each for each in subscription_facts([row.pk for row in rows])}
    return [_looked(row, facts[row.pk], wish, today) for row in rows]


def carry_out(given: Sequence[Given], wish: Wish, *, today: date) -> dict[int, AppError]:
    """Do it to each; those refused, by id, with the reason. One that is refused stops no other. Inside work().

    What is another than when it was looked at is refused: locked first, so that nobody comes in between. What nobody
    looked at is refused as a look refuses it.
    """
    ids = [each.pk for each in given]
    rows = {row.pk: row for row in lock(Subscription.objects.filter(pk__in=ids))}
    facts = {each.subscription_id: each for each in subscription_facts(ids)}
    refused: dict[int, AppError] = {}
    for each in given:
        with attempt() as outcome:
            row = rows[each.pk]
            if each.digest and digest_of(row, facts[each.pk], today) != each.digest:
                raise ChangedSince(_("It was changed since you looked at it."))
            done = _act(row, facts[each.pk], wish, each.on, today)
            if not each.digest:
                _billed(done, today)
        if outcome.error is not None:
            refused[each.pk] = outcome.error
    return refused


def act_on(
    public_ids: Sequence[str], wish: Wish, *, today: date, digests: Mapping[str, str] | None = None
) -> dict[str, AppError]:
    """Do it to these subscriptions now; those refused, by public id, with the reason. Inside work().

    `digests` are what they were when they were looked at, where that is known.
    """
    here = found(require_sane(wish), public_ids)
    given = [Given(row.pk, wish.on, (digests or {}).get(name, "")) for name, row in here.items()]
    refused = carry_out(given, wish, today=today)
    absent: dict[str, AppError] = {
        name: NotFound(_("That is not here.")) for name in public_ids if name not in here
    }
    return absent | {name: refused[row.pk] for name, row in here.items() if row.pk in refused}


def found(wish: Wish, public_ids: Sequence[str]) -> dict[str, Subscription]:
    """The subscriptions with these public ids that are here. Inside work(). Raises Invalid for a wish for none."""
    require_sane(wish)
    rows = Subscription.objects.filter(public_id__in=public_ids).select_related("customer", "price__plan")
    return {row.public_id: row for row in rows.order_by("pk")}


def digest_of(row: Subscription, facts: SubscriptionFacts, today: date) -> str:
    """All that decides what becomes of a subscription: its version, what it has, what was billed of it, and when its
    period under way ends, which is its day where none is wished.
    """
    said = [
        row.version,
        period_end(facts, plan_on(facts, today), today),
        row.state,
        row.held_at,
        facts.ends_on,
        facts.customer_archived,
        [
            [
                item.item_id,
                item.price_id,
                item.quantity,
                item.starts_on,
                item.ends_on,
                item.billed_through,
                [
                    [each.name, each.percent, each.amount, each.per, each.starts_on, each.ends_on]
                    for each in discounts
                ],
            ]
            for item, discounts in ((each, facts.discounts_of(each)) for each in facts.items)
        ],
    ]
    return hashlib.sha256(json.dumps(said, default=str).encode()).hexdigest()


def _looked(row: Subscription, facts: SubscriptionFacts, wish: Wish, today: date) -> Seen:
    digest = digest_of(row, facts, today)
    seen = Seen(row, digest)
    with attempt() as outcome, dry_run():
        done = _act(row, facts, wish, wish.on, today)
        after, bill = _billed(done, today)
        seen = Seen(
            row,
            digest,
            day=_day(done, after, wish),
            bill_on=bill.as_of,
            charge_minor=bill.totals.net_minor if bill.totals else 0,
            credit_minor=sum(each.totals.net_minor for each in bill.credits),
        )
    return Seen(row, digest, error=outcome.error) if outcome.error else seen


def _billed(done: Subscription, today: date) -> tuple[SubscriptionFacts, NextBill]:
    """What it is after the act, and its next bill; raises Unbillable where there can be none."""
    (after,) = subscription_facts([done.pk])
    bill = next_bill(done, today=today, settled=True, alone=True, facts=after)
    if bill.odd:
        raise Unbillable(bill.odd)
    return after, bill


def _day(done: Subscription, facts: SubscriptionFacts, wish: Wish) -> date | None:
    """The first day on which it is another."""
    if wish.act == CHANGE:
        return max(item.starts_on for item in facts.items if item.is_plan and item.ends_on != item.starts_on)
    return done.ends_on if wish.act == END else done.paused_on


def _act(
    row: Subscription, facts: SubscriptionFacts, wish: Wish, on: date | None, today: date
) -> Subscription:
    """Do it to one, as it is done alone. Raises what that raises, and refuses what only a person should decide."""
    _require_plain(row, facts, wish, today)
    before = row.version
    done = ACTS[wish.act](row.public_id, wish, on, today)
    if done.version == before:
        raise Unchanged(_("Nothing would change."))
    return done


def _require_plain(row: Subscription, facts: SubscriptionFacts, wish: Wish, today: date) -> None:
    """Refuse what would overrule a decision that somebody made, or has to make, for this one alone."""
    if row.state == ENDED or (row.ends_on is not None and row.ends_on <= today):
        raise Conflict(_("This has ended already."), code="ended")
    if row.held_at is not None:
        raise Held(_("A run put it aside: %(why)s") % {"why": row.held_reason})
    if wish.act == END and row.ends_on is not None:
        raise Planned(_("It ends on %(day)s already.") % {"day": row.ends_on})
    if wish.act == CHANGE and facts.paused:
        raise Conflict(_("It is paused from %(day)s on; go on with it first.") % {"day": row.paused_on})
    coming = [item.starts_on for item in facts.items if item.is_plan and item.ends_on != item.starts_on]
    if wish.act == CHANGE and max(coming, default=today) > max(today, min(coming, default=today)):
        raise Planned(_("Something of its plan is set for %(day)s already.") % {"day": max(coming)})
    if wish.act == CHANGE and any(step.on > today for step in steps_of(row)):
        raise Planned(_("Steps of its plan are to come."))
