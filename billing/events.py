"""What other apps may know about billing."""

from dataclasses import dataclass
from typing import ClassVar

from core.events import Event


@dataclass(frozen=True, slots=True)
class BillingRunFinished(Event):
    """A run has billed everything that was due by its date."""

    name: ClassVar[str] = "billing_run.finished"

    as_of: str
    documents: int
    held: int


@dataclass(frozen=True, slots=True)
class BillingRunStopped(Event):
    """A run ended before everything was billed; `why` is a sentence for people."""

    name: ClassVar[str] = "billing_run.stopped"

    as_of: str
    why: str


@dataclass(frozen=True, slots=True)
class UsageThresholdReached(Event):
    """A meter has reached the figure of an alert in a period of a subscription; told once in each.

    `threshold` and `value` are exact decimals in the meter's own unit, `meter` its code.
    """

    name: ClassVar[str] = "usage.threshold_reached"

    subscription: str
    customer: str
    meter: str
    threshold: str
    value: str
    period_start: str
    period_end: str


@dataclass(frozen=True, slots=True)
class SubscriptionCreated(Event):
    """A customer subscribed to a plan; with a trial, it is billed from `trial_ends_on` on."""

    name: ClassVar[str] = "subscription.created"

    customer: str
    price: str
    starts_on: str
    trial_ends_on: str | None


@dataclass(frozen=True, slots=True)
class SubscriptionChanged(Event):
    """What a subscription bills changed, or when it ends: `what` is plan, item, discount, autopay or end.

    `on` is the first day of it; None where a change that was set for later was taken back. By the second it is so from
    the time `at` of that day on.
    """

    name: ClassVar[str] = "subscription.changed"

    customer: str
    what: str
    on: str | None
    at: str = "00:00:00"


@dataclass(frozen=True, slots=True)
class SubscriptionPaused(Event):
    """A subscription is not billed from `paused_on` on, up to `resumes_on`, when that is known."""

    name: ClassVar[str] = "subscription.paused"

    customer: str
    paused_on: str
    resumes_on: str | None


@dataclass(frozen=True, slots=True)
class SubscriptionResumed(Event):
    """A paused or ended subscription is billed again from `on` on; `was` is paused or ended."""

    name: ClassVar[str] = "subscription.resumed"

    customer: str
    on: str
    was: str


@dataclass(frozen=True, slots=True)
class RenewalUpcoming(Event):
    """A subscription renews on `renews_on`, or its `trial` ends then; told once for each such day.

    `total_minor`, with tax, is billed on `billed_on` as things stand now; `metered`: what is used comes on top.
    """

    name: ClassVar[str] = "subscription.renewal_upcoming"

    customer: str
    renews_on: str
    trial: bool
    billed_on: str
    currency: str
    total_minor: int
    metered: bool


@dataclass(frozen=True, slots=True)
class SubscriptionEnded(Event):
    """A subscription is over: all that comes before `ended_on` is billed, and what was too much is credited.

    By the second it went on to the time `at` of that day.
    """

    name: ClassVar[str] = "subscription.ended"

    customer: str
    ended_on: str
    at: str = "00:00:00"


@dataclass(frozen=True, slots=True)
class SubscriptionEndedByCustomer(Event):
    """A customer has ended a subscription on their page; `ends_on` is the first day that is not billed any more."""

    name: ClassVar[str] = "subscription.ended_by_customer"

    customer: str
    ends_on: str


@dataclass(frozen=True, slots=True)
class SubscriptionChangedByCustomer(Event):
    """A customer has changed a subscription to another plan on their page, from `on` on: codes of both plans.

    `price` is the new one's; told beside subscription.changed.
    """

    name: ClassVar[str] = "subscription.changed_by_customer"

    customer: str
    price: str
    plan: str
    was: str
    on: str


