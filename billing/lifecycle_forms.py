"""What people may type to end, pause and take up subscriptions."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.forms import reasonable, time_of_day
from core.fields import Day


class EndForm(forms.Form):
    """The day from which on an item is not billed any more."""

    on = Day(label=_("Ends on"), help_text=_("The first day that is not billed any more."))

    def clean_on(self) -> date:
        return reasonable(self.cleaned_data["on"])


class EndAllForm(EndForm):
    """The day from which on a subscription is not billed any more."""

    refund = forms.BooleanField(
        label=_("Ask what was paid of unused days back"),
        required=False,
        help_text=_("Else it stays as the customer's credit."),
    )

    def __init__(self, *args: Any, timed: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "id_end_%s", **kwargs})
        if timed:
            self.fields["at"] = time_of_day()


class PauseForm(forms.Form):
    """From when to when nothing is billed."""

    on = Day(label=_("From"), required=False, help_text=_("Left empty, the end of the period under way."))
    resumes_on = Day(
        label=_("Goes on from"), required=False, help_text=_("Left empty, until somebody resumes it.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "id_pause_%s", **kwargs})


class AgainForm(forms.Form):
    """The day from which on it is billed again."""

    on = Day(label=_("Billed again from"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "id_again_%s", **kwargs})

    def clean_on(self) -> date:
        return reasonable(self.cleaned_data["on"])
