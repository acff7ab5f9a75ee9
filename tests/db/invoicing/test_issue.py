"""From draft to the books: numbered without a gap, sealed, once; corrected by new rows only."""

import threading
from datetime import date

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from core import scope as scopes
from core.books import verify
from core.errors import AppError, Invalid
from core.models import OutboxEvent, StateChange
from core.scope import Scope, work
from core.states import StateConflict
from invoicing.models import Document, Line
from invoicing.services.correct import NotCorrectable, void
from invoicing.services.credit import credit
from invoicing.services.issue import issue
from ledger.models import PeriodLock
from ledger.services.post import PeriodClosed
from receivables.domain.items import Kind
from receivables.models import OpenItem
from receivables.services.allocate import Part, allocate
from tests import factories
from tests.factories import DAY


def test_issuing_numbers_seals_books_and_announces(acorn: Scope) -> None:
    with work():
        doc = factories.invoice(factories.customer(), ("120", "14.50"), ("1", "0.005"))
        assert doc.number == "INV-2026-00001"
        assert (doc.net_minor, doc.tax_minor, doc.total_minor) == (174001, 33060, 207061)
        assert doc.due_on == date(2026, 11, 16)
        item = OpenItem.objects.get(source=doc.public_id)
        assert (item.open_minor, item.label, item.due_on) == (207061, doc.number, doc.due_on)
        event = OutboxEvent.objects.get(name="invoice.issued")
        assert event.payload["total_minor"] == 207061
        assert StateChange.objects.filter(object_public_id=doc.public_id).count() == 1


