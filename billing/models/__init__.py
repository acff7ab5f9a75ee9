"""What is sold on subscription, who bought it, what they used, and which periods were billed."""

from billing.models.catalogue import ONCE, Plan, Price
from billing.models.runs import WHY, AcceptedFinding, BilledPeriod, BillingRun, HeldSubscription
from billing.models.subscriptions import ADDED, FEE, PLAN, Subscription, SubscriptionItem
from billing.models.usage import (
    Meter,
    UsageAlert,
    UsageAlertReached,
    UsageBucket,
    UsageEvent,
    UsageKey,
    UsageSeen,
    UsageSeries,
    UsageVoid,
)

__all__ = [
    "ADDED",
    "FEE",
    "ONCE",
    "PLAN",
    "WHY",
    "AcceptedFinding",
    "BilledPeriod",
    "BillingRun",
    "HeldSubscription",
    "Meter",
    "Plan",
    "Price",
    "Subscription",
    "SubscriptionItem",
    "UsageAlert",
    "UsageAlertReached",
    "UsageBucket",
    "UsageEvent",
    "UsageKey",
    "UsageSeen",
    "UsageSeries",
    "UsageVoid",
]
