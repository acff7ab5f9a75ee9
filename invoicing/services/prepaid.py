"""Prepaid balances: topped up by an invoice, drawn for what meters counted, given back or expired.

Lock order: customer, document, top-ups, then what issuing and applying lock.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import F

from core import clock, effects
from core.errors import Invalid, KeyReused
from core.events import emit, emit_all
from core.locks import lock, lock_one
from core.money import Money
from core.periods import local_midnight
from customers.services.customers import take_on
from invoicing.domain.prepaid import Draw, Fund, Gone, Want, draws
from invoicing.domain.totals import LineDraft
from invoicing.events import TopUpCreated, TopUpDrawn, TopUpExpired
from invoicing.models import Document, TopUp, TopUpMove
from invoicing.prepaid import draw_source, funds_of, left_of
from invoicing.services.content import LAST_DAY
from invoicing.services.drafts import DocumentDraft, write_drafts
from invoicing.services.issue import issue
from ledger.domain.entries import Entry, Leg, Purpose
from ledger.services.post import post
from receivables.domain.items import Kind
from receivables.selectors import item_states
from receivables.services.allocate import Part, allocate
from receivables.services.items import ItemDraft, open_items

EXPIRE = "prepaid.expire"
LABEL = "Prepaid balance"
MEMO = 2000


def top_up(
    customer: str, *, minor: int, expires_on: date | None = None, memo: str = "", key: str, today: date
) -> TopUp:
    """Issue an invoice over `minor` of a customer's (public id) currency, whose money is its prepaid balance.

    Inside work(). The invoice holds no tax: that is due on what the balance pays for. What is paid of it can be drawn
    before `expires_on`, a local date. Natural key: `key`. Raises NotFound, Invalid for an archived customer, an amount
    that is not positive and a day that is not to come, KeyReused when the key was used for something else. Emits
    top_up.created.
    """
    source, wish = f"topup:{key}", (customer, minor, expires_on, memo)
    if (done := _done(source, wish)) is not None:  # also of a customer who was archived since
        return done
    owner = take_on(customer)
    if (done := _done(source, wish)) is not None:
        return done
    _require(minor, expires_on, max(today, clock.today(owner.entity.zone)))
    (pk,) = write_drafts([_draft(owner, minor, memo, source)])
    (document,) = issue([pk], issued_on=today)
    row: TopUp = TopUp.objects.create(
        customer=owner,
        entity_id=document.entity_id,
        document=document,
        currency=document.currency,
        total_minor=minor,
        left_minor=minor,
        expires_on=expires_on,
    )
    if expires_on is not None:
        effects.due(
            EXPIRE,
            [(row.public_id, {"top_up": row.public_id})],
            at=local_midnight(expires_on, owner.entity.zone),
        )
    emit(
        TopUpCreated(
            row.public_id, row.version, customer=owner.public_id, invoice=document.public_id,
            currency=row.currency, total_minor=minor, expires_on=expires_on.isoformat() if expires_on else None,
        )
    )  # fmt: skip
    return row


def _done(source: str, wish: tuple[str, int, date | None, str]) -> TopUp | None:
    """The top-up that was made of this before; raises KeyReused where that was another."""
    row: TopUp | None = (
        TopUp.objects.select_related("document", "customer").filter(document__source=source).first()
    )
    if row is None:
        return None
    if (row.customer.public_id, row.total_minor, row.expires_on, row.document.memo) != wish:
        raise KeyReused("This was sent before for something else. Reload the page and look again.")
    return row


def _require(minor: int, expires_on: date | None, today: date) -> None:
    if minor <= 0:
        problem = "More than nothing."
        raise Invalid(problem, fields={"amount_minor": problem})
    if expires_on is not None and not today < expires_on <= LAST_DAY:
        problem = "A day to come."
        raise Invalid(problem, fields={"expires_on": problem})


def _draft(owner: Any, minor: int, memo: str, source: str) -> DocumentDraft:
    amount = Money(minor, owner.currency)
    return DocumentDraft(
        kind="invoice",
        entity_id=owner.entity_id,
        customer_id=owner.pk,
        currency=owner.currency,
        terms_days=owner.terms_days,
        source=source,
        lines=(
            LineDraft(
                description=LABEL,
                quantity=Decimal(1),
                unit_price=amount.decimal,
                amount_minor=minor,
                tax_percent=Decimal(0),
                untaxed=True,
            ),
        ),
        memo=memo,
        prepays=True,
    )


def hold(customer_ids: Iterable[int]) -> list[Fund]:
    """What is left of the customers' top-ups, locked until the transaction ends. Inside work().

    Two statements, one where nothing is left, none without customers.
    """
    wanted = set(customer_ids)
    return funds_of(lock(left_of(wanted))) if wanted else []


def pay_in_advance(
    funds: Sequence[Fund], amounts: Mapping[int, int], documents: Mapping[int, Document], *, on: date
) -> None:
    """Pay amounts of issued invoices, by id, out of what is held, as far as that goes. Inside work().

    Constant statements. Each part is a credit of its own against what is owed to the customer, applied in full, dated
    `on` but not before its top-up. Natural key: top-up and invoice. Raises TooMuch beyond what is open of an invoice.
    Emits top_up.drawn.
    """
    wants = [
        Want(pk, documents[pk].customer_id, documents[pk].entity_id, documents[pk].currency, minor)
        for pk, minor in amounts.items()
        if minor
    ]
    if parts := draws(funds, wants, on):
        _draw(parts, documents, on)


def _draw(parts: Sequence[Draw], documents: Mapping[int, Document], on: date) -> None:
    rows = TopUp.objects.select_related("document").filter(pk__in={each.top_up_id for each in parts})
    tops = {row.pk: row for row in rows}
    days = {pk: max(on, row.document.issued_on) for pk, row in tops.items()}
    owed = item_states([documents[each.document_id].public_id for each in parts])
    keys = [draw_source(tops[each.top_up_id], documents[each.document_id].public_id) for each in parts]
    credits = open_items(
        [
            _item(tops[each.top_up_id], key, each.minor, days[each.top_up_id])
            for each, key in zip(parts, keys, strict=True)
        ]
    )
    TopUpMove.objects.bulk_create(
        TopUpMove(
            top_up_id=each.top_up_id,
            kind=Gone.DRAWN,
            minor=each.minor,
            on=days[each.top_up_id],
            document_id=each.document_id,
        )
        for each in parts
    )
    allocate(
        [
            Part(
                key,
                owed[documents[each.document_id].public_id].item_id,
                credit.item_id,
                each.minor,
                "Drawn",
            )
            for each, key, credit in zip(parts, keys, credits, strict=True)
        ],
        effective_on=on,
    )
    _tell_drawn(parts, tops, documents)


def _item(row: TopUp, source: str, minor: int, on: date) -> ItemDraft:
    return ItemDraft(
        kind=Kind.PREPAID,
        customer_id=row.customer_id,
        entity_id=row.entity_id,
        label=LABEL,
        source=source,
        currency=row.currency,
        effective_on=on,
        posted_on=on,
        due_on=on,
        against=((Purpose.PREPAID, minor),),
    )


def _tell_drawn(parts: Sequence[Draw], tops: Mapping[int, TopUp], documents: Mapping[int, Document]) -> None:
    """Say once of each top-up what was drawn of it; its next version says so."""
    of: dict[int, list[Draw]] = defaultdict(list)
    for each in parts:
        of[each.top_up_id].append(each)
    TopUp.objects.filter(pk__in=list(of)).update(version=F("version") + 1, updated_at=clock.now())
    events = []
    for pk, drawn in of.items():
        row, minor = tops[pk], sum(each.minor for each in drawn)
        invoices = tuple(documents[each.document_id].public_id for each in drawn)
        events.append(
            TopUpDrawn(
                row.public_id, row.version + 1, invoices=invoices, currency=row.currency,
                amount_minor=minor, left_minor=row.left_minor - minor,
            )
        )  # fmt: skip
    emit_all(events)


def of_document(document: Document) -> TopUp | None:
    """The top-up that an issued invoice made, locked; None for any other. Inside work(), the document is locked."""
    return lock_one(TopUp.objects.filter(document=document)) if document.prepays else None


def take(row: TopUp, kind: Gone, minor: int, *, on: date, document: Document | None = None) -> None:
    """Take a part of a top-up away that does not pay for anything. Inside work(), the top-up is locked."""
    TopUpMove.objects.create(top_up=row, kind=kind, minor=minor, on=on, document=document)
    row.left_minor -= minor
    row.touch()


def expire(public_id: str, *, today: date | None = None) -> datetime | None:
    """End a top-up whose day has come: what was paid of it and is left becomes income. Inside work().

    What was not paid stays owed, and can be drawn no more: its invoice is voided or credited by a person. A rerun
    changes nothing. `today` is a local date of the legal entity, its own unless given. Where its day is still to come,
    as after the legal entity's zone was changed, says when that begins. Emits top_up.expired.
    """
    row = lock_one(TopUp.objects.select_related("document", "entity").filter(public_id=public_id))
    today = today or clock.today(row.entity.zone)
    if row.expires_on is not None and row.expires_on > today:
        return local_midnight(row.expires_on, row.entity.zone)
    (fund,) = funds_of([row])
    minor = fund.available_minor
    if row.expires_on is None or not minor:
        return None
    if TopUpMove.objects.filter(top_up=row, kind=Gone.EXPIRED).exists():
        return None
    take(row, Gone.EXPIRED, minor, on=today)
    legs = (
        Leg(Purpose.PREPAID, minor, row.currency, row.customer_id),
        Leg(Purpose.EXPIRED, -minor, row.currency, row.customer_id),
    )
    key = f"expire:{public_id}"
    post([Entry(key, "prepaid_expired", row.entity_id, row.document.public_id, today, today, legs)])
    emit(
        TopUpExpired(
            row.public_id,
            row.version,
            invoice=row.document.public_id,
            currency=row.currency,
            amount_minor=minor,
        )
    )
    return None
