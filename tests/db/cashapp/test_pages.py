"""The pages of payments as their users: recording, applying, taking back, and everybody who may not."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from cashapp.models import Payment
from cashapp.services.payments import record
from cashapp.services.payments import reverse as take_back
from core.scope import Scope, work
from customers.models import Customer
from customers.services.customers import update_customer
from invoicing.models import Document
from invoicing.services.correct import void
from invoicing.services.credit import credit
from ledger.domain.entries import Purpose
from receivables.models import Allocation, OpenItem
from receivables.services.reverse import reverse as reverse_write_off
from receivables.services.write_off import write_off
from tests import factories
from tests.cast import CANARY
from tests.db.cashapp.conftest import Login
from tests.factories import DAY


@pytest.fixture
def owed(acorn: Scope) -> tuple[Customer, Document]:
    with work():
        owner = factories.customer()
        return owner, factories.invoice(owner, ("1", "100.00"), tax="0")


def address(name: str, *args: object) -> str:
    return reverse(name, args=["acorn", *args])


def form_of(client: Client, owner: Customer) -> dict[str, str]:
    page = client.get(address("payment-new", owner.public_id)).content.decode()
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key
    return {
        "key": key.group(1),
        "amount": "60.00",
        "method": "check",
        "memo": "No. 7",
        "received_on": "2026-11-20",
    }


def open_of(document: Document) -> int:
    with work():
        return OpenItem.objects.get(source=document.public_id).open_minor  # type: ignore[no-any-return]


def test_a_recorded_payment_is_applied_and_can_be_taken_back_part_by_part(
    login: Login, owed: tuple[Customer, Document]
) -> None:
    owner, invoice = owed
    ben = login("Ben")
    answer = ben.post(address("payment-new", owner.public_id), form_of(ben, owner), follow=True)
    assert b"Payment recorded" in answer.content
    assert open_of(invoice) == 4_000
    with work():
        allocation = Allocation.objects.get()
    undo = address("allocation-undo", allocation.pk)
    assert b"no longer put against" in ben.get(undo).content
    assert ben.post(undo, {"on": "2026-11-21", "reason": ""}).status_code == 422
    for _ in range(2):
        ben.post(undo, {"on": "2026-11-21", "reason": "wrong invoice"})
    assert open_of(invoice) == 10_000


def test_debt_in_two_currencies_is_paid_in_each(login: Login, owed: tuple[Customer, Document]) -> None:
    owner, euros = owed
    with work():
        changed = update_customer(owner.pk, version=owner.version, currency="USD")
        dollars = factories.invoice(changed, ("1", "60.00"), tax="0")
    ben, new = login("Ben"), address("payment-new", owner.public_id)
    page = ben.get(new).content.decode()
    assert 'href="?currency=EUR"' in page
    assert dollars.number in page
    assert euros.number not in page
    page = ben.get(f"{new}?currency=EUR").content.decode()
    assert euros.number in page
    assert 'name="currency" value="EUR"' in page
    with work():
        item = OpenItem.objects.get(source=euros.public_id)
    said = {**form_of(ben, owner), "currency": "EUR", f"part-{item.public_id}": "60.00"}
    for wrong in ({"currency": "JPY"}, {"currency": "USD"}, {"currency": "\x00"}):
        assert ben.post(new, {**said, **wrong}).status_code in {404, 422}
    with work():
        assert not Payment.objects.exists()
    assert ben.post(new, said).status_code == 302
    assert (open_of(euros), open_of(dollars)) == (4_000, 6_000)


def test_the_rest_of_an_earlier_currency_is_applied(login: Login, owed: tuple[Customer, Document]) -> None:
    owner, euros = owed
    with work():
        paid = factories.payment(owner, 10_000).source
        update_customer(owner.pk, version=owner.version, currency="USD")
        item = OpenItem.objects.get(source=euros.public_id)
    said = {"key": "form-rest", f"part-{item.public_id}": "100.00"}
    assert login("Ben").post(address("payment-apply", paid), said).status_code == 302
    assert open_of(euros) == 0


def test_the_rest_is_applied_to_the_item_that_is_named(login: Login, owed: tuple[Customer, Document]) -> None:
    owner, invoice = owed
    ben = login("Ben")
    with work():
        other = factories.invoice(owner, ("1", "70.00"), tax="0")
        item = OpenItem.objects.get(source=other.public_id)
    said = {**form_of(ben, owner), f"part-{item.public_id}": "10.00"}
    ben.post(address("payment-new", owner.public_id), said)
    assert (open_of(invoice), open_of(other)) == (10_000, 6_000)
    with work():
        payment = Payment.objects.get()
    apply = address("payment-apply", payment.public_id)
    key = {"key": "form_once_only"}
    for _ in range(2):
        assert ben.post(apply, {**key, f"part-{item.public_id}": "50.00"}).status_code == 302
    assert open_of(other) == 1_000
    answer = ben.post(apply, {"key": "form_other", f"part-{item.public_id}": "50.00"})
    assert answer.status_code in (409, 422)


@pytest.fixture
def free_credit(owed: tuple[Customer, Document]) -> Document:
    """A credit note of 30.00 over an invoice that was paid, so nothing of it is used."""
    owner, invoice = owed
    with work():
        item = OpenItem.objects.get(source=invoice.public_id)
        record(
            customer=owner.public_id, minor=10_000, received_on=DAY, method="check", key="form-paid",
            parts={item.pk: 10_000},
        )  # fmt: skip
        return credit(invoice.public_id, on=DAY, reason="late", key="credit-1", amounts={1: 3_000})


def test_a_free_credit_note_is_put_against_another_invoice(
    login: Login, owed: tuple[Customer, Document], free_credit: Document
) -> None:
    ben, apply = login("Ben"), address("credit-apply", free_credit.public_id)
    with work():
        other = factories.invoice(owed[0], ("1", "70.00"), tax="0")
        stranger = factories.invoice(factories.customer(), ("1", "70.00"), tax="0")
        item, foreign = (OpenItem.objects.get(source=each.public_id) for each in (other, stranger))
    assert apply in ben.get(address("invoice", free_credit.public_id)).content.decode()
    page = ben.get(apply).content.decode()
    assert other.number in page
    assert stranger.number not in page
    for parts, status in (
        ({}, 422), ({f"part-{item.public_id}": "x"}, 422), ({f"part-{item.public_id}": "-1"}, 422),
        ({f"part-{item.public_id}": "30.01"}, 422), ({f"part-{foreign.public_id}": "1.00"}, 404),
    ):  # fmt: skip
        assert ben.post(apply, {"key": "form-wrong", **parts}).status_code == status, parts
    assert open_of(other) == 7_000
    said = {"key": "form-credit", f"part-{item.public_id}": "20.00"}
    for _ in range(2):
        assert ben.post(apply, said)["Location"] == address("invoice", free_credit.public_id)
    assert (open_of(other), open_of(free_credit)) == (5_000, 1_000)
    assert ben.post(apply, {**said, f"part-{item.public_id}": "5.00"}).status_code == 422, "a used key"
    rest = {"key": "form-rest", f"part-{item.public_id}": "10.00"}
    for _ in range(2):
        assert ben.post(apply, rest).status_code == 302, "also when nothing is left of it"


def test_what_cannot_be_undone_says_why_instead_of_asking(
    login: Login, owed: tuple[Customer, Document]
) -> None:
    """The parts of a void, of a payment and of a write-off that were taken back, on each page that shows them."""
    owner, invoice = owed
    ana = login("Ana")
    with work():
        void(factories.invoice(owner).public_id, on=DAY, reason="mistake")
        payment = factories.payment(owner, 4_000).source
        take_back(payment, on=DAY, reason="returned")
        item = OpenItem.objects.get(source=invoice.public_id)
        write_off(item.pk, minor=100, on=DAY, reason="gone", key="form-wo-1")
        reverse_write_off("wo_form-wo-1", against=Purpose.WRITE_OFF, on=DAY, reason="paid after all")
        void_source = OpenItem.objects.get(kind="void").source.removeprefix("void:")
        final = list(Allocation.objects.filter(reverses=None).exclude(debit_item=item))
    for allocation in final:
        page = ana.get(address("allocation-undo", allocation.pk)).content.decode()
        assert "is for good" in page
        assert 'aria-disabled="true"' in page
        answer = ana.post(address("allocation-undo", allocation.pk), {"on": "2026-11-21", "reason": "r"})
        assert answer.status_code == 409
    assert len(final) == 3
    pages = [address("payment", payment), address("invoice", void_source)]
    for page in pages:
        shown = ana.get(page).content.decode()
        assert "is for good" in shown
        assert "/undo/" not in shown
    shown = ana.get(address("invoice", invoice.public_id)).content.decode()
    assert "/undo/" not in shown, "what was taken back is not offered again"
    with work():
        allocate_in_full(owner, item)
    assert "/undo/" in ana.get(address("invoice", invoice.public_id)).content.decode()
    assert "/undo/" not in login("Vic").get(address("invoice", invoice.public_id)).content.decode()


def allocate_in_full(owner: Customer, item: OpenItem) -> None:
    said = {"received_on": DAY, "method": "check", "key": "form-in-full"}
    record(customer=owner.public_id, minor=item.total_minor, parts={item.pk: item.total_minor}, **said)  # type: ignore[arg-type]


def test_what_is_no_open_credit_note_cannot_be_applied(
    login: Login, owed: tuple[Customer, Document], free_credit: Document
) -> None:
    with work():
        payment = Payment.objects.get().public_id
    ben = login("Ben")
    for public_id in (owed[1].public_id, payment, "doc_x"):
        assert ben.get(address("credit-apply", public_id)).status_code == 404
        assert ben.post(address("credit-apply", public_id), {"key": "form-no"}).status_code == 404
    assert login("Vic").get(address("credit-apply", free_credit.public_id)).status_code == 403
    assert login("Bea").get(address("credit-apply", free_credit.public_id)).status_code == 404


def test_a_double_click_records_once(login: Login, owed: tuple[Customer, Document]) -> None:
    owner, _ = owed
    ben = login("Ben")
    said = form_of(ben, owner)
    for _ in range(3):
        ben.post(address("payment-new", owner.public_id), said)
    with work():
        assert Payment.objects.count() == 1


def test_a_payment_taken_back_reopens_what_it_settled(login: Login, owed: tuple[Customer, Document]) -> None:
    owner, invoice = owed
    ana = login("Ana")
    ana.post(address("payment-new", owner.public_id), form_of(ana, owner))
    with work():
        payment = Payment.objects.get()
    answer = ana.post(
        address("payment-reverse", payment.public_id), {"on": "2026-11-22", "reason": "bounced"}, follow=True
    )
    assert b"open again" in answer.content
    assert open_of(invoice) == 10_000


@pytest.mark.parametrize(("field", "text"), [
    ("amount", ""), ("amount", "0"), ("amount", "-5"), ("amount", "1e3"), ("amount", "NaN"), ("amount", "1.005"),
    ("amount", "٣"), ("amount", "9" * 30), ("amount", "\x00"), ("method", "barter"), ("received_on", "2026-02-30"),
    ("received_on", "0026-01-01"), ("received_on", "9999-01-01"), ("key", "x"), ("memo", "m" * 500), ("memo", "\x00"),
])  # fmt: skip
def test_bad_input_is_named_at_its_field_and_writes_nothing(
    login: Login, owed: tuple[Customer, Document], field: str, text: str
) -> None:
    owner, _ = owed
    ben = login("Ben")
    answer = ben.post(address("payment-new", owner.public_id), {**form_of(ben, owner), field: text})
    assert answer.status_code == 422
    with work():
        assert not Payment.objects.exists()


def test_two_amounts_in_one_form_record_nothing(login: Login, owed: tuple[Customer, Document]) -> None:
    owner, _ = owed
    ben = login("Ben")
    said = {**form_of(ben, owner), "amount": ["1.00", "2.00"]}
    assert ben.post(address("payment-new", owner.public_id), said).status_code == 400
    with work():
        assert not Payment.objects.exists()


@pytest.mark.parametrize("text", ["abc", "-1", "1e9", "999999999999999"])
def test_a_bad_part_is_named_and_writes_nothing(
    login: Login, owed: tuple[Customer, Document], text: str
) -> None:
    owner, invoice = owed
    ben = login("Ben")
    with work():
        item = OpenItem.objects.get(source=invoice.public_id)
    said = {**form_of(ben, owner), f"part-{item.public_id}": text}
    assert ben.post(address("payment-new", owner.public_id), said).status_code in (409, 422)
    with work():
        assert not Payment.objects.exists()


def test_a_viewer_reads_and_writes_nothing(login: Login, owed: tuple[Customer, Document]) -> None:
    owner, _ = owed
    ben, vic = login("Ben"), login("Vic")
    said = form_of(ben, owner)
    assert vic.get(address("payments")).status_code == 200
    assert vic.post(address("payment-new", owner.public_id), said).status_code == 403
    ben.post(address("payment-new", owner.public_id), said)
    with work():
        payment, allocation = Payment.objects.get(), Allocation.objects.get()
    assert vic.get(address("payment", payment.public_id)).status_code == 200
    for path, data in (
        (address("payment-apply", payment.public_id), {"key": "form_x"}),
        (address("payment-reverse", payment.public_id), {"on": "2026-11-22", "reason": "x"}),
        (address("allocation-undo", allocation.pk), {"on": "2026-11-22", "reason": "x"}),
    ):
        assert vic.post(path, data).status_code == 403
    with work():
        assert Allocation.objects.count() == 1


def test_another_organization_finds_nothing(login: Login, owed: tuple[Customer, Document]) -> None:
    owner, _ = owed
    ben, bea = login("Ben"), login("Bea")
    ben.post(address("payment-new", owner.public_id), form_of(ben, owner))
    with work():
        payment, allocation = Payment.objects.get(), Allocation.objects.get()
    for slug in ("acorn", "birch"):
        for name, arg in (
            ("payment-new", owner.public_id), ("payment", payment.public_id), ("allocation-undo", allocation.pk),
        ):  # fmt: skip
            answer = bea.get(reverse(name, args=[slug, arg]))
            assert answer.status_code == 404
            assert owner.name.encode() not in answer.content
    assert CANARY.encode() not in ben.get(address("payments")).content


def test_the_list_takes_the_same_queries_for_many(
    login: Login, owed: tuple[Customer, Document], django_assert_max_num_queries: object
) -> None:
    owner, _ = owed
    ben = login("Ben")
    with work():
        for _ in range(12):
            factories.payment(owner, 100)
    ben.get(address("payments"))
    with django_assert_max_num_queries(24):  # type: ignore[operator]
        ben.get(address("payments"))


def test_a_payment_is_recorded_from_its_invoice_and_its_customer(
    login: Login, owed: tuple[Customer, Document]
) -> None:
    owner, invoice = owed
    record = address("payment-new", owner.public_id).encode()
    ben, vic = login("Ben"), login("Vic")
    for page in (address("invoice", invoice.public_id), address("customer", owner.public_id)):
        assert record in ben.get(page).content
        assert b"needs the right" in vic.get(page).content
