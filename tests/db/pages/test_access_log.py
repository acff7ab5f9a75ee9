"""The access log: who is told of what, nothing that was typed, and what deserves a look."""

import csv
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from core import clock, doors
from core.scope import Scope, enter, work
from tenants.models import AccessEvent, ApiKey, Membership, User
from tenants.permissions import VIEWER
from tenants.services.organizations import add_member
from tests.cast import PASSWORD
from tests.conftest import seat

ACCESS = "/o/acorn/settings/access/"


def log(house: Scope) -> list[AccessEvent]:
    with enter(house), work():
        return list(AccessEvent.objects.order_by("id"))


def kinds(house: Scope) -> list[tuple[str, str]]:
    return [(row.kind, row.who) for row in log(house)]


def sign_in(email: str, password: str = PASSWORD, address: str = "203.0.113.7") -> Client:
    client = Client(REMOTE_ADDR=address, headers={"user-agent": "Firefox\n1"})
    client.post("/sign-in/", {"username": email, "password": password})
    return client


def text(answer: object) -> str:
    assert answer.status_code == 200  # type: ignore[attr-defined]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))  # type: ignore[attr-defined]


def strays() -> int:
    """As the transaction's own role cannot read them: how many the sequence gave out."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value, is_called FROM tenants_strayaccess_id_seq")
        last, called = cursor.fetchone()
        return int(last) if called else 0


def test_coming_and_going_is_told_with_where_from(house: Scope) -> None:
    client = sign_in("ana@acorn.example")
    client.post("/sign-out/")
    assert kinds(house) == [("signed_in", "Ana"), ("signed_out", "Ana")]
    first = log(house)[0]
    assert (first.address, first.agent) == ("203.0.113.7", "Firefox1")
    assert first.request_id.startswith("req_")


def test_a_failure_is_told_to_the_organizations_of_the_person_alone(house: Scope, birch: Scope) -> None:
    sign_in("ANA@acorn.example", "wrong")
    assert kinds(house) == [("sign_in_failed", "Ana")]
    assert kinds(birch) == []


def test_a_failure_that_nobody_knows_is_kept_apart(house: Scope, birch: Scope) -> None:
    before = strays()
    sign_in("my secret password@x.example", "wrong")
    sign_in("nobody@x.example", "wrong")
    assert (kinds(house), kinds(birch)) == ([], [])
    assert strays() > before
    for verb in ("SELECT", "INSERT", "UPDATE", "DELETE"):
        with connection.cursor() as cursor:
            cursor.execute("SELECT has_table_privilege('tenants_strayaccess', %s)", [verb])
            assert cursor.fetchone() == (False,)


def test_whoever_was_shut_out_is_no_longer_told_of(house: Scope) -> None:
    with enter(house), work():
        Membership.objects.filter(user__email="ben@acorn.example").update(disabled_at=clock.wall())
        Membership.objects.filter(user__email="vic@acorn.example").update(
            valid_until=clock.wall() - timedelta(1)
        )
    sign_in("ben@acorn.example")
    sign_in("vic@acorn.example")
    assert kinds(house) == []


def test_nothing_that_was_typed_is_kept(house: Scope) -> None:
    typed = "a password that was typed"
    sign_in("ana@acorn.example", typed)
    sign_in(typed, typed)
    with enter(house), work(), connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(e::text, '') FROM tenants_accessevent e")
        assert "typed" not in cursor.fetchone()[0]


def test_a_refusal_is_told(client_of: Callable[[str], Client], house: Scope) -> None:
    assert client_of("Vic").get(ACCESS + "?secret=1").status_code == 403
    (row,) = log(house)
    assert (row.kind, row.who, row.detail) == ("refused", "Vic", f"access: GET {ACCESS}")


def test_a_file_that_was_taken_is_told(ana: Client, house: Scope) -> None:
    for address in ("/o/acorn/customers/csv/", ACCESS + "csv/", "/o/acorn/settings/audit/csv/"):
        assert ana.get(address).status_code == 200
    assert [row.detail.split(":")[0] for row in log(house)] == ["customers-csv", "access-csv", "audit-csv"]
    assert {row.kind for row in log(house)} == {"exported"}


def test_what_a_stranger_asks_of_us_is_not_told(client_of: Callable[[str], Client], house: Scope) -> None:
    assert client_of("Bea").get(ACCESS).status_code == 404
    assert kinds(house) == []


def test_the_first_use_of_a_key_and_a_refused_one_are_told(ana: Client, house: Scope) -> None:
    page = ana.post("/o/acorn/settings/keys/new/", {"name": "ERP", "scope": "all"}).content.decode()
    (secret,) = set(re.findall(r"sk_live_[A-Za-z0-9_-]{43}", page))
    for _ in range(2):
        assert Client().get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"}).status_code == 200
    assert kinds(house) == [("key_first", "ERP (Ana)")]
    with enter(house), work():
        ApiKey.objects.update(revoked_at=clock.wall())
    before = strays()
    for wrong in (secret, "sk_live_" + "x" * 43):
        assert Client().get("/api/v1/me", headers={"Authorization": f"Bearer {wrong}"}).status_code == 401
    assert [row.kind for row in log(house)] == ["key_first", "key_wrong"]
    assert strays() > before
    assert not any(secret[10:] in str(vars(row)) for row in log(house))


def test_the_log_never_changes(acorn: Scope) -> None:
    doors.note_access("signed_in", user_id=acorn.actor.id, who="Ana", address="", agent="", request_id="")
    for statement in ("UPDATE tenants_accessevent SET who = ''", "DELETE FROM tenants_accessevent"):
        with work(), pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


# ----------------------------------------------------------------------------------------------------- the page


def write(house: Scope, kind: str, name: str = "ana", *, at: datetime, address: str = "203.0.113.7") -> None:
    user = User.objects.get(email=f"{name}@acorn.example")
    with enter(house), work():
        AccessEvent.objects.create(kind=kind, user=user, who=user.name, at=at, address=address)


NOON = datetime(2026, 11, 25, 11, tzinfo=UTC)


def test_what_is_unusual_is_said_with_its_reason(ana: Client, house: Scope) -> None:
    write(house, "signed_in", at=NOON)
    assert "Nothing unusual" in text(ana.get(ACCESS, {"unusual": "1"}))
    for n in range(5):
        write(house, "sign_in_failed", at=NOON + timedelta(minutes=n))
    write(house, "signed_in", at=NOON + timedelta(minutes=9), address="198.51.100.4")
    write(house, "exported", "ben", at=NOON.replace(hour=2))
    for n in range(10):
        write(house, "refused", "vic", at=NOON + timedelta(minutes=n))
    page = text(ana.get(ACCESS, {"unusual": "1"}))
    assert "first time from this address after 5 failures or more within an hour" in page
    assert "at night or at the weekend" in page
    assert page.count("10 refusals or more within an hour") == 1
    assert page.count("Signed in") == 2  # the line, and the choice of the filter
    assert "first time from this address" in text(ana.get(ACCESS))


def test_an_address_of_a_network_that_is_known_is_not_new(ana: Client, house: Scope) -> None:
    """A machine with IPv6 takes another address of its network each day."""
    write(house, "signed_in", at=NOON, address="2001:db8:1:2::1")
    write(house, "signed_in", at=NOON, address="203.0.113.7")
    write(house, "signed_in", at=NOON + timedelta(hours=1), address="2001:db8:1:2:abcd::9")
    assert text(ana.get(ACCESS)).count("first time from this address") == 1
    write(house, "signed_in", at=NOON + timedelta(hours=2), address="2001:db8:1:3::1")
    assert text(ana.get(ACCESS)).count("first time from this address") == 2


def test_the_page_filters(ana: Client, house: Scope) -> None:
    write(house, "signed_in", at=NOON)
    write(house, "signed_in", "ben", at=NOON + timedelta(days=1), address="198.51.100.4")

    def found(**asked: str) -> list[str]:
        page = ana.get(ACCESS, asked).content.decode()
        return sorted(set(re.findall(r'<td class="b">(\w+)</td>', page)))

    with enter(house), work():
        ben = Membership.objects.get(user__email="ben@acorn.example").public_id
    assert found() == ["Ana", "Ben"]
    assert found(who=ben) == ["Ben"]
    assert found(address="203.0.113.7") == ["Ana"]
    assert found(start="2026-11-26") == ["Ben"]
    assert found(end="2026-11-25") == ["Ana"]
    assert found(kind="refused") == []
    assert found(who="mem_x", start="x", kind="\0") == []


def test_the_number_of_queries_does_not_grow(
    ana: Client, house: Scope, queries: Callable[[Client, str], int]
) -> None:
    write(house, "signed_in", at=NOON)
    ana.get(ACCESS)
    before = queries(ana, ACCESS)
    for n in range(20):
        write(house, "signed_in", ("ana", "ben", "vic")[n % 3], at=NOON + timedelta(hours=n))
        write(house, "refused", "vic", at=NOON + timedelta(hours=n))
    assert queries(ana, ACCESS) == before


def test_the_file_has_the_same_lines_and_no_formula(ana: Client, house: Scope) -> None:
    write(house, "signed_in", at=NOON)
    with enter(house), work():
        AccessEvent.objects.create(kind="signed_in", who="=1+1", at=NOON, address="x")
    answer = ana.get(ACCESS + "csv/", {"kind": "signed_in"})
    rows = list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"))))
    assert [(row["Who"], row["What"]) for row in rows] == [("Ana", "Signed in"), ("'=1+1", "Signed in")]


@pytest.mark.parametrize("name", ["Ben", "Vic"])
def test_who_lacks_the_right_sees_none_of_it(client_of: Callable[[str], Client], name: str) -> None:
    client = client_of(name)
    assert [client.get(address).status_code for address in (ACCESS, ACCESS + "csv/")] == [403, 403]
    assert ACCESS not in client.get("/o/acorn/settings/").content.decode()


def test_two_organizations_of_one_person_are_both_told_of_the_door_and_not_of_each_other(
    client_of: Callable[[str], Client], house: Scope, birch: Scope
) -> None:
    with enter(birch), work():
        add_member(user=User.objects.get(email="vic@acorn.example"), role=VIEWER)
    client = sign_in("vic@acorn.example")
    client.get(ACCESS)
    assert kinds(house) == [("signed_in", "Vic"), ("refused", "Vic")]
    assert kinds(birch) == [("signed_in", "Vic")]
    assert seat("birch", "vic@acorn.example")
