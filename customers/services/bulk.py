"""Making many customers at once, as files bring them."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import bulk, clock, ids
from core.errors import Conflict
from customers.models import Contact, Customer, NameStart
from customers.services.customers import name_key, word_starts
from tenants.selectors import entities


@dataclass(frozen=True, slots=True)
class CustomerDraft:
    """A customer to make; `terms_days` None takes the legal entity's."""

    number: str
    name: str
    entity_id: int
    currency: str
    email: str = ""
    address: str = ""
    country: str = ""
    terms_days: int | None = None


def create_customers(drafts: Sequence[CustomerDraft]) -> dict[str, tuple[int, str]]:
    """Write the customers, each with a contact where there is an e-mail address. Inside work().

    Returns (id, public id) by number. Natural key: the number; raises IntegrityError when one is taken.
    """
    if not drafts:
        return {}
    at = clock.now()
    owners = {entity.pk: entity for entity in entities()}
    made = {
        draft.number: (pk, ids.new(Customer.PREFIX))
        for draft, pk in zip(drafts, bulk.reserve_ids(Customer, len(drafts)), strict=True)
    }
    bulk.insert(
        Customer,
        [
            {
                "id": made[draft.number][0],
                "public_id": made[draft.number][1],
                "name": draft.name,
                "name_key": name_key(draft.name),
                "number": draft.number,
                "entity_id": draft.entity_id,
                "email": draft.email,
                "address": draft.address,
                "country": draft.country,
                "currency": draft.currency,
                "zone": owners[draft.entity_id].zone,
                "terms_days": owners[draft.entity_id].terms_days
                if draft.terms_days is None
                else draft.terms_days,
                "created_at": at,
                "updated_at": at,
            }
            for draft in drafts
        ],
    )
    bulk.insert(
        NameStart,
        [
            {"customer_id": made[draft.number][0], "start": start}
            for draft in drafts
            for start in word_starts(name_key(draft.name))
        ],
    )
    bulk.insert(
        Contact,
        [
            {
                "public_id": ids.new(Contact.PREFIX),
                "customer_id": made[draft.number][0],
                "name": draft.name,
                "email": draft.email,
            }
            for draft in drafts
            if draft.email
        ],
    )
    return made


def remove_unused(public_ids: Sequence[str]) -> None:
    """Delete customers of which nothing came, with the contact made with them; all or none. Inside work().

    Raises Conflict when one was changed, has further contacts, or is named by a document, a payment, a subscription
    or another customer. Customers that are gone already are passed over.
    """
    found = Customer.objects.filter(public_id__in=public_ids)
    changed = found.filter(version__gt=1).values_list("number", flat=True).first()
    contacts = Contact.objects.filter(customer__in=found)
    if changed is None:
        own = {(row.pk, row.email) for row in found.only("pk", "email")}
        met = contacts.values_list("customer_id", "email", "customer__number", "version")
        changed = next(
            (number for pk, email, number, version in met if (pk, email) not in own or version > 1), None
        )
    if changed is not None:
        raise Conflict(_("Customer %(number)s was changed since.") % {"number": changed})
    try:
        with transaction.atomic():
            contacts.delete()
            NameStart.objects.filter(customer__in=found).delete()
            found.delete()
    except IntegrityError as error:
        raise Conflict(
            _("One of these customers has a document, a payment or a subscription by now.")
        ) from error
