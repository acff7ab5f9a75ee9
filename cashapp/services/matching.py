"""Matching bank lines to open items: what is certain is booked, the rest waits with its reasons for a person.

The decision is `cashapp.domain.matching`; here are the facts it gets, and what is done with its answer. Facts are read
in one transaction, weighed outside any, and booked in another that locks what it uses and looks again: whatever
changed in between is left for the next turn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy

from cashapp.domain.matching import Item, Known, Line, Part, Proposal, Reason, propose, tokens
from cashapp.domain.matching import account_key as account_form
from cashapp.domain.matching import payer_key as payer_form
from cashapp.domain.states import LineState
from cashapp.events import BankLinesLeft
from cashapp.models import BankLine, PayerFact, Payment
from cashapp.services import payers
from cashapp.services.lines import BY_DAY, MATCH, left_to_another
from cashapp.services.payments import BANK, Receipt, book_many
from core import bulk, clock, ids, registry, states
from core.effects import Later
from core.errors import Conflict, Invalid, KeyReused, NotFound
from core.events import emit
from core.locks import lock
from core.models import OutboxEvent
from core.paging import beyond
from core.scope import work
from customers.selectors import customer as customer_of
from customers.selectors import named_like
from ledger.selectors import open_from
from receivables.domain.items import Side
from receivables.selectors import ItemState, parts_of_credit, payable
from receivables.services.reserve import held

CHUNK = 1000
MOST_ROUNDS = 4
TURN = timedelta(minutes=4)


@dataclass(slots=True)
class Matched:
    """What a turn of matching did: lines looked at, and those of them that were booked."""

    lines: int = 0
    booked: int = 0


@registry.effect(MATCH, gettext_lazy("Match bank lines to open items"))
def match_queued(effect: Any) -> None:
    """Match all open lines of the scope's organization, unless the same was asked for again meanwhile."""
    with work():
        if left_to_another(effect):
            return
    if match_all(until=clock.wall() + TURN) is None:
        raise Later(clock.now())
    with work():
        _tell_left()


def _tell_left() -> None:
    """Let it be known that lines wait for a person, once for each newest one of them. Inside work()."""
    waiting = BankLine.objects.filter(state=LineState.OPEN)
    newest = waiting.order_by("-pk").values_list("pk", flat=True).first()
    for line in lock(waiting.filter(pk=newest)):  # whoever comes second finds it told
        told = OutboxEvent.objects.filter(name=BankLinesLeft.name, object_public_id=line.public_id)
        if not told.exists():
            emit(BankLinesLeft(line.public_id, line.version, waiting.count()))


def match_all(*, until: datetime | None = None, chunk: int = CHUNK) -> Matched | None:
    """Match every open line, oldest first, and again as long as that changed something; None when time was up.

    Runs its own work(), two per chunk. A rerun books nothing that is booked.
    """
    total = Matched()
    for _round in range(MOST_ROUNDS):
        done = _round_of(total, until, chunk)
        if done is None:
            return None
        if not done:
            break
    return total


def _round_of(total: Matched, until: datetime | None, chunk: int) -> int | None:
    """Lines booked or overtaken in one pass over all that are open; None when time was up."""
    changed, place = 0, (date.min, 0)
    total.lines = 0
    while True:
        if until is not None and clock.wall() >= until:
            return None
        with work():
            lines = _open_lines(place, chunk)
            facts = _facts(lines) if lines else None
        if facts is None:
            return changed
        found = propose(facts.lines, facts.items, facts.known)
        with work():
            booked, overtaken = _book(found, {line.pk: line.version for line in lines})
        changed += booked + overtaken
        total.lines += len(lines)
        total.booked += booked
        place = (lines[-1].booked_on, lines[-1].pk)


def _open_lines(after: tuple[date, int], most: int) -> list[BankLine]:
    rows = BankLine.objects.filter(beyond(BY_DAY, *after, forward=True), state=LineState.OPEN)
    return list(rows.order_by(*BY_DAY.columns)[:most])


@dataclass(frozen=True, slots=True)
class Facts:
    """What matching knows about some lines."""

    lines: list[Line]
    items: list[Item]
    known: Known


def _facts(rows: Sequence[BankLine]) -> Facts:
    """Lines, and everything open that they may be for: constant queries. Inside work()."""
    undone = _taken_back(rows)
    lines = [
        Line(
            row.pk,
            row.payer,
            row.account_number,
            row.memo,
            row.currency,
            row.minor,
            row.booked_on,
            row.customer_id,
            row.public_id in undone,
        )
        for row in rows
    ]
    known = _known(lines)
    customers = {row.customer_id for row in rows if row.customer_id is not None}
    for table in (known.names, known.aliases, known.accounts):
        customers.update(*table.values())
    found = payable(
        customers=customers,
        references={token for line in lines for token in tokens(line.memo)},
        amounts={(line.currency, line.minor) for line in lines},
    )
    items = [
        Item(
            each.item_id,
            each.customer_id,
            each.entity_id,
            each.currency,
            each.available_minor,
            each.effective_on,
            each.due_on,
            each.references,
        )
        for each in found
    ]
    return Facts(lines, items, known)


