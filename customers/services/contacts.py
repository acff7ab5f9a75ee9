"""The people at a customer."""

from django.db import IntegrityError, transaction

from core.errors import Invalid, NotFound
from customers.models import Contact


def add_contact(customer_id: int, *, name: str, email: str, receives_invoices: bool) -> Contact:
    """A person at a customer, inside work(). Natural key: the e-mail address, one contact each.

    The same person sent again is returned as they are; raises Invalid when the address is somebody else's here.
    """
    try:
        with transaction.atomic():
            return Contact.objects.create(
                customer_id=customer_id, name=name, email=email, receives_invoices=receives_invoices
            )
    except IntegrityError as error:
        there: Contact = Contact.objects.get(customer_id=customer_id, email=email)
        if (there.name, there.receives_invoices) == (name, receives_invoices):
            return there
        message = f"{there.name} has this address already."
        raise Invalid(message, fields={"email": message}) from error


def remove_contact(customer_id: int, *, public_id: str) -> str:
    """Remove a person at a customer and return their name; NotFound when they are not there. Inside work()."""
    contact = Contact.objects.filter(customer_id=customer_id, public_id=public_id).first()
    if contact is None:
        raise NotFound("That contact is not here.")
    name: str = contact.name
    contact.delete()
    return name