def test_numbers_run_on_without_a_gap_per_kind(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        ids = [factories.draft_invoice(owner) for _ in range(3)]
        assert [d.number[-5:] for d in issue(ids, issued_on=DAY)] == ["00001", "00002", "00003"]
        assert factories.invoice(owner).number == "INV-2026-00004"
        note = credit(Document.objects.get(pk=ids[0]).public_id, on=DAY, reason="wrong", key="k")
        assert note.number == "CN-2026-00001"


def test_a_rolled_back_issue_leaves_no_gap(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        with transaction.atomic():
            factories.invoice(owner)
            transaction.set_rollback(True)
        assert factories.invoice(owner).number == "INV-2026-00001"


def test_a_document_is_issued_once(acorn: Scope) -> None:
    with work():
        pk = factories.draft_invoice(factories.customer())
        issue([pk], issued_on=DAY)
        with pytest.raises(StateConflict):
            issue([pk], issued_on=DAY)


def test_one_source_makes_one_document(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        pk = factories.draft_invoice(owner)
        row = Document.objects.get(pk=pk)
        with pytest.raises(IntegrityError), transaction.atomic():
            Document.objects.create(
                kind="invoice", entity=row.entity, customer=owner, currency="EUR", net_minor=0, tax_minor=0,
                total_minor=0, source=row.source,
            )  # fmt: skip


def test_a_total_of_zero_is_issued_and_owes_nothing(acorn: Scope) -> None:
    with work():
        doc = factories.invoice(factories.customer(), ("1", "10.00"), ("-1", "10.00"))
        assert doc.total_minor == 0
        assert not OpenItem.objects.exists()


def test_a_closed_period_refuses_the_whole_issue(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        pk = factories.draft_invoice(owner)
        PeriodLock.objects.create(entity_id=owner.entity_id, closed_through=DAY)
        with pytest.raises(PeriodClosed), transaction.atomic():
            issue([pk], issued_on=DAY)
        assert Document.objects.get(pk=pk).state == "draft"


@pytest.mark.parametrize("statement", [
    "UPDATE invoicing_document SET total_minor = 1, net_minor = 1, tax_minor = 0",
    "UPDATE invoicing_document SET state = 'draft'",
    "UPDATE invoicing_document SET memo = 'x'",
    "DELETE FROM invoicing_document",
    "UPDATE invoicing_line SET amount_minor = 1",
    "DELETE FROM invoicing_line",
    "INSERT INTO invoicing_line (organization_id, document_id, position, description, detail, quantity, unit_price,"
    " amount_minor, tax_category, tax_percent, source, why) SELECT organization_id, document_id, 9, '', '', 1, 1, 1,"
    " 'S', 19, '', '[]' FROM invoicing_line LIMIT 1",
    "UPDATE invoicing_taxline SET tax_minor = 0",
    "UPDATE invoicing_party SET buyer = '{}'",
    "DELETE FROM invoicing_party",
])  # fmt: skip
def test_an_issued_document_never_changes(acorn: Scope, statement: str) -> None:
    with work():
        factories.invoice(factories.customer())
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_a_draft_may_still_change(acorn: Scope) -> None:
    with work():
        pk = factories.draft_invoice(factories.customer())
        Line.objects.filter(document_id=pk).update(description="Better words")
        Document.objects.filter(pk=pk).update(memo="Thank you")


def test_a_void_keeps_its_number_and_owes_nothing(acorn: Scope) -> None:
    with work():
        doc = factories.invoice(factories.customer())
        void(doc.public_id, on=DAY, reason="billed twice")
        doc.refresh_from_db()
        assert (doc.state, doc.number) == ("void", "INV-2026-00001")
        assert OpenItem.objects.get(source=doc.public_id).open_minor == 0
        with pytest.raises(NotCorrectable):
            void(doc.public_id, on=DAY, reason="again")


def test_what_was_paid_cannot_be_voided(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        doc = factories.invoice(owner)
        payment = factories.item(owner, 100, Kind.PAYMENT)
        item = OpenItem.objects.get(source=doc.public_id)
        allocate([Part("p", item.pk, payment.item_id, 100)], effective_on=DAY)
        with pytest.raises(NotCorrectable):
            void(doc.public_id, on=DAY, reason="x")


def test_credit_notes_stop_at_what_the_invoice_holds(acorn: Scope) -> None:
    with work():
        doc = factories.invoice(factories.customer(), ("3", "33.33"))
        credit(doc.public_id, on=DAY, reason="one back", key="a", amounts={1: 3333})
        credit(doc.public_id, on=DAY, reason="the rest", key="b")
        assert OpenItem.objects.get(source=doc.public_id).open_minor == 0
        assert sum(note.total_minor for note in Document.objects.filter(credits=doc)) == doc.total_minor
        for amounts in ({1: 1}, None, {7: 1}, {1: -1}):
            with pytest.raises(Invalid):
                credit(doc.public_id, on=DAY, reason="more", key="c", amounts=amounts)


def test_a_credit_note_asked_for_twice_is_made_once(acorn: Scope) -> None:
    with work():
        doc = factories.invoice(factories.customer())
        notes = {credit(doc.public_id, on=DAY, reason="x", key="same").number for _ in range(3)}
        assert notes == {"CN-2026-00001"}


def test_crediting_a_paid_invoice_leaves_credit_with_the_customer(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        doc = factories.invoice(owner)
        payment = factories.item(owner, doc.total_minor, Kind.PAYMENT)
        item = OpenItem.objects.get(source=doc.public_id)
        allocate([Part("p", item.pk, payment.item_id, doc.total_minor)], effective_on=DAY)
        note = credit(doc.public_id, on=DAY, reason="returned", key="k")
        assert OpenItem.objects.get(source=note.public_id).open_minor == doc.total_minor


def test_verify_finds_a_document_changed_behind_the_triggers(acorn: Scope) -> None:
    """What a superuser could do is found by the seal."""
    with work():
        doc = factories.invoice(factories.customer())
        Document.objects.filter(pk=doc.pk).update(metadata={"fine": 1})
        assert verify() == []
        row = Document.objects.get(pk=doc.pk)
        row.memo = "forged"
        from invoicing.domain.seal import seal
        from invoicing.selectors import sealed_contents
        from invoicing.services.issue import header

        assert row.seal != seal({**sealed_contents([row.pk])[row.pk], **header(row)})


def test_issuing_many_takes_as_many_statements_as_issuing_few(acorn: Scope) -> None:
    def statements(count: int) -> int:
        owner = factories.customer()
        ids = [factories.draft_invoice(owner) for _ in range(count)]
        with CaptureQueriesContext(connection) as queries:
            issue(ids, issued_on=DAY)
        return len(queries)

    with work():
        statements(1)
        assert statements(20) == statements(2) <= 40


def test_two_workers_number_without_a_gap(committed_acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        ids = [factories.draft_invoice(owner) for _ in range(16)]
    failures: list[AppError] = []

    def run(mine: list[int]) -> None:
        try:
            for pk in mine:
                with scopes.enter(committed_acorn), work():
                    issue([pk], issued_on=DAY)
        except AppError as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(ids[n::4],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    with work():
        numbers = sorted(Document.objects.values_list("number", flat=True))
        assert numbers == [f"INV-2026-{n:05d}" for n in range(1, 17)]
        assert verify() == []


def test_a_seal_is_over_what_the_database_gives_back(acorn: Scope) -> None:
    """Also of the parties, which are sealed as they were written and not read again."""
    from core.books import verify

    with work():
        owner = factories.customer(name='Ærø "&\\ 😀 Straße', address="1 Rue\n\t«É»\u2028")
        factories.invoice(owner)
        assert verify() == []
