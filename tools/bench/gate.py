"""The gate: how many planted faults it holds, how many good bills beside them, and what looking costs."""

import random
import time
from collections import Counter
from collections.abc import Iterator

from billing.domain.gate import review
from tests.unit.billing.gate_faults import HARD, TUNED, UNSEEN, Fault, plant
from tests.unit.billing.gate_more_faults import MORE
from tests.unit.billing.gate_world import Maker
from tools.bench.report import Row

COUNT, PLANTED, SEEDS, BATCH = 10_000, 20, range(301, 306), 500


def _tried(
    seed: int, kinds: tuple[Fault, ...], planted: int
) -> tuple[Counter[str], Counter[str], int, int, float]:
    """Planted and missed by kind, good bills held, bills, and CPU seconds, of one world."""
    world = Maker(seed, COUNT).world()
    faults = plant(world, kinds, planted, random.Random(seed))  # noqa: S311 - a bench, no secret
    bills = list(world.bills.values())
    held: set[int] = set()
    began = time.process_time()
    for first in range(0, len(bills), BATCH):
        held |= review(bills[first : first + BATCH], world.scene).keys()
    spent = time.process_time() - began
    missed = Counter(kind for number, kind in faults.items() if number not in held)
    return Counter(faults.values()), missed, len(held - faults.keys()), len(bills), spent


def gate() -> Iterator[Row]:
    """Twenty faults among 10,000, five worlds each: of kinds it was tuned on, and of kinds it was not."""
    for name, kinds in (("kinds it was tuned on", TUNED), ("other kinds", UNSEEN + MORE)):
        found = [_tried(seed, kinds, PLANTED) for seed in SEEDS]
        planted, missed = sum(each[0].total() for each in found), sum(each[1].total() for each in found)
        worst = max(each[1].total() for each in found)
        yield Row(
            f"gate, {PLANTED} faults in {COUNT:,}, {name}", f"{planted - missed} of {planted} held",
            f"worst world {PLANTED - worst} of {PLANTED}", 1 - missed / planted, 0.95,
        )  # fmt: skip
        good, bills = sum(each[2] for each in found), sum(each[3] for each in found)
        yield Row(
            "  good ones held beside them", f"{good} of {bills:,}", f"worst world {max(each[2] for each in found)}",
            good / bills, 0.005, at_least=False,
        )  # fmt: skip
        spent = max(each[4] for each in found)
        yield Row("  CPU of looking at them", f"{spent:.2f} s", "1.5 s", spent / 1.5, 1, at_least=False)
    planted_, missed_ = Counter[str](), Counter[str]()
    for seed in SEEDS:
        some, out, *_ = _tried(seed, HARD, 100)
        planted_, missed_ = planted_ + some, missed_ + out
    share = 1 - missed_.total() / planted_.total()
    yield Row("  usage just doubled, which noise hides", f"{share:.0%} held", "no target", share, 0)
