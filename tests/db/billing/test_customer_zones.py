"""Customers in other time zones than their seller: each day is billed when it has begun for both."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import time_machine

from billing.handlers import bill_due, unbilled
from billing.models import BilledPeriod, BillingRun, LateUsage, Subscription
from billing.selectors import preview
from billing.services.run import run_billing
from core import clock
from core.errors import Invalid
from core.scope import Scope, work
from customers.models import Customer
from customers.services.customers import create_customer, update_customer
from tests import factories
from tests.billed import billed, proven
from tests.db.billing.test_lifecycle import flat
from tests.db.billing.test_metered import counted, used
from tests.db.pages_documents.conftest import signed_in
from tests.metering import meter

FEBRUARY, MARCH = date(2027, 2, 1), date(2027, 3, 1)
HONOLULU, KIRITIMATI = "Pacific/Honolulu", "Pacific/Kiritimati"


def at(text: str) -> time_machine.travel:
    return time_machine.travel(datetime.fromisoformat(text).replace(tzinfo=UTC), tick=False)


def in_zone(zone: str, **given: object) -> Subscription:
    owner = create_customer(name=zone, number=zone, zone=zone)
    return factories.subscribe(customer=owner.public_id, price=flat(30), starts_on=FEBRUARY, **given)  # type: ignore[arg-type]


def by_beat() -> None:
    """What beat does: it looks who is due by the clock, and sends the ids."""
    with work():
        ids = list(unbilled().filter(next_bill_at__lte=clock.now()).values_list("pk", flat=True))
    if ids:
        bill_due(ids)


def owners() -> list[str]:
    with work():
        rows = BilledPeriod.objects.order_by("id").values_list("subscription__zone", flat=True)
        return list(rows)


def test_where_the_day_begins_later_it_is_billed_later_by_the_run_of_that_day(acorn: Scope) -> None:
    with at("2027-01-31T22:00"), work():
        for zone in (HONOLULU, "Europe/Berlin", KIRITIMATI):
            in_zone(zone)
        shown, _ = preview(FEBRUARY)
        assert len(shown) == 3, "a run of a day to come shows all of it"
    with at("2027-01-31T10:30"):
        by_beat()
        assert owners() == [], "begun in Kiritimati, and not for the seller"
    with at("2027-01-31T23:30"):
        with work():
            shown, _ = preview(FEBRUARY)
        by_beat()
        assert owners() == ["Europe/Berlin", KIRITIMATI]
        assert len(shown) == 2
    with at("2027-02-01T09:59"):
        by_beat()
        assert HONOLULU not in owners()
    for _ in range(2):
        with at("2027-02-01T10:00"):
            by_beat()
    assert owners() == ["Europe/Berlin", KIRITIMATI, HONOLULU]
    with work():
        assert BillingRun.objects.get().billed == 3
    proven()


def test_what_is_used_up_to_its_midnight_is_of_its_month(acorn: Scope) -> None:
    with at("2027-02-01T12:00"):
        with work():
            by = meter("sum")
            calls = counted(by, model="per_unit", unit_price=Decimal(2))
            sub = in_zone(HONOLULU, added=[(calls, Decimal(1))])
        run_billing(FEBRUARY)
    with at("2027-03-01T09:30"):
        with work():
            used(by, sub, "3", "2027-03-01T09:00+00:00")
        run_billing(MARCH)
        assert [minor for *_, minor in billed()] == [3000], "not yet what is due on 1 March"
    with at("2027-03-01T10:00"):
        by_beat()
    assert [minor for *_, minor in billed()] == [3000, 600, 3000]
    with work():
        assert not LateUsage.objects.exists()
    proven()


def test_a_subscription_keeps_the_zone_that_it_was_begun_in(acorn: Scope) -> None:
    with work():
        sub = in_zone(HONOLULU)
        owner = Customer.objects.get()
        update_customer(owner.pk, version=owner.version, zone=KIRITIMATI)
        sub.refresh_from_db()
        assert sub.zone == HONOLULU
        other = factories.subscribe(customer=owner.public_id, price=flat(10), starts_on=FEBRUARY)
        assert other.zone == KIRITIMATI


@pytest.mark.parametrize("zone", ["Mars/X", "europe/berlin", "+02:00", "../etc/passwd", "CET5"])
def test_what_is_no_zone_is_named(acorn: Scope, zone: str) -> None:
    with work(), pytest.raises(Invalid) as found:
        create_customer(name="N", number="N", zone=zone)
    assert set(found.value.fields) == {"zone"}
    with work():
        row = factories.customer()
        with pytest.raises(Invalid) as found:
            update_customer(row.pk, version=row.version, zone=zone)
    assert set(found.value.fields) == {"zone"}


def test_it_is_chosen_on_the_customer_s_page(acorn: Scope) -> None:
    ana = signed_in("Ana")
    with work():
        row = factories.customer(name="Kestrel")
    page = f"/o/acorn/customers/{row.public_id}/"
    assert "Time zone" not in ana.get(page).content.decode(), "the legal entity's, as all of them"
    form = ana.get(f"{page}edit/").context["form"]
    said = {name: value for name in form.fields if (value := form[name].value()) not in (None, False)}
    assert said["zone"] == "Europe/Berlin"
    assert ana.post(f"{page}edit/", {**said, "zone": "Mars/X"}).status_code == 422
    assert ana.post(f"{page}edit/", {**said, "zone": HONOLULU}).status_code == 302
    assert HONOLULU in ana.get(page).content.decode()
    with work():
        row.refresh_from_db()
        assert row.zone == HONOLULU
