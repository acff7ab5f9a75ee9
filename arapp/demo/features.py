"""What the demo's plans grant: basic and premium differ, and one customer got seats of their own."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

from arapp.demo.life import at
from arapp.demo.people import House
from arapp.demo.story import Subscribing
from billing.features import plan
from billing.services.features import Granted, create_feature, set_plan_features
from billing.services.overrides import set_override

SEATS, HISTORY, ALERTS, SSO, SUPPORT = "users", "history-months", "alerts", "single-sign-on", "support"
FEATURES = (
    ("Users", SEATS, "limit", "users", "sum"),
    ("History", HISTORY, "limit", "months", "max"),
    ("Alerts by mail", ALERTS, "switch", "", "max"),
    ("Single sign-on", SSO, "switch", "", "max"),
    ("Support", SUPPORT, "text", "", "max"),
)
"""Name, code, kind, unit, and what limits of several items come to."""
_ALL = (
    Granted(SEATS, unlimited=True),
    Granted(HISTORY, unlimited=True),
    Granted(ALERTS),
    Granted(SSO),
    Granted(SUPPORT, text="by phone, the same day"),
)
PLANS = {
    "track-basic": (
        Granted(SEATS, Decimal(3)),
        Granted(HISTORY, Decimal(12)),
        Granted(SUPPORT, text="by mail"),
    ),
    "track-premium": (
        Granted(SEATS, Decimal(25)),
        Granted(HISTORY, Decimal(60)),
        *_ALL[2:4],
        Granted(SUPPORT, text="by mail, the same day"),
    ),
    "track-pro": _ALL,
    "track-premium-year": (Granted(SEATS, Decimal(25)), *_ALL[1:]),
}
"""By the code of the plan, what it grants."""


def grant(house: House, subscriptions: Mapping[str, Subscribing], today: date) -> None:
    """Features of the house's plans, and ten users more for one subscription of the small one. Inside work()."""
    sold = {each.offer.code for each in subscriptions.values()} & set(PLANS)
    if not sold:
        return
    first = min(each.starts_on for each in subscriptions.values()) - timedelta(days=1)
    with at(house, first, 12):
        for name, code, kind, unit, combine in FEATURES:
            create_feature(name=name, code=code, kind=kind, unit=unit, combine=combine)
    for code in sorted(sold):
        with at(house, today - timedelta(days=1), 12):
            set_plan_features(plan(code).public_id, PLANS[code])
    small = [
        public_id
        for public_id, each in subscriptions.items()
        if each.offer.code == "track-basic" and each.ends_on is None and each.starts_on < today
    ]
    if small:
        with at(house, today - timedelta(days=1), 15):
            set_override(
                small[0],
                feature=SEATS,
                mode="add",
                amount=Decimal(10),
                why="Ten more for the fair",
                today=today,
            )
