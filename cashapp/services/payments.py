"""Money received: recording, applying, taking back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import IntegrityError, transaction

from cashapp.events import PaymentReceived, PaymentReversed
from cashapp.models import Attempt, Payment
from cashapp.services import lines
from core import bulk, clock
from core.errors import Conflict, Invalid, KeyReused, NotFound
from core.events import emit, emit_all
from core.locks import lock_one
from core.money import Money, MoneyError, exponent
from customers.selectors import billing_facts
from customers.selectors import customer as customer_of
from ledger.domain.entries import Purpose
from receivables.domain.items import Kind, Side, oldest_first
from receivables.selectors import ItemState, item_states, open_items_of
from receivables.services import reverse as reversing
from receivables.services.allocate import Part, allocate, is_begun, is_written
from receivables.services.items import ItemDraft, open_items
from tenants.days import require_near


class NothingToApply(Conflict):
    """No money is left, or nothing is owed that it could be put against."""

    code = "nothing_to_apply"


BANK = "bank"
"""Provider of payments that came as bank lines."""
METHODS = ("bank_transfer", "check", "cash", "card", "other")


def book(
    *,
    customer_id: int,
    entity_id: int,
    amount: Money,
    received_on: date,
    provider: str,
    provider_ref: str,
    method: str,
    parts: Mapping[int, int],
    memo: str = "",
    attempt: Attempt | None = None,
) -> Payment:
    """Book money received and put `parts` (minor units by debit item id) of it against items. Inside work().

    Promises one payment per (provider, provider_ref): asked again, it returns the one that is there. What the
    parts leave over stays unapplied. Raises TooMuch when a part exceeds what is open, KeyReused when the payment that
    is there is of another customer, amount or attempt. Emits payment.received.
    """
    payment = Payment(
        customer_id=customer_id,
        entity_id=entity_id,
        provider=provider,
        provider_ref=provider_ref,
        method=method,
        minor=amount.minor,
        currency=amount.currency,
        received_on=received_on,
        memo=memo,
        attempt=attempt,
    )
    if (found := _booked(payment)) is not None:
        return found
    try:
        with transaction.atomic():
            payment.save(force_insert=True)
    except IntegrityError:  # the other click committed meanwhile
        if (found := _booked(payment)) is None:
            raise
        return found
    _enter([Receipt(payment, parts, received_on)])
    return payment


@dataclass(frozen=True, slots=True)
class Receipt:
    """A payment, the minor units by debit item id that it puts against items, and the day it is posted on."""

    payment: Payment
    parts: Mapping[int, int]
    posted_on: date


def book_many(receipts: Sequence[Receipt]) -> None:
    """Book payments that are new, in a constant number of statements. Inside work().

    Raises IntegrityError when one of their natural keys is taken, else what `book` raises. Emits payment.received.
    """
    if not receipts:
        return
    at = clock.now()
    columns = (
        "public_id", "customer_id", "entity_id", "provider", "provider_ref", "method", "minor", "currency",
        "received_on", "memo",
    )  # fmt: skip
    ids = bulk.reserve_ids(Payment, len(receipts))
    for receipt, pk in zip(receipts, ids, strict=True):
        receipt.payment.pk = pk
    bulk.insert(
        Payment,
        [
            {
                "id": receipt.payment.pk,
                **{name: getattr(receipt.payment, name) for name in columns},
                "created_at": at,
                "updated_at": at,
            }
            for receipt in receipts
        ],
    )
    _enter(receipts)


def _enter(receipts: Sequence[Receipt]) -> None:
    """Open the items of payments just written, put their parts against what they pay, and say so."""
    credits = open_items([_item(each.payment, each.posted_on) for each in receipts])
    allocate(
        [
            Part(
                f"{each.payment.public_id}:{item_id}",
                item_id,
                credit.item_id,
                minor,
                on=each.payment.received_on,
                posted_on=each.posted_on if each.posted_on > each.payment.received_on else None,
            )
            for each, credit in zip(receipts, credits, strict=True)
            for item_id, minor in sorted(each.parts.items())
        ],
        effective_on=receipts[0].payment.received_on,
    )
    customers = billing_facts({each.payment.customer_id for each in receipts})
    emit_all(
        [
            PaymentReceived(
                each.payment.public_id,
                each.payment.version,
                customer=customers[each.payment.customer_id].public_id,
                currency=each.payment.currency,
                minor=each.payment.minor,
                applied_minor=sum(each.parts.values()),
                received_on=each.payment.received_on.isoformat(),
                method=each.payment.method,
            )
            for each in receipts
        ]
    )


def _against(provider: str) -> Purpose:
    """Where money stands until it is on the bank's own account: with the gateway that took it, or there already."""
    return Purpose.BANK if provider in {"manual", BANK} else Purpose.GATEWAY


