"""A time of day on the dialogs of a subscription that is prorated by the second, and on no other's."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from billing.domain.anchors import Rhythm
from billing.domain.proration import Proration
from billing.models import CreditedPeriod, Subscription
from billing.services.run import run_billing
from core.books import verify
from core.scope import Scope, work
from tests import factories
from tests.db.pages_documents.test_lifecycle_pages import TODAY, Snapshot, opened, path


@pytest.fixture
def sub(acorn: Scope) -> Subscription:
    """A month of 30 that began ten days ago and is billed."""
    with work():
        made = factories.subscription(
            factories.customer(name="Kestrel"), TODAY - timedelta(days=10), unit_price="30", tax_percent=0,
            rhythm=Rhythm(proration=Proration.SECOND),
        )  # fmt: skip
    run_billing(TODAY - timedelta(days=10))
    return made


def test_an_end_at_noon_is_seen_before_and_done_once(
    ana: Client, sub: Subscription, snapshot: Snapshot
) -> None:
    assert 'id="id_end_at"' in ana.get(path(sub)).content.decode()
    before = snapshot()
    seen = {
        at: ana.post(path(sub, "end", "preview"), {"on": str(TODAY), "at": at}).content.decode()
        for at in ("", "12:00")
    }
    assert seen[""] != seen["12:00"]
    assert snapshot() == before
    for _ in range(2):
        assert ana.post(path(sub, "end"), {"on": str(TODAY), "at": "12:00"}).status_code == 302
    assert " 12:00" in ana.get(path(sub)).content.decode()
    run_billing(TODAY)
    with work():
        (back,) = CreditedPeriod.objects.all()
        assert f"({back.amount_minor / 100:.2f})" in seen["12:00"]
        assert verify() == []


def test_a_change_at_a_time_is_seen_and_done(ana: Client, sub: Subscription) -> None:
    wish = {"quantity": "2", "on": str(TODAY), "at": "06:30"}
    seen = ana.post(path(sub, "change", "preview"), wish).content.decode()
    assert " 06:30" in seen
    for _ in range(2):
        assert ana.post(path(sub, "change"), wish).status_code == 302
    page = ana.get(path(sub)).content.decode()
    assert " 06:30" in page
    run_billing(TODAY)
    with work():
        assert verify() == []


@pytest.mark.parametrize("at", ["noon", "25:00", "12:00:00.5", "<b>"])
@pytest.mark.parametrize(("place", "said"), [("end", {}), ("change", {"quantity": "2"})])
def test_what_is_no_time_is_named_in_its_dialog(
    ana: Client, sub: Subscription, snapshot: Snapshot, place: str, said: dict[str, str], at: str
) -> None:
    before = snapshot()
    refused = ana.post(path(sub, place), {**said, "on": str(TODAY), "at": at})
    assert refused.status_code == 422
    assert opened(refused, place)
    assert snapshot() == before


def test_a_time_needs_its_day_and_says_so_in_the_dialog(ana: Client, sub: Subscription) -> None:
    refused = ana.post(path(sub, "change"), {"quantity": "2", "at": "06:30"})
    assert refused.status_code == 422
    assert "Say the day, too." in refused.content.decode()


def test_by_days_there_is_no_time(ana: Client, acorn: Scope) -> None:
    with work():
        sub = factories.subscription(factories.customer(name="Kestrel"), TODAY)
    page = ana.get(path(sub)).content.decode()
    assert "id_end_at" not in page
    assert "id_change_at" not in page


def test_the_audit_says_the_times_in_words(ana: Client, sub: Subscription) -> None:
    ana.post(path(sub, "change"), {"quantity": "2", "on": str(TODAY), "at": "06:30"})
    ana.post(path(sub, "change"), {"quantity": "2", "on": str(TODAY), "at": "07:45"})
    told = ana.get(f"/o/acorn/audit/{sub.public_id}/").content.decode()
    text = " ".join(re.sub(r"<[^>]+>", " ", told).split())
    assert "Holds from: 06:30:00 → 07:45:00" in text
    assert "Ends at: 06:30:00 → 07:45:00" in text
