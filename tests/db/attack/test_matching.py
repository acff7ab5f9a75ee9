"""Matching and people at the same money: whoever is second is refused in words, and nothing is booked twice."""

from collections.abc import Callable
from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse as address_of

from cashapp.domain.states import LineState
from cashapp.models import BankLine, PayerFact, Payment
from cashapp.services import matching
from cashapp.services.attempts import pay
from cashapp.services.lines import bring_back, set_aside, undo
from cashapp.services.matching import match_all, settle_line
from cashapp.services.payments import record, reverse
from core import clock
from core.errors import AppError
from core.models import Organization, StateChange
from core.relay import relay
from core.scope import Scope, enter, work
from customers.models import Customer
from invoicing.services.correct import void
from invoicing.services.credit import credit
from ledger.models import Entry, PeriodLock
from messaging.models import Message
from receivables.models import Allocation, OpenItem
from receivables.services.reserve import reserve
from receivables.services.write_off import write_off
from tenants.models import User
from tests import factories
from tests.databases import as_owner
from tests.db.attack.test_races import in_work, together
from tests.db.cashapp.lines import DAY, line, opening

MONEY = 119_000


def fresh(row: object) -> object:
    row.refresh_from_db()  # type: ignore[attr-defined]
    return row


def quoted(number: str = "2025-1187") -> tuple[Customer, OpenItem, BankLine]:
    """A debt, and the money that quotes it. Inside work()."""
    owner = factories.customer(name="Kestrel Freight")
    return owner, opening(owner, MONEY, number), line(MONEY, payer="Kestrel Freight", memo=number)


def booked() -> int:
    with work():
        return Payment.objects.filter(provider="bank", state="received").count()


class TestTakenBack:
    """What a person took back stays so until a person decides."""

    def test_matching_does_not_book_it_again_but_offers_it(self, acorn: Scope) -> None:
        with work():
            _owner, item, row = quoted()
        assert match_all().booked == 1  # type: ignore[union-attr]
        with work():
            reverse(Payment.objects.get().public_id, on=DAY, reason="Returned by the bank")
        assert match_all().booked == 0  # type: ignore[union-attr]
        with work():
            fresh(row)
            assert (row.state, fresh(item).open_minor) == (LineState.OPEN, MONEY)  # type: ignore[attr-defined]
            (offer,) = row.proposals
            assert offer["parts"] == [[item.pk, MONEY]]
            assert "taken_back" in {code for code, _facts in offer["doubts"]}

    def test_a_person_may_book_it_again(self, acorn: Scope) -> None:
        with work():
            owner, item, row = quoted()
        match_all()
        for _ in range(2):
            with work():
                (payment,) = Payment.objects.filter(state="received")
                reverse(payment.public_id, on=DAY, reason="Wrong")
                fresh(row)
                settle_line(
                    row.public_id, version=row.version, customer=owner.public_id, parts={item.pk: MONEY}
                )
        assert booked() == 1

    def test_what_the_decision_taught_counts_no_more(self, acorn: Scope) -> None:
        with work():
            owner, other = factories.customer(name="Kestrel Freight"), factories.customer(name="Halden")
            row = line(5_000, payer="KF Holding", account="DE02 1203")
            line(700, payer="Somebody", account="DE99")
            kept = settle_line(
                line(600, payer="HM Pay").public_id, version=1, customer=other.public_id, parts={}
            )
            made = settle_line(row.public_id, version=row.version, customer=owner.public_id, parts={})
            assert PayerFact.objects.count() == 3
            reverse(made.public_id, on=DAY, reason="Wrong customer")
            assert set(PayerFact.objects.values_list("key", "customer_id")) == {("hm pay", other.pk)}
            assert kept.state == "received"

    def test_money_of_an_undone_import_stays_withdrawn(self, acorn: Scope) -> None:
        with work():
            _owner, _item, row = quoted()
        match_all()
        with work():
            reverse(Payment.objects.get().public_id, on=DAY, reason="Wrong file")
            undo([row.public_id])
            undo([row.public_id])
        assert match_all().booked == 0  # type: ignore[union-attr]
        with work():
            assert (
                StateChange.objects.filter(object_public_id=row.public_id, to_state="withdrawn").count() == 1
            )


def test_a_payer_called_like_an_inner_name_is_nobody_else(acorn: Scope) -> None:
    """A line whose file names the customer says nothing about a payer who only writes such a name."""
    with work():
        owner = factories.customer(name="Kestrel Freight")
        opening(owner, 5_550)
        opening(owner, 8_123)
        line(5_550, payer="Treasury", memo="x", customer_id=owner.pk)
        stranger = line(8_123, payer=f"Customer {owner.pk}", memo="thanks")
    assert match_all().booked == 1  # type: ignore[union-attr]
    with work():
        assert fresh(stranger).state == LineState.OPEN  # type: ignore[attr-defined]