def _taken_back(rows: Sequence[BankLine]) -> set[str]:
    """Those whose payment was taken back, by public id."""
    moved = [row.public_id for row in rows if row.version > 1]
    return states.ever_left(moved, LineState.BOOKED) if moved else set()


def _known(lines: Sequence[Line]) -> Known:
    written = {payer_form(line.payer) for line in lines if line.payer}
    accounts = payers.blind_accounts({account_form(line.account) for line in lines if line.account})
    names: dict[str, frozenset[int]] = {}
    for name, customer_id in named_like(written):
        names[name] = names.get(name, frozenset()) | {customer_id}
    learned: dict[str, dict[str, frozenset[int]]] = {payers.NAME: {}, payers.ACCOUNT: {}}
    meant = {blind: account for account, blind in accounts.items()}
    facts = PayerFact.objects.filter(key__in=[*written, *meant])
    for kind, key, customer_id in facts.values_list("kind", "key", "customer_id"):
        said = meant.get(key, key) if kind == payers.ACCOUNT else key
        learned[kind][said] = learned[kind].get(said, frozenset()) | {customer_id}
    return Known(names, learned[payers.NAME], learned[payers.ACCOUNT])


def _book(found: Mapping[int, Sequence[Proposal]], versions: Mapping[int, int]) -> tuple[int, int]:
    """Book what is certain and still possible, keep the other proposals on their lines.

    Lines are looked at as they were at their `versions`. Returns how many were booked, and how many that are still as
    they were lost something they would have paid.
    """
    bulk.plan_anew()
    rows = lock(BankLine.objects.filter(pk__in=list(versions), state=LineState.OPEN))
    lines = {row.pk: row for row in rows if row.version == versions[row.pk]}
    items = held(
        {
            part.item_id
            for proposals in found.values()
            for each in proposals[:1]
            if each.certain
            for _line_id, parts in each.parts
            for part in parts
        }
    )
    left = {item_id: item.available_minor for item_id, item in items.items()}
    sure: dict[int, tuple[Proposal, tuple[Part, ...]]] = {}
    for proposal in _certain(found):
        if _fits(proposal, lines, left):
            for line_id, parts in proposal.parts:
                sure[line_id] = (proposal, parts)
                for part in parts:
                    left[part.item_id] -= part.minor
    _pay(
        [
            Settling(
                lines[line_id],
                proposal.customer_id,
                items[parts[0].item_id].entity_id,
                {part.item_id: part.minor for part in parts},
            )
            for line_id, (proposal, parts) in sure.items()
        ],
    )
    waiting = {pk: row for pk, row in lines.items() if pk not in sure}
    _keep(waiting, found)
    return len(sure), sum(any(each.certain for each in found.get(pk, ())) for pk in waiting)


def _certain(found: Mapping[int, Sequence[Proposal]]) -> list[Proposal]:
    """Each certain proposal once, those of several lines too."""
    once = {
        proposals[0].line_ids: proposals[0]
        for proposals in found.values()
        if proposals and proposals[0].certain
    }
    return list(once.values())


def _fits(proposal: Proposal, lines: Mapping[int, BankLine], left: Mapping[int, int]) -> bool:
    """Whether all of its lines are still open and its items still hold what it wants."""
    needs: dict[int, int] = {}
    for _line_id, parts in proposal.parts:
        for part in parts:
            needs[part.item_id] = needs.get(part.item_id, 0) + part.minor
    return all(line_id in lines for line_id in proposal.line_ids) and all(
        left.get(item_id, 0) >= minor for item_id, minor in needs.items()
    )


def _keep(lines: Mapping[int, BankLine], found: Mapping[int, Sequence[Proposal]]) -> None:
    """Write what was found for lines that wait, where it changed."""
    fresh = {pk: [_plain(each, pk) for each in found.get(pk, ()) if not each.certain] for pk in lines}
    changed = [row for pk, row in lines.items() if row.proposals != fresh[pk]]
    for row in changed:
        row.proposals = fresh[row.pk]
    BankLine.objects.bulk_update(changed, ["proposals"], batch_size=500)


def _plain(proposal: Proposal, line_id: int) -> dict[str, Any]:
    parts = dict(proposal.parts)[line_id]
    return {
        "customer": proposal.customer_id,
        "parts": [[part.item_id, part.minor] for part in parts],
        "score": proposal.score,
        "lines": [each for each in proposal.line_ids if each != line_id],
        "reasons": [[reason.code, _kept(reason)] for reason in proposal.reasons],
        "doubts": [[reason.code, _kept(reason)] for reason in proposal.doubts],
    }


