"""A customer changes to another plan by a link: to what is offered, as it was shown, once."""

import re
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from django.test import Client

from billing.domain.anchors import Rhythm
from billing.domain.proration import Proration
from billing.models import Price, Subscription, SubscriptionItem, SubscriptionStep
from billing.services.change import change, revoke_change
from billing.services.run import run_billing
from core import effects
from core.models import AuditEntry, OutboxEvent
from core.relay import relay
from core.scope import Scope, work
from invoicing.models import Document
from messaging.models import Message, Notification
from tenants.models import LegalEntity
from tests.billed import billed, proven
from tests.db.billing.test_lifecycle import credited
from tests.db.pages_documents.test_budgets import reads
from tests.db.portal.owned import (
    JULY,
    JUNE,
    MID,
    SAME,
    offer,
    offered,
    opened,
    plans,
    priced,
    sold,
    told_of,
    words,
)
from tests.db.sandbox.conftest import no_files  # noqa: F401
from tests.metering import meter

pytestmark = pytest.mark.usefixtures("noon")


def told() -> tuple[int, int]:
    return told_of("changed")


def test_at_once_bills_and_credits_what_was_shown(customer: Client, sub: Subscription) -> None:
    address = opened(customer, sub)
    page = customer.get(address).content
    assert "Business EUR 90.00 a month At once." in words(page)
    shown = "EUR 45.00 is billed on 16 June 2026. EUR 15.00 is credited for unused days. EUR 30.00 to pay."
    assert shown in words(page)
    assert customer.post(address, {"change": offered(page)["business"]}).status_code == 302
    assert plans(sub) == [*SAME, ("business", "2026-06-16")]
    assert told() == (1, 1)
    with work():
        (event,) = OutboxEvent.objects.filter(name="subscription.changed_by_customer")
        said = {"plan": "business", "was": "team", "on": "2026-06-16"}
        assert {name: event.payload[name] for name in said} == said
        assert OutboxEvent.objects.filter(name="subscription.changed").count() == 1
    run_billing(MID)
    assert billed() == [("2026-06-01", "2026-07-01", 3000), ("2026-06-16", "2026-07-01", 4500)]
    assert credited() == [("2026-06-16", "2026-07-01", 1500)]
    proven()


def test_at_the_end_of_the_period_nothing_is_billed_now(customer: Client, sub: Subscription) -> None:
    address = opened(customer, sub)
    page = customer.get(address).content
    assert "From 1 July 2026. Nothing is billed now. EUR 10.00 is billed on 1 July 2026." in words(page)
    answer = customer.post(address, {"change": offered(page)["solo"]}, follow=True)
    assert plans(sub) == [*SAME, ("solo", "2026-07-01")]
    assert "Team Through 30 June 2026" in words(answer.content)
    assert "Solo From 1 July 2026" in words(answer.content)
    assert set(offered(answer.content)) == {"business"}, "what is so already is no change"
    assert run_billing(MID).documents == 0
    run_billing(JULY)
    assert billed() == [("2026-06-01", "2026-07-01", 3000), ("2026-07-01", "2026-08-01", 1000)]
    assert credited() == []
    proven()


@pytest.mark.parametrize("convention", list(Proration))
@pytest.mark.parametrize("to", ["business", "solo"])
@pytest.mark.parametrize("when", ["now", "period_end"])
def test_what_is_shown_is_what_is_billed_to_the_cent(
    acorn: Scope, customer: Client, convention: Proration, to: str, when: str
) -> None:
    """Amounts that do not divide, with tax, in a period of 30 days that began on the 7th."""
    with work():
        team = priced("team", "33.33", "19")
        sub = sold(team, date(2026, 6, 7), rhythm=Rhythm(proration=convention))
        priced("business", "99.97", "19")
        priced("solo", "7.77", "7")
    run_billing(date(2026, 6, 7))
    offer(("business", when), ("solo", when))
    address = opened(customer, sub)
    shown = next(each for each in customer.get(address).context["changes"] if each.way.price.plan.code == to)
    customer.post(address, {"change": shown.value})
    assert shown.on is not None
    assert shown.on == (MID if when == "now" else date(2026, 7, 7))
    with work():
        before = set(Document.objects.values_list("pk", flat=True))
    run_billing(shown.on)
    with work():
        made = Document.objects.exclude(pk__in=before)
        totals = {
            kind: sum(each.total_minor for each in made if each.kind == kind)
            for kind in ("invoice", "credit_note")
        }
    assert totals == {"invoice": shown.charge.minor, "credit_note": shown.credit.minor}
    assert (shown.credit.minor == 0) == (when == "period_end" or convention is Proration.NONE)
    proven()


