"""A price as it is typed: what its model asks for, its tiers as rows, and what of it cannot be."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from billing.domain.facts import Timing
from billing.domain.listed import date_problem
from billing.domain.pricing import Model
from billing.domain.terms import MOST_TIERS, NEEDS, TIER_USES, USES
from billing.models import MOST_EVERY, ONCE, Meter, Product
from billing.words import MODELS, SAYS, UNITS
from core.choices import currencies
from core.fields import FormKey, Line, Whole
from core.periods import DATES
from core.templatetags.fmt import current_locale
from invoicing.forms import NumberField

TIER = ("up_to", "unit_price", "percent", "flat", "per")
CELLS = tuple(f"tier_{name}" for name in TIER)
"""Fields that come once per tier."""
ROWS = 3
_UNITS = [
    *((unit, many) for unit, (_one, many) in UNITS.items()),
    (DATES, _("on listed days of the year")),
    (ONCE, _("once")),
]
_TYPED_DAY = re.compile(r"([0-9]{1,2})\.? ?([^\W\d_]+)\.?|([^\W\d_]+)\.? ?([0-9]{1,2})")
_TIMINGS = [(Timing.ADVANCE, _("In advance, at its start")), (Timing.ARREARS, _("In arrears, at its end"))]


class DaysOfYear(Line):
    """Days of each year as `25 Mar, 24 Jun`: the month by its name or its first letters; or as `03-25`."""

    def clean(self, value: Any) -> list[str]:
        text = super().clean(value)
        return [
            _day_typed(part)
            for each in re.split(rf"[,;]|\s{_('and')}\s", text)
            if (part := " ".join(each.split()))
        ]


def _day_typed(text: str) -> str:
    typed = _TYPED_DAY.fullmatch(text)
    if typed is None:
        found = text
    else:
        number, name = (typed[1], typed[2]) if typed[1] else (typed[4], typed[3])
        names = current_locale().months["format"]["wide"]
        months = [n for n, each in names.items() if each.casefold().startswith(name.casefold())]
        found = f"{months[0]:02}-{int(number):02}" if len(months) == 1 else ""
    if problem := date_problem(found):
        raise forms.ValidationError(f"{text}: {problem}")
    return found


class PriceForm(forms.Form):
    """A price of a plan; a plan of a new code is made with it. What its model does not look at is left out."""

    name = Line(label=_("Plan"), max_length=200, required=False)
    code = forms.CharField(
        label=_("Code"),
        max_length=40,
        validators=[RegexValidator(r"\A[\w.-]+\Z", _("Letters, digits, dots and dashes."))],
        help_text=_("An existing code adds a price to that plan."),
    )
    currency = forms.ChoiceField(label=_("Currency"), choices=currencies)
    tax_percent = NumberField(label=_("Tax, %"), required=False, places=4)
    every = Whole(label=_("Every"), min_value=1, max_value=MOST_EVERY, initial=1)
    unit = forms.ChoiceField(label=_("Interval"), choices=_UNITS, initial="month")
    dates = DaysOfYear(
        label=_("Days"),
        max_length=400,
        required=False,
        help_text=_("Each begins a period up to the next, and each costs the same."),
    )
    timing = forms.ChoiceField(label=_("Billed"), choices=_TIMINGS, initial=Timing.ADVANCE)
    model = forms.ChoiceField(label=_("Model"), choices=list(MODELS.items()), initial=Model.FLAT)
    unit_price = NumberField(label=_("Price"), required=False)
    per = NumberField(label=_("Units in a package"), required=False)
    percent = NumberField(label=_("Share, %"), required=False)
    free = NumberField(label=_("Free"), required=False)
    per_event = NumberField(label=_("Fixed part for each event"), required=False)
    free_events = Whole(label=_("Free events"), required=False, min_value=0, max_value=10**9)
    free_total = NumberField(label=_("Free amount of events"), required=False)
    event_minimum = NumberField(label=_("Least for an event"), required=False)
    event_maximum = NumberField(label=_("Most for an event"), required=False)
    minimum = NumberField(label=_("Least for a period"), required=False)
    maximum = NumberField(label=_("Most for a period"), required=False)
    nothing_at_zero = forms.BooleanField(
        label=_("A period with nothing owes nothing"),
        required=False,
        help_text=_("Otherwise the first tier's flat part is owed also of nothing."),
    )
    by_share = forms.BooleanField(
        label=_("A part of a period counts by its share"),
        required=False,
        help_text=_(
            "Where a meter counts: what is free, the bounds, and a level that is averaged. Else all are whole."
        ),
    )
    replaces = forms.CharField(
        required=False, max_length=40, validators=[RegexValidator(r"\A\w*\Z")], widget=forms.HiddenInput
    )
    quantity = NumberField(label=_("Quantity"), required=False, initial="1")
    key = FormKey()

    def __init__(
        self, *args: Any, meters: Sequence[Meter], products: Sequence[Product], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["product"] = forms.ChoiceField(
            label=_("Product"),
            required=False,
            choices=[("", _("None")), *((each.code, each.name) for each in products)],
            help_text=_("Of a new plan."),
        )
        choices = [("", _("the subscription's quantity")), *((each.code, each.name) for each in meters)]
        self.fields["meter"] = forms.ChoiceField(
            label=_("Quantity from"),
            required=False,
            choices=choices,
            help_text=_("What a meter counts is billed in arrears."),
        )


@dataclass(slots=True)
class TierRow:
    """A row of the tiers: its cells as typed, and what is wrong with them by cell."""

    typed: Mapping[str, str]
    problems: dict[str, str] = field(default_factory=dict)
    values: dict[str, Decimal] = field(default_factory=dict)

    @property
    def blank(self) -> bool:
        return not any(self.typed.values())


@dataclass(slots=True)
class TypedPrice:
    """What was typed, as the page shows it again. `places` is the row that each tier of `terms` came from."""

    form: PriceForm
    rows: list[TierRow]
    problem: str = ""
    places: list[int] = field(default_factory=list)

    @property
    def model(self) -> Model:
        said = self.form["model"].value()
        return Model(said) if said in list(Model) else Model.FLAT

    @property
    def replaces(self) -> str:
        """Public id of the price whose place it takes, when there is one."""
        if not self.form.is_bound:
            return str(self.form.initial.get("replaces", ""))
        self.form.is_valid()
        return str(self.form.cleaned_data.get("replaces") or "")

    @property
    def listed(self) -> bool:
        """Whether periods begin on days that are listed."""
        return bool(self.form["unit"].value() == DATES)

    @property
    def says(self) -> Any:
        return SAYS[self.model]

    @property
    def tier_cells(self) -> tuple[str, ...]:
        return TIER_USES.get(self.model, ())

    @property
    def tier_rows(self) -> list[tuple[list[tuple[str, str, bool]], list[str]]]:
        """Each row as its cells (name, text, whether it is wrong) and the sentences below it."""
        return [
            (
                [(name, row.typed[name], name in row.problems) for name in self.tier_cells],
                list(row.problems.values()),
            )
            for row in self.rows
        ]

    @property
    def fields(self) -> list[tuple[Any, bool]]:
        """The fields that the model looks at, each with whether it may be left out."""
        needed = NEEDS.get(self.model, ())
        return [
            (self.form[name], name not in needed)
            for name in USES[self.model]
            if name in self.form.fields and name != "by_share"
        ]

    @property
    def has_zero(self) -> bool:
        return "flat_at_zero" in USES[self.model]

    @property
    def has_parts(self) -> bool:
        return "by_share" in USES[self.model]

    @property
    def valid(self) -> bool:
        return self.form.is_valid() and self.rows_sound

    @property
    def rows_sound(self) -> bool:
        """Whether every cell that the model looks at can be read."""
        return not any(name in row.problems for row in self.rows for name in self.tier_cells)

    def terms(self) -> dict[str, Any]:
        """The terms as billing.domain.terms reads them; of a form with problems, what of them can be read."""
        said = self.form.cleaned_data
        terms = {name: said[name] for name in USES[self.model] if said.get(name) is not None}
        if self.has_zero and said.get("nothing_at_zero"):
            terms["flat_at_zero"] = False
        if self.tier_cells:
            self.places = [n for n, row in enumerate(self.rows) if not row.blank]
            terms["tiers"] = [
                {name: value for name, value in self.rows[n].values.items() if name in self.tier_cells}
                for n in self.places
            ]
        return terms

    def price(self) -> dict[str, Any]:
        """What the service that saves it takes, but the form's key."""
        said = self.form.cleaned_data
        rest = (
            "name",
            "code",
            "currency",
            "tax_percent",
            "every",
            "dates",
            "unit",
            "timing",
            "meter",
            "replaces",
            "product",
        )
        return {"model": str(self.model), **{name: said[name] for name in rest}, **self.terms()}

    def take(self, problems: Mapping[str, str]) -> None:
        """Put a refusal's sentences where they belong: at a field, a cell, or above all."""
        for name, message in problems.items():
            first, _dot, rest = name.partition(".")
            number, _dot, cell = rest.partition(".")
            if first == "tiers" and cell:
                self.rows[self.places[int(number)]].problems[cell] = message
            elif first in self.form.fields:
                self.form.add_error(first, message)
            else:
                self.problem = message


