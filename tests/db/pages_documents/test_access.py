"""Who may see and do what: every page and every act, as a stranger and as a viewer. Nothing changes on a refusal."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from django.test import Client

from billing.models import BillingRun, Price, Subscription
from billing.services.run import run_billing
from core.scope import Scope, work
from invoicing.models import Document
from tests import factories
from tests.cast import CANARY
from tests.factories import DAY

Snapshot = Callable[[], dict[str, int]]
Subtests = pytest.Subtests


@pytest.fixture
def things(acorn: Scope) -> dict[str, str]:
    """One of each, with public ids by name."""
    with work():
        owner = factories.customer(name="Kestrel Freight")
        draft = Document.objects.get(pk=factories.draft_invoice(owner))
        issued = factories.invoice(owner)
        sub = factories.subscription(owner, DAY, quantity=Decimal(3))
        held = factories.subscription(owner, date(1999, 1, 1))
    run_billing(DAY)
    with work():
        return {
            "draft": draft.public_id,
            "issued": issued.public_id,
            "sub": sub.public_id,
            "held": held.public_id,
            "price": sub.price.public_id,
            "run": BillingRun.objects.get().public_id,
        }


PAGES = [
    "invoices/",
    "invoices/?q=INV-2026",
    "invoices/customers/?customer=kes",
    "invoices/{draft}/",
    "invoices/{issued}/",
    "plans/",
    "plans/prices/{price}/",
    "plans/prices/{price}/quote/?quantity=3",
    "subscriptions/",
    "subscriptions/{sub}/",
    "subscriptions/{held}/",
    "runs/",
    "runs/{run}/",
    "runs/{run}/progress/",
    "journal/",
    "journal/?account=1100",
    "journal/trial-balance/",
]
WRITERS_PAGES = [
    "invoices/new/",
    "invoices/{draft}/edit/",
    "plans/new/",
    "subscriptions/new/",
    "invoices/invoices.csv",
]
WRITES = [
    "invoices/new/",
    "invoices/bulk/",
    "invoices/{draft}/edit/",
    "invoices/{draft}/delete/",
    "invoices/{draft}/issue/",
    "invoices/{issued}/void/",
    "invoices/{issued}/void/preview/",
    "invoices/{issued}/credit/",
    "invoices/{issued}/credit/preview/",
    "invoices/{issued}/write-off/",
    "invoices/{issued}/write-off/preview/",
    "invoices/{issued}/send/",
    "plans/new/",
    "plans/typed/",
    "plans/prices/{price}/retire/",
    "subscriptions/new/",
    "subscriptions/{sub}/items/",
    "subscriptions/{held}/release/",
    "runs/start/",
    "runs/preview/",
]
INPUT = {
    "reason": "because",
    "void-reason": "because",
    "credit-reason": "x",
    "credit-what": "all",
    "credit-key": "k" * 20,
    "write_off-reason": "x",
    "write_off-amount": "1.00",
    "write_off-key": "k" * 20,
    "issue-issued_on": "2026-11-02",
    "version": "1",
    "as_of": "2026-11-02",
    "key": "k" * 20,
    "act": "issue",
}


def test_a_stranger_gets_404_and_reads_nothing(
    bea: Client, things: dict[str, str], subtests: Subtests
) -> None:
    for path in [*PAGES, *WRITERS_PAGES]:
        with subtests.test(path):
            answer = bea.get(f"/o/acorn/{path.format(**things)}")
            assert answer.status_code == 404
            assert b"Kestrel" not in answer.content


def test_an_id_of_another_house_is_not_here(bea: Client, things: dict[str, str], subtests: Subtests) -> None:
    for path in [*PAGES, *WRITERS_PAGES]:
        if "{" in path:
            with subtests.test(path):
                answer = bea.get(f"/o/birch/{path.format(**things)}")
                assert answer.status_code == 404
                assert b"Kestrel" not in answer.content


@pytest.mark.parametrize("house", ["acorn", "birch"])
def test_a_stranger_changes_nothing(
    bea: Client, things: dict[str, str], snapshot: Snapshot, house: str, subtests: Subtests
) -> None:
    before = snapshot()
    for path in WRITES:
        if house == "birch" and "{" not in path:
            continue  # without an id it is Bea's own house
        with subtests.test(path):
            answer = bea.post(f"/o/{house}/{path.format(**things)}", {**INPUT, "chosen": things["draft"]})
            assert answer.status_code == 404
            assert b"Kestrel" not in answer.content
            assert snapshot() == before


def test_bulk_acts_on_ids_of_another_house_do_nothing(
    bea: Client, things: dict[str, str], snapshot: Snapshot
) -> None:
    before = snapshot()
    answer = bea.post("/o/birch/invoices/bulk/", {"act": "issue", "chosen": [things["draft"]]}, follow=True)
    assert answer.status_code == 200
    assert b"Kestrel" not in answer.content
    assert snapshot() == before


def test_a_viewer_is_refused_and_nothing_changes(
    vic: Client, things: dict[str, str], snapshot: Snapshot, subtests: Subtests
) -> None:
    before = snapshot()
    for path in WRITES:
        with subtests.test(path):
            answer = vic.post(f"/o/acorn/{path.format(**things)}", {**INPUT, "chosen": things["draft"]})
            assert answer.status_code == 403
            assert snapshot() == before


def test_a_viewer_sees_the_pages(vic: Client, things: dict[str, str], subtests: Subtests) -> None:
    for path in PAGES:
        with subtests.test(path):
            answer = vic.get(f"/o/acorn/{path.format(**things)}")
            assert answer.status_code == 200
            assert CANARY.encode() not in answer.content


def test_a_viewer_does_not_get_the_forms(vic: Client, things: dict[str, str], subtests: Subtests) -> None:
    for path in WRITERS_PAGES:
        with subtests.test(path):
            assert vic.get(f"/o/acorn/{path.format(**things)}").status_code == 403


def test_an_accounts_manager_sees_everything(ben: Client, things: dict[str, str], subtests: Subtests) -> None:
    for path in [*PAGES, *WRITERS_PAGES]:
        with subtests.test(path):
            assert ben.get(f"/o/acorn/{path.format(**things)}").status_code == 200


def test_refused_controls_are_greyed_with_their_reason(vic: Client, things: dict[str, str]) -> None:
    page = vic.get(f"/o/acorn/invoices/{things['issued']}/").content.decode()
    assert "needs the right “Credit and void invoices”" in page
    assert 'aria-disabled="true"' in page


def test_an_act_is_no_link(ana: Client, things: dict[str, str]) -> None:
    for path in WRITES:
        if path not in WRITERS_PAGES:
            assert ana.get(f"/o/acorn/{path.format(**things)}").status_code in {404, 405}, path


def test_nobody_signed_in_is_asked_to(db: None) -> None:
    assert Client().get("/o/acorn/invoices/").status_code == 302


def test_prices_and_subscriptions_are_as_they_were(acorn: Scope, things: dict[str, str]) -> None:
    with work():
        assert (Price.objects.count(), Subscription.objects.count()) == (2, 2)
