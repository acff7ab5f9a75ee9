"""Bank lines from a file, and what a person decides about one."""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.translation import gettext as _

from cashapp.domain.states import LINE_MOVES, LineState
from cashapp.models import BankLine, Payment
from cashapp.services import payers
from core import bulk, clock, ids, states, vault
from core.effects import due
from core.errors import Conflict, NotFound
from core.imports.base import Outcome, Planned, Row, Setup
from core.imports.cells import BadCell, Habits, read_money
from core.locks import lock, lock_one
from core.models import Effect
from core.paging import Order
from customers.selectors import CustomerKey, by_numbers
from tenants.selectors import entity

MATCH = "cashapp.match"
"""The effect that matches open lines."""
GATHER = timedelta(seconds=5)
"""How long matching waits for more to come, so that many invoices wake it once."""
BY_DAY = Order("booked_on", date)
EARLIEST = date(1980, 1, 1)
_SAID = ("booked_on", "amount", "currency", "payer", "account", "memo", "customer_number")
_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class LineDraft:
    """A line to keep: positive minor units received on a day; `customer_id` when the file itself says who paid."""

    key: str
    payer: str
    account: str
    memo: str
    currency: str
    minor: int
    booked_on: date
    customer_id: int | None
    external_id: str


def identity(row: Row, habits: Habits) -> str:
    """What a row says, by which equal rows of a file are counted: its amount as money, however it is written."""
    said = {name: str(row[name] or "") for name in _SAID}
    if row["amount"] is not None and row["currency"] is not None:
        with suppress(BadCell):  # what is no amount is refused; until then it is its text
            said["amount"] = str(read_money(row["amount"], row["currency"], habits).minor)
    return "\x1f".join(said.values())


def plan(rows: Sequence[Row], setup: Setup) -> list[Planned]:
    """A line that is not here yet is kept; equal lines of one file are so many payments. Inside work()."""
    keys = keys_of(rows, setup.habits)
    here = {
        key: tuple(facts)
        for key, *facts in BankLine.objects.filter(key__in=list(keys.values()))
        .exclude(state=LineState.WITHDRAWN)
        .values_list("key", "minor", "currency", "booked_on")
    }
    customers = by_numbers({row["customer_number"] for row in rows if row["customer_number"]})
    today = clock.today(entity().zone)
    return [_planned(row, keys[row.number], setup, here, customers, today) for row in rows]


def keys_of(rows: Sequence[Row], habits: Habits) -> dict[int, str]:
    """The natural key of each row by its number: its id in the other system, or what it says and how often.

    What it says names an account, of which even a plain digest could be found by trying: it is a blind index. Inside
    work(), one query for all.
    """
    said = {row.number: identity(row, habits) for row in rows if not row["external_id"]}
    blind = vault.blind_all(BankLine, "key", said.values())
    return {
        row.number: f"ext:{_digest(row['external_id'])}"
        if row["external_id"]
        else f"is:{blind[said[row.number]]}:{row.occurrence}"
        for row in rows
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:48]


def _planned(
    row: Row, key: str, setup: Setup, here: dict[str, tuple[object, ...]],
    customers: dict[str, CustomerKey], today: date,
) -> Planned:  # fmt: skip
    amount = row.money("amount", row["currency"], setup.habits)
    if amount is not None and amount.minor <= 0:
        row.refuse("amount", _("Only money that came in can be brought in."), "sign")
    if not EARLIEST <= row["booked_on"] <= today:
        row.refuse("booked_on", _("Money came between 1980 and today."), "day")
    number = row["customer_number"]
    owner = customers.get(number) if number else None
    if number and owner is None:
        row.refuse("customer_number", _("Customer %(number)s is not here.") % {"number": number}, "customer")
    if row.problems or amount is None:
        return Planned(row, Outcome.FAILED)
    facts = (amount.minor, amount.currency, row["booked_on"])
    there = here.get(key) or setup.seen.get(key)
    if there is not None and there != facts:
        row.refuse(
            "external_id", _("A line with this id is here already and says something else."), "different"
        )
        return Planned(row, Outcome.FAILED)
    if there is not None:
        return Planned(row, Outcome.UNCHANGED)
    setup.seen[key] = facts
    draft = LineDraft(
        key,
        row["payer"] or "",
        row["account"] or "",
        row["memo"] or "",
        amount.currency,
        amount.minor,
        row["booked_on"],
        owner.customer_id if owner else None,
        row["external_id"] or "",
    )
    return Planned(row, Outcome.CREATED, draft)


