"""Customers and the people at them, for programs."""

from typing import Any

from core import clock
from core.api.fields import CountryCode, CurrencyCode, Email, Flag, In, Metadata, PublicId, Text, Whole
from core.api.operations import Api, Call, Listing, operation, referred
from core.errors import Invalid, NotFound
from core.privacy import require_for
from core.scope import require
from customers import listing, selectors
from customers.api.outputs import BalancesOut, ContactOut, CustomerOut
from customers.balances import reads
from customers.listing import CustomerFilter
from customers.models import Contact, Customer
from customers.permissions import CUSTOMERS_CREATE, CUSTOMERS_DELETE, CUSTOMERS_EDIT, CUSTOMERS_VIEW
from customers.services import contacts, customers
from tenants.selectors import entity

TAG = "Customers"


class CustomersQuery(In):
    q = Text(required=False, help_text="Start of the name or of the number.")
    currency = CurrencyCode(required=False)
    overdue = Flag(required=False, help_text="Only those with something overdue.")
    archived = Flag(required=False, help_text="Only those put away.")


class CustomerIn(In):
    name = Text(help_text="As it is printed on invoices.")
    number = Text(max_length=40, required=False, help_text="The next free one, unless you say otherwise.")
    email = Email(required=False, allow_blank=True, help_text="Invoices go here until contacts are added.")
    address = Text(max_length=1000, lines=True, required=False, allow_blank=True)
    country = CountryCode(required=False, allow_blank=True)
    currency = CurrencyCode(required=False, help_text="The legal entity's, unless you say otherwise.")
    terms_days = Whole(min_value=0, max_value=365, required=False)
    zone = Text(
        max_length=64,
        required=False,
        help_text="IANA time zone in which days of new subscriptions begin; the legal entity's, unless you say"
        " otherwise.",
    )
    deposit_percent = Whole(
        min_value=0,
        max_value=100,
        required=False,
        allow_null=True,
        help_text="Of each invoice, due on the day it is issued; null: as the plans on it say.",
    )
    one_invoice = Flag(
        required=False, help_text="Whether subscriptions that are due together stand on one invoice."
    )
    parent = PublicId(required=False, allow_null=True)  # type: ignore[assignment]
    external_id = Text(
        max_length=255, required=False, allow_blank=True, help_text="What your system calls it."
    )
    metadata = Metadata()


class ContactIn(In):
    name = Text()
    email = Email()
    receives_invoices = Flag(default=True)


def _values(data: dict[str, Any]) -> dict[str, Any]:
    """The body as the services take it."""
    said = dict(data)
    require_for({*said}, {"email", "address"})
    if "parent" in said:
        parent = said.pop("parent")
        said["parent_id"] = referred("parent", lambda: selectors.customer(parent)).pk if parent else None
    return said


def _create(data: dict[str, Any]) -> Customer:
    said = _values(data)
    made = customers.create_customer(**{"number": customers.suggest_number(), **said})
    return selectors.customer(made.public_id)


def _update(row: Customer, data: dict[str, Any], *, version: int) -> Customer:
    customers.update_customer(row.pk, version=version, **_values(data))
    return selectors.customer(row.public_id)


class Customers(Api):
    tag = TAG

    @operation(CUSTOMERS_VIEW, query=CustomersQuery, gives=CustomerOut, many=True, expands=["parent"])
    def get(self, call: Call) -> Listing:
        """List customers, the newest first."""
        wanted = CustomerFilter(
            text=call.query.get("q", ""),
            currency=call.query.get("currency", ""),
            overdue=call.query.get("overdue", False),
            archived=call.query.get("archived", False),
        )
        today = clock.today(entity().zone)
        return Listing(listing.customers(wanted, today=today).select_related("parent__parent"))

    @operation(CUSTOMERS_CREATE, takes=CustomerIn, gives=CustomerOut, status=201)
    def post(self, call: Call) -> Customer:
        """Create a customer.

        The customer number is the natural key: the same customer sent again is answered as it is.
        """
        return _create(call.data)


