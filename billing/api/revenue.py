"""Monthly recurring revenue for programs: what it was, what moved it, and each movement."""

from datetime import date
from typing import Any

from django.db.models import Prefetch
from rest_framework import serializers

from billing.domain.mrr import Move
from billing.listing import subscriptions
from billing.models import MrrMovement
from billing.permissions import MRR_VIEW
from billing.revenue import NEWEST, Moved, MovementFilter, Revenue, movement_rows, revenue, year_to
from core import clock, ids
from core.api.fields import CurrencyCode, Day, In, Out, PublicId, Ref, Text, Word
from core.api.operations import Api, Call, Listing, operation
from tenants.selectors import entity

TAG = "Recurring revenue"


class MrrMovementOut(Out):
    """From `day` on a subscription is worth `mrr_minor` a month, by its contract: `delta_minor` more or less.

    It is there once for a subscription and a day; what is agreed for later and taken back is there no more.
    """

    OBJECT = "mrr_movement"

    id = serializers.SerializerMethodField()
    subscription = Ref("billing.api.outputs.SubscriptionOut")
    customer = Ref("customers.api.outputs.CustomerOut", source="subscription.customer")
    day = serializers.DateField(help_text="Local to the subscription's zone; it may be still to come.")
    kind = Word([str(each) for each in Move])
    currency = serializers.CharField()
    delta_minor = serializers.IntegerField(help_text="Below zero for contraction and churn; never zero.")
    mrr_minor = serializers.IntegerField(source="after_minor")

    def get_id(self, row: MrrMovement) -> str:
        return ids.numbered("mrr", row.pk)


class MovedOut(Out):
    """What recurring revenue was before the first day, how it moved, and what it is at the end of the last."""

    first_day = serializers.DateField(source="start")
    last_day = serializers.DateField(source="end")
    opening_minor = serializers.IntegerField(source="opening.minor")
    new_minor = serializers.SerializerMethodField()
    expansion_minor = serializers.SerializerMethodField()
    contraction_minor = serializers.SerializerMethodField()
    churn_minor = serializers.SerializerMethodField()
    reactivation_minor = serializers.SerializerMethodField()
    closing_minor = serializers.IntegerField(
        source="closing.minor",
        help_text="The opening and all movements; contraction and churn are below zero.",
    )

    def get_new_minor(self, moved: Moved) -> int:
        return moved.by_kind[Move.NEW].minor

    def get_expansion_minor(self, moved: Moved) -> int:
        return moved.by_kind[Move.EXPANSION].minor

    def get_contraction_minor(self, moved: Moved) -> int:
        return moved.by_kind[Move.CONTRACTION].minor

    def get_churn_minor(self, moved: Moved) -> int:
        return moved.by_kind[Move.CHURN].minor

    def get_reactivation_minor(self, moved: Moved) -> int:
        return moved.by_kind[Move.REACTIVATION].minor


class MrrCurrencyOut(Out):
    """The same of all days and of each month, cut where the days begin and end."""

    currency = serializers.CharField()
    whole = MovedOut()
    months = MovedOut(many=True)


class MrrOut(Out):
    """Monthly recurring revenue over days, by currency."""

    OBJECT = "mrr"

    day_from = serializers.DateField()
    day_to = serializers.DateField()
    plan = serializers.CharField(allow_null=True)
    product = serializers.CharField(allow_null=True)
    currencies = MrrCurrencyOut(many=True)


class MrrMovementsQuery(In):
    subscription = PublicId(required=False)
    customer = PublicId(required=False)
    kind = serializers.ChoiceField([str(each) for each in Move], required=False)
    currency = CurrencyCode(required=False)
    plan = Text(max_length=40, required=False, help_text="Code of the plan that the subscription is on now.")
    product = Text(max_length=40, required=False, help_text="Code of the product that this plan belongs to.")
    day_from = Day(required=False)
    day_to = Day(required=False, help_text="The last day that counts.")


class MrrQuery(In):
    day_from = Day(
        required=False, help_text="The first of the month eleven before `day_to`, unless you say otherwise."
    )
    day_to = Day(
        required=False,
        help_text="The last day that counts; today, unless you say otherwise. Later days hold what is agreed.",
    )
    plan = Text(
        max_length=40, required=False, help_text="Only of subscriptions that are on this plan now: its code."
    )
    product = Text(
        max_length=40,
        required=False,
        help_text="Only of subscriptions that are on a plan of this product now: its code.",
    )


class MrrMovements(Api):
    tag = TAG

    @operation(
        MRR_VIEW,
        query=MrrMovementsQuery,
        gives=MrrMovementOut,
        many=True,
        expands=["customer", "subscription", "subscription.customer", "subscription.price"],
    )
    def get(self, call: Call) -> Listing:
        """List movements of monthly recurring revenue, the latest day first.

        A subscription's first movement is new; a fall to nothing is churn and the rise from it a reactivation. What a
        meter counts and what is owed once is not recurring.
        """
        rows = movement_rows(MovementFilter(**call.filters)).select_related(None)
        whole = (
            subscriptions().select_related("customer__parent", "price__plan").prefetch_related("items__price")
        )
        return Listing(rows.prefetch_related(Prefetch("subscription", queryset=whole)), NEWEST)


class RecurringRevenue(Api):
    tag = TAG

    @operation(MRR_VIEW, query=MrrQuery, gives=MrrOut)
    def get(self, call: Call) -> dict[str, Any]:
        """Monthly recurring revenue over days: opening, new, expansion, contraction, churn, reactivation, closing.

        By currency and month, from what was agreed, never from invoices. A year is 12 months, 4 quarters, 52 weeks or
        365 days.
        """
        last: date = call.query.get("day_to") or clock.today(entity().zone)
        first: date = call.query.get("day_from") or year_to(last)
        plan = call.query.get("plan", "")
        product = call.query.get("product", "")
        found: list[Revenue] = revenue(first, last, plan=plan, product=product)
        said = {"plan": plan or None, "product": product or None}
        return {"day_from": first, "day_to": last, **said, "currencies": found}
