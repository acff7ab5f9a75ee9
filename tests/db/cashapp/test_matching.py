"""Bank lines against open items: what is certain is booked once, the rest waits, and a person decides."""

import threading
from datetime import date

import pytest
from django.db import connection, transaction

from cashapp.domain.states import LineState
from cashapp.models import BankLine, PayerFact, Payment
from cashapp.services import matching
from cashapp.services.lines import bring_back, set_aside, undo
from cashapp.services.matching import match_all, settle_line
from cashapp.services.payments import record, reverse
from core import books, vault
from core.effects import work_off
from core.errors import Conflict, Invalid, KeyReused, NotFound
from core.models import Effect, OutboxEvent
from core.relay import relay
from core.scope import Scope, enter, work
from ledger.models import Entry, PeriodLock
from messaging.models import Message
from receivables.models import Allocation, OpenItem
from receivables.services.allocate import TooMuch
from tests import factories
from tests.db.cashapp.lines import DAY, line, opening


def again(row: object) -> object:
    row.refresh_from_db()  # type: ignore[attr-defined]
    return row


def test_a_line_that_quotes_an_invoice_and_ties_is_booked(acorn: Scope) -> None:
    with work():
        owner = factories.customer(name="Kestrel Freight")
        item = opening(owner, 119_000, "2025-1187")
        row = line(119_000, payer="KESTREL  FREIGHT", memo="Rechnung 2025 1187 danke")
    done = match_all()
    with work():
        assert done is not None
        assert done.booked == 1
        payment = Payment.objects.get()
        assert (payment.provider, payment.minor, payment.received_on) == ("bank", 119_000, DAY)
        assert again(row).payment_id == payment.pk  # type: ignore[attr-defined]
        assert again(item).open_minor == 0  # type: ignore[attr-defined]
        assert OutboxEvent.objects.get(name="payment.received").payload["applied_minor"] == 119_000


def test_a_second_turn_books_nothing_more(acorn: Scope) -> None:
    with work():
        owner = factories.customer(name="Kestrel Freight")
        opening(owner, 119_000, "2025-1187")
        line(119_000, payer="Kestrel Freight", memo="2025-1187")
    match_all()
    assert match_all().booked == 0  # type: ignore[union-attr]
    with work():
        assert Payment.objects.count() == Allocation.objects.count() == 1


def test_a_further_reference_counts_as_the_number_does(acorn: Scope) -> None:
    with work():
        owner = factories.customer(name="Kestrel Freight")
        opening(owner, 50_000, references=("PO-771934",))
        line(50_000, payer="Kestrel Freight", memo="Order PO 771934")
    assert match_all().booked == 1  # type: ignore[union-attr]


def test_nothing_is_booked_where_nothing_fits(acorn: Scope) -> None:
    with work():
        owner = factories.customer(name="Kestrel Freight")
        item = opening(owner, 119_000, "2025-1187")
        row = line(777, payer="Somebody Else", memo="Miete")
    assert match_all().booked == 0  # type: ignore[union-attr]
    with work():
        assert again(item).open_minor == 119_000  # type: ignore[attr-defined]
        assert again(row).state == LineState.OPEN  # type: ignore[attr-defined]
        assert row.proposals == []
        assert not Payment.objects.exists()


def test_two_equal_debts_without_a_number_wait_with_their_reasons(acorn: Scope) -> None:
    with work():
        owner = factories.customer(name="Kestrel Freight")
        opening(owner, 9_900)
        opening(owner, 9_900)
        row = line(9_900, payer="Kestrel Freight", memo="November")
    assert match_all().booked == 0  # type: ignore[union-attr]
    with work():
        again(row)
        assert len(row.proposals) >= 2
        assert all(each["doubts"] for each in row.proposals)
        assert {code for code, _facts in row.proposals[0]["reasons"]} >= {"ties", "payer_name"}


def test_one_payment_of_several_invoices_is_split_to_the_cent(acorn: Scope) -> None:
    with work():
        owner = factories.customer(name="Kestrel Freight")
        first, second = opening(owner, 10_001, "2025-4401"), opening(owner, 20_002, "2025-4402")
        line(30_003, payer="Kestrel Freight", memo="2025-4401 / 2025-4402")
    match_all()
    with work():
        assert (again(first).open_minor, again(second).open_minor) == (0, 0)  # type: ignore[attr-defined]
        assert sorted(Allocation.objects.values_list("minor", flat=True)) == [10_001, 20_002]


def test_a_line_names_its_customer_when_its_file_did(acorn: Scope) -> None:
    with work():
        owner = factories.customer(name="Kestrel Freight")
        opening(owner, 5_550)
        line(5_550, payer="Treasury Services BV", memo="x", customer_id=owner.pk)
    assert match_all().booked == 1  # type: ignore[union-attr]


def test_money_in_another_currency_pays_nothing(acorn: Scope) -> None:
    with work():
        owner = factories.customer(name="Kestrel Freight")
        opening(owner, 119_000, "2025-1187")
        line(119_000, payer="Kestrel Freight", memo="2025-1187", currency="USD")
    assert match_all().booked == 0  # type: ignore[union-attr]


