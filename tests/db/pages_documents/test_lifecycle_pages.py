"""Ending, pausing and taking up a subscription on its page: previewed as it comes, done once, refused with a reason."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from billing.models import CreditedPeriod, Subscription
from billing.services.run import run_billing
from billing.services.subscriptions import end
from core import clock
from core.books import verify
from core.scope import Scope, work
from tests import factories

Snapshot = Callable[[], dict[str, int]]
TODAY = clock.today("Europe/Berlin")


@pytest.fixture
def sub(acorn: Scope) -> Subscription:
    """A monthly subscription that began ten days ago and is billed."""
    with work():
        made = factories.subscription(
            factories.customer(name="Kestrel"), TODAY - timedelta(days=10), unit_price="30", tax_percent=0
        )
    run_billing(TODAY - timedelta(days=10))
    return made


def path(sub: Subscription, *places: str) -> str:
    return "/".join([f"/o/acorn/subscriptions/{sub.public_id}", *places, ""])


def opened(answer: Any, dialog: str) -> bool:
    found = re.search(rf'<dialog class="dlg[^"]*" id="{dialog}"[^>]*data-show="1"', answer.content.decode())
    return found is not None


def test_the_end_is_seen_before_and_done_once(ana: Client, sub: Subscription, snapshot: Snapshot) -> None:
    before = snapshot()
    wish = {"on": str(TODAY)}
    seen = ana.post(path(sub, "end", "preview"), wish).content.decode()
    credit = re.findall(r"\((\d+\.\d\d)\)", seen)
    assert credit
    assert "Credited in all" in seen
    assert snapshot() == before
    for _ in range(2):
        assert ana.post(path(sub, "end"), wish).status_code == 302
    page = ana.get(path(sub)).content.decode()
    assert f"({credit[0]})" in page
    assert "asked back" not in page
    ana.post(path(sub, "end"), {**wish, "refund": "on"})
    assert "asked back" in ana.get(path(sub)).content.decode()
    assert "Begin again" in page
    run = run_billing(TODAY)
    run_billing(TODAY)
    shown = ana.get(f"/o/acorn/runs/{run.public_id}/").content.decode()
    assert re.search(r"<b>1</b><span[^>]*>Credit notes", shown)
    with work():
        (row,) = CreditedPeriod.objects.all()
        assert f"{row.amount_minor / 100:.2f}" == credit[0]
        assert verify() == []


def test_a_pause_is_seen_set_and_taken_back(ana: Client, sub: Subscription) -> None:
    wish = {"on": str(TODAY), "resumes_on": str(TODAY + timedelta(days=9))}
    assert "Credit:" in ana.post(path(sub, "pause", "preview"), wish).content.decode()
    for _ in range(2):
        assert ana.post(path(sub, "pause"), wish).status_code == 302
    page = ana.get(path(sub)).content.decode()
    for text in ("Paused from", "It goes on by itself", 'data-open-dialog="again"'):
        assert text in page, text
    assert 'data-open-dialog="pause"' not in page
    assert ana.post(path(sub, "resume"), {"on": str(TODAY)}).status_code == 302
    assert "Paused from" not in ana.get(path(sub)).content.decode()


def test_a_pause_is_previewed_up_to_its_first_day_whatever_the_end(ana: Client, sub: Subscription) -> None:
    with work():
        end(sub.public_id, on=TODAY + timedelta(days=100), today=TODAY)
    wish = {"on": str(TODAY), "resumes_on": str(TODAY + timedelta(days=9))}
    seen = ana.post(path(sub, "pause", "preview"), wish).content.decode()
    assert "Credit:" in seen
    assert "Total" not in seen, "what it bills after the pause"


def test_an_end_to_come_is_taken_back_and_what_is_over_begins_again(ana: Client, sub: Subscription) -> None:
    later = str(TODAY + timedelta(days=9))
    ana.post(path(sub, "end"), {"on": later})
    assert "Take the end back" in ana.get(path(sub)).content.decode()
    assert ana.post(path(sub, "reactivate"), {"on": later}).status_code == 302
    with work():
        sub.refresh_from_db()
        assert sub.ends_on is None
        end(sub.public_id, on=TODAY, today=TODAY)
    run_billing(TODAY)
    assert ana.post(path(sub, "reactivate"), {"on": str(TODAY + timedelta(days=1))}).status_code == 302
    with work():
        sub.refresh_from_db()
        assert (sub.state, sub.next_bill_on) == ("active", TODAY + timedelta(days=1))


@pytest.mark.parametrize(("place", "dialog", "wish"), [
    ("end", "end", {"on": ""}), ("end", "end", {"on": "soon"}), ("end", "end", {"on": "1999-01-01"}),
    ("pause", "pause", {"on": "1999-01-01"}), ("pause", "pause", {"on": str(TODAY), "resumes_on": str(TODAY)}),
    ("pause", "pause", {"resumes_on": "x"}),
])  # fmt: skip
def test_what_cannot_be_comes_back_in_its_dialog(
    ana: Client, sub: Subscription, snapshot: Snapshot, place: str, dialog: str, wish: dict[str, str]
) -> None:
    before = snapshot()
    answer = ana.post(path(sub, place), wish)
    assert answer.status_code == 422
    assert opened(answer, dialog)
    assert snapshot() == before
    ana.post(path(sub, place, "preview"), wish)
    assert snapshot() == before


@pytest.mark.parametrize("place", ["resume", "reactivate"])
def test_what_is_neither_paused_nor_ended_says_so(ana: Client, sub: Subscription, place: str) -> None:
    answer = ana.post(path(sub, place), {"on": str(TODAY)})
    why = {"resume": "It is not paused.", "reactivate": "It has no end."}[place]
    assert (answer.status_code, why in answer.content.decode()) == (409, True)


@pytest.mark.parametrize("place", ["end", "end/preview", "pause", "pause/preview", "resume", "reactivate"])
def test_other_houses_and_those_who_only_look_cannot(
    bea: Client, vic: Client, sub: Subscription, snapshot: Snapshot, place: str
) -> None:
    before = snapshot()
    wish = {"on": str(TODAY)}
    assert bea.post(path(sub, place), wish).status_code == 404
    assert bea.post(path(sub, place).replace("/acorn/", "/birch/"), wish).status_code == 404
    assert vic.post(path(sub, place), wish).status_code == 403
    assert snapshot() == before


def test_a_trial_and_the_calendar_are_typed_on_the_page(ana: Client, acorn: Scope) -> None:
    with work():
        owner = factories.customer(name="Kestrel")
        price = factories.subscription(owner, TODAY).price
    wish = {
        "customer": owner.number, "price": price.public_id, "quantity": "1", "starts_on": "2026-03-10", "ends_on": "",
        "trial_days": "10", "periods": "day", "anchor_day": "31", "proration": "thirtieth",
        "key": "form_01J9ZK0000000000000000",
    }  # fmt: skip
    answer = ana.post("/o/acorn/subscriptions/new/", {**wish, "anchor_day": ""})
    assert (answer.status_code, "Say on which day." in answer.content.decode()) == (422, True)
    answer = ana.post("/o/acorn/subscriptions/new/", wish)
    assert answer.status_code == 302
    with work():
        made = Subscription.objects.order_by("-id")[0]
        assert (made.trial_ends_on, made.anchor, made.proration) == (
            date(2026, 3, 20), date(2026, 3, 31), "thirtieth",
        )  # fmt: skip
    page = ana.get("/o/acorn/subscriptions/?state=trialing").content.decode()
    assert made.public_id not in page, "that trial is over"


def test_autopay_is_turned_on_and_off(ana: Client, sub: Subscription) -> None:
    assert "Turn on" in ana.get(path(sub)).content.decode()
    for said, on in (("on", True), ("on", True), ("off", False), ("x", False)):
        assert ana.post(path(sub, "autopay"), {"autopay": said}).status_code == 302
        with work():
            assert Subscription.objects.get(pk=sub.pk).autopay is on


def test_who_may_turn_autopay(vic: Client, bea: Client, sub: Subscription) -> None:
    assert vic.post(path(sub, "autopay"), {"autopay": "on"}).status_code == 403
    for address in (path(sub, "autopay"), path(sub, "autopay").replace("acorn", "birch")):
        assert bea.post(address, {"autopay": "on"}).status_code == 404
    with work():
        assert Subscription.objects.get(pk=sub.pk).autopay is False
