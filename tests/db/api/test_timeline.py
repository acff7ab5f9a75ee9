"""A subscription's timeline by API and on its page: what was agreed, what came of it, what is to come."""

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing import timeline
from billing.models import BilledPeriod, HeldSubscription, Subscription
from billing.services.change import change
from billing.services.discounts import create_coupon, discount, end_discount, give_coupon
from billing.services.lifecycle import pause, reactivate, resume
from billing.services.prices import create_price
from billing.services.run import run_billing
from billing.services.subscriptions import add_item, end, release
from core import clock
from core.scope import Scope, enter, work
from invoicing.models import Document
from tests import factories
from tests.conftest import seat
from tests.db.api.conftest import Program, key_of, said, same_refusal, statements
from tests.db.pages_documents.conftest import signed_in
from tests.db.pages_documents.test_budgets import GREYED, MOST, reads

TODAY = clock.today("Europe/Berlin")


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


@pytest.fixture
def sub(house: Scope) -> Subscription:
    """Began 50 days ago, changed 20 days later within its period, and again today; pausing later."""
    with enter(house):
        with work():
            made = factories.subscription(
                factories.customer(name="Kestrel"), ago(50), unit_price=30, tax_percent=0
            )
        run_billing(ago(50))
        with work():
            dear = create_price(name="Pro", code="pro", model="flat", currency="EUR", unit_price=Decimal(60))
            change(made.public_id, price=dear, on=ago(30), today=ago(30))
        run_billing(ago(30))
        with work():
            extra = create_price(
                name="Extra", code="extra", model="flat", currency="EUR", unit_price=Decimal(5)
            )
            add_item(made.public_id, price=extra, starts_on=ago(10))
        run_billing(ago(10))
        with work():
            create_coupon(code="ten", name="Ten", percent=Decimal(10), periods=1)
            give_coupon(made.public_id, coupon="ten", today=TODAY)
            change(made.public_id, quantity=Decimal(4), on=TODAY, today=TODAY)
            pause(
                made.public_id,
                on=TODAY + timedelta(days=70),
                resumes_on=TODAY + timedelta(days=80),
                today=TODAY,
            )
            made.refresh_from_db()
    return made


def entries(api: Program, sub: Subscription, query: str = "") -> list[dict[str, Any]]:
    found = api.get(f"/subscriptions/{sub.public_id}/timeline{query}")
    assert [each["day"] for each in found["entries"]] == sorted(each["day"] for each in found["entries"])
    return list(found["entries"])


def test_all_of_it_in_order_of_days(api: Program, sub: Subscription) -> None:
    found = entries(api, sub)
    kinds = [
        (each["kind"], (date.fromisoformat(each["day"]) - TODAY).days, each["to_come"]) for each in found
    ]
    known = [
        each for each in kinds if each[0] not in {"discount_given", "discount_ended", "next_bill", "billed"}
    ]
    assert known == [
        ("began", -50, False), ("plan_changed", -30, False), ("credited", -30, False), ("item_added", -10, False),
        ("quantity_changed", 0, False), ("paused", 70, True), ("resumed", 80, True),
    ]  # fmt: skip
    assert sum(each[0] == "billed" for each in kinds) == 3
    by = {each["kind"]: each for each in found}
    assert (by["plan_changed"]["price_before"], by["plan_changed"]["price"]) != (
        None,
        by["plan_changed"]["price_before"],
    )
    quantities = by["quantity_changed"]["quantity_before"], by["quantity_changed"]["quantity"]
    assert [Decimal(each) for each in quantities] == [1, 4]
    assert by["paused"]["until"] == str(TODAY + timedelta(days=80))
    assert {by["discount_given"]["to_come"], by["discount_ended"]["to_come"], by["next_bill"]["to_come"]} == {
        True
    }
    assert by["discount_given"]["discount"].startswith("disc_")


