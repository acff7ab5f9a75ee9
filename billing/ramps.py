"""The steps of a subscription's plan over time: what of it can still become another, and what is to come."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from decimal import Decimal

from billing.domain.charges import ENDED
from billing.domain.dues import cut_at
from billing.domain.facts import ItemFacts, SubscriptionFacts
from billing.domain.ramps import Held, Pause, Said, Stretch, held_on
from billing.models import PLAN, Price, Subscription, SubscriptionItem, SubscriptionStep
from billing.quotes import quote_of
from billing.selectors import subscription_facts
from core.errors import AppError
from core.money import Money


@dataclass(slots=True)
class Ramp:
    """A plan's items from the last one that stays as it is: `base`, then those that steps can still make anew.

    `steps` are all that were ever said, by day. From `since` on they can be said. `pause` is one that is to come or
    under way, `was` what of the plan comes before the base.
    """

    facts: SubscriptionFacts
    base: SubscriptionItem
    ahead: list[SubscriptionItem]
    steps: dict[date, SubscriptionStep]
    since: date
    pause: Pause | None
    was: SubscriptionItem | None
    prices: dict[int, Price] = field(default_factory=dict)

    @property
    def said(self) -> list[Said]:
        return [Said(each.on, each.price_id, _plain(each.quantity), each.at) for each in self.steps.values()]

    @property
    def first(self) -> Stretch:
        return _stretch(self.base)

    def held(self, day: date) -> Held:
        """What holds on a day, or would without a pause."""
        row = self.was if self.was is not None and day < self.base.starts_on else self.base
        return held_on(_stretch(row), self.said, day)

    def before(self, day: date) -> Held:
        """What holds just before a day; on the base's first day what that bills, where no step made it so."""
        follows = day > self.base.starts_on or (self.was is not None and day in self.steps)
        return self.held(day - timedelta(days=1) if follows else day)

    def takes(self, day: date) -> bool:
        """Whether a step of a day can still become another."""
        return day > self.base.starts_on and day >= self.since

    def in_force(self, day: date) -> ItemFacts:
        """The item that bills a day; before the first of them that one, in a pause the one before it."""
        begun = [row.pk for row in [self.base, *self.ahead] if row.starts_on <= day] or [self.base.pk]
        return next(item for item in self.facts.items if item.item_id == begun[-1])


def ramp_from(
    subscription: Subscription,
    facts: SubscriptionFacts,
    items: Sequence[SubscriptionItem],
    steps: Sequence[SubscriptionStep],
) -> Ramp:
    """The ramp of a subscription, from its items and steps, each read with its price."""
    chain = sorted(
        (row for row in items if row.role == PLAN and _lived(row, subscription)),
        key=lambda row: (row.starts_on, row.pk),
    )
    said = {step.on: step for step in sorted(steps, key=lambda step: step.on)}
    at, since = len(chain) - 1, None
    pause = _pause(chain[at], None)
    while at > 0 and _open(facts, chain[at]) and (joined := _joined(subscription, facts, chain, at, said)):
        at -= 1
        pause = joined if isinstance(joined, Pause) else pause
    base = chain[at]
    if pause is not None and _cut(facts, base):
        since = pause.off
    prices = {row.price_id: row.price for row in chain}
    prices |= {step.price_id: step.price for step in steps if step.price_id is not None}
    was = chain[at - 1] if at else None
    return Ramp(facts, base, chain[at + 1 :], said, since or base.starts_on, pause, was, prices)


def _stretch(row: SubscriptionItem) -> Stretch:
    held = Held(row.price_id, row.quantity.normalize())
    return Stretch(row.starts_on, row.ends_on, held, starts_time=row.starts_time)


def _plain(quantity: Decimal | None) -> Decimal | None:
    return None if quantity is None else quantity.normalize()


def _pause(row: SubscriptionItem, again: date | None) -> Pause | None:
    """The pause that ends an item."""
    return Pause(row.ends_on, again) if row.paused and row.ends_on is not None else None


def _lived(row: SubscriptionItem, subscription: Subscription) -> bool:
    """Whether it bills a day at least, or would but for a pause from its first day on."""
    return row.ends_on != row.starts_on or (row.paused and row.ends_on == subscription.paused_on)


