"""What is sold on subscription, who bought it, and which periods were billed."""

from billing.models.catalogue import ONCE, Plan, Price
from billing.models.runs import WHY, BilledPeriod, BillingRun, HeldSubscription
from billing.models.subscriptions import Subscription, SubscriptionItem

__all__ = [
    "ONCE",
    "WHY",
    "BilledPeriod",
    "BillingRun",
    "HeldSubscription",
    "Plan",
    "Price",
    "Subscription",
    "SubscriptionItem",
]
