"""Each guard keeps a good-looking proposal from being certain. Without it, its test fails."""

from dataclasses import replace
from datetime import date

import pytest

from cashapp.domain.matching import Known, Quote, propose
from tests.unit.cashapp.matching_cases import KNOWN, certain, doubts, item, line, matched

RARE = 7_531_019  # an amount that nothing hits by chance


def test_two_items_that_tie_without_a_reference_are_asked_about() -> None:
    assert "rival" in doubts([line(1, RARE)], [item(1, RARE), item(2, RARE)])


def test_two_items_that_tie_and_are_both_quoted_are_asked_about() -> None:
    items = [item(1, RARE, "R-000001", "PO-778899"), item(2, RARE, "R-000002", "PO-778899")]
    assert doubts([line(1, RARE, "PO-778899")], items) == {"rival"}


def test_two_items_that_tie_and_are_nearly_quoted_alike_are_asked_about() -> None:
    items = [item(1, RARE, "44400011"), item(2, RARE, "44400012")]
    assert "rival" in doubts([line(1, RARE, "44400013")], items)


def test_a_reference_that_is_clearly_nearer_decides_a_tie() -> None:
    items = [item(1, RARE, "44400011"), item(2, RARE, "93817265")]
    assert certain([line(1, RARE, "44400013")], items) == {1: {1: RARE}}


def test_one_item_and_a_set_that_tie_are_asked_about() -> None:
    assert doubts([line(1, RARE)], [item(1, RARE), item(2, 3_000_007), item(3, 4_531_012)]) == {"rival"}


def test_a_quoted_item_against_another_that_ties_is_asked_about() -> None:
    assert doubts([line(1, RARE, "RE-2026-0001")], [item(1, 9_000_000), item(2, RARE)])


def test_a_quoted_item_that_is_not_paid_is_asked_about() -> None:
    items = [item(1, RARE), item(2, 9_000_000)]
    assert doubts([line(1, RARE, "RE-2026-0001 RE-2026-0002")], items)


def test_a_payer_known_by_a_similar_name_only_is_asked_about() -> None:
    assert doubts([line(1, RARE, payer="Nordwind GmbH & Co KG")], [item(1, RARE)]) == {"payer_similar"}


def test_an_unknown_payer_is_asked_about() -> None:
    assert doubts([line(1, RARE, payer="?")], [item(1, RARE)]) == {"payer_unknown"}
    assert doubts([line(1, 40_000, "RE-2026-0001", payer="?")], [item(1, RARE)]) == {"payer_unknown"}


def test_a_name_that_two_customers_have_is_asked_about() -> None:
    assert doubts([line(1, RARE, payer="Wind Holding")], [item(1, RARE)]) == {"payer_shared"}


def test_a_name_and_an_account_of_two_customers_are_asked_about() -> None:
    said = line(1, RARE, payer="Südwind GmbH", account="DE1122223333")
    assert doubts([said], [item(1, RARE)]) == {"payer_shared"}


def test_a_payer_who_is_another_customer_is_asked_about() -> None:
    assert doubts([line(1, RARE, "RE-2026-0001", payer="Südwind GmbH")], [item(1, RARE)]) == {"payer_other"}


def test_numbers_of_two_customers_in_one_memo_are_asked_about() -> None:
    items = [item(1, RARE), item(2, RARE, customer=2)]
    said = line(1, RARE, "RE-2026-0001 RE-2026-0002", payer="?")
    assert doubts([said], items) == {"two_customers"}


@pytest.mark.parametrize(("_case", "minor", "memo"), [
    ("a tiny deduction, nothing quoted", RARE - 2, ""),
    ("a tiny deduction, nearly quoted", RARE - 2, "RE-2026-001"),
    ("a part, nearly quoted", 40_000, "RE-2026-001"),
    ("a short reference proves nothing", 40_000, "1"),
])  # fmt: skip
def test_an_amount_that_does_not_tie_needs_an_exact_reference(_case: str, minor: int, memo: str) -> None:
    assert 1 not in certain([line(1, minor, memo)], [item(1, RARE)])


def test_a_short_number_may_be_anything_and_proves_no_part() -> None:
    assert doubts([line(1, 40_000, "room 2041")], [item(1, RARE, "2041")]) == {"untied"}


def test_more_money_than_is_open_is_asked_about() -> None:
    assert doubts([line(1, RARE + 50_000, "RE-2026-0001")], [item(1, RARE)]) == {"over"}


def test_a_gap_as_large_as_an_item_leaves_open_which_was_meant() -> None:
    items = [item(1, 75_310), item(2, 88_240), item(3, 12_070)]
    said = line(1, 160_000, "RE-2026-0001 RE-2026-0002 RE-2026-0003")
    assert doubts([said], items) == {"short_of_several"}


def test_what_is_left_of_a_part_paid_item_counts_not_what_it_was() -> None:
    items = [item(9, 75_310), item(2, 88_240)]
    lines = [line(1, 88_100, "RE-2026-0009 RE-2026-0002"), line(2, 75_000, "RE-2026-0009")]
    assert certain(lines, items) == {2: {9: 75_000}}


