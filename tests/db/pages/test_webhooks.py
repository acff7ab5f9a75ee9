"""Webhooks as people add, look at, test, replay and take them away."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from core.models import AuditEntry, OutboxEvent
from core.relay import relay
from core.scope import Scope, enter, work
from integrations.models import Delivery, DeliveryTry, Endpoint
from tests import factories
from tests.db.pages.test_session import ODD, odd

HOOKS = "/o/acorn/settings/webhooks/"
GOOD = {"url": "https://erp.example/hook", "every": "on", "description": "ERP"}


def added(ana: Client, house: Scope, **given: str) -> Endpoint:
    ana.post(HOOKS + "new/", {**GOOD, **given})
    with enter(house), work():
        return Endpoint.objects.order_by("-id")[0]


def told(house: Scope) -> Delivery:
    with enter(house):
        with work():
            factories.invoice(factories.customer())
        relay([])
        with work():
            return Delivery.objects.select_related("event").order_by("-id")[0]


def test_a_secret_is_shown_once(ana: Client, house: Scope) -> None:
    answer = ana.post(HOOKS + "new/", GOOD)
    (secret,) = set(re.findall(r"whsec_[A-Za-z0-9+/]{43}=", answer.content.decode()))
    with enter(house), work():
        row = Endpoint.objects.get()
        kept = str(list(AuditEntry.objects.values())) + str(list(OutboxEvent.objects.values()))
    place = f"{HOOKS}{row.public_id}/"
    assert secret not in kept + ana.get(place).content.decode() + ana.get(HOOKS).content.decode()
    rolled = ana.post(place + "secret/").content.decode()
    assert "whsec_" in rolled
    assert secret not in rolled


def test_events_are_chosen_and_changed(ana: Client, house: Scope) -> None:
    row = added(ana, house, every="", events="invoice.issued")
    assert row.events == ["invoice.issued"]
    place = f"{HOOKS}{row.public_id}/edit/"
    told = {**GOOD, "version": "1", "thin": "on"}
    for _ in range(2):
        assert ana.post(place, told).status_code == 302
    assert ana.post(place, {**told, "description": "x"}).status_code == 409
    with enter(house), work():
        again = Endpoint.objects.get()
    assert (again.events, again.thin, again.version) == ([], True, 2)
    assert ana.post(place, {**told, "every": ""}).status_code == 422
    assert ana.post(place, {**told, "url": "nowhere", "version": "2"}).status_code == 422


def test_what_was_told_shows_with_its_answer_and_is_told_again(ana: Client, house: Scope) -> None:
    row = added(ana, house)
    delivery = told(house)
    with enter(house), work():
        DeliveryTry.objects.create(delivery=delivery, status=500, answer="<b>broken</b>")
    place = f"{HOOKS}{row.public_id}/"
    shown = ana.get(place).content.decode()
    assert "&lt;b&gt;broken" in shown
    assert "invoice.issued" in shown
    assert "Nothing told yet" in ana.get(place + "?state=failed").content.decode()
    replay = f"/o/acorn/settings/deliveries/{delivery.public_id}/replay/"
    assert ana.post(replay).status_code == 409
    with enter(house), work():
        Delivery.objects.update(state="failed")
    assert ana.post(replay).status_code == 302
    assert ">1<" in ana.get(HOOKS).content.decode()


def test_it_is_switched_off_and_on_tested_and_taken_away(ana: Client, house: Scope) -> None:
    place = f"{HOOKS}{added(ana, house).public_id}/"
    for verb in ("off", "off", "on", "ping", "drop"):
        assert ana.post(f"{place}{verb}/").status_code == 302
    assert ana.post(place + "drop/").status_code == 404
    assert "No webhooks yet" in ana.get(HOOKS).content.decode()


def test_who_may_not(client_of: Callable[[str], Client], ana: Client, house: Scope) -> None:
    row, delivery = added(ana, house), told(house)
    verbs = ["edit", "off", "on", "ping", "drop", "secret"]
    for verb in verbs:
        assert client_of("Ben").post(f"{HOOKS}{row.public_id}/{verb}/", GOOD).status_code == 403
        assert client_of("Bea").post(f"{HOOKS}{row.public_id}/{verb}/", GOOD).status_code == 404
        foreign = f"/o/birch/settings/webhooks/{row.public_id}/{verb}/"
        assert client_of("Bea").post(foreign, GOOD).status_code == 404
    replay = f"settings/deliveries/{delivery.public_id}/replay/"
    assert client_of("Bea").post(f"/o/birch/{replay}").status_code == 404
    assert client_of("Vic").get(HOOKS).status_code == 403
    with enter(house), work():
        assert Endpoint.objects.get().version == row.version


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("field", ["url", "description", "events", "version", "every"])
def test_odd_text_never_breaks(ana: Client, house: Scope, field: str, value: str) -> None:
    row = added(ana, house)
    for place in ("new/", f"{row.public_id}/edit/"):
        assert ana.post(HOOKS + place, {**GOOD, field: odd(value)}).status_code in {200, 302, 409, 422}


def test_statements_do_not_grow(ana: Client, house: Scope, queries: Callable[[Client, str], int]) -> None:
    row = added(ana, house)
    told(house)
    place = f"{HOOKS}{row.public_id}/"
    few = [queries(ana, HOOKS), queries(ana, place)]
    for n in range(4):
        added(ana, house, url=f"https://x{n}.example/")
        told(house)
    assert [queries(ana, HOOKS), queries(ana, place)] == few