def test_what_is_promised_to_a_card_payment_is_not_taken(acorn: Scope) -> None:
    from receivables.services.reserve import reserve

    with work():
        owner = factories.customer(name="Kestrel Freight")
        item = opening(owner, 119_000, "2025-1187")
        reserve({item.pk: 119_000})
        line(119_000, payer="Kestrel Freight", memo="2025-1187")
    assert match_all().booked == 0  # type: ignore[union-attr]
    with work():
        OpenItem.objects.filter(pk=item.pk).update(
            reserved_minor=0
        )  # no attempt holds it; the books must agree


def test_a_day_of_closed_books_is_posted_on_the_first_open_one(acorn: Scope) -> None:
    with work():
        owner = factories.customer(name="Kestrel Freight")
        opening(owner, 119_000, "2025-1187")
        PeriodLock.objects.create(entity_id=owner.entity_id, closed_through=date(2026, 11, 10))
        line(119_000, payer="Kestrel Freight", memo="2025-1187")
    assert match_all().booked == 1  # type: ignore[union-attr]
    with work():
        entries = Entry.objects.filter(kind__in=("payment", "allocation"))
        assert set(entries.values_list("effective_on", "posted_on")) == {(DAY, date(2026, 11, 11))}


def test_matched_money_mails_no_receipt(acorn: Scope) -> None:
    with work():
        owner = factories.customer(name="Kestrel Freight", email="ap@kestrel.example")
        opening(owner, 119_000, "2025-1187")
        line(119_000, payer="Kestrel Freight", memo="2025-1187")
    match_all()
    relay([])
    with work():
        assert OutboxEvent.objects.filter(name="payment.received", relayed_at__isnull=False).exists()
        assert not Message.objects.exists()


def test_lines_that_come_are_matched_by_a_worker(acorn: Scope) -> None:
    with work():
        owner = factories.customer(name="Kestrel Freight")
        opening(owner, 119_000, "2025-1187")
        line(119_000, payer="Kestrel Freight", memo="2025-1187")
    work_off([])
    with work():
        assert Payment.objects.count() == 1
        assert not Effect.objects.filter(kind="cashapp.match", done_at=None).exists()


def test_matching_costs_a_constant_number_of_statements(
    acorn: Scope, django_assert_max_num_queries: object
) -> None:
    with work():
        for n in range(30):
            owner = factories.customer(name=f"Customer Number{n:03d}")
            opening(owner, 10_000 + n, f"2025-{8000 + n}")
            line(10_000 + n, payer=f"Customer Number{n:03d}", memo=f"2025-{8000 + n}")
    with django_assert_max_num_queries(80):  # type: ignore[operator]
        assert match_all().booked == 30  # type: ignore[union-attr]


@pytest.mark.parametrize("meanwhile", ["line set aside", "item paid"])
def test_what_changed_while_it_was_weighed_is_left_alone(
    acorn: Scope, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    with work():
        owner = factories.customer(name="Kestrel Freight")
        item = opening(owner, 119_000, "2025-1187")
        row = line(119_000, payer="Kestrel Freight", memo="2025-1187")
    weigh = matching.propose

    def and_then(*facts: object) -> object:
        found = weigh(*facts)  # type: ignore[arg-type]
        with work():
            if meanwhile == "line set aside":
                set_aside(row.public_id, reason="Interest")
            elif again(item).open_minor == 119_000:  # type: ignore[attr-defined]
                record(
                    customer=owner.public_id,
                    minor=60_000,
                    received_on=DAY,
                    method="cash",
                    key="k",
                    parts={item.pk: 60_000},
                )
        return found

    monkeypatch.setattr(matching, "propose", and_then)
    assert match_all().booked == 0  # type: ignore[union-attr]
    with work():
        assert not Payment.objects.filter(provider="bank").exists()


def test_two_workers_at_once_book_each_line_once(committed_acorn: Scope) -> None:
    with work():
        for n in range(20):
            owner = factories.customer(name=f"Customer Number{n:03d}")
            opening(owner, 10_000 + n, f"2025-{8000 + n}")
            line(10_000 + n, payer=f"Customer Number{n:03d}", memo=f"2025-{8000 + n}")
    failures: list[BaseException] = []

    def turn() -> None:
        try:
            with enter(committed_acorn):
                match_all(chunk=7)
        except BaseException as error:  # noqa: BLE001
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=turn) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with work():
        assert Payment.objects.count() == 20
        assert OpenItem.objects.filter(kind="opening", open_minor=0).count() == 20