def test_a_gap_within_the_tolerance_may_be_allowed_to_need_less() -> None:
    for gap_needs, memo in ((Quote.NEAR, "RE-2026-001"), (Quote.NONE, "")):
        found = propose([line(1, RARE - 2, memo)], [item(1, RARE)], KNOWN, gap_needs)
        assert found[1][0].certain


def test_sets_that_would_tie_by_chance_are_asked_about() -> None:
    items = [item(n, 1_003 + 97 * n * n) for n in range(1, 23)]
    assert doubts([line(1, items[3].open_minor + items[8].open_minor)], items)
    assert certain([line(1, RARE + items[3].open_minor)], [item(30, RARE), *items[:4]])


def test_amounts_on_a_coarse_grid_tie_by_chance() -> None:
    items = [item(n, 100_000 * n) for n in range(1, 8)]
    assert "by_chance" in doubts([line(1, 700_000)], items[3:])
    assert certain([line(1, 700_000, "RE-2026-0007")], items) == {1: {7: 700_000}}


def test_amounts_that_recur_tie_by_chance() -> None:
    items = [item(1, RARE), *(item(n, 4_900_123) for n in range(2, 9))]
    assert "by_chance" in doubts([line(1, RARE)], items)


def test_a_number_that_nothing_explains_makes_a_tie_less_credible() -> None:
    items = [item(n, 7_531 + 7 * n) for n in range(1, 9)]
    assert certain([line(1, items[0].open_minor)], items)
    assert doubts([line(1, items[0].open_minor, "invoice 55512345")], items) == {"by_chance"}


def test_a_set_found_by_a_bounded_search_is_asked_about() -> None:
    items = [item(n, 10_000_000_019 + n**7) for n in range(1, 30)]
    said = line(1, items[18].open_minor + items[19].open_minor)
    assert "bounded" in doubts([said], items)
    assert certain([said], items[:22])


def test_money_older_than_the_document_is_asked_about() -> None:
    assert doubts([line(1, RARE)], [item(1, RARE, on=date(2026, 3, 21))]) == {"too_early"}
    assert certain([line(1, RARE, "RE-2026-0001")], [item(1, RARE, on=date(2026, 3, 21))])


def test_two_payments_that_claim_one_item_alike_are_both_asked_about() -> None:
    assert doubts([line(1, RARE), line(2, RARE)], [item(1, RARE)]) == {"contested"}
    assert doubts([line(2, RARE), line(1, RARE)], [item(1, RARE)]) == {"contested"}


def test_of_two_payments_that_claim_one_item_the_one_that_quotes_it_wins() -> None:
    found = matched([line(1, RARE), line(2, RARE, "RE-2026-0001")], [item(1, RARE)])
    assert found[2][0].certain
    assert found[1] == []


def test_an_uncertain_proposal_takes_nothing_from_others() -> None:
    unsure = line(1, RARE, payer="Nordwind GmbH & Co KG")
    assert certain([unsure, line(2, RARE)], [item(1, RARE)]) == {2: {1: RARE}}


def test_payments_that_add_up_in_two_ways_are_asked_about() -> None:
    lines = [line(1, 3_000_007), line(2, 4_531_012), line(3, 3_000_007)]
    assert certain(lines, [item(1, RARE)]) == {}


def test_an_account_seen_under_two_names_is_no_bridge() -> None:
    lines = [line(1, RARE, payer="?", account="XX9")]
    lines += [line(2, 5, account="XX9"), line(3, 5, account="XX9", payer="Südwind GmbH")]
    assert doubts(lines, [item(1, RARE)]) == {"payer_shared"}


def test_what_was_learned_wrongly_can_be_contradicted_by_the_name() -> None:
    learned = replace(KNOWN, accounts={"xx9": frozenset({2})})
    assert doubts([line(1, RARE, account="XX9")], [item(1, RARE)], learned) == {"payer_shared"}


def test_without_any_knowledge_nothing_is_certain_by_amount() -> None:
    assert certain([line(1, RARE)], [item(1, RARE)], Known({}, {}, {})) == {}


def test_a_set_that_many_searches_would_find_does_not_disturb_a_single_tie() -> None:
    items = [
        item(1, 5_000),
        item(2, 2_003),
        item(3, 2_997),
        *(item(n, 9_000 + 13 * n * n) for n in range(4, 24)),
    ]
    assert certain([line(1, 5_000)], items) == {1: {1: 5_000}}


def test_the_tolerance_is_two_units_or_two_in_a_hundred_thousand() -> None:
    for minor, gap in ((75_310, 2), (RARE, 150)):
        for more, sure in ((0, True), (1, False)):
            said = line(1, minor - gap - more, "RE-2026-0001", payer="?")  # a part would need a known payer
            assert bool(certain([said], [item(1, minor)])) is sure
