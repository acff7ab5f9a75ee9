"""Subscriptions for programs."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from billing import listing, previews
from billing.api.outputs import GivenBill, SubscriptionItemOut, SubscriptionOut, UpcomingOut
from billing.api.steps import StepIn, own_unit_price, steps_wished, time_of_day, wished
from billing.domain.anchors import MOST_TRIAL, Rhythm
from billing.domain.proration import Proration
from billing.models import MOST_ADDED, MOST_QUANTITY, MOST_STEPS, Price, Subscription, SubscriptionItem
from billing.permissions import RUNS_START, SUBSCRIPTIONS_CREATE, SUBSCRIPTIONS_EDIT, SUBSCRIPTIONS_VIEW
from billing.services.amend import amend
from billing.services.change import change, revoke_change, subscribe_in_steps
from billing.services.prices import own_price
from billing.services.subscriptions import add_item, end, end_item, release
from billing.standing import STATES
from core.api.fields import Day, Exact, Flag, In, Metadata, PublicId, Text, Whole
from core.api.operations import Api, Call, Listing, operation, referred
from core.errors import Invalid
from core.pages import dry_run
from invoicing.api.outputs import business_today

TAG = "Subscriptions"
RHYTHM = ("trial_days", "anchor", "anchor_day", "calendar", "with_others", "proration")
EXPANDS = ["customer", "price", "price.plan"]


def _quantity() -> Exact:
    return Exact(
        max_digits=27,
        decimal_places=12,
        min_value=0,
        max_value=MOST_QUANTITY,
        required=False,
        help_text="1, unless you say otherwise.",
    )


class SubscriptionsQuery(In):
    state = serializers.ChoiceField(
        choices=STATES,
        required=False,
        help_text="As of today; `active` has what is held, on trial, to come or past due as well.",
    )
    customer = PublicId(required=False)
    plan = Text(max_length=40, required=False, help_text="Its code.")


class AddedIn(In):
    price = PublicId(help_text="In the customer's currency.")
    unit_price = own_unit_price()
    quantity = _quantity()


class SubscriptionIn(In):
    customer = PublicId()
    price = PublicId(help_text="In the customer's currency.")
    unit_price = own_unit_price()
    starts_on = Day(help_text="Its first day; it may be over.")
    ends_on = Day(required=False, allow_null=True, help_text="First day that is not billed any more.")
    quantity = _quantity()
    trial_days = Whole(
        min_value=0,
        max_value=MOST_TRIAL,
        required=False,
        help_text="Days from its first on that cost nothing.",
    )
    anchor = Day(
        required=False,
        help_text="A day on which a period begins, before the first day or after it; the first billed day, unless you"
        " say otherwise. A first part of a period is billed by its share.",
    )
    anchor_day = Whole(
        min_value=1,
        max_value=31,
        required=False,
        help_text="Instead: the day of the month on which periods begin, or the month's last; those of years and"
        " quarters counted from the month of the first billed day.",
    )
    calendar = Flag(
        required=False,
        help_text="Instead: periods begin with the calendar's weeks, months, quarters and years.",
    )
    with_others = Flag(
        required=False,
        help_text="Instead: periods begin as those of the customer's oldest subscription that has not ended. With"
        " `one_invoice` of the customer, all stand on one invoice.",
    )
    proration = serializers.ChoiceField(
        choices=[str(each) for each in Proration],
        required=False,
        help_text="What a part of a period costs. `day`, unless you say otherwise: its days of the period's; `second`:"
        " its seconds, so that plans change and end at a time of day; `thirtieth`: of months that all have thirty;"
        " `none`: nothing where it begins late, all where it ends early, and no credit.",
    )
    added = serializers.ListField(
        child=AddedIn(),
        required=False,
        max_length=MOST_ADDED,
        help_text="Billed beside the plan from the same day on: add-ons, usage, what is owed once.",
    )
    steps = serializers.ListField(
        child=StepIn(),
        required=False,
        max_length=MOST_STEPS,
        help_text="What the plan becomes later, each from a day within the subscription on, in any order.",
    )
    autopay = Flag(
        required=False,
        help_text="Charge its invoices by themselves. Left out: if the customer keeps a card.",
    )
    external_id = Text(
        max_length=255, required=False, allow_blank=True, help_text="What your system calls it."
    )
    metadata = Metadata()


class AmendIn(In):
    ends_on = Day(required=False, help_text="First day that is not billed any more.")
    autopay = Flag(required=False, help_text="Charge its invoices by themselves, from the next one on.")
    external_id = Text(
        max_length=255, required=False, allow_blank=True, help_text="What your system calls it."
    )
    metadata = Metadata()


class EndIn(In):
    on = Day(help_text="First day that is not billed any more.")


class EndSubscriptionIn(In):
    on = Day(
        required=False,
        help_text="First day that is not billed any more; the end of the plan's period under way, unless you say"
        " otherwise.",
    )
    at = time_of_day()
    refund = Flag(
        required=False,
        help_text="Ask what was paid of unused days back to its method; else it stays as credit.",
    )


class ItemIn(AddedIn):
    starts_on = Day(help_text="First day that it is billed for; a first part by its share.")


class Subscriptions(Api):
    tag = TAG

    @operation(
        SUBSCRIPTIONS_VIEW, query=SubscriptionsQuery, gives=SubscriptionOut, many=True, expands=EXPANDS
    )
    def get(self, call: Call) -> Listing:
        """List subscriptions, the newest first."""
        wanted = {name: call.query[name] for name in ("state", "customer", "plan") if name in call.query}
        return Listing(
            listing.subscriptions(today=business_today(), **wanted)
            .select_related("customer__parent", "price__plan")
            .prefetch_related("items__price")
        )

    @operation(SUBSCRIPTIONS_CREATE, takes=SubscriptionIn, gives=SubscriptionOut, status=201)
    def post(self, call: Call) -> Subscription:
        """Subscribe a customer to a price.

        Its first period starts on `starts_on`; what is due already is billed by the next run. The external id is one
        subscription's only.
        """
        said: dict[str, Any] = dict(call.data)
        price = _priced(said)
        added = [_added(n, each) for n, each in enumerate(said.pop("added", []))]
        rhythm = Rhythm(**{name: said.pop(name) for name in RHYTHM if name in said})
        steps = steps_wished(said.pop("steps", []))
        made = referred("customer", lambda: subscribe_in_steps(
            steps=steps, today=business_today(), price=price, added=added, rhythm=rhythm, **said
        ))  # fmt: skip
        return listing.subscription(made.public_id)


def _added(place: int, said: Mapping[str, Any]) -> tuple[Price, Decimal]:
    return _priced(dict(said), f"added.{place}."), said.get("quantity", Decimal(1))


def _priced(said: dict[str, Any], at: str = "") -> Price:
    """The price that is named, taken out of what was said, or the same with the unit price that is said beside it."""
    price = referred(f"{at}price", lambda: listing.price(said.pop("price")))
    unit_price = said.pop("unit_price", None)
    if unit_price is None:
        return price
    try:
        return own_price(price, unit_price)
    except Invalid as error:
        raise Invalid(
            error.message, fields={f"{at}{name}": why for name, why in error.fields.items()}
        ) from error


class OneSubscription(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_VIEW, gives=SubscriptionOut, expands=EXPANDS)
    def get(self, call: Call, public_id: str) -> Subscription:
        """Get a subscription."""
        return listing.subscription(public_id)

    @operation(SUBSCRIPTIONS_EDIT, takes=AmendIn, gives=SubscriptionOut)
    def patch(self, call: Call, public_id: str) -> Subscription:
        """Change a subscription: its end, how it is paid, and what your system keeps with it.

        What is left out stays; metadata is replaced as a whole. `ends_on` is what `/end` does. Price and quantity
        are changed by `/change`; customer and start never change.
        """
        call.hold(listing.subscription(public_id))
        try:
            amend(public_id, today=business_today(), **call.data)
        except Invalid as error:
            renamed = {{"on": "ends_on"}.get(name, name): why for name, why in error.fields.items()}
            raise Invalid(error.message, fields=renamed, **error.extra) from error
        return listing.subscription(public_id)


class SubscriptionEnd(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_EDIT, takes=EndSubscriptionIn, gives=SubscriptionOut)
    def post(self, call: Call, public_id: str) -> Subscription:
        """End a subscription on a day.

        The next run bills what comes before that day, and credits what is billed beyond it. The same day again changes
        nothing.
        """
        call.hold(listing.subscription(public_id))
        end(public_id, today=business_today(), **call.data)
        return listing.subscription(public_id)


def _changed(public_id: str, data: Mapping[str, Any]) -> None:
    change(public_id, today=business_today(), **wished(data))


class SubscriptionChange(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_EDIT, takes=StepIn, gives=SubscriptionOut)
    def post(self, call: Call, public_id: str) -> Subscription:
        """Change the plan's price or quantity, from a day on.

        Within a period each price is billed by its share, and the next run credits what is billed of the old one. A
        change set for the same day is replaced; what is set for other days stays as it was said, see `/steps`. The
        same one again changes nothing, and what holds before the day takes it back.
        """
        call.hold(listing.subscription(public_id))
        _changed(public_id, call.data)
        return listing.subscription(public_id)


class SubscriptionChangePreview(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_VIEW, takes=StepIn, gives=UpcomingOut)
    def post(self, call: Call, public_id: str) -> GivenBill:
        """What the next invoice of a subscription would say after a change.

        The change is made, billed by the function that runs bill with, and taken back.
        """
        with dry_run():
            _changed(public_id, call.data)
            row = listing.subscription(public_id)
            return GivenBill(row, previews.next_bill(row, today=business_today(), settled=True))


class SubscriptionChangeRevoke(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_EDIT, gives=SubscriptionOut)
    def post(self, call: Call, public_id: str) -> Subscription:
        """Take back the one change that is set for later. Without one nothing happens; of several, see `/steps`."""
        call.hold(listing.subscription(public_id))
        revoke_change(public_id, today=business_today())
        return listing.subscription(public_id)


class SubscriptionItems(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_EDIT, takes=ItemIn, gives=SubscriptionItemOut, status=201)
    def post(self, call: Call, public_id: str) -> SubscriptionItem:
        """Bill something more with a subscription.

        A day within a period bills the days that are left of it by their exact share.
        """
        call.hold(listing.subscription(public_id))
        said: dict[str, Any] = dict(call.data)
        price = _priced(said)
        return add_item(public_id, price=price, **said)


class SubscriptionItemEnd(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_EDIT, takes=EndIn, gives=SubscriptionItemOut)
    def post(self, call: Call, public_id: str) -> SubscriptionItem:
        """Stop billing what was added to a subscription, from a day on.

        The next run credits what is billed beyond it. The plan itself ends with its subscription. The same day again
        changes nothing.
        """
        return end_item(public_id, today=business_today(), **call.data)


class SubscriptionRelease(Api):
    tag = TAG

    @operation(RUNS_START, gives=SubscriptionOut)
    def post(self, call: Call, public_id: str) -> Subscription:
        """Let runs bill a subscription again that one put aside. Again changes nothing.

        What was found of it is right from now on: the same finding with the same figures holds it no more.
        """
        call.hold(listing.subscription(public_id))
        release(public_id)
        return listing.subscription(public_id)


class SubscriptionUpcoming(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_VIEW, gives=UpcomingOut)
    def get(self, call: Call, public_id: str) -> GivenBill:
        """What the next invoice of a subscription will say.

        By the function that runs bill with; nothing is written.
        """
        row = listing.subscription(public_id)
        return GivenBill(row, previews.next_bill(row, today=business_today()))