def blank(initial: Mapping[str, Any], meters: Sequence[Meter], products: Sequence[Product]) -> TypedPrice:
    """A price that nobody typed anything of yet."""
    return TypedPrice(
        PriceForm(initial=dict(initial), meters=meters, products=products),
        [TierRow(dict.fromkeys(TIER, "")) for _n in range(ROWS)],
    )


def read(data: QueryDict, meters: Sequence[Meter], products: Sequence[Product]) -> TypedPrice:
    """What was typed, the rows with one more when that is asked for."""
    typed = TypedPrice(PriceForm(data, meters=meters, products=products), [])
    columns = {name: data.getlist(f"tier_{name}")[:MOST_TIERS] for name in TIER}
    for n in range(max(ROWS, *(len(column) for column in columns.values()))):
        cells = {name: column[n].strip() if n < len(column) else "" for name, column in columns.items()}
        typed.rows.append(_row(cells))
    if data.get("more") and len(typed.rows) < MOST_TIERS:
        typed.rows.append(TierRow(dict.fromkeys(TIER, "")))
    return typed


def _row(cells: Mapping[str, str]) -> TierRow:
    row = TierRow(cells)
    for name, text in cells.items():
        try:
            value = NumberField(required=False).clean(text)
        except forms.ValidationError as error:
            row.problems[name] = " ".join(error.messages)
        else:
            if value is not None:
                row.values[name] = value
    return row