def _known(facts: SubscriptionFacts, row: SubscriptionItem) -> ItemFacts:
    return next(item for item in facts.items if item.item_id == row.pk)


def _open(facts: SubscriptionFacts, row: SubscriptionItem) -> bool:
    """Whether nothing was ever billed of it."""
    item = _known(facts, row)
    return item.billed_through == item.starts_on and not item.credited


def _cut(facts: SubscriptionFacts, row: SubscriptionItem) -> bool:
    """Whether it is settled up to its end, so that it can never go on."""
    return cut_at(facts, _known(facts, row), row.ends_on)


def _joined(
    subscription: Subscription,
    facts: SubscriptionFacts,
    chain: Sequence[SubscriptionItem],
    at: int,
    said: dict[date, SubscriptionStep],
) -> bool | Pause:
    """Whether an item follows from the one before it and what was said: by a step, or when a pause is over."""
    was, row = chain[at - 1], chain[at]
    if was.paused:
        found = (was.ends_on, row.starts_on) == (subscription.paused_on, subscription.resumes_on)
        return (_pause(was, row.starts_on) if found else None) or False
    return was.ends_on == row.starts_on and row.starts_on in said and not _cut(facts, was)


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A step to come: what it says, and what holds before it and from then on.

    `at`: from when on that day, which is its beginning where the time that was said does not count. `open`: it can be
    taken back. Not `reached`: the subscription ends before it.
    """

    on: date
    at: time
    price: Price | None
    quantity: Decimal | None
    price_before: Price
    quantity_before: Decimal
    price_after: Price
    quantity_after: Decimal
    open: bool
    reached: bool

    @property
    def amount_before(self) -> Money | None:
        """What a whole period costs before it; None where a meter counts, or it cannot be priced."""
        return a_period(self.price_before, self.quantity_before)

    @property
    def amount_after(self) -> Money | None:
        """What a whole period costs from then on."""
        return a_period(self.price_after, self.quantity_after)

    @property
    def amount_before_minor(self) -> int | None:
        return self.amount_before.minor if self.amount_before else None

    @property
    def amount_after_minor(self) -> int | None:
        return self.amount_after.minor if self.amount_after else None


def a_period(price: Price, quantity: Decimal) -> Money | None:
    """What a whole period costs; None where a meter counts, or it cannot be priced."""
    if price.meter_id is not None:
        return None
    try:
        return Money(quote_of(price, quantity).amount_minor, price.currency)
    except AppError:
        return None


def steps_of(row: Subscription) -> list[SubscriptionStep]:
    """All that was ever said of its plan, with prices; one query. Inside work()."""
    found = SubscriptionStep.objects.filter(subscription=row).select_related(
        "price__plan", "price__overrides"
    )
    return list(found.order_by("on"))


def upcoming(
    row: Subscription,
    *,
    today: date,
    facts: SubscriptionFacts | None = None,
    items: Sequence[SubscriptionItem] | None = None,
) -> list[Upcoming]:
    """The steps of its plan that are to come, by day. Inside work().

    One query where its facts and items, read with their prices, are known; none where it was read as one of which
    nothing was said.
    """
    steps = steps_of(row) if getattr(row, "said", True) else []
    if not any(each.on > today for each in steps):
        return []
    if facts is None:
        (facts,) = subscription_facts([row.pk])
    if items is None:
        items = list(SubscriptionItem.objects.filter(subscription=row).select_related("price__plan"))
    ramp = ramp_from(row, facts, items, steps)
    return [_upcoming(ramp, each, row) for each in steps if each.on > today]


def _upcoming(ramp: Ramp, step: SubscriptionStep, row: Subscription) -> Upcoming:
    before, after = ramp.before(step.on), ramp.held(step.on)
    begins = [each.starts_time for each in (ramp.base, *ramp.ahead) if each.starts_on == step.on]
    return Upcoming(
        on=step.on,
        at=begins[-1] if begins else step.at,
        price=step.price,
        quantity=step.quantity,
        price_before=ramp.prices[before.price],
        quantity_before=before.quantity,
        price_after=ramp.prices[after.price],
        quantity_after=after.quantity,
        open=row.state != ENDED and ramp.takes(step.on),
        reached=row.ends_on is None or step.on < row.ends_on,
    )
