"""The steps that a new subscription begins with, as they are typed: a row each, and what of them cannot be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from billing.domain.proration import MIDNIGHT
from billing.forms import StepForm
from billing.listing import price
from billing.models import MOST_STEPS, Price
from billing.services.steps import Step


@dataclass(slots=True)
class TypedSteps:
    """The rows as they were typed; those that are left empty say nothing."""

    rows: list[StepForm]

    @property
    def valid(self) -> bool:
        return not [each for each in self.rows if not each.is_valid()]

    @property
    def full(self) -> bool:
        return len(self.rows) >= MOST_STEPS

    @property
    def said(self) -> list[StepForm]:
        return [each for each in self.rows if each.has_changed()]

    def steps(self) -> list[Step]:
        """What the service takes."""
        return [step_typed(each.cleaned_data) for each in self.said]

    def take(self, problems: Mapping[str, str]) -> dict[str, str]:
        """Put a refusal's sentences at the fields of its rows; gives back those of other fields."""
        left = {}
        for name, message in problems.items():
            first, _dot, rest = name.partition(".")
            place, _dot, cell = rest.partition(".")
            if first == "steps" and cell:
                row = self.said[int(place)]
                row.add_error(cell if cell in row.fields else None, message)
            else:
                left[name] = message
        return left


def read_steps(data: Any, prices: Sequence[Price]) -> TypedSteps:
    """The rows that were typed, with one more when that is asked for; none of a page that nobody typed into."""
    if data is None:
        return TypedSteps([])
    text = data.get("steps", "")[:3]
    count = int(text) if text.isascii() and text.isdigit() else 0
    count = min(count + bool(data.get("more")), MOST_STEPS)
    return TypedSteps([StepForm(data, prices=prices, prefix=f"step-{n}") for n in range(count)])


def step_typed(said: Mapping[str, Any]) -> Step:
    """The step that a form says."""
    chosen = price(said["price"]) if said["price"] else None
    return Step(chosen, said["unit_price"], said["quantity"], said["on"], at=said.get("at", MIDNIGHT))
