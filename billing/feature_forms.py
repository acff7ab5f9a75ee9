"""What people may type on the pages of features."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.domain.features import CODE, NAME, TEXT, UNIT, WHY, Kind, Mode
from billing.feature_words import COMBINES, KINDS
from billing.models import Feature, FeatureGrant, FeatureOverride
from billing.services.features import Granted
from core.fields import Day, FormKey, Line
from invoicing.forms import NumberField


class FeatureWordsForm(forms.Form):
    """What a feature is called, and what its limits come to."""

    name = Line(label=_("Name"), max_length=NAME)
    unit = Line(
        label=_("Unit"), max_length=UNIT, required=False, help_text=_("Of a limit: seats, GB, calls.")
    )
    combine = forms.ChoiceField(
        label=_("Several items"),
        choices=[(str(each), word) for each, word in COMBINES.items()],
        help_text=_("Of a limit that more than one item grants."),
    )
    per_unit = forms.BooleanField(
        label=_("For each unit of an item's quantity"), required=False, help_text=_("Of a limit.")
    )


class FeatureForm(FeatureWordsForm):
    """A feature that plans can grant."""

    code = forms.CharField(
        label=_("Code"), max_length=CODE, help_text=_("What programs ask for. It never changes.")
    )
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=[(str(each), word) for each, word in KINDS.items()],
        help_text=_("It never changes."),
    )
    key = FormKey()


class PlanFeaturesForm(forms.Form):
    """What a plan grants: a field or two for each feature, empty for nothing. `refuse` puts a service's words there."""

    def __init__(
        self, data: Any = None, *, features: Sequence[Feature], granted: Mapping[str, FeatureGrant]
    ) -> None:
        super().__init__(data, auto_id="id_grant_%s")
        self.features = list(features)
        for each in self.features:
            self._add(each, granted.get(each.code))

    def _add(self, each: Feature, there: FeatureGrant | None) -> None:
        if each.kind == Kind.SWITCH:
            self.fields[f"on_{each.code}"] = forms.BooleanField(
                label=each.name, required=False, initial=there is not None
            )
        elif each.kind == Kind.TEXT:
            self.fields[f"text_{each.code}"] = Line(
                label=each.name, required=False, max_length=TEXT, initial=there.text if there else ""
            )
        else:
            end = there is not None and there.amount is None
            self.fields[f"amount_{each.code}"] = NumberField(
                label=_labelled(each),
                required=False,
                initial="" if there is None or end else _plain(there.amount),
                help_text=_("For each unit of the quantity.") if each.per_unit else "",
            )
            self.fields[f"unlimited_{each.code}"] = forms.BooleanField(
                label=_("unlimited"), required=False, initial=end
            )

    @property
    def rows(self) -> list[tuple[Any, Any]]:
        """Each feature's field, with the box for "unlimited" where it has one; switches come last."""
        found = []
        for each in sorted(self.features, key=lambda row: row.kind == Kind.SWITCH):
            first = {Kind.SWITCH: "on", Kind.TEXT: "text"}.get(Kind(each.kind), "amount")
            box = self[f"unlimited_{each.code}"] if first == "amount" else None
            found.append((self[f"{first}_{each.code}"], box))
        return found

    def granted(self) -> list[Granted]:
        """What was typed, as the service takes it."""
        return [each for each in (self._granted(row) for row in self.features) if each is not None]

    def _granted(self, row: Feature) -> Granted | None:
        said = self.cleaned_data
        if row.kind == Kind.SWITCH:
            return Granted(row.code) if said[f"on_{row.code}"] else None
        if row.kind == Kind.TEXT:
            text = said[f"text_{row.code}"]
            return Granted(row.code, text=text) if text else None
        amount: Decimal | None = said[f"amount_{row.code}"]
        unlimited: bool = said[f"unlimited_{row.code}"]
        return None if amount is None and not unlimited else Granted(row.code, amount, unlimited)

    def refuse(self, wanted: Sequence[Granted], fields: Mapping[str, str]) -> None:
        """Put the sentences of a refusal at the fields that they are about."""
        for path, why in fields.items():
            _features, place, part = path.split(".")
            code = wanted[int(place)].feature
            names = [f"{each}_{code}" for each in (part, "amount", "text", "on")]
            self.add_error(next((each for each in names if each in self.fields), None), why)


ADD, SET, UNLIMITED, OFF, ON = "add", "set", "unlimited", "off", "on"
_WISHES = {
    Kind.LIMIT: [
        (ADD, _("More, on top of what the items grant")),
        (SET, _("Just so much, instead of what the items grant")),
        (UNLIMITED, _("Without end")),
        (OFF, _("Nothing of it")),
    ],
    Kind.SWITCH: [(ON, _("Has it")), (OFF, _("Does not have it"))],
    Kind.TEXT: [(SET, _("These words, instead of those of the items")), (OFF, _("Nothing of it"))],
}


class OverrideForm(forms.Form):
    """What a subscription is to have of a feature by its own."""

    ends_on = Day(label=_("Until"), required=False, help_text=_("The first day that it is over."))
    why = Line(label=_("Why"), required=False, max_length=WHY)

    def __init__(self, data: Any = None, *, feature: Feature, there: FeatureOverride | None) -> None:
        super().__init__(data, auto_id="id_override_%s", initial=_initial(there))
        self.feature = feature
        kind = Kind(feature.kind)
        more: dict[str, Any] = {"wish": forms.ChoiceField(label=_("What it has"), choices=_WISHES[kind])}
        if kind is Kind.LIMIT:
            label = _("How many %(unit)s") % {"unit": feature.unit} if feature.unit else _("How much")
            more["amount"] = NumberField(label=label, required=False)
        elif kind is Kind.TEXT:
            more["text"] = Line(label=_("Words"), required=False, max_length=TEXT)
        self.fields = {**more, **self.fields}

    def said(self) -> dict[str, Any]:
        """The wish as the service takes it; what it does not look at is left out."""
        found = self.cleaned_data
        wish = found["wish"]
        said = {"ends_on": found["ends_on"], "why": found["why"], "granted": wish != OFF}
        if self.feature.kind == Kind.LIMIT and wish in {ADD, SET}:
            said |= {"mode": wish, "amount": found["amount"]}
        if self.feature.kind == Kind.TEXT and wish == SET:
            said["text"] = found["text"]
        return {**said, "unlimited": True} if wish == UNLIMITED else said


def _initial(there: FeatureOverride | None) -> dict[str, Any]:
    if there is None:
        return {}
    same = {"ends_on": there.ends_on, "why": there.why, "text": there.text}
    if not there.granted:
        return {**same, "wish": OFF}
    if there.feature.kind == Kind.SWITCH:
        return {**same, "wish": ON}
    if there.feature.kind == Kind.LIMIT and there.amount is None:
        return {**same, "wish": UNLIMITED}
    amount = {} if there.amount is None else {"amount": _plain(there.amount)}
    return {**same, **amount, "wish": ADD if there.mode == Mode.ADD else SET}


def _labelled(row: Feature) -> str:
    """The name with the unit, where that is not the same word."""
    same = not row.unit or row.unit.casefold() == row.name.casefold()
    return str(row.name) if same else f"{row.name}, {row.unit}"


def _plain(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount.normalize():f}"
