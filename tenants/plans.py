"""The plans of the product and what each allows. See `tenants.services.seats` for what holds them."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from core.money import Money

SEATS = "seats"


@dataclass(frozen=True, slots=True)
class Plan:
    """`price` is a month's, None where it is agreed with each organization; `seats` None is without limit."""

    key: str
    name: Any
    price: Money | None
    seats: int | None
    says: Any


PLANS = {
    plan.key: plan
    for plan in (
        Plan(
            "business",
            _("Business"),
            Money(0, "USD"),
            5,
            _("Everything the product does, for up to 5 members."),
        ),
        Plan("team", _("Team"), Money(4999, "USD"), 25, _("The same for up to 25 members.")),
        Plan("enterprise", _("Enterprise"), None, None, _("As many members as you need; agreed with you.")),
    )
}
FIRST = "business"