def test_showing_it_writes_nothing(customer: Client, sub: Subscription) -> None:
    address = opened(customer, sub)

    def everything() -> list[int]:
        with work():
            kinds = (AuditEntry, OutboxEvent, Message, SubscriptionStep, SubscriptionItem, Document)
            return [kind.objects.count() for kind in kinds]

    before = everything()
    for _ in range(2):
        assert customer.get(address).status_code == 200
    assert everything() == before
    assert told() == (0, 0)


@pytest.mark.parametrize("to", ["business", "solo"])
def test_a_double_click_changes_and_tells_once(customer: Client, sub: Subscription, to: str) -> None:
    address = opened(customer, sub)
    said = {"change": offered(customer.get(address).content)[to]}
    for _ in range(3):
        assert customer.post(address, said).status_code == 302
    assert told() == (1, 1)
    assert len(plans(sub)) == 2
    with work():
        assert OutboxEvent.objects.filter(name="subscription.changed").count() == 1


@pytest.mark.parametrize("when", ["now", "period_end"])
def test_in_a_trial_it_holds_from_what_is_billed_first(acorn: Scope, customer: Client, when: str) -> None:
    with work():
        sub = sold(priced("team", "30"), date(2026, 6, 10), rhythm=Rhythm(trial_days=14))
        priced("solo", "10")
    offer(("solo", when))
    address = opened(customer, sub)
    page = customer.get(address).content
    assert "From 24 June 2026. Nothing is billed now. EUR 10.00 is billed on 24 June 2026." in words(page)
    for _ in range(2):
        assert customer.post(address, {"change": offered(page)["solo"]}).status_code == 302
    assert (plans(sub), told()) == ([("solo", "2026-06-24")], (1, 1))
    shown = words(customer.get(address).content)
    assert "Team" not in shown, "what never bills is not shown"
    run_billing(date(2026, 6, 24))
    assert [minor for *_, minor in billed()] == [1000]
    proven()


def test_the_quantity_stays_and_what_is_metered_is_for_one(acorn: Scope, customer: Client) -> None:
    with work():
        sub = sold(priced("team", "3", model="per_unit"), quantity=Decimal(7))
        priced("business", "9", model="per_unit")
        priced("calls", "0.01", model="per_unit", meter=meter().code, timing="arrears")
    run_billing(JUNE)
    offer(("business", "now"), ("calls", "now"))
    address = opened(customer, sub)
    page = customer.get(address).content
    assert set(offered(page)) == {"business"}
    customer.post(address, {"change": offered(page)["business"]})
    with work():
        assert SubscriptionItem.objects.get(price__plan__code="business").quantity == 7


def test_of_another_interval_or_currency(acorn: Scope, customer: Client) -> None:
    """The same interval where there is one, else the others, said so; another currency never."""
    with work():
        sub = sold(priced("team", "30"))
        for unit, amount in (("month", "90"), ("year", "900")):
            priced("business", amount, unit=unit)
        for unit, amount in (("quarter", "25"), ("year", "99")):
            priced("solo", amount, unit=unit)
        priced("dollars", "10", currency="USD")
        priced("team-own", "30")
    run_billing(JUNE)
    offer(("business", "now"), ("solo", "period_end"), ("dollars", "now"))
    changes = customer.get(opened(customer, sub)).context["changes"]
    shown = [(each.way.price.plan.code, each.way.price.unit, each.way.alike) for each in changes]
    assert shown == [("business", "month", True), ("solo", "quarter", False), ("solo", "year", False)]
    assert "Billed for other periods than now." in words(customer.get(opened(customer, sub)).content)


def test_the_newest_wish_of_a_customer_takes_the_place_of_the_one_before(
    customer: Client, sub: Subscription
) -> None:
    address = opened(customer, sub)
    customer.post(address, {"change": offered(customer.get(address).content)["solo"]})
    page = customer.get(address)
    shown = {each.way.price.plan.code: each for each in page.context["changes"]}
    assert shown["business"].due.minor == 3000
    customer.post(address, {"change": shown["business"].value})
    assert plans(sub) == [*SAME, ("business", "2026-06-16")], "Solo in July was the customer's own wish"
    assert told() == (2, 2)
    assert "Solo" not in words(customer.get(address).content)
    run_billing(JULY)
    assert [minor for *_, minor in billed()] == [3000, 4500, 9000]
    proven()


def test_another_plan_of_the_same_day_takes_its_place(customer: Client, sub: Subscription) -> None:
    offer(("business", "period_end"), ("solo", "period_end"))
    address = opened(customer, sub)
    for to in ("solo", "business"):
        customer.post(address, {"change": offered(customer.get(address).content)[to]})
    assert plans(sub) == [*SAME, ("business", "2026-07-01")]
    assert told() == (2, 2)
    page = words(customer.get(address).content)
    assert page.count("Solo") == 1, "as an offer, not as what it is"
    run_billing(JULY)
    proven()


