"""The list of documents, one document, and what is done to it."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from core.scope import Scope, work
from invoicing.models import Document
from invoicing.previews import preview_credit, preview_void, preview_write_off
from invoicing.services.correct import void
from invoicing.services.credit import credit
from ledger.models import Leg, PeriodLock
from ledger.selectors import entries_about
from receivables.domain.items import Kind
from receivables.models import OpenItem
from receivables.selectors import item_states
from receivables.services.allocate import Part, allocate
from receivables.services.write_off import write_off
from tests import factories
from tests.factories import DAY

Snapshot = Callable[[], dict[str, int]]
KEY = "form_01J9ZK0000000000000000"
LIST = "/o/acorn/invoices/"


def page_of(public_id: str) -> str:
    return f"{LIST}{public_id}/"


def pay(doc: Document, minor: int) -> None:
    item = OpenItem.objects.get(source=doc.public_id)
    payment = factories.item(doc.customer, minor, Kind.PAYMENT)
    allocate([Part(f"pay:{doc.public_id}", item.pk, payment.item_id, minor)], effective_on=DAY)


def test_many_drafts_are_issued_and_the_others_say_why(ana: Client, acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        ids = [factories.draft_invoice(owner) for _ in range(3)]
        done = factories.invoice(owner)
        chosen = [*Document.objects.filter(pk__in=ids).values_list("public_id", flat=True), done.public_id]
    data = {"act": "issue", "chosen": [*chosen, "doc_nothing", "\x00"], "back": "state=draft"}
    answer = ana.post(f"{LIST}bulk/", data, follow=True)
    page = answer.content.decode()
    assert answer.redirect_chain[0][0] == f"{LIST}?state=draft"
    assert "3 invoices issued" in page
    assert "3 done, 1 not done" in page
    assert done.number in page
    assert "no longer a draft" in page
    with work():
        assert Document.objects.filter(state="issued").count() == 4
    assert "not done" not in ana.get(LIST).content.decode()


def test_sending_where_nothing_sends_says_so(
    ana: Client, acorn: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("invoicing.services.send.composers", {})
    with work():
        doc = factories.invoice(factories.customer())
    answer = ana.post(f"{page_of(doc.public_id)}send/", {"key": KEY})
    assert answer.status_code == 409
    assert "Sending mail is not set up" in answer.content.decode()


def test_sending_twice_queues_each_mail_once(
    ana: Client, acorn: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    from messaging import composers
    from messaging.selectors import messages_about

    monkeypatch.setitem(composers.composers, "invoice_issued", lambda message: None)
    with work():
        doc = factories.invoice(factories.customer(email="ap@kestrel.example"))
    for _ in range(2):
        assert ana.post(f"{page_of(doc.public_id)}send/", {"key": KEY}).status_code == 302
    with work():
        assert len(messages_about(doc.public_id)) == 1
    assert "ap@kestrel.example" in ana.get(page_of(doc.public_id)).content.decode()


def test_a_draft_is_issued_once(ana: Client, acorn: Scope, snapshot: Snapshot) -> None:
    with work():
        doc = Document.objects.get(pk=factories.draft_invoice(factories.customer()))
    form = {"issue-issued_on": "2026-11-02"}
    assert ana.post(f"{page_of(doc.public_id)}issue/", form).status_code == 302
    before = snapshot()
    again = ana.post(f"{page_of(doc.public_id)}issue/", form)
    assert again.status_code == 409
    assert "no longer a draft" in again.content.decode()
    assert snapshot() == before


@pytest.mark.parametrize("day", ["", "2999-01-01", "1999-12-31", "31.11.2026", "\x00", "٢٠٢٦"])
def test_an_invoice_date_is_refused_at_its_field(
    ana: Client, acorn: Scope, snapshot: Snapshot, day: str
) -> None:
    with work():
        doc = Document.objects.get(pk=factories.draft_invoice(factories.customer()))
    before = snapshot()
    answer = ana.post(f"{page_of(doc.public_id)}issue/", {"issue-issued_on": day})
    assert answer.status_code == 422
    assert 'id="id_issue-issued_on_error"' in answer.content.decode()
    assert snapshot() == before


def test_a_closed_period_is_a_notice(ana: Client, acorn: Scope, snapshot: Snapshot) -> None:
    with work():
        owner = factories.customer()
        doc = Document.objects.get(pk=factories.draft_invoice(owner))
        PeriodLock.objects.create(entity_id=owner.entity_id, closed_through=DAY)
    before = snapshot()
    answer = ana.post(f"{page_of(doc.public_id)}issue/", {"issue-issued_on": "2026-11-02"})
    assert answer.status_code == 409
    assert "books of that period are closed" in answer.content.decode()
    assert snapshot() == before


def test_voiding_needs_a_reason_and_happens_once(ana: Client, acorn: Scope, snapshot: Snapshot) -> None:
    with work():
        doc = factories.invoice(factories.customer())
    before = snapshot()
    for reason in ("", "   ", "\x00", "x" * 301):
        answer = ana.post(f"{page_of(doc.public_id)}void/", {"void-reason": reason})
        assert answer.status_code == 422
        assert 'id="id_void-reason_error"' in answer.content.decode()
        assert snapshot() == before
    for status in (302, 409):
        assert (
            ana.post(f"{page_of(doc.public_id)}void/", {"void-reason": "billed twice"}).status_code == status
        )
    page = ana.get(page_of(doc.public_id)).content.decode()
    assert "billed twice" in page
    assert "Sums to zero" in page


def test_what_was_paid_is_not_voided_and_the_reason_is_kept(
    ana: Client, acorn: Scope, snapshot: Snapshot
) -> None:
    with work():
        doc = factories.invoice(factories.customer())
        pay(doc, 100)
    before = snapshot()
    answer = ana.post(f"{page_of(doc.public_id)}void/", {"void-reason": "my words"})
    assert answer.status_code == 409
    assert "credit it instead" in answer.content.decode()
    assert snapshot() == before


def legs(source_ids: list[str], item_ids: list[int]) -> list[tuple[str, int]]:
    return sorted(
        (leg.code, leg.amount.minor) for entry in entries_about(source_ids, item_ids) for leg in entry.legs
    )


def previewed(preview: object) -> list[tuple[str, int]]:
    return sorted((leg.code, leg.amount.minor) for entry in preview.entries for leg in entry.legs)  # type: ignore[attr-defined]


@pytest.mark.parametrize("lines", [(("3", "33.33"), ("1", "0.07")), (("7", "14.285"),)])
def test_previews_are_what_happens_to_the_cent(
    acorn: Scope, snapshot: Snapshot, lines: tuple[tuple[str, str], ...]
) -> None:
    with work():
        owner = factories.customer()
        voided, credited, partly, given_up = (factories.invoice(owner, *lines) for _ in range(4))
        items = {
            doc.pk: item_states([doc.public_id])[doc.public_id].item_id
            for doc in (voided, credited, partly, given_up)
        }
        old = {doc.pk: legs([doc.public_id], [items[doc.pk]]) for doc in (voided, credited, partly, given_up)}
    before = snapshot()
    with work():
        shown_void = previewed(preview_void(voided.public_id, on=DAY))
        shown_all = preview_credit(credited.public_id, on=DAY, amounts=None)
        shown_part = preview_credit(partly.public_id, on=DAY, amounts={1: 33})
        shown_off = previewed(preview_write_off(given_up.public_id, minor=77, on=DAY))
    assert snapshot() == before
    with work():
        void(voided.public_id, on=DAY, reason="x")
        note = credit(credited.public_id, on=DAY, reason="x", key="all")
        part = credit(partly.public_id, on=DAY, reason="x", key="part", amounts={1: 33})
        write_off(items[given_up.pk], minor=77, on=DAY, reason="x", key="off")
        assert sorted(old[voided.pk] + shown_void) == legs(
            [voided.public_id, f"void:{voided.public_id}"], [items[voided.pk]]
        )
        for doc, made, shown in ((credited, note, shown_all), (partly, part, shown_part)):
            assert shown.total is not None
            assert shown.total.minor == made.total_minor
            assert sorted(old[doc.pk] + previewed(shown)) == legs(
                [doc.public_id, made.public_id], [items[doc.pk]]
            )
        assert sorted(old[given_up.pk] + shown_off) == legs(
            [given_up.public_id, "wo_off"], [items[given_up.pk]]
        )


def test_a_credit_note_over_a_line_is_made_once(ana: Client, acorn: Scope) -> None:
    with work():
        doc = factories.invoice(factories.customer(), ("3", "33.33"), ("1", "50.00"))
    form = {"credit-what": "lines", "credit-line_1": "10/3", "credit-reason": "late", "credit-key": KEY}
    targets = {ana.post(f"{page_of(doc.public_id)}credit/", form)["Location"] for _ in range(3)}
    assert len(targets) == 1
    with work():
        note = Document.objects.get(kind="credit_note")
        assert (note.net_minor, note.total_minor) == (333, 396)
    page = ana.get(targets.pop()).content.decode()
    assert "Applied" in page
    assert doc.number in page
    preview = ana.post(f"{page_of(doc.public_id)}credit/preview/", {"credit-what": "all"}).content.decode()
    assert "This will be posted today" in preview


@pytest.mark.parametrize(
    "amount", ["1e5", "abc", "99999999999999999999", "0.001", "99.99.9", "\x00", "١٢", "1/0", "(((("]
)
def test_a_bad_credit_amount_stands_at_its_line(
    ana: Client, acorn: Scope, snapshot: Snapshot, amount: str
) -> None:
    with work():
        doc = factories.invoice(factories.customer(), ("3", "33.33"))
    before = snapshot()
    form = {"credit-what": "lines", "credit-line_1": amount, "credit-reason": "late", "credit-key": KEY}
    answer = ana.post(f"{page_of(doc.public_id)}credit/", form)
    assert answer.status_code == 422
    assert 'id="id_credit-line_1_error"' in answer.content.decode()
    assert ana.post(f"{page_of(doc.public_id)}credit/preview/", form).status_code == 200
    assert snapshot() == before


def test_more_than_the_line_is_refused_with_a_notice(ana: Client, acorn: Scope, snapshot: Snapshot) -> None:
    with work():
        doc = factories.invoice(factories.customer(), ("3", "33.33"))
    before = snapshot()
    form = {"credit-what": "lines", "credit-line_1": "100.00", "credit-reason": "mine", "credit-key": KEY}
    answer = ana.post(f"{page_of(doc.public_id)}credit/", form)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "less than that left to credit" in page
    assert 'value="100.00"' in page
    assert 'value="mine"' in page
    assert snapshot() == before


def test_a_write_off_is_made_once_and_never_beyond_what_is_open(ana: Client, acorn: Scope) -> None:
    with work():
        doc = factories.invoice(factories.customer(), ("1", "100.00"))
    form = {"write_off-amount": "19.00", "write_off-reason": "insolvent", "write_off-key": KEY}
    for _ in range(2):
        assert ana.post(f"{page_of(doc.public_id)}write-off/", form).status_code == 302
    with work():
        assert OpenItem.objects.get(source=doc.public_id).open_minor == 10_000
    too_much = {**form, "write_off-amount": "100.01", "write_off-key": KEY + "2"}
    answer = ana.post(f"{page_of(doc.public_id)}write-off/", too_much)
    assert answer.status_code == 409
    assert 'value="100.01"' in answer.content.decode()
    page = ana.get(page_of(doc.public_id)).content.decode()
    assert "Bad debt" in page


def test_why_a_line_comes_to_its_amount(ana: Client, acorn: Scope) -> None:
    from billing.services.run import run_billing

    with work():
        factories.subscription(factories.customer(), DAY, quantity=Decimal("120.5"))
    run_billing(DAY)
    with work():
        doc = Document.objects.get()
    page = ana.get(page_of(doc.public_id)).content.decode()
    assert "Why this amount?" in page
    assert "120.5 × 14.50" in page
    assert "1,747.25" in page
    assert "Rounded once" in page


def test_steps_that_nobody_knows_break_nothing(ana: Client, acorn: Scope) -> None:
    with work():
        pk = factories.draft_invoice(factories.customer())
        from invoicing.models import Line

        odd = [
            {"step": "per_unit"},
            {"step": "x"},
            {"text": "By hand"},
            "text",
            {"step": "period", "start": "x", "end": 1},
            {"step": "flat", "quantity": "NaN", "unit_price": "1e999"},
        ]
        Line.objects.filter(document_id=pk).update(why=odd)
        doc = Document.objects.get(pk=pk)
    assert "By hand" in ana.get(page_of(doc.public_id)).content.decode()


def test_the_pdf_is_said_to_come_until_it_is_there(ana: Client, acorn: Scope) -> None:
    with work():
        doc = factories.invoice(factories.customer())
    assert ana.get(f"{page_of(doc.public_id)}pdf/").status_code == 404
    assert "it is being made" in ana.get(page_of(doc.public_id)).content.decode()


def test_query_budgets_do_not_grow(ana: Client, acorn: Scope, queries: Callable[[Client, str], int]) -> None:
    def grow(n: int) -> Document:
        with work():
            owner = factories.customer()
            doc = factories.invoice(owner, *[("1", f"{i}.00") for i in range(1, n + 1)])
            for i in range(n):
                other = factories.invoice(owner, on=DAY - timedelta(days=i))
                credit(doc.public_id, on=DAY, reason="x", key=f"{n}-{i}", amounts={i + 1: 50})
                pay(other, 10)
            return doc

    small = grow(3)
    counts = {path: queries(ana, path) for path in (LIST, f"{LIST}?state=overdue", page_of(small.public_id))}
    big = grow(12)
    assert queries(ana, LIST) == counts[LIST] <= 20
    assert queries(ana, f"{LIST}?state=overdue") == counts[f"{LIST}?state=overdue"] <= 20
    assert queries(ana, page_of(big.public_id)) == counts[page_of(small.public_id)] <= 30


def test_legs_of_the_page_sum_to_zero(acorn: Scope) -> None:
    with work():
        doc = factories.invoice(factories.customer())
        assert sum(leg.minor for leg in Leg.objects.filter(entry__source=doc.public_id)) == 0
