"""Customers are told of a renewal so many days before, once, with the day and the amount that are billed then."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.domain.anchors import Rhythm
from billing.models import RenewalNotice, Subscription
from billing.services import renewals
from billing.services.change import change
from billing.services.lifecycle import pause
from billing.services.prices import create_price
from billing.services.run import run_billing
from billing.services.subscriptions import end
from core import clock
from core.errors import NotFound
from core.models import AuditEntry, Effect, Organization, OutboxEvent
from core.relay import relay
from core.scope import Scope, enter, work
from customers.domain.cards import Card
from customers.models import Contact, Customer
from customers.services.methods import keep
from invoicing.models import Document
from messaging.models import Message
from tenants.models import LegalEntity
from tenants.services.entities import update_entity
from tests import factories
from tests.db.sandbox.conftest import no_files  # noqa: F401
from tests.lived import at, live
from tests.metering import meter

ZONE = ZoneInfo("Europe/Berlin")
BEGAN = date(2026, 12, 1)
NEXT = date(2027, 12, 1)


def tell(days: int = 30, least: str = "year", *, on: date | None = None) -> None:
    """Have customers told so many days before."""
    with at(on or BEGAN, 12), work():
        row = LegalEntity.objects.get()
        update_entity(row.pk, version=row.version, renewal_notice_days=days, renewal_notice_for=least)


def yearly(owner: Customer | None = None, *, billed: bool = True, **given: Any) -> Subscription:
    """A year's subscription of 100.00 with tax of 19 percent, billed for its first year."""
    with at(BEGAN, 1):
        with work():
            owner = owner or factories.customer(email="pay@kestrel.example")
            price = {"model": "flat", "unit_price": Decimal(100), "unit": "year", "tax_percent": Decimal(19)}
            sold = factories.subscription(owner, BEGAN, **{**price, **given})
        if billed:
            run_billing(BEGAN)
    return sold


def with_card(sold: Subscription, *, until: date) -> None:
    """Its customer keeps a card that is good until then."""
    with at(BEGAN, 1), work():
        keep(
            sold.customer.public_id, gateway="sandbox", card=Card("t", "Visa", "4242", until), consent="Yes."
        )


def notices() -> list[tuple[int, date, bool]]:
    with work():
        rows = RenewalNotice.objects.order_by("id")
        return list(rows.values_list("subscription_id", "renews_on", "mailed"))


def mails() -> list[Message]:
    with work():
        return list(Message.objects.filter(kind="renewal_upcoming").order_by("id"))


def _plain(text: str) -> str:
    return text.replace("\xa0", " ")


def events() -> list[dict[str, Any]]:
    with work():
        return [
            row.payload
            for row in OutboxEvent.objects.filter(name="subscription.renewal_upcoming").order_by("id")
        ]


@pytest.fixture
def house(acorn: Scope) -> Scope:
    return acorn


def test_a_customer_is_told_on_the_day_once_with_what_the_run_bills_then(house: Scope) -> None:
    sold = yearly()
    tell(30)
    for day in (BEGAN, NEXT - timedelta(days=31)):
        live(day)
        assert notices() == []
    for day in (30, 29, 29, 1):
        live(NEXT - timedelta(days=day))
    assert notices() == [(sold.pk, NEXT, True)]
    (mail,) = mails()
    assert (mail.state, mail.to_address, mail.about) == ("sent", "pay@kestrel.example", sold.public_id)
    with work():
        text, html = _plain(mail.letter_text), _plain(mail.letter_html)
    assert mail.subject == "Track Pro renews on 1 December 2027"
    for said in ("EUR 119.00", "EUR 19.00", "1 December 2027", "30 November 2028", "within 30 days"):
        assert said in text
        assert said in html
    (event,) = events()
    wanted = {
        "renews_on": "2027-12-01", "billed_on": "2027-12-01", "total_minor": 11900, "currency": "EUR",
        "trial": False, "metered": False,
    }  # fmt: skip
    assert {name: event[name] for name in wanted} == wanted
    with at(NEXT, 1):
        run_billing(NEXT)
    with work():
        bill = Document.objects.order_by("id").last()
        assert (bill.total_minor, bill.issued_on) == (11900, NEXT)
        assert AuditEntry.objects.filter(content_type__model="renewalnotice").count() == 1
        assert not Effect.objects.filter(kind=renewals.LOOK).exclude(last_error="").exists()


def test_nobody_is_told_by_itself_nor_once_it_is_off_again(house: Scope) -> None:
    yearly()
    live(NEXT - timedelta(days=3))
    tell(5, on=NEXT - timedelta(days=20))
    live(NEXT - timedelta(days=20))
    tell(0, on=NEXT - timedelta(days=19))
    live(NEXT - timedelta(days=3))
    assert (notices(), mails(), events()) == ([], [], [])
    with work():
        assert not Effect.objects.filter(kind=renewals.LOOK, done_at=None).exists(), "the looks have an end"
    tell(5, on=NEXT - timedelta(days=3))
    live(NEXT - timedelta(days=2))
    assert len(notices()) == 1


