"""What the grants of several items and overrides come to."""

from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.features import (
    Combine,
    Entitled,
    FeatureFacts,
    Kind,
    Mode,
    Source,
    Value,
    entitled,
    feature_problems,
    value_problems,
)

MAX, SUM = Combine.MAX, Combine.SUM


def limit(**given: Any) -> FeatureFacts:
    return FeatureFacts("feat_1", "seats", "Seats", Kind.LIMIT, "seats", **given)


def item(n: int, amount: str | None, *, of: str = "a", quantity: str = "1", text: str = "") -> Source:
    value = Value(None if amount is None else Decimal(amount), text)
    return Source(f"si_{n}", of, "Basic", ("2026-01-01", n), value, Decimal(quantity))


def over(mode: Mode, amount: str | None = None, *, of: str = "a", text: str = "", on: bool = True) -> Source:
    value = Value(None if amount is None else Decimal(amount), text, on)
    return Source(f"fovr_{of}", of, "", ("2026-02-01", 1), value, mode=mode)


def said(found: Entitled) -> str:
    return "off" if not found.on else "unlimited" if found.unlimited else f"{found.value.amount}"


@pytest.mark.parametrize(("_case", "feature", "sources", "comes_to"), [
    ("nothing", limit(), [], "off"),
    ("one", limit(), [item(1, "10")], "10"),
    ("none of it", limit(), [item(1, "0")], "off"),
    ("the highest", limit(), [item(1, "10"), item(2, "25")], "25"),
    ("all together", limit(combine=SUM), [item(1, "10"), item(2, "25")], "35"),
    ("no end wins", limit(combine=SUM), [item(1, "10"), item(2, None)], "unlimited"),
    ("no end is the highest", limit(), [item(1, None), item(2, "10")], "unlimited"),
    ("for each unit", limit(per_unit=True), [item(1, "5", quantity="3")], "15"),
    ("units and sum", limit(per_unit=True, combine=SUM), [item(1, "5", quantity="3"), item(2, "1")], "16"),
    ("not for each unit", limit(), [item(1, "5", quantity="3")], "5"),
    ("50 more", limit(), [item(1, "10"), over(Mode.ADD, "50")], "60"),
    ("50 more of nothing", limit(), [over(Mode.ADD, "50")], "50"),
    ("more than no end", limit(), [item(1, None), over(Mode.ADD, "50")], "unlimited"),
    ("more is not for each unit", limit(per_unit=True), [item(1, "5", quantity="3"), over(Mode.ADD, "1")], "16"),
    ("just so much", limit(), [item(1, "10"), over(Mode.SET, "3")], "3"),
    ("set to no end", limit(), [item(1, "10"), over(Mode.SET)], "unlimited"),
    ("taken away", limit(), [item(1, "10"), over(Mode.SET, on=False)], "off"),
    ("an override is of its subscription", limit(combine=SUM),
     [item(1, "10"), over(Mode.SET, on=False), item(2, "7", of="b")], "7"),
    ("the highest of subscriptions", limit(), [item(1, "10"), over(Mode.ADD, "50"), item(2, "20", of="b")], "60"),
    ("the sum of subscriptions", limit(combine=SUM),
     [item(1, "10"), over(Mode.ADD, "50"), item(2, "20", of="b")], "80"),
])  # fmt: skip
def test_limits(_case: str, feature: FeatureFacts, sources: list[Source], comes_to: str) -> None:
    for order in permutations(sources):
        assert said(entitled(feature, order)) == comes_to


def test_a_switch_is_on_where_anything_grants_it() -> None:
    sso = FeatureFacts("feat_2", "sso", "SSO", Kind.SWITCH, "")
    assert not entitled(sso, []).on
    assert entitled(sso, [item(1, None), item(2, None, of="b")]).on
    assert entitled(sso, [over(Mode.SET)]).on
    assert not entitled(sso, [item(1, None), over(Mode.SET, on=False)]).on
    assert entitled(sso, [item(1, None), over(Mode.SET, on=False), item(2, None, of="b")]).on


