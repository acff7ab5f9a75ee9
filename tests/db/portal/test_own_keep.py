"""A customer takes back what they set themselves for a day to come: another plan, an end; nobody else's."""

import re
from datetime import date

import pytest
from django.test import Client

from billing.domain.anchors import Rhythm
from billing.models import Subscription, SubscriptionStep
from billing.services.change import revoke_change
from billing.services.lifecycle import pause, reactivate
from billing.services.run import run_billing
from core import effects
from core.models import AuditEntry, OutboxEvent
from core.relay import relay
from core.scope import Scope, work
from messaging.models import Message, Notification
from tenants.models import LegalEntity
from tests.billed import billed, proven
from tests.db.api.conftest import Program, key_of
from tests.db.portal.owned import (
    JULY,
    MID,
    SAME,
    as_it_was,
    backs,
    let,
    offer,
    offered,
    opened,
    plans,
    priced,
    said,
    sold,
    told_of,
    words,
)
from tests.db.sandbox.conftest import no_files  # noqa: F401

AUGUST = date(2026, 8, 1)

both = pytest.mark.parametrize("what", ["plan", "end"])


@pytest.fixture(autouse=True)
def lets(sub: Subscription) -> None:
    let("now")


def told() -> tuple[int, int]:
    return told_of("kept")


@both
def test_what_was_set_is_taken_back_and_it_bills_as_before(
    customer: Client, sub: Subscription, what: str
) -> None:
    address = opened(customer, sub)
    value = said(customer, address, what)
    page = words(customer.get(address).content)
    assert "Team goes on from 1 July 2026 at EUR 30.00 a month. EUR 30.00 is billed on 1 July 2026." in page
    answer = customer.post(address, {"keep": value}, follow=True)
    assert answer.status_code == 200
    assert as_it_was(sub)
    assert backs(answer.content) == []
    assert set(offered(answer.content)) == {"business", "solo"}
    assert told() == (1, 1)
    with work():
        (event,) = OutboxEvent.objects.filter(name="subscription.kept_by_customer")
        facts = {"what": what, "plan": "team", "on": "2026-07-01"}
        assert {name: event.payload[name] for name in facts} == facts
        beside = {"plan": "subscription.changed", "end": "subscription.resumed"}[what]
        assert OutboxEvent.objects.filter(name=beside).exists()
    run_billing(JULY)
    assert billed() == [("2026-06-01", "2026-07-01", 3000), ("2026-07-01", "2026-08-01", 3000)]
    proven()


@both
def test_a_double_click_takes_back_and_tells_once(customer: Client, sub: Subscription, what: str) -> None:
    address = opened(customer, sub)
    value = said(customer, address, what)
    for _ in range(3):
        assert customer.post(address, {"keep": value}).status_code == 302
    assert (as_it_was(sub), told()) == (True, (1, 1))


@both
def test_looking_takes_nothing_back(customer: Client, sub: Subscription, what: str) -> None:
    address = opened(customer, sub)
    said(customer, address, what)

    def everything() -> list[int]:
        with work():
            return [kind.objects.count() for kind in (AuditEntry, OutboxEvent, Message, SubscriptionStep)]

    before = everything()
    for _ in range(2):
        assert len(backs(customer.get(address).content)) == 1
    assert everything() == before


@both
def test_what_a_member_took_back_already_stays_so_without_a_mail(
    customer: Client,
    sub: Subscription,
    what: str,
) -> None:
    address = opened(customer, sub)
    value = said(customer, address, what)
    with work():
        if what == "plan":
            revoke_change(sub.public_id, on=JULY, today=MID)
        else:
            reactivate(sub.public_id, today=MID)
    assert customer.post(address, {"keep": value}).status_code == 302
    assert (as_it_was(sub), told()) == (True, (0, 0))


@both
def test_it_needs_no_offer_to_stay_with_what_one_has(customer: Client, sub: Subscription, what: str) -> None:
    address = opened(customer, sub)
    value = said(customer, address, what)
    offer()
    with work():
        LegalEntity.objects.update(customers_end="no")
    assert backs(customer.get(address).content) == [value]
    assert customer.post(address, {"keep": value}).status_code == 302
    assert (as_it_was(sub), told()) == (True, (1, 1))


