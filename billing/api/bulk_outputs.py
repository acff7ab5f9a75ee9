"""Bulk changes of subscriptions as the API gives them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rest_framework import serializers

from billing.bulk_listing import OUTCOMES, STATES, BulkSum, figures, state_of
from billing.models import BulkChange, Subscription
from billing.services.bulk_change import ACTS, Seen, Wish
from core.api.fields import Exact, Id, Out, RecordOut, Word
from core.errors import AppError
from invoicing.api.outputs import BulkItemOut


class SubscriptionBulkItemOut(BulkItemOut):
    """What became of one, or would: the figures are those of a dry run, net, and null else."""

    currency = serializers.CharField(allow_null=True)
    on = serializers.DateField(allow_null=True, help_text="First day on which it is another.")
    bill_on = serializers.DateField(
        allow_null=True, help_text="The run as of this day bills and credits it next; null where nothing is."
    )
    charge_minor = serializers.IntegerField(allow_null=True, help_text="What that invoice comes to.")
    credit_minor = serializers.IntegerField(
        allow_null=True, help_text="What it takes back of earlier invoices."
    )
    digest = serializers.CharField(
        allow_null=True, help_text="What it was; send it with the same call to do it."
    )


class SubscriptionBulkOut(Out):
    """What became of each, in the order they were named."""

    OBJECT = "subscription_bulk"

    act = Word(list(ACTS))
    dry_run = serializers.BooleanField()
    done = serializers.IntegerField(help_text="In a dry run: that could be done.")
    failed = serializers.IntegerField()
    items = SubscriptionBulkItemOut(many=True)


def given(
    name: str, row: Subscription | None = None, seen: Seen | None = None, *, error: AppError | None = None
) -> dict[str, Any]:
    """The report on one."""
    good = seen if error is None else None
    return {
        "id": name,
        "done": error is None,
        "code": error.code if error else "",
        "detail": error.message if error else "",
        "currency": row.price.currency if row else None,
        "on": good.day if good else None,
        "bill_on": good.bill_on if good else None,
        "charge_minor": good.charge_minor if good else None,
        "credit_minor": good.credit_minor if good else None,
        "digest": good.digest if good else None,
    }


def report(wish: Wish, items: Sequence[dict[str, Any]], *, dry_run: bool) -> dict[str, Any]:
    """The report over all."""
    done = sum(each["done"] for each in items)
    return {"act": wish.act, "dry_run": dry_run, "done": done, "failed": len(items) - done, "items": items}


class _State(Word):
    def to_representation(self, value: BulkChange) -> str:
        return state_of(value)


class BulkChangeOut(RecordOut):
    """One act on many subscriptions that a person asked for: looked at first, and done when that was confirmed."""

    OBJECT = "bulk_change"

    act = Word(list(ACTS))
    state = _State(STATES, source="*", help_text="`ready`: all were looked at, and nothing is changed yet.")
    price = Id(allow_null=True, help_text="Where a change moves them to.")
    on = serializers.DateField(allow_null=True, help_text="Null for the end of each one's period.")
    resumes_on = serializers.DateField(allow_null=True)
    refund = serializers.BooleanField()
    seen_on = serializers.DateField(source="today", help_text="The day on which they were looked at.")
    look = Id(help_text="The job that looks at them.")
    run = Id(allow_null=True, help_text="The job that changes them; null while nobody confirmed it.")


class BulkSumOut(Out):
    """What is billed and credited next in a currency, net, of what can be changed or was."""

    currency = serializers.CharField(source="charge.currency")
    count = serializers.IntegerField()
    charge_minor = serializers.IntegerField(source="charge.minor")
    credit_minor = serializers.IntegerField(source="credit.minor")


class BulkCountsOut(Out):
    """Subscriptions by what becomes of them."""

    fits = serializers.IntegerField(help_text="Can be changed, and was not yet.")
    unfit = serializers.IntegerField(help_text="Cannot be.")
    done = serializers.IntegerField(help_text="Was changed.")
    refused = serializers.IntegerField(help_text="Was refused when it was to be changed.")


@dataclass(frozen=True, slots=True)
class GivenBulk:
    """A bulk change with its figures as it is given."""

    bulk_change: BulkChange
    counts: Mapping[str, int]
    sums: Sequence[BulkSum]


def bulk_given(row: BulkChange) -> GivenBulk:
    """The bulk change with its figures. Inside work()."""
    found = figures(row)
    return GivenBulk(row, found.counts, found.sums)


class BulkChangeFiguresOut(Out):
    """A bulk change and what it comes to."""

    OBJECT = "bulk_change_figures"

    bulk_change = BulkChangeOut()
    counts = BulkCountsOut()
    sums = BulkSumOut(many=True)


class BulkChangeItemOut(Out):
    """What becomes of a subscription in a bulk change."""

    OBJECT = "bulk_change_item"

    subscription = Id()
    outcome = Word(OUTCOMES)
    code = serializers.CharField(help_text="Why not, for programs; empty where it can be or was.")
    detail = serializers.CharField(source="reason", help_text="Why not, for people.")
    price = Id(help_text="What it had when it was looked at.")
    quantity = Exact(max_digits=28)
    currency = serializers.CharField()
    on = serializers.DateField(source="day", allow_null=True, help_text="First day on which it is another.")
    bill_on = serializers.DateField(
        allow_null=True, help_text="The run as of this day bills and credits it next; null where nothing is."
    )
    charge_minor = serializers.IntegerField(help_text="What that invoice comes to, net.")
    credit_minor = serializers.IntegerField(help_text="What it takes back of earlier invoices, net.")
