"""What each mail needs to be written: one frozen class per template, so that a missing word is an error in Python.

Every value is a plain string, formatted by the caller in the reader's language; `""` means "not to be shown" where
a field has that default. Apps above add classes of their own the same way, with their own template's name.

    invoice_issued   organization_name, customer_name, number, amount, due_on, pay_url, lines, drawn
    receipt          organization_name, customer_name, number, amount, paid_on, lines, remaining
    payment_failed   organization_name, customer_name, number, amount, due_on, reason, next_try_on, pay_url
"""

from dataclasses import dataclass, fields
from typing import ClassVar
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the small table in a mail: what for, and how much."""

    text: str
    amount: str

    def __post_init__(self) -> None:
        _require_text(text=self.text, amount=self.amount)


@dataclass(frozen=True, kw_only=True)
class Letter:
    """Base: `template` names templates/messages/<template>.subject.txt, .txt and .html.

    Raises TypeError for a value that is not a plain string (a lazy one, or one marked as markup), and ValueError
    for an address that is not http(s).
    """

    template: ClassVar[str]

    organization_name: str
    customer_name: str

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "lines":
                _require_lines(value)
                continue
            _require_text(**{field.name: value})
            if field.name.endswith("_url") and value and not _is_web_address(value):
                raise ValueError(f"{field.name} is not an http(s) address.")


@dataclass(frozen=True, kw_only=True)
class InvoiceIssued(Letter):
    """A new invoice, its PDF attached. Without `pay_url` there is no button, without lines no table.

    `drawn` of it was paid out of a prepaid balance; without `due_on` nothing is to be paid. A `deposit` is due on
    `deposit_on` already, the rest then. A card that is `charged` by itself leaves nothing to do.
    """

    template: ClassVar[str] = "invoice_issued"

    number: str
    amount: str
    due_on: str
    pay_url: str = ""
    lines: tuple[Line, ...] = ()
    drawn: str = ""
    charged: str = ""
    deposit: str = ""
    deposit_on: str = ""


@dataclass(frozen=True, kw_only=True)
class Receipt(Letter):
    """Money arrived. `lines` say what it was put against; `remaining` is what is still owed of those, if anything."""

    template: ClassVar[str] = "receipt"

    number: str
    amount: str
    paid_on: str
    method: str = ""
    lines: tuple[Line, ...] = ()
    remaining: str = ""
    pay_url: str = ""


@dataclass(frozen=True, kw_only=True)
class PaymentFailed(Letter):
    """A charge did not go through. `reason` is the customer's wording, never a vendor's code."""

    template: ClassVar[str] = "payment_failed"

    number: str
    amount: str
    due_on: str
    reason: str = ""
    method: str = ""
    next_try_on: str = ""
    pay_url: str = ""


def _require_text(**values: object) -> None:
    for name, value in values.items():
        if type(value) is not str:
            raise TypeError(f"{name} must be a plain string, not {type(value).__name__}.")


def _require_lines(value: object) -> None:
    if not isinstance(value, tuple) or not all(isinstance(line, Line) for line in value):
        raise TypeError("lines must be a tuple of Line.")


def _is_web_address(url: str) -> bool:
    return urlsplit(url).scheme in {"https", "http"} and url.isprintable() and " " not in url
