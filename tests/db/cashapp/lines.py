"""Bank lines and opening invoices for tests, brought in as files bring them. All inside work()."""

from datetime import date
from itertools import count

from cashapp.models import BankLine
from cashapp.services.lines import LineDraft, write
from core.imports.base import Outcome, Planned, Row, Setup
from core.imports.cells import Habits
from customers.models import Customer
from invoicing.services.opening import OpeningDraft, open_documents
from receivables.models import OpenItem

_numbers = count(1)
DAY = date(2026, 11, 2)


def line(minor: int, *, payer: str = "", memo: str = "", account: str = "", **given: object) -> BankLine:
    n = next(_numbers)
    draft = LineDraft(
        **{
            "key": f"ext:{n}",
            "payer": payer,
            "account": account,
            "memo": memo,
            "currency": "EUR",
            "minor": minor,
            "booked_on": DAY,
            "customer_id": None,
            "external_id": f"{n}",
            **given,
        }  # type: ignore[arg-type]
    )
    planned = Planned(Row(n, {}), Outcome.CREATED, draft)
    (public_id,) = write([planned], Setup(f"imp_{n}", Habits()))
    return BankLine.objects.get(public_id=public_id)  # type: ignore[no-any-return]


def opening(owner: Customer, minor: int, number: str = "", **given: object) -> OpenItem:
    n = next(_numbers)
    draft = OpeningDraft(
        **{
            "entity_id": owner.entity_id,
            "customer_id": owner.pk,
            "number": number or f"OLD-{7000 + n}",
            "currency": owner.currency,
            "total_minor": minor,
            "issued_on": date(2026, 10, 1),
            "due_on": date(2026, 10, 31),
            "source": f"test:{n}",
            **given,
        }  # type: ignore[arg-type]
    )
    (public_id,) = open_documents([draft], posted_on=DAY)
    return OpenItem.objects.get(source=public_id)  # type: ignore[no-any-return]
