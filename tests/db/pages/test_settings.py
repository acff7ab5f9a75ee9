"""Settings of the legal entity: kept once, by one at a time, and nothing that cannot be."""

from collections.abc import Callable

import pytest
from django.test import Client

from core.scope import Scope, enter, work
from tenants.models import LegalEntity
from tests import factories
from tests.db.pages.test_members import SETTINGS
from tests.db.pages.test_session import ODD, odd


def settings_of(house: Scope) -> dict[str, str]:
    with enter(house), work():
        row = LegalEntity.objects.get()
    return {
        "name": row.name,
        "address": "Speicherstraße 4\n20457 Hamburg",
        "country": "DE",
        "tax_number": "DE123456789",
        "currency": row.currency,
        "zone": row.zone,
        "terms_days": "21",
        "tax_percent": "7.5",
        "renewal_notice_days": "30",
        "renewal_notice_for": "month",
        "customers_end": "now",
        "version": str(row.version),
    }


def entity(house: Scope) -> LegalEntity:
    with enter(house), work():
        return LegalEntity.objects.get()


def test_settings_are_kept_once(ana: Client, house: Scope) -> None:
    told = settings_of(house)
    for _ in range(2):
        assert ana.post(SETTINGS, told).status_code == 302
    row = entity(house)
    assert (row.terms_days, str(row.tax_percent), row.version) == (21, "7.5000", 2)
    assert (row.renewal_notice_days, row.renewal_notice_for) == (30, "month")


def test_settings_over_somebody_elses_are_refused(ana: Client, house: Scope) -> None:
    told = settings_of(house)
    ana.post(SETTINGS, told)
    answer = ana.post(SETTINGS, {**told, "name": "Another"})
    assert answer.status_code == 409
    assert "Ana changed this first." in answer.content.decode()
    assert entity(house).name == "Acorn Instruments"


def test_the_currency_moves_only_while_nothing_is_booked(ana: Client, house: Scope) -> None:
    told = {**settings_of(house), "currency": "CHF"}
    assert ana.post(SETTINGS, told).status_code == 302
    assert entity(house).currency == "CHF"
    with enter(house), work():
        factories.item(factories.customer(), 100)
    ana.post(SETTINGS, {**settings_of(house), "currency": "EUR", "name": "Renamed"})
    row = entity(house)
    assert (row.currency, row.name) == ("CHF", "Renamed")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 201),
        ("zone", "Mars/Olympus"),
        ("currency", "XXX"),
        ("country", "zz"),
        ("terms_days", "-1"),
        ("terms_days", "9" * 400),
        ("tax_percent", "101"),
        ("tax_percent", "NaN"),
        ("tax_percent", "1e400"),
        ("tax_percent", "0.00001"),
        ("tax_number", "x" * 41),
        ("renewal_notice_days", "91"),
        ("renewal_notice_days", "-1"),
        ("renewal_notice_days", "1.5"),
        ("renewal_notice_days", ""),
        ("renewal_notice_for", "week"),
        ("renewal_notice_for", ""),
        ("version", "x"),
    ],
)
def test_a_setting_that_cannot_be_is_said(
    ana: Client, house: Scope, snapshot: Callable[[], object], field: str, value: str
) -> None:
    told, before = settings_of(house), snapshot()
    answer = ana.post(SETTINGS, {**told, field: value})
    assert answer.status_code == 422
    assert answer.context["form"].has_error(field)
    assert snapshot() == before


@pytest.mark.parametrize("field", ["renewal_notice_days", "renewal_notice_for"])
def test_a_setting_of_renewals_is_refused_at_its_field(ana: Client, house: Scope, field: str) -> None:
    page = ana.post(SETTINGS, {**settings_of(house), field: "x"}).content.decode()
    assert f'id="id_{field}_error"' in page


def test_who_may_only_look_changes_no_setting(client_of: Callable[[str], Client], house: Scope) -> None:
    assert client_of("Vic").post(SETTINGS, settings_of(house)).status_code == 403
    assert entity(house).renewal_notice_days == 0


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("field", ["name", "address", "tax_number", "zone", "tax_percent", "version"])
def test_settings_of_odd_text_never_break(ana: Client, house: Scope, field: str, value: str) -> None:
    answer = ana.post(SETTINGS, {**settings_of(house), field: odd(value)})
    assert answer.status_code in {302, 409, 422}
