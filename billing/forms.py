"""What people may type on the pages of billing."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from billing.domain.anchors import MOST_TRIAL, Rhythm
from billing.domain.days import day_problem
from billing.domain.proration import Proration
from billing.models import MOST_QUANTITY, Price
from billing.standing import STATES
from billing.words import full_text, model_text
from core.fields import Day, FormKey, TimeOfDay, Whole
from invoicing.forms import NumberField

_word = RegexValidator(r"\A[\w.-]*\Z")


class QuoteForm(forms.Form):
    """How much, to be told what it costs."""

    quantity = NumberField(label=_("Quantity"))


def _own_price() -> NumberField:
    return NumberField(
        label=_("Own unit price"), required=False, help_text=_("Instead of the price's, for this one alone.")
    )


class ItemForm(forms.Form):
    """What is billed beside a subscription's plan."""

    price = forms.ChoiceField(label=_("Price"))
    unit_price = _own_price()
    quantity = NumberField(label=_("Quantity"), initial="1")
    starts_on = Day(label=_("From"), help_text=_("A first part of a period is billed by its share."))
    key = FormKey()

    def __init__(self, *args: Any, prices: Sequence[Price], today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["price"] = offered(prices)
        self.fields["starts_on"].initial = today


def time_of_day() -> TimeOfDay:
    """When on its day something changes or ends, of what is prorated by the second."""
    return TimeOfDay(label=_("At"), required=False, help_text=_("Left empty, with the beginning of the day."))


class ChangeForm(forms.Form):
    """What a subscription's plan becomes from a day on; what is left empty stays as it is before it."""

    price = forms.ChoiceField(label=_("Price"))
    quantity = NumberField(label=_("Quantity"), required=False)
    unit_price = _own_price()
    on = Day(
        label=_("From"),
        required=False,
        help_text=_("Left empty, the end of the period under way; within it, what is billed is credited."),
    )

    def __init__(self, *args: Any, prices: Sequence[Price], timed: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "id_change_%s", **kwargs})
        if timed:
            self.fields["at"] = time_of_day()
        self.fields["price"] = offered(prices, none=True, called=_("As before"))
        self.fields["price"].required = False


class RevokeForm(forms.Form):
    """The day of the step that is taken back."""

    on = Day(required=False)


class StepForm(ChangeForm):
    """A step that a new subscription begins with; a row that is left empty is none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kept = {"auto_id": "id_%s", "empty_permitted": True, "use_required_attribute": False}
        super().__init__(*args, **{**kept, **kwargs})
        self.fields["on"].help_text = ""

    def clean_on(self) -> date | None:
        day: date | None = self.cleaned_data["on"]
        if day is None:
            raise forms.ValidationError(_("Say from which day on."))
        return reasonable(day)


class SubscriptionForm(forms.Form):
    """A customer's subscription to a plan."""

    customer = forms.CharField(label=_("Customer"), max_length=300)
    price = forms.ChoiceField(label=_("Price"))
    unit_price = _own_price()
    quantity = NumberField(label=_("Quantity"), initial="1")
    starts_on = Day(label=_("First day"))
    ends_on = Day(
        label=_("Ends on"), required=False, help_text=_("The first day that is not billed any more.")
    )
    trial_days = Whole(label=_("Days of trial"), required=False, min_value=0, max_value=MOST_TRIAL)
    periods = forms.ChoiceField(
        label=_("Periods begin"),
        required=False,
        choices=[
            ("", _("with the first billed day")),
            ("calendar", _("with the calendar: weeks on Mondays, months on the 1st")),
            ("day", _("on a day of the month")),
            ("others", _("with those of the customer's other subscriptions")),
        ],
    )
    anchor_day = Whole(
        label=_("Day of the month"),
        required=False,
        min_value=1,
        max_value=31,
        help_text=_("Months without it begin on their last day."),
    )
    proration = forms.ChoiceField(
        label=_("Parts of a period"),
        required=False,
        choices=[
            (Proration.DAY, _("by their days")),
            (Proration.SECOND, _("by the second")),
            (Proration.THIRTIETH, _("in thirtieths of a month")),
            (Proration.NONE, _("not billed, not credited")),
        ],
    )
    autopay = forms.TypedChoiceField(
        label=_("Autopay"),
        required=False,
        choices=[("", _("If they keep a card")), ("on", _("On")), ("off", _("Off"))],
        coerce=lambda value: value == "on",
        empty_value=None,
        help_text=_("Whether its invoices are charged by themselves."),
    )
    key = FormKey()

    def __init__(self, *args: Any, prices: Sequence[Price], today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["price"] = offered(prices)
        self.fields["starts_on"].initial = today

    def clean_anchor_day(self) -> int | None:
        day: int | None = self.cleaned_data["anchor_day"]
        if self.cleaned_data.get("periods") == "day" and day is None:
            raise forms.ValidationError(_("Say on which day."))
        return day

    @property
    def rhythm(self) -> Rhythm:
        """How its days are cut into periods, as it was typed."""
        said = self.cleaned_data
        return Rhythm(
            trial_days=said["trial_days"] or 0,
            calendar=said["periods"] == "calendar",
            anchor_day=said["anchor_day"] if said["periods"] == "day" else None,
            with_others=said["periods"] == "others",
            proration=Proration(said["proration"] or Proration.DAY),
        )

    def clean_quantity(self) -> Decimal:
        quantity: Decimal = self.cleaned_data["quantity"]
        if not 0 <= quantity <= MOST_QUANTITY:
            raise forms.ValidationError(_("A quantity is zero or more."))
        return quantity

    def clean_starts_on(self) -> date:
        return reasonable(self.cleaned_data["starts_on"])

    def clean_ends_on(self) -> date | None:
        day = self.cleaned_data["ends_on"]
        return None if day is None else reasonable(day)


def reasonable(day: date) -> date:
    if problem := day_problem(day):
        raise forms.ValidationError(_(problem))
    return day


def offered(prices: Sequence[Price], *, none: bool = False, called: Any = "") -> forms.ChoiceField:
    """One of the prices, each told in full; with `none` first none of them, and what that is `called`."""
    said = [(each.public_id, f"{each.plan.name}: {model_text(each)}, {full_text(each)}") for each in prices]
    return forms.ChoiceField(label=_("Price"), choices=[("", called), *said] if none else said)


class SubscriptionFilterForm(forms.Form):
    """The filters of the list of subscriptions."""

    state = forms.ChoiceField(required=False, choices=[("", ""), *((each, "") for each in STATES)])
    customer = forms.CharField(required=False, max_length=40, validators=[_word])
    customer_name = forms.CharField(label=_("Customer"), required=False, max_length=300)
    plan = forms.CharField(label=_("Plan"), required=False, max_length=40, validators=[_word])


class RunForm(forms.Form):
    """The day of a run."""

    as_of = Day(label=_("Bill everything due by"))
    key = FormKey()

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.fields["as_of"].initial = today
        self.fields["as_of"].widget.attrs["max"] = today.isoformat()

    def clean_as_of(self) -> date:
        day: date = self.cleaned_data["as_of"]
        if not day.year >= 2000 or day > self.today:  # noqa: PLR2004
            raise forms.ValidationError(_("Choose a day up to today."))
        return day
