"""Signing in, out and up: same answer for everybody who is wrong, limits, and only pages of ours afterwards."""

import re
import time
from collections.abc import Callable
from statistics import median

import pytest
from django.core.cache import cache
from django.test import Client, RequestFactory

from core import doors
from core.limits import _key, address_of
from core.scope import Scope, enter, work
from tenants.models import LegalEntity, User
from tenants.views.session import WINDOW
from tests.cast import PASSWORD

GOOD = {"username": "ana@acorn.example", "password": PASSWORD}
SIGN_UP = {
    "name": "Noor",
    "email": "noor@cedar.example",
    "password": "seven tired green kites",
    "organization": "Cedar Works",
    "slug": "",
    "country": "NL",
    "currency": "EUR",
    "zone": "Europe/Amsterdam",
}
ODD = ["\0", "a\0b", "x" * 10_000, "\u202egnp.exe", "\x07bell", "\ud800", "''; DROP TABLE", "<script>"]


def odd(value: str) -> str:
    """What a browser can send of it: a lone surrogate has no bytes of its own."""
    return value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


@pytest.mark.parametrize("email", ["ana@acorn.example", "ANA@Acorn.Example", " ana@acorn.example "])
def test_the_right_password_opens_the_only_organization(db: None, client: Client, email: str) -> None:
    client.get("/sign-in/")
    answer = client.post("/sign-in/", {"username": email, "password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.get("/")["Location"] == "/o/acorn/"


def test_the_session_gets_another_key(db: None, client: Client) -> None:
    client.session["seen"] = 1
    client.session.save()
    client.cookies["session"] = "f" * 32
    client.post("/sign-in/", GOOD)
    assert client.cookies["session"].value != "f" * 32
    assert client.cookies["session"]["httponly"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"username": "ana@acorn.example", "password": "wrong"},
        {"username": "nobody@acorn.example", "password": PASSWORD},
        {"username": "nobody@acorn.example", "password": "wrong"},
    ],
)
def test_every_wrong_answer_is_the_same(db: None, client: Client, wrong: dict[str, str]) -> None:
    answer = client.post("/sign-in/", wrong)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "E-mail or password is wrong." in text
    assert PASSWORD not in text
    assert "no-store" in answer["Cache-Control"]


def test_a_disabled_person_is_answered_the_same(db: None, client: Client) -> None:
    User.objects.filter(email="ana@acorn.example").update(is_active=False)
    assert "E-mail or password is wrong." in client.post("/sign-in/", GOOD).content.decode()


def test_an_unknown_person_takes_as_long_as_a_known_one(db: None, client: Client) -> None:
    def took(email: str) -> float:
        cache.clear()
        began = time.perf_counter()
        client.post("/sign-in/", {"username": email, "password": "wrong"})
        return time.perf_counter() - began

    took("warm@acorn.example")
    known = median(took("ana@acorn.example") for _ in range(5))
    unknown = median(took("nobody@acorn.example") for _ in range(5))
    assert 0.4 < unknown / known < 2.5


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("field", ["username", "password", "next"])
def test_odd_input_is_a_plain_refusal(db: None, client: Client, field: str, value: str) -> None:
    answer = client.post("/sign-in/", {**GOOD, "password": "wrong", field: odd(value)})
    assert answer.status_code == 422


@pytest.mark.parametrize("wanted", ["/o/acorn/customers/?q=a", "/o/acorn/"])
def test_the_page_that_was_wanted_comes_after(db: None, client: Client, wanted: str) -> None:
    assert client.post("/sign-in/", {**GOOD, "next": wanted})["Location"] == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "https://evil.example/",
        "http:evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "https:/\\evil.example",
        " //evil.example",
        "///evil.example",
        "\x01//evil.example",
    ],
)
@pytest.mark.parametrize("way", ["field", "query"])
def test_no_other_place_comes_after(db: None, client: Client, wanted: str, way: str) -> None:
    if way == "query":
        answer = client.post("/sign-in/", GOOD, query_params={"next": wanted})
    else:
        answer = client.post("/sign-in/", {**GOOD, "next": wanted})
    assert answer["Location"] == "/"