def voided(item: OpenItem, _owner: Customer) -> None:
    void(item.source, on=DAY, reason="Not ordered")


def credited(item: OpenItem, _owner: Customer) -> None:
    credit(item.source, on=DAY, reason="Damaged", key=f"credit-{item.pk}")


def written_off(item: OpenItem, _owner: Customer) -> None:
    write_off(item.pk, minor=item.open_minor, on=DAY, reason="Gone", key=f"wo-{item.pk}")


def paid(item: OpenItem, owner: Customer) -> None:
    record(
        customer=owner.public_id, minor=item.open_minor, received_on=DAY, method="cash", key=f"p-{item.pk}",
        parts={item.pk: item.open_minor},
    )  # fmt: skip


MEANWHILE: dict[str, Callable[[OpenItem, Customer], None]] = {
    "voided": voided, "credited": credited, "written off": written_off, "paid": paid,
}  # fmt: skip


@pytest.mark.parametrize("what", MEANWHILE)
def test_an_item_that_went_away_while_it_was_weighed_is_not_paid(
    acorn: Scope, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    with work():
        owner = factories.customer(name="Kestrel Freight")
        document = factories.invoice(owner, ("1", "1190.00"), tax="0")
        item = OpenItem.objects.get(source=document.public_id)
        row = line(MONEY, payer="Kestrel Freight", memo=document.number)
        other = opening(owner, 77_700, "2025-9000")
        line(77_700, payer="Kestrel Freight", memo="2025-9000")
    meddle(monkeypatch, lambda: MEANWHILE[what](item, owner))
    assert match_all().booked == 1  # type: ignore[union-attr]  # the other one, in the same transaction
    with work():
        assert fresh(row).state == LineState.OPEN  # type: ignore[attr-defined]
        assert fresh(other).open_minor == 0  # type: ignore[attr-defined]
        assert not Allocation.objects.filter(debit_item=item, credit_item__source__in=bank()).exists()


def bank() -> object:
    return Payment.objects.filter(provider="bank").values("public_id")


def meddle(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Do something once, between weighing and booking."""
    weigh, done = matching.propose, []

    def and_then(*facts: object) -> object:
        found = weigh(*facts)  # type: ignore[arg-type]
        if not done:
            done.append(1)
            with work():
                act()
        return found

    monkeypatch.setattr(matching, "propose", and_then)


def test_a_decision_taken_back_while_it_was_weighed_stays_so(
    acorn: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    with work():
        owner, item, row = quoted()

    def settled_and_taken_back() -> None:
        made = settle_line(row.public_id, version=1, customer=owner.public_id, parts={item.pk: MONEY})
        reverse(made.public_id, on=DAY, reason="Not theirs")

    meddle(monkeypatch, settled_and_taken_back)
    assert match_all().booked == 0  # type: ignore[union-attr]
    assert booked() == 0


def test_a_promised_item_is_not_paid_and_the_line_waits(
    acorn: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    with work():
        _owner, item, row = quoted()
    meddle(monkeypatch, lambda: reserve({item.pk: MONEY}))
    assert match_all().booked == 0  # type: ignore[union-attr]
    with work():
        assert fresh(row).state == LineState.OPEN  # type: ignore[attr-defined]
        OpenItem.objects.filter(pk=item.pk).update(reserved_minor=0)  # no attempt holds it


def test_who_lost_an_item_is_weighed_again_in_the_same_turn(
    acorn: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would else wait without a word about what it could pay, until somebody asks for matching again."""
    with work():
        owner, item, row = quoted()
    meddle(
        monkeypatch,
        lambda: record(
            customer=owner.public_id,
            minor=50_000,
            received_on=DAY,
            method="cash",
            key="k",
            parts={item.pk: 50_000},
        ),
    )
    assert match_all().booked == 0  # type: ignore[union-attr]
    with work():
        (offer,) = fresh(row).proposals  # type: ignore[attr-defined]
        assert offer["parts"] == [[item.pk, 69_000]]


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_books_closed_around_it_post_on_the_first_open_day(
    acorn: Scope, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    with work():
        owner, item, _row = quoted()

    def close() -> None:
        PeriodLock.objects.create(entity_id=owner.entity_id, closed_through=date(2026, 11, 10))

    if when == "before":
        with work():
            close()
    else:
        meddle(monkeypatch, close)
    assert match_all().booked == 1  # type: ignore[union-attr]
    with work():
        assert fresh(item).open_minor == 0  # type: ignore[attr-defined]
        kinds = Entry.objects.filter(kind__in=("payment", "allocation"))
        assert set(kinds.values_list("posted_on", flat=True)) == {date(2026, 11, 11)}


def test_a_suspended_organization_still_books_what_came_and_mails_nobody(acorn: Scope) -> None:
    with work():
        owner, _item, _row = quoted()
        settled = line(500, payer="x")
        Organization.objects.filter(pk=acorn.organization_id).update(suspended_at=clock.wall())
    assert match_all().booked == 1  # type: ignore[union-attr]
    with work():
        settle_line(settled.public_id, version=1, customer=owner.public_id, parts={})
    relay([])
    with work():
        assert not Message.objects.exists()


def test_money_of_an_archived_customer_is_booked_as_owed(acorn: Scope) -> None:
    with work():
        owner = factories.customer(name="Kestrel Freight")
        item = opening(owner, MONEY)
        line(MONEY, payer="Kestrel Freight", memo="thanks")
        Customer.objects.filter(pk=owner.pk).update(archived_at=clock.now())
    assert match_all().booked == 1  # type: ignore[union-attr]
    with work():
        assert fresh(item).open_minor == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize("times", range(3))
def test_matching_and_people_at_one_line_at_once(committed_acorn: Scope, times: int) -> None:
    """Two workers, two who settle, one who sets aside, one who pays in cash, one who takes back: all in words."""
    for n in range(4):
        with work():
            owner = factories.customer(name=f"Kestrel Number{times}{n}")
            item = opening(owner, MONEY, f"2025-{times}{n}87")
            row = line(MONEY, payer=owner.name, memo=item.label)
        acts = acts_on(owner, item, row)
        ends = together(committed_acorn, *(acts if (n + times) % 2 else reversed(acts)))
        assert all(end is None or isinstance(end, AppError) for end in ends), ends
        with work():
            fresh(row), fresh(item)
            money = Payment.objects.filter(provider_ref__startswith=row.public_id, state="received").count()
            assert money == (1 if row.state == LineState.BOOKED else 0)
            assert 0 <= item.open_minor <= MONEY


def acts_on(owner: Customer, item: OpenItem, row: BankLine) -> list[Callable[[], object]]:
    def settled() -> None:
        settle_line(row.public_id, version=1, customer=owner.public_id, parts={item.pk: MONEY})

    def paid_in_cash() -> None:
        record(
            customer=owner.public_id, minor=100, received_on=DAY, method="cash", key=f"cash-{row.pk}",
            parts={item.pk: 100},
        )  # fmt: skip

    def taken_back() -> None:
        for payment in Payment.objects.filter(provider_ref=f"{row.public_id}:1"):
            reverse(payment.public_id, on=DAY, reason="Wrong")

    return [
        match_all,
        in_work(settled),
        in_work(lambda: set_aside(row.public_id, reason="Interest")),
        match_all,
        in_work(settled),
        in_work(paid_in_cash),
        in_work(taken_back),
        in_work(lambda: bring_back(row.public_id)),
    ]


def test_one_line_settled_eight_times_at_once_is_one_payment(committed_acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        item, row = opening(owner, 8_000), line(9_000)
    settle = in_work(
        lambda: settle_line(row.public_id, version=1, customer=owner.public_id, parts={item.pk: 8_000})
    )
    assert together(committed_acorn, *[settle] * 8) == [None] * 8
    assert booked() == 1


def test_two_lines_for_one_debt_at_once_pay_it_once(committed_acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        item = opening(owner, 8_000)
        rows = [line(8_000), line(8_000)]

    def settled(row: BankLine) -> Callable[[], object]:
        return in_work(
            lambda: settle_line(row.public_id, version=1, customer=owner.public_id, parts={item.pk: 8_000})
        )

    ends = together(committed_acorn, *map(settled, rows))
    assert sorted(type(end).__name__ for end in ends) == ["NoneType", "TooMuch"]
    assert booked() == 1


def test_a_card_and_the_bank_at_one_debt_pay_it_once(committed_acorn: Scope) -> None:
    for n in range(4):
        with work():
            owner = factories.customer(name=f"Kestrel Number{n}")
            item = opening(owner, MONEY, f"2025-{n}187")
            line(MONEY, payer=owner.name, memo=item.label)
        acts = [
            match_all,
            lambda item=item, n=n: pay(  # type: ignore[misc]
                key=f"k{n}", amounts={item.pk: MONEY}, method="card_ok", description="d"
            ),
        ]
        ends = together(committed_acorn, *(acts if n % 2 else acts[::-1]))
        assert all(end is None or isinstance(end, AppError) for end in ends), ends
        with work():
            used = Allocation.objects.filter(debit_item=item).values_list("minor", flat=True)
            assert list(used) == [MONEY]


class TestForms:
    """What a form may be made to say."""

    @pytest.fixture
    def ben(self, acorn: Scope) -> Client:
        client = Client()
        client.force_login(User.objects.get(name="Ben"))
        return client

    def settle(self, row: BankLine, slug: str = "acorn") -> str:
        return address_of("bank-line-settle", args=[slug, row.public_id])

    def test_things_of_another_organization_are_not_here(
        self, acorn: Scope, birch: Scope, ben: Client
    ) -> None:
        with enter(birch), work():
            stranger = factories.customer(name="birchcanary", currency="EUR")
            theirs, foreign = opening(stranger, 9_900, "birchcanary-1"), line(9_900)
        with work():
            owner = factories.customer(name="Kestrel Freight")
            own, row = opening(owner, 9_900), line(9_900)
        for to, said in (
            (row, {"customer": owner.public_id, f"part-{theirs.public_id}": "99.00"}),
            (row, {"customer": stranger.public_id, f"part-{theirs.public_id}": "99.00"}),
            (row, {"customer": stranger.public_id}),
            (foreign, {"customer": owner.public_id, f"part-{own.public_id}": "99.00"}),
        ):
            answer = ben.post(self.settle(to), {**said, "version": "1"})
            assert answer.status_code == 404
            assert "birchcanary" not in answer.content.decode()
        for name in ("bank-line-aside", "bank-line-back"):
            gone = address_of(name, args=["acorn", foreign.public_id])
            assert ben.post(gone, {"reason": "x"}).status_code == 404
        page = address_of("bank-line", args=["acorn", row.public_id])
        assert ben.get(page, {"owner": stranger.public_id}).status_code == 404
        assert booked() == 0
        with enter(birch), work():
            assert fresh(foreign).state == LineState.OPEN  # type: ignore[attr-defined]
            assert not Payment.objects.exists()

    def test_an_item_of_another_currency_or_customer_is_refused(self, ben: Client) -> None:
        with work():
            owner, other = factories.customer(), factories.customer()
            dollars = opening(owner, 9_900, currency="USD")
            theirs, row = opening(other, 9_900), line(9_900)
        for item in (dollars, theirs):
            said = {"customer": owner.public_id, "version": "1", f"part-{item.public_id}": "99.00"}
            assert ben.post(self.settle(row), said).status_code == 422
        assert booked() == 0

    def test_more_than_came_is_refused_in_sum(self, ben: Client) -> None:
        with work():
            owner = factories.customer()
            items, row = [opening(owner, 9_900) for _ in range(2)], line(9_900)
        parts = {f"part-{item.public_id}": "60.00" for item in items}
        answer = ben.post(self.settle(row), {"customer": owner.public_id, "version": "1", **parts})
        assert answer.status_code == 422
        assert booked() == 0

    @pytest.mark.parametrize("odd", ["\0", "cus_\0", "' OR 1=1 --", "x" * 5000, "item_" + "0" * 26, "\ud800"])
    def test_odd_ids_are_answered(self, ben: Client, odd: str) -> None:
        with work():
            row = line(9_900)
        odd = odd.encode("utf-8", "replace").decode()
        page = address_of("bank-line", args=["acorn", row.public_id])
        find = address_of("bank-line-customer", args=["acorn", row.public_id])
        assert ben.post(self.settle(row), {"customer": odd, "version": "1"}).status_code in {404, 422}
        assert ben.get(page, {"owner": odd}).status_code in {404, 422}
        assert ben.get(page, {"use": odd}).status_code == 200
        assert ben.get(find, {"customer": odd}).status_code in {404, 422}
        assert booked() == 0

    def test_what_was_set_aside_or_withdrawn_meanwhile_is_refused(self, ben: Client) -> None:
        with work():
            owner = factories.customer()
            aside, gone = line(9_900), line(9_900)
            set_aside(aside.public_id, reason="Interest")
            undo([gone.public_id])
        for row in (aside, gone):
            for version in ("1", "2"):
                said = {"customer": owner.public_id, "version": version}
                assert ben.post(self.settle(row), said).status_code == 409
        back = address_of("bank-line-back", args=["acorn", gone.public_id])
        assert ben.post(back).status_code in {302, 409}
        with work():
            assert fresh(gone).state == LineState.WITHDRAWN  # type: ignore[attr-defined]
        assert booked() == 0


def test_the_books_notice_a_line_whose_payment_is_other_money(committed_acorn: Scope) -> None:
    from core.books import verify

    with work():
        quoted()
    match_all()
    name = connection.settings_dict["NAME"]
    as_owner("UPDATE cashapp_bankline SET minor = minor - 1", name=name)
    with work():
        assert any("bank line" in str(found) for found in verify())
    as_owner("UPDATE cashapp_bankline SET minor = minor + 1", name=name)
