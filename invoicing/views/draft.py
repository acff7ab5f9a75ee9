"""What the editor holds: the head, its lines as typed, and what they come to so far."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.http import QueryDict

from core.errors import Invalid
from core.money import Money, MoneyError, exponent
from core.templatetags.fmt import quantity as quantity_text
from customers.lookup import label_of, named
from invoicing.domain.terms import deposit_of, due_day
from invoicing.domain.totals import LineDraft, TaxDraft, Totals, line, totals
from invoicing.explain import price_text
from invoicing.forms import DraftForm, LineForm
from invoicing.selectors import DocumentView
from invoicing.services.edit import MAX_LINES, DraftContent
from tenants.selectors import entity

CELLS = ("description", "quantity", "unit_price", "tax_percent", "position")


@dataclass(slots=True)
class TypedLine:
    """A row of the grid: the form keeps what was typed, `draft` is there as soon as it can be worked out."""

    form: LineForm
    currency: str
    draft: LineDraft | None = None
    n: int = 0

    @property
    def amount(self) -> Money | None:
        return Money(self.draft.amount_minor, self.currency) if self.draft else None

    @property
    def price(self) -> str:
        return price_text(self.draft.unit_price, self.currency) if self.draft else ""

    @property
    def problems(self) -> list[str]:
        return [str(message) for messages in self.form.errors.values() for message in messages]


@dataclass(slots=True)
class Typed:
    """The whole of an editor: `content` is None until everything in it can be saved."""

    form: DraftForm
    lines: list[TypedLine]
    owner: Any
    currency: str
    totals: Totals | None
    seller: Any
    problem: str = ""

    @property
    def due_on(self) -> date | None:
        day = getattr(self.form, "cleaned_data", {}).get("issued_on") or self.form.today
        return due_day(day, self.terms_days, self.deposit_percent) if self.owner else None

    @property
    def deposit(self) -> Money | None:
        """What of it is due at once, where the rest is due later."""
        total = self.totals.total_minor if self.totals else 0
        minor = deposit_of(total, self.deposit_percent, self.terms_days)
        return self.money(minor) if minor else None

    @property
    def terms_days(self) -> int:
        days = getattr(self.form, "cleaned_data", {}).get("terms_days")
        if days is None:
            return int(self.owner.terms_days) if self.owner else 0
        return int(days)

    @property
    def deposit_percent(self) -> int:
        percent = getattr(self.form, "cleaned_data", {}).get("deposit_percent")
        if percent is None:
            return int(self.owner.deposit_percent or 0) if self.owner else 0
        return int(percent)

    @property
    def content(self) -> DraftContent | None:
        if not self.form.is_valid() or any(each.problems or not each.draft for each in self.lines):
            return None
        drafts = tuple(each.draft for each in self.lines if each.draft)
        return DraftContent(
            self.owner, self.terms_days, drafts, self.form.cleaned_data["memo"], self.deposit_percent
        )

    @property
    def memo(self) -> str:
        return str(self.form["memo"].value() or "")

    @property
    def cells(self) -> list[dict[str, Any]]:
        """For each row of the grid, by its place there: its amount, or that it cannot be worked out."""
        return [
            {
                "n": each.n,
                "amount": each.amount,
                "wrong": each.draft is None and bool(each.form["unit_price"].value()),
            }
            for each in self.lines
        ]

    @property
    def positions(self) -> list[int | None]:
        """For each line the position it had when the editor was opened."""
        return [each.form.cleaned_data.get("position") for each in self.lines]

    def money(self, minor: int) -> Money:
        return Money(minor, self.currency)

    @property
    def sums(self) -> dict[str, Any]:
        """Net, taxes and total as money; empty while something cannot be worked out."""
        if self.totals is None:
            return {}
        return {
            "net": self.money(self.totals.net_minor),
            "total": self.money(self.totals.total_minor),
            "taxes": [self._tax(tax) for tax in self.totals.taxes if tax.percent],
        }

    def _tax(self, tax: TaxDraft) -> dict[str, Any]:
        return {
            "percent": tax.percent / 100,
            "base": self.money(tax.base_minor),
            "tax": self.money(tax.tax_minor),
        }


def read(post: QueryDict, *, today: date) -> Typed:
    """What was typed, worked out as far as it goes; problems stand at their fields. Inside work()."""
    form = DraftForm(post, today=today)
    form.is_valid()
    owner = _owner(form)
    seller = owner.entity if owner else entity()
    currency = owner.currency if owner else seller.currency
    lines = [_typed_line(n, cells, currency) for n, cells in _rows(post)]
    drafts = [each.draft for each in lines if each.draft]
    problem = ""
    sums: Totals | None = None
    try:
        sums = totals(drafts)
    except MoneyError as error:
        problem = str(error)
        form.add_error(None, problem)
    if not lines:
        form.add_error(None, "A document needs at least one line.")
    return Typed(form, lines, owner, currency, sums, seller, problem)


def _owner(form: DraftForm) -> Any:
    text = form.cleaned_data.get("customer")
    if not text:
        return None
    try:
        return named(text)
    except Invalid as error:
        form.add_error("customer", error.message)
        return None


def _rows(post: QueryDict) -> list[tuple[int, dict[str, str]]]:
    """The rows of the grid with their places, without those in which nothing was typed."""
    columns = {name: post.getlist(name) for name in CELLS}
    found = []
    for n in range(min(len(columns["description"]), MAX_LINES + 1)):
        cells = {name: values[n] if n < len(values) else "" for name, values in columns.items()}
        if any(cells[name].strip() for name in ("description", "quantity", "unit_price")):
            found.append((n, cells))
    return found


def _typed_line(n: int, cells: dict[str, str], currency: str) -> TypedLine:
    form = LineForm(cells, places=exponent(currency))
    form.is_valid()
    said = form.cleaned_data
    typed = TypedLine(form, currency, n=n)
    if said.get("unit_price") is None or "tax_percent" not in said or "quantity" in form.errors:
        return typed
    quantity = Decimal(1) if said["quantity"] is None else said["quantity"]
    try:
        typed.draft = line(
            said.get("description", ""),
            quantity,
            said["unit_price"],
            currency,
            tax_percent=said["tax_percent"],
        )
    except MoneyError as error:
        form.add_error("unit_price", str(error))
    return typed


def stored(shown: DocumentView, *, today: date) -> Typed:
    """A stored draft as the editor shows it."""
    row = shown.document
    form = DraftForm(
        today=today,
        initial={
            "customer": label_of(row.customer),
            "issued_on": today,
            "terms_days": row.terms_days,
            "deposit_percent": row.deposit_percent,
            "memo": row.memo,
            "version": row.version,
        },
    )
    lines = [
        TypedLine(
            LineForm(
                {
                    "description": each.description,
                    "quantity": quantity_text(each.quantity),
                    "unit_price": price_text(each.unit_price, row.currency)
                    .replace("(", "-")
                    .replace(")", ""),
                    "tax_percent": quantity_text(each.tax_percent),
                    "position": str(each.position),
                }
            ),
            row.currency,
            line(
                each.description, each.quantity, each.unit_price, row.currency, tax_percent=each.tax_percent
            ),
        )
        for each in shown.lines
    ]
    drafts = [each.draft for each in lines if each.draft]
    return Typed(form, lines, row.customer, row.currency, totals(drafts), row.entity)


def blank(customer: Any, *, today: date) -> Typed:
    """A new draft, for a customer when one is given."""
    form = DraftForm(
        today=today,
        initial={
            "issued_on": today,
            "customer": label_of(customer) if customer else "",
            "terms_days": customer.terms_days if customer else None,
            "deposit_percent": (customer.deposit_percent or 0) if customer else None,
        },
    )
    seller = customer.entity if customer else entity()
    return Typed(form, [], customer, customer.currency if customer else seller.currency, totals([]), seller)
