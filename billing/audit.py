"""What the audit calls the records of this app."""

from django.utils.translation import gettext_lazy as _

from billing.permissions import RUNS_VIEW, SUBSCRIPTIONS_VIEW, USAGE_VIEW
from core.trail import Subject, subjects

subjects["billing.Product"] = Subject(_("Product"), "product", SUBSCRIPTIONS_VIEW)
subjects["billing.Plan"] = Subject(
    _("Plan"),
    fields={
        "product": _("Product"),
        "products_before": _("Products before"),
        "deposit_percent": _("Deposit, %"),
    },
)
subjects["billing.PlanOffer"] = Subject(
    _("Offered change of a plan"), fields={"to": _("To"), "takes_effect": _("Takes effect")}
)
subjects["billing.Price"] = Subject(
    _("Price"),
    "price",
    SUBSCRIPTIONS_VIEW,
    fields={
        "every": _("Every"),
        "dates": _("Periods begin on"),
        "timing": _("Billed"),
        "retired_at": _("Not offered since"),
    },
)
subjects["billing.SubscriptionItem"] = Subject(
    _("Item of a subscription"), fields={"starts_time": _("Begins at"), "ends_time": _("Ends at")}
)
subjects["billing.SubscriptionStep"] = Subject(
    _("Step of a subscription"),
    fields={"on": _("From"), "at": _("Holds from"), "by_customer": _("By the customer")},
)
subjects["billing.Subscription"] = Subject(
    _("Subscription"),
    "subscription",
    SUBSCRIPTIONS_VIEW,
    parts={
        "billing.BilledPeriod": "subscription",
        "billing.CreditedPeriod": "subscription",
        "billing.CorrectedPeriod": "subscription",
        "billing.SubscriptionDiscount": "subscription",
        "billing.AcceptedFinding": "subscription",
        "billing.SubscriptionItem": "subscription",
        "billing.SubscriptionStep": "subscription",
        "billing.MrrMovement": "subscription",
        "billing.FeatureOverride": "subscription",
        "billing.RenewalNotice": "subscription",
        "billing.BulkChangeItem": "subscription",
    },
    fields={
        "starts_on": _("Since"),
        "trial_ends_on": _("Trial ends on"),
        "anchor": _("Periods counted from"),
        "proration": _("Parts of a period"),
        "paused_on": _("Paused from"),
        "resumes_on": _("Goes on from"),
        "zone": _("Time zone"),
        "ends_time": _("Ends at"),
        "ended_by_customer": _("Ended by the customer"),
        "next_bill_on": _("Next bill"),
        "next_bill_at": _("Next bill, moment"),
        "held_at": _("Held since"),
        "held_reason": _("Why it is held"),
    },
)
subjects["billing.BillingRun"] = Subject(
    _("Billing run"), "run", RUNS_VIEW, fields={"as_of": _("Day"), "stopped_why": _("Why it stopped")}
)
subjects["billing.BilledPeriod"] = Subject(
    _("Billed period"), fields={"amount_minor": _("Amount"), "until": _("Up to")}
)
subjects["billing.Coupon"] = Subject(
    _("Coupon"),
    "coupons",
    SUBSCRIPTIONS_VIEW,
    fields={
        "percent": _("Percent off"),
        "amount": _("Amount off"),
        "per": _("The amount is off"),
        "most": _("Given at most"),
        "given": _("Given"),
        "until": _("Given until"),
    },
)
subjects["billing.SubscriptionDiscount"] = Subject(
    _("Discount of a subscription"),
    fields={
        "percent": _("Percent off"),
        "amount": _("Amount off"),
        "per": _("The amount is off"),
        "given_until": _("Given until"),
    },
)
subjects["billing.CreditedPeriod"] = Subject(
    _("Credited period"),
    fields={"amount_minor": _("Amount"), "unused_minor": _("Unused"), "since": _("From when")},
)
subjects["billing.CorrectedPeriod"] = Subject(
    _("Corrected period"),
    fields={
        "difference_minor": _("Difference"),
        "amount_minor": _("Amount"),
        "after_minor": _("Comes to"),
        "quantity_before": _("Counted before"),
        "quantity_now": _("Counted now"),
    },
)
subjects["billing.Meter"] = Subject(
    _("Meter"),
    "meter",
    USAGE_VIEW,
    fields={"late_days": _("Days late at most"), "group_by": _("Count apart by")},
)
subjects["billing.UsageAlert"] = Subject(_("Alert of usage"), fields={"threshold": _("Reached at")})
subjects["billing.UsageAlertReached"] = Subject(_("Alert of usage that was reached"))
subjects["billing.UsageVoid"] = Subject(_("Voided event of usage"))
subjects["billing.BulkChange"] = Subject(
    _("Bulk change"),
    "bulk-change",
    SUBSCRIPTIONS_VIEW,
    parts={"billing.BulkChangeItem": "bulk"},
    fields={
        "act": _("What"),
        "on": _("From"),
        "resumes_on": _("Goes on from"),
        "today": _("Seen on"),
        "wanted": _("Which"),
        "look": _("Job that looks"),
        "run": _("Job that changes"),
    },
)
subjects["billing.BulkChangeItem"] = Subject(
    _("Subscription of a bulk change"),
    fields={
        "outcome": _("What became of it"),
        "seen": _("What it was"),
        "day": _("From"),
        "bill_on": _("Next bill"),
        "charge_minor": _("Next invoice"),
        "credit_minor": _("Credit"),
    },
)
subjects["billing.HeldSubscription"] = Subject(
    _("Subscription held by a run"), fields={"findings": _("What was found")}
)
subjects["billing.AcceptedFinding"] = Subject(
    _("Finding said to be right"), fields={"sentence": _("What was found"), "key": _("Figures")}
)
subjects["billing.MrrMovement"] = Subject(
    _("Movement of recurring revenue"),
    fields={"day": _("Day"), "delta_minor": _("Change a month"), "after_minor": _("A month from then on")},
)
subjects["billing.RenewalNotice"] = Subject(
    _("Notice of a renewal"),
    fields={"renews_on": _("Renews on"), "trial": _("End of a trial"), "mailed": _("By mail")},
)
subjects["billing.Feature"] = Subject(
    _("Feature"),
    fields={
        "combine": _("Several items"),
        "per_unit": _("For each unit"),
        "retired_at": _("Not granted anew since"),
    },
)
subjects["billing.FeatureGrant"] = Subject(_("Feature of a plan"), fields={"amount": _("Limit")})
subjects["billing.FeatureOverride"] = Subject(
    _("Feature of a single subscription"),
    fields={"amount": _("Limit"), "granted": _("Has it"), "ends_on": _("Until"), "why": _("Why")},
)
