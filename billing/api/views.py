"""Plans, prices and subscriptions for programs."""

from typing import Any

from rest_framework import serializers

from billing import listing
from billing.api.outputs import GivenBill, PlanOut, PriceOut, SubscriptionOut, UpcomingOut
from billing.domain.charges import Model
from billing.models import Price, Subscription
from billing.permissions import RUNS_START, SUBSCRIPTIONS_CREATE, SUBSCRIPTIONS_EDIT, SUBSCRIPTIONS_VIEW
from billing.services.subscriptions import MOST_EVERY, amend, create_price, end, release, subscribe
from core.api.fields import CurrencyCode, Day, Exact, Flag, In, Metadata, PublicId, Text, Whole
from core.api.operations import Api, Call, Listing, operation, referred
from core.errors import Invalid
from core.periods import Unit
from invoicing.api.outputs import business_today

TAG = "Plans and subscriptions"
MOST = 10**12
EXPANDS = ["customer", "price", "price.plan"]


class PricesQuery(In):
    plan = Text(max_length=40, required=False, help_text="Its code.")
    currency = CurrencyCode(required=False)


class PriceIn(In):
    code = Text(max_length=40, help_text="Of the plan, which is made when it is new.")
    name = Text(required=False, help_text="Of a new plan; one that is there keeps its own.")
    model = serializers.ChoiceField(choices=[str(each) for each in Model])
    unit_price = Exact(
        max_digits=27, decimal_places=12, min_value=0, max_value=MOST, help_text="In major units."
    )
    currency = CurrencyCode()
    every = Whole(min_value=1, max_value=MOST_EVERY, required=False, help_text="1, unless you say otherwise.")
    unit = serializers.ChoiceField(
        choices=[str(each) for each in Unit], required=False, help_text="A month, unless you say otherwise."
    )
    tax_percent = Exact(
        max_digits=7,
        decimal_places=4,
        min_value=0,
        max_value=100,
        required=False,
        help_text="The legal entity's, unless you say otherwise.",
    )


class SubscriptionsQuery(In):
    state = serializers.ChoiceField(
        choices=["active", "held", "ended"], required=False, help_text="`active` has what is held as well."
    )
    customer = PublicId(required=False)
    plan = Text(max_length=40, required=False, help_text="Its code.")


class SubscriptionIn(In):
    customer = PublicId()
    price = PublicId(help_text="In the customer's currency.")
    starts_on = Day(help_text="First day of the first period; it may be over.")
    ends_on = Day(required=False, allow_null=True, help_text="First day that is not billed any more.")
    quantity = Exact(
        max_digits=27,
        decimal_places=12,
        min_value=0,
        max_value=MOST,
        required=False,
        help_text="1, unless you say otherwise.",
    )
    autopay = Flag(required=False, help_text="Charge the saved method of payment by itself.")
    external_id = Text(
        max_length=255, required=False, allow_blank=True, help_text="What your system calls it."
    )
    metadata = Metadata()


class AmendIn(In):
    ends_on = Day(required=False, help_text="First day that is not billed any more.")
    external_id = Text(
        max_length=255, required=False, allow_blank=True, help_text="What your system calls it."
    )
    metadata = Metadata()


class EndIn(In):
    on = Day(help_text="First day that is not billed any more.")


class Plans(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_VIEW, gives=PlanOut, many=True)
    def get(self, call: Call) -> Listing:
        """List plans, the newest first."""
        return Listing(listing.plan_rows())


class Prices(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_VIEW, query=PricesQuery, gives=PriceOut, many=True, expands=["plan"])
    def get(self, call: Call) -> Listing:
        """List prices, the newest first."""
        wanted = {name: call.query[name] for name in ("plan", "currency") if name in call.query}
        return Listing(listing.price_rows(**wanted))

    @operation(SUBSCRIPTIONS_CREATE, takes=PriceIn, gives=PriceOut, status=201)
    def post(self, call: Call) -> Price:
        """Create a price, and its plan when that is new."""
        return create_price(**{"name": "", **call.data})


class OnePrice(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_VIEW, gives=PriceOut, expands=["plan"])
    def get(self, call: Call, public_id: str) -> Price:
        """Get a price."""
        return listing.price(public_id)


class Subscriptions(Api):
    tag = TAG

    @operation(
        SUBSCRIPTIONS_VIEW, query=SubscriptionsQuery, gives=SubscriptionOut, many=True, expands=EXPANDS
    )
    def get(self, call: Call) -> Listing:
        """List subscriptions, the newest first."""
        wanted = {name: call.query[name] for name in ("state", "customer", "plan") if name in call.query}
        return Listing(listing.subscriptions(**wanted).select_related("customer__parent", "price__plan"))

    @operation(SUBSCRIPTIONS_CREATE, takes=SubscriptionIn, gives=SubscriptionOut, status=201)
    def post(self, call: Call) -> Subscription:
        """Subscribe a customer to a price.

        Its first period starts on `starts_on`; what is due already is billed by the next run. The external id is one
        subscription's only.
        """
        said: dict[str, Any] = dict(call.data)
        price = referred("price", lambda: listing.price(said.pop("price")))
        made = referred("customer", lambda: subscribe(price=price, **said))
        return listing.subscription(made.public_id)


class OneSubscription(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_VIEW, gives=SubscriptionOut, expands=EXPANDS)
    def get(self, call: Call, public_id: str) -> Subscription:
        """Get a subscription."""
        return listing.subscription(public_id)

    @operation(SUBSCRIPTIONS_EDIT, takes=AmendIn, gives=SubscriptionOut)
    def patch(self, call: Call, public_id: str) -> Subscription:
        """Change a subscription: its end, and what your system keeps with it.

        What is left out stays; metadata is replaced as a whole. `ends_on` is what `/end` does. Customer, price,
        quantity and start never change: end it, and subscribe again.
        """
        call.expect(listing.subscription(public_id).version)
        try:
            amend(public_id, **call.data)
        except Invalid as error:
            renamed = {{"on": "ends_on"}.get(name, name): why for name, why in error.fields.items()}
            raise Invalid(error.message, fields=renamed, **error.extra) from error
        return listing.subscription(public_id)


class SubscriptionEnd(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_EDIT, takes=EndIn, gives=SubscriptionOut)
    def post(self, call: Call, public_id: str) -> Subscription:
        """End a subscription on a day that is not billed yet.

        What comes before that day is billed by the next run. The same day again changes nothing.
        """
        call.expect(listing.subscription(public_id).version)
        end(public_id, **call.data)
        return listing.subscription(public_id)


class SubscriptionRelease(Api):
    tag = TAG

    @operation(RUNS_START, gives=SubscriptionOut)
    def post(self, call: Call, public_id: str) -> Subscription:
        """Let runs bill a subscription again that one put aside. Again changes nothing."""
        call.expect(listing.subscription(public_id).version)
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
        return GivenBill(row, listing.next_bill(row, today=business_today()))