def _booked(wanted: Payment) -> Payment | None:
    """The payment of the wanted one's natural key, which must be the same money."""
    found = Payment.objects.filter(provider=wanted.provider, provider_ref=wanted.provider_ref).first()
    if found is None:
        return None
    same = ("customer_id", "minor", "currency", "attempt_id")
    return _same(found, **{name: getattr(wanted, name) for name in same})


def _same(found: Payment, **wanted: object) -> Payment:
    """The payment, which must be the wanted one; raises KeyReused."""
    if any(getattr(found, name) != value for name, value in wanted.items()):
        raise KeyReused("This was recorded before as another payment. Reload the page and look again.")
    return found


def record(
    *, customer: str, minor: int, received_on: date, method: str, key: str, memo: str = "", currency: str = "",
    parts: Mapping[int, int] | None = None,
) -> Payment:  # fmt: skip
    """Record money that came another way. Inside work().

    `parts` (minor units by debit item id) default to the oldest due first; what is left over stays unapplied.
    Without a `currency` it is that of the parts, or the one in which something is open, or else the customer's own.
    Natural key: `key`, a form's hidden key. Raises Invalid on a bad amount or method and where the currency must be
    said, TooMuch, NotFound.
    """
    owner = customer_of(customer)
    require_near(received_on=received_on)
    problems = {}
    if minor <= 0:
        problems["amount"] = "An amount received is more than zero."
    if method not in METHODS:
        problems["method"] = "Choose how it was paid."
    if problems:
        raise Invalid("The payment cannot be recorded.", fields=problems)
    if (done := Payment.objects.filter(provider="manual", provider_ref=key).first()) is not None:
        return _same(done, customer_id=owner.pk, minor=minor, currency=currency or done.currency)
    items = open_items_of(owner.pk, "", Side.DEBIT)
    currency = _currency(owner.currency, items, parts, currency)
    items = [item for item in items if item.currency == currency]
    if parts is None:
        parts = _oldest(minor, owner.entity_id, items)
    _own(parts, {item.item_id for item in items}, minor)
    return book(
        customer_id=owner.pk,
        entity_id=owner.entity_id,
        amount=Money(minor, currency),
        received_on=received_on,
        provider="manual",
        provider_ref=key,
        method=method,
        memo=memo,
        parts=parts,
    )


def _oldest(minor: int, entity_id: int, items: Sequence[ItemState]) -> dict[int, int]:
    """Money of a legal entity over the items of the same one, the oldest due first."""
    return dict(
        oldest_first(
            minor, [target for item in items if item.entity_id == entity_id for target in item.targets]
        )
    )


def _currency(own: str, items: Sequence[ItemState], parts: Mapping[int, int] | None, said: str) -> str:
    """The currency that was received, as `record` says."""
    if said:
        try:
            exponent(said)
        except MoneyError as error:
            raise Invalid(str(error), fields={"currency": str(error)}) from error
        return said
    meant = {item.currency for item in items if parts is None or item.item_id in parts}
    if len(meant) > 1:
        problem = f"A payment is of one currency: {' or '.join(sorted(meant))}."
        raise Invalid(problem, fields={"currency": problem})
    return meant.pop() if meant else own