def test_a_look_goes_on_after_a_change_of_zone(house: Scope) -> None:
    yearly()
    tell(5, on=NEXT - timedelta(days=9))
    live(NEXT - timedelta(days=8))
    with at(NEXT - timedelta(days=8), 13), work():
        row = LegalEntity.objects.get()
        update_entity(row.pk, version=row.version, zone="America/Los_Angeles")
    for n in range(8, 2, -1):
        live(NEXT - timedelta(days=n))
    assert len(notices()) == 1


@pytest.mark.parametrize("least", ["year", "month"])
def test_a_monthly_customer_is_told_only_where_that_is_wanted(house: Scope, least: str) -> None:
    sold = yearly(unit="month")
    tell(7, least)
    live(date(2026, 12, 27))
    assert notices() == ([(sold.pk, date(2027, 1, 1), True)] if least == "month" else [])


def test_the_end_of_a_trial_is_told_of_any_plan(house: Scope) -> None:
    with at(BEGAN, 1), work():
        owner = factories.customer(email="pay@kestrel.example")
        sold = factories.subscription(owner, BEGAN, unit="week", rhythm=Rhythm(trial_days=19))
        never = factories.subscription(owner, date(2026, 12, 20), unit="year")
    tell(3)
    live(date(2026, 12, 17))
    assert notices() == [(sold.pk, date(2026, 12, 20), True)], never.pk
    (mail,) = mails()
    assert mail.subject == "Your trial of Track Pro ends on 20 December 2026"
    assert events()[0]["trial"] is True


@pytest.mark.parametrize("what", ["ended", "ends later", "paused", "held", "archived"])
def test_who_is_not_billed_that_day_is_not_told(house: Scope, what: str) -> None:
    sold = yearly()
    with at(BEGAN, 2), work():
        if what == "ended":
            end(sold.public_id, on=NEXT, today=BEGAN)
        elif what == "paused":
            pause(
                sold.public_id, on=NEXT - timedelta(days=40), resumes_on=NEXT + timedelta(days=9), today=BEGAN
            )
        elif what == "held":
            Subscription.objects.update(held_at=clock.now(), held_reason="odd")
        elif what == "archived":
            Customer.objects.update(archived_at=clock.now())
        else:
            end(sold.public_id, on=NEXT - timedelta(days=5), today=BEGAN)
    tell(30)
    live(NEXT - timedelta(days=20))
    assert (notices(), mails(), events()) == ([], [], [])


@pytest.mark.parametrize("what", ["ended", "moved"])
def test_what_is_not_due_any_more_is_not_sent(house: Scope, what: str) -> None:
    sold = yearly()
    tell(30, on=NEXT - timedelta(days=20))
    day = NEXT - timedelta(days=20)
    with at(day):
        relay([])
        with work():
            row = LegalEntity.objects.get()
        renewals.look(row.public_id, turn="x")
        with work():
            if what == "ended":
                end(sold.public_id, on=NEXT, today=day)
            else:
                Subscription.objects.update(anchor=NEXT + timedelta(days=2))
    live(day, 2)
    mail = mails()[0]
    assert (mail.state, mail.why) == ("skipped", "It does not renew on that day any more, or has by now.")


def test_a_change_is_told_again_only_where_it_moves_the_day(house: Scope) -> None:
    sold = yearly()
    tell(30)
    live(NEXT - timedelta(days=29))
    with at(NEXT - timedelta(days=28), 1), work():
        dearer = create_price(
            name="Max", code="max", model="flat", currency="EUR", unit_price=Decimal(150), unit="year"
        )
        change(sold.public_id, price=dearer, on=NEXT, today=NEXT - timedelta(days=28))
    live(NEXT - timedelta(days=28))
    assert len(notices()) == len(mails()) == 1
    with at(NEXT - timedelta(days=27), 1), work():
        Subscription.objects.update(anchor=NEXT + timedelta(days=2))
    live(NEXT - timedelta(days=27))
    assert [on for _, on, _ in notices()] == [NEXT, NEXT + timedelta(days=2)]


def test_who_has_no_address_is_told_when_there_is_one(house: Scope) -> None:
    with at(BEGAN, 1), work():
        owner = factories.customer()
    sold = yearly(owner)
    tell(30)
    live(NEXT - timedelta(days=30))
    assert (notices(), mails(), len(events())) == ([(sold.pk, NEXT, False)], [], 1)
    with work():
        Contact.objects.create(customer=owner, name="Pay", email="pay@kestrel.example")
        Contact.objects.create(customer=owner, name="Two", email="two@kestrel.example")
    for n in (29, 28):
        live(NEXT - timedelta(days=n))
    assert (notices(), len(events())) == ([(sold.pk, NEXT, True)], 1)
    assert [mail.to_address for mail in mails()] == ["pay@kestrel.example", "two@kestrel.example"]