def test_a_change_that_an_end_comes_before_waits_for_the_end_to_be_taken_back(
    customer: Client,
    sub: Subscription,
) -> None:
    address = opened(customer, sub)
    changed = said(customer, address, "plan")
    customer.post(address, {"end": f"period_end:{JULY}"})
    assert backs(customer.get(address).content) == [f":end:{JULY}"]
    assert customer.post(address, {"keep": changed}).status_code == 409
    assert customer.post(address, {"keep": f":end:{JULY}"}).status_code == 302
    assert backs(customer.get(address).content) == [changed]
    assert plans(sub) == [*SAME, ("solo", "2026-07-01")]
    customer.post(address, {"keep": changed})
    assert as_it_was(sub)
    run_billing(JULY)
    proven()


def test_while_it_is_paused_a_change_to_come_is_taken_back(customer: Client, sub: Subscription) -> None:
    address = opened(customer, sub)
    value = said(customer, address, "plan")
    with work():
        pause(sub.public_id, on=date(2026, 6, 20), resumes_on=date(2026, 8, 5), today=MID)
    assert backs(customer.get(address).content) == [value]
    assert customer.post(address, {"keep": value}).status_code == 302
    assert {code for code, _ in plans(sub)} == {"team"}
    run_billing(date(2026, 8, 5))
    proven()


def test_an_end_that_came_before_all_is_billed_is_taken_back(customer: Client, acorn: Scope) -> None:
    """In arrears June is not billed yet: it ends in July, and goes on as if nobody had said so."""
    with work():
        made = sold(priced("late", "30", timing="arrears"), rhythm=Rhythm())
    address = opened(customer, made)
    value = said(customer, address, "end")
    customer.post(address, {"keep": value})
    assert as_it_was(made)
    run_billing(AUGUST)
    assert sum(minor for *_, minor in billed()) == 3000 + 2 * 3000 + 2 * 3000
    proven()


@both
def test_the_mail_and_the_notice_say_what_goes_on(customer: Client, sub: Subscription, what: str) -> None:
    address = opened(customer, sub)
    customer.post(address, {"keep": said(customer, address, what)})
    for _ in range(4):
        relay([])
        effects.work_off([])
    with work():
        (message,) = Message.objects.filter(kind="subscription_kept")
        (notice,) = Notification.objects.filter(kind="subscription.kept_by_customer").order_by("id")[:1]
        text = re.sub(r"[\xa0\u202f]", " ", message.letter_text)
        html = re.sub(r"[\xa0\u202f]", " ", message.letter_html)
        before = Message.objects.exclude(kind="subscription_kept").filter(about=sub.public_id)
        assert {each.state for each in before} == {"skipped"}, "what was taken back is not confirmed"
    assert (message.state, message.subject) == ("sent", "Your subscription to Team goes on")
    word = {
        "plan": "the change of your subscription from 1 July 2026 on",
        "end": "the end of your subscription on",
    }
    for each in (word[what], "It goes on as Team, EUR 30.00 a month", "/subscription/", "Hello Kestrel"):
        assert each in text
        assert each in html
    assert (notice.facts["plan"], notice.facts["what"]) == ("Team", what)


@both
def test_a_mail_about_what_is_set_again_stays_away(customer: Client, sub: Subscription, what: str) -> None:
    address = opened(customer, sub)
    customer.post(address, {"keep": said(customer, address, what)})
    said(customer, address, what)
    for _ in range(4):
        relay([])
        effects.work_off([])
    with work():
        assert Message.objects.get(kind="subscription_kept").state == "skipped"


@both
def test_the_audit_names_the_link(customer: Client, sub: Subscription, what: str) -> None:
    address = opened(customer, sub)
    customer.post(address, {"keep": said(customer, address, what)})
    model = {"plan": "subscriptionstep", "end": "subscription"}[what]
    with work():
        entry = AuditEntry.objects.filter(content_type__model=model).order_by("-id").first()
    assert entry is not None
    assert entry.additional_data["actor"]["label"] == "link of a subscription"


@both
def test_readers_of_the_timeline_see_it_no_more(
    customer: Client, sub: Subscription, what: str, acorn: Scope
) -> None:
    kind = {"plan": "plan_changed", "end": "ended"}[what]

    def kinds() -> list[str]:
        found = Program(key_of(acorn)).get(f"/subscriptions/{sub.public_id}/timeline")
        return [each["kind"] for each in found["entries"]]

    address = opened(customer, sub)
    value = said(customer, address, what)
    assert kind in kinds()
    customer.post(address, {"keep": value})
    assert kind not in kinds()