class CustomerByExternalId(Api):
    tag = TAG

    @operation(CUSTOMERS_VIEW, gives=CustomerOut)
    def get(self, call: Call, external_id: str) -> Customer:
        """Get the customer that your system calls so."""
        row = selectors.by_external_id(external_id)
        if row is None:
            raise NotFound("That customer is not here.")
        return row

    @operation(CUSTOMERS_EDIT, takes=CustomerIn, gives=CustomerOut)
    def put(self, call: Call, external_id: str) -> Customer:
        """Create or change the customer that your system calls so.

        Creating needs the right `customers.create` as well.
        """
        given = call.data.get("external_id", external_id)
        if given != external_id:
            raise Invalid(
                "The address names another external id.",
                fields={"external_id": "Leave it out, or send the same."},
            )
        row = selectors.by_external_id(external_id)
        if row is None:
            require(CUSTOMERS_CREATE)
            return _create({**call.data, "external_id": external_id})
        return _update(row, {**call.data, "external_id": external_id}, version=call.expect(row.version))


class OneCustomer(Api):
    tag = TAG

    @operation(CUSTOMERS_VIEW, gives=CustomerOut, expands=["parent"])
    def get(self, call: Call, public_id: str) -> Customer:
        """Get a customer."""
        return selectors.customer(public_id)

    @operation(CUSTOMERS_EDIT, takes=CustomerIn, gives=CustomerOut)
    def patch(self, call: Call, public_id: str) -> Customer:
        """Change a customer.

        Only what is sent changes; metadata is replaced as a whole. With If-Match nothing is written over.
        """
        row = selectors.customer(public_id)
        return _update(row, call.data, version=call.expect(row.version))


class CustomerArchive(Api):
    tag = TAG

    @operation(CUSTOMERS_DELETE, gives=CustomerOut)
    def post(self, call: Call, public_id: str) -> Customer:
        """Put a customer away; what is open stays open. Again changes nothing."""
        row = selectors.customer(public_id)
        customers.set_archived(row.pk, archived=True)
        return selectors.customer(public_id)


class CustomerRestore(Api):
    tag = TAG

    @operation(CUSTOMERS_DELETE, gives=CustomerOut)
    def post(self, call: Call, public_id: str) -> Customer:
        """Bring an archived customer back. Again changes nothing."""
        row = selectors.customer(public_id)
        customers.set_archived(row.pk, archived=False)
        return selectors.customer(public_id)


class CustomerBalance(Api):
    tag = TAG

    @operation(CUSTOMERS_VIEW, gives=BalancesOut)
    def get(self, call: Call, public_id: str) -> dict[str, Any]:
        """What a customer owes and has, by currency, as of today."""
        row = selectors.customer(public_id)
        found = reads().by_customer([row.pk], today=clock.today(row.entity.zone))
        return {"customer": row, "balances": found.get(row.pk, [])}


class Contacts(Api):
    tag = TAG

    @operation(CUSTOMERS_VIEW, gives=ContactOut, many=True)
    def get(self, call: Call, public_id: str) -> Listing:
        """List the people at a customer."""
        row = selectors.customer(public_id)
        return Listing(selectors.contact_rows(row.pk))

    @operation(CUSTOMERS_EDIT, takes=ContactIn, gives=ContactOut, status=201)
    def post(self, call: Call, public_id: str) -> Contact:
        """Add a person; the e-mail address is the natural key."""
        require_for({"email"}, {"email"})
        row = selectors.customer(public_id)
        made = contacts.add_contact(row.pk, **call.data)
        made.customer = row
        return made


class OneContact(Api):
    tag = TAG

    @operation(CUSTOMERS_EDIT, status=204)
    def delete(self, call: Call, public_id: str, contact_id: str) -> None:
        """Remove a person from a customer."""
        contacts.remove_contact(selectors.customer(public_id).pk, public_id=contact_id)