def test_what_the_seller_set_for_another_day_stays(customer: Client, sub: Subscription) -> None:
    with work():
        change(sub.public_id, price=Price.objects.get(plan__code="solo"), on=date(2026, 8, 1), today=MID)
    address = opened(customer, sub)
    page = customer.get(address).content
    assert "Solo From 1 August 2026" in words(page)
    customer.post(address, {"change": offered(page)["business"]})
    assert plans(sub) == [*SAME, ("business", "2026-06-16"), ("solo", "2026-08-01")]


def test_the_sellers_word_about_a_customers_step_makes_it_the_sellers(
    customer: Client, sub: Subscription
) -> None:
    address = opened(customer, sub)
    customer.post(address, {"change": offered(customer.get(address).content)["solo"]})
    with work():
        change(sub.public_id, price=priced("mini", "5"), on=JULY, today=MID)
    customer.post(address, {"change": offered(customer.get(address).content)["business"]})
    assert plans(sub) == [*SAME, ("business", "2026-06-16"), ("mini", "2026-07-01")]


def test_from_the_new_plan_on_its_own_offers_hold(customer: Client, sub: Subscription) -> None:
    offer(("team", "period_end"), plan="business")
    address = opened(customer, sub)
    customer.post(address, {"change": offered(customer.get(address).content)["business"]})
    assert set(offered(customer.get(address).content)) == {"team"}
    run_billing(MID)
    customer.post(address, {"change": offered(customer.get(address).content)["team"]})
    run_billing(JULY)
    assert plans(sub) == [*SAME, ("business", "2026-06-16"), ("team", "2026-07-01")]
    proven()


def test_whoever_changes_again_after_it_was_taken_back_is_told_again(
    customer: Client, sub: Subscription
) -> None:
    address = opened(customer, sub)
    for _ in range(2):
        customer.post(address, {"change": offered(customer.get(address).content)["solo"]})
        with work():
            revoke_change(sub.public_id, on=JULY, today=MID)
    assert told() == (2, 2)


def test_ends_and_changes_stand_beside_each_other(customer: Client, sub: Subscription) -> None:
    with work():
        LegalEntity.objects.update(customers_end="now")
    address = opened(customer, sub)
    page = customer.get(address).content
    assert {"business", "solo"} == set(offered(page))
    assert page.count(b'name="end"') == 2
    customer.post(address, {"end": "now:2026-06-16"})
    assert offered(customer.get(address).content) == {}


@pytest.mark.usefixtures("no_files")
def test_the_mail_and_the_notice_say_what_it_is_now(customer: Client, sub: Subscription) -> None:
    address = opened(customer, sub)
    customer.post(address, {"change": offered(customer.get(address).content)["solo"]})
    customer.post(address, {"change": offered(customer.get(address).content)["business"]})
    for _ in range(4):
        relay([])
        effects.work_off([])
    with work():
        first, second = Message.objects.filter(kind="subscription_changed").order_by("id")
        assert (first.state, second.state) == ("skipped", "sent")
        text = re.sub(r"[\xa0\u202f]", " ", second.letter_text)
        notices = Notification.objects.filter(kind="subscription.changed_by_customer").order_by("id")
        plans_told = [each.facts["plan"] for each in notices]
    assert second.subject == "You have changed your subscription to Business"
    for said in ("Business, EUR 90.00 a month, from 16 June 2026 on", "/subscription/", "Hello Kestrel"):
        assert said in text
        assert said in re.sub(r"[\xa0\u202f]", " ", second.letter_html)
    assert set(plans_told) == {"Solo", "Business"}


def test_the_audit_names_the_link(customer: Client, sub: Subscription) -> None:
    address = opened(customer, sub)
    customer.post(address, {"change": offered(customer.get(address).content)["solo"]})
    with work():
        step = SubscriptionStep.objects.get()
        entry = (
            AuditEntry.objects.filter(content_type__model="subscriptionstep", object_pk=str(step.pk))
            .order_by("-id")
            .first()
        )
    assert step.by_customer
    assert entry is not None
    assert entry.additional_data["actor"]["label"] == "link of a subscription"


def test_what_is_read_grows_by_the_offer_alone(customer: Client, sub: Subscription) -> None:
    """Each offer is changed to, billed and taken back; nothing else grows."""
    address = opened(customer, sub)
    found = []
    for n in range(4):
        with work():
            priced(f"more-{n}", str(40 + n))
        offer(*((f"more-{each}", "now") for each in range(n + 1)))
        customer.get(address)
        found.append(len(reads(customer, address)))
    steps = {after - before for before, after in pairwise(found)}
    assert len(steps) == 1, found
    assert steps.pop() <= 24, found
