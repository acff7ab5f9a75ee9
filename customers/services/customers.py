"""Making and changing customers."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from core import clock, money
from core.errors import Conflict, Invalid
from core.locks import claim, lock, lock_one
from customers.models import Contact, Customer, NameStart
from customers.ports import still_needed
from tenants.selectors import entity as entity_of

KEY_LENGTH = 200
BREAKS = " -/(.&"
"""What a word of a name begins after; the migration that filled NameStart knows the same."""
FIELDS = (
    "name", "number", "email", "address", "country", "currency", "terms_days", "one_invoice", "parent_id",
    "external_id", "metadata", "deposit_percent", "zone",
)  # fmt: skip
_MAX_DEPTH = 10
_TRIES = 20


class Stale(Conflict):
    """Somebody changed the record since it was read; nothing was written. `current` is the row as it is now."""

    code = "stale"


class StillNeeded(Conflict):
    """Something goes on for the customer, so it is not put away."""

    code = "still_needed"


class NumberTaken(Conflict):
    """Another customer has this number."""

    code = "number_taken"


def name_key(name: str) -> str:
    """What names are searched and matched by: no case, no accents, single spaces."""
    folded = unicodedata.normalize("NFKD", name).casefold()
    kept = "".join(ch for ch in folded if not unicodedata.combining(ch))
    return " ".join(kept.split())[:KEY_LENGTH]


def word_starts(key: str) -> list[str]:
    """A name's key from each of its words on: `kestrel freight`, `freight`."""
    before = " " + key
    starts = [key[n:] for n, char in enumerate(key) if before[n] in BREAKS and char not in BREAKS]
    return starts if not key or key[0] not in BREAKS else [key, *starts]


def _keep_starts(customer: Customer) -> None:
    """Keep how the customer's name is found, after it was written."""
    wanted = word_starts(customer.name_key)
    if set(NameStart.objects.filter(customer=customer).values_list("start", flat=True)) == set(wanted):
        return
    NameStart.objects.filter(customer=customer).delete()
    NameStart.objects.bulk_create(NameStart(customer=customer, start=start) for start in wanted)


