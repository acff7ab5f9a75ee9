"""What people may type about webhooks."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.fields import Line, Whole
from integrations.models import Endpoint
from integrations.services.endpoints import event_names


class EndpointForm(forms.Form):
    """An address and what it is told."""

    url = Line(label=_("Address"), max_length=500, help_text=_("https:// and reachable from the internet."))
    description = Line(label=_("What it is for"), max_length=200, required=False)
    thin = forms.BooleanField(
        label=_("Send only ids"), required=False, help_text=_("The receiver asks the API for the rest.")
    )
    every = forms.BooleanField(label=_("Every event"), required=False, initial=True)
    version = Whole(min_value=0, max_value=2**31 - 1, required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["events"] = forms.MultipleChoiceField(
            label=_("Only these"),
            choices=[(name, name) for name in event_names()],
            required=False,
            widget=forms.CheckboxSelectMultiple,
        )

    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        if not said.get("every") and not said.get("events"):
            self.add_error("events", _("Choose events, or every event."))
        return said

    def given(self) -> dict[str, Any]:
        """What the services take."""
        said = self.cleaned_data
        return {
            "url": said["url"],
            "description": said["description"],
            "thin": said["thin"],
            "events": [] if said["every"] else said["events"],
        }

    @staticmethod
    def of(row: Endpoint) -> dict[str, Any]:
        """What the form starts from."""
        return {
            "url": row.url,
            "description": row.description,
            "thin": row.thin,
            "every": not row.events,
            "events": row.events,
            "version": row.version,
        }
