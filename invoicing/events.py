"""What other apps may know about documents. Amounts are minor units, dates ISO."""

from dataclasses import dataclass
from typing import ClassVar

from core.events import Event


@dataclass(frozen=True, slots=True)
class InvoiceIssued(Event):
    """An invoice was issued and is in the books. `autopay`: the rest is to be charged to the saved method.

    `deposit_minor` of it are due on the day of issue, what is left of it on `due_on`.
    """

    name: ClassVar[str] = "invoice.issued"

    number: str
    customer: str
    currency: str
    total_minor: int
    issued_on: str
    due_on: str
    autopay: bool
    deposit_minor: int = 0


@dataclass(frozen=True, slots=True)
class InvoiceImported(Event):
    """An invoice of another system is in the books as an opening item, with the number it had there."""

    name: ClassVar[str] = "invoice.imported"

    number: str
    customer: str
    currency: str
    total_minor: int
    issued_on: str
    due_on: str


@dataclass(frozen=True, slots=True)
class CreditNoteIssued(Event):
    """A credit note was issued; `credits` is the invoice it corrects."""

    name: ClassVar[str] = "credit_note.issued"

    number: str
    customer: str
    currency: str
    total_minor: int
    issued_on: str
    credits: str


@dataclass(frozen=True, slots=True)
class InvoiceVoided(Event):
    """An invoice was voided: it keeps its number and nothing of it is owed."""

    name: ClassVar[str] = "invoice.voided"

    number: str
    reason: str


@dataclass(frozen=True, slots=True)
class TopUpCreated(Event):
    """A customer's prepaid balance was topped up by an invoice; what is paid of it can be drawn before `expires_on`."""

    name: ClassVar[str] = "top_up.created"

    customer: str
    invoice: str
    currency: str
    total_minor: int
    expires_on: str | None


@dataclass(frozen=True, slots=True)
class TopUpDrawn(Event):
    """A run paid invoices out of a top-up: `amount_minor` in all, `left_minor` is there still."""

    name: ClassVar[str] = "top_up.drawn"

    invoices: tuple[str, ...]
    currency: str
    amount_minor: int
    left_minor: int


@dataclass(frozen=True, slots=True)
class TopUpExpired(Event):
    """The day of a top-up has come: what was paid of it and is left can be drawn no more."""

    name: ClassVar[str] = "top_up.expired"

    invoice: str
    currency: str
    amount_minor: int