def create_customer(  # noqa: PLR0913 - a customer's own data
    *,
    name: str,
    number: str,
    email: str = "",
    currency: str = "",
    country: str = "",
    address: str = "",
    terms_days: int | None = None,
    zone: str = "",
    deposit_percent: int | None = None,
    one_invoice: bool = False,
    external_id: str = "",
    parent_id: int | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Customer:
    """A customer of the scope's first legal entity, with a contact when there is an e-mail address. Inside work().

    Currency, zone and terms (days) default to the legal entity's. In the zone (IANA) days of its subscriptions begin
    that are made from then on. Natural key: the customer number; the same customer sent again is returned as it is.
    Raises NumberTaken when another one has the number, Invalid on an empty name, a bad address, an unknown currency or
    zone.
    """
    name, number = name.strip(), number.strip()
    problems = _problems(
        name=name, number=number, email=email, currency=currency, deposit_percent=deposit_percent, zone=zone
    )
    if problems:
        raise Invalid("The customer cannot be saved.", fields=problems)
    entity = entity_of()
    values: dict[str, Any] = {
        "name": name,
        "number": number,
        "email": email,
        "address": address,
        "country": country,
        "currency": currency or entity.currency,
        "zone": zone or entity.zone,
        "terms_days": entity.terms_days if terms_days is None else terms_days,
        "deposit_percent": deposit_percent,
        "one_invoice": one_invoice,
        "parent_id": parent_id,
    }
    if (there := _same(values)) is not None:
        return there
    try:
        with transaction.atomic():
            customer = Customer.objects.create(
                name_key=name_key(name),
                entity=entity,
                external_id=external_id,
                metadata=dict(metadata or {}),
                **values,
            )
            _keep_starts(customer)
            if email:
                Contact.objects.create(customer=customer, name=name, email=email)
    except IntegrityError as error:
        if (there := _same(values)) is not None:
            return there
        raise Conflict("A customer with this number or external id was made a moment ago.") from error
    return customer


def _same(values: dict[str, Any]) -> Customer | None:
    """The customer that has this number when it is the very same; NumberTaken when it is another."""
    there: Customer | None = Customer.objects.filter(number=values["number"]).first()
    if there is None:
        return None
    if there.archived_at or any(getattr(there, field) != value for field, value in values.items()):
        raise NumberTaken(f"Customer number {values['number']} is taken by {there.name}.")
    return there


def update_customer(customer_id: int, *, version: int, **values: Any) -> Customer:
    """Change a customer's own data (see FIELDS), as it was read at `version`. Inside work().

    Raises Stale when somebody changed it meanwhile, NumberTaken, Invalid on bad values or a parent that is
    below the customer itself. The same change sent again does nothing.
    """
    customer = lock_one(Customer.objects.filter(pk=customer_id))
    if all(getattr(customer, field) == value for field, value in values.items()):
        return customer
    if customer.version != version:
        raise Stale("Somebody changed this customer meanwhile.", current=customer)
    problems = _problems(
        name=values.get("name", customer.name),
        number=values.get("number", customer.number),
        email=values.get("email", ""),
        currency=values.get("currency", ""),
        deposit_percent=values.get("deposit_percent"),
        zone=values.get("zone", ""),
    )
    if values.get("parent_id") and _is_below(values["parent_id"], customer_id):
        problems["parent"] = "That customer belongs to this one."
    if problems:
        raise Invalid("The customer cannot be saved.", fields=problems)
    for field in FIELDS:
        if field in values:
            setattr(customer, field, values[field])
    customer.name_key = name_key(customer.name)
    try:
        with transaction.atomic():
            customer.touch(*FIELDS, "name_key")
            _keep_starts(customer)
            return customer
    except IntegrityError as error:
        raise NumberTaken(f"Customer number {customer.number} is taken.") from error


def _is_below(parent_id: int, customer_id: int) -> bool:
    """Whether the wished parent is the customer itself or hangs somewhere under it."""
    seen = 0
    above: int | None = parent_id
    while above is not None and seen < _MAX_DEPTH:
        if above == customer_id:
            return True
        above = Customer.objects.filter(pk=above).values_list("parent_id", flat=True).first()
        seen += 1
    return above is not None


def set_archived(customer_id: int, *, archived: bool) -> Customer:
    """Put a customer away, or bring it back; what is open stays open. Inside work(). Again changes nothing.

    Raises StillNeeded while something goes on for it, such as a subscription that is still billed.
    """
    customer = lock_one(Customer.objects.filter(pk=customer_id))
    if bool(customer.archived_at) == archived:
        return customer
    if archived and (reasons := [reason for ask in still_needed if (reason := ask(customer.pk))]):
        raise StillNeeded(" ".join(reasons))
    customer.archived_at = clock.now() if archived else None
    return customer.touch("archived_at")


def take_on(public_id: str) -> Customer:
    """The customer, locked, for something that will go on for it: archiving waits and then sees it. Inside work().

    Raises NotFound, and Invalid for one that is archived.
    """
    customer = lock_one(Customer.objects.filter(public_id=public_id))
    if customer.archived_at:
        problem = "This customer is archived; bring it back first."
        raise Invalid(problem, fields={"customer": problem})
    return customer


def hold(ids: Any) -> None:
    """Lock the customers with these ids, which may be a query. Inside work()."""
    lock(Customer.objects.filter(pk__in=ids))


def claim_customers(ids: Any, limit: int) -> list[int]:
    """Ids of up to `limit` customers that nobody else holds, locked. Inside work()."""
    return [row.pk for row in claim(Customer.objects.filter(pk__in=ids).order_by("pk"), limit)]


def suggest_number() -> str:
    """The next free number after the newest customer's: `K9` gives `K10`, `C-0041` gives `C-0042`. Inside work()."""
    newest = Customer.objects.order_by("-id").values_list("number", flat=True).first() or "C-0000"
    found = re.fullmatch(r"(.*?)(\d{1,18})", newest, re.ASCII | re.DOTALL)
    head, digits = found.groups() if found else (f"{newest[:30]}-", "0")
    width = len(digits)
    wished = [f"{head}{int(digits) + step:0{width}}"[:40] for step in range(1, _TRIES + 1)]
    taken = set(Customer.objects.filter(number__in=wished).values_list("number", flat=True))
    return next((number for number in wished if number not in taken), "")


def _problems(
    *, name: str, number: str, email: str, currency: str, deposit_percent: int | None, zone: str
) -> dict[str, str]:
    wrong = {
        "deposit_percent": (
            "From 0 to 100, or nothing.",
            deposit_percent is not None and not 0 <= deposit_percent <= 100,  # noqa: PLR2004 - percent
        ),
        "zone": ("This is not a time zone.", bool(zone) and zone not in available_timezones()),
        "name": ("A customer needs a name.", not name),
        "number": ("A customer needs a number.", not number.strip()),
    }
    problems = {field: said for field, (said, is_so) in wrong.items() if is_so}
    if email:
        try:
            validate_email(email)
        except ValidationError:
            problems["email"] = "This is not an e-mail address."
    if currency:
        try:
            money.exponent(currency)
        except money.MoneyError as error:
            problems["currency"] = str(error)
    return problems