@dataclass(frozen=True, slots=True)
class SubscriptionKeptByCustomer(Event):
    """A customer has taken back on their page what they had set for `on`: another `plan`, or the `end`, says `what`.

    `plan` is the code of the one that goes on. Told beside subscription.changed or subscription.resumed.
    """

    name: ClassVar[str] = "subscription.kept_by_customer"

    customer: str
    what: str
    plan: str
    on: str


@dataclass(frozen=True, slots=True)
class RefundAsked(Event):
    """What a credit note left over is to go back to the method it was paid by; it was paid, net of what was owed."""

    name: ClassVar[str] = "refund.asked"

    customer: str
    subscription: str
    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class CouponCreated(Event):
    """There is a coupon that subscriptions can be given."""

    name: ClassVar[str] = "coupon.created"

    code: str
    title: str


@dataclass(frozen=True, slots=True)
class CouponArchived(Event):
    """A coupon is not given any more; who has it keeps it."""

    name: ClassVar[str] = "coupon.archived"

    code: str


@dataclass(frozen=True, slots=True)
class ProductCreated(Event):
    """There is a product that plans can belong to."""

    name: ClassVar[str] = "product.created"

    code: str
    title: str


@dataclass(frozen=True, slots=True)
class ProductUpdated(Event):
    """A product is called or described otherwise, or its plans are offered again; with what it says now."""

    name: ClassVar[str] = "product.updated"

    code: str
    title: str
    archived: bool


@dataclass(frozen=True, slots=True)
class ProductArchived(Event):
    """A product's plans are not offered any more; who subscribes to one keeps it."""

    name: ClassVar[str] = "product.archived"

    code: str


@dataclass(frozen=True, slots=True)
class PlanProductChanged(Event):
    """A plan belongs to another product, or to none: codes, empty for none.

    Discounts go by that from `holds_from` on, for what begins a period then or later; None where none was given.
    """

    name: ClassVar[str] = "plan.product_changed"

    plan: str
    product: str
    was: str
    holds_from: str | None


@dataclass(frozen=True, slots=True)
class PlanOffersChanged(Event):
    """Customers on a plan may change to other plans than before by themselves; `offers` are the codes of all."""

    name: ClassVar[str] = "plan.offers_changed"

    plan: str
    offers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlanDepositChanged(Event):
    """`deposit_percent` of each new invoice with the plan are due on the day it is issued."""

    name: ClassVar[str] = "plan.deposit_changed"

    plan: str
    deposit_percent: int


@dataclass(frozen=True, slots=True)
class FeatureCreated(Event):
    """There is a feature that plans can grant; `kind` is switch, limit or text."""

    name: ClassVar[str] = "feature.created"

    code: str
    label: str
    kind: str
    unit: str
    combine: str
    per_unit: bool


@dataclass(frozen=True, slots=True)
class FeatureChanged(Event):
    """A feature is called, counted or combined otherwise, or is granted anew no more; with what it says now."""

    name: ClassVar[str] = "feature.changed"

    code: str
    label: str
    kind: str
    unit: str
    combine: str
    per_unit: bool
    retired: bool


@dataclass(frozen=True, slots=True)
class PlanFeaturesChanged(Event):
    """A plan grants something else from now on, to all who have it; `features` are the codes of all it grants."""

    name: ClassVar[str] = "plan.features_changed"

    plan: str
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FeatureOverrideSet(Event):
    """A subscription has of a feature something else than its plan grants.

    `mode` is set or add, `amount` an exact decimal, None for no limit and for what is no limit. `granted` is false
    where the feature is taken away. From `ends_on` on it is over; None for good.
    """

    name: ClassVar[str] = "feature_override.set"

    subscription: str
    customer: str
    feature: str
    mode: str
    granted: bool
    amount: str | None
    text: str
    ends_on: str | None


@dataclass(frozen=True, slots=True)
class FeatureOverrideRemoved(Event):
    """A subscription has of a feature what its plan grants again."""

    name: ClassVar[str] = "feature_override.removed"

    subscription: str
    customer: str
    feature: str
