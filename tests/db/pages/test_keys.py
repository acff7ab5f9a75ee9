"""API keys as people make, roll and revoke them; a secret is shown once and never stands anywhere again."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from core.models import AuditEntry, OutboxEvent
from core.scope import Scope, enter, work
from tenants.models import ApiKey, ApiRequest, Role
from tests.db.pages.test_roles import give, made
from tests.db.pages.test_session import ODD, odd

KEYS = "/o/acorn/settings/keys/"
ALL = {"name": "ERP", "scope": "all"}


def secret_in(page: str) -> str:
    (found,) = set(re.findall(r"[sr]k_live_[A-Za-z0-9_-]{43}", page))
    return str(found)


def key(house: Scope, **given: object) -> ApiKey:
    with enter(house), work():
        return ApiKey.objects.get(**given)


def me(secret: str) -> int:
    return Client().get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"}).status_code


def test_a_secret_is_shown_once_and_works(ana: Client, house: Scope) -> None:
    answer = ana.post(KEYS + "new/", ALL)
    secret = secret_in(answer.content.decode())
    assert "no-store" in answer["Cache-Control"]
    assert me(secret) == 200
    assert secret not in ana.get(KEYS).content.decode()
    with enter(house), work():
        kept = str(list(AuditEntry.objects.values())) + str(list(OutboxEvent.objects.values()))
        kept += str(list(ApiRequest.objects.values()))
    assert secret not in kept


def test_a_rolled_key_is_shown_once_and_a_revoked_one_opens_nothing(ana: Client, house: Scope) -> None:
    old = secret_in(ana.post(KEYS + "new/", ALL).content.decode())
    new = secret_in(ana.post(f"{KEYS}{key(house).public_id}/roll/").content.decode())
    assert (me(old), me(new)) == (200, 200)
    fresh = key(house, rolled_from__isnull=False)
    for status in (302, 409):
        assert ana.post(f"{KEYS}{fresh.public_id}/revoke/").status_code == status
    assert (me(old), me(new)) == (200, 401)


def test_ticked_rights_are_all_the_key_has(ana: Client, house: Scope) -> None:
    told = {**ALL, "scope": "some", "rights": ["customers.view", "invoices.view"]}
    assert secret_in(ana.post(KEYS + "new/", told).content.decode()).startswith("rk_live_")
    assert key(house).permissions == ["customers.view", "invoices.view"]
    nothing = ana.post(KEYS + "new/", {**ALL, "scope": "some"})
    assert nothing.status_code == 422
    assert "Choose at least one right" in nothing.content.decode()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("last_day", "2020-01-01", "That time is over"),
        ("addresses", "nowhere", "One IP address or network"),
        ("addresses", "\n".join(["203.0.113.1"] * 21), "At most 20"),
        ("name", "", "required"),
    ],
)
def test_what_cannot_be_is_said_and_makes_nothing(
    ana: Client, house: Scope, name: str, value: str, said: str
) -> None:
    answer = ana.post(KEYS + "new/", {**ALL, name: value})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    with enter(house), work():
        assert not ApiKey.objects.exists()


def test_nobody_gives_a_key_more_than_they_may(client_of: Callable[[str], Client], house: Scope) -> None:
    give(house, "Ben", made(house, "Tech", ["home.view", "keys.view", "keys.edit"]))
    ben = client_of("Ben")
    told = {**ALL, "scope": "some", "rights": ["invoices.issue"]}
    assert ben.post(KEYS + "new/", told).status_code == 403
    secret = secret_in(ben.post(KEYS + "new/", ALL).content.decode())
    answer = Client().get("/api/v1/customers", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 403


def test_only_whom_a_key_acts_for_rolls_it_and_a_key_makes_no_key(
    ana: Client, client_of: Callable[[str], Client], house: Scope
) -> None:
    """Whoever rolled somebody else's key would hold a secret that acts for that person."""
    ana.post(KEYS + "new/", ALL)
    with enter(house), work():
        give(house, "Ben", Role.objects.get(key="administrator"))
    ben = client_of("Ben")
    assert ben.post(f"{KEYS}{key(house).public_id}/roll/").status_code == 403
    assert ben.post(f"{KEYS}{key(house).public_id}/revoke/").status_code == 302


def test_a_viewer_sees_no_keys_and_bea_nothing(
    ana: Client, client_of: Callable[[str], Client], house: Scope
) -> None:
    ana.post(KEYS + "new/", ALL)
    place = f"{key(house).public_id}/revoke/"
    assert client_of("Vic").get(KEYS).status_code == 403
    assert client_of("Ben").post(KEYS + place).status_code == 403
    assert client_of("Bea").post(KEYS + place).status_code == 404
    assert client_of("Bea").post("/o/birch/settings/keys/" + place).status_code == 404
    assert key(house).revoked_at is None


def test_the_log_is_found_by_key_outcome_path_and_request(ana: Client, house: Scope) -> None:
    secret = secret_in(ana.post(KEYS + "new/", ALL).content.decode())
    program = Client()
    bearer = {"Authorization": f"Bearer {secret}"}
    missed = program.get("/api/v1/customers/cus_none", headers=bearer)["Request-Id"]
    program.post("/api/v1/customers", {"name": "<b>Kite"}, content_type="application/json", headers=bearer)
    log = KEYS + "requests/"
    assert "&lt;b&gt;Kite" in ana.get(log).content.decode()
    for query, there, not_there in (
        ("outcome=refused", "cus_none", "Kite"),
        ("outcome=done", "Kite", "cus_none"),
        (f"request={missed}", "cus_none", "Kite"),
        ("path=/api/v1/customers/cus", "cus_none", "Kite"),
        (f"key={key(house).public_id}", "Kite", "nothing of this"),
        ("key=key_none", "Nothing matches", "Kite"),
    ):
        shown = ana.get(f"{log}?{query}").content.decode()
        assert there in shown
        assert not_there not in shown.replace('/api/v1/customers/cus"', "")


@pytest.mark.parametrize("value", ODD)
def test_odd_text_never_breaks(ana: Client, value: str) -> None:
    for name in ("name", "scope", "last_day", "addresses", "rights"):
        assert ana.post(KEYS + "new/", {**ALL, name: odd(value)}).status_code in {200, 422}
    for name in ("key", "outcome", "path", "request", "page"):
        assert ana.get(KEYS + "requests/", {name: odd(value)}).status_code == 200


def test_statements_do_not_grow_with_keys_and_requests(
    ana: Client, house: Scope, queries: Callable[[Client, str], int]
) -> None:
    secret = secret_in(ana.post(KEYS + "new/", ALL).content.decode())
    me(secret)
    few = [queries(ana, path) for path in (KEYS, KEYS + "requests/")]
    for n in range(5):
        me(secret_in(ana.post(KEYS + "new/", {**ALL, "name": f"K{n}"}).content.decode()))
    assert [queries(ana, path) for path in (KEYS, KEYS + "requests/")] == few
