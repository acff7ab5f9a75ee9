"""Meters and usage as people look at them: figures lead to their events, forms keep what was typed, rights hold."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from billing.models import Meter, Subscription
from billing.services.usage_voids import void
from core import clock
from core.scope import Scope, work
from core.templatetags.ui import bars
from tests import factories
from tests.metering import hours_ago, meter, said, send

METER = {
    "name": "Storage", "code": "storage-gb", "aggregation": "weighted_sum", "field": "gb",
    "group_by": "region, tier", "late_days": "35", "key": "form_01J9ZK0000000000000001",
}  # fmt: skip


@pytest.fixture
def sub(acorn: Scope) -> Subscription:
    with work():
        return factories.subscription(factories.customer(name="Kestrel"), factories.DAY)


def test_a_meter_is_made_once_however_often_it_is_sent(ana: Client, acorn: Scope) -> None:
    answers = [ana.post("/o/acorn/usage/new/", METER) for _ in range(3)]
    assert {each.status_code for each in answers} == {302}
    assert len({each["Location"] for each in answers}) == 1
    with work():
        (made,) = Meter.objects.all()
        assert made.group_by == ["region", "tier"]
    shown = ana.get(answers[0]["Location"]).content.decode()
    assert "Average level over time" in shown
    assert "region, tier" in shown


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"code": "Storage GB"}, "small letters"),
        ({"field": ""}, "Name the property"),
        ({"aggregation": "count"}, "looks at no property"),
        ({"group_by": "a,b,c,d"}, "At most 3"),
        ({"late_days": "401"}, "less than or equal to 400"),
        ({"late_days": "٣"}, "whole number"),
        ({"name": "a\0b"}, "cannot be shown"),
        ({"aggregation": "median"}, "not one of the available choices"),
    ],
)
def test_a_refused_meter_keeps_what_was_typed(
    ana: Client, acorn: Scope, wrong: dict[str, str], words: str
) -> None:
    answer = ana.post("/o/acorn/usage/new/", {**METER, **wrong})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert words in text
    assert "Storage" in text
    with work():
        assert not Meter.objects.exists()


def test_a_code_that_is_taken_is_said_and_not_saved(ana: Client, acorn: Scope) -> None:
    ana.post("/o/acorn/usage/new/", METER)
    answer = ana.post("/o/acorn/usage/new/", {**METER, "key": METER["key"] + "2"})
    assert answer.status_code == 409
    assert "storage-gb" in answer.content.decode()


def test_a_figure_leads_to_the_events_it_is_made_of(ana: Client, sub: Subscription) -> None:
    with work():
        gb = meter("sum", group_by=["region"])
        send(
            *(said(gb, sub, f"e{n}", amount=str(n), region="eu", at=clock.now()) for n in (10, 20, 30)),
            said(gb, sub, "earlier-one", amount="7", region="us", at=hours_ago(24 * 33)),
        )
        void(["e30"], why="twice")
    address = f"/o/acorn/subscriptions/{sub.public_id}/"
    assert f'href="{address}usage/"' in ana.get(address).content.decode()
    shown = ana.get(f"{address}usage/").content.decode()
    assert '<p class="kpi-v">30</p>' in shown
    assert shown.count('<rect class="b"') == clock.today(sub.zone).day
    (link,) = set(re.findall(r'href="(/o/acorn/usage/events/[^"]+)"[^>]*>[^<]*day,', shown))
    events = ana.get(link.replace("&amp;", "&")).content.decode()
    assert all(name in events for name in ("e10", "e20", "e30"))
    assert "earlier-one" not in events
    assert events.count("Void") == 1
    earlier = ana.get(f"/o/acorn/subscriptions/{sub.public_id}/usage/?day={hours_ago(24 * 33).date()}")
    assert '<p class="kpi-v">7</p>' in earlier.content.decode()
    assert "region us" in earlier.content.decode()


def test_another_filter_keeps_those_that_are_on(ana: Client, sub: Subscription) -> None:
    with work():
        gb = meter("sum")
        send(said(gb, sub, "e1"))
    on = {"meter": gb.code, "subscription": sub.public_id, "day": str(clock.today(sub.zone))}
    shown = ana.get("/o/acorn/usage/events/", {**on, "transaction_id": "e1", "page": ""}).content.decode()
    form = shown[shown.index('id="filter-form"') :].split("</form>")[0]
    kept = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))
    assert kept == on
    assert ana.get("/o/acorn/usage/events/", {**kept, "transaction_id": "e1"}).content.count(b"e1</td>") == 1
    odd = ana.get("/o/acorn/usage/events/?day=x&meter=%00").content.decode()
    assert 'type="hidden" name="day"' not in odd
    assert 'type="hidden" name="meter"' not in odd


def test_odd_filters_are_left_out(ana: Client, sub: Subscription) -> None:
    with work():
        gb = meter("sum")
        send(said(gb, sub, "e1"))
    for query in ("day=x", "day=0001-01-01", "meter=%00", "meter=nothing", "page=x", "transaction_id=%00"):
        assert ana.get(f"/o/acorn/subscriptions/{sub.public_id}/usage/?{query}").status_code == 200, query
        assert ana.get(f"/o/acorn/usage/events/?{query}").status_code == 200, query
    assert "e1" not in ana.get("/o/acorn/usage/events/?transaction_id=e2").content.decode()
    assert ana.get("/o/acorn/usage/events/?subscription=sub_nobody").status_code == 404


def test_who_only_looks_and_who_is_elsewhere(
    ana: Client, vic: Client, bea: Client, sub: Subscription
) -> None:
    with work():
        gb = meter("sum")
        send(said(gb, sub, "e1"))
    pages = [
        "usage/", "usage/events/", f"usage/meters/{gb.public_id}/", f"subscriptions/{sub.public_id}/usage/",
    ]  # fmt: skip
    for path in pages:
        assert vic.get(f"/o/acorn/{path}").status_code == 200
        assert bea.get(f"/o/acorn/{path}").status_code == 404
    for path in pages[2:]:
        assert bea.get(f"/o/birch/{path}").status_code == 404
    for path, data in (("usage/new/", METER), (f"usage/meters/{gb.public_id}/archive/", {})):
        assert vic.post(f"/o/acorn/{path}", data).status_code == 403
        assert bea.post(f"/o/acorn/{path}", data).status_code == 404
    assert bea.post(f"/o/birch/usage/meters/{gb.public_id}/archive/").status_code == 404
    with work():
        assert Meter.objects.get().archived_at is None
    for _ in range(2):
        assert ana.post(f"/o/acorn/usage/meters/{gb.public_id}/archive/").status_code == 302
    assert "takes no more events" in ana.get(f"/o/acorn/{pages[2]}").content.decode()


def test_pages_read_no_more_for_more(
    ana: Client, sub: Subscription, queries: Callable[[Client, str], int], acorn: Scope
) -> None:
    with work():
        gb = meter("sum")
        send(said(gb, sub))
    pages = [
        "usage/", "usage/events/", f"usage/meters/{gb.public_id}/", f"subscriptions/{sub.public_id}/usage/",
    ]  # fmt: skip
    for path in pages:
        queries(ana, f"/o/acorn/{path}")
    few = [queries(ana, f"/o/acorn/{path}") for path in pages]
    with work():
        others = [factories.subscription(factories.customer(), factories.DAY) for _ in range(5)]
        send(
            *(
                said(gb, each, at=clock.now() - timedelta(hours=n))
                for each in [*others, sub]
                for n in range(40)
            )
        )
        for _ in range(5):
            meter("max")
    assert [queries(ana, f"/o/acorn/{path}") for path in pages] == few


def test_bars_stand_on_zero_and_small_ones_can_be_seen() -> None:
    def drawn(*values: Any) -> list[tuple[float, float]]:
        return [(float(each.y), float(each.height)) for each in bars([{"value": value} for value in values])]

    assert drawn(10, 5, 0) == [(0, 100), (50, 50), (100, 0)]
    assert drawn(10, -10) == [(0, 50), (50, 50)]
    assert drawn(0, 0) == [(0, 0), (0, 0)]
    assert drawn(1_000_000, 1)[1][1] > 0.1
    assert drawn() == []
