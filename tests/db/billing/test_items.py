"""Items of a subscription: what is billed beside the plan, when, and never twice."""

from datetime import date
from decimal import Decimal

import pytest

from billing.models import BilledPeriod, Price, Subscription, SubscriptionItem
from billing.selectors import preview, subscription_facts
from billing.services.prices import create_price, retire_price
from billing.services.replay import replay_billing
from billing.services.run import run_billing
from billing.services.subscriptions import add_item, end, end_item, subscribe
from core.books import verify
from core.errors import AppError, Conflict, Invalid, NotFound
from core.scope import Scope, enter, work
from invoicing.models import Line
from tests import factories

DAY = date(2026, 11, 1)
MARCH = date(2027, 3, 1)


def priced(model: str = "flat", **given: object) -> Price:
    number = Price.objects.count()
    return create_price(name=f"Thing {number}", code=f"thing-{number}", model=model, currency="EUR", **given)  # type: ignore[arg-type]


def fee() -> Price:
    return priced(unit_price=Decimal(99), unit="once")


def calls() -> Price:
    tiers = [{"up_to": Decimal(5), "unit_price": Decimal(7)}, {"unit_price": Decimal("6.5")}]
    return priced("graduated", tiers=tiers, timing="arrears")


def spans(item: SubscriptionItem) -> list[tuple[str, str, int]]:
    rows = BilledPeriod.objects.filter(item=item).order_by("period_start")
    return [(str(row.period_start), str(row.period_end), row.amount_minor) for row in rows]


@pytest.fixture
def sub(acorn: Scope) -> Subscription:
    with work():
        return factories.subscription(factories.customer(), DAY, quantity=Decimal(2))


