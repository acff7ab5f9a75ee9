"""The filters of the list of messages, as they stand in the address."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator

from core.fields import Line
from messaging.domain.states import State
from messaging.selectors import MessageFilter

_ID = RegexValidator(r"\A[a-z]+_\w+\Z")


class FilterForm(forms.Form):
    """What could not be understood is left out."""

    state = forms.ChoiceField(required=False, choices=[("", ""), *((str(state), "") for state in State)])
    kind = forms.CharField(required=False, max_length=60)
    q = Line(required=False, max_length=254)
    customer = forms.CharField(required=False, max_length=40, validators=[_ID])
    about = forms.CharField(required=False, max_length=40, validators=[_ID])

    def wanted(self) -> MessageFilter:
        """The filter."""
        self.is_valid()
        given: dict[str, Any] = self.cleaned_data
        return MessageFilter(
            state=given.get("state", ""),
            kind=given.get("kind", ""),
            recipient=given.get("q", ""),
            customer=given.get("customer", ""),
            about=given.get("about", ""),
        )
