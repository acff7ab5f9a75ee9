"""The filters of the journal, as they stand in the address."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from ledger.selectors import JournalFilter


def _day(**kwargs: Any) -> forms.DateField:
    return forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}), **kwargs)


class JournalForm(forms.Form):
    """What cannot be understood is left out, and its error stands at its field."""

    since = _day(label=_("From"))
    until = _day(label=_("Until"))
    account = forms.CharField(
        label=_("Account"), required=False, max_length=20, validators=[RegexValidator(r"\A[\w.-]+\Z")]
    )
    source = forms.CharField(label=_("Source"), required=False, max_length=120)

    def wanted(self) -> JournalFilter:
        """The filter that was typed."""
        self.is_valid()
        said = self.cleaned_data
        return JournalFilter(
            since=said.get("since"),
            until=said.get("until"),
            account=said.get("account") or "",
            source=said.get("source") or "",
        )
