"""Alerts of usage by API: set, reached once in a period, read back, dropped."""

from datetime import timedelta

import pytest

from billing.services.usage_alerts import look
from core import clock
from core.scope import Scope, enter, work
from customers.models import Customer
from tests import factories
from tests.db.api.conftest import Program
from tests.metering import hours_ago, meter, said, send

pytestmark = pytest.mark.usefixtures("judged")


def test_an_alert_is_set_reached_once_and_dropped(api: Program, house: Scope, kestrel: Customer) -> None:
    with enter(house), work():
        by = meter("sum", name="Calls", code="calls")
        sub = factories.subscription(kestrel, clock.today("Europe/Berlin") - timedelta(days=3))
        send(said(by, sub, amount="7.5", at=hours_ago(1)))
    made = api.post("/usage_alerts", {"meter": "calls", "threshold": "5"}, 201)
    assert api.get(f"/usage_alerts/{made['id']}/reached")["data"] == []
    with enter(house), work():
        for _ in range(2):
            look(subscription_id=sub.pk, meter_id=by.pk)
    (hit,) = api.get(f"/usage_alerts/{made['id']}/reached")["data"]
    assert (hit["subscription"], hit["value"]) == (sub.public_id, "7.5")
    assert api("GET", "/usage_alerts/ualert_none/reached").status_code == 404
    assert api.post(f"/usage_alerts/{made['id']}/archive", None, 200)["archived_at"] is not None
