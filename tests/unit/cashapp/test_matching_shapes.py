"""Which shapes of payment are recognised, and how their money is placed."""

from dataclasses import replace

import pytest

from cashapp.domain.matching import Known, say
from tests.unit.cashapp.matching_cases import KNOWN, certain, item, line, matched


def test_one_payment_pays_one_item() -> None:
    assert certain([line(1, 75_310)], [item(1, 75_310), item(2, 88_240)]) == {1: {1: 75_310}}


def test_a_payment_for_nothing_in_the_ledger_is_left_alone() -> None:
    assert matched([line(1, 60_000)], [item(1, 75_310), item(2, 88_240)]) == {1: []}
    assert matched([line(1, 60_000, "RE-2026-0999")], [item(1, 75_310)])[1] == []
    assert matched([line(1, 60_000)], []) == {1: []}


def test_money_that_goes_out_is_left_alone() -> None:
    assert matched([line(1, -75_310, "RE-2026-0001"), line(2, 0)], [item(1, 75_310)]) == {1: [], 2: []}


def test_a_memo_names_several_items() -> None:
    items = [item(1, 75_310), item(2, 88_240), item(3, 12_070)]
    assert certain([line(1, 87_380, "RE-2026-0001, RE-2026-0003")], items) == {1: {1: 75_310, 3: 12_070}}


def test_items_that_only_add_up_are_found_without_a_memo() -> None:
    items = [item(1, 7_531_019), item(2, 8_824_061), item(3, 1_207_007)]
    assert certain([line(1, 8_738_026)], items) == {1: {1: 7_531_019, 3: 1_207_007}}


def test_several_payments_name_one_item_and_each_pays_its_part() -> None:
    lines = [line(1, 30_000, "RE-2026-0001"), line(2, 45_310, "RE 2026 0001")]
    assert certain(lines, [item(1, 75_310)]) == {1: {1: 30_000}, 2: {1: 45_310}}


def test_several_payments_add_up_to_one_item_without_a_memo() -> None:
    lines = [line(1, 3_000_007), line(2, 4_531_012), line(3, 555_555)]
    found = matched(lines, [item(1, 7_531_019), item(2, 8_824_061)])
    assert found[1] == found[2]
    assert found[1][0].line_ids == (1, 2)
    assert found[1][0].certain
    assert found[3] == []


def test_the_rest_of_a_part_paid_item_is_recognised() -> None:
    lines = [line(1, 30_000, "RE-2026-0001"), line(2, 45_310)]
    assert certain(lines, [item(1, 75_310)]) == {1: {1: 30_000}, 2: {1: 45_310}}


def test_a_short_payment_by_exact_references_fills_the_earliest_due_first() -> None:
    memo = "RE-2026-0001 RE-2026-0002"
    assert certain([line(1, 160_000, memo)], [item(1, 75_310), item(2, 88_240)]) == {
        1: {1: 75_310, 2: 84_690}
    }


def test_a_tiny_deduction_beside_an_exact_reference_is_accepted() -> None:
    assert certain([line(1, 75_308, "RE-2026-0001")], [item(1, 75_310)]) == {1: {1: 75_308}}


def test_a_unit_too_much_stays_unapplied() -> None:
    assert certain([line(1, 75_311, "RE-2026-0001")], [item(1, 75_310)]) == {1: {1: 75_310}}


def test_parts_rounded_each_for_itself_may_be_a_unit_too_much() -> None:
    lines = [line(1, 30_001, "RE-2026-0001"), line(2, 45_310, "RE-2026-0001")]
    assert sum(certain(lines, [item(1, 75_310)])[2].values()) == 45_309


@pytest.mark.parametrize(("_case", "memo"), [
    ("as printed", "Invoice RE-2026-0001 thank you"),
    ("other signs", "re/2026/0001"),
    ("split", "RE 20 26 00 01"),
    ("glued to words", "InvoiceRE20260001of March"),
    ("letters lost", "invoice 20260001"),
    ("a digit lost", "RE-2026-001"),
    ("a digit wrong", "RE-2026-0007"),
])  # fmt: skip
def test_a_reference_is_read_in_many_writings(_case: str, memo: str) -> None:
    found = matched([line(1, 75_310, memo)], [item(1, 75_310), item(2, 88_240)])[1][0]
    assert found.certain
    assert found.reasons[0].code in {"quoted", "nearly_quoted"}


