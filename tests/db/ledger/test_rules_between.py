"""Rules that hold between rows written by different hands."""

import threading
from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from core.errors import AppError
from core.models import AuditEntry, Organization
from core.scope import Scope, enter, work
from core.tasks import system_scope
from invoicing.models import Line
from invoicing.services.issue import issue
from ledger.domain.entries import Entry, Leg, Purpose
from ledger.models import Account, PeriodLock
from ledger.models import Entry as EntryRow
from ledger.services.post import PeriodClosed, accounts, post
from receivables.domain.items import Kind
from receivables.services.allocate import Part, allocate
from tenants.selectors import entity
from tests import factories
from tests.factories import DAY


def test_a_period_is_not_closed_over_an_entry_still_being_written(committed_acorn: Scope) -> None:
    with work():
        accounts()
        entity_id = entity().pk
    posted, closed = threading.Event(), threading.Event()
    refused: list[str] = []

    def write() -> None:
        try:
            with enter(committed_acorn), work():
                legs = (Leg(Purpose.BANK, 5, "EUR"), Leg(Purpose.REVENUE, -5, "EUR"))
                post([Entry("late", "test", entity_id, "src", DAY, DAY, legs)])
                posted.set()
                closed.wait(1)
        except PeriodClosed as error:
            refused.append(error.code)
        finally:
            connection.close()

    thread = threading.Thread(target=write)
    thread.start()
    assert posted.wait(10)
    try:
        with work():
            PeriodLock.objects.create(entity_id=entity_id, closed_through=DAY)
            counted = EntryRow.objects.filter(posted_on__lte=DAY).count()
    finally:
        closed.set()
        thread.join()
    with work():
        assert EntryRow.objects.filter(posted_on__lte=DAY).count() == counted, "more than when it was closed"


def test_a_line_cannot_be_moved_into_an_issued_document(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        (issued,) = issue([factories.draft_invoice(owner)], issued_on=DAY)
        draft = factories.draft_invoice(owner)
        with pytest.raises(DatabaseError), transaction.atomic():
            Line.objects.filter(document_id=draft).update(document_id=issued.pk, position=77)


def test_an_account_of_ones_own_with_a_standard_code_does_not_stop_the_books(acorn: Scope) -> None:
    with work():
        Account.objects.filter(code="1010").delete()
        Account.objects.create(code="1010", name="Petty cash", kind="asset")
        assert Purpose.BANK in accounts()


def test_a_payment_of_one_customer_does_not_pay_a_strangers_invoice(acorn: Scope) -> None:
    with work():
        invoice, payment = (
            factories.item(factories.customer(), 100, kind) for kind in (Kind.OPENING, Kind.PAYMENT)
        )
        with pytest.raises((AppError, DatabaseError)), transaction.atomic():
            allocate([Part("a", invoice.item_id, payment.item_id, 100)], effective_on=DAY)


def test_items_of_the_wrong_side_are_refused_with_a_sentence(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        invoice, payment = factories.item(owner, 100), factories.item(owner, 100, Kind.PAYMENT)
        with pytest.raises(AppError), transaction.atomic():
            allocate([Part("a", payment.item_id, invoice.item_id, 100)], effective_on=DAY)


def test_a_change_of_the_organization_is_audited(acorn: Scope) -> None:
    with work():
        before = AuditEntry.objects.count()
        Organization.objects.update(name="Renamed")
        assert AuditEntry.objects.count() > before


def test_the_clock_of_a_live_organization_cannot_be_moved(acorn: Scope) -> None:
    for days in (1, -1):
        with (
            work(),
            pytest.raises(IntegrityError, match=r"organization_clock|never goes back"),
            transaction.atomic(),
        ):
            Organization.objects.update(clock_offset=timedelta(days=days))


def test_the_clock_of_a_sandbox_can(sandbox: Scope) -> None:
    with enter(sandbox), work():
        Organization.objects.update(clock_offset=timedelta(days=1))
    assert system_scope(sandbox.organization_id).clock_offset == timedelta(days=1)
