"""The bell, its panel, the list and the choices: one's own, by the rights of now, in constant statements."""

from collections.abc import Callable

import pytest
from django.test import Client

from core.scope import Scope, enter, work
from messaging.bell import MOST
from messaging.models import NoticeChoice, Notification
from tenants.models import Membership
from tenants.permissions import VIEWER
from tests.cast import CANARY
from tests.db.messaging.notices import finished, give, happen, scope_of, stopped
from tests.db.pages_documents.test_budgets import reads

LIST, PANEL = "/o/acorn/notifications/", "/o/acorn/notifications/panel/"
COUNT, CHOICES = "/o/acorn/notifications/new/", "/o/acorn/notifications/choices/"


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.tasks.wake", lambda _kind: None)


@pytest.fixture
def ben(client_of: Callable[[str], Client]) -> Client:
    return client_of("Ben")


def new(client: Client, query: str = "") -> int:
    answer = client.get(COUNT + query)
    assert answer.status_code == 200
    return int(answer.context["n"])


def titles(client: Client, address: str = LIST) -> list[str]:
    return [str(each["line"].said.title) for each in client.get(address).context["rows"]]


def ids(name: str) -> list[str]:
    with enter(scope_of(name)), work():
        rows = Notification.objects.filter(member__user__name=name).order_by("id")
        return list(rows.values_list("public_id", flat=True))


def test_the_page_asks_for_its_bell_itself(ana: Client) -> None:
    page = ana.get("/o/acorn/").content.decode()
    assert f'hx-get="{COUNT}" hx-trigger="load' in page
    assert f'hx-get="{PANEL}"' in page


def test_the_bell_counts_what_is_new_and_says_aloud_only_what_is_more(ana: Client) -> None:
    happen(finished(held=2), stopped())
    assert new(ana) == 3
    assert "data-announce" not in ana.get(COUNT).content.decode()
    assert "data-announce" not in ana.get(COUNT + "?n=3").content.decode()
    assert 'data-announce="Notifications: 3 new"' in ana.get(COUNT + "?n=2").content.decode()
    for odd in ("-1", "x", "9" * 5000, "%00", "٣"):
        assert ana.get(COUNT + f"?n={odd}").status_code == 200


def test_it_counts_no_further_than_it_shows(ana: Client) -> None:
    happen(*(finished() for _ in range(MOST + 5)))
    page = ana.get(COUNT).content.decode()
    assert "99+" in page
    assert new(ana) == MOST + 1


