"""Who may open and do what: Ana all, Ben all but settings, Vic nothing that writes, Bea nothing at all."""

from collections.abc import Callable

import pytest
from django.test import Client

from core.scope import Scope, enter, work
from customers.models import Contact, Customer
from tenants.models import Group, Membership, Role
from tenants.services.invitations import invite
from tests.cast import CANARY

READ = [
    "/o/acorn/",
    "/o/acorn/customers/",
    "/o/acorn/customers/{customer}/",
    "/o/acorn/customers/{customer}/?tab=activity",
    "/o/acorn/settings/",
    "/o/acorn/settings/members/",
    "/o/acorn/settings/roles/",
    "/o/acorn/settings/roles/{custom}/",
    "/o/acorn/settings/plan/",
]
NEW = {"name": "Wexley", "number": "W1", "currency": "EUR", "terms_days": "14"}
PERSON = {"contact-name": "Moss", "contact-email": "moss@kestrel.example"}
WRITE: list[tuple[str, dict[str, str]]] = [
    ("/o/acorn/customers/new/", NEW),
    ("/o/acorn/customers/{customer}/edit/", {**NEW, "version": "1"}),
    ("/o/acorn/customers/{customer}/archive/", {}),
    ("/o/acorn/customers/{customer}/restore/", {}),
    ("/o/acorn/customers/{customer}/contacts/", PERSON),
    ("/o/acorn/customers/{customer}/contacts/{contact}/remove/", {}),
]
SETTINGS: list[tuple[str, dict[str, str]]] = [
    ("/o/acorn/settings/save/", {"name": "Other"}),
    ("/o/acorn/settings/members/invite/", {"email": "new@acorn.example", "role": "{role}"}),
    ("/o/acorn/settings/members/{ben}/save/", {"role": "{role}"}),
    ("/o/acorn/settings/members/{ben}/disable/", {}),
    ("/o/acorn/settings/members/{ben}/enable/", {}),
    ("/o/acorn/settings/roles/new/", {"name": "Night shift", "rights": "invoices.view"}),
    (
        "/o/acorn/settings/roles/{custom}/save/",
        {"name": "Day shift", "rights": "invoices.view", "version": "1"},
    ),
    ("/o/acorn/settings/roles/{custom}/drop/", {}),
    ("/o/acorn/settings/groups/new/", {"name": "Closers", "role": "{custom}", "members": "{ben}"}),
    ("/o/acorn/settings/groups/{group}/", {"name": "Closers", "role": "{custom}", "members": "{ben}"}),
    ("/o/acorn/settings/groups/{group}/drop/", {}),
    ("/o/acorn/settings/invitations/{asked}/again/", {}),
    ("/o/acorn/settings/invitations/{asked}/withdraw/", {}),
    ("/o/acorn/settings/plan/change/", {"plan": "team"}),
]


@pytest.fixture
def ids(house: Scope, kestrel: Customer) -> dict[str, str]:
    with enter(house), work():
        custom = Role.objects.create(name="Custom", permissions=["invoices.view"])
        asked = invite(email="li@acorn.example", role=custom)
        return {
            "custom": custom.public_id,
            "group": Group.objects.create(name="Group", role=custom).public_id,
            "asked": asked.public_id,
            "customer": kestrel.public_id,
            "contact": Contact.objects.get(customer=kestrel).public_id,
            "ben": Membership.objects.get(user__name="Ben").public_id,
            "role": Role.objects.get(key="owner").public_id,
        }


def filled(data: dict[str, str], ids: dict[str, str]) -> dict[str, str]:
    return {name: value.format(**ids) for name, value in data.items()}


@pytest.mark.parametrize("name", ["Ana", "Ben", "Vic"])
@pytest.mark.parametrize("path", READ)
def test_members_read(client_of: Callable[[str], Client], ids: dict[str, str], name: str, path: str) -> None:
    answer = client_of(name).get(path.format(**ids))
    assert answer.status_code == 200
    assert CANARY not in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("path", [*READ, *(path for path, _ in [*WRITE, *SETTINGS])])
def test_another_organization_gets_404_and_changes_nothing(
    client_of: Callable[[str], Client],
    ids: dict[str, str],
    path: str,
    snapshot: Callable[[], object],
) -> None:
    bea, before = client_of("Bea"), snapshot()
    path = path.format(**ids)
    for answer in (bea.get(path), bea.post(path, {**NEW, **PERSON})):
        assert answer.status_code == 404
        assert "Kestrel" not in answer.content.decode()
    assert snapshot() == before


@pytest.mark.parametrize("path", ["customers/{customer}/", "customers/{customer}/edit/"])
def test_a_foreign_id_under_ones_own_address_is_not_there(
    client_of: Callable[[str], Client], ids: dict[str, str], path: str
) -> None:
    assert client_of("Bea").get("/o/birch/" + path.format(**ids)).status_code == 404


@pytest.mark.parametrize(("path", "data"), [*WRITE, *SETTINGS])
def test_a_viewer_is_refused_and_nothing_changes(
    client_of: Callable[[str], Client],
    ids: dict[str, str],
    path: str,
    data: dict[str, str],
    snapshot: Callable[[], object],
) -> None:
    before = snapshot()
    answer = client_of("Vic").post(path.format(**ids), filled(data, ids))
    assert answer.status_code == 403
    assert snapshot() == before


@pytest.mark.parametrize(("path", "data"), SETTINGS)
def test_an_accounts_manager_cannot_touch_settings(
    client_of: Callable[[str], Client],
    ids: dict[str, str],
    path: str,
    data: dict[str, str],
    snapshot: Callable[[], object],
) -> None:
    before = snapshot()
    assert client_of("Ben").post(path.format(**ids), filled(data, ids)).status_code == 403
    assert snapshot() == before


@pytest.mark.parametrize(("path", "data"), WRITE)
def test_an_accounts_manager_writes_customers(
    client_of: Callable[[str], Client], ids: dict[str, str], path: str, data: dict[str, str]
) -> None:
    answer = client_of("Ben").post(path.format(**ids), filled(data, ids))
    assert answer.status_code == 302


def test_what_a_viewer_may_not_do_is_greyed_with_the_reason(
    client_of: Callable[[str], Client], ids: dict[str, str]
) -> None:
    shown = client_of("Vic").get("/o/acorn/customers/").content.decode()
    assert 'aria-disabled="true"' in shown
    assert "needs the right" in shown


@pytest.mark.parametrize("path", [*READ, *(path for path, _ in WRITE)])
def test_signed_out_leads_to_sign_in_with_the_address_kept(
    client: Client, ids: dict[str, str], path: str
) -> None:
    path = path.format(**ids)
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/?next=/o/acorn/")


@pytest.mark.parametrize(("path", "data"), [*WRITE, *SETTINGS])
def test_a_form_without_its_token_is_refused(
    client_of: Callable[[str], Client],
    ids: dict[str, str],
    path: str,
    data: dict[str, str],
    snapshot: Callable[[], object],
) -> None:
    ana, before = client_of("Ana"), snapshot()
    ana.handler.enforce_csrf_checks = True
    assert ana.post(path.format(**ids), filled(data, ids)).status_code == 403
    assert snapshot() == before
