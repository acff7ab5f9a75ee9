"""One customer, one subscription, one run: from the plan to the money, with everything that is sent on the way."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import time_machine
from django.core import mail
from django.test import Client

from billing.services.run import run_billing
from core import clock, effects, files, relay
from core.books import verify
from core.models import Effect, OutboxEvent
from core.scope import Scope, work
from invoicing.models import Document
from receivables.models import OpenItem
from tests import factories


def settle_background() -> None:
    """What workers would do until nothing is due."""
    for _ in range(4):
        relay.relay([])
        effects.work_off([])


@pytest.fixture(autouse=True)
def storage(settings: object, tmp_path: object) -> None:
    settings.MEDIA_ROOT = str(tmp_path)  # type: ignore[attr-defined]


def test_from_the_subscription_to_the_receipt(acorn: Scope) -> None:
    """Given a monthly plan at 14.50 per vehicle and 120 vehicles from 1 November,
    when the month begins, then the customer is billed 1,740.00 + 19 % and pays it from the mail."""
    with time_machine.travel(datetime(2026, 11, 1, 6, tzinfo=UTC), tick=False):
        with work():
            owner = factories.customer(name="Kestrel Freight", email="rita@kestrel.example")
            factories.subscription(owner, date(2026, 11, 1), quantity=Decimal(120))
        run_billing(date(2026, 11, 1))
        settle_background()
    with work():
        doc = Document.objects.get()
        assert (doc.number, doc.total_minor, doc.due_on) == ("INV-2026-00001", 207060, date(2026, 12, 1))
        assert doc.pdf is not None
        stored = doc.pdf
    assert files.read(stored).startswith(b"%PDF")
    (letter,) = mail.outbox
    assert letter.to == ["rita@kestrel.example"]
    assert "2,070.60" in letter.body
    assert letter.attachments[0][0] == "INV-2026-00001.pdf"

    link = re.search(r"/pay/[\w-]+/", letter.body)
    assert link
    payer = Client()
    page = payer.get(link.group(), follow=True)
    key = re.search(r'name="key" value="([^"]+)"', page.content.decode())
    assert key
    paid = payer.post(page.request["PATH_INFO"], {"key": key.group(1), "method": "card_ok"}, follow=True)
    assert "Nothing is open" in paid.content.decode()
    settle_background()
    assert len(mail.outbox) == 2
    assert "2,070.60" in mail.outbox[1].body
    pdf = payer.get(f"{page.request['PATH_INFO']}pdf/")
    assert b"".join(pdf.streaming_content).startswith(b"%PDF")
    with work():
        assert OpenItem.objects.get(source=doc.public_id).open_minor == 0
        assert verify() == []
        assert not OutboxEvent.objects.filter(relayed_at=None).exists()
        later = Effect.objects.filter(done_at=None).exclude(due_at__gt=clock.now())
        assert not later.exists()


def test_delivered_twice_nothing_is_sent_twice(acorn: Scope) -> None:
    with work():
        factories.invoice(factories.customer(email="rita@kestrel.example"))
    settle_background()
    with work():
        OutboxEvent.objects.update(relayed_at=None)
        Effect.objects.update(done_at=None, lease_until=None)
    settle_background()
    assert len(mail.outbox) == 1
    with work():
        assert Document.objects.exclude(pdf=None).count() == 1


def test_a_void_before_the_mail_leaves_stops_it(acorn: Scope) -> None:
    from invoicing.services.correct import void

    with work():
        doc = factories.invoice(factories.customer(email="rita@kestrel.example"))
        relay_later = doc.public_id
    relay.relay([])
    with work():
        void(relay_later, on=factories.DAY, reason="billed twice")
    settle_background()
    assert mail.outbox == []


def test_a_customer_without_an_address_gets_a_pdf_and_no_mail(acorn: Scope) -> None:
    with work():
        factories.invoice(factories.customer())
    settle_background()
    assert mail.outbox == []
    with work():
        assert Document.objects.get().pdf is not None