def test_invoices_and_credit_notes_with_what_they_are_for(
    api: Program, sub: Subscription, house: Scope
) -> None:
    found = entries(api, sub)
    with enter(house), work():
        documents = {row.public_id: row for row in Document.objects.all()}
    billed = [each for each in found if each["kind"] == "billed"]
    for each in billed:
        assert each["amount_minor"] == documents[each["document"]].net_minor
        assert each["amount_minor"] == sum(part["amount_minor"] for part in each["parts"])
        assert each["day"] == str(documents[each["document"]].issued_on)
    assert {part["what"] for part in billed[-1]["parts"]} >= {"Extra"}
    (credited,) = [each for each in found if each["kind"] == "credited"]
    assert credited["amount_minor"] == -documents[credited["document"]].net_minor < 0
    assert credited["parts"][0]["period_start"] == str(ago(30))


def test_what_it_is_worth_a_month_after_each(api: Program, sub: Subscription) -> None:
    found = entries(api, sub)
    assert found[0]["mrr_minor"] == found[0]["mrr_change_minor"] == 3000
    running = 0
    for each in found:
        running += each["mrr_change_minor"] or 0
    assert running == found[-1]["mrr_minor"]
    worth = {each["kind"]: each["mrr_minor"] for each in found}
    assert (worth["plan_changed"], worth["item_added"], worth["paused"]) == (6000, 6500, 0)


def test_an_end_a_new_beginning_and_a_discount_cut_short(
    api: Program, sub: Subscription, house: Scope
) -> None:
    with enter(house):
        with work():
            other = factories.subscription(factories.customer(), ago(40), unit="week")
            create_coupon(code="all", name="All", percent=Decimal(10))
            off = give_coupon(other.public_id, coupon="all", on=ago(40), today=TODAY)
        run_billing(ago(20))
        with work():
            end_discount(off.public_id, on=ago(15), today=TODAY)
            end(other.public_id, on=ago(12), today=TODAY)
        run_billing(ago(12))
        with work():
            reactivate(other.public_id, on=ago(5), today=TODAY)
            end(other.public_id, on=TODAY + timedelta(days=9), today=TODAY)
    found = [(each["kind"], each["to_come"]) for each in entries(api, other)]
    assert [each for each in found if each[0] not in {"billed", "credited", "next_bill"}] == [
        ("began", False), ("discount_given", False), ("discount_ended", False), ("ended", False),
        ("reactivated", False), ("ended", True),
    ]  # fmt: skip


def test_what_a_run_held_and_somebody_released(api: Program, house: Scope, sub: Subscription) -> None:
    with enter(house), work():
        run = run_of(sub)
        finding = {
            "kind": "amount",
            "severity": "hold",
            "item": "",
            "start": "",
            "sentence": "Odd.",
            "key": "k1",
        }
        HeldSubscription.objects.create(
            run=run, subscription=sub, reason="Odd.", findings=[finding], at=clock.now()
        )
        Subscription.objects.filter(pk=sub.pk).update(held_at=clock.now(), held_reason="Odd.")
    held = [each for each in entries(api, sub) if each["kind"] in {"held", "released", "next_bill"}]
    assert [(each["kind"], each["day"], each["reason"]) for each in held] == [("held", str(TODAY), "Odd.")]
    with enter(house), work():
        release(sub.public_id)
    kinds = [each["kind"] for each in entries(api, sub) if each["day"] == str(TODAY)]
    assert [each for each in kinds if each in {"held", "released"}] == ["held", "released"]
    assert "Released" in page_of(sub)


def run_of(sub: Subscription) -> Any:
    return BilledPeriod.objects.filter(subscription=sub).order_by("id")[0].run


