"""The small tools of matching against slow and obvious ways to get the same answer."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cashapp.domain.matching import key, payer_key, tokens
from cashapp.domain.matching.edits import may_occur, substring_edits
from cashapp.domain.matching.sums import MAX_HITS, MAX_VALUES, Sums, subsets
from customers.services.customers import name_key

digits = st.text("0123", max_size=14)


def slow_edits(pattern: str, text: str) -> int:
    row = [0] * (len(text) + 1)
    for i, char in enumerate(pattern, 1):
        above, row = row, [i]
        for j, other in enumerate(text, 1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (char != other)))
    return min(row)


@given(digits.filter(bool), digits)
def test_edits_to_a_substring_are_the_fewest(pattern: str, text: str) -> None:
    assert substring_edits(pattern, text) == slow_edits(pattern, text)


@given(digits.filter(bool), digits, st.integers(0, 3))
def test_what_is_ruled_out_is_really_too_far(pattern: str, text: str, limit: int) -> None:
    assert may_occur(pattern, text, limit) or slow_edits(pattern, text) > limit


@given(st.lists(st.integers(1, 30), max_size=9), st.integers(0, 90), st.integers(2, 5))
def test_sums_are_all_found_and_true(values: list[int], target: int, most: int) -> None:
    expected = {
        indexes
        for size in range(2, most + 1)
        for indexes in combinations(range(len(values)), size)
        if sum(values[i] for i in indexes) == target
    }
    found, ended = Sums(values).find(target, most)
    assert len(found) == len(set(found))
    if ended:
        assert len(found) == MAX_HITS
        assert set(found) < expected
    else:
        assert set(found) == expected


def test_more_values_than_allowed_are_refused() -> None:
    with pytest.raises(ValueError, match="24"):
        Sums(range(1, MAX_VALUES + 2))


def test_subsets_are_counted() -> None:
    assert [subsets(4, most) for most in (1, 2, 3, 9)] == [4, 10, 14, 15]


@pytest.mark.parametrize(("one", "other"), [
    ("RE-2026-0001", "re 2026/0001"),
    ("Größe 7", "GROSSE7"),
    ("Ünal 12", "unal12"),
])  # fmt: skip
def test_writings_of_one_reference_have_one_key(one: str, other: str) -> None:
    assert key(one) == key(other)


@pytest.mark.parametrize("memo", ["pay RE-2026-0001", "RE 2026 0001", "no.1RE20260001", "(re/2026/0001)"])
def test_tokens_hold_the_key_of_a_quoted_number(memo: str) -> None:
    assert key("RE-2026-0001") in tokens(memo)


def test_tokens_hold_a_number_that_a_space_split() -> None:
    assert "7868306031" in tokens("PAYMENT 7868 306031")


def test_tokens_are_bounded_and_never_words() -> None:
    assert tokens("thank you for all") == frozenset()
    assert len(tokens("a1 " * 5_000)) <= 360


@given(st.text(max_size=260))
def test_payers_have_the_key_of_customers(text: str) -> None:
    assert payer_key(text) == name_key(text)
