"""The bank lines that wait, as the page of cash application shows them: each with what it may pay and why."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
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
class Said:
    """Why matching thinks so: a code for programs and a sentence."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Offer:
    """One way to use a line's money. `parts` are minor units by open item's id, `items` those items.

    `key` is of what is offered: another one with the same key would do the same.
    """

    number: int
    customer: Any
    title: str
    score: int
    parts: dict[int, int]
    items: list[ItemState]
    reasons: list[Said]
    doubts: list[Said]

    @property
    def said(self) -> list[str]:
        return [each.text for each in self.reasons]

    @property
    def doubted(self) -> list[str]:
        return [each.text for each in self.doubts]

    @property
    def key(self) -> str:
        what = [
            self.customer.public_id,
            *(f"{item.public_id}:{self.parts[item.item_id]}" for item in self.items),
        ]
        return f"offer_{hashlib.sha256('|'.join(what).encode()).hexdigest()[:24]}"


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


@dataclass(frozen=True, slots=True)
class LineFilter:
    """What is wanted; "" and None leave a condition out. `customer` is a public id; days are inclusive."""

    state: str = ""
    customer: str = ""
    currency: str = ""
    external_id: str = ""
    booked_from: date | None = None
    booked_to: date | None = None


def lines(wanted: LineFilter) -> "QuerySet[BankLine]":
    """The lines that are wanted, with the customers they name and their payments, in no order. Inside work()."""
    conditions = {
        "state": wanted.state,
        "customer__public_id": wanted.customer,
        "currency": wanted.currency,
        "external_id": wanted.external_id,
        "booked_on__gte": wanted.booked_from,
        "booked_on__lte": wanted.booked_to,
    }
    found: QuerySet[BankLine] = BankLine.objects.select_related("customer", "payment")
    return found.filter(**{name: value for name, value in conditions.items() if value})


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
    """What matching proposes for the line, best first, as far as it can still be done. At most five
    queries, inside work()."""
    kept = line.proposals
    accounts = _accounts(line, kept) if kept else {}
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
                items=[items[item_id] for item_id in parts],
                reasons=[Said(code, _say(code, facts, accounts)) for code, facts in each["reasons"]],
                doubts=[Said(code, _say(code, facts, accounts)) for code, facts in each["doubts"]],
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


def _accounts(line: BankLine, offered: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Accounts that reasons speak of, by the id of their line, for whoever looks; a query for other lines' only."""
    meant = {facts["line"] for each in offered for _code, facts in each["reasons"] if "line" in facts}
    others = meant - {str(line.pk)}
    rows = [line, *(BankLine.objects.filter(pk__in=others) if others else ())]
    return {str(row.pk): bank(row.account_number) for row in rows}


def _say(code: str, facts: dict[str, str], accounts: dict[str, str]) -> str:
    if code not in TEMPLATES:
        return ""
    if "line" in facts:
        facts = {**facts, "account": accounts.get(facts["line"], "")}
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
