"""What people may type to change many subscriptions at once."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.forms import offered
from billing.models import Price
from billing.services.bulk_change import CHANGE, END, PAUSE, Wish
from core.fields import Day, FormKey

ACTS = ((CHANGE, _("Move to another price")), (PAUSE, _("Pause")), (END, _("End")))


class BulkChangeForm(forms.Form):
    """What is to be done to many subscriptions, and on which day."""

    act = forms.ChoiceField(label=_("What"), choices=ACTS, widget=forms.RadioSelect, initial=CHANGE)
    price = forms.ChoiceField(label=_("Price"), required=False)
    on = Day(
        label=_("From"),
        required=False,
        help_text=_(
            "Left empty, the end of each one's period under way; within it, what is billed is credited."
        ),
    )
    resumes_on = Day(
        label=_("Goes on from"),
        required=False,
        help_text=_("Of a pause. Left empty, until somebody resumes each."),
    )
    refund = forms.BooleanField(
        label=_("Ask what was paid of unused days back"),
        required=False,
        help_text=_("Of an end. Else it stays as the customer's credit."),
    )
    key = FormKey()

    def __init__(self, *args: Any, prices: Sequence[Price], **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "id_bulk_%s", **kwargs})
        self.prices = {each.public_id: each for each in prices}
        field = offered(prices, none=True)
        field.required = False
        field.help_text = _("Of a move. Quantities stay; a price of its own is lost.")
        self.fields["price"] = field

    @property
    def wish(self) -> Wish:
        """What is wished, of what was typed what the act takes."""
        said = self.cleaned_data
        act = said["act"]
        return Wish(
            act,
            price=self.prices.get(said["price"]) if act == CHANGE else None,
            on=said["on"],
            resumes_on=said["resumes_on"] if act == PAUSE else None,
            refund=said["refund"] and act == END,
        )
