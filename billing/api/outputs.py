"""Plans, prices, subscriptions and billing runs as the API gives them."""

from dataclasses import dataclass
from typing import Any

from rest_framework import serializers

from billing.counted import comes_on
from billing.domain.gate import Severity
from billing.domain.proration import Proration
from billing.listing import RunFigures, held_by, run_figures
from billing.models import ADDED, FEE, PLAN, BillingRun, HeldSubscription, Subscription
from billing.previews import NextBill, RunPreview
from billing.standing import STATES, state_of
from core.api.fields import Exact, Id, Out, RecordOut, Ref, Word
from invoicing.api.outputs import GivenLine, InvoiceLineOut, TaxLineOut, given_line
from invoicing.domain.totals import Totals

NOTHING = Totals(0, 0, 0, ())


class _Standing(Word):
    def to_representation(self, value: Subscription) -> str:
        return state_of(value)


class SubscriptionItemOut(RecordOut):
    """One thing that a subscription bills. Price and quantity never change: what changes ends and another begins."""

    OBJECT = "subscription_item"

    role = Word((PLAN, ADDED, FEE), help_text="The plan itself, what is beside it, or what is owed once.")
    price = Id()
    quantity = Exact(max_digits=28)
    starts_on = serializers.DateField(help_text="First day that it is billed for.")
    ends_on = serializers.DateField(
        allow_null=True,
        help_text="First day that it is not billed any more, when that is before the subscription's.",
    )
    starts_time = serializers.TimeField(
        help_text="When on its first day, where it is prorated by the second."
    )
    ends_time = serializers.TimeField(help_text="Up to when it is billed of the day it ends on, likewise.")


class SubscriptionOut(RecordOut):
    """A customer's subscription to a plan."""

    OBJECT = "subscription"

    state = _Standing(
        STATES,
        source="*",
        help_text="As of today in its zone. `held`: a run put it aside; it waits for a person. `past_due`: active, and"
        " something of its invoices is open after the day on which it was due.",
    )
    customer = Ref("customers.api.outputs.CustomerOut")
    price = Ref("billing.api.price_outputs.PriceOut")
    quantity = Exact(max_digits=28)
    items = SubscriptionItemOut(
        many=True, source="billed_items", help_text="All it bills or billed, the plan first."
    )
    starts_on = serializers.DateField(help_text="Its first day; with a trial it is billed later.")
    trial_ends_on = serializers.DateField(allow_null=True, help_text="First day billed after its trial.")
    anchor = serializers.DateField(
        help_text="A day on which a period begins: the others are counted from it, but for those on listed days."
    )
    proration = Word([str(each) for each in Proration], help_text="What a part of a period costs.")
    ends_on = serializers.DateField(allow_null=True, help_text="First day that is not billed any more.")
    ends_time = serializers.TimeField(
        help_text="Up to when it is billed of that day, where it is prorated by the second."
    )
    zone = serializers.CharField(help_text="Its days are days there.")
    refund = serializers.BooleanField(
        help_text="What is credited at its end is asked back to the method it was paid by."
    )
    paused_on = serializers.DateField(allow_null=True, help_text="First day of its last pause.")
    resumes_on = serializers.DateField(
        allow_null=True, help_text="First day that is billed after it; null while nobody knows."
    )
    autopay = serializers.BooleanField()
    next_bill_on = serializers.DateField(help_text="Something is billed or credited next on this day.")
    held_at = serializers.DateTimeField(allow_null=True)
    held_reason = serializers.CharField()
    external_id = serializers.CharField()
    metadata = serializers.DictField(child=serializers.CharField())


@dataclass(frozen=True, slots=True)
class GivenBill:
    """The next invoice of a subscription as it is given."""

    subscription: Subscription
    bill: NextBill

    @property
    def bill_on(self) -> Any:
        return comes_on(self.subscription, self.bill.charge)

    @property
    def lines(self) -> list[GivenLine]:
        lines = [(line, each.facts.public_id) for each in self.bill.charges for line in each.drafts]
        code = self.subscription.price.currency
        return [given_line(line, n, line.amount_minor, code, of) for n, (line, of) in enumerate(lines, 1)]

    @property
    def sums(self) -> Totals:
        return self.bill.totals or NOTHING

    @property
    def credits(self) -> list[dict[str, Any]]:
        return [
            {
                "invoice_number": each.number,
                "lines": [
                    {
                        "description": name,
                        "service_start": span.start,
                        "service_end": span.end,
                        "amount_minor": minor,
                    }
                    for name, span, minor in each.parts
                ],
                "net_minor": each.totals.net_minor,
                "tax_minor": each.totals.tax_minor,
                "total_minor": each.totals.total_minor,
            }
            for each in self.bill.credits
        ]


class UpcomingCreditPartOut(Out):
    """Days that were billed and are not used."""

    description = serializers.CharField()
    service_start = serializers.DateField()
    service_end = serializers.DateField(help_text="First day that does not belong to it.")
    amount_minor = serializers.IntegerField(help_text="Net.")


class UpcomingCreditOut(Out):
    """A credit note that the next run makes over an invoice."""

    invoice_number = serializers.CharField()
    lines = UpcomingCreditPartOut(many=True)
    net_minor = serializers.IntegerField()
    tax_minor = serializers.IntegerField()
    total_minor = serializers.IntegerField()


