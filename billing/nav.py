from django.utils.translation import gettext_lazy as _

from billing.permissions import MRR_VIEW, RUNS_VIEW, SUBSCRIPTIONS_VIEW, USAGE_VIEW
from core.registry import NavItem, nav

nav.extend(
    [
        NavItem("Billing", _("Subscriptions"), "repeat", "subscriptions", SUBSCRIPTIONS_VIEW, "s", 10),  # type: ignore[arg-type]
        NavItem("Billing", _("Plans"), "tags", "plans", SUBSCRIPTIONS_VIEW, "p", 20),  # type: ignore[arg-type]
        NavItem("Billing", _("Usage"), "gauge", "meters", USAGE_VIEW, "u", 25),  # type: ignore[arg-type]
        NavItem("Billing", _("Billing runs"), "player-play", "runs", RUNS_VIEW, "b", 30),  # type: ignore[arg-type]
        NavItem("Billing", _("Recurring revenue"), "coins", "mrr", MRR_VIEW, "r", 40),  # type: ignore[arg-type]
    ]
)
