"""What people may type to offer changes of a plan to its customers."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.models import NOW, PERIOD_END, Plan, PlanOffer
from billing.services.offers import Offered

EFFECTS = {NOW: _("At once"), PERIOD_END: _("At the end of the period")}


class PlanOffersForm(forms.Form):
    """When a change to each other plan takes effect, empty where customers cannot change to it by themselves."""

    def __init__(self, data: Any = None, *, plans: Sequence[Plan], there: Sequence[PlanOffer]) -> None:
        super().__init__(data, auto_id="id_offer_%s")
        self.plans = list(plans)
        now = {row.to_id: row.takes_effect for row in there}
        for each in self.plans:
            self.fields[each.public_id] = forms.ChoiceField(
                label=each.name,
                required=False,
                choices=[("", _("Not offered")), *EFFECTS.items()],
                initial=now.get(each.pk, ""),
            )

    def offered(self) -> list[Offered]:
        """What was chosen, as the service takes it."""
        said = self.cleaned_data
        return [Offered(each.code, said[each.public_id]) for each in self.plans if said[each.public_id]]

    def refuse(self, wanted: Sequence[Offered], fields: Mapping[str, str]) -> None:
        """Put the sentences of a refusal at the plans that they are about."""
        names = {each.code: each.public_id for each in self.plans}
        for path, why in fields.items():
            _offers, _dot, place = path.partition(".")
            at = names[wanted[int(place.partition(".")[0])].plan] if place else None
            self.add_error(at, why)
