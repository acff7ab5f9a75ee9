"""The sandbox: made once, opened with the rights held in the live organization, and apart from it in every row."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client

from cashapp.gateways.registry import NoGateway, gateway
from core import clock, doors
from core.errors import Forbidden
from core.models import Organization, OutboxEvent
from core.sandbox import OnlyLive, is_sandbox
from core.scope import Actor, Scope, enter, work
from customers.models import Customer
from messaging.models import Message
from messaging.services.send import send_message
from tenants.models import LegalEntity, Membership, Role, User
from tenants.selectors import organizations_of
from tenants.services import invitations, keys, members, roles, seats
from tenants.services.sandbox import make_sandbox
from tests import factories
from tests.conftest import seat

SANDBOX = "acorn-sandbox"


@pytest.fixture(autouse=True)
def own_cache(settings: Any) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}


def client_of(name: str) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(
        User.objects.get(email=f"{name.lower()}@acorn.example"), "django.contrib.auth.backends.ModelBackend"
    )
    return client


def me(secret: str) -> Any:
    answer = Client().get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"})
    return answer.json() if answer.status_code == 200 else answer.status_code


def change(email: str, **given: object) -> None:
    with work():
        assert Membership.objects.filter(user__email=email).update(**given) == 1


def role(key: str) -> Role:
    with work():
        found: Role = Role.objects.get(key=key)
    return found


def key(scope: Scope) -> str:
    with enter(scope), work():
        return keys.make(name="ERP").secret


def test_it_is_made_once_whoever_asks_again(sandbox: Scope, committed_acorn: Scope) -> None:
    first = make_sandbox()
    assert (first.pk, first.live_twin_id) == (sandbox.organization_id, committed_acorn.organization_id)
    assert (first.slug, first.name) == (SANDBOX, "Acorn Instruments (sandbox)")
    with work():
        assert OutboxEvent.objects.filter(name="sandbox.made").count() == 1
        mine = list(LegalEntity.objects.values_list("code", "name", "zone", "tax_percent"))
    with enter(sandbox), work():
        assert list(LegalEntity.objects.values_list("code", "name", "zone", "tax_percent")) == mine


def test_a_double_click_makes_one(committed_acorn: Scope) -> None:
    def click(_n: int) -> int:
        try:
            with enter(committed_acorn):
                return make_sandbox().pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(click, range(4)))) == 1


def test_who_may_not_make_it_makes_none(committed_acorn: Scope) -> None:
    for name in ("ben", "vic"):
        with enter(seat("acorn", f"{name}@acorn.example")), pytest.raises(Forbidden):
            make_sandbox()
    assert client_of("Ben").post("/o/acorn/settings/sandbox/make/").status_code == 403
    assert doors.org_of_slug(SANDBOX) is None


def test_a_sandbox_has_none_of_its_own(sandbox: Scope) -> None:
    with enter(sandbox), pytest.raises(OnlyLive):
        make_sandbox()
    with enter(sandbox), work(), pytest.raises(DatabaseError, match="only a live"), transaction.atomic():
        doors.create_twin(slug="x", name="x")


def test_an_address_that_is_taken_is_numbered(committed_acorn: Scope, committed: object) -> None:
    from tenants.services.organizations import create_organization

    owner = User.objects.get(email="bea@birch.example")
    create_organization(owner=owner, name="X", slug=SANDBOX, country="DE", currency="EUR", zone="UTC")
    assert make_sandbox().slug == "acorn-sandbox-2"


def test_each_member_opens_it_with_the_rights_of_now(sandbox: Scope) -> None:
    live = {name: seat("acorn", f"{name}@acorn.example").permissions for name in ("ana", "ben", "vic")}
    assert {name: seat(SANDBOX, f"{name}@acorn.example").permissions for name in live} == live
    change("ben@acorn.example", role=role("viewer"))
    assert seat(SANDBOX, "ben@acorn.example").permissions == live["vic"]
    ben = client_of("Ben")
    assert ben.get(f"/o/{SANDBOX}/").status_code == 200
    change("ben@acorn.example", disabled_at=clock.wall())
    assert (ben.get(f"/o/{SANDBOX}/").status_code, ben.get("/o/acorn/").status_code) == (404, 404)


def test_a_role_without_the_right_to_it_does_not_open_it(sandbox: Scope) -> None:
    with work():
        poor = roles.make_role(name="Poor", rights=["home.view", "customers.view"])
    change("ben@acorn.example", role=poor)
    ben = client_of("Ben")
    assert ben.get(f"/o/{SANDBOX}/").status_code == 404
    page = ben.get("/o/acorn/").content.decode()
    assert "/o/acorn/switch/" not in page


def test_a_role_made_here_stands_there_under_its_name(sandbox: Scope) -> None:
    with work():
        own = roles.make_role(name="Clerk", rights=["home.view", "customers.view", "sandbox.use"])
    change("ben@acorn.example", role=own)
    assert client_of("Ben").get(f"/o/{SANDBOX}/").status_code == 200
    with enter(sandbox), work():
        there = Membership.objects.get(user__email="ben@acorn.example")
        assert (there.role.name, there.role.permissions) == ("Clerk", own.permissions)


def test_the_neighbour_never_opens_it(sandbox: Scope, committed: object) -> None:
    bea = Client(raise_request_exception=False)
    bea.force_login(User.objects.get(email="bea@birch.example"), "django.contrib.auth.backends.ModelBackend")
    for path in ("", "settings/sandbox/", "switch/", "customers/"):
        assert bea.get(f"/o/{SANDBOX}/{path}").status_code == 404


def test_it_takes_no_seat_and_is_not_listed_beside_the_live_ones(sandbox: Scope) -> None:
    for name in ("Ana", "Ben", "Vic"):
        assert client_of(name).get(f"/o/{SANDBOX}/").status_code == 200
    with work():
        assert seats.seats().taken == 3
    assert [house.slug for house in organizations_of(User.objects.get(email="ana@acorn.example"))] == [
        "acorn"
    ]
    assert client_of("Ana").get("/").headers["Location"] == "/o/acorn/"


def test_people_and_the_plan_are_changed_in_the_live_one_alone(sandbox: Scope) -> None:
    assert client_of("Ben").get(f"/o/{SANDBOX}/").status_code == 200
    with enter(sandbox), work():
        ben = Membership.objects.get(user__email="ben@acorn.example").public_id
        viewer = Role.objects.get(key="viewer")
        acts = [
            lambda: invitations.invite(email="new@acorn.example", role=viewer),
            lambda: members.change_role(ben, role=viewer),
            lambda: members.set_disabled(ben, disabled=True),
            lambda: roles.make_role(name="X", rights=["home.view"]),
            lambda: roles.save_group("", name="X", role=viewer, members=[]),
            lambda: seats.change_plan("team"),
        ]
        for act in acts:
            with pytest.raises(OnlyLive), transaction.atomic():
                act()
    page = client_of("Ana").get(f"/o/{SANDBOX}/settings/members/").content.decode()
    assert "are those of the live organization" in page


def test_rows_of_one_are_no_rows_of_the_other(sandbox: Scope, committed_acorn: Scope) -> None:
    with work():
        real = factories.customer(name="Real Ltd", number="R1")
    with enter(sandbox), work():
        played = factories.customer(name="Played Ltd", number="R1")
        assert list(Customer.objects.all()) == [played]
    with work():
        assert list(Customer.objects.all()) == [real]
    with enter(sandbox), work(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM customers_customer WHERE id = %s", [real.pk])
        assert cursor.fetchone() == (0,)
    ana = client_of("Ana")
    assert ana.get(f"/o/{SANDBOX}/customers/{real.public_id}/").status_code == 404
    assert ana.get(f"/o/acorn/customers/{played.public_id}/").status_code == 404


def test_a_test_key_sees_the_sandbox_and_a_live_key_does_not(sandbox: Scope, committed_acorn: Scope) -> None:
    with work():
        real = factories.customer(name="Real Ltd").public_id
    assert client_of("Ana").get(f"/o/{SANDBOX}/").status_code == 200
    with enter(sandbox), work():
        played = factories.customer(name="Played Ltd").public_id
    test, live = key(sandbox), key(committed_acorn)
    assert (test[:8], live[:8]) == ("sk_test_", "sk_live_")
    assert (me(test)["slug"], me(test)["livemode"]) == (SANDBOX, False)
    assert (me(live)["slug"], me(live)["livemode"]) == ("acorn", True)
    for secret, own, other in ((test, played, real), (live, real, played)):
        head = {"Authorization": f"Bearer {secret}"}
        listed = Client().get("/api/v1/customers", headers=head).json()["data"]
        assert [row["id"] for row in listed] == [own]
        assert Client().get(f"/api/v1/customers/{other}", headers=head).status_code == 404


def test_a_test_key_shrinks_and_ends_with_its_maker_in_the_live_one(sandbox: Scope) -> None:
    change("ben@acorn.example", role=role("administrator"))
    assert client_of("Ben").get(f"/o/{SANDBOX}/").status_code == 200
    secret = key(seat(SANDBOX, "ben@acorn.example"))
    assert "members.edit" in me(secret)["rights"]
    change("ben@acorn.example", role=role("viewer"))
    assert "members.edit" not in me(secret)["rights"]
    change("ben@acorn.example", disabled_at=clock.wall())
    assert me(secret) == 401


def test_no_gateway_but_its_own_charges_in_a_sandbox(sandbox: Scope, settings: Any) -> None:
    for allowed in ([], ["sandbox"], ["stripe"]):
        settings.PAYMENT_GATEWAYS = allowed
        with enter(sandbox):
            assert gateway().name == "sandbox"
            with pytest.raises(NoGateway):
                gateway("stripe")
    settings.PAYMENT_GATEWAYS = []
    with pytest.raises(NoGateway):
        gateway()


@pytest.fixture
def mailed(sandbox: Scope, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    tried: list[str] = []

    def connect(*_args: object, **_more: object) -> None:
        tried.append("connected")
        raise AssertionError("a sandbox asked for the mail server")

    monkeypatch.setattr("messaging.services.deliver.get_connection", connect)
    return tried


def test_mail_is_written_kept_and_never_reaches_the_mail_server(sandbox: Scope, mailed: list[str]) -> None:
    from core.relay import relay

    with enter(sandbox):
        with work():
            factories.invoice(factories.customer(email="payer@kestrel.example"))
        relay([])
        with work():
            row = Message.objects.get(kind="invoice_issued")
            Message.objects.filter(pk=row.pk).update(created_at=clock.now() - timedelta(days=1))
        send_message(row.public_id)
        with work():
            row.refresh_from_db()
            assert (row.state, bool(row.subject), mailed) == ("sent", True, [])
            assert "sandbox" in row.why
            assert row.subject.startswith("Test: ")
            for body in (row.letter_text, row.letter_html):
                assert "Sandbox: a test, not a real message. Nothing is to be paid." in body
    page = client_of("Ana").get(f"/o/{SANDBOX}/messages/{row.public_id}/").content.decode()
    assert "Kept in the sandbox" in page


def test_a_scope_made_by_hand_knows_where_it_is(sandbox: Scope, committed_acorn: Scope) -> None:
    for scope, expected in ((sandbox, True), (committed_acorn, False)):
        with enter(Scope(scope.organization_id, Actor("system"))):
            assert is_sandbox() is expected


def test_the_database_keeps_clock_archive_and_twin(sandbox: Scope, committed_acorn: Scope) -> None:
    rows = Organization.objects
    with enter(sandbox), work():
        rows.update(clock_offset=timedelta(days=2))
        with pytest.raises(DatabaseError, match="never goes back"), transaction.atomic():
            rows.update(clock_offset=timedelta(days=1))
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            rows.update(live_twin_id=None)
    with work():
        with pytest.raises(IntegrityError, match="organization_one_twin"), transaction.atomic():
            doors.create_twin(slug="second", name="Second")
        with pytest.raises(IntegrityError, match="organization_archived"), transaction.atomic():
            rows.update(archived_at=clock.wall())


def test_every_page_says_so_also_on_paper_and_leads_back(sandbox: Scope) -> None:
    ana = client_of("Ana")
    for path in ("", "customers/", "settings/", "settings/sandbox/", "messages/"):
        page = ana.get(f"/o/{SANDBOX}/{path}").content.decode()
        assert 'class="sandbox"' in page
    assert 'class="sandbox"' not in ana.get("/o/acorn/").content.decode()
    print_sheet = (Path(settings.BASE_DIR) / "frontend/src/css/print.css").read_text()
    assert not re.search(r"\.sandbox[^{}]*\{[^}]*display: none", print_sheet)
    assert ana.get("/o/acorn/switch/").headers["Location"] == f"/o/{SANDBOX}/"
    assert ana.get(f"/o/{SANDBOX}/switch/").headers["Location"] == "/o/acorn/"
