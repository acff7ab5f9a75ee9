"""What people may type on the pages of usage."""

import re

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.domain.usage import Aggregation
from billing.domain.usage_events import LATE_DAYS, MOST_LATE_DAYS, NAME
from core.fields import Day, FormKey, Line, Whole
from invoicing.forms import NumberField

WORDS = {
    Aggregation.COUNT: _("Number of events"),
    Aggregation.SUM: _("Sum of values"),
    Aggregation.MAX: _("Largest value"),
    Aggregation.LAST: _("Last value"),
    Aggregation.UNIQUE: _("Different values"),
    Aggregation.WEIGHTED_SUM: _("Average level over time"),
}


class MeterForm(forms.Form):
    """A meter: what is counted, and how."""

    name = Line(label=_("Name"), max_length=200)
    code = forms.CharField(label=_("Code"), max_length=NAME, help_text=_("What events name it by."))
    aggregation = forms.ChoiceField(
        label=_("What it comes to"), choices=[(str(each), word) for each, word in WORDS.items()]
    )
    field = forms.CharField(
        label=_("Property"),
        max_length=NAME,
        required=False,
        help_text=_("Of the event, that holds the value; none for a number of events."),
    )
    group_by = Line(
        label=_("Count apart by"),
        max_length=130,
        required=False,
        help_text=_("Up to three properties, with commas between."),
    )
    late_days = Whole(label=_("Days late at most"), min_value=1, max_value=MOST_LATE_DAYS, initial=LATE_DAYS)
    key = FormKey()

    def clean_group_by(self) -> list[str]:
        return [each for each in re.split(r"[,\s]+", self.cleaned_data["group_by"]) if each]


class AlertForm(forms.Form):
    """A figure to be told of; of one subscription where that is named."""

    threshold = NumberField(
        label=_("Figure"), help_text=_("In the meter's own unit; told once in each period.")
    )
    subscription = forms.SlugField(required=False, max_length=40, widget=forms.HiddenInput)


class UsageForm(forms.Form):
    """Which meter, and a day of the month that is shown."""

    meter = forms.CharField(required=False, max_length=NAME)
    day = Day(required=False)


class EventsForm(forms.Form):
    """Which events are shown."""

    meter = forms.CharField(required=False, max_length=NAME)
    subscription = forms.SlugField(required=False, max_length=40)
    day = Day(required=False)
    transaction_id = Line(label=_("Transaction id"), required=False, max_length=128)