class TestAPerson:
    """What a person decides about a line."""

    def test_books_it_as_they_say_and_teaches_the_name(self, acorn: Scope) -> None:
        with work():
            owner = factories.customer(name="Kestrel Freight")
            item = opening(owner, 8_000)
            row = line(10_000, payer="KF Holding", account="DE02 1203", memo="no idea")
            payment = settle_line(
                row.public_id, version=row.version, customer=owner.public_id, parts={item.pk: 8_000}
            )
            assert again(item).open_minor == 0  # type: ignore[attr-defined]
            assert OpenItem.objects.get(source=payment.public_id).open_minor == 2_000
            assert again(row).state == LineState.BOOKED  # type: ignore[attr-defined]
            taught = set(PayerFact.objects.values_list("kind", "key", "customer_id"))
            account = vault.blind(PayerFact, "key", "de021203")
            assert taught == {("name", "kf holding", owner.pk), ("account", account, owner.pk)}
            opening(owner, 4_400, "2025-9911")
            line(4_400, payer="KF Holding", memo="2025-9911")
        assert match_all().booked == 1  # type: ignore[union-attr]

    def test_sending_it_twice_books_once(self, acorn: Scope) -> None:
        with work():
            owner = factories.customer()
            item = opening(owner, 8_000)
            row = line(8_000)
            said = {"version": row.version, "customer": owner.public_id, "parts": {item.pk: 8_000}}
            first = settle_line(row.public_id, **said)
            assert settle_line(row.public_id, **said).pk == first.pk
            with pytest.raises(KeyReused):
                settle_line(row.public_id, **{**said, "parts": {}})
            assert Payment.objects.count() == 1

    def test_is_told_when_somebody_changed_the_line(self, acorn: Scope) -> None:
        with work():
            owner = factories.customer()
            row = line(8_000)
            with pytest.raises(Conflict):
                settle_line(row.public_id, version=row.version + 1, customer=owner.public_id, parts={})
            set_aside(row.public_id, reason="Interest")
            with pytest.raises(Conflict):
                settle_line(row.public_id, version=row.version, customer=owner.public_id, parts={})
            assert not Payment.objects.exists()

    @pytest.mark.parametrize(
        ("part", "refusal"), [(8_001, TooMuch), (9_001, Invalid), (0, Invalid), (-5, Invalid)]
    )
    def test_cannot_apply_more_than_there_is(self, acorn: Scope, part: int, refusal: type[Exception]) -> None:
        with work():
            owner = factories.customer()
            item, row = opening(owner, 8_000), line(9_000)
            with pytest.raises(refusal), transaction.atomic():
                settle_line(
                    row.public_id, version=row.version, customer=owner.public_id, parts={item.pk: part}
                )
            assert not Payment.objects.exists()
            assert again(row).state == LineState.OPEN  # type: ignore[attr-defined]

    def test_cannot_pay_somebody_elses_debt(self, acorn: Scope) -> None:
        with work():
            owner, other = factories.customer(), factories.customer()
            theirs, row = opening(other, 8_000), line(8_000)
            with pytest.raises(Invalid):
                settle_line(
                    row.public_id, version=row.version, customer=owner.public_id, parts={theirs.pk: 8_000}
                )
            with pytest.raises(NotFound):
                settle_line(row.public_id, version=row.version, customer=owner.public_id, parts={0: 8_000})

    def test_sets_aside_what_is_no_customers_and_brings_it_back(self, acorn: Scope) -> None:
        with work():
            owner = factories.customer(name="Kestrel Freight")
            opening(owner, 119_000, "2025-1187")
            row = line(119_000, payer="Kestrel Freight", memo="2025-1187")
            set_aside(row.public_id, reason="Own transfer")
            set_aside(row.public_id, reason="Own transfer")
        assert match_all().booked == 0  # type: ignore[union-attr]
        with work():
            bring_back(row.public_id)
        assert match_all().booked == 1  # type: ignore[union-attr]

    def test_takes_a_booked_payment_back_and_the_line_waits_again(self, acorn: Scope) -> None:
        with work():
            owner = factories.customer(name="Kestrel Freight")
            item = opening(owner, 119_000, "2025-1187")
            row = line(119_000, payer="Kestrel Freight", memo="2025-1187")
        match_all()
        with work():
            reverse(Payment.objects.get().public_id, on=DAY, reason="Wrong customer")
            assert again(row).state == LineState.OPEN  # type: ignore[attr-defined]
            assert again(item).open_minor == 119_000  # type: ignore[attr-defined]
            payment = settle_line(
                row.public_id, version=row.version, customer=owner.public_id, parts={item.pk: 100_000}
            )
            assert payment.provider_ref != Payment.objects.exclude(pk=payment.pk).get().provider_ref

    def test_undoes_an_import_of_lines_only_while_none_is_booked(self, acorn: Scope) -> None:
        with work():
            owner = factories.customer(name="Kestrel Freight")
            opening(owner, 119_000, "2025-1187")
            booked = line(119_000, payer="Kestrel Freight", memo="2025-1187")
            free = line(5, payer="Nobody")
        match_all()
        with work():
            with pytest.raises(Conflict):
                undo([free.public_id, booked.public_id])
            assert again(free).state == LineState.OPEN  # type: ignore[attr-defined]
            undo([free.public_id])
            assert again(free).state == LineState.WITHDRAWN  # type: ignore[attr-defined]
            fresh = line(5, payer="Nobody", key=free.key)
            assert BankLine.objects.filter(key=free.key).count() == 2
            assert fresh.state == LineState.OPEN
            assert books.verify() == []
