"""Coupons, and what subscriptions have off, for programs."""

from typing import Any

from rest_framework import serializers

from billing import discounting
from billing.api.views import TAG
from billing.domain.discounts import Per
from billing.models import MOST_PERIODS, Coupon, SubscriptionDiscount
from billing.permissions import SUBSCRIPTIONS_CREATE, SUBSCRIPTIONS_EDIT, SUBSCRIPTIONS_VIEW
from billing.services.discounts import archive_coupon, create_coupon, discount, end_discount, give_coupon
from core.api.fields import CurrencyCode, Day, Exact, Id, In, RecordOut, Text, Whole
from core.api.operations import Api, Call, Listing, operation, referred
from core.errors import Invalid
from invoicing.api.outputs import business_today


class OffIn(In):
    percent = Exact(
        max_digits=7,
        decimal_places=4,
        required=False,
        help_text="Of a line; or an amount. More than 0, up to 100.",
    )
    amount = Exact(
        max_digits=27,
        decimal_places=12,
        required=False,
        help_text="In major units; what it is off says `per`. Off a bill it is of whole minor units.",
    )
    per = serializers.ChoiceField(
        list(Per),
        required=False,
        help_text="What an amount is off: `bill`, once all that falls due on one day, whose lines share it by what is"
        " left of each, or each `line`. A bill, unless you say otherwise; a percentage is of each line.",
    )
    periods = Whole(
        min_value=1,
        max_value=MOST_PERIODS,
        required=False,
        help_text="Periods of the plan that it is for, 1 for once; for ever, unless you say otherwise.",
    )
    plans = serializers.ListField(
        child=Text(max_length=40),
        max_length=50,
        required=False,
        help_text="Codes; all, unless you say otherwise.",
    )
    products = serializers.ListField(
        child=Text(max_length=40),
        max_length=50,
        required=False,
        help_text="Codes: it is for whatever plans belong to them when a period begins, beside `plans`.",
    )


class CouponIn(OffIn):
    code = Text(max_length=40, help_text="What people name it by; letters, digits, dots and dashes.")
    name = Text(max_length=120, help_text="What it is called on invoices.")
    currency = CurrencyCode(required=False, help_text="Of the amount.")
    most = Whole(
        min_value=1, max_value=1_000_000, required=False, help_text="How often it is given at the most."
    )
    until = Day(required=False, help_text="The last day on which it is given.")


class DiscountIn(OffIn):
    coupon = Text(max_length=40, required=False, help_text="A coupon's code; then nothing else but `on`.")
    name = Text(max_length=120, required=False, help_text="What it is called on invoices.")
    on = Day(
        required=False,
        help_text="It is for periods that begin on this day or later; the first that is not billed, unless you say"
        " otherwise.",
    )


class EndDiscountIn(In):
    on = Day(
        required=False,
        help_text="Periods that begin on this day or later are without it; the first that is not billed, unless you say"
        " otherwise.",
    )


class CouponOut(RecordOut):
    """A discount that many may have. Its terms never change."""

    OBJECT = "coupon"

    code = serializers.CharField()
    name = serializers.CharField()
    percent = Exact(max_digits=7, decimal_places=4, help_text="0 where it is an amount.")
    amount = Exact(max_digits=28, help_text="In major units; 0 where it is a percentage.")
    currency = serializers.CharField(help_text="Of the amount; empty for a percentage.")
    per = serializers.ChoiceField(list(Per), help_text="What it is off: a bill, or each line.")
    periods = serializers.IntegerField(allow_null=True, help_text="Of the plan; null for ever.")
    plans = serializers.ListField(child=serializers.CharField(), help_text="Codes; empty for all.")
    products = serializers.ListField(
        child=serializers.CharField(), help_text="Codes; it is for the plans that belong to them, too."
    )
    most = serializers.IntegerField(allow_null=True)
    given = serializers.IntegerField(help_text="How often it was given.")
    until = serializers.DateField(allow_null=True)
    archived_at = serializers.DateTimeField(allow_null=True, help_text="Not given any more since.")


class DiscountOut(RecordOut):
    """What a subscription has off, of periods that begin from `starts_on` on and before `ends_on`."""

    OBJECT = "subscription_discount"

    subscription = Id()
    coupon = Id(allow_null=True)
    name = serializers.CharField()
    percent = Exact(max_digits=7, decimal_places=4)
    amount = Exact(max_digits=28, help_text="In major units of the subscription's currency.")
    per = serializers.ChoiceField(list(Per), help_text="What it is off: a bill, or each line.")
    plans = serializers.ListField(child=serializers.CharField())
    products = serializers.ListField(child=serializers.CharField())
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(
        allow_null=True, help_text="Null for ever; as the first day, it never held."
    )


class Coupons(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_VIEW, gives=CouponOut, many=True)
    def get(self, call: Call) -> Listing:
        """List coupons, the newest first, also those that are not given any more."""
        return Listing(discounting.coupons())

    @operation(SUBSCRIPTIONS_CREATE, takes=CouponIn, gives=CouponOut, status=201)
    def post(self, call: Call) -> Coupon:
        """Create a coupon."""
        return create_coupon(**call.data)


class OneCoupon(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_VIEW, gives=CouponOut)
    def get(self, call: Call, public_id: str) -> Coupon:
        """Get a coupon."""
        return discounting.coupon(public_id)


class CouponArchive(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_EDIT, gives=CouponOut)
    def post(self, call: Call, public_id: str) -> Coupon:
        """Give a coupon no more. Who has it keeps it; again changes nothing."""
        call.hold(discounting.coupon(public_id))
        return archive_coupon(public_id)


class SubscriptionDiscounts(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_VIEW, gives=DiscountOut, many=True)
    def get(self, call: Call, public_id: str) -> Listing:
        """List what a subscription has or had off, the newest first."""
        return Listing(discounting.discounts(public_id))

    @operation(SUBSCRIPTIONS_EDIT, takes=DiscountIn, gives=DiscountOut, status=201)
    def post(self, call: Call, public_id: str) -> SubscriptionDiscount:
        """Give a subscription a coupon, or a discount of its own.

        A coupon that it has from the same day on is given back as it is.
        """
        said: dict[str, Any] = dict(call.data)
        if "coupon" not in said:
            return discount(public_id, today=business_today(), **{"name": "", **said})
        code, on = said.pop("coupon"), said.pop("on", None)
        if said:
            problem = "A coupon says this itself."
            raise Invalid(problem, fields=dict.fromkeys(said, problem))
        return referred("coupon", lambda: give_coupon(public_id, coupon=code, on=on, today=business_today()))


class SubscriptionDiscountEnd(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_EDIT, takes=EndDiscountIn, gives=DiscountOut)
    def post(self, call: Call, public_id: str) -> SubscriptionDiscount:
        """Take nothing off any more. What is billed keeps it; the same day again changes nothing."""
        return end_discount(public_id, today=business_today(), **call.data)
