"""Plans and prices for programs, and what a quantity would cost."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from billing import listing
from billing.api.price_outputs import PriceOut
from billing.domain.facts import Timing
from billing.domain.listed import MOST_DATES
from billing.domain.pricing import Model
from billing.domain.terms import MOST_TIERS
from billing.models import MOST_EVERY, ONCE, Price
from billing.permissions import SUBSCRIPTIONS_CREATE, SUBSCRIPTIONS_EDIT, SUBSCRIPTIONS_VIEW
from billing.quotes import MOST_EVENTS, Quote, quote, quote_of
from billing.services.prices import create_price, retire_price
from core.api.fields import CurrencyCode, Exact, Flag, In, Out, PublicId, Text, Whole
from core.api.operations import Api, Call, Listing, operation, referred
from core.money import Money
from core.periods import DATES, Unit
from invoicing.api.outputs import WhyOut
from invoicing.explain import Step, steps

TAG = "Plans and prices"
MOST = 10**12


def _number(help_text: str = "", **kwargs: Any) -> Exact:
    given = {"max_digits": 27, "decimal_places": 12, "min_value": 0, "max_value": MOST, "required": False}
    return Exact(**{**given, "help_text": help_text, **kwargs})


class PricesQuery(In):
    plan = Text(max_length=40, required=False, help_text="Its code.")
    product = Text(max_length=40, required=False, help_text="Of the product that the plan belongs to.")
    currency = CurrencyCode(required=False)


class TierIn(In):
    up_to = _number("Last quantity of the tier; the last tier has none.", allow_null=True)
    unit_price = _number("Of a unit in the tier, in major units.")
    percent = _number("Of an amount in the tier.", max_value=100)
    flat = _number("Owed as soon as the tier is reached, in major units.")
    per = _number("Units that the unit price is for; a started lot counts whole.")


class TermsIn(In):
    """What a model does not look at is refused."""

    model = serializers.ChoiceField(choices=[str(each) for each in Model])
    unit_price = _number("Of all, of a unit or of a package, in major units.")
    tiers = serializers.ListField(child=TierIn(), required=False, min_length=1, max_length=MOST_TIERS)
    per = _number("Units in a package; a started one counts whole.")
    free = _number("Units, or for a percentage the amount, that cost nothing.")
    percent = _number("Of the amount.", max_value=100)
    per_event = _number("Beside the percentage, for each event, in major units.")
    free_events = Whole(
        min_value=0, max_value=MOST, required=False, help_text="Events that cost nothing; see `free_total`."
    )
    free_total = _number("Amount that costs nothing; the limit that is reached first ends both.")
    event_minimum = _number("Least fee of an event, in major units.")
    event_maximum = _number("Largest fee of an event, in major units.")
    minimum = _number("Least amount of a period, in major units.")
    maximum = _number("Largest amount of a period, in major units.")
    flat_at_zero = Flag(
        required=False, help_text="Whether nothing still owes the first tier's flat part; true by default."
    )
    by_share = Flag(
        required=False,
        help_text="Whether in a part of a period what is free and the bounds of a period are its share where a meter"
        " counts, and a level that is averaged over time costs its share; false by default: all are whole.",
    )
    currency = CurrencyCode()


class PriceIn(TermsIn):
    code = Text(max_length=40, help_text="Of the plan, which is made when it is new.")
    name = Text(required=False, help_text="Of a new plan; one that is there keeps its own.")
    product = Text(
        max_length=40,
        required=False,
        help_text="Code of the product that a new plan belongs to; one that is there keeps its own, or none.",
    )
    every = Whole(min_value=1, max_value=MOST_EVERY, required=False, help_text="1, unless you say otherwise.")
    unit = serializers.ChoiceField(
        choices=[*(str(each) for each in Unit), DATES, ONCE],
        required=False,
        help_text="A month, unless you say otherwise; `dates` are days that you list, `once` is owed one time.",
    )
    dates = serializers.ListField(
        child=Text(max_length=5),
        required=False,
        max_length=MOST_DATES,
        help_text="With the unit `dates`: the days of each year on which periods begin, month and day as `03-25`; any"
        " but 29 February.",
    )
    timing = serializers.ChoiceField(
        choices=[str(each) for each in Timing],
        required=False,
        help_text="Whether a period is billed at its start or at its end; in advance, unless you say otherwise.",
    )
    meter = Text(
        max_length=100,
        required=False,
        help_text="Code or id; what it counts in a period is the quantity, billed in arrears.",
    )
    tax_percent = Exact(
        max_digits=7,
        decimal_places=4,
        min_value=0,
        max_value=100,
        required=False,
        help_text="The legal entity's, unless you say otherwise.",
    )
    replaces = PublicId(
        required=False, help_text="A price that this one takes the place of; its subscriptions keep it."
    )


_QUANTITY = "How much; for a percentage the amount in major units."


class QuoteQuery(In):
    quantity = _number(f"{_QUANTITY} A price that looks at single events takes it as one.", required=True)


class QuoteIn(TermsIn):
    quantity = _number(_QUANTITY)
    events = serializers.ListField(
        child=_number(),
        required=False,
        max_length=MOST_EVENTS,
        help_text="Single amounts in their order, for a percentage that looks at them; instead of the quantity.",
    )


@dataclass(frozen=True, slots=True)
class GivenQuote:
    """A quote as it is given."""

    quote: Quote

    @property
    def why(self) -> list[Step]:
        return steps(self.quote.why, Money(self.quote.amount_minor, self.quote.currency))


class QuoteOut(Out):
    """What a quantity costs in one whole period, before tax."""

    OBJECT = "quote"

    currency = serializers.CharField(source="quote.currency")
    quantity = Exact(max_digits=28, source="quote.quantity")
    amount_minor = serializers.IntegerField(source="quote.amount_minor", help_text="Net, rounded once.")
    detail = serializers.CharField(
        source="quote.detail", help_text="The same in short, as an invoice has it."
    )
    why = WhyOut(many=True)


class Prices(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_VIEW, query=PricesQuery, gives=PriceOut, many=True, expands=["plan"])
    def get(self, call: Call) -> Listing:
        """List prices, the newest first, also those that are not offered any more."""
        wanted = {name: call.query[name] for name in ("plan", "product", "currency") if name in call.query}
        return Listing(listing.price_rows(**wanted))

    @operation(SUBSCRIPTIONS_CREATE, takes=PriceIn, gives=PriceOut, status=201)
    def post(self, call: Call) -> Price:
        """Create a price, and its plan when that is new."""
        return referred("replaces", lambda: create_price(**{"name": "", **call.data}))


class OnePrice(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_VIEW, gives=PriceOut, expands=["plan"])
    def get(self, call: Call, public_id: str) -> Price:
        """Get a price."""
        return listing.price(public_id)


class PriceRetire(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_EDIT, gives=PriceOut)
    def post(self, call: Call, public_id: str) -> Price:
        """Offer a price no more. Its subscriptions keep it; again changes nothing."""
        call.hold(listing.price(public_id))
        retire_price(public_id)
        return listing.price(public_id)


class PriceQuote(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_VIEW, query=QuoteQuery, gives=QuoteOut)
    def get(self, call: Call, public_id: str) -> GivenQuote:
        """What a quantity costs at a price for one whole period, by the function that bills."""
        return GivenQuote(quote_of(listing.price(public_id), call.query["quantity"]))


class Quotes(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_VIEW, takes=QuoteIn, gives=QuoteOut)
    def post(self, call: Call) -> GivenQuote:
        """What a quantity would cost under terms that no price has yet; nothing is written."""
        said: dict[str, Any] = dict(call.data)
        quantity: Decimal | None = said.pop("quantity", None)
        return GivenQuote(quote(quantity=quantity, events=said.pop("events", None), **said))
