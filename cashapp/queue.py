"""The bank lines that wait, as the page of cash application shows them: each with what it may pay and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cashapp.domain.matching.records import Reason
from cashapp.domain.matching.words import TEMPLATES, facts_for
from cashapp.domain.states import LineState
from cashapp.models import BankLine
from cashapp.services.lines import BY_DAY
from core.money import Money
from core.paging import beyond
from core.privacy import bank
from customers.selectors import by_ids
from receivables.domain.items import Side
from receivables.selectors import ItemState, open_items_of, states_by_id

RECENT = 5


@dataclass(frozen=True, slots=True)
class Offer:
    """One way to use a line's money. `parts` are minor units by open item's id; `said` and `doubted` are sentences."""

    number: int
    customer: Any
    title: str
    score: int
    parts: dict[int, int]
    said: list[str]
    doubted: list[str]


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An open item of whoever is to be paid for, with what the offer puts on it (minor units)."""

    item: ItemState
    open: Money
    part: Money | None


def waiting() -> "QuerySet[BankLine]":
    """Lines whose money is not booked, in no order. Inside work()."""
    found: QuerySet[BankLine] = BankLine.objects.filter(state=LineState.OPEN)
    return found


def waiting_count() -> int:
    """How many lines wait, one query. Inside work()."""
    return waiting().count()


def of_state(state: str) -> "QuerySet[BankLine]":
    """Lines in a state of theirs; the waiting ones for anything else. Inside work()."""
    known = state if state in {LineState.BOOKED, LineState.ASIDE} else LineState.OPEN
    found: QuerySet[BankLine] = BankLine.objects.filter(state=known)
    return found.select_related("payment__customer")


def next_open(after: BankLine | None = None) -> BankLine | None:
    """The open line that follows in order of days, else the first one. Inside work()."""
    rows = waiting().order_by(*BY_DAY.columns)
    later = rows.filter(beyond(BY_DAY, after.booked_on, after.pk, forward=True)) if after else rows
    return later.first() or rows.first()


def previous_open(before: BankLine) -> BankLine | None:
    """The open line that comes before in order of days. Inside work()."""
    rows = waiting().filter(beyond(BY_DAY, before.booked_on, before.pk, forward=False))
    return rows.order_by(*BY_DAY.columns).last()


def around(line: BankLine, *, limit: int = 50) -> list[BankLine]:
    """The open lines beside it: the one before, itself while it is open, and what follows. Inside work()."""
    before = previous_open(line)
    later = waiting().filter(beyond(BY_DAY, line.booked_on, line.pk, forward=True)).order_by(*BY_DAY.columns)
    here = [line] if line.state == LineState.OPEN else []
    return [*([before] if before else []), *here, *later[:limit]]


def lately_booked() -> list[BankLine]:
    """Lines booked last, newest first. Inside work()."""
    rows = BankLine.objects.filter(state=LineState.BOOKED).select_related("payment__customer")
    return list(rows.order_by("-updated_at", "-id")[:RECENT])


def offers(line: BankLine) -> list[Offer]:
    """What matching proposes for the line, best first, as far as it can still be done. Two queries, inside work()."""
    kept = line.proposals
    customers = by_ids({each["customer"] for each in kept})
    items = states_by_id({item_id for each in kept for item_id, _minor in each["parts"]})
    found: list[Offer] = []
    for each in kept:
        parts = {
            item_id: min(minor, items[item_id].available_minor)
            for item_id, minor in each["parts"]
            if item_id in items and items[item_id].available_minor
        }
        if not parts or each["customer"] not in customers:
            continue
        found.append(
            Offer(
                number=len(found) + 1,
                customer=customers[each["customer"]],
                title=_title([items[item_id] for item_id in parts], len(each["lines"])),
                score=each["score"],
                parts=parts,
                said=[_say(code, facts) for code, facts in each["reasons"]],
                doubted=[_say(code, facts) for code, facts in each["doubts"]],
            )
        )
    return found


def _title(items: Sequence[ItemState], others: int) -> str:
    title = (
        items[0].label
        if len(items) == 1
        else ngettext("%(n)s item", "%(n)s items", len(items)) % {"n": len(items)}
    )
    if not others:
        return title
    return _("%(what)s together with %(n)s other lines") % {"what": title, "n": others}


def _say(code: str, facts: dict[str, str]) -> str:
    if code not in TEMPLATES:
        return ""
    if "account" in facts:
        facts = {**facts, "account": bank(facts["account"])}
    return _(TEMPLATES[code]) % facts_for(Reason(code, facts))


def rows_for(line: BankLine, customer: Any, parts: dict[int, int]) -> list[ItemRow]:
    """What the customer owes in the line's currency: the offer's items first, then the oldest due. Inside work()."""
    items = [item for item in open_items_of(customer.pk, line.currency, Side.DEBIT) if item.available_minor]
    items.sort(key=lambda item: (item.item_id not in parts, item.due_on, item.item_id))
    return [
        ItemRow(
            item,
            Money(item.available_minor, line.currency),
            Money(parts[item.item_id], line.currency) if item.item_id in parts else None,
        )
        for item in items
    ]
