"""What was agreed of a subscription, read back from its items: one step for one thing, in order of days."""

from datetime import date
from decimal import Decimal

from billing.domain.timeline import Agreed, Lived, steps


def day(n: int) -> date:
    return date(2026, 3, n)


def item(
    n: int,
    starts: int,
    ends: int | None = None,
    *,
    price: int = 1,
    quantity: int = 1,
    plan: bool = True,
    paused: bool = False,
) -> Lived:
    return Lived(n, plan, price, Decimal(quantity), day(starts), day(ends) if ends else None, paused)


def told(
    *items: Lived, trial: int | None = None, ends: int | None = None
) -> list[tuple[str, int, int | None]]:
    agreed = Agreed(day(1), day(trial) if trial else None, day(ends) if ends else None)
    return [(str(each.kind), each.day.day, each.item) for each in steps(agreed, items)]


def test_a_trial_ends_where_it_is_billed_from() -> None:
    assert told(item(1, 8), trial=8) == [("began", 1, 1), ("trial_ended", 8, 1)]


def test_a_change_is_one_step_from_what_to_what() -> None:
    found = steps(
        Agreed(day(1), None, None), [item(1, 1, 5), item(2, 5, 9, price=2), item(3, 9, price=2, quantity=4)]
    )
    assert [(str(each.kind), each.day.day, each.before, each.item) for each in found] == [
        ("began", 1, None, 1), ("plan_changed", 5, 1, 2), ("quantity_changed", 9, 2, 3),
    ]  # fmt: skip


def test_a_pause_is_told_of_the_plan_and_not_of_what_is_beside_it() -> None:
    rows = [
        item(1, 1, 5, paused=True), item(2, 1, 5, price=7, plan=False, paused=True),
        item(3, 9), item(4, 9, price=7, plan=False),
    ]  # fmt: skip
    assert told(*rows) == [("began", 1, 1), ("item_added", 1, 2), ("paused", 5, 1), ("resumed", 9, 3)]
    (pause,) = [each for each in steps(Agreed(day(1), None, None), rows) if each.kind == "paused"]
    assert pause.until == day(9)


def test_what_was_said_for_a_day_in_a_pause_is_told_where_it_goes_on() -> None:
    rows = [item(1, 1, 5, paused=True), item(2, 9, quantity=4)]
    assert told(*rows) == [("began", 1, 1), ("paused", 5, 1), ("resumed", 9, 2), ("quantity_changed", 9, 2)]


def test_a_pause_without_an_end_and_one_with_the_end_in_it() -> None:
    rows = [item(1, 1, 5, paused=True), item(2, 1, 5, price=7, plan=False, paused=True)]
    assert told(*rows) == [("began", 1, 1), ("item_added", 1, 2), ("paused", 5, 1)]
    assert told(item(1, 1, 5, paused=True), item(2, 9), ends=7) == [
        ("began", 1, 1), ("paused", 5, 1), ("ended", 7, None),
    ]  # fmt: skip


def test_what_ended_and_began_again() -> None:
    rows = [item(1, 1, 5), item(2, 1, 5, price=7, plan=False), item(3, 9), item(4, 9, price=7, plan=False)]
    assert told(*rows) == [("began", 1, 1), ("item_added", 1, 2), ("ended", 5, 1), ("reactivated", 9, 3)]
    assert told(item(1, 1, 5), item(2, 5)) == [("began", 1, 1), ("reactivated", 5, 2)]


def test_what_is_beside_the_plan_begins_and_ends_alone() -> None:
    rows = [item(1, 1), item(2, 3, 6, price=7, plan=False), item(3, 8, price=7, plan=False)]
    assert told(*rows) == [("began", 1, 1), ("item_added", 3, 2), ("item_ended", 6, 2), ("item_added", 8, 3)]


def test_nothing_begins_at_or_after_the_end() -> None:
    rows = [
        item(1, 1, 7),
        item(2, 7, price=2),
        item(3, 9, price=7, plan=False),
        item(4, 2, 7, price=8, plan=False),
    ]
    assert told(*rows, ends=7) == [("began", 1, 1), ("item_added", 2, 4), ("ended", 7, None)]
    assert told(item(1, 1), ends=1) == [("began", 1, 1), ("ended", 1, None)]
    assert told() == []
