"""What people may type of coupons and discounts."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.domain.days import day_problem
from billing.domain.discounts import Per
from billing.models import MOST_PERIODS, Coupon, Plan
from core.choices import currencies
from core.fields import Day, FormKey, Line, Whole
from invoicing.forms import NumberField


class OffForm(forms.Form):
    """A percentage or an amount, for some periods or for ever."""

    percent = NumberField(label=_("Percent off"), places=4, required=False)
    amount = NumberField(label=_("Amount off"), required=False, help_text=_("Or a percentage of each line."))
    per = forms.ChoiceField(
        label=_("The amount is off"),
        choices=[(Per.BILL.value, _("each bill, once")), (Per.LINE.value, _("each line"))],
        required=False,
        help_text=_("A bill is all that falls due on one day; its lines share the amount."),
    )
    periods = Whole(
        label=_("Periods"),
        required=False,
        min_value=1,
        max_value=MOST_PERIODS,
        help_text=_("Of the plan; 1 for once, left empty for ever."),
    )

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or self.cleaned_data
        if said.get("amount") is None:  # the choice is always sent, and is of an amount alone
            said["per"] = None
        return said


class CouponForm(OffForm):
    """A coupon."""

    name = Line(label=_("Name"), max_length=120, help_text=_("What invoices call it."))
    code = forms.CharField(label=_("Code"), max_length=40)
    currency = forms.ChoiceField(label=_("Currency"), choices=currencies, required=False)
    most = Whole(label=_("Given at most"), required=False, min_value=1, max_value=1_000_000)
    until = Day(label=_("Given until"), required=False)
    key = FormKey()

    def __init__(
        self, *args: Any, plans: Sequence[Plan], products: Sequence[Mapping[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **{"auto_id": "id_coupon_%s", **kwargs})
        self.fields["plans"] = forms.MultipleChoiceField(
            label=_("For the plans"),
            required=False,
            help_text=_("No plan and no product: for all."),
            choices=[(each.code, each.name) for each in plans],
        )
        self.fields["products"] = forms.MultipleChoiceField(
            label=_("For the products"),
            required=False,
            help_text=_("Whatever plans belong to them, also later."),
            choices=[(each["code"], each["name"]) for each in products],
        )

    def clean(self) -> dict[str, Any]:
        said = super().clean()
        if said.get("amount") is None:
            said["currency"] = ""
        return said


class DiscountForm(OffForm):
    """What one subscription has off: a coupon, or something of its own."""

    name = Line(label=_("Name"), max_length=120, required=False, help_text=_("What invoices call it."))
    on = Day(
        label=_("From"),
        required=False,
        help_text=_("For periods that begin then or later; left empty, the first that is not billed."),
    )
    key = FormKey()

    def __init__(self, *args: Any, coupons: Sequence[Coupon], **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "id_off_%s", **kwargs})
        none = ("", _("None: a discount of its own"))
        self.fields["coupon"] = forms.ChoiceField(
            label=_("Coupon"),
            required=False,
            choices=[none, *((each.code, f"{each.code}, {each.name}") for each in coupons)],
        )

    def clean_on(self) -> date | None:
        day: date | None = self.cleaned_data["on"]
        if day is not None and (problem := day_problem(day)):
            raise forms.ValidationError(_(problem))
        return day
