"""What items and discounts record of themselves, as the gate is told it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from billing.domain.discounts import Discount
from billing.domain.gate import Declared, Item
from billing.domain.gate.changes import discount_field, discount_words
from billing.domain.gate.facts import Discount as GateDiscount
from billing.domain.gate.kept import discount_of
from billing.domain.gate.look import plain
from billing.models import PLAN


def before(row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> int | None:
    """The item whose place this one took: the plan's, or one of the same plan, that ended where this begins."""
    for other in rows:
        same = other["role"] == row["role"] and (
            row["role"] == PLAN or other["price__plan_id"] == row["price__plan_id"]
        )
        lived = other["ends_on"] is not None and other["ends_on"] > other["starts_on"]
        if same and lived and other["id"] < row["id"] and other["ends_on"] == row["starts_on"]:
            return int(other["id"])
    return None


def declared(items: Sequence[Item], by_id: Mapping[int, Item]) -> Iterable[Declared]:
    """What the items themselves record: that one was added or ended, and what one that follows another changed."""
    for item in items:
        yield Declared(item.id, "item", "", str(item.id))
        if item.ends_on is not None:
            yield Declared(item.id, "end", "", item.ends_on.isoformat())
        before = by_id.get(item.follows) if item.follows is not None else None
        if before is None:
            continue
        if before.terms.price != item.terms.price:
            yield Declared(item.id, "price", before.terms.price, item.terms.price)
        was, now = (plain(each.terms.tax_percent) for each in (before, item))
        if before.terms.plan != item.terms.plan and was != now:
            yield Declared(item.id, "tax", was, now)
        if before.quantity is not None and item.quantity is not None and before.quantity != item.quantity:
            yield Declared(item.id, "quantity", plain(before.quantity), plain(item.quantity))


def is_for(said: Mapping[str, Any], plan: str) -> bool:
    """What `Discount.is_for` says, once more from the record: the gate does not ask what it looks at."""
    return said["starts_on"] != said["ends_on"] and (not said["plans"] or plan in said["plans"])


def said_of_discounts(rows: Sequence[Mapping[str, Any]]) -> Iterator[Declared]:
    """What the discounts themselves record: that each was given, that it ends earlier than it was to, and that it is
    not for a plan that took the place of one that it is for.
    """
    for row in rows:
        for said in row["discounts"]:
            mine = not said["plans"] or row["price__plan__code"] in said["plans"]
            if not mine and not _came_from(said["plans"], row, rows):
                continue
            given, left = (
                discount_of({**said, "ends_on": said[end]}, row["price__currency"])
                for end in ("given_until", "ends_on")
            )
            first = discount_words(given)
            last = "" if said["starts_on"] == said["ends_on"] else discount_words(left)
            for was, now in pairwise(["", first, last] if mine else [first, last, ""]):
                if was != now:
                    yield Declared(row["id"], discount_field(given), was, now)


def _came_from(plans: Sequence[str], row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether an item took the place of one of these plans, at once or by others between."""
    by_id = {each["id"]: each for each in rows}
    place = before(row, rows)
    while place is not None:
        if by_id[place]["price__plan__code"] in plans:
            return True
        place = before(by_id[place], rows)
    return False


def as_gate_says(each: Discount, currency: str) -> GateDiscount:
    """A discount as the pricing core applies it, in the gate's own words."""
    said = {
        "name": each.name,
        "percent": str(each.percent),
        "amount": str(each.amount),
        "starts_on": each.starts_on.isoformat(),
        "ends_on": each.ends_on.isoformat() if each.ends_on else None,
    }
    return discount_of(said, currency)