def test_of_texts_the_newest_counts_and_an_override_before_it() -> None:
    support = FeatureFacts("feat_3", "support", "Support", Kind.TEXT, "")
    mail, phone = item(1, None, text="by mail"), item(2, None, text="by phone", of="b")
    own = over(Mode.SET, text="in person")
    for order in permutations([mail, phone]):
        assert entitled(support, order).value.text == "by phone"
    for order in permutations([mail, phone, own]):
        assert entitled(support, order).value.text == "in person"
    taken = over(Mode.SET, on=False)
    assert not entitled(support, [mail, taken]).on
    assert entitled(support, [mail, taken, phone]).value.text == "by phone"


AMOUNTS = st.one_of(st.none(), st.decimals(0, 10**12, places=12))


@given(
    st.lists(st.tuples(AMOUNTS, st.sampled_from("abc"), st.decimals(0, 10**12, places=12)), max_size=6),
    st.booleans(),
)
def test_a_sum_is_exact_and_never_below_the_highest(
    rows: list[tuple[Any, str, Decimal]], per_unit: bool
) -> None:
    sources = [
        Source(f"si_{n}", of, "P", ("2026-01-01", n), Value(amount), quantity)
        for n, (amount, of, quantity) in enumerate(rows)
    ]
    most, total = (entitled(limit(combine=how, per_unit=per_unit), sources) for how in (MAX, SUM))
    assert (most.unlimited, bool(sources)) == (total.unlimited, most.value.on)
    if sources and not most.unlimited:
        assert most.value.amount is not None
        assert total.value.amount is not None
        assert most.value.amount <= total.value.amount
        places = 24 if per_unit else 12
        exact = sum(
            int(each.value.amount.scaleb(12)) * (int(each.quantity.scaleb(12)) if per_unit else 1)  # type: ignore[union-attr]
            for each in sources
        )
        numerator, denominator = total.value.amount.as_integer_ratio()
        assert numerator * 10**places == exact * denominator


@pytest.mark.parametrize(("_case", "kind", "given_", "field"), [
    ("less than nothing", Kind.LIMIT, {"amount": Decimal(-1)}, "amount"),
    ("far too much", Kind.LIMIT, {"amount": Decimal("1e30")}, "amount"),
    ("no number", Kind.LIMIT, {"amount": Decimal("NaN")}, "amount"),
    ("endless as a number", Kind.LIMIT, {"amount": Decimal("Infinity")}, "amount"),
    ("too fine", Kind.LIMIT, {"amount": Decimal("0.0000000000001")}, "amount"),
    ("nothing said", Kind.LIMIT, {}, "amount"),
    ("both", Kind.LIMIT, {"amount": Decimal(1), "unlimited": True}, "amount"),
    ("words of a limit", Kind.LIMIT, {"amount": Decimal(1), "text": "x"}, "text"),
    ("an amount of a switch", Kind.SWITCH, {"amount": Decimal(1)}, "amount"),
    ("no end of a switch", Kind.SWITCH, {"unlimited": True}, "unlimited"),
    ("words of a switch", Kind.SWITCH, {"text": "x"}, "text"),
    ("no words", Kind.TEXT, {"text": " "}, "text"),
    ("too many words", Kind.TEXT, {"text": "x" * 201}, "text"),
    ("an amount of a text", Kind.TEXT, {"text": "x", "amount": Decimal(1)}, "amount"),
])  # fmt: skip
def test_what_cannot_be_granted(_case: str, kind: Kind, given_: dict[str, Any], field: str) -> None:
    wanted = {"amount": None, "unlimited": False, "text": "", **given_}
    assert list(value_problems(kind, **wanted)) == [field]


@pytest.mark.parametrize(("_case", "given_", "field"), [
    ("no name", {"name": " "}, "name"),
    ("a long name", {"name": "x" * 201}, "name"),
    ("an id as code", {"code": "feat_1"}, "code"),
    ("capitals", {"code": "SSO"}, "code"),
    ("a dot", {"code": "a.b"}, "code"),
    ("no such kind", {"kind": "number"}, "kind"),
    ("a unit of a switch", {"kind": "switch", "unit": "seats"}, "unit"),
    ("a long unit", {"unit": "x" * 41}, "unit"),
    ("no such way", {"combine": "min"}, "combine"),
])  # fmt: skip
def test_what_is_no_feature(_case: str, given_: dict[str, str], field: str) -> None:
    fine = {"name": "Seats", "code": "seats", "kind": "limit", "unit": "seats", "combine": "max"}
    assert feature_problems(**fine) == {}
    assert list(feature_problems(**{**fine, **given_})) == [field]
