"""What a plan lets its subscribers do: what a feature can say, and what several sources of it come to.

The three words: a Feature is what can be granted, a FeatureGrant what a plan says of it, a FeatureOverride what one
subscription has instead of that or on top. Not to be confused with what an organization's own plan of this product
allows it, which is of the app `tenants`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Context, Decimal, localcontext
from enum import StrEnum

NAME, CODE, UNIT, TEXT, WHY = 200, 40, 40, 200, 300
MOST_FEATURES = 200
MOST_AMOUNT = 10**12
PLACES = 12
_CODE = re.compile(rf"(?!feat_)[a-z0-9][a-z0-9_-]{{0,{CODE - 1}}}", re.ASCII)
_EXACT = Context(prec=80)
"""Room for the sum of many amounts times quantities, each with twelve places."""


class Kind(StrEnum):
    """What a feature says: yes or no, how much, or a word."""

    SWITCH = "switch"
    LIMIT = "limit"
    TEXT = "text"


class Combine(StrEnum):
    """What a limit comes to that several items grant: the highest, or all together."""

    MAX = "max"
    SUM = "sum"


class Mode(StrEnum):
    """Whether an override takes the place of what the items grant, or comes on top."""

    SET = "set"
    ADD = "add"


@dataclass(frozen=True, slots=True)
class FeatureFacts:
    """A feature as far as it decides what is granted."""

    public_id: str
    code: str
    name: str
    kind: Kind
    unit: str
    combine: Combine = Combine.MAX
    per_unit: bool = False
    retired: bool = False


@dataclass(frozen=True, slots=True)
class Value:
    """What is granted of a feature: a limit without an amount has no end; `on` is no only of an override."""

    amount: Decimal | None = None
    text: str = ""
    on: bool = True


@dataclass(frozen=True, slots=True)
class Source:
    """An item or an override that says something of a feature. `order` grows with what is newer."""

    public_id: str
    subscription: str
    name: str
    order: tuple[str, int]
    value: Value
    quantity: Decimal = Decimal(1)
    mode: Mode | None = None

    @property
    def is_override(self) -> bool:
        return self.mode is not None

    @property
    def said_mode(self) -> str:
        """The mode of an override; empty for an item."""
        return str(self.mode or "")


@dataclass(frozen=True, slots=True)
class Entitled:
    """What somebody has of a feature, and where it comes from; a source's amount is what it comes to by itself."""

    feature: FeatureFacts
    value: Value
    sources: tuple[Source, ...]

    @property
    def on(self) -> bool:
        """Whether there is any of it: a limit of zero is none."""
        return self.value.on and self.value.amount != 0

    @property
    def unlimited(self) -> bool:
        return self.value.on and self.feature.kind is Kind.LIMIT and self.value.amount is None


NOTHING = Value(on=False)


def entitled(feature: FeatureFacts, sources: Sequence[Source]) -> Entitled:
    """What the sources of a feature come to. Pure; their order does not matter.

    In each subscription an override that sets takes the place of what the items grant, one that adds comes on top.
    What the subscriptions then have is combined as the feature says. Of texts the newest item's counts, and an
    override's before any item's.
    """
    own = sorted((_own(feature, each) for each in sources), key=lambda each: (each.is_override, each.order))
    by_subscription: dict[str, list[Source]] = {}
    for each in own:
        by_subscription.setdefault(each.subscription, []).append(each)
    if feature.kind is Kind.TEXT:
        value = _text(list(by_subscription.values()))
    else:
        value = _combined(feature, [_of_one(feature, each) for each in by_subscription.values()])
    return Entitled(feature, value, tuple(own))


def _own(feature: FeatureFacts, source: Source) -> Source:
    """The source with what it comes to by itself: an amount per unit times the item's quantity."""
    amount = source.value.amount
    if feature.kind is not Kind.LIMIT or not feature.per_unit or source.is_override or amount is None:
        return source
    with localcontext(_EXACT):
        return replace(source, value=replace(source.value, amount=amount * source.quantity))


