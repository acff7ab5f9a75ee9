"""Ageing as of any day equals the ledger of that day, and opens from its page."""

from datetime import date, timedelta

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cashapp.services.payments import record
from core.scope import Scope, enter, work
from ledger.selectors import control_balances
from receivables.ageing import ageing
from receivables.services.allocate import Part, TooMuch, allocate
from tenants.models import User
from tests import factories
from tests.cast import CANARY
from tests.factories import DAY


@pytest.mark.parametrize(
    ("late", "level"), [(0, 0), (1, 1), (30, 1), (31, 2), (60, 2), (61, 3), (90, 3), (91, 4)]
)
def test_days_past_due_decide_the_bucket(acorn: Scope, late: int, level: int) -> None:
    with work():
        factories.item(factories.customer(), 100, due_on=DAY)
        (found,) = ageing(DAY + timedelta(days=late))
        assert found.total.owed == [100 if n == level else 0 for n in range(5)]


def test_a_past_day_is_as_it_was(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        invoice = factories.invoice(owner, ("1", "100.00"), tax="0", on=date(2026, 10, 1))
        record(
            customer=owner.public_id, minor=4_000, received_on=date(2026, 10, 20), method="check", key="k"
        )  # fmt: skip
        assert ageing(date(2026, 9, 30)) == []
        assert ageing(date(2026, 10, 19))[0].total.net.minor == invoice.total_minor
        assert ageing(date(2026, 10, 20))[0].total.net.minor == 6_000


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(1, 90), st.integers(8, 30)), max_size=8
    )
)
def test_as_of_every_day_ageing_equals_the_ledger(
    acorn: Scope, moves: list[tuple[int, int, int, int]]
) -> None:
    with transaction.atomic():
        with work():
            owner = factories.customer()
            debits = [factories.item(owner, 100, on=DAY + timedelta(days=n)) for n in range(3)]
            credits = [factories.payment(owner, 90, on=DAY + timedelta(days=2 * n)) for n in range(3)]
            for n, (d, c, minor, after) in enumerate(moves):
                try:
                    with transaction.atomic():
                        part = Part(f"m{n}", debits[d].item_id, credits[c].item_id, minor)
                        allocate([part], effective_on=DAY + timedelta(days=after))
                except TooMuch:
                    continue
            for days in range(0, 32, 3):
                on = DAY + timedelta(days=days)
                totals = {each.currency: each.total.net.minor for each in ageing(on)}
                assert {code: minor for code, minor in totals.items() if minor} == control_balances(on)
        transaction.set_rollback(True)


def test_the_page_says_that_it_equals_the_ledger_in_as_many_queries_for_many(
    acorn: Scope, birch: Scope
) -> None:
    with enter(birch), work():
        factories.item(factories.customer(name=f"Bea's {CANARY}"), 100)
    client = Client()
    client.force_login(User.objects.get(name="Vic"))
    address = reverse("ageing", args=["acorn"])

    def queries(count: int) -> int:
        with work():
            for _ in range(count):
                factories.item(factories.customer(), 100)
        with CaptureQueriesContext(connection) as seen:
            answer = client.get(address, {"on": "2026-12-24"})
        assert b"Equals the ledger" in answer.content
        assert CANARY.encode() not in answer.content
        return len(seen)

    queries(1)
    assert queries(2) == queries(12)


@pytest.mark.parametrize("on", ["x", "2026-02-30", "0001-01-01", "9999-12-31", "\x00", "٢٠٢٦-01-01"])
def test_a_day_that_is_none_is_named(acorn: Scope, on: str) -> None:
    client = Client()
    client.force_login(User.objects.get(name="Vic"))
    answer = client.get(reverse("ageing", args=["acorn"]), {"on": on})
    assert answer.status_code in (200, 422)
    assert (b"That day was not understood" in answer.content) == (answer.status_code == 422)


def test_another_organization_and_strangers_find_nothing(acorn: Scope) -> None:
    bea = Client()
    bea.force_login(User.objects.get(name="Bea"))
    assert bea.get(reverse("ageing", args=["acorn"])).status_code == 404
    assert Client().get(reverse("ageing", args=["acorn"])).status_code == 302
