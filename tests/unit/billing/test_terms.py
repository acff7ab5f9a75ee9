"""Terms of a price as they are said: what makes no price is named at its field, what makes one is kept exactly."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.pricing import Model, Terms, Tier
from billing.domain.terms import BadTerms, as_json, terms_of

TIERS = [{"up_to": "5", "unit_price": "7"}, {"up_to": None, "unit_price": "6.5", "flat": "1"}]


@pytest.mark.parametrize(("_case", "model", "said", "field", "why"), [
    ("no such model", "auction", {}, "model", "no such model"),
    ("a field of another model", "flat", {"unit_price": "1", "percent": "1"}, "percent", "no such field"),
    ("a field of none", "flat", {"unit_price": "1", "colour": "red"}, "colour", "no such field"),
    ("no price", "per_unit", {}, "unit_price", "needs"),
    ("no size", "package", {"unit_price": "1"}, "per", "needs"),
    ("packages of nothing", "package", {"unit_price": "1", "per": "0"}, "per", "More than zero"),
    ("no tiers", "volume", {}, "tiers", "1 to 100"),
    ("too many tiers", "volume", {"tiers": [{"up_to": str(n)} for n in range(1, 102)]}, "tiers", "1 to 100"),
    ("not a number", "flat", {"unit_price": "one"}, "unit_price", "not a number"),
    ("no finite number", "flat", {"unit_price": Decimal("NaN")}, "unit_price", "Zero or more"),
    ("below zero", "flat", {"unit_price": "-1"}, "unit_price", "Zero or more"),
    ("absurd", "flat", {"unit_price": "1e13"}, "unit_price", "absurdly"),
    ("too exact", "flat", {"unit_price": "0.0000000000001"}, "unit_price", "12 decimals"),
    ("more than all", "percentage", {"percent": "101"}, "percent", "100 percent"),
    ("part of an event", "percentage", {"percent": "1", "free_events": True}, "free_events", "whole number"),
    ("free twice", "percentage", {"percent": "1", "free": "1", "free_events": 1}, "free", "either"),
    ("least above most", "per_unit", {"unit_price": "1", "minimum": "3", "maximum": "2"}, "maximum", "less than"),
    ("tiers fall", "volume", {"tiers": [{"up_to": "5"}, {"up_to": "5"}, {}]}, "tiers.1.up_to", "above the tier"),
    ("an end missing", "volume", {"tiers": [{"up_to": None}, {"up_to": None}]}, "tiers.0.up_to", "Only the last"),
    ("the last ends", "graduated", {"tiers": [{"up_to": "5"}]}, "tiers.0.up_to", "last tier has no end"),
    ("a tier of zero", "graduated", {"tiers": [{"up_to": "0"}, {}]}, "tiers.0.up_to", "More than zero"),
    ("a percent in a plain tier", "volume", {"tiers": [{"percent": "1"}]}, "tiers.0.percent", "no such field"),
    ("a price in a stair", "stairstep", {"tiers": [{"unit_price": "1"}]}, "tiers.0.unit_price", "no such field"),
])  # fmt: skip
def test_what_makes_no_price_is_named(
    _case: str, model: str, said: Mapping[str, Any], field: str, why: str
) -> None:
    with pytest.raises(BadTerms) as caught:
        terms_of(model, said)
    assert why in caught.value.fields[field]


def test_terms_are_read_and_kept() -> None:
    terms = terms_of("graduated", {"tiers": TIERS, "minimum": "10.00", "maximum": None})
    tiers = (Tier(Decimal(5), Decimal(7)), Tier(None, Decimal("6.5"), flat=Decimal(1)))
    assert terms == Terms(Model.GRADUATED, tiers=tiers, minimum=Decimal(10))
    assert as_json(terms) == {"minimum": "10", "tiers": TIERS}


_amounts = st.decimals(0, 10**9, places=12)


@given(
    st.lists(st.integers(1, 10**6), unique=True, max_size=5).map(sorted), st.data(),
    st.sampled_from([Model.GRADUATED, Model.VOLUME]), st.booleans(),
)  # fmt: skip
def test_what_is_kept_reads_back_the_same(
    ends: list[int], data: st.DataObject, model: Model, at_zero: bool
) -> None:
    tiers = tuple(
        Tier(None if end is None else Decimal(end), data.draw(_amounts), flat=data.draw(_amounts))
        for end in [*ends, None]
    )
    terms = Terms(model, tiers=tiers, flat_at_zero=at_zero)
    assert terms_of(str(model), as_json(terms)) == terms
