"""The gate, one bill at a time: what it says of each kind of mistake, and what it lets pass."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest

from billing.domain.gate import (
    Bill,
    Crowd,
    Declared,
    Discount,
    Finding,
    Item,
    Line,
    Scene,
    Terms,
    Tier,
    Timing,
    review,
)
from core.periods import Period

SEATS = Terms("seats-1", "Seats", "per_unit", "CHF", Decimal("12"), "month", tax_percent=Decimal("8.1"))
ITEM = Item(7, date(2026, 1, 31), None, date(2026, 1, 31), SEATS, Decimal(10))
ENDS = [date(2026, n, d) for n, d in ((1, 31), (2, 28), (3, 31), (4, 30), (5, 31), (6, 30), (7, 31))]
PAST = tuple(Line(7, 3, Period(start, end), Decimal(10), 12000, SEATS) for start, end in pairwise(ENDS[:6]))
NOW = Line(7, 3, Period(ENDS[5], ENDS[6]), Decimal(10), 12000, SEATS)
BILL = Bill(1, 3, "CH", "CHF", date(2026, 1, 20), (NOW,), (ITEM,), PAST)
SCENE = Scene(date(2026, 6, 30), date(2026, 6, 29))


def kinds(bill: Bill, scene: Scene = SCENE) -> set[str]:
    return {each.kind for each in review([bill], scene).get(1, ())}


def only(bill: Bill, scene: Scene = SCENE) -> Finding:
    (found,) = review([bill], scene)[1]
    return found


def billed(bill: Bill = BILL, **changes: object) -> Bill:
    """The bill with another line."""
    return replace(bill, lines=(replace(bill.lines[0], **changes),))


def by(item: Item, *said: Declared, amount: int | None = None) -> Bill:
    """The bill by a changed contract, record and line in agreement."""
    quantity = item.quantity if item.quantity is not None else NOW.quantity
    full = int(quantity * item.terms.unit_price * 100) if amount is None else amount
    line = replace(NOW, terms=item.terms, quantity=quantity, amount_minor=full)
    return replace(BILL, items=(item,), lines=(line,), declared=said)


def terms(**changes: object) -> Item:
    return replace(ITEM, terms=replace(SEATS, **changes))


def test_what_goes_on_as_it_was_passes() -> None:
    assert review([BILL], SCENE) == {}


def test_the_sentence_names_both_figures() -> None:
    found = only(by(terms(unit_price=Decimal(120))))
    assert found.kind == "price"
    assert found.sentence == (
        "The price is CHF 120 per month (Seats); the last time it was CHF 12 per month (Seats),"
        " and nobody recorded a change. CHF 1,200.00; its last three were CHF 120.00."
    )


class TestChanges:
    @pytest.mark.parametrize(
        ("kind", "item"),
        [
            ("quantity", replace(ITEM, quantity=Decimal(20))),
            ("price", terms(unit_price=Decimal("12.01"))),
            ("price", terms(price="other", plan="Other")),
            ("tax", terms(tax_percent=Decimal(0))),
        ],
    )
    def test_what_nobody_recorded_is_held(self, kind: str, item: Item) -> None:
        assert kinds(by(item)) == {kind}

    @pytest.mark.parametrize(
        ("item", "said"),
        [
            (replace(ITEM, quantity=Decimal(20)), Declared(7, "quantity", "10", "20")),
            (terms(price="seats-2", unit_price=Decimal("13.2")), Declared(7, "price", "seats-1", "seats-2")),
            (terms(tax_percent=Decimal("8.5")), Declared(7, "tax", "8.1", "8.5")),
        ],
    )
    def test_what_was_recorded_passes(self, item: Item, said: Declared) -> None:
        assert kinds(by(item, said)) == set()

    @pytest.mark.parametrize("said", [
        Declared(7, "quantity", "10", "12"), Declared(7, "quantity", "8", "20"), Declared(8, "quantity", "10", "20"),
        Declared(7, "price", "seats-1", "seats-1"),
    ])  # fmt: skip
    def test_a_record_explains_its_own_change_only(self, said: Declared) -> None:
        assert "quantity" in kinds(by(replace(ITEM, quantity=Decimal(20)), said))

    def test_several_records_lead_from_one_value_to_the_other(self) -> None:
        said = (Declared(7, "quantity", "10", "15"), Declared(7, "quantity", "15", "20"))
        assert kinds(by(replace(ITEM, quantity=Decimal(20)), *said)) == set()

    def test_a_recorded_change_that_did_not_take_effect_is_held(self) -> None:
        assert kinds(replace(BILL, declared=(Declared(7, "quantity", "10", "12"),))) == {"unheeded"}

    @pytest.mark.parametrize(("now", "held"), [(99, set()), (100, {"large_quantity"}), (1, set())])
    def test_a_recorded_quantity_is_asked_about_from_ten_times_on(self, now: int, held: set[str]) -> None:
        item = replace(ITEM, quantity=Decimal(now))
        assert kinds(by(item, Declared(7, "quantity", "10", str(now)))) == held

    def test_a_large_quantity_that_others_have_is_not_asked_about(self) -> None:
        crowd = Crowd(30, Fraction(40), (Fraction(10), Fraction(120)))
        item = replace(ITEM, quantity=Decimal(100))
        bill = by(item, Declared(7, "quantity", "10", "100"))
        assert kinds(bill, replace(SCENE, prices={"seats-1": crowd})) == set()

    def test_a_recorded_price_is_asked_about_from_five_times_on_unless_others_pay_it(self) -> None:
        item = terms(price="seats-2", unit_price=Decimal(120))
        bill = by(item, Declared(7, "price", "seats-1", "seats-2"))
        assert kinds(bill) == {"large_price"}
        crowd = Crowd(5, Fraction(400), (Fraction(1), Fraction(3)))
        assert kinds(bill, replace(SCENE, prices={"seats-2": crowd})) == set()

    def test_a_discount_that_runs_out_by_itself_passes_and_one_that_vanishes_does_not(self) -> None:
        coupon = Discount("TEN", Decimal(10), until=date(2026, 6, 1))
        past = tuple(
            replace(line, terms=replace(SEATS, discounts=(coupon,)), discount_minor=1200) for line in PAST
        )
        assert kinds(replace(BILL, past=past)) == set()
        longer = replace(coupon, until=date(2026, 9, 1))
        past = tuple(replace(line, terms=replace(SEATS, discounts=(longer,))) for line in past)
        assert kinds(replace(BILL, past=past)) == {"discount_changed"}

    def test_another_item_needs_a_record(self) -> None:
        other = replace(ITEM, id=8, starts_on=ENDS[5], terms=replace(SEATS, price="x"))
        extra = replace(NOW, item=8, terms=other.terms)
        bill = replace(BILL, items=(ITEM, other), lines=(NOW, extra))
        assert kinds(bill) == {"added"}
        assert kinds(replace(bill, declared=(Declared(8, "item", "", "8"),))) == set()

    def test_what_is_billed_once_is_not_billed_again(self) -> None:
        once = replace(ITEM, once=True)
        assert kinds(replace(BILL, items=(once,))) == {"once"}


class TestArithmetic:
    @pytest.mark.parametrize("off", [-1, 1, 108000])
    def test_an_amount_that_is_not_the_terms_is_held_to_the_cent(self, off: int) -> None:
        assert kinds(billed(amount_minor=12000 + off)) == {"amount"}

    def test_a_part_is_held_beyond_a_day(self) -> None:
        """Ten of 31 days: conventions differ by a day at most, so that much passes."""
        part = replace(NOW, span=Period(ENDS[5], ENDS[5] + timedelta(days=10)))
        item = replace(ITEM, ends_on=part.span.end)
        said = Declared(7, "end", "", part.span.end.isoformat())
        bill = replace(BILL, items=(item,), declared=(said,))
        for amount, held in (
            (3871, set()),
            (4000, set()),
            (4300, {"amount"}),
            (3400, {"amount"}),
            (12000, {"amount"}),
        ):
            assert kinds(replace(bill, lines=(replace(part, amount_minor=amount),))) == held, amount

    def test_terms_or_count_that_the_contract_does_not_have(self) -> None:
        assert kinds(billed(terms=replace(SEATS, tax_percent=Decimal(19)))) == {"terms", "tax"}
        assert kinds(billed(quantity=Decimal(20), amount_minor=24000)) == {"count", "quantity"}

    def test_another_customer_or_currency(self) -> None:
        assert kinds(billed(customer=4)) == {"customer", "customer_changed"}
        assert "currency" in kinds(by(terms(currency="JPY")))

    def test_an_amount_per_bill_is_shared_by_the_lines_of_a_day(self) -> None:
        shared = Discount("TEN", amount_minor=1000, per_bill=True, key="t")
        two = [replace(terms(discounts=(shared,)), id=n) for n in (7, 8)]
        past = tuple(
            replace(line, item=item.id, terms=item.terms, discount_minor=500) for item in two for line in PAST
        )
        lines = tuple(replace(NOW, item=item.id, terms=item.terms, discount_minor=500) for item in two)

        def bill(*offs: int, past: tuple[Line, ...] = past) -> Bill:
            had = tuple(replace(line, discount_minor=off) for line, off in zip(lines, offs, strict=True))
            return replace(BILL, items=tuple(two), lines=had, past=past)

        assert kinds(bill(500, 500)) == set()
        assert kinds(bill(1000, 1000)) == {"discount"}, "off each line"
        assert kinds(bill(0, 0)) == {"discount"}
        assert kinds(bill(0, 1000)) == {"discount"}
        assert kinds(replace(bill(0, 0), arrears=None)) == set(), "nobody knows which bill it is"
        assert kinds(replace(bill(500, 500), arrears=True)) == set()
        same_day = (*past, replace(past[-1], item=8, span=NOW.span))
        assert "discount" not in kinds(bill(0, 0, past=same_day)), "a bill of that day may have taken it"
        assert "discount" in kinds(bill(0, 1003, past=same_day)), "but no more than all of it"
        tenth = tuple(
            replace(each, terms=replace(each.terms, discounts=(Discount("TENTH", Decimal(10)), shared)))
            for each in two
        )
        same = replace(bill(0, 0, past=same_day), items=tenth)
        assert "discount" in kinds(same), "a percentage is certain on every day"

    def test_a_discount_twice(self) -> None:
        coupon = Discount("TEN", Decimal(10))
        single = terms(discounts=(coupon,))
        past = tuple(replace(line, terms=single.terms, discount_minor=1200) for line in PAST)
        bill = replace(by(single), past=past)
        assert kinds(billed(bill, discount_minor=1200)) == set()
        assert kinds(billed(bill, discount_minor=2400)) == {"discount"}
        double = terms(discounts=(coupon, coupon))
        assert kinds(billed(replace(by(double), past=past), discount_minor=2280)) == {"discount_twice"}

    def test_an_item_that_the_contract_has_no_more(self) -> None:
        assert kinds(replace(BILL, items=())) == {"unknown", "gone"}

    def test_tiers_are_computed_too(self) -> None:
        tiers = (Tier(Decimal(5), Decimal(12)), Tier(None, Decimal(10)))
        item = terms(model="graduated", tiers=tiers)
        past = tuple(replace(line, terms=item.terms, amount_minor=11000) for line in PAST)
        assert kinds(replace(by(item, amount=11000), past=past)) == set()
        assert kinds(replace(by(item, amount=10000), past=past)) == {"amount"}

    def test_a_model_that_is_not_known_is_only_compared_with_before(self) -> None:
        item = terms(model="auction")
        past = tuple(replace(line, terms=item.terms) for line in PAST)
        assert kinds(replace(by(item, amount=12000), past=past)) == set()
        assert kinds(replace(by(item, amount=24000), past=past)) == {"unlike"}


class TestDays:
    @pytest.mark.parametrize(("span", "kind"), [
        (Period(ENDS[4], ENDS[5]), "twice"), (Period(ENDS[6], date(2026, 8, 31)), "gap"),
        (Period(ENDS[5], date(2026, 7, 30)), "days"), (Period(ENDS[5], date(2026, 8, 31)), "days"),
        (Period(date(2026, 7, 1), ENDS[6]), "gap"),
    ])  # fmt: skip
    def test_days_that_do_not_come_next_are_held(self, span: Period, kind: str) -> None:
        assert kind in kinds(billed(span=span))

    def test_two_lines_of_the_same_days_are_held(self) -> None:
        assert kinds(replace(BILL, lines=(NOW, NOW))) == {"twice"}

    def test_a_pause_explains_the_days_left_out(self) -> None:
        resumed = date(2026, 7, 10)
        line = replace(NOW, span=Period(resumed, ENDS[6]), amount_minor=12000 * 21 // 31)
        bill = replace(BILL, lines=(line,), items=(replace(ITEM, cuts=frozenset({ENDS[5], resumed})),))
        assert kinds(bill, replace(SCENE, as_of=resumed, last_run_on=resumed - timedelta(days=1))) == set()

    def test_leap_february_is_a_month(self) -> None:
        item = replace(ITEM, anchor=date(2024, 1, 31), starts_on=date(2024, 1, 31))
        past = (replace(NOW, span=Period(date(2024, 1, 31), date(2024, 2, 29))),)
        line = replace(NOW, span=Period(date(2024, 2, 29), date(2024, 3, 31)))
        bill = Bill(1, 3, "CH", "CHF", date(2024, 1, 1), (line,), (item,), past)
        assert kinds(bill, Scene(date(2024, 2, 29), date(2024, 2, 28))) == set()

    def test_before_its_time_or_after_the_run_it_belonged_to(self) -> None:
        assert kinds(BILL, Scene(date(2026, 6, 29))) == {"early"}
        assert kinds(BILL, Scene(date(2026, 7, 2), date(2026, 7, 1))) == set(), (
            "days end at other times elsewhere"
        )
        late = Scene(date(2026, 7, 5), date(2026, 7, 4))
        assert kinds(BILL, late) == {"late"}
        assert kinds(replace(BILL, waited=True), late) == set(), "a person released it"
        assert kinds(replace(BILL, entered_on=date(2026, 7, 5)), late) == set(), "it was not there then"

    def test_an_end_named_for_a_day_that_is_over_is_no_run_that_left_it_out(self) -> None:
        item = replace(terms(timing=Timing.ARREARS), ends_on=date(2026, 7, 10))
        said = Declared(7, "end", "", "2026-07-10")
        part = replace(by(item, said).lines[0], span=Period(ENDS[5], date(2026, 7, 10)), amount_minor=4000)
        past = tuple(replace(line, terms=item.terms) for line in PAST)
        bill = replace(by(item, said), lines=(part,), past=past)
        assert kinds(bill, Scene(date(2026, 7, 20), date(2026, 7, 19))) == set()
        assert kinds(bill, Scene(date(2026, 8, 3), date(2026, 8, 2))) == {"late"}, "the whole period is over"

    def test_billed_beyond_its_end(self) -> None:
        end = date(2026, 7, 10)
        bill = replace(
            BILL, items=(replace(ITEM, ends_on=end),), declared=(Declared(7, "end", "", end.isoformat()),)
        )
        assert "after_end" in kinds(bill)

    def test_a_late_entry_passes_and_a_wrong_year_does_not(self) -> None:
        def entered(year: int, month: int) -> Bill:
            first = date(year, month, 1)
            item, lines, start = replace(ITEM, anchor=first, starts_on=first), [], first
            while start < date(2026, 7, 1):
                end = (start + timedelta(days=31)).replace(day=1)
                lines.append(replace(NOW, span=Period(start, end)))
                start = end
            return Bill(1, 3, "CH", "CHF", date(2026, 6, 1), tuple(lines), (item,))

        scene = Scene(date(2026, 6, 1), date(2026, 5, 31))
        assert kinds(entered(2025, 8), scene) == set()
        assert kinds(entered(2025, 6), scene) == {"backdated"}

    def test_in_arrears_a_period_is_due_at_its_end(self) -> None:
        item = terms(timing=Timing.ARREARS)
        past = tuple(replace(line, terms=item.terms) for line in PAST)
        bill = replace(by(item), past=past)
        assert kinds(bill) == {"early"}
        assert kinds(bill, Scene(ENDS[6], ENDS[6] - timedelta(days=1))) == set()


class TestAbsent:
    def test_what_is_due_and_has_no_line_is_held(self) -> None:
        found = only(replace(BILL, lines=()))
        assert (found.kind, found.start) == ("absent", ENDS[5])
        assert found.sentence == (
            "Seats is due from 30 June 2026, and would not be billed. The last time it came to CHF 120.00."
        )

    def test_what_is_not_due_is_not_missed(self) -> None:
        assert kinds(replace(BILL, lines=()), Scene(date(2026, 6, 29))) == set()

    def test_an_end_needs_a_record(self) -> None:
        ended = replace(ITEM, ends_on=ENDS[5])
        bill = replace(BILL, lines=(), items=(ended,))
        assert kinds(bill) == {"end"}
        assert kinds(replace(bill, declared=(Declared(7, "end", "", ENDS[5].isoformat()),))) == set()

    def test_a_new_item_without_a_line_is_missed(self) -> None:
        assert kinds(replace(BILL, past=(), lines=())) == {"absent"}
        assert (
            kinds(replace(BILL, past=(), lines=(), items=(replace(ITEM, starts_on=date(2026, 7, 1)),)))
            == set()
        )


class TestFirst:
    """The first bill, compared with others of its price."""

    NEW = replace(BILL, past=(), items=(replace(ITEM, starts_on=ENDS[5]),))
    CROWD = Crowd(40, Fraction(40), (Fraction(8), Fraction(60)), taxes={"CH": Decimal("8.1")}, terms=SEATS)

    def held(self, bill: Bill, crowd: Crowd | None = None) -> set[str]:
        return kinds(bill, replace(SCENE, prices={"seats-1": crowd or self.CROWD}))

    def at(self, **changes: object) -> Bill:
        item = replace(self.NEW.items[0], **changes)
        line = replace(
            NOW,
            terms=item.terms,
            quantity=item.quantity,
            amount_minor=int(item.quantity * item.terms.unit_price * 100),
        )
        return replace(self.NEW, items=(item,), lines=(line,))

    def test_one_like_the_others_passes(self) -> None:
        assert self.held(self.NEW) == set()

    def test_three_times_their_price_is_held_and_a_negotiated_one_is_not(self) -> None:
        assert self.held(self.at(terms=replace(SEATS, unit_price=Decimal(36)))) == {"crowd_price"}
        assert self.held(self.at(terms=replace(SEATS, unit_price=Decimal(8)))) == set()

    def test_one_other_says_nothing(self) -> None:
        one = replace(self.CROWD, members=1)
        assert self.held(self.at(terms=replace(SEATS, unit_price=Decimal(36))), one) == set()

    def test_the_plan_speaks_for_a_price_that_nobody_pays_yet(self) -> None:
        bill = self.at(terms=replace(SEATS, price="seats-new", unit_price=Decimal(120)))
        scene = replace(SCENE, plans={("Seats", "CHF"): self.CROWD})
        assert kinds(bill, scene) == {"crowd_price"}
        assert kinds(bill) == set()

    def test_a_quantity_beyond_all_others_is_held(self) -> None:
        assert self.held(self.at(quantity=Decimal(181))) == {"crowd_quantity"}
        assert self.held(self.at(quantity=Decimal(180))) == set()
        assert self.held(self.at(quantity=Decimal(181)), replace(self.CROWD, members=19)) == set()

    def test_another_tax_than_the_country_pays_is_held(self) -> None:
        assert self.held(self.at(terms=replace(SEATS, tax_percent=Decimal(0)))) == {"crowd_tax"}
        assert (
            self.held(replace(self.at(terms=replace(SEATS, tax_percent=Decimal(0))), country="DE")) == set()
        )

    def test_a_hundred_times_what_the_customer_pays_in_all_is_held(self) -> None:
        assert self.held(replace(self.NEW, usual_minor=115)) == {"customer_sum"}
        assert self.held(replace(self.NEW, usual_minor=120)) == set()

    def test_the_same_added_beside_itself_is_asked_about(self) -> None:
        twice = replace(ITEM, id=8, starts_on=ENDS[5])
        said = Declared(8, "item", "", "8")
        bill = replace(BILL, items=(ITEM, twice), lines=(NOW, replace(NOW, item=8)), declared=(said,))
        assert kinds(bill) == {"added_twice"}
        less = replace(twice, quantity=Decimal(9))
        line = replace(NOW, item=8, quantity=Decimal(9), amount_minor=10800)
        assert kinds(replace(bill, items=(ITEM, less), lines=(NOW, line))) == set()
        never = NOW.span.start + timedelta(days=3)
        gone = replace(less, id=6, starts_on=never, ends_on=never)
        assert kinds(replace(bill, items=(ITEM, gone, less), lines=(NOW, line))) == set(), "it never bills"

    def test_one_that_follows_another_is_compared_with_it(self) -> None:
        old = replace(ITEM, ends_on=ENDS[5])
        new = replace(ITEM, id=8, starts_on=ENDS[5], follows=7, quantity=Decimal(1000))
        line = replace(NOW, item=8, quantity=Decimal(1000), amount_minor=1200000)
        said = (
            Declared(7, "end", "", ENDS[5].isoformat()), Declared(8, "item", "", "8"),
            Declared(8, "quantity", "10", "1000"),
        )  # fmt: skip
        bill = replace(BILL, items=(old, new), lines=(line,), declared=said)
        assert kinds(bill) == {"large_quantity"}
        assert "its last three were CHF 120.00" in only(bill).sentence

    def others(self, count: int = 30) -> list[Bill]:
        """New subscriptions of as many customers."""
        return [
            replace(self.NEW, subscription=n, customer=n, lines=(replace(NOW, customer=n),))
            for n in range(100, 100 + count)
        ]

    def test_the_same_entered_twice_holds_the_second(self) -> None:
        twin = replace(self.NEW, subscription=2)
        found = review([self.NEW, twin, *self.others()], SCENE)
        assert {number: each[0].kind for number, each in found.items()} == {2: "alike"}
        other = by(replace(twin.items[0], quantity=Decimal(11)))
        other = replace(other, past=(), subscription=2)
        assert review([self.NEW, other, *self.others()], SCENE) == {}
        elsewhere = replace(self.NEW, subscription=9, alike=((1, "seats-1", Decimal(10), ENDS[5]),))
        assert [each.kind for each in review([elsewhere, *self.others()], SCENE)[9]] == ["alike"]

    def test_where_twins_are_usual_or_few_are_new_none_is_held(self) -> None:
        pairs = [replace(each, subscription=each.subscription + 100) for each in self.others()]
        assert review([*self.others(), *pairs], SCENE) == {}
        assert review([self.NEW, replace(self.NEW, subscription=2), *self.others(15)], SCENE) == {}


class TestYes:
    def test_a_yes_lets_pass_this_finding_with_these_figures(self) -> None:
        bill = by(replace(ITEM, quantity=Decimal(20)))
        key = only(bill).key
        assert review([bill], SCENE, {key}) == {}
        assert kinds(by(replace(ITEM, quantity=Decimal(30)))) == {"quantity"}
        other = by(replace(ITEM, quantity=Decimal(30)))
        assert review([other], SCENE, {key})[1][0].kind == "quantity"