def apply_rest(public_id: str, *, parts: Mapping[int, int] | None, on: date, key: str) -> None:
    """Put unapplied money of a payment against more items of the same customer. Inside work().

    `parts` (minor units by debit item id) are those named, or with None the oldest due first. Natural key: `key` with
    the item. Raises TooMuch, Invalid, NotFound, and NothingToApply when None finds nothing to pay or to pay with.
    """
    payment_row(public_id)
    credit = item_states([public_id])[public_id]
    if parts is None:
        if is_begun(key):
            return
        owed = open_items_of(credit.customer_id, credit.currency, Side.DEBIT)
        parts = _oldest(credit.available_minor, credit.entity_id, owed)
        if not parts:
            raise NothingToApply(
                "Nothing of this payment is left, or the customer owes nothing it could pay."
            )
    _apply(credit, parts, on, key)


def apply_credit(document: str, *, parts: Mapping[int, int], on: date, key: str) -> None:
    """Put what is open of a credit note against more items of the same customer. Inside work().

    Natural key: `key` with the item. Raises TooMuch, Invalid, NotFound.
    """
    _apply(credit_of(document), parts, on, key)


def credit_of(document: str) -> ItemState:
    """The open item of a credit note; raises NotFound for anything else. Inside work()."""
    item = item_states([document]).get(document)
    if item is None or item.kind != Kind.CREDIT_NOTE:
        raise NotFound("That credit note is not here.")
    return item


def _apply(credit: ItemState, wanted: Mapping[int, int], on: date, key: str) -> None:
    parts = [
        Part(f"{key}:{item_id}", item_id, credit.item_id, minor) for item_id, minor in sorted(wanted.items())
    ]
    if not is_written(parts):  # sent again, there may be nothing open any more
        items = open_items_of(credit.customer_id, credit.currency, Side.DEBIT)
        _own(wanted, {item.item_id for item in items}, credit.open_minor)
    allocate(parts, effective_on=on)


def reverse(public_id: str, *, on: date, reason: str) -> Payment:
    """Take a payment back: what it settled is open again. Inside work(). Emits payment.reversed once.

    For money booked by mistake or returned by the bank. Raises Invalid without a reason, NotFound.
    """
    require_near(on=on)
    payment = lock_one(Payment.objects.filter(public_id=public_id))
    reversing.reverse(payment.public_id, against=_against(payment.provider), on=on, reason=reason)
    if payment.state != "reversed":
        payment.state = "reversed"
        payment.touch("state")
        lines.reopened(payment)
        emit(PaymentReversed(payment.public_id, payment.version, reason=reason))
    return payment


def payment_row(public_id: str) -> Payment:
    """The payment with this public id; raises NotFound."""
    found = Payment.objects.select_related("customer").filter(public_id=public_id).first()
    if found is None:
        raise NotFound("That payment is not here.")
    return found


def _own(parts: Mapping[int, int], allowed: set[int], most: int) -> None:
    if not set(parts) <= allowed:
        raise NotFound("One of the items is not open for this customer.")
    if any(minor <= 0 for minor in parts.values()):
        raise Invalid("An amount to apply is more than zero.", fields={"parts": "More than zero."})
    if sum(parts.values()) > most:
        raise Invalid(
            "This is more than there is to apply.", fields={"parts": "More than there is to apply."}
        )


def _item(payment: Payment, posted_on: date) -> ItemDraft:
    return ItemDraft(
        kind=Kind.PAYMENT,
        customer_id=payment.customer_id,
        entity_id=payment.entity_id,
        label=payment.memo or f"Payment of {payment.received_on}",
        source=payment.public_id,
        currency=payment.currency,
        effective_on=payment.received_on,
        posted_on=posted_on,
        due_on=payment.received_on,
        against=((_against(payment.provider), payment.minor),),
    )
