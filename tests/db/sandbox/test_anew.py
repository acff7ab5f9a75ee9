"""Deleting test data: the sandbox is put away for good, and another begins under its address."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from core import clock, doors, effects, timetravel
from core.errors import Forbidden
from core.models import Organization
from core.scope import Scope, enter, work
from core.tasks import system_scope
from customers.models import Customer
from tenants.selectors import organization
from tenants.services import keys
from tenants.services.sandbox import begin_anew
from tests import factories
from tests.conftest import seat
from tests.db.sandbox.conftest import furnish, move
from tests.db.tenants.test_sandbox import client_of, me


def own(scope: Scope) -> Organization:
    with enter(scope), work():
        return organization()


def test_the_old_one_opens_for_nobody_and_the_new_one_is_empty(sandbox: Scope) -> None:
    assert client_of("Ana").get("/o/acorn-sandbox/").status_code == 200
    furnish(sandbox, 2, first=clock.today("Europe/Berlin"))
    move(sandbox, timedelta(days=2))
    with enter(sandbox), work():
        secret = keys.make(name="ERP").secret
        effects.due("test", [("a", {})])
    old = own(sandbox)
    begin_anew(old.public_id)
    fresh = seat("acorn-sandbox", "ana@acorn.example")
    assert fresh.organization_id != old.pk
    assert fresh.clock_offset == timedelta()
    with enter(fresh), work():
        assert Customer.objects.count() == 0
    assert me(secret) == 401
    ana = client_of("Ana")
    assert ana.get(f"/o/{own(system_scope(old.pk)).slug}/").status_code == 404
    for kind in ("events", "effects", "billing", "attempts", "clock"):
        due = doors.due_work(kind, max_rows=99, per_tenant=9, wall=clock.wall() + timedelta(days=99))
        assert old.pk not in due
    with enter(system_scope(old.pk)), work():
        effects.waiting().update(done_at=clock.wall())  # the kind of the test is nobody's


def test_one_that_is_being_moved_stops(sandbox: Scope) -> None:
    with enter(sandbox), work():
        job = timetravel.start(timetravel.business_now() + timedelta(days=9))
    begin_anew(own(sandbox).public_id)
    with enter(sandbox), work():
        job.refresh_from_db()
        assert (job.state, timetravel.under_way()) == ("cancelled", None)


def test_a_double_click_puts_one_away(sandbox: Scope, committed_acorn: Scope) -> None:
    wanted = own(sandbox).public_id

    def click(side: Scope) -> int:
        try:
            with enter(side):
                return begin_anew(wanted).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(click, (committed_acorn, sandbox))
    assert first == second != sandbox.organization_id


def test_who_may_not_puts_nothing_away(sandbox: Scope) -> None:
    with enter(seat("acorn-sandbox", "ben@acorn.example")), pytest.raises(Forbidden):
        begin_anew(own(sandbox).public_id)
    page = client_of("Ben").post(
        "/o/acorn-sandbox/settings/sandbox/anew/", {"sandbox": own(sandbox).public_id}
    )
    assert page.status_code == 403
    assert own(sandbox).archived_at is None


def test_a_pay_link_of_it_opens_nothing(sandbox: Scope) -> None:
    from customers.services.links import digest
    from invoicing.services.addresses import pay_url

    with enter(sandbox), work():
        link = pay_url(factories.invoice(factories.customer()))
    path = link.split("//", 1)[1].partition("/")[2]
    assert Client().get(f"/{path}").status_code in {200, 302}
    begin_anew(own(sandbox).public_id)
    assert doors.org_of_link(digest(path.rstrip("/").rpartition("/")[2])) is None
    assert Client().get(f"/{path}").status_code == 404