def _kept(reason: Reason) -> dict[str, str]:
    """The facts of a reason as they may be stored: an account is read from its line, where it is sealed."""
    return {name: fact for name, fact in reason.facts.items() if name != "account"}


@dataclass(frozen=True, slots=True)
class Settling:
    """A line that is booked as a payment of a customer, with the minor units it puts against debit items by id."""

    line: BankLine
    customer_id: int
    entity_id: int
    parts: Mapping[int, int]


def _pay(settlings: Sequence[Settling]) -> None:
    """Book the lines' money and note its payment on each. Lines and items are locked."""
    receipts = [_receipt(each) for each in settlings]
    days = open_from((each.entity_id, each.received_on) for each in receipts)
    book_many(
        [
            Receipt(payment, each.parts, days[payment.entity_id, payment.received_on])
            for payment, each in zip(receipts, settlings, strict=True)
        ]
    )
    BankLine.objects.filter(pk__in=[each.line.pk for each in settlings]).update(proposals=[])
    bulk.update(
        BankLine,
        [
            {"id": each.line.pk, "state": str(LineState.BOOKED), "payment_id": payment.pk}
            for payment, each in zip(receipts, settlings, strict=True)
        ],
    )
    states.record_moves([(each.line.public_id, LineState.OPEN, LineState.BOOKED) for each in settlings])


def _receipt(settling: Settling) -> Payment:
    line = settling.line
    return Payment(
        public_id=ids.new(Payment.PREFIX),
        customer_id=settling.customer_id,
        entity_id=settling.entity_id,
        provider=BANK,
        provider_ref=f"{line.public_id}:{line.version}",
        method="bank_transfer",
        minor=line.minor,
        currency=line.currency,
        received_on=line.booked_on,
        memo=line.memo[:300],
    )


def settle_line(public_id: str, *, version: int, customer: str, parts: Mapping[int, int]) -> Payment:
    """Book a line as a person decided: whose money it is, and what of it goes against which items. Inside work().

    What the parts leave stays unapplied. Teaches under which name and account the customer pays. Natural key: the line
    as it was seen at `version`; sent again it returns the payment that is there. Raises NotFound, Conflict when the
    line changed, Invalid when items are not the customer's or of another currency, TooMuch.
    """
    (line,) = lock(BankLine.objects.filter(public_id=public_id)) or (None,)
    if line is None:
        raise NotFound("That bank line is not here.")
    if line.payment is not None:
        return _same_decision(line, customer, parts)
    if line.state != LineState.OPEN or line.version != version:
        raise Conflict("Somebody changed this line meanwhile. Look again.", code="stale")
    owner = customer_of(customer)
    items = held(parts)
    _own(line, owner.pk, parts, items)
    _pay([Settling(line, owner.pk, _entity(items, owner.entity_id), parts)])
    payers.learn(line, owner.pk)
    return payment_of(line)


def _entity(items: Mapping[int, ItemState], own: int) -> int:
    """The legal entity that is paid: the items', or the customer's own when nothing is paid yet."""
    return next((item.entity_id for item in items.values()), own)


def payment_of(line: BankLine) -> Payment:
    """The payment as which a line is booked."""
    found: Payment = Payment.objects.get(
        pk=BankLine.objects.values_list("payment_id", flat=True).get(pk=line.pk)
    )
    return found


def _same_decision(line: BankLine, customer: str, parts: Mapping[int, int]) -> Payment:
    """The payment that is there, when it is what is asked for again."""
    payment = payment_of(line)
    if customer_of(customer).pk != payment.customer_id or parts_of_credit(payment.public_id) != dict(parts):
        raise KeyReused("This line was booked otherwise a moment ago. Look again.")
    return payment


def _own(line: BankLine, customer_id: int, parts: Mapping[int, int], items: Mapping[int, ItemState]) -> None:
    if set(items) != set(parts):
        raise NotFound("One of the items is not here.")
    facts = {(item.customer_id, item.currency, item.side) for item in items.values()}
    if facts - {(customer_id, line.currency, str(Side.DEBIT))}:
        raise Invalid("Money goes against what this customer owes, in its own currency.")
    if len({item.entity_id for item in items.values()}) > 1:
        raise Invalid("One payment goes against items of one legal entity.")
    if any(minor <= 0 for minor in parts.values()):
        raise Invalid("An amount to apply is more than zero.", fields={"parts": "More than zero."})
    if sum(parts.values()) > line.minor:
        raise Invalid("More is applied than was received.", fields={"parts": "More than was received."})