def test_too_many_tries_wait(db: None, client: Client) -> None:
    wrong = {**GOOD, "password": "wrong"}
    assert [client.post("/sign-in/", wrong).status_code for _ in range(7)] == [422] * 6 + [429]
    answer = client.post("/sign-in/", GOOD)
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 300
    assert "_auth_user_id" not in client.session
    other = client.post("/sign-in/", {"username": "ben@acorn.example", "password": PASSWORD})
    assert other.status_code == 302


def test_one_address_cannot_try_many_accounts(db: None, client: Client) -> None:
    for n in range(60):
        cache.incr(*_address_key(n))
    assert client.post("/sign-in/", GOOD).status_code == 429


def _address_key(_n: int) -> tuple[str, int]:
    key, _left = _key("sign-in-address", "127.0.0.1", WINDOW)
    cache.add(key, 0, timeout=WINDOW)
    return key, 1


def test_one_stranger_cannot_shut_a_person_out(db: None) -> None:
    for n in range(4):
        stranger = Client(REMOTE_ADDR="203.0.113.9")
        codes = {
            stranger.post("/sign-in/", {**GOOD, "password": f"no {n} {i}"}).status_code for i in range(40)
        }
        assert 429 in codes
        cache.delete_many([_key("sign-in", f"203.0.113.9 {GOOD['username']}", WINDOW)[0]])
        cache.delete_many([_key("sign-in-address", "203.0.113.9", WINDOW)[0]])
    assert Client(REMOTE_ADDR="203.0.113.10").post("/sign-in/", GOOD).status_code == 302


