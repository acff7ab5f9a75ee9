"""What is sold on subscription, who bought it, what they used, and which periods were billed."""

from billing.models.catalogue import MOST_EVERY, ONCE, Plan, Price
from billing.models.discounts import MOST_DISCOUNTS, MOST_PERIODS, Coupon, SubscriptionDiscount
from billing.models.features import Feature, FeatureGrant, FeatureOverride
from billing.models.runs import (
    WHY,
    AcceptedFinding,
    BilledPeriod,
    BillingRun,
    CreditedPeriod,
    HeldSubscription,
)
from billing.models.subscriptions import (
    ADDED,
    FEE,
    MOST_ADDED,
    MOST_QUANTITY,
    PLAN,
    MrrMovement,
    Subscription,
    SubscriptionItem,
)
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
    "MOST_ADDED",
    "MOST_DISCOUNTS",
    "MOST_EVERY",
    "MOST_PERIODS",
    "MOST_QUANTITY",
    "ONCE",
    "PLAN",
    "WHY",
    "AcceptedFinding",
    "BilledPeriod",
    "BillingRun",
    "Coupon",
    "CreditedPeriod",
    "Feature",
    "FeatureGrant",
    "FeatureOverride",
    "HeldSubscription",
    "Meter",
    "MrrMovement",
    "Plan",
    "Price",
    "Subscription",
    "SubscriptionDiscount",
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
