"""Making and changing customers."""

import unicodedata

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from core import money
from core.errors import Conflict, Invalid
from customers.models import Contact, Customer
from tenants.selectors import entity as entity_of


def name_key(name: str) -> str:
    """What names are searched and matched by: no case, no accents, single spaces."""
    folded = unicodedata.normalize("NFKD", name).casefold()
    return " ".join("".join(ch for ch in folded if not unicodedata.combining(ch)).split())


def create_customer(
    *,
    name: str,
    number: str,
    email: str = "",
    currency: str = "",
    country: str = "",
    address: str = "",
    terms_days: int | None = None,
    external_id: str = "",
) -> Customer:
    """A customer of the scope's first legal entity, with a contact when there is an e-mail address. Inside work().

    Currency, zone and terms (days) default to the legal entity's. Natural key: the customer number; raises
    Conflict when it is taken, Invalid on an empty name, a bad address or an unknown currency.
    """
    name = name.strip()
    problems = _problems(name=name, number=number, email=email, currency=currency)
    if problems:
        raise Invalid("The customer cannot be saved.", fields=problems)
    if Customer.objects.filter(number=number).exists():
        raise Conflict(f"Customer number {number} is taken.", code="number_taken")
    entity = entity_of()
    customer = Customer.objects.create(
        name=name,
        name_key=name_key(name),
        number=number,
        entity=entity,
        email=email,
        address=address,
        country=country,
        currency=currency or entity.currency,
        zone=entity.zone,
        terms_days=entity.terms_days if terms_days is None else terms_days,
        external_id=external_id,
    )
    if email:
        Contact.objects.create(customer=customer, name=name, email=email)
    return customer


def _problems(*, name: str, number: str, email: str, currency: str) -> dict[str, str]:
    problems = {}
    if not name:
        problems["name"] = "A customer needs a name."
    if not number.strip():
        problems["number"] = "A customer needs a number."
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