@pytest.mark.parametrize(
    ("proxies", "own", "forwarded", "address"),
    [
        (0, "203.0.113.9", "", "203.0.113.9"),
        (0, "203.0.113.9", "198.51.100.1", "203.0.113.9"),
        (1, "127.0.0.1", "198.51.100.1", "198.51.100.1"),
        (1, "127.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        (2, "127.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.1", "198.51.100.1"),
        (2, "127.0.0.1", "10.0.0.1", "127.0.0.1"),
        (1, "127.0.0.1", "", "127.0.0.1"),
        (1, "127.0.0.1", "no address", "127.0.0.1"),
        (0, "2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        (0, "::ffff:203.0.113.9", "", "203.0.113.9"),
    ],
)
def test_who_asks(settings: object, proxies: int, own: str, forwarded: str, address: str) -> None:
    settings.TRUSTED_PROXIES = proxies  # type: ignore[attr-defined]
    request = RequestFactory().get("/", REMOTE_ADDR=own, headers={"X-Forwarded-For": forwarded})
    assert address_of(request) == address


def test_a_right_answer_forgives_the_wrong_ones(db: None, client: Client) -> None:
    for _ in range(4):
        for _ in range(4):
            client.post("/sign-in/", {**GOOD, "password": "wrong"})
        assert client.post("/sign-in/", GOOD).status_code == 302
        client.post("/sign-out/")


def test_signing_out_ends_the_session_and_clears_the_browser(ana: Client) -> None:
    answer = ana.post("/sign-out/")
    assert answer["Location"] == "/sign-in/"
    assert '"storage"' in answer["Clear-Site-Data"]
    assert ana.get("/o/acorn/").status_code == 302


def test_a_link_cannot_sign_out(ana: Client) -> None:
    assert ana.get("/sign-out/").status_code == 405
    assert ana.get("/o/acorn/").status_code == 200


def test_sign_in_without_its_token_is_refused(db: None) -> None:
    assert Client(enforce_csrf_checks=True).post("/sign-in/", GOOD).status_code == 403


def test_signed_out_the_first_page_is_sign_in(db: None, client: Client) -> None:
    assert client.get("/")["Location"] == "/sign-in/"


def test_signing_up_makes_person_and_organization_and_signs_in(db: None, client: Client) -> None:
    answer = client.post("/sign-up/", SIGN_UP)
    assert (answer.status_code, client.get("/")["Location"]) == (302, "/o/cedar-works/")
    page = client.get("/o/cedar-works/").content.decode()
    assert "First steps" in page
    with enter(Scope(doors.org_of_slug("cedar-works") or 0)), work():
        entity = LegalEntity.objects.get()
        assert (entity.zone, entity.currency, entity.country) == ("Europe/Amsterdam", "EUR", "NL")


def test_signing_up_twice_makes_one(db: None, client: Client) -> None:
    client.post("/sign-up/", SIGN_UP)
    again = Client().post("/sign-up/", SIGN_UP)
    assert again.status_code == 422
    assert "has an account already" in again.content.decode()
    assert User.objects.filter(email="noor@cedar.example").count() == 1


def test_a_person_may_start_a_second_organization_and_choose(ana: Client) -> None:
    told = {key: value for key, value in SIGN_UP.items() if key not in {"name", "email", "password"}}
    assert ana.post("/sign-up/", told).status_code == 302
    shown = ana.get("/").content.decode()
    assert "/o/acorn/" in shown
    assert "/o/cedar-works/" in shown
    assert "Cedar Works" in ana.get("/o/acorn/").content.decode()


def test_a_taken_address_is_said_with_a_free_one_and_nobody_is_made(db: None, client: Client) -> None:
    answer = client.post("/sign-up/", {**SIGN_UP, "slug": "acorn"})
    assert answer.status_code == 422
    assert "“acorn-2” is free" in answer.content.decode()
    assert not User.objects.filter(email="noor@cedar.example").exists()


def test_an_address_is_made_from_the_name(db: None, client: Client) -> None:
    client.post("/sign-up/", {**SIGN_UP, "organization": "Acorn"})
    assert client.get("/")["Location"] == "/o/acorn-2/"
    other = Client()
    other.post("/sign-up/", {**SIGN_UP, "email": "li@x.example", "organization": "株式会社"})
    assert other.get("/")["Location"] == "/o/organization/"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("password", "too short"),
        ("password", "1q2w3e4r5t6y7u8i9o0p"),
        ("password", ""),
        ("password", "x" * 200),
        ("email", "no address"),
        ("email", "ANA@ACORN.EXAMPLE"),
        ("name", "  "),
        ("name", "x" * 201),
        ("organization", ""),
        ("slug", "Not Good"),
        ("slug", "-a"),
        ("slug", "a/../b"),
        ("currency", "XXX"),
        ("zone", "Mars/Olympus"),
        ("country", "ZZ"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(db: None, client: Client, field: str, value: str) -> None:
    before = User.objects.count()
    answer = client.post("/sign-up/", {**SIGN_UP, field: value})
    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert User.objects.count() == before


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("field", list(SIGN_UP))
def test_signing_up_with_odd_input_never_breaks(db: None, client: Client, field: str, value: str) -> None:
    assert client.post("/sign-up/", {**SIGN_UP, field: odd(value)}).status_code in {302, 422}


def test_only_so_many_sign_up_from_one_address(db: None, client: Client) -> None:
    codes = [client.post("/sign-up/", {}).status_code for _ in range(21)]
    assert codes[-1] == 429
    assert codes[-2] == 422


def test_alive_and_ready(db: None, client: Client) -> None:
    assert client.get("/health/").json() == {"alive": True}
    assert client.get("/ready/").json() == {"ready": True}
    assert client.post("/health/").status_code == 405


def test_not_ready_says_no_more_than_that(db: None, client: Client, settings: object) -> None:
    settings.AS_OWNER = True  # type: ignore[attr-defined]
    answer = client.get("/ready/")
    assert (answer.status_code, answer.json()) == (503, {"ready": False})


def test_not_ready_without_a_broker(db: None, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from arapp import health

    monkeypatch.setattr(health.app.conf, "broker_url", "redis://127.0.0.1:9/0")
    monkeypatch.setattr(health.app.conf, "broker_write_url", "redis://127.0.0.1:9/0", raising=False)
    answer = client.get("/ready/")
    assert (answer.status_code, answer.json()) == (503, {"ready": False})


def test_no_session_is_made_for_a_look(db: None, client: Client) -> None:
    for path in ("/health/", "/ready/", "/sign-in/", "/sign-up/"):
        client.get(path)
    assert "session" not in client.cookies


def test_the_menu_knows_the_organization_of_the_page(client_of: Callable[[str], Client]) -> None:
    shown = client_of("Ben").get("/o/acorn/").content.decode()
    assert re.search(r'data-label="Home"[^>]*aria-current="page"', shown)
    assert "Accounts Manager" in shown
