"""Alerts of usage on their pages: set, reached, dropped, refused, and who may."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from billing.models import Meter, Subscription, UsageAlert
from billing.services.usage_alerts import create_alert, look
from core import clock
from core.scope import Scope, work
from tests import factories
from tests.metering import hours_ago, meter, said, send

Snapshot = Callable[[], dict[str, int]]


@pytest.fixture
def calls(acorn: Scope) -> tuple[Meter, Subscription]:
    with work():
        by = meter("sum", name="Calls", code="calls")
        begun = clock.today("Europe/Berlin") - timedelta(days=3)
        sub = factories.subscription(factories.customer(name="Kestrel"), begun)
        send(said(by, sub, amount="7", at=hours_ago(1)))
        return by, sub


def meter_page(by: Meter) -> str:
    return f"/o/acorn/usage/meters/{by.public_id}/"


def usage_page(sub: Subscription) -> str:
    return f"/o/acorn/subscriptions/{sub.public_id}/usage/"


def live() -> list[tuple[Decimal, str]]:
    with work():
        rows = (
            UsageAlert.objects.filter(archived_at=None).select_related("subscription").order_by("threshold")
        )
        return [(row.threshold, row.subscription.public_id if row.subscription else "") for row in rows]


def test_an_alert_of_each_is_set_on_the_meter_and_seen_with_each(
    ana: Client, calls: tuple[Meter, Subscription]
) -> None:
    by, sub = calls
    assert "Nobody is told of any figure" in ana.get(meter_page(by)).content.decode()
    answer = ana.post(f"{meter_page(by)}alerts/", {"threshold": "1,000"})
    assert (answer.status_code, answer.headers["Location"]) == (302, meter_page(by))
    assert live() == [(1000, "")]
    for address in (meter_page(by), usage_page(sub)):
        page = ana.get(address).content.decode()
        assert "1,000" in page
        assert "each subscription" in page


def test_an_alert_of_one_says_when_it_was_reached(ana: Client, calls: tuple[Meter, Subscription]) -> None:
    by, sub = calls
    answer = ana.post(f"{meter_page(by)}alerts/", {"threshold": "5", "subscription": sub.public_id})
    assert answer.headers["Location"] == f"{usage_page(sub)}?meter=calls"
    assert live() == [(5, sub.public_id)]
    assert "never" in ana.get(usage_page(sub)).content.decode()
    with work():
        assert look(subscription_id=sub.pk, meter_id=by.pk) == 1
    page = ana.get(usage_page(sub)).content.decode()
    assert "at 7" in page
    assert "this one" in page
    assert "Kestrel" in ana.get(meter_page(by)).content.decode()


def test_dropped_it_is_seen_no_more_and_again_changes_nothing(
    ana: Client, calls: tuple[Meter, Subscription]
) -> None:
    by, sub = calls
    with work():
        row = create_alert(meter=by, threshold=Decimal(5), subscription=sub)
    for _ in range(2):
        answer = ana.post(f"/o/acorn/usage/alerts/{row.public_id}/archive/")
        assert answer.headers["Location"] == f"{usage_page(sub)}?meter=calls"
    assert live() == []
    assert "Nobody is told" in ana.get(usage_page(sub)).content.decode()


@pytest.mark.parametrize("typed", ["", "x", "0", "-1", "9" * 16, "1e5", "1.1234567890123"])
@pytest.mark.parametrize("one", [False, True])
def test_what_is_no_figure_comes_back(
    ana: Client, calls: tuple[Meter, Subscription], snapshot: Snapshot, typed: str, one: bool
) -> None:
    by, sub = calls
    before = snapshot()
    given = {"threshold": typed} | ({"subscription": sub.public_id} if one else {})
    answer = ana.post(f"{meter_page(by)}alerts/", given)
    assert answer.status_code == 422
    assert 'data-show="1"' in answer.content.decode()
    assert (live(), snapshot()) == ([], before)


def test_the_same_figure_twice_is_refused_in_words(ana: Client, calls: tuple[Meter, Subscription]) -> None:
    by, _ = calls
    answers = [ana.post(f"{meter_page(by)}alerts/", {"threshold": "5"}) for _ in range(2)]
    assert [each.status_code for each in answers] == [302, 409]
    assert "at that figure already" in answers[1].content.decode()
    assert live() == [(5, "")]


def test_another_house_and_a_wrong_role_change_nothing(
    bea: Client, vic: Client, calls: tuple[Meter, Subscription]
) -> None:
    by, _ = calls
    with work():
        row = create_alert(meter=by, threshold=Decimal(5))
    drop = f"/o/acorn/usage/alerts/{row.public_id}/archive/"
    said: dict[str, Any] = {"threshold": "9"}
    for address in (f"{meter_page(by)}alerts/", drop):
        assert vic.post(address, said).status_code == 403
        assert bea.post(address, said).status_code == 404
        assert bea.post(address.replace("acorn", "birch"), said).status_code == 404
    assert vic.get(meter_page(by)).status_code == 200
    assert live() == [(5, "")]


def test_a_subscription_that_is_not_there_is_not_found(
    ana: Client, calls: tuple[Meter, Subscription]
) -> None:
    by, _ = calls
    answer = ana.post(f"{meter_page(by)}alerts/", {"threshold": "9", "subscription": "sub_none"})
    assert answer.status_code == 404
    assert live() == []
