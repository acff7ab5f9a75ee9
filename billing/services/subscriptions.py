"""Plans, prices and subscriptions."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from django.db import IntegrityError, transaction

from billing.domain.charges import Model
from billing.domain.days import day_problem
from billing.models import Plan, Price, Subscription
from core import money
from core.errors import Conflict, Invalid
from core.locks import lock_one
from core.periods import Unit, local_midnight
from customers.services.customers import take_on
from tenants.selectors import entity

MOST_EVERY = 120
_CODE = re.compile(r"[\w.-]{1,40}")


class ExternalIdTaken(Conflict):
    """Another subscription has this id of another system."""

    code = "external_id_taken"


def create_price(
    *,
    name: str,
    code: str,
    model: str,
    unit_price: Decimal,
    currency: str,
    unit: str = "month",
    every: int = 1,
    tax_percent: Decimal | None = None,
) -> Price:
    """A price of the plan with this code, the plan being made, with the name, when it is new. Inside work().

    `unit_price` in major units, at most 12 decimals; tax defaults to the legal entity's. Raises Invalid.
    """
    problems = _plan_problems(name, code) | _price_problems(model, unit, every, unit_price, tax_percent)
    try:
        money.exponent(currency)
    except money.MoneyError as error:
        problems["currency"] = str(error)
    if problems:
        raise Invalid("The price cannot be saved.", fields=problems)
    plan, _ = Plan.objects.get_or_create(code=code, defaults={"name": name})
    return Price.objects.create(
        plan=plan,
        model=model,
        unit_price=unit_price,
        currency=currency,
        unit=unit,
        every=every,
        tax_percent=entity().tax_percent if tax_percent is None else tax_percent,
    )


def _plan_problems(name: str, code: str) -> dict[str, str]:
    if not _CODE.fullmatch(code):
        return {"code": "Letters, digits, dots and dashes."}
    if not name.strip() and not Plan.objects.filter(code=code).exists():
        return {"name": "A new plan needs a name."}
    return {}


def _price_problems(
    model: str, unit: str, every: int, unit_price: Decimal, tax_percent: Decimal | None
) -> dict[str, str]:
    problems: dict[str, str] = {}
    if model not in list(Model):
        problems["model"] = "Choose flat or per unit."
    if unit not in list(Unit):
        problems["unit"] = "Choose day, week, month, quarter or year."
    if not 1 <= every <= MOST_EVERY:
        problems["every"] = f"An interval is 1 to {MOST_EVERY}."
    if not unit_price.is_finite() or unit_price < 0 or unit_price > 10**12:
        problems["unit_price"] = "A price is zero or more."
    if tax_percent is not None and not 0 <= tax_percent <= 100:  # noqa: PLR2004
        problems["tax_percent"] = "A tax is between 0 and 100 percent."
    return problems


def subscribe(
    *,
    customer: str,
    price: Price,
    starts_on: date,
    quantity: Decimal = Decimal(1),
    autopay: bool = False,
    ends_on: date | None = None,
    external_id: str = "",
    metadata: Mapping[str, str] | None = None,
) -> Subscription:
    """Subscribe a customer (public id) to a price from a local date in the customer's zone. Inside work().

    The first period starts on `starts_on`, also in the past. Raises Invalid for an archived customer, when the price's
    currency is not the customer's, on a quantity below zero, a day out of range, or an end before the start;
    ExternalIdTaken.
    """
    for field, day in (("starts_on", starts_on), ("ends_on", ends_on)):
        if day is not None and (problem := day_problem(day)):
            raise Invalid(problem, fields={field: problem})
    owner = take_on(customer)
    if price.currency != owner.currency:
        raise Invalid(f"This customer is billed in {owner.currency}.", fields={"price": "Another currency."})
    if not quantity.is_finite() or quantity < 0 or quantity > 10**12:
        raise Invalid("A quantity is zero or more.", fields={"quantity": "Zero or more."})
    if ends_on is not None and ends_on <= starts_on:
        raise Invalid("It ends before it starts.", fields={"ends_on": "After the start."})
    try:
        with transaction.atomic():
            return Subscription.objects.create(
                customer=owner,
                price=price,
                quantity=quantity,
                anchor=starts_on,
                zone=owner.zone,
                ends_on=ends_on,
                autopay=autopay,
                next_bill_on=starts_on,
                next_bill_at=local_midnight(starts_on, owner.zone),
                external_id=external_id,
                metadata=dict(metadata or {}),
            )
    except IntegrityError as error:
        raise ExternalIdTaken(f"Another subscription is called “{external_id}” by your system.") from error


def amend(
    public_id: str,
    *,
    ends_on: date | None = None,
    external_id: str | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Subscription:
    """Change what may change of a subscription: its end, as `end` does, and what other systems keep with it.

    What is None stays. Inside work(). Raises what `end` raises, and ExternalIdTaken.
    """
    subscription = lock_one(Subscription.objects.filter(public_id=public_id))
    changed = {"external_id": external_id, "metadata": None if metadata is None else dict(metadata)}
    fields = [
        name for name, value in changed.items() if value is not None and value != getattr(subscription, name)
    ]
    for name in fields:
        setattr(subscription, name, changed[name])
    if fields:
        try:
            with transaction.atomic():
                subscription.touch(*fields)
        except IntegrityError as error:
            raise ExternalIdTaken(
                f"Another subscription is called “{external_id}” by your system."
            ) from error
    return subscription if ends_on is None else end(public_id, on=ends_on)


def release(public_id: str) -> Subscription:
    """Let runs bill a held subscription again; one that is not held stays as it is. Inside work()."""
    subscription = lock_one(Subscription.objects.filter(public_id=public_id))
    if subscription.held_at is None:
        return subscription
    subscription.held_at = None
    subscription.held_reason = ""
    return subscription.touch("held_at", "held_reason")


def end(public_id: str, *, on: date) -> Subscription:
    """End a subscription on a local date, the first that is not billed any more. Inside work().

    Ends at once when it is billed up to that day, else the run bills what comes before it. Raises Invalid for a day
    before what is billed already, which a credit note takes back, Conflict when it ended on another day. The same
    wish again changes nothing.
    """
    subscription = lock_one(Subscription.objects.filter(public_id=public_id))
    if problem := day_problem(on):
        raise Invalid(problem, fields={"on": problem})
    if subscription.ends_on == on:
        return subscription
    if subscription.state != "active":
        raise Conflict("This has ended already.")
    if on < subscription.next_bill_on:
        problem = f"It is billed up to {subscription.next_bill_on}; end it then, and credit what is too much."
        raise Invalid(problem, fields={"on": problem})
    subscription.ends_on = on
    subscription.state = "ended" if on == subscription.next_bill_on else "active"
    return subscription.touch("ends_on", "state")
