"""How many planted faults the gate holds, and how many honest bills, in worlds made from seeds.

The bounds are those of the promise: of twenty faults nineteen, of good bills one in two hundred. Seeds above 100 took
no part in setting what the gate goes by, nor did the kinds of `UNSEEN` and `MORE`, two of the latter aside.
"""

import random
from collections import Counter

import pytest

from billing.domain.gate import review
from tests.unit.billing.gate_faults import TUNED, UNSEEN, Fault, plant
from tests.unit.billing.gate_more_faults import MORE
from tests.unit.billing.gate_world import Maker, World

BATCH = 500


def held(world: World) -> set[int]:
    """The subscriptions held when the world is billed in batches, as a run does."""
    bills = list(world.bills.values())
    found: set[int] = set()
    for first in range(0, len(bills), BATCH):
        found |= review(bills[first : first + BATCH], world.scene).keys()
    return found


@pytest.mark.parametrize("seed", [101, 102, 103])
def test_honest_bills_pass(seed: int) -> None:
    world = Maker(seed, 3000).world()
    assert len(held(world)) <= len(world.bills) // 200


@pytest.mark.parametrize(("_case", "kinds"), [("tuned", TUNED), ("unseen", UNSEEN), ("more", MORE)])
def test_faults_are_held_in_any_world(_case: str, kinds: tuple[Fault, ...]) -> None:
    missed: Counter[str] = Counter()
    planted = 0
    for seed in range(111, 115):
        world = Maker(seed, 2000).world()
        faults = plant(world, kinds, 60, random.Random(seed))
        found = held(world)
        planted += len(faults)
        missed.update(kind for number, kind in faults.items() if number not in found)
        assert len(found - faults.keys()) <= len(world.bills) // 200, "and the good ones beside them pass"
    assert missed.total() * 20 <= planted, missed


def test_twenty_in_ten_thousand() -> None:
    """The promise as it stands."""
    world = Maker(121, 10_000).world()
    faults = plant(world, TUNED + UNSEEN + MORE, 20, random.Random(121))
    found = held(world)
    assert len(faults.keys() & found) >= 19, {kind for number, kind in faults.items() if number not in found}
    assert len(found - faults.keys()) <= 50


def test_what_is_held_does_not_hang_on_the_order_of_a_batch() -> None:
    world = Maker(131, 400).world()
    plant(world, TUNED + UNSEEN + MORE, 60, random.Random(131))
    bills = list(world.bills.values())
    found = review(bills, world.scene)
    random.Random(1).shuffle(bills)
    assert {number: set(each) for number, each in review(bills, world.scene).items()} == {
        number: set(each) for number, each in found.items()
    }
