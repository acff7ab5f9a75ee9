"""What must hold for every batch, whatever is in it."""

import random
from collections import Counter, defaultdict
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from cashapp.domain.matching import Item, Known, Line, Quote, propose, say

CUSTOMERS = ("Alfa", "Beta Holding", "Gama")
KNOWN = Known(
    {name.casefold(): frozenset({n}) for n, name in enumerate(CUSTOMERS, 1)},
    {"shared": frozenset({1, 2})}, {"a1": frozenset({1}), "a2": frozenset({2, 3})},
)  # fmt: skip
NUMBERS = tuple(f"20{n:05d}" for n in range(12))
# Few amounts and numbers, so that ties, contests and collisions are the rule.
amounts = st.sampled_from([100, 200, 300, 500, 700_003, 700_005, 1_200_007, 1_900_010, 2_600_015])


@st.composite
def batches(draw: st.DrawFn) -> tuple[list[Line], list[Item]]:
    items = [
        Item(
            n, draw(st.integers(1, 3)), draw(st.integers(1, 2)), "EUR", draw(amounts), date(2026, 1, 1),
            date(2026, 2, 1) + timedelta(days=draw(st.integers(0, 3))), (draw(st.sampled_from(NUMBERS)),),
        )
        for n in range(draw(st.integers(0, 9)))
    ]  # fmt: skip
    lines = []
    for n in range(draw(st.integers(0, 8))):
        memo = " ".join(draw(st.lists(st.sampled_from((*NUMBERS, "2000", "999888777")), max_size=3)))
        payer = draw(st.sampled_from((*CUSTOMERS, "Shared", "Beta", "?")))
        minor = draw(st.one_of(amounts, st.integers(-5, 3_000_000)))
        lines.append(
            Line(
                100 + n,
                payer,
                draw(st.sampled_from(["", "a1", "a2", "a3"])),
                memo,
                "EUR",
                minor,
                date(2026, 2, 2),
            )
        )
    return lines, items


gaps = st.sampled_from(Quote)


@settings(max_examples=120, deadline=None)
@given(batches(), gaps)
def test_parts_never_exceed_the_line_or_what_is_open(
    batch: tuple[list[Line], list[Item]], gap: Quote
) -> None:
    lines, items = batch
    money = {line.line_id: line.minor for line in lines}
    owed = {item.item_id: item.open_minor for item in items}
    for found in propose(lines, items, KNOWN, gap).values():
        assert len(found) <= 5
        for proposal in found:
            used: Counter[int] = Counter()
            for line_id, parts in proposal.parts:
                assert sum(part.minor for part in parts) <= money[line_id]
                assert all(part.minor > 0 for part in parts)
                used.update({part.item_id: part.minor for part in parts})
            assert all(minor <= owed[item_id] for item_id, minor in used.items())
            assert len(used) <= 8 or all(reason.code == "quoted" for reason in proposal.reasons[:1])


@settings(max_examples=120, deadline=None)
@given(batches(), gaps)
def test_certain_proposals_can_all_be_booked_together(
    batch: tuple[list[Line], list[Item]], gap: Quote
) -> None:
    lines, items = batch
    result = propose(lines, items, KNOWN, gap)
    sure = {found[0].line_ids: found[0] for found in result.values() if found and found[0].certain}
    used_lines = Counter(line_id for ids in sure for line_id in ids)
    assert all(count == 1 for count in used_lines.values())
    used: Counter[int] = Counter()
    for proposal in sure.values():
        for line_id, parts in proposal.parts:
            assert result[line_id] == [proposal]
            for part in parts:
                used[part.item_id] += part.minor
    assert all(used[item.item_id] <= item.open_minor for item in items)


@settings(max_examples=120, deadline=None)
@given(batches(), gaps, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(
    batch: tuple[list[Line], list[Item]], gap: Quote, rng: random.Random
) -> None:
    lines, items = batch
    before = propose(lines, items, KNOWN, gap)
    rng.shuffle(lines)
    rng.shuffle(items)
    assert propose(lines, items, KNOWN, gap) == before


@settings(max_examples=120, deadline=None)
@given(batches())
def test_a_proposal_keeps_to_one_customer_currency_and_legal_entity(
    batch: tuple[list[Line], list[Item]],
) -> None:
    lines, items = batch
    by_id = {item.item_id: item for item in items}
    for line_id, found in propose(lines, items, KNOWN).items():
        assert line_id in {line.line_id for line in lines}
        for proposal in found:
            own = [by_id[part.item_id] for _, parts in proposal.parts for part in parts]
            assert {item.customer_id for item in own} == {proposal.customer_id}
            assert len({(item.currency, item.entity_id) for item in own}) == 1


@settings(max_examples=120, deadline=None)
@given(batches())
def test_each_proposal_says_why_and_each_doubt_can_be_said(batch: tuple[list[Line], list[Item]]) -> None:
    for found in propose(*batch, KNOWN).values():
        for proposal in found:
            assert 1 <= len(proposal.reasons) <= 3
            assert len(proposal.doubts) <= 2
            assert proposal.certain == (not proposal.doubts)
            assert proposal.certain == (proposal.score >= 95)
            assert all(say(reason).endswith(".") for reason in (*proposal.reasons, *proposal.doubts))


@settings(max_examples=120, deadline=None)
@given(batches())
def test_sure_sums_are_exact_unless_references_prove_the_gap(batch: tuple[list[Line], list[Item]]) -> None:
    lines, items = batch
    money = {line.line_id: line.minor for line in lines}
    taken: dict[int, int] = defaultdict(int)
    for line_id, found in propose(lines, items, KNOWN).items():
        if found and found[0].certain:
            own = dict(found[0].parts)[line_id]
            taken[line_id] = sum(part.minor for part in own)
            if taken[line_id] != money[line_id]:
                assert found[0].reasons[0].code == "quoted"
                assert money[line_id] - taken[line_id] <= max(2, money[line_id] // 50_000)
