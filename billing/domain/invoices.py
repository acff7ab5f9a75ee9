"""Which charges stand on one invoice. Pure: preview and run ask the same function."""

from collections.abc import Iterable, Sequence

from billing.domain.charges import Charge
from billing.domain.dues import Due

MOST_LINES = 150
"""More than these lines are no invoice that anybody reads: what follows goes onto another one."""


def invoices_of(charges: Iterable[Charge]) -> list[tuple[Charge, ...]]:
    """The charges that have lines, as invoices, in the order of their first.

    A subscription has its own invoice, unless its customer wants one of all that is due together; and then what differs
    in currency, legal entity, terms or how it is collected has its own as well. So has late usage of what nothing else
    is due of: a run comes for it when all bills are made.
    """
    found: list[list[Charge]] = []
    open_by: dict[tuple[object, ...], list[Charge]] = {}
    for each in charges:
        if not each.drafts:
            continue
        key = _what_they_share(each)
        mates = open_by.get(key)
        if mates is None or sum(len(mate.drafts) for mate in mates) + len(each.drafts) > MOST_LINES:
            open_by[key] = mates = []
            found.append(mates)
        mates.append(each)
    return [tuple(each) for each in found]


def deposit_percent(group: Sequence[Charge]) -> int:
    """How much of an invoice is due on the day it is issued, in percent: what its customer was told, else the most that
    a plan on it says.
    """
    own = group[0].facts.deposit_percent
    if own is not None:
        return own
    return max((due.item.deposit_percent for each in group for due in _billed(each)), default=0)


def _billed(each: Charge) -> list[Due]:
    """What its lines bill: what is due, and what is billed more of periods that were billed before."""
    return [*each.dues, *(found.due for found in each.corrections if found.line is not None)]


def _what_they_share(each: Charge) -> tuple[object, ...]:
    facts = each.facts
    if not facts.one_invoice:
        return (facts.subscription_id,)
    bill = bool(each.dues or each.credits)
    return (facts.customer_id, facts.entity_id, facts.currency, facts.terms_days, facts.autopay, bill)