def test_numbers_written_without_a_gap_are_told_apart() -> None:
    items = [item(1, 75_310, "7868306031"), item(2, 88_240, "1912180166"), item(3, 5_000, "5558306031")]
    memo = "78683060311912180166"
    assert certain([line(1, 163_548, memo)], items) == {1: {1: 75_310, 2: 88_238}}


@pytest.mark.parametrize(("payer", "account", "code"), [
    ("  nordwind gmbh ", "", "payer_name"),
    ("NW Treasury", "", "payer_alias"),
    ("?", "de1122223333", "payer_account"),
    ("?", "XX 77", "payer_bridge"),
])  # fmt: skip
def test_a_payer_is_known_by_name_alias_account_or_bridge(payer: str, account: str, code: str) -> None:
    lines = [line(1, 75_310, payer=payer, account=account), line(2, 5, payer="Nordwind GmbH", account="XX77")]
    found = matched(lines, [item(1, 75_310)])[1][0]
    assert found.certain
    assert found.reasons[-1].code == code


def test_sources_that_agree_narrow_each_other_down() -> None:
    shared = replace(KNOWN, accounts={"xx5": frozenset({1, 2, 3})})
    assert certain([line(1, 75_310, account="XX 5")], [item(1, 75_310)], shared) == {1: {1: 75_310}}


def test_an_exact_reference_and_amount_identify_an_unknown_payer() -> None:
    assert certain([line(1, 75_310, "RE-2026-0001", payer="?")], [item(1, 75_310)]) == {1: {1: 75_310}}


def test_the_same_number_at_another_customer_does_not_matter_when_the_payer_is_known() -> None:
    items = [item(1, 75_310, "2026-00017"), item(2, 88_240, "2026-00017", customer=2)]
    assert certain([line(1, 40_000, "2026-00017")], items) == {1: {1: 40_000}}


def test_an_order_number_on_several_items_leaves_the_choice_to_the_amount() -> None:
    items = [item(1, 75_310, "R-000001", "PO-778899"), item(2, 88_240, "R-000002", "PO-778899")]
    assert certain([line(1, 75_310, "PO 778899")], items) == {1: {1: 75_310}}


def test_items_of_one_payment_share_customer_currency_and_legal_entity() -> None:
    a, b = item(1, 7_531_019), item(2, 1_207_007)
    assert certain([line(1, 8_738_026)], [a, b])
    for other in (replace(b, entity_id=2), replace(b, currency="USD"), replace(b, customer_id=2)):
        assert matched([line(1, 8_738_026)], [a, other]) == {1: []}


def test_nobody_gets_more_than_five_proposals() -> None:
    items = [item(n, 75_310) for n in range(1, 9)]
    assert len(matched([line(1, 75_310)], items)[1]) == 5


def test_proposals_come_best_first_with_reasons_a_person_can_read() -> None:
    items = [item(1, 75_310), item(2, 75_310)]
    first, second = (
        matched([line(1, 75_310, "RE-2026-0002")], items)[1][:1],
        matched([line(1, 75_310)], items)[1],
    )
    assert [say(reason) for reason in first[0].reasons] == [
        "The memo quotes RE-2026-0002.",
        "The amount is exactly what is open.",
        "“Nordwind GmbH” is the customer’s name.",
    ]
    assert [proposal.certain for proposal in second] == [False, False]
    assert say(second[0].doubts[0]) == "Other choices that fit as well: 1."
    assert first[0].score > second[0].score


def test_a_gap_is_told_as_an_amount() -> None:
    found = matched([line(1, 30_000, "RE-2026-0001")], [item(1, 75_310)])[1][0]
    assert say(found.reasons[1]) == "The payment is a part; EUR 453.10 stay open."


def test_nothing_known_proposes_by_reference_and_amount_only() -> None:
    nobody = Known({}, {}, {})
    found = matched(
        [line(1, 75_310), line(2, 88_240, "RE-2026-0002")], [item(1, 75_310), item(2, 88_240)], nobody
    )
    assert not found[1][0].certain
    assert found[2][0].certain
