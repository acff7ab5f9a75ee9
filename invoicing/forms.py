"""What people may type on the pages of documents."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from babel.numbers import get_decimal_symbol
from dateutil.relativedelta import relativedelta
from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from core import money
from core.fields import Day, FormKey, Line, Lines, Whole
from core.templatetags.fmt import current_locale
from invoicing.domain.days import issue_problem
from invoicing.domain.typed import NotANumber, number
from invoicing.listing import STATES, DocumentFilter

REASON_LENGTH = 300


class NumberField(forms.CharField):
    """A number as typed, with arithmetic: `1,200.50` or `1200/12*3`; exact."""

    def __init__(self, *, places: int = 12, sum_places: int | None = None, **kwargs: Any) -> None:
        super().__init__(max_length=60, **kwargs)
        self.places, self.sum_places = places, sum_places

    def clean(self, value: Any) -> Decimal | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            return number(
                text,
                mark=get_decimal_symbol(current_locale()),
                places=self.places,
                sum_places=self.sum_places,
            )
        except NotANumber as error:
            raise forms.ValidationError(str(error)) from error


class MoneyField(NumberField):
    """An amount of one currency in major units; cleans to minor units."""

    def __init__(self, *, currency: str, **kwargs: Any) -> None:
        self.currency = currency
        places = money.exponent(currency)
        super().__init__(places=places, sum_places=places, **kwargs)

    def clean(self, value: Any) -> int | None:  # type: ignore[override]
        amount = super().clean(value)
        try:
            return None if amount is None else money.from_decimal(amount, self.currency).minor
        except money.MoneyError as error:
            raise forms.ValidationError(str(error)) from error


PRESETS = {
    "this-month": _("this month"),
    "last-month": _("last month"),
    "next-month": _("next month"),
    "this-quarter": _("this quarter"),
    "last-quarter": _("last quarter"),
    "this-year": _("this year"),
}


def preset(name: str, today: date) -> tuple[date, date]:
    """First and last day of a preset range around today."""
    month = today.replace(day=1)
    quarter = date(today.year, 3 * ((today.month - 1) // 3) + 1, 1)
    start, months = {
        "this-month": (month, 1),
        "last-month": (month - relativedelta(months=1), 1),
        "next-month": (month + relativedelta(months=1), 1),
        "this-quarter": (quarter, 3),
        "last-quarter": (quarter - relativedelta(months=3), 3),
        "this-year": (date(today.year, 1, 1), 12),
    }[name]
    return start, start + relativedelta(months=months) - timedelta(days=1)


class FilterForm(forms.Form):
    """The filters of the list of documents, as they stand in the address."""

    state = forms.ChoiceField(required=False, choices=[("", _("Any")), *((name, name) for name in STATES)])
    kind = forms.ChoiceField(
        label=_("Kind"),
        required=False,
        choices=[
            ("", _("Invoices and credit notes")),
            ("invoice", _("Invoices")),
            ("opening", _("Invoices brought in")),
            ("credit_note", _("Credit notes")),
        ],
    )
    q = forms.CharField(label=_("Number or amount"), required=False, max_length=60)
    customer = forms.CharField(required=False, max_length=40, validators=[RegexValidator(r"\A\w+\Z")])
    subscription = forms.CharField(required=False, max_length=40, validators=[RegexValidator(r"\A\w+\Z")])
    customer_name = forms.CharField(label=_("Customer"), required=False, max_length=300)
    currency = forms.CharField(
        label=_("Currency"), required=False, max_length=3, validators=[RegexValidator(r"\A[A-Z]{3}\Z")]
    )
    amount = NumberField(label=_("Total, exact"), required=False, places=4)
    due = forms.ChoiceField(label=_("Due"), required=False, choices=[("", _("Any time")), *PRESETS.items()])
    due_from = Day(label=_("Due from"), required=False)
    due_to = Day(label=_("Due to"), required=False)
    issued = forms.ChoiceField(
        label=_("Issued"), required=False, choices=[("", _("Any time")), *PRESETS.items()]
    )
    issued_from = Day(label=_("Issued from"), required=False)
    issued_to = Day(label=_("Issued to"), required=False)

    def wanted(self, today: date) -> DocumentFilter:
        """The filter; what could not be understood is left out, and its error stands at its field."""
        self.is_valid()
        given: dict[str, Any] = self.cleaned_data
        ranges: dict[str, date | None] = {}
        for name in ("due", "issued"):
            first, last = given.get(f"{name}_from"), given.get(f"{name}_to")
            if given.get(name):
                first, last = preset(given[name], today)
            ranges |= {f"{name}_from": first, f"{name}_to": last}
        amount = given.get("amount")
        return DocumentFilter(
            state=given.get("state", ""),
            kind=given.get("kind", ""),
            text=given.get("q", ""),
            customer=given.get("customer", ""),
            subscription=given.get("subscription", ""),
            currency=given.get("currency", ""),
            amount="" if amount is None else f"{abs(amount):f}",
            **ranges,
        )


class ReasonForm(forms.Form):
    """An act that needs a reason."""

    reason = Line(
        label=_("Reason, kept in the audit trail"),
        max_length=REASON_LENGTH,
        error_messages={"required": _("Say why.")},
    )


class VoidForm(ReasonForm):
    """Voiding an invoice."""

    prefix = "void"


class IssueForm(forms.Form):
    """Issuing a draft, today unless told otherwise."""

    prefix = "issue"

    issued_on = Day(label=_("Invoice date"))

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.fields["issued_on"].initial = today

    def clean_issued_on(self) -> date:
        return _issue_day(self.cleaned_data["issued_on"], self.today)


def _issue_day(day: date, today: date) -> date:
    if problem := issue_problem(day, today):
        raise forms.ValidationError(_(problem))
    return day


class CreditForm(ReasonForm):
    """A credit note over all that is left, or over amounts of single lines."""

    prefix = "credit"

    what = forms.ChoiceField(
        label=_("What to credit"),
        choices=[("all", _("Everything that is left")), ("lines", _("Amounts of single lines"))],
        widget=forms.RadioSelect,
        initial="all",
    )
    key = FormKey()

    def __init__(self, *args: Any, currency: str, left: Mapping[int, int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.left = left
        for position in left:
            self.fields[f"line_{position}"] = MoneyField(
                currency=currency, required=False, label=str(position)
            )

    def amounts(self) -> dict[int, int] | None:
        """Net minor units by line position, or None for everything that is left."""
        if self.cleaned_data["what"] == "all":
            return None
        return {n: self.cleaned_data[f"line_{n}"] for n in self.left if self.cleaned_data.get(f"line_{n}")}


class WriteOffForm(ReasonForm):
    """Writing off what is open, or a part of it."""

    prefix = "write_off"

    key = FormKey()

    def __init__(self, *args: Any, currency: str, open_minor: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        initial = money.Money(open_minor, currency).decimal
        self.fields["amount"] = MoneyField(
            currency=currency, label=_("Amount to write off"), initial=f"{initial:f}"
        )
        self.order_fields(["amount", "reason"])


class DraftForm(forms.Form):
    """The head of a draft; its lines are LineForms."""

    customer = forms.CharField(label=_("Customer"), max_length=300)
    issued_on = Day(label=_("Invoice date"), required=False)
    terms_days = Whole(label=_("Days to pay"), min_value=0, max_value=365, required=False)
    deposit_percent = Whole(label=_("Deposit, %"), min_value=0, max_value=100, required=False)
    memo = Lines(
        label=_("Note on the invoice"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    key = FormKey()
    version = Whole(min_value=0, max_value=2**31 - 1, required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    def clean_issued_on(self) -> date:
        return _issue_day(self.cleaned_data["issued_on"] or self.today, self.today)


class TopUpForm(forms.Form):
    """A prepaid balance to top up, in the customer's currency."""

    expires_on = Day(
        label=_("Expires on"), required=False, help_text=_("The first day on which it pays no more.")
    )
    memo = forms.CharField(
        label=_("Note on the invoice"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    key = FormKey()

    def __init__(self, *args: Any, currency: str, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"] = MoneyField(label=_("Amount"), currency=currency)
        self.today = today

    def clean_amount(self) -> int:
        minor: int = self.cleaned_data["amount"]
        if minor <= 0:
            raise forms.ValidationError(_("More than nothing."))
        return minor

    def clean_expires_on(self) -> date | None:
        day: date | None = self.cleaned_data["expires_on"]
        if day is not None and day <= self.today:
            raise forms.ValidationError(_("A day to come."))
        return day


class LineForm(forms.Form):
    """One line of a draft."""

    description = Line(label=_("Item"), max_length=500, error_messages={"required": _("Say what it is for.")})
    quantity = NumberField(label=_("Quantity"), required=False)
    unit_price = NumberField(label=_("Price"), error_messages={"required": _("A line needs a price.")})
    tax_percent = NumberField(label=_("Tax"), required=False, places=4)
    position = Whole(min_value=1, max_value=10_000, required=False)

    def __init__(self, *args: Any, places: int = 2, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["unit_price"] = NumberField(
            label=_("Price"), sum_places=places, error_messages={"required": _("A line needs a price.")}
        )
        if isinstance(self.data, dict) and "tax_percent" in self.data:
            self.data = {**self.data, "tax_percent": str(self.data["tax_percent"]).replace("%", "").strip()}

    def clean_tax_percent(self) -> Decimal:
        percent = self.cleaned_data["tax_percent"] or Decimal(0)
        if not 0 <= percent <= 100:  # noqa: PLR2004
            raise forms.ValidationError(_("A tax is between 0 and 100 percent."))
        return percent
