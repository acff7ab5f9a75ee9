"""Saved views: one's own or everybody's, written over by name, never a way to another list or organization."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from core.scope import Scope, enter, work
from tenants.models import Membership, Role, SavedView

SAVE = "/o/acorn/views/save/"
LISTS = {"customers": "/o/acorn/customers/", "invoices": "/o/acorn/invoices/"}


def save(client: Client, **data: str) -> Any:
    given = {"list": "customers", "query": "overdue=1&currency=EUR", "name": "Late in euros", **data}
    return client.post(SAVE, given, follow=True)


def views(house: Scope) -> list[tuple[str, str, str, bool]]:
    with enter(house), work():
        return list(SavedView.objects.order_by("id").values_list("page", "name", "query", "shared"))


def offered(client: Client, where: str = "customers") -> list[str]:
    return [each["view"].name for each in client.get(LISTS[where]).context["views"]["rows"]]


@pytest.fixture
def ben(client_of: Callable[[str], Client]) -> Client:
    return client_of("Ben")


@pytest.mark.parametrize("where", LISTS)
def test_a_view_opens_the_list_with_its_filters(ben: Client, house: Scope, where: str) -> None:
    answer = save(ben, list=where, query="currency=EUR&page=abc")
    assert answer.redirect_chain[-1][0] == f"{LISTS[where]}?currency=EUR&page=abc"
    assert "“Late in euros” saved" in answer.content.decode()
    assert views(house) == [
        (where, "Late in euros", "currency=EUR", False)
    ]  # the place in the list is not kept
    page = ben.get(LISTS[where] + "?currency=EUR")
    assert page.context["views"]["shown"] == "Late in euros"
    assert 'href="?currency=EUR"' in page.content.decode()
    other = "invoices" if where == "customers" else "customers"
    assert offered(ben, other) == []


def test_saved_twice_it_is_one_and_the_last_filters_count(ben: Client, house: Scope) -> None:
    save(ben)
    save(ben)
    assert len(views(house)) == 1
    save(ben, query="archived=1", shared="1")
    assert views(house) == [("customers", "Late in euros", "archived=1", True)]


def test_ones_own_is_ones_own_and_a_shared_one_everybodys(
    ben: Client, ana: Client, client_of: Callable[[str], Client], house: Scope
) -> None:
    save(ben, name="Mine")
    save(ben, name="Ours", shared="1")
    vic = client_of("Vic")
    assert offered(ben) == ["Mine", "Ours"]
    assert offered(ana) == offered(vic) == ["Ours"]
    save(vic, name="Ours")  # Vic's own, beside the shared one
    assert offered(vic) == ["Ours", "Ours"]
    assert len(views(house)) == 3


def test_a_viewer_keeps_views_but_shares_none(client_of: Callable[[str], Client], house: Scope) -> None:
    vic = client_of("Vic")
    assert save(vic).status_code == 200
    before = views(house)
    assert save(vic, name="For all", shared="1").status_code == 403
    assert save(vic, shared="1").status_code == 403
    assert views(house) == before


def test_who_removes_what(ben: Client, ana: Client, client_of: Callable[[str], Client], house: Scope) -> None:
    save(ben, name="Mine")
    save(ben, name="Ours", shared="1")
    with enter(house), work():
        ids = dict(SavedView.objects.values_list("name", "public_id"))
    vic = client_of("Vic")
    for client, name in ((vic, "Ours"), (vic, "Mine"), (ana, "Mine")):
        assert client.post(f"/o/acorn/views/{ids[name]}/drop/").status_code == 404
    assert len(views(house)) == 2
    assert ana.post(f"/o/acorn/views/{ids['Ours']}/drop/").status_code == 302  # shared: whoever may share
    assert ben.post(f"/o/acorn/views/{ids['Mine']}/drop/").status_code == 302
    assert ben.post(f"/o/acorn/views/{ids['Mine']}/drop/").status_code == 404  # a second click
    assert views(house) == []


def test_another_organization(client_of: Callable[[str], Client], ben: Client, house: Scope) -> None:
    save(ben, name="Ours", shared="1")
    with enter(house), work():
        public_id = SavedView.objects.get().public_id
    bea = client_of("Bea")
    assert save(bea).status_code == 404
    for slug in ("acorn", "birch"):
        assert bea.post(f"/o/{slug}/views/{public_id}/drop/").status_code == 404
    assert "Ours" not in bea.get("/o/birch/customers/").content.decode()
    assert len(views(house)) == 1


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"name": ""}, 200),
        ({"name": "x" * 61}, 200),
        ({"name": "a\0b"}, 200),
        ({"query": "q=" + "x" * 1100}, 200),
        ({"list": ""}, 404),
        ({"list": "settings"}, 404),
        ({"list": "//evil.example"}, 404),
    ],
)
def test_what_cannot_be_kept_is_not(ben: Client, house: Scope, data: dict[str, str], status: int) -> None:
    answer = save(ben, **data)
    assert answer.status_code == status
    assert views(house) == []


@pytest.mark.parametrize(
    "query", ['"><script>alert(1)</script>', "javascript:alert(1)", "a=1\r\nSet-Cookie: x=1", "%00"]
)
def test_odd_filters_come_back_as_plain_ones(ben: Client, house: Scope, query: str) -> None:
    answer = save(ben, query=query, name="<b>x</b>")
    assert answer.redirect_chain[0][0].startswith("/o/acorn/customers/?")
    page = ben.get(LISTS["customers"]).content.decode()
    assert "<script>alert" not in page
    assert "<b>x</b>" not in page


def test_a_list_one_may_not_see_keeps_nothing(client_of: Callable[[str], Client], house: Scope) -> None:
    with enter(house), work():
        role = Role.objects.create(name="Clerk", permissions=["home.view", "customers.view"])
        Membership.objects.filter(user__name="Vic").update(role=role)
    assert save(client_of("Vic"), list="invoices").status_code == 403
    assert views(house) == []


def test_there_is_an_end_to_them(ben: Client, house: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenants.services.views.MOST", 2)
    for name in ("a", "b", "c"):
        answer = save(ben, name=name)
    assert "That is enough views" in answer.content.decode()
    save(ben, name="b", query="archived=1")
    assert [view[1:3] for view in views(house)] == [("a", "overdue=1&currency=EUR"), ("b", "archived=1")]