def test_what_is_added_is_billed_on_the_same_invoice_each_in_its_time(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        plan = priced(unit_price=Decimal(29))
        made = subscribe(
            customer=owner.public_id,
            price=plan,
            starts_on=DAY,
            added=[(fee(), Decimal(1)), (calls(), Decimal(12))],
        )
        assert [item.role for item in made.billed_items] == ["plan", "fee", "added"]
        ((previewed,), _) = preview(DAY)
    run_billing(DAY)
    with work():
        assert [line.amount_minor for line in previewed.lines] == [2900, 9900]
        assert list(Line.objects.order_by("id").values_list("amount_minor", flat=True)) == [2900, 9900]
        assert (made.next_bill_on, Subscription.objects.get().next_bill_on) == (DAY, date(2026, 12, 1))
    run_billing(date(2026, 12, 1))
    run_billing(date(2026, 12, 1))
    with work():
        second = Line.objects.order_by("id")[2:]
        assert [(line.amount_minor, str(line.service_start), line.detail) for line in second] == [
            (2900, "2026-12-01", ""),
            (8050, "2026-11-01", "5 × 7.00 + 7 × 6.50"),
        ]
        assert verify() == []


def test_what_is_added_later_is_billed_for_its_days_and_then_with_the_rest(sub: Subscription) -> None:
    run_billing(DAY)
    with work():
        item = add_item(sub.public_id, price=priced(unit_price=Decimal(30)), starts_on=date(2026, 11, 21))
        sub.refresh_from_db()
        assert sub.next_bill_on == date(2026, 11, 21), "due on its own first day"
    run_billing(date(2026, 12, 1))
    with work():
        assert spans(item) == [("2026-11-21", "2026-12-01", 1000), ("2026-12-01", "2027-01-01", 3000)]
        assert verify() == []


def test_what_was_added_ends_alone_and_what_is_in_arrears_is_billed_up_to_then(sub: Subscription) -> None:
    with work():
        item = add_item(sub.public_id, price=calls(), quantity=Decimal(12), starts_on=DAY)
        end_item(item.public_id, on=date(2026, 11, 16), today=date(2026, 11, 16))
        end_item(item.public_id, on=date(2026, 11, 16), today=date(2026, 11, 16))  # the same wish sent twice
    run_billing(date(2026, 12, 1))
    with work():
        assert spans(item) == [("2026-11-01", "2026-11-16", 4025)]
        assert Subscription.objects.get().state == "active"
        assert len(spans(sub.items.get(role="plan"))) == 2
        with pytest.raises(Conflict, match="ended already"):
            end_item(item.public_id, on=MARCH, today=MARCH)
        assert verify() == []


def test_ending_the_subscription_ends_what_was_added_with_it(sub: Subscription) -> None:
    with work():
        item = add_item(sub.public_id, price=calls(), quantity=Decimal(12), starts_on=DAY)
        assert end(sub.public_id, on=date(2026, 12, 1), today=date(2026, 12, 1)).state == "active", (
            "usage of November is not billed yet"
        )
    run_billing(MARCH)
    with work():
        assert spans(item) == [("2026-11-01", "2026-12-01", 8050)]
        assert Subscription.objects.get().state == "ended"
        assert verify() == []


@pytest.mark.parametrize(("unit", "day", "said"), [
    ("month", date(2026, 10, 31), "begins on"), ("once", DAY, "owed once"),
])  # fmt: skip
def test_it_cannot_end_before_it_begins_nor_by_days_when_it_is_owed_once(
    sub: Subscription, unit: str, day: date, said: str
) -> None:
    with work():
        item = add_item(sub.public_id, price=priced(unit_price=Decimal(30), unit=unit), starts_on=DAY)
    run_billing(DAY)
    with work():
        with pytest.raises(Invalid, match=said):
            end_item(item.public_id, on=day, today=DAY)
        item.refresh_from_db()
        assert (item.ends_on, item.version) == (None, 1)


@pytest.mark.parametrize(("_case", "given", "field"), [
    ("before the subscription", {"starts_on": date(2026, 10, 31)}, "starts_on"),
    ("after its end", {"starts_on": MARCH}, "starts_on"),
    ("less than nothing", {"quantity": Decimal(-1)}, "quantity"),
    ("no number", {"quantity": Decimal("NaN")}, "quantity"),
    ("too much", {"quantity": Decimal(10**12 + 1)}, "quantity"),
])  # fmt: skip
def test_what_cannot_be_added_is_named_and_nothing_is_written(
    acorn: Scope, _case: str, given: dict[str, object], field: str
) -> None:
    with work():
        sub = factories.subscription(factories.customer(), DAY, ends_on=date(2027, 2, 1))
        wish = {"price": priced(unit_price=Decimal(1)), "starts_on": DAY, **given}
        with pytest.raises(Invalid) as refused:
            add_item(sub.public_id, **wish)  # type: ignore[arg-type]
        assert list(refused.value.fields) == [field]
        assert SubscriptionItem.objects.count() == 1


def test_the_plan_itself_ends_only_with_its_subscription(sub: Subscription) -> None:
    with work(), pytest.raises(Conflict, match="ends with its subscription"):
        end_item(sub.items.get().public_id, on=MARCH, today=MARCH)


def test_nothing_is_added_to_what_has_ended(sub: Subscription) -> None:
    with work():
        end(sub.public_id, on=DAY, today=DAY)
        with pytest.raises(Conflict):
            add_item(sub.public_id, price=priced(unit_price=Decimal(1)), starts_on=DAY)


def test_a_subscription_begins_with_what_comes_again(acorn: Scope) -> None:
    with work(), pytest.raises(Invalid, match="comes again"):
        subscribe(customer=factories.customer().public_id, price=fee(), starts_on=DAY)


def test_what_was_added_in_another_currency_is_named_by_its_place(acorn: Scope) -> None:
    with work():
        other = create_price(name="Dollars", code="usd", model="flat", unit_price=Decimal(1), currency="USD")
        with pytest.raises(Invalid) as refused:
            subscribe(
                customer=factories.customer().public_id, price=priced(unit_price=Decimal(1)), starts_on=DAY,
                added=[(other, Decimal(1))],
            )  # fmt: skip
        assert list(refused.value.fields) == ["added.0.price"]
        assert not Subscription.objects.exists()


def test_anothers_items_are_not_there(acorn: Scope, birch: Scope) -> None:
    with enter(birch), work():
        theirs = factories.subscription(factories.customer(), DAY).items.get()
    with work():
        with pytest.raises(NotFound):
            end_item(theirs.public_id, on=MARCH, today=MARCH)
        with pytest.raises(NotFound):
            add_item(theirs.subscription.public_id, price=priced(unit_price=Decimal(1)), starts_on=DAY)


def test_facts_are_those_of_whose_scope_it_is(acorn: Scope, birch: Scope) -> None:
    with work():
        mine = factories.subscription(factories.customer(), DAY).pk
    with enter(birch), work():
        theirs = factories.subscription(factories.customer(), DAY).pk
    for scope, own, other in ((acorn, mine, theirs), (birch, theirs, mine), (acorn, mine, theirs)):
        with enter(scope), work():
            assert [facts.subscription_id for facts in subscription_facts([own, other])] == [own]


def test_a_replaced_price_is_not_sold_any_more_and_goes_on_for_who_has_it(sub: Subscription) -> None:
    with work():
        old = sub.price
        new = create_price(
            name="", code=old.plan.code, model="per_unit", unit_price=Decimal(20), currency="EUR",
            replaces=old.public_id,
        )  # fmt: skip
        old.refresh_from_db()
        assert old.replaced_by_id == new.pk
        with pytest.raises(Invalid, match="not offered any more"):
            subscribe(customer=factories.customer().public_id, price=old, starts_on=DAY)
        with pytest.raises(Conflict, match="replaced already"):
            create_price(
                name="", code=old.plan.code, model="per_unit", unit_price=Decimal(21), currency="EUR",
                replaces=old.public_id,
            )  # fmt: skip
    run_billing(DAY)
    with work():
        assert BilledPeriod.objects.get().amount_minor == 2900


def test_a_price_is_replaced_by_one_of_its_own_plan(acorn: Scope) -> None:
    with work():
        old = priced(unit_price=Decimal(1))
        with pytest.raises(Invalid, match="own plan"):
            priced(unit_price=Decimal(1), replaces=old.public_id)


def test_retiring_again_changes_nothing(acorn: Scope) -> None:
    with work():
        old = priced(unit_price=Decimal(1))
        first = retire_price(old.public_id)
        assert retire_price(old.public_id).retired_at == first.retired_at


@pytest.mark.parametrize(("_case", "given", "field"), [
    ("arrears of what is owed once", {"unit": "once", "timing": "arrears", "unit_price": Decimal(1)}, "timing"),
    ("no such timing", {"timing": "later", "unit_price": Decimal(1)}, "timing"),
    ("tiers of a flat price", {"unit_price": Decimal(1), "tiers": [{"flat": Decimal(1)}]}, "tiers"),
    ("no price", {}, "unit_price"),
])  # fmt: skip
def test_a_price_that_makes_none_is_named(
    acorn: Scope, _case: str, given: dict[str, object], field: str
) -> None:
    with work():
        with pytest.raises(AppError) as refused:
            priced(**given)  # type: ignore[arg-type]
        assert list(getattr(refused.value, "fields", {})) == [field]
        assert not Price.objects.exists()


def test_terms_are_kept_as_they_were_said(acorn: Scope) -> None:
    with work():
        made = calls()
        made.refresh_from_db()
        assert made.terms == {
            "tiers": [{"up_to": "5", "unit_price": "7"}, {"up_to": None, "unit_price": "6.5"}]
        }


def test_an_end_that_something_is_billed_up_to_does_not_move(sub: Subscription) -> None:
    """Its last period was cut there: billed on from then it could not be billed again the same way."""
    with work():
        add_item(sub.public_id, price=calls(), starts_on=DAY)
        end(sub.public_id, on=date(2026, 11, 21), today=date(2026, 11, 21))
    run_billing(DAY)
    with work():
        with pytest.raises(Conflict, match="billed up to its end"):
            end(sub.public_id, on=date(2026, 12, 5), today=date(2026, 12, 5))
        sub.refresh_from_db()
        assert sub.ends_on == date(2026, 11, 21)
    run_billing(MARCH)
    assert replay_billing().differences == []
