"""What a printed document says: plain strings, formatted by the caller in the document's language.

templates/invoicing/document_pdf.html lays them out; core.pdf makes the PDF. An empty string is not printed.
"""

from dataclasses import dataclass
from math import ceil

LARGE = 17
"""Characters of currency and amount that fit in large type."""
FIGURE, TOTAL = 1.95, 2.35
"""Millimetres a character takes among the lines and among the totals."""


def _width(figures: list[str], character: float) -> int:
    """Width of a column that holds the figures, its gap and a short heading; never so wide that nothing else fits."""
    return min(45, max(21, ceil(max(map(len, figures), default=0) * character) + 6))


@dataclass(frozen=True, slots=True)
class SheetLine:
    """One line of the table. `detail` stands small below the description: the period, how it came about."""

    description: str
    amount: str
    detail: str = ""
    quantity: str = ""
    unit_price: str = ""
    tax: str = ""


@dataclass(frozen=True, slots=True)
class SheetTax:
    """One rate: its label ("VAT 19 %"), the amount it is on, and the tax."""

    label: str
    base: str
    tax: str


@dataclass(frozen=True, slots=True)
class DocumentSheet:
    """An invoice or credit note. Amounts are figures without the currency, which is printed beside the totals.

    What is still open is shown only when `paid` says that something was paid. `pay_qr` is an image as a data: URI;
    without `pay_url` and `bank_lines` there is no box to pay from. `dated` is an ISO date for the PDF's own
    metadata, so that the same document is the same bytes whenever it is made. `mark` stands over every page of what is
    no real document.
    """

    title: str
    number: str
    seller_name: str
    buyer_name: str
    issued_on: str
    currency: str
    net: str
    total: str
    lines: tuple[SheetLine, ...]
    tax_lines: tuple[SheetTax, ...] = ()
    seller_address: tuple[str, ...] = ()
    seller_tax_number: str = ""
    seller_contact: str = ""
    buyer_address: tuple[str, ...] = ()
    buyer_number: str = ""
    buyer_tax_number: str = ""
    due_on: str = ""
    terms: str = ""
    service_period: str = ""
    order_number: str = ""
    paid: str = ""
    open: str = ""
    memo: str = ""
    notes: tuple[str, ...] = ()
    pay_url: str = ""
    pay_qr: str = ""
    bank_lines: tuple[str, ...] = ()
    credit_of: str = ""
    language: str = "en"
    dated: str = ""
    brand: str = "#274b9f"
    mark: str = ""

    @property
    def rtl(self) -> bool:
        """Whether the document's language is written from right to left."""
        return self.language.partition("-")[0] in {"ar", "fa", "he", "ur", "yi", "ps", "dv", "ckb"}

    @property
    def is_part_paid(self) -> bool:
        """Whether something was paid already, so that what is asked is not the total."""
        return bool(self.paid and self.open)

    @property
    def asked(self) -> str:
        """The one large figure."""
        return self.open if self.is_part_paid else self.total

    @property
    def is_wide(self) -> bool:
        """Whether the large figure has to be set smaller to fit its third of the page."""
        return len(self.currency) + len(self.asked) > LARGE

    @property
    def pay_label(self) -> str:
        """The pay link as a person types it."""
        return self.pay_url.removeprefix("https://")

    @property
    def widths(self) -> dict[str, int]:
        """Millimetres of the columns of figures, by their longest one; the description gets the rest."""
        columns = {
            name: _width([getattr(line, name) for line in self.lines], FIGURE)
            for name in ("quantity", "unit_price", "tax", "amount")
        }
        return {
            **columns,
            "sums": _width([self.net, self.total, *(tax.tax for tax in self.tax_lines)], TOTAL),
        }

    @property
    def has_tax(self) -> bool:
        """Whether the column of rates has anything to say."""
        return any(line.tax for line in self.lines)

    @property
    def has_quantities(self) -> bool:
        """Whether the columns of quantity and price have anything to say."""
        return any(line.quantity or line.unit_price for line in self.lines)
