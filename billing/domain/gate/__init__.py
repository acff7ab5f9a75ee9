"""The gate: what a run is about to bill against what could be expected, before anything is issued.

Four accounts of the same bill are compared: the contract's own terms and calendar, recomputed; the periods billed
before, where every difference needs a recorded change; the crowd of the same price, for what has no past; and the
subscription's own swings, for what is measured. What none of them can tell from honest change passes.
"""

from collections.abc import Iterable, Iterator, Sequence

from billing.domain.gate.absent import absent
from billing.domain.gate.arithmetic import arithmetic
from billing.domain.gate.changes import changes, heeded
from billing.domain.gate.crowd import Twins, alike, assemble, newcomers, twins
from billing.domain.gate.dates import days
from billing.domain.gate.facts import (
    Bill,
    Crowd,
    Declared,
    Discount,
    Finding,
    Item,
    Line,
    Scene,
    Severity,
    Terms,
    Tier,
    Timing,
)
from billing.domain.gate.look import Look
from billing.domain.gate.measured import Measured, measured, usage

__all__ = [
    "Bill", "Crowd", "Declared", "Discount", "Finding", "Item", "Line", "Scene", "Severity", "Terms", "Tier",
    "Timing", "assemble", "review",
]  # fmt: skip


def review(
    bills: Sequence[Bill], scene: Scene, accepted: Iterable[str] = ()
) -> dict[int, tuple[Finding, ...]]:
    """What is odd, by subscription; who is not in it may be billed.

    Bills of one batch are looked at together, since a season and a double show only among several. `accepted` are
    keys of findings that a person said yes to.
    """
    plans, others, yes = measured(bills), twins(bills), frozenset(accepted)
    found = {}
    for bill in bills:
        look = Look(bill, scene)
        findings = [each for each in _all(look, plans, others) if each.key not in yes]
        if findings:
            found[bill.subscription] = tuple(findings)
    return found


def _all(look: Look, plans: Measured, others: Twins) -> Iterator[Finding]:
    yield from arithmetic(look)
    yield from days(look)
    yield from changes(look)
    yield from heeded(look)
    yield from absent(look)
    yield from newcomers(look)
    yield from usage(look, plans)
    yield from alike(look, others)