class UpcomingOut(Out):
    """What the next invoice of a subscription will say, with the others `billed_with` it; without lines none comes."""

    OBJECT = "upcoming_invoice"

    subscription = Id()
    billed_with = serializers.ListField(child=serializers.CharField(), source="bill.others")
    currency = serializers.CharField(source="subscription.price.currency")
    bill_on = serializers.DateField()
    problem = serializers.CharField(source="bill.odd", help_text="Why it cannot be billed, or empty.")
    lines = InvoiceLineOut(many=True)
    taxes = TaxLineOut(many=True, source="sums.taxes")
    net_minor = serializers.IntegerField(source="sums.net_minor")
    tax_minor = serializers.IntegerField(source="sums.tax_minor")
    total_minor = serializers.IntegerField(source="sums.total_minor")
    deposit_minor = serializers.IntegerField(source="bill.deposit_minor", help_text="Due on its day already.")
    credits = UpcomingCreditOut(many=True, help_text="What the same run takes back.")
    prepaid_minor = serializers.IntegerField(
        source="bill.prepaid_minor", help_text="What the prepaid balance pays if it stays as it is."
    )
    due_minor = serializers.IntegerField(
        source="bill.due_minor",
        help_text="The total less that and all credits; below zero is left to the customer or pays what else is open.",
    )


class BillingRunOut(RecordOut):
    """One run for one day: rejoined when it is asked for again, never doubled."""

    OBJECT = "billing_run"

    as_of = serializers.DateField(help_text="Everything due by this day is billed.")
    state = Word(("running", "done", "stopped"))
    billed = serializers.IntegerField(help_text="Periods.")
    documents = serializers.IntegerField(help_text="Invoices.")
    credit_notes = serializers.IntegerField(help_text="Over invoices of days that are not used.")
    held = serializers.IntegerField(
        help_text="Subscriptions that were put aside: odd, or not to be billed at all."
    )
    stopped_why = serializers.CharField()
    finished_at = serializers.DateTimeField(allow_null=True)


class RunSumOut(Out):
    """What a run billed in one currency."""

    currency = serializers.CharField()
    documents = serializers.IntegerField()
    net_minor = serializers.IntegerField()


class FindingOut(Out):
    """Something about a bill that a person should look at before it is issued."""

    kind = serializers.CharField(
        help_text="What is odd, in a word: `price`, `quantity`, `gap`, `usage` and more."
    )
    severity = Word(
        [str(each) for each in Severity],
        help_text="`wrong`: it contradicts the contract. `odd`: nothing that was recorded explains it.",
    )
    start = serializers.DateField(help_text="First day of the period it is about.")
    sentence = serializers.CharField(help_text="With what it is and what it was before.")
    key = serializers.CharField(help_text="The same as long as the figures are; releasing says yes to it.")


class HeldOut(Out):
    """A subscription that was put aside."""

    subscription = Id()
    reason = serializers.CharField()
    findings = FindingOut(
        many=True, help_text="What the gate found; empty when it could not be billed at all."
    )


@dataclass(frozen=True, slots=True)
class GivenRun:
    """A run with its figures as it is given."""

    run: BillingRun
    figures: RunFigures
    waiting: list[HeldSubscription]

    @property
    def sums(self) -> list[dict[str, Any]]:
        return [
            {"currency": money.currency, "documents": n, "net_minor": money.minor}
            for n, money in self.figures.sums
        ]


def run_given(row: BillingRun) -> GivenRun:
    """The run with its figures. Inside work()."""
    return GivenRun(row, run_figures(row), held_by(row))


class BillingRunFiguresOut(Out):
    """A run and how far it is."""

    OBJECT = "billing_run_figures"

    run = BillingRunOut()
    to_go = serializers.IntegerField(source="figures.to_go", help_text="Subscriptions that are left for it.")
    sums = RunSumOut(many=True)
    held = HeldOut(many=True, source="waiting", help_text="Not released yet, the first 200.")


class RunPreviewSumOut(Out):
    """What a run would bill in one currency."""

    currency = serializers.CharField()
    documents = serializers.IntegerField()
    net_minor = serializers.IntegerField()
    total_minor = serializers.IntegerField()


class RunPreviewOut(Out):
    """What a run would do; nothing is written."""

    OBJECT = "billing_run_preview"

    documents = serializers.IntegerField()
    sums = RunPreviewSumOut(many=True)
    held = HeldOut(many=True, help_text="What it would put aside, the first 50.")
    more = serializers.IntegerField(
        help_text="Subscriptions beyond the first 1000, which were not looked at."
    )
    closed = serializers.CharField(help_text="Whose books keep it from billing all that is due; or empty.")


def preview_given(found: RunPreview) -> dict[str, Any]:
    """The preview as it is given."""
    return {
        "documents": found.count,
        "sums": [
            {
                "currency": each.net.currency,
                "documents": each.count,
                "net_minor": each.net.minor,
                "total_minor": each.total.minor,
            }
            for each in found.sums
        ],
        "held": [
            {"subscription": each.subscription, "reason": each.reason, "findings": each.findings}
            for each in found.odd
        ],
        "more": found.more,
        "closed": found.closed,
    }
