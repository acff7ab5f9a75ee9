"""A subscription is past due while something of its invoices is open after its day: on pages, by API, in few reads."""

from datetime import timedelta

import pytest

from billing.domain.anchors import Rhythm
from billing.models import BilledPeriod, Subscription
from billing.services.lifecycle import pause
from billing.services.run import run_billing
from billing.services.subscriptions import end
from core import clock
from core.scope import Scope, enter, work
from invoicing.models import Document
from invoicing.services.correct import void
from tests import factories
from tests.conftest import seat
from tests.db.api.conftest import Program, key_of, statements
from tests.db.pages_documents.conftest import signed_in
from tests.db.pages_documents.test_budgets import MOST, reads

TODAY = clock.today("Europe/Berlin")
BEGAN = TODAY - timedelta(days=20)


@pytest.fixture
def late(house: Scope) -> Subscription:
    """Billed for twenty days ago, due thirteen days ago, and not paid."""
    with enter(house):
        with work():
            made = factories.subscription(factories.customer(name="Kestrel", terms_days=7), BEGAN)
        run_billing(BEGAN)
    return made


def invoice_of(sub: Subscription) -> Document:
    found: Document = BilledPeriod.objects.filter(subscription=sub).order_by("id")[0].document
    return found


def state(api: Program, sub: Subscription) -> str:
    return str(api.get(f"/subscriptions/{sub.public_id}")["state"])


def ids(api: Program, wanted: str) -> list[str]:
    return [each["id"] for each in api.get(f"/subscriptions?state={wanted}")["data"]]


def test_it_is_past_due_until_the_last_of_it_is_paid(api: Program, house: Scope, late: Subscription) -> None:
    assert (state(api, late), ids(api, "past_due")) == ("past_due", [late.public_id])
    assert ids(api, "active") == [late.public_id], "it runs and is billed"
    assert [each["state"] for each in api.get("/subscriptions")["data"]] == ["past_due"]
    with enter(house), work():
        factories.pay(invoice_of(late), minor=100)
    assert state(api, late) == "past_due"
    with enter(house), work():
        factories.pay(invoice_of(late))
    assert (state(api, late), ids(api, "past_due")) == ("active", [])


def test_on_its_day_it_is_not_late_yet(api: Program, house: Scope) -> None:
    with enter(house):
        with work():
            due = factories.subscription(factories.customer(terms_days=20), BEGAN)
            over = factories.subscription(factories.customer(terms_days=19), BEGAN)
        run_billing(BEGAN)
    assert [state(api, each) for each in (due, over)] == ["active", "past_due"]
    assert ids(api, "past_due") == [over.public_id]


def test_another_subscription_of_the_same_customer_is_not(
    api: Program, house: Scope, late: Subscription
) -> None:
    with enter(house), work():
        other = factories.subscription(late.customer, TODAY + timedelta(days=3))
        running = factories.subscription(late.customer, TODAY)
        factories.invoice(running.customer, on=BEGAN)
    assert [state(api, each) for each in (other, running)] == ["scheduled", "active"]
    assert ids(api, "past_due") == [late.public_id]


def test_what_is_void_or_paused_held_on_trial_or_over_is_not(
    api: Program, house: Scope, late: Subscription
) -> None:
    with enter(house):
        with work():
            paused, held, over, taken = (
                factories.subscription(factories.customer(terms_days=7), BEGAN) for _ in range(4)
            )
            trial = factories.subscription(factories.customer(), TODAY, rhythm=Rhythm(trial_days=9))
        run_billing(BEGAN)
        with work():
            pause(paused.public_id, on=TODAY, today=TODAY)
            end(over.public_id, on=TODAY, today=TODAY)
            Subscription.objects.filter(pk=held.pk).update(held_at=clock.now(), held_reason="odd")
            void(invoice_of(taken).public_id, on=TODAY, reason="wrong")
    wanted = {"paused": paused, "held": held, "ended": over, "active": taken, "trialing": trial}
    assert {name: state(api, each) for name, each in wanted.items()} == {name: name for name in wanted}
    assert ids(api, "past_due") == [late.public_id]


def test_the_list_says_it_and_has_a_tab_for_it(house: Scope, late: Subscription) -> None:
    ana = signed_in("Ana")
    page = ana.get("/o/acorn/subscriptions/?state=past_due").content.decode()
    assert late.public_id in page
    assert page.count("Past due") == 2, "the tab and the row"
    assert late.public_id not in ana.get("/o/acorn/subscriptions/?state=paused").content.decode()
    own = ana.get(f"/o/acorn/subscriptions/{late.public_id}/").content.decode()
    assert "Past due since" in own
    assert f"state=overdue&amp;customer={late.customer.public_id}" in own


def test_it_costs_no_statement(api: Program, house: Scope, late: Subscription) -> None:
    path = "/subscriptions?state=past_due"
    one, ana = statements(api, path), signed_in("Ana")
    reads(ana, "/o/acorn/subscriptions/")
    assert len(reads(ana, "/o/acorn/subscriptions/?state=past_due")) <= MOST
    with enter(house):
        with work():
            for _ in range(5):
                factories.subscription(factories.customer(terms_days=7), BEGAN - timedelta(days=1))
        run_billing(BEGAN - timedelta(days=1))
    assert len(ids(api, "past_due")) == 6
    assert statements(api, path) == one


def test_another_organization_sees_none_of_it(late: Subscription) -> None:
    bea = Program(key_of(seat("birch", "bea@birch.example")))
    assert ids(bea, "past_due") == []
    page = signed_in("Bea").get("/o/birch/subscriptions/?state=past_due")
    assert page.status_code == 200
    assert late.public_id not in page.content.decode()
