"""The filters of the journal, as they stand in the address."""

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from core.fields import Day
from ledger.selectors import JournalFilter


class JournalForm(forms.Form):
    """What cannot be understood is left out, and its error stands at its field."""

    since = Day(label=_("From"), required=False)
    until = Day(label=_("Until"), required=False)
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
