"""What people may type on the pages of recurring revenue."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.domain.mrr import Move
from billing.revenue import MovementFilter
from core.fields import Day, Line

MOVES = {
    Move.NEW: _("New"),
    Move.EXPANSION: _("Expansion"),
    Move.CONTRACTION: _("Contraction"),
    Move.CHURN: _("Churn"),
    Move.REACTIVATION: _("Reactivation"),
}
TONES = {
    Move.NEW: "ok",
    Move.EXPANSION: "ok",
    Move.REACTIVATION: "ok",
    Move.CONTRACTION: "warn",
    Move.CHURN: "bad",
}


class RevenueForm(forms.Form):
    """Which days, and of which plan's or product's subscriptions."""

    day_from = Day(label=_("From"), required=False)
    day_to = Day(label=_("To"), required=False)
    plan = Line(label=_("Plan"), required=False, max_length=40)
    product = Line(label=_("Product"), required=False, max_length=40)


class MovementsForm(RevenueForm):
    """Which movements are shown."""

    kind = forms.ChoiceField(
        label=_("Kind"),
        required=False,
        choices=[("", _("Any")), *((str(move), word) for move, word in MOVES.items())],
    )
    currency = forms.RegexField(r"\A[A-Z]{3}\Z", required=False)
    subscription = forms.SlugField(required=False, max_length=40)
    customer = forms.SlugField(required=False, max_length=40)

    def wanted(self) -> MovementFilter:
        """The filters that were understood."""
        self.is_valid()
        said: dict[str, Any] = {name: value for name, value in self.cleaned_data.items() if value}
        return MovementFilter(**said)