def write(planned: Sequence[Planned], setup: Setup) -> list[str]:
    """Keep the lines and have them matched; public ids in order. Inside work()."""
    at = clock.now()
    names = [ids.new(BankLine.PREFIX) for _ in planned]
    drafts = [each.draft for each in planned]
    accounts = vault.seal_all(
        BankLine, "account", [(name, draft.account) for name, draft in zip(names, drafts, strict=True)]
    )
    rows = [
        {
            "public_id": name,
            "key": draft.key,
            "payer": draft.payer,
            "account": account,
            "memo": draft.memo,
            "currency": draft.currency,
            "minor": draft.minor,
            "booked_on": draft.booked_on,
            "customer_id": draft.customer_id,
            "external_id": draft.external_id,
            "created_at": at,
            "updated_at": at,
        }
        for name, draft, account in zip(names, drafts, accounts, strict=True)
    ]
    bulk.insert(BankLine, rows)
    match_soon(f"{setup.source}:{planned[0].row.number}")
    return names


def match_soon(key: str) -> None:
    """Ask a worker to match the open lines; `key` names the occasion. Inside work()."""
    due(MATCH, [(key, {})])


def match_waiting(key: str) -> None:
    """Have lines that wait matched soon, because something came, and is committed, that they may pay. Inside work().

    Once for many: while it is asked for and not begun, whoever does it will see what is there by then.
    """
    asked = Effect.objects.filter(kind=MATCH, done_at=None, parked_at=None, attempts=0)
    if BankLine.objects.filter(state=LineState.OPEN).exists() and not asked.exists():
        due(MATCH, [(key, {})], at=clock.now() + GATHER)


def left_to_another(effect: Effect) -> bool:
    """Whether matching was asked for again and is not begun: that turn will see what this one would. Inside work()."""
    later = Effect.objects.filter(kind=MATCH, pk__gt=effect.pk, done_at=None, parked_at=None, attempts=0)
    return later.exists()


def undo(made: Sequence[str]) -> None:
    """Withdraw the lines, all or none; Conflict when the money of one is booked. Inside work()."""
    for start in range(0, len(made), _CHUNK):
        found = lock(BankLine.objects.filter(public_id__in=made[start : start + _CHUNK]))
        used = [line for line in found if line.state == LineState.BOOKED]
        if used:
            raise Conflict(
                _("The money of %(n)s of these lines is booked. Reverse those payments first.")
                % {"n": len(used)}
            )
        gone = [line for line in found if line.state != LineState.WITHDRAWN]
        bulk.update(BankLine, [{"id": line.pk, "state": LineState.WITHDRAWN} for line in gone])
        states.record_moves([(line.public_id, line.state, LineState.WITHDRAWN) for line in gone])


def line(public_id: str) -> BankLine:
    """The line with this public id; raises NotFound. Inside work()."""
    found = BankLine.objects.select_related("customer", "payment").filter(public_id=public_id).first()
    if found is None:
        raise NotFound("That bank line is not here.")
    return found


def set_aside(public_id: str, *, reason: str) -> None:
    """Say that no customer sent this money; it stays out of receivables. Inside work(). Again changes nothing."""
    row = lock_one(BankLine.objects.filter(public_id=public_id))
    if row.state != LineState.ASIDE:
        states.move(row, LineState.ASIDE, moves=LINE_MOVES, reason=reason)


def bring_back(public_id: str) -> None:
    """Put a line that was set aside back on the list. Inside work(). Again changes nothing."""
    row = lock_one(BankLine.objects.filter(public_id=public_id))
    if row.state == LineState.ASIDE:
        states.move(row, LineState.OPEN, moves=LINE_MOVES)


def reopened(payment: Payment) -> None:
    """The payment was taken back: its line, if it came from one, waits for a person's decision. Inside work().

    What the line taught about the customer is forgotten.
    """
    for row in lock(BankLine.objects.filter(payment=payment)):
        payers.forget(row, payment.customer_id)
        states.move(row, LineState.OPEN, moves=LINE_MOVES, payment=None, proposals=[])