def page_of(sub: Subscription, query: str = "") -> str:
    answer = signed_in("Ana").get(f"/o/acorn/subscriptions/{sub.public_id}/history/{query}")
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_the_page_says_what_was_and_apart_what_is_to_come(sub: Subscription, house: Scope) -> None:
    page = page_of(sub)
    coming, past = re.split(">So far<|>So far ", page)
    assert "To come" in coming
    for words in ("Is paused", "Goes on", "Discount begins: Ten (ten)", "Next bill"):
        assert words in coming
        assert words not in past
    for words in (
        "Began: Track Pro",
        "Plan changed",
        "From Track Pro (EUR",
        "Quantity changed",
        "From 1 to 4",
        "Added: Extra",
    ):
        assert words in past
        assert words not in coming
    with enter(house), work():
        for document in Document.objects.all():
            assert past.count(f'invoices/{document.public_id}/"') == 1, "one entry for each"
    assert "Worth a month from then on" in past
    own = signed_in("Ana").get(f"/o/acorn/subscriptions/{sub.public_id}/").content.decode()
    assert f"/subscriptions/{sub.public_id}/history/" in own


def test_a_long_one_goes_on_where_the_last_page_ended(
    api: Program, house: Scope, sub: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    with enter(house), work():
        resume(sub.public_id, on=TODAY, today=TODAY)
        late = create_price(name="Late", code="late", model="flat", currency="EUR", unit_price=Decimal(1))
        add_item(sub.public_id, price=late, starts_on=ago(29))
    whole = entries(api, sub)
    monkeypatch.setattr(timeline, "MOST", 2)
    first = api.get(f"/subscriptions/{sub.public_id}/timeline")
    assert first["earlier"] == str(ago(29))
    assert f"?before={first['earlier']}" in page_of(sub)
    rest = entries(api, sub, f"?before={first['earlier']}")
    assert [*rest, *first["entries"]] == whole
    assert "Began" in page_of(sub, f"?before={first['earlier']}")


def test_as_few_statements_however_long_it_is(api: Program, house: Scope, sub: Subscription) -> None:
    path, address = (
        f"/subscriptions/{sub.public_id}/timeline",
        f"/o/acorn/subscriptions/{sub.public_id}/history/",
    )
    few = statements(api, path)
    for who in ("Ana", "Vic"):
        found = reads(signed_in(who), address)
        assert len(found) <= MOST + (GREYED if who == "Vic" else 0), "\n".join(found)
    before = len(reads(signed_in("Ana"), address))
    with enter(house):
        with work():
            resume(sub.public_id, on=TODAY, today=TODAY)
            extra = create_price(
                name="More", code="more", model="flat", currency="EUR", unit_price=Decimal(3)
            )
            for n in range(6):
                add_item(sub.public_id, price=extra, starts_on=ago(n), quantity=Decimal(n + 2))
                discount(
                    sub.public_id,
                    name=f"Off {n}",
                    amount=Decimal(1),
                    on=TODAY + timedelta(days=9 + n),
                    today=TODAY,
                )
        for n in range(3):
            run_billing(ago(2 - n))
    assert len(entries(api, sub)) > 24
    assert (statements(api, path), len(reads(signed_in("Ana"), address))) == (few, before)


def test_whose_it_is_not_and_who_may_not(api: Program, sub: Subscription, house: Scope) -> None:
    bea = Program(key_of(seat("birch", "bea@birch.example")))
    same_refusal(bea, "GET", f"/subscriptions/{sub.public_id}/timeline", sub.public_id)
    assert signed_in("Bea").get(f"/o/birch/subscriptions/{sub.public_id}/history/").status_code == 404
    weak = Program(key_of(house, rights=["customers.view"]))
    assert weak("GET", f"/subscriptions/{sub.public_id}/timeline").status_code == 403


@pytest.mark.parametrize(
    "query", ["before=x", "before=2026-02-30", "before=", "after=2026-01-01", "before=2026-01-01T00"]
)
def test_what_makes_no_sense_is_refused(api: Program, sub: Subscription, query: str) -> None:
    refused = api("GET", f"/subscriptions/{sub.public_id}/timeline?{query}")
    assert refused.status_code == 422
    assert said(refused)["errors"]


@pytest.mark.parametrize("query", ["?before=x", "?before=%00", "?before=9999-12-31", "?before=0001-01-01"])
def test_a_page_leaves_out_what_it_does_not_understand(sub: Subscription, query: str) -> None:
    assert "So far" in page_of(sub, query)
