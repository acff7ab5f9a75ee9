"""Right, wrong and undecided are counted as their definitions say."""

from fractions import Fraction

import pytest

from cashapp.domain.matching.measure import by_category, measure

TRUTH = {1: {10}, 2: {20, 21}, 3: {30}, 4: set(), 5: set(), 6: {60}}
DECIDED = {1: {10}, 2: {20}, 3: {31}, 4: {40}}


def test_every_line_is_right_wrong_incomplete_or_undecided() -> None:
    found = measure(TRUTH, DECIDED)
    assert (found.lines, found.right, found.wrong, found.incomplete, found.undecided) == (6, 1, 2, 1, 2)
    assert (found.rightly_left, found.attainable) == (1, 4)


def test_precision_and_recall_count_links_exactly() -> None:
    found = measure(TRUTH, DECIDED)
    assert found.precision == Fraction(2, 4)
    assert found.recall == Fraction(2, 5)
    assert found.percent(found.right) == Fraction(100, 6)


def test_a_false_link_beside_the_true_ones_is_wrong() -> None:
    found = measure({1: {10}}, {1: {10, 11}})
    assert (found.right, found.wrong) == (0, 1)


def test_nothing_to_do_is_no_division_by_zero() -> None:
    found = measure({}, {})
    assert (found.precision, found.recall, found.percent(found.right)) == (1, 1, 0)


def test_a_decision_on_a_line_without_truth_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown"):
        measure({}, {1: {10}})


def test_categories_are_measured_apart() -> None:
    found = by_category(TRUTH, DECIDED, {1: "one", 2: "many", 3: "one", 4: "one", 5: "many", 6: "many"})
    assert {name: (one.lines, one.right, one.wrong) for name, one in found.items()} == {
        "one": (3, 1, 2), "many": (3, 0, 0),
    }  # fmt: skip
