"""Changes and ends at a time of day, driven and read back by API alone."""

from datetime import timedelta
from typing import Any

import pytest

from billing.events import SubscriptionChanged
from core.models import OutboxEvent
from core.scope import Scope, enter, work
from customers.models import Customer
from tests.db.api.conftest import Program, pointers
from tests.db.api.invoices import today
from tests.db.api.test_billing import bill, subscribed, written

pytestmark = pytest.mark.usefixtures("judged")
BEGAN = timedelta(days=10)


@pytest.fixture
def made(api: Program, house: Scope, kestrel: Customer) -> Any:
    """Prorated by the second, billed from ten days ago on."""
    found = subscribed(api, kestrel, starts_on=str(today() - BEGAN), proration="second", quantity="7")
    bill(house, today())
    return found


def of_today(api: Program, at: str, quantity: str = "14") -> dict[str, Any]:
    return {"quantity": quantity, "on": str(today()), "at": at}


def test_a_change_at_a_time_is_previewed_and_comes_to_just_that(
    api: Program, house: Scope, made: Any
) -> None:
    path = f"/subscriptions/{made['id']}"
    whole = api.post(f"{path}/change/preview", of_today(api, "00:00"), 200)
    noon = api.post(f"{path}/change/preview", of_today(api, "12:00"), 200)
    (then,), (credit,) = noon["lines"], noon["credits"]
    assert "12:00" in then["detail"]
    assert credit["net_minor"] < whole["credits"][0]["net_minor"]
    assert then["amount_minor"] < whole["lines"][0]["amount_minor"]
    for _ in range(2):
        changed = api.post(f"{path}/change", of_today(api, "12:00"), 200)
    was, now = changed["items"]
    assert (was["ends_on"], was["ends_time"]) == (now["starts_on"], now["starts_time"]) == (
        str(today()), "12:00:00",
    )  # fmt: skip
    bill(house, today())
    documents = api.get("/invoices")["data"]
    (note,) = [each for each in documents if each["kind"] == "credit_note"]
    assert note["net_minor"] == credit["net_minor"]
    assert sorted(each["net_minor"] for each in documents if each["kind"] == "invoice")[-1] == max(
        noon["net_minor"], 7 * 1451
    )


def test_an_end_at_a_time_is_previewed_and_read_back(api: Program, house: Scope, made: Any) -> None:
    path, wish = f"/subscriptions/{made['id']}", {"on": str(today()), "at": "18:30:15"}
    seen = api.post(f"{path}/end/preview", wish, 200)
    ended = api.post(f"{path}/end", wish, 200)
    assert (ended["ends_on"], ended["ends_time"]) == (str(today()), "18:30:15")
    assert api.post(f"{path}/end", wish, 200)["version"] == ended["version"], "again changes nothing"
    bill(house, today())
    (note,) = [each for each in api.get("/invoices")["data"] if each["kind"] == "credit_note"]
    assert note["total_minor"] == seen["credits"][0]["total_minor"]
    again = api.post(f"{path}/reactivate", {}, 200)
    assert (again["ends_on"], again["ends_time"]) == (None, "00:00:00")


def test_a_step_to_come_has_a_time(api: Program, house: Scope, kestrel: Customer) -> None:
    later = str(today() + timedelta(days=9))
    step = {"quantity": "3", "on": later, "at": "06:00"}
    made = subscribed(api, kestrel, proration="second", steps=[step])
    (seen,) = api.get(f"/subscriptions/{made['id']}/steps")["data"]
    assert (seen["on"], seen["at"]) == (later, "06:00:00")
    other = api.post(f"/subscriptions/{made['id']}/steps", {**step, "at": "07:00"}, 201)
    assert (other["on"], other["at"]) == (later, "07:00:00"), "the same day replaces it"
    assert len(api.get(f"/subscriptions/{made['id']}")["items"]) == 3, "one of them never bills"