def _of_one(feature: FeatureFacts, sources: Sequence[Source]) -> Value:
    """What one subscription has by its items and its override."""
    items = _combined(feature, [each.value for each in sources if not each.is_override])
    over = next((each for each in sources if each.is_override), None)
    if over is None:
        return items
    if over.mode is Mode.SET:
        return over.value
    base = items if items.on else Value(amount=Decimal(0))
    return _sum([base, over.value])


def _combined(feature: FeatureFacts, values: Sequence[Value]) -> Value:
    found = [each for each in values if each.on]
    if not found:
        return NOTHING
    if feature.kind is not Kind.LIMIT:
        return found[0]
    if feature.combine is Combine.SUM:
        return _sum(found)
    amounts = [each.amount for each in found if each.amount is not None]
    return Value(amount=max(amounts) if len(amounts) == len(found) else None)


def _sum(values: Sequence[Value]) -> Value:
    amounts = [each.amount for each in values if each.amount is not None]
    with localcontext(_EXACT):
        return Value(amount=sum(amounts, Decimal(0)) if len(amounts) == len(values) else None)


def _text(subscriptions: Sequence[Sequence[Source]]) -> Value:
    """The text that counts: each subscription's last source says its word, an override's before any item's."""
    words = [each[-1] for each in subscriptions if each[-1].value.on]
    if not words:
        return NOTHING
    return max(words, key=lambda each: (each.is_override, each.order)).value


def feature_problems(name: str, code: str, kind: str, unit: str, combine: str) -> dict[str, str]:
    """What is wrong with a feature, by field."""
    problems: dict[str, str] = {}
    if not 1 <= len(name.strip()) <= NAME:
        problems["name"] = f"A feature needs a name, of up to {NAME} characters."
    if not _CODE.fullmatch(code):
        problems["code"] = f"Up to {CODE} small letters, digits and dashes; feat_ begins ids."
    if kind not in list(Kind):
        problems["kind"] = f"One of {', '.join(Kind)}."
    elif kind != Kind.LIMIT and unit:
        problems["unit"] = "Only a limit has a unit."
    elif len(unit) > UNIT:
        problems["unit"] = f"Up to {UNIT} characters."
    if combine not in list(Combine):
        problems["combine"] = f"One of {', '.join(Combine)}."
    return problems


def value_problems(
    kind: Kind, *, amount: Decimal | None, unlimited: bool, text: str, least: Decimal = Decimal(0)
) -> dict[str, str]:
    """What is wrong with what is granted of a feature of a kind, by field."""
    problems = _limit_problems(amount, unlimited, least) if kind is Kind.LIMIT else {}
    if kind is not Kind.LIMIT and amount is not None:
        problems["amount"] = f"A {kind} has no amount."
    if kind is not Kind.LIMIT and unlimited:
        problems["unlimited"] = f"A {kind} has no limit."
    if kind is Kind.TEXT and not text.strip():
        problems["text"] = "Say what is granted."
    elif kind is not Kind.TEXT and text:
        problems["text"] = f"A {kind} has no text."
    elif len(text) > TEXT:
        problems["text"] = f"Up to {TEXT} characters."
    return problems


def _limit_problems(amount: Decimal | None, unlimited: bool, least: Decimal) -> dict[str, str]:  # noqa: FBT001
    if unlimited == (amount is not None):
        return {"amount": "Say an amount, or that there is no limit."}
    if amount is None:
        return {}
    if not amount.is_finite() or not least <= amount <= MOST_AMOUNT:
        return {"amount": f"{'More than zero' if least else 'Zero or more'}, up to a million millions."}
    exponent = amount.normalize().as_tuple().exponent
    return {"amount": f"At most {PLACES} decimals."} if int(exponent) < -PLACES else {}
