"""The time zone of a customer by API."""

import pytest

from core.scope import Scope
from customers.models import Customer
from tests.db.api.conftest import Program, pointers, said
from tests.db.api.test_billing import subscribed


def test_a_program_says_in_whose_days_subscriptions_begin(
    api: Program, house: Scope, kestrel: Customer
) -> None:
    assert api.get(f"/customers/{kestrel.public_id}")["zone"] == "Europe/Berlin"
    made = api.post("/customers", {"name": "Aloha", "zone": "Pacific/Honolulu"}, 201)
    assert made["zone"] == "Pacific/Honolulu"
    path = f"/customers/{kestrel.public_id}"
    assert said(api("PATCH", path, {"zone": "Asia/Tokyo"}))["zone"] == "Asia/Tokyo"
    assert subscribed(api, kestrel)["zone"] == "Asia/Tokyo"


@pytest.mark.parametrize("zone", ["Mars/X", "+02:00", "", None, 5])
def test_what_is_no_zone_is_named(api: Program, house: Scope, kestrel: Customer, zone: object) -> None:
    for method, path in (("POST", "/customers"), ("PATCH", f"/customers/{kestrel.public_id}")):
        refused = api(method, path, {"name": "N", "zone": zone})
        assert (refused.status_code, pointers(refused)) == (422, ["/zone"])
