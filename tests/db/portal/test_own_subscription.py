"""A customer sees and ends their subscription by a link: as it was shown, once, and only as far as they are let."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from billing.models import CreditedPeriod, Subscription
from billing.services.change import change
from billing.services.lifecycle import pause, reactivate
from billing.services.run import run_billing
from billing.services.subscriptions import end
from core.models import AuditEntry, OutboxEvent
from core.scope import Scope, enter, work
from customers.models import Link
from messaging.models import Message
from tests import factories
from tests.billed import proven
from tests.cast import CANARY
from tests.db.billing.test_lifecycle import flat
from tests.db.portal.owned import JULY, JUNE, MID, NOON, let, link_to, opened, told_of
from tests.listed import QUARTER_DAYS

pytestmark = pytest.mark.usefixtures("noon")


def sold(**given: Any) -> Subscription:
    """Billed for June, 30 euros a month, to a customer who reads mail."""
    with work():
        owner = factories.customer(name="Kestrel", email="rita@kestrel.example")
        return factories.subscribe(customer=owner.public_id, price=flat(30), starts_on=JUNE, **given)


@pytest.fixture
def sub(acorn: Scope, noon: time_machine.Traveller) -> Subscription:
    made = sold()
    run_billing(JUNE)
    let("now")
    return made


def offered(page: bytes) -> dict[str, str]:
    """What the form would send, by way."""
    return {
        found.partition(":")[0]: found for found in re.findall(r'name="end" value="([^"]+)"', page.decode())
    }


def ends(sub: Subscription) -> date | None:
    with work():
        return Subscription.objects.values_list("ends_on", flat=True).get(pk=sub.pk)


def told() -> tuple[int, int]:
    return told_of("ended")


def test_from_the_link_to_the_end_of_the_period(customer: Client, sub: Subscription) -> None:
    address = opened(customer, sub)
    page = customer.get(address).content
    assert b"30 Jun 2026" in page or b"30 June 2026" in page
    answer = customer.post(address, {"end": offered(page)["period_end"]}, follow=True)
    assert answer.status_code == 200
    assert ends(sub) == JULY
    assert told() == (1, 1)
    assert offered(answer.content) == {}, "all of it is billed, and nothing to be ended any more"
    assert b"Active" in answer.content
    run_billing(JULY)
    with work():
        assert not CreditedPeriod.objects.exists()
    proven()


def test_the_days_on_which_it_is_billed_are_all_said(acorn: Scope, customer: Client) -> None:
    with work():
        price = flat(900, unit="dates", dates=list(QUARTER_DAYS))
        made = factories.subscribe(customer=factories.customer().public_id, price=price, starts_on=JUNE)
    page = customer.get(opened(customer, made)).content.decode()
    assert "on 25 Mar, 24 Jun, 29 Sept and 25 Dec" in page
    assert "on 4 days a year" in page


def test_at_once_credits_what_was_shown(customer: Client, sub: Subscription) -> None:
    address = opened(customer, sub)
    page = customer.get(address).content
    assert "EUR 15.00 is credited to you" in re.sub(r"\s|&nbsp;|\u202f", " ", page.decode())
    customer.post(address, {"end": offered(page)["now"]})
    assert ends(sub) == MID
    run_billing(MID)
    with work():
        assert CreditedPeriod.objects.get().amount_minor == 1500
    assert b'name="end"' not in customer.get(address).content
    proven()


def test_showing_it_writes_nothing(customer: Client, sub: Subscription) -> None:
    address = opened(customer, sub)
    with work():
        before = (AuditEntry.objects.count(), OutboxEvent.objects.count(), Message.objects.count())
    for _ in range(2):
        assert customer.get(address).status_code == 200
    with work():
        assert (AuditEntry.objects.count(), OutboxEvent.objects.count(), Message.objects.count()) == before
    assert ends(sub) is None


def test_a_double_click_ends_and_tells_once(customer: Client, sub: Subscription) -> None:
    address = opened(customer, sub)
    said = {"end": offered(customer.get(address).content)["now"]}
    for _ in range(3):
        assert customer.post(address, said).status_code == 302
    assert told() == (1, 1)


def test_whoever_ends_it_again_after_it_was_taken_back_is_told_again(
    customer: Client, sub: Subscription
) -> None:
    address = opened(customer, sub)
    for _ in range(2):
        customer.post(address, {"end": offered(customer.get(address).content)["period_end"]})
        with work():
            reactivate(sub.public_id, today=MID)
    assert told() == (2, 2)


def test_what_the_seller_does_not_let_is_neither_shown_nor_done(customer: Client, sub: Subscription) -> None:
    address = opened(customer, sub)
    every = offered(customer.get(address).content)
    let("period_end")
    assert set(offered(customer.get(address).content)) == {"period_end"}
    assert customer.post(address, {"end": every["now"]}).status_code == 409
    let("no")
    page = customer.get(address).content
    assert offered(page) == {}
    assert b"please ask Acorn Instruments" in page
    for value in every.values():
        assert customer.post(address, {"end": value}).status_code == 409
    assert (ends(sub), told()) == (None, (0, 0))


@pytest.mark.parametrize("value", [
    "", "now", "now:", ":2026-07-01", "now:2026-06-15", "period_end:2026-06-16", "never:2026-06-16", "now:٢٠٢٦-٠٦-١٦",
    "now:2026-06-16:x", "now:9999-99-99", "now:20260616", "\x00", "<script>:2026-06-16", "now:" + "9" * 5000,
])  # fmt: skip
def test_what_was_not_offered_ends_nothing(customer: Client, sub: Subscription, value: str) -> None:
    answer = customer.post(opened(customer, sub), {"end": value})
    assert answer.status_code == 409
    assert b"<script>:" not in answer.content
    assert (ends(sub), told()) == (None, (0, 0))


def test_two_answers_in_one_form_end_nothing(customer: Client, sub: Subscription) -> None:
    address = opened(customer, sub)
    every = list(offered(customer.get(address).content).values())
    assert customer.post(address, {"end": every}).status_code == 400
    assert ends(sub) is None


def test_yesterdays_page_ends_nothing_at_once(
    customer: Client, sub: Subscription, noon: time_machine.Traveller
) -> None:
    address = opened(customer, sub)
    said = offered(customer.get(address).content)
    noon.shift(timedelta(days=1))
    answer = customer.post(address, {"end": said["now"]})
    assert answer.status_code in {404, 409}, "the cookie may be over as well"
    assert ends(sub) is None


def test_an_end_the_seller_set_is_not_moved_behind_it(customer: Client, sub: Subscription) -> None:
    address = opened(customer, sub)
    said = offered(customer.get(address).content)["period_end"]
    with work():
        end(sub.public_id, on=date(2026, 6, 20), today=MID)
    assert customer.post(address, {"end": said}).status_code == 409
    assert ends(sub) == date(2026, 6, 20)


def _paused(sub: Subscription) -> None:
    pause(sub.public_id, on=MID, today=MID)


def _paused_later(sub: Subscription) -> None:
    pause(sub.public_id, on=date(2026, 6, 20), resumes_on=date(2026, 8, 5), today=MID)


def _held(sub: Subscription) -> None:
    Subscription.objects.filter(pk=sub.pk).update(held_at=NOON, held_reason="Ten times as much as before.")


def _changed(sub: Subscription) -> None:
    change(sub.public_id, price=flat(50), on=date(2026, 6, 25), today=MID)


def _ended(sub: Subscription) -> None:
    end(sub.public_id, on=MID, today=MID)


@pytest.mark.parametrize("lived", [_paused, _paused_later, _held, _changed, _ended])
@pytest.mark.parametrize("billed", [True, False])
def test_whatever_it_is_in_what_is_shown_is_what_is_done(
    acorn: Scope, customer: Client, lived: Callable[[Subscription], None], billed: bool
) -> None:
    sub = sold()
    let("now")
    if billed:
        run_billing(JUNE)
    with work():
        lived(sub)
    address = opened(customer, sub)
    page = customer.get(address)
    assert page.status_code == 200
    assert b"Ten times" not in page.content, "why a run held it is not for customers"
    every = offered(page.content)
    while every:
        value = next(iter(every.values()))
        assert customer.post(address, {"end": value}).status_code == 302
        assert str(ends(sub)) == value.partition(":")[2]
        every = offered(customer.get(address).content)
    run_billing(JULY)
    proven()


def test_before_it_begins_it_never_does(acorn: Scope, customer: Client) -> None:
    with work():
        owner = factories.customer(email="rita@kestrel.example")
        sub = factories.subscribe(customer=owner.public_id, price=flat(30), starts_on=JULY)
    let("now")
    address = opened(customer, sub)
    page = customer.get(address).content
    assert b"It does not begin." in page
    customer.post(address, {"end": offered(page)["now"]})
    assert ends(sub) == JULY
    assert run_billing(date(2026, 8, 1)).documents == 0
    proven()


def test_without_or_with_anothers_link_there_is_nothing(
    customer: Client, sub: Subscription, birch: Scope
) -> None:
    address = f"/subscription/s/{sub.public_id}/"
    assert customer.get(address).status_code == 404
    with enter(birch), work():
        owner = factories.customer(name=f"Bea's {CANARY}")
        theirs = factories.subscription(owner, JUNE)
    with enter(birch):
        opened(customer, theirs)
    cookie = customer.cookies["own"].value
    for client in (customer, Client()):
        client.cookies["own"] = cookie
        for answer in (client.get(address), client.post(address, {"end": "now:2026-06-16"})):
            assert answer.status_code == 404
            assert CANARY.encode() not in answer.content
    assert ends(sub) is None


def test_a_neighbours_link_opens_the_neighbours_alone(customer: Client, sub: Subscription) -> None:
    with work():
        neighbours = factories.subscription(factories.customer(name="Neighbour"), JUNE)
    opened(customer, neighbours)
    customer.cookies["own"]["path"] = "/"
    address = f"/subscription/s/{sub.public_id}/"
    for answer in (customer.get(address), customer.post(address, {"end": "now:2026-06-16"})):
        assert answer.status_code == 404
    assert ends(sub) is None


def test_a_link_opens_what_it_was_made_for_only(customer: Client, sub: Subscription) -> None:
    token = link_to(sub).split("/")[2]
    assert customer.get(f"/pay/{token}/").status_code == 404
    with work():
        document = factories.invoice(factories.customer(name="Other"))
    opened(customer, sub)
    customer.cookies["pay"] = customer.cookies["own"].value
    assert customer.get(f"/pay/d/{document.public_id}/").status_code == 404
    assert customer.get(f"/pay/d/{sub.public_id}/").status_code == 404


def test_a_revoked_or_expired_link_opens_nothing(customer: Client, sub: Subscription) -> None:
    address = opened(customer, sub)
    with work():
        Link.objects.update(expires_at=NOON)
    assert customer.get(address).status_code == 404
    assert customer.post(address, {"end": "now:2026-06-16"}).status_code == 404


def test_ending_needs_the_forms_token(sub: Subscription) -> None:
    customer = Client(enforce_csrf_checks=True)
    assert customer.post(opened(customer, sub), {"end": "now:2026-06-16"}).status_code == 403
    assert ends(sub) is None


def test_the_audit_names_the_link(customer: Client, sub: Subscription) -> None:
    address = opened(customer, sub)
    customer.post(address, {"end": offered(customer.get(address).content)["now"]})
    with work():
        entry = AuditEntry.objects.filter(object_pk=str(sub.pk)).order_by("-id").first()
    assert entry is not None
    assert entry.additional_data["actor"]["label"] == "link of a subscription"