@pytest.mark.parametrize("at", ["noon", "24:00", "9:00", "12:00:00.5", "12:00Z", "", None, 12, True, "१२:००"])
@pytest.mark.parametrize("place", ["change", "change/preview", "end", "end/preview", "steps"])
def test_what_is_no_time_is_named(api: Program, house: Scope, made: Any, place: str, at: Any) -> None:
    before = written(house)
    body: dict[str, Any] = {"on": str(today() + timedelta(days=1)), "at": at}
    if not place.startswith("end"):
        body["quantity"] = "3"
    refused = api("POST", f"/subscriptions/{made['id']}/{place}", body)
    assert (refused.status_code, pointers(refused)) == (422, ["/at"])
    assert written(house) == before


def test_a_time_of_what_is_prorated_by_days_is_named(api: Program, house: Scope, kestrel: Customer) -> None:
    made = subscribed(api, kestrel)
    before, day = written(house), str(today() + timedelta(days=1))
    for place, body in (
        ("change", {"quantity": "3"}), ("change/preview", {"quantity": "3"}), ("end", {}), ("end/preview", {}),
        ("steps", {"quantity": "3"}),
    ):  # fmt: skip
        refused = api("POST", f"/subscriptions/{made['id']}/{place}", {**body, "on": day, "at": "12:00"})
        assert (refused.status_code, pointers(refused)) == (422, ["/at"]), place
    body = {
        "customer": kestrel.public_id, "price": made["price"], "starts_on": str(today()),
        "steps": [{"quantity": "3", "on": day, "at": "12:00"}],
    }  # fmt: skip
    refused = api("POST", "/subscriptions", body)
    assert (refused.status_code, pointers(refused)) == (422, ["/steps/0/at"])
    assert written(house) == before


def test_a_time_without_its_day_is_named(api: Program, house: Scope, made: Any) -> None:
    before = written(house)
    for place, body in (
        ("change", {"quantity": "3"}),
        ("end", {}),
        ("steps", {"quantity": "3", "after_periods": 1}),
    ):
        refused = api("POST", f"/subscriptions/{made['id']}/{place}", {**body, "at": "12:00"})
        assert (refused.status_code, pointers(refused)) == (422, ["/at"]), place
    assert written(house) == before


def test_what_is_sent_back_as_it_was_read_leaves_the_time_of_its_end(
    api: Program, house: Scope, made: Any
) -> None:
    path = f"/subscriptions/{made['id']}"
    ended = api.post(f"{path}/end", {"on": str(today()), "at": "18:30", "refund": True}, 200)
    kept = api("PATCH", path, {"ends_on": ended["ends_on"], "metadata": {"seen": "yes"}}).json()
    assert (kept["ends_on"], kept["ends_time"], kept["refund"]) == (str(today()), "18:30:00", True)
    moved = api("PATCH", path, {"ends_on": str(today() + timedelta(days=1))}).json()
    assert moved["ends_time"] == "00:00:00", "another day has no time"


def test_events_say_the_time_that_counts(api: Program, house: Scope, made: Any) -> None:
    path, later = f"/subscriptions/{made['id']}", str(today() + timedelta(days=1))
    api.post(f"{path}/change", of_today(api, "12:00"), 200)
    api.post(f"{path}/steps", {"quantity": "3", "on": later, "at": "06:00"}, 201)
    api("DELETE", f"{path}/steps/{later}")
    api.post(f"{path}/end", {"on": later, "at": "18:30:15"}, 200)
    bill(house, today() + timedelta(days=1))
    with enter(house), work():
        rows = OutboxEvent.objects.filter(name__in=["subscription.changed", "subscription.ended"]).order_by(
            "id"
        )
        told = [(each.payload.get("what", "ended"), each.payload["at"]) for each in rows]
    assert told == [
        ("plan", "12:00:00"), ("plan", "06:00:00"), ("plan", "00:00:00"), ("end", "18:30:15"), ("ended", "18:30:15"),
    ]  # fmt: skip
    with enter(house), work():
        first = rows[0]
        first.payload = {key: value for key, value in first.payload.items() if key != "at"}
        assert SubscriptionChanged.of(first).at == "00:00:00", "one that was told before there were times"