def test_the_panel_shows_the_newest_and_marks_what_it_showed(ana: Client, ben: Client) -> None:
    happen(*(finished(n) for n in range(1, 13)))
    assert len(titles(ana, PANEL)) == 8
    upto = ids("Ana")[-1]
    happen(stopped())
    answer = ana.post(LIST + "read/", {"upto": upto}, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Trigger"]) == (200, "bell")
    assert titles(ana) == ["Billing run of 26 November 2026 stopped"]
    assert new(ben) == 13, "Ben's are his"


def test_one_is_read_once_and_stays_so(ana: Client) -> None:
    happen(finished())
    (own,) = ids("Ana")
    for _ in range(2):  # a double click
        answer = ana.post(f"{LIST}{own}/read/", headers={"X-Requested-With": "fetch"})
        assert (answer.status_code, answer.content) == (204, b"")
    assert new(ana) == 0
    assert len(titles(ana, LIST + "?show=all")) == 1
    assert ana.get(f"{LIST}{own}/read/").status_code == 405


def test_somebody_elses_is_not_there(ana: Client, client_of: Callable[[str], Client]) -> None:
    happen(finished())
    for other in (*ids("Ben"), "ntc_01JABCDEFGHJKMNPQRSTVWXYZ0", "x"):
        assert ana.post(f"{LIST}{other}/read/").status_code == 404
        assert ana.post(LIST + "read/", {"upto": other}).status_code == 404
    bea = client_of("Bea")
    for address in (LIST, PANEL, COUNT, CHOICES):
        assert bea.get(address).status_code == 404
    assert bea.post(f"/o/birch/notifications/{ids('Ana')[0]}/read/").status_code == 404
    with enter(scope_of("Ana")), work():
        assert not Notification.objects.filter(read_at__isnull=False).exists()


@pytest.mark.parametrize(
    "to", ["https://evil.example/", "//evil.example", "/o/birch/", "\\evil", "/o/acorn/../x\n"]
)
def test_reading_leads_back_into_the_house_only(ana: Client, to: str) -> None:
    happen(finished())
    answer = ana.post(f"{LIST}{ids('Ana')[0]}/read/", {"next": to})
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/o/acorn/")
    assert "evil" not in answer.headers["Location"]


def test_who_loses_the_right_sees_it_no_more_and_again_when_it_is_back(ben: Client) -> None:
    happen(finished(held=2))
    assert (new(ben), len(titles(ben)), len(titles(ben, PANEL))) == (2, 2, 2)
    give("Ben", VIEWER)
    assert (new(ben), titles(ben), titles(ben, PANEL)) == (1, ["Billing run of 25 November 2026 finished"], [
        "Billing run of 25 November 2026 finished"
    ])  # fmt: skip
    held = ids("Ben")[0]
    assert ben.post(f"{LIST}{held}/read/").status_code == 404
    give("Ben", "accounts_manager")
    assert new(ben) == 2


def test_what_one_does_not_want_any_more_is_not_shown(ana: Client) -> None:
    happen(finished())
    ana.post(CHOICES + "save/", {"billing.finished": "none"})
    assert (new(ana), titles(ana, LIST + "?show=all")) == (0, [])


def test_the_list_is_filtered_paged_and_says_when_it_is_empty(ana: Client) -> None:
    assert "You have read everything." in ana.get(LIST).content.decode()
    assert "Nothing yet" in ana.get(LIST + "?show=all").content.decode()
    happen(*(finished(n, held=n % 2) for n in range(1, 61)))
    assert len(titles(ana)) == 50
    assert set(titles(ana, LIST + "?group=0")) == {"1 subscription is held for a look"}
    assert len(titles(ana, LIST + "?group=1")) == 50
    assert "There is no such notification." in ana.get(LIST + "?group=2").content.decode()
    older = ana.get(LIST).context["older"]
    assert len(titles(ana, LIST + older)) == 40
    for odd in ("?group=99", "?group=%00", "?show=1&page=x", "?page=" + "A" * 2000):
        assert ana.get(LIST + odd).status_code == 200


def test_choices_are_saved_and_bad_ones_refused_with_a_reason(ben: Client, house: Scope) -> None:
    page = ben.get(CHOICES).content.decode()
    assert 'name="billing.finished"' in page
    assert 'name="webhook.disabled"' not in page
    assert "Bell and a mail at once, always" in page
    for _ in range(2):
        answer = ben.post(CHOICES + "save/", {"billing.finished": "mail"})
        assert answer.status_code == 302
    refused = ben.post(CHOICES + "save/", {"billing.finished": "none", "work.parked": "mail"})
    assert refused.status_code == 422
    assert "Choose one of the ways shown." in refused.content.decode()
    with enter(house), work():
        assert list(NoticeChoice.objects.values_list("member__user__name", "way")) == [("Ben", "mail")]


def test_the_audit_has_what_was_chosen(ana: Client) -> None:
    ana.post(CHOICES + "save/", {"billing.finished": "mail"})
    page = ana.get("/o/acorn/settings/audit/").content.decode()
    assert "How a member is told" in page


def test_a_member_without_the_first_right_has_no_bell(
    client_of: Callable[[str], Client], house: Scope
) -> None:
    from tenants.models import Role

    with enter(house), work():
        role = Role.objects.create(name="Clerk", permissions=["customers.view"])
        Membership.objects.filter(user__name="Vic").update(role=role)
    vic = client_of("Vic")
    page = vic.get("/o/acorn/customers/")
    assert (page.status_code, "data-bell" in page.content.decode()) == (200, False)
    for address in (LIST, PANEL, COUNT, CHOICES):
        assert vic.get(address).status_code == 403


def test_statements_do_not_grow(ana: Client) -> None:
    happen(finished(held=2))
    few = {address: len(reads(ana, address)) for address in (COUNT, PANEL, LIST, CHOICES)}
    happen(*(finished(n, held=n) for n in range(1, 30)))
    assert {address: len(reads(ana, address)) for address in few} == few
    assert few[COUNT] <= 7, few
    assert max(few.values()) <= 12, few


def test_nothing_of_another_house_is_told(client_of: Callable[[str], Client]) -> None:
    happen(stopped(CANARY), slug="birch")
    ana = client_of("Ana")
    assert titles(ana) == []
    assert len(client_of("Bea").get("/o/birch/notifications/").context["rows"]) == 1
    for address in (LIST, PANEL, COUNT):
        assert CANARY not in ana.get(address).content.decode()
