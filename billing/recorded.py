"""What items and discounts record of themselves, as the gate is told it."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from billing.domain.discounts import Discount
from billing.domain.gate import Declared, Item
from billing.domain.gate.changes import discount_field, discount_words
from billing.domain.gate.facts import Discount as GateDiscount
from billing.domain.gate.kept import discount_of
from billing.domain.gate.look import plain
from billing.models import PLAN

FOR_GOOD = "9999-12-31"
"""A day after all others, as text."""


def before(row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> int | None:
    """The item whose place this one took: the plan's, or one of the same plan, that ended where this begins.

    A step of the plan may have been put before one that was there already.
    """
    for other in rows:
        same = other["role"] == row["role"] and (
            row["role"] == PLAN or other["price__plan_id"] == row["price__plan_id"]
        )
        lived = other["ends_on"] is not None and other["ends_on"] > other["starts_on"]
        older = row["role"] == PLAN or other["id"] < row["id"]
        if same and lived and older and other["ends_on"] == row["starts_on"]:
            return int(other["id"])
    return None


def in_arrears(rows: Sequence[Mapping[str, Any]]) -> bool | None:
    """Whether the plan of these items is billed in arrears; None where that changes."""
    plans = [row for row in rows if row["role"] == PLAN and row["ends_on"] != row["starts_on"]]
    timings = {row["price__timing"] for row in plans}
    return None if len(timings) > 1 else "arrears" in timings


def declared(
    items: Sequence[Item], by_id: Mapping[int, Item], billed: Container[int] = ()
) -> Iterable[Declared]:
    """What the items themselves record: that one was added or ended, and what one that follows another changed.

    Where several follow each other and nothing was `billed` (ids) of those between, each says all that led to it.
    """
    for item in items:
        yield Declared(item.id, "item", "", str(item.id))
        if item.ends_on is not None:
            yield Declared(item.id, "end", "", item.ends_on.isoformat())
        for one, other in pairwise(_leading_to(item, by_id, billed)):
            yield from _changed(item.id, one, other)


def _leading_to(item: Item, by_id: Mapping[int, Item], billed: Container[int]) -> list[Item]:
    """The item and those before it, from the last that was billed on, in order."""
    chain = [item]
    while len(chain) == 1 or chain[0].id not in billed:
        before = by_id.get(chain[0].follows or 0)
        if before is None:
            break
        chain.insert(0, before)
    return chain


def _changed(item: int, one: Item, other: Item) -> Iterator[Declared]:
    if one.terms.price != other.terms.price:
        yield Declared(item, "price", one.terms.price, other.terms.price)
    was, now = (plain(each.terms.tax_percent) for each in (one, other))
    if one.terms.plan != other.terms.plan and was != now:
        yield Declared(item, "tax", was, now)
    if one.quantity is not None and other.quantity is not None and one.quantity != other.quantity:
        yield Declared(item, "quantity", plain(one.quantity), plain(other.quantity))


def parts_of(said: Mapping[str, Any], row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What `Discount.parts` says of an item, once more from the record: the gate does not ask what it looks at."""
    if said["starts_on"] == said["ends_on"]:
        return
    said = {name: value for name, value in said.items() if name != "taken"}
    if row["price__plan__code"] in said["plans"] or not (said["plans"] or said["products"]):
        yield said
        return
    since = ""
    now = {"product": row["price__plan__product__code"], "until": FOR_GOOD}
    for place in (*row["price__plan__products_before"], now):
        first, last = max(since, said["starts_on"]), min(place["until"], said["ends_on"] or FOR_GOOD)
        if place["product"] in said["products"] and first < last:
            yield {**said, "starts_on": first, "ends_on": None if last == FOR_GOOD else last}
        since = place["until"]


def said_of_discounts(rows: Sequence[Mapping[str, Any]]) -> Iterator[Declared]:
    """What the discounts themselves record: that each was given, that it ends earlier than it was to, that its product
    lost the plan, and that it is not for a plan that took the place of one that it is for.
    """
    for row in rows:
        for said in row["discounts"]:
            mine = dict(_recorded(said, row))
            others = dict(pair for each in _places(row, rows) for pair in _recorded(said, each))
            gone = {field: [*words, ""] for field, words in others.items() if field not in mine}
            for field, words in (mine | gone).items():
                for was, now in pairwise(["", *words]):
                    if was != now:
                        yield Declared(row["id"], field, was, now)


def _recorded(said: Mapping[str, Any], row: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Each part of a discount that was given for an item, by the field of its changes: what it was, one after the
    other, as it was given, when it ended earlier, and as the plan left its product."""
    currency = row["price__currency"]
    for part in parts_of({**said, "ends_on": said["given_until"]}, row):
        since, ends = part["starts_on"], [said["given_until"], said["ends_on"]]
        ends.append(min(part["ends_on"] or FOR_GOOD, said["ends_on"] or FOR_GOOD))
        words = [
            ""
            if end and end <= since
            else discount_words(discount_of({**part, "ends_on": _day(end)}, currency))
            for end in ends
        ]
        yield discount_field(discount_of(part, currency)), words


def _day(text: str | None) -> str | None:
    return None if text == FOR_GOOD else text


def _places(row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The items whose place one took, at once or by others between, the last first."""
    by_id = {each["id"]: each for each in rows}
    place = before(row, rows)
    while place is not None:
        yield by_id[place]
        place = before(by_id[place], rows)


def as_gate_says(each: Discount, currency: str) -> GateDiscount:
    """A discount as the pricing core applies it, in the gate's own words."""
    said = {
        "name": each.name,
        "percent": str(each.percent),
        "amount": str(each.amount),
        "starts_on": each.starts_on.isoformat(),
        "ends_on": each.ends_on.isoformat() if each.ends_on else None,
        "per": each.per,
        "public_id": each.key,
    }
    return discount_of(said, currency)
