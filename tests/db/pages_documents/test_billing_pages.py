"""Plans, subscriptions and runs as people use them."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client

from billing.listing import run_figures
from billing.models import BillingRun, Plan, Price, Subscription
from billing.previews import run_preview
from billing.services.run import run_billing
from core import clock, effects, registry
from core.models import Effect
from core.scope import Scope, work
from invoicing.models import Document
from tenants.selectors import entity
from tests import factories
from tests.factories import DAY

Snapshot = Callable[[], dict[str, int]]
KEY = "form_01J9ZK0000000000000000"
PRICE = {
    "name": "Track Pro",
    "code": "track-pro",
    "model": "per_unit",
    "unit_price": "14.50",
    "currency": "EUR",
    "every": "1",
    "unit": "month",
    "timing": "advance",
    "tax_percent": "19",
    "save": "1",
    "key": KEY,
}


def today() -> date:
    with work():
        return clock.today(entity().zone)


def test_a_price_is_made_once_and_joins_its_plan(ana: Client, acorn: Scope) -> None:
    for _ in range(3):
        assert ana.post("/o/acorn/plans/new/", PRICE).status_code == 302
    other = {**PRICE, "currency": "USD", "unit_price": "29/2", "key": KEY + "2", "tax_percent": ""}
    assert ana.post("/o/acorn/plans/new/", other).status_code == 302
    with work():
        assert Plan.objects.count() == 1
        assert [(p.currency, p.unit_price, p.tax_percent) for p in Price.objects.order_by("id")] == [
            ("EUR", Decimal("14.50"), Decimal(19)),
            ("USD", Decimal("14.5"), Decimal(19)),
        ]
    assert "14.50" in ana.get("/o/acorn/plans/").content.decode()


def test_a_subscription_without_any_price_leads_to_the_plans(ana: Client, acorn: Scope) -> None:
    assert "There is no price yet." in ana.get("/o/acorn/subscriptions/new/").content.decode()
    ana.post("/o/acorn/plans/new/", PRICE)
    shown = ana.get("/o/acorn/subscriptions/new/").content.decode()
    assert "There is no price yet." not in shown
    assert "Track Pro: Per unit, EUR 14.50 a month" in shown


@pytest.mark.parametrize(
    "wrong",
    [
        {"unit_price": "1e3"},
        {"unit_price": "-1"},
        {"unit_price": "9" * 15},
        {"unit_price": "NaN"},
        {"unit_price": "١"},
        {"unit_price": ""},
        {"currency": "XX"},
        {"currency": "QQQ"},
        {"currency": "\x00\x00\x00"},
        {"every": "0"},
        {"every": "9" * 30},
        {"model": "tiered"},
        {"unit": "eon"},
        {"tax_percent": "101"},
        {"name": ""},
        {"name": "x" * 10_000},
        {"name": "a\x00b"},
        {"name": "a\x1bb"},
        {"code": "a b"},
        {"code": ""},
        {"key": ""},
    ],
)
def test_a_bad_price_says_so_at_its_field(
    ana: Client, acorn: Scope, snapshot: Snapshot, wrong: dict[str, str]
) -> None:
    before = snapshot()
    answer = ana.post("/o/acorn/plans/new/", {**PRICE, **wrong})
    assert answer.status_code == 422
    page = answer.content.decode()
    (name,) = wrong
    assert name == "key" or f'id="id_{name}_error"' in page
    assert snapshot() == before


@pytest.fixture
def price(acorn: Scope) -> Price:
    with work():
        return factories.subscription(
            factories.customer(name="Kestrel Freight", number="K-77"), date(2030, 1, 1)
        ).price


def form(price: Price, /, **given: str) -> dict[str, Any]:
    return {
        "customer": "Kestrel Freight (K-77)",
        "price": price.public_id,
        "quantity": "3*4",
        "starts_on": "2026-11-02",
        "ends_on": "",
        "key": KEY,
        **given,
    }


def test_a_subscription_is_made_once(ana: Client, price: Price) -> None:
    targets = {
        ana.post("/o/acorn/subscriptions/new/", form(price, autopay="on"))["Location"] for _ in range(3)
    }
    assert len(targets) == 1
    with work():
        made = Subscription.objects.order_by("id").last()
        assert Subscription.objects.count() == 2
        assert (made.quantity, made.autopay, made.anchor) == (12, True, DAY)
    page = ana.get(targets.pop()).content.decode()
    assert "Next invoice" in page
    assert "Nothing was billed yet" in page


@pytest.mark.parametrize(
    "wrong",
    [
        {"customer": "nobody"},
        {"customer": "\x00"},
        {"customer": "x" * 10_000},
        {"price": "price_x"},
        {"price": "\x00"},
        {"quantity": "1e9"},
        {"quantity": "-1"},
        {"quantity": "9" * 15},
        {"quantity": "١"},
        {"quantity": ""},
        {"starts_on": ""},
        {"starts_on": "0001-01-01"},
        {"starts_on": "9999-12-31"},
        {"ends_on": "2026-11-02"},
        {"ends_on": "x"},
    ],
)
def test_a_bad_subscription_says_so_at_its_field(
    ana: Client, price: Price, snapshot: Snapshot, wrong: dict[str, str]
) -> None:
    before = snapshot()
    answer = ana.post("/o/acorn/subscriptions/new/", form(price, **wrong))
    assert answer.status_code == 422
    (name,) = wrong
    assert f'id="id_{name}_error"' in answer.content.decode()
    assert snapshot() == before


def test_another_currency_is_refused_at_the_price(ana: Client, price: Price, snapshot: Snapshot) -> None:
    with work():
        factories.customer(name="Palo Verde", number="P-1", currency="USD")
    before = snapshot()
    answer = ana.post("/o/acorn/subscriptions/new/", form(price, customer="Palo Verde (P-1)"))
    assert answer.status_code == 422
    assert 'id="id_price_error"' in answer.content.decode()
    assert snapshot() == before


@time_machine.travel("2026-11-27T09:00:00Z")
def test_the_next_invoice_is_what_the_run_bills(ana: Client, acorn: Scope) -> None:
    with work():
        sub = factories.subscription(
            factories.customer(), DAY, quantity=Decimal("7.25"), unit_price=Decimal("0.333333")
        )
    page = ana.get(f"/o/acorn/subscriptions/{sub.public_id}/").content.decode()
    shown = page[page.index("Next invoice") : page.index("Billed periods")]
    run_billing(today())
    with work():
        doc = Document.objects.get()
    assert f"{Decimal(doc.total_minor) / 100:,.2f}" in shown
    page = ana.get(f"/o/acorn/subscriptions/{sub.public_id}/").content.decode()
    assert doc.number in page[page.index("Billed periods") :]


def test_subscriptions_filter_by_state_plan_and_customer(ana: Client, acorn: Scope) -> None:
    with work():
        one, two = factories.customer(name="Kestrel"), factories.customer(name="Halden")
        first = factories.subscription(one, DAY)
        factories.subscription(two, date(1999, 1, 1))
    run_billing(DAY)

    def names(query: str) -> list[str]:
        page = ana.get(f"/o/acorn/subscriptions/{query}").content.decode()
        return re.findall(r'class="t-id" href="[^"]+">([^<]+)</a>', page)

    with work():
        code = first.price.plan.code
    assert names("") == ["Halden", "Kestrel"]
    assert names("?state=held") == ["Halden"]
    assert names(f"?plan={code}") == ["Kestrel"]
    assert names(f"?customer={one.public_id}&state=active") == ["Kestrel"]
    for odd in ("?state=x", "?plan=%00", "?customer=%27", "?page=zzz", "?customer_name=" + "x" * 5000):
        assert ana.get(f"/o/acorn/subscriptions/{odd}").status_code == 200
    answer = ana.get("/o/acorn/subscriptions/?customer_name=kestrel")
    assert answer["Location"] == f"/o/acorn/subscriptions/?customer={one.public_id}"


@time_machine.travel("2026-11-27T09:00:00Z")
def test_a_subscription_is_ended_on_its_page(ana: Client, vic: Client, acorn: Scope) -> None:
    with work():
        sub = factories.subscription(factories.customer(), DAY)
    run_billing(DAY)
    page = f"/o/acorn/subscriptions/{sub.public_id}/"
    assert vic.post(f"{page}end/", {"on": "2026-12-02"}).status_code == 403
    for day in ("", "x", "2026-12-01\x00", "2999-01-01", "2026-10-30"):
        answer = ana.post(f"{page}end/", {"on": day})
        assert answer.status_code == 422
        assert 'data-show="1"' in answer.content.decode()
    with work():
        sub.refresh_from_db()
        assert sub.ends_on is None
    assert ana.post(f"{page}end/", {"on": "2026-12-03"})["Location"] == page
    shown = ana.get(page).content.decode()
    assert "1 of 31 days" in shown
    assert ana.post(f"{page}end/", {"on": "2026-12-02"})["Location"] == page
    assert ana.post(f"{page}end/", {"on": "2026-12-20"}).status_code == 409


def test_starting_a_run_waits_for_nothing_and_happens_once(ana: Client, acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        for n in range(3):
            factories.subscription(owner, DAY, quantity=Decimal(n + 1))
        factories.subscription(owner, date(1999, 1, 1))
    start = {"as_of": DAY.isoformat(), "key": KEY}
    targets = {ana.post("/o/acorn/runs/start/", start)["Location"] for _ in range(3)}
    assert len(targets) == 1
    with work():
        row = BillingRun.objects.get()
        due = Effect.objects.get(kind="billing.run")
        assert (row.state, row.documents) == ("running", 0)
        assert Document.objects.count() == 0
        shown = run_preview(DAY)
        assert run_figures(row).to_go == 4
    page = ana.get(targets.pop()).content.decode()
    assert 'hx-trigger="every 1s"' in page
    poll = f"/o/acorn/runs/{row.public_id}/progress/?polls="
    assert 'hx-trigger="every 1s"' in ana.get(f"{poll}3").content.decode()
    assert 'hx-trigger="every 5s"' in ana.get(f"{poll}99").content.decode()
    assert ana.get(f"{poll}%00x").status_code == 200

    registry.effects["billing.run"](due)
    with work():
        row.refresh_from_db()
        assert (row.state, row.documents, row.held) == ("done", 3, 1)
        ((count, net),) = run_figures(row).sums
        total = sum(Document.objects.values_list("total_minor", flat=True))
    (previewed,) = shown.sums
    assert (shown.count, previewed.count, previewed.net) == (3, count, net)
    assert previewed.total.minor == total
    assert len(shown.odd) == 1
    done = ana.get(f"{poll}5")
    assert done["HX-Refresh"] == "true"
    assert "every" not in done.content.decode()


def test_a_form_sent_again_after_its_run_leaves_it_ended(ana: Client, acorn: Scope) -> None:
    """Its effect is done and stays done, so a run begun once more would wait for a worker for ever."""
    with work():
        factories.subscription(factories.customer(), DAY)
    start = {"as_of": DAY.isoformat(), "key": KEY}
    ana.post("/o/acorn/runs/start/", start)
    effects.work_off([])
    assert ana.post("/o/acorn/runs/start/", start).status_code == 302
    with work():
        run = BillingRun.objects.get()
        assert (run.state, run.documents) == ("done", 1)
        assert not Effect.objects.filter(kind="billing.run", done_at=None).exists()
    ana.post("/o/acorn/runs/start/", {**start, "key": f"{KEY}1"})
    with work():
        assert BillingRun.objects.get().state == "running"
        assert Effect.objects.filter(kind="billing.run", done_at=None).exists()


def test_a_run_started_again_bills_what_was_released(ana: Client, acorn: Scope) -> None:
    with work():
        held = factories.subscription(factories.customer(), date(1999, 1, 1))
    run_billing(DAY)
    with work():
        row = BillingRun.objects.get()
    page = ana.get(f"/o/acorn/runs/{row.public_id}/").content.decode()
    assert "periods would be billed" in page
    release = f"/o/acorn/subscriptions/{held.public_id}/release/"
    assert ana.post(release, {"run": row.public_id})["Location"] == f"/o/acorn/runs/{row.public_id}/"
    assert ana.post(release, {"run": "\x00//evil"})["Location"] == f"/o/acorn/subscriptions/{held.public_id}/"
    assert "periods would be billed" not in ana.get(f"/o/acorn/runs/{row.public_id}/").content.decode()
    assert ana.post("/o/acorn/runs/start/", {"as_of": DAY.isoformat(), "key": KEY}).status_code == 302
    with work():
        row.refresh_from_db()
        assert row.state == "running"


def test_a_run_ends_at_the_time_of_its_organization(ana: Client, acorn: Scope) -> None:
    with work():
        factories.subscription(factories.customer(), DAY)
    run = run_billing(DAY)
    with work():
        run.finished_at = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
        run.touch("finished_at")
    page = ana.get(f"/o/acorn/runs/{run.public_id}/").content.decode()
    assert "Finished 2 Jul 2026, 00:30" in re.sub(r"\s+", " ", page)


@pytest.mark.parametrize("day", ["", "x", "2999-01-01", "1999-12-31", "\x00", "0001-01-01"])
def test_a_run_for_a_day_that_cannot_be_is_refused(
    ana: Client, acorn: Scope, snapshot: Snapshot, day: str
) -> None:
    before = snapshot()
    answer = ana.post("/o/acorn/runs/start/", {"as_of": day, "key": KEY})
    assert answer.status_code == 422
    assert 'id="id_as_of_error"' in answer.content.decode()
    assert ana.post("/o/acorn/runs/preview/", {"as_of": day}).status_code == 200
    assert snapshot() == before


def test_the_preview_in_the_dialog_says_what_is_odd(ana: Client, acorn: Scope, snapshot: Snapshot) -> None:
    with work():
        owner = factories.customer(name="Halden Marine")
        factories.subscription(owner, DAY)
        factories.subscription(owner, date(1999, 1, 1))
    before = snapshot()
    page = ana.post("/o/acorn/runs/preview/", {"as_of": DAY.isoformat()}).content.decode()
    assert "1 invoice" in page
    assert "17.26" in page
    assert "Halden Marine" in page
    assert snapshot() == before
    with work():
        Subscription.objects.update(state="ended")
    assert "Nothing is due" in ana.post("/o/acorn/runs/preview/", {"as_of": DAY.isoformat()}).content.decode()


def test_query_budgets_do_not_grow(ana: Client, acorn: Scope, queries: Callable[[Client, str], int]) -> None:
    def grow(n: int, day: date) -> tuple[str, str]:
        with work():
            for _ in range(n):
                owner = factories.customer()
                sub = factories.subscription(owner, day)
                factories.subscription(owner, date(1999, 1, 1))
        run = run_billing(day)
        return run.public_id, sub.public_id

    def measure(run: str, sub: str) -> list[int]:
        paths = (
            "plans/",
            "subscriptions/",
            f"subscriptions/{sub}/",
            "runs/",
            f"runs/{run}/",
            f"runs/{run}/progress/",
        )
        return [queries(ana, f"/o/acorn/{path}") for path in paths]

    small = measure(*grow(2, DAY))
    assert measure(*grow(8, DAY + timedelta(days=1))) == small
    assert max(small) <= 20
