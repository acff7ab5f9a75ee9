"""What people may type on the pages of cash application."""

import re
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cashapp.selectors import PaymentFilter
from cashapp.services.payments import METHODS
from core import fields as core_fields
from core import money
from core.fields import FormKey, Line
from tenants.days import is_near

METHOD_LABELS = {
    "bank_transfer": _("Bank transfer"),
    "check": _("Check"),
    "cash": _("Cash"),
    "card": _("Card, charged elsewhere"),
    "other": _("Other"),
}


class PaymentFilterForm(forms.Form):
    """The filters of the list of payments, as they stand in the address."""

    currency = forms.RegexField(r"\A[A-Z]{3}\Z", required=False)
    received_from = core_fields.Day(required=False)
    received_to = core_fields.Day(required=False)

    def wanted(self) -> PaymentFilter:
        """The filter; what could not be understood is left out."""
        self.is_valid()
        return PaymentFilter(**{name: value for name, value in self.cleaned_data.items() if value})


class AmountField(forms.CharField):
    """An amount in a currency that is known when the form is made; cleans to minor units."""

    def __init__(self, *, currency: str = "EUR", **kwargs: Any) -> None:
        self.currency = currency
        super().__init__(max_length=40, **kwargs)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            return money.parse(text, self.currency).minor
        except money.MoneyError as error:
            raise forms.ValidationError(str(error)) from error


class Day(core_fields.Day):
    """A local date within ten years of today."""

    def __init__(self, *, today: date, **kwargs: Any) -> None:
        self.today = today
        super().__init__(initial=today, **kwargs)

    def clean(self, value: Any) -> Any:
        day = super().clean(value)
        if day and not is_near(day, self.today):
            raise forms.ValidationError(_("That date is too far away."))
        return day


class RecordForm(forms.Form):
    """Money that came another way than through a gateway. One amount field per open item may say where it goes."""

    amount = AmountField(label=_("Amount received"))
    method = forms.ChoiceField(label=_("How"), choices=[(name, METHOD_LABELS[name]) for name in METHODS])
    memo = Line(label=_("Reference"), max_length=300, required=False)
    key = FormKey()

    def __init__(self, *args: Any, currency: str, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency
        self.fields["amount"] = AmountField(label=_("Amount received"), currency=currency)
        self.fields["received_on"] = Day(label=_("Received on"), today=today)


class TakeBackForm(forms.Form):
    """A reason, and the day on which the taking back is booked."""

    reason = Line(label=_("Reason"), max_length=300)

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["on"] = Day(label=_("Booked on"), today=today)


class AsideForm(forms.Form):
    """Why a bank line is no customer's money."""

    reason = Line(label=_("What is it?"), max_length=300)


_PART = re.compile(r"\Apart-(item_[0-9A-Z]{26})\Z")


def parts_of(data: Any, currency: str) -> tuple[dict[str, int], dict[str, str]]:
    """Minor units by open item's public id typed into `part-<id>` fields, and sentences for what is no amount."""
    parts: dict[str, int] = {}
    problems: dict[str, str] = {}
    for name, text in data.items():
        if not (found := _PART.match(name)) or not text.strip():
            continue
        try:
            parts[found[1]] = money.parse(text, currency).minor
        except money.MoneyError as error:
            problems[found[1]] = str(error)
    return parts, problems