def test_a_suspended_organization_tells_nobody_and_goes_on_afterwards(house: Scope) -> None:
    yearly()
    tell(30)
    with at(BEGAN, 13), work():
        Organization.objects.update(suspended_at=clock.now())
    live(NEXT - timedelta(days=20))
    assert (notices(), mails()) == ([], [])
    with work():
        assert not Effect.objects.filter(kind=renewals.LOOK).exclude(last_error="").exists()
        Organization.objects.update(suspended_at=None)
    live(NEXT - timedelta(days=19))
    assert len(notices()) == len(mails()) == 1


def test_usage_and_how_it_is_paid_are_said(house: Scope) -> None:
    with at(BEGAN, 1), work():
        by = meter("sum")
        calls = create_price(
            name="Calls", code="calls", model="per_unit", currency="EUR", unit_price=Decimal(2), unit="month",
            timing="arrears", meter=by.code,
        )  # fmt: skip
    with_card(yearly(added=[(calls, Decimal(1))], autopay=True, billed=False), until=date(2029, 12, 31))
    tell(30)
    with at(BEGAN, 1):
        run_billing(BEGAN)
    live(NEXT - timedelta(days=30))
    (mail,) = mails()
    with work():
        text = _plain(mail.letter_text)
    assert "EUR 119.00" in text
    assert "What you use is billed on top" in text
    assert "charged to your saved method of payment" in text
    assert events()[0]["metered"] is True


@pytest.mark.parametrize(("after", "promised"), [(0, True), (-1, False)])
def test_a_card_that_ends_before_the_invoice_is_due_is_not_promised(
    house: Scope, after: int, promised: bool
) -> None:
    sold = yearly(autopay=True, billed=False)
    with_card(sold, until=NEXT + timedelta(days=sold.customer.terms_days + after))
    tell(30)
    with at(BEGAN, 1):
        run_billing(BEGAN)
    live(NEXT - timedelta(days=30))
    (mail,) = mails()
    with work():
        assert ("charged to your saved method of payment" in _plain(mail.letter_text)) is promised


def test_many_are_told_in_as_many_statements_as_one(house: Scope) -> None:
    tell(30)
    counted = []
    for n in (1, 40):
        with at(BEGAN, 1), work():
            for _ in range(n):
                sold = factories.subscription(factories.customer(email="a@x.example"), BEGAN, unit="year")
        with at(NEXT - timedelta(days=9)), work():
            entity = LegalEntity.objects.get().public_id
        with (
            at(NEXT - timedelta(days=9)),
            CaptureQueriesContext(
                connection,
            ) as seen,
        ):
            renewals.look(entity, turn=f"t{n}")
        counted.append(len(seen))
    assert len(notices()) == 41, sold.pk
    assert counted[0] == counted[1] <= 40


def test_more_than_a_batch_is_told_by_the_effects_that_follow(
    house: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewals, "BATCH", 2)
    for _ in range(5):
        yearly(billed=False)
    tell(30)
    live(NEXT - timedelta(days=9))
    live(NEXT - timedelta(days=9))
    assert len(notices()) == len(mails()) == 5


def test_the_renewal_is_in_the_timeline(house: Scope) -> None:
    from billing.timeline import timeline
    from billing.timeline_words import rows

    sold = yearly()
    tell(30)
    live(NEXT - timedelta(days=30))
    with at(NEXT - timedelta(days=29)), work():
        _, past = rows(timeline(sold.public_id))
    (told,) = [each for each in past if each.entry.kind == "renewal_told"]
    assert told.title == "Notice of a renewal"
    assert told.details == ("It renews on 1 Dec.",)
    with work():
        RenewalNotice.objects.update(mailed=False)
    with at(NEXT - timedelta(days=29)), work():
        _, past = rows(timeline(sold.public_id))
    (told,) = [each for each in past if each.entry.kind == "renewal_told"]
    assert told.details[1] == "No mail was sent: the customer has no address for invoices."


def test_another_organization_is_not_told_of_nor_looked_for(house: Scope, birch: Scope) -> None:
    yearly()
    tell(30)
    with work():
        mine = LegalEntity.objects.get().public_id
    with enter(birch):
        with pytest.raises(NotFound):
            renewals.look(mine, turn="x")
        with work():
            assert LegalEntity.objects.get().renewal_notice_days == 0
            assert not Effect.objects.filter(kind=renewals.LOOK).exists()
    live(NEXT - timedelta(days=9))
    with enter(birch), work():
        assert not RenewalNotice.objects.exists()
