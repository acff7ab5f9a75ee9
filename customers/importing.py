"""What customers offer to bring in from files."""

from django.utils.translation import gettext_lazy as _

from core.imports.base import Importer, register
from core.imports.cells import Column
from customers.permissions import CUSTOMERS_CREATE
from customers.services import imports
from tenants.selectors import entity_choices

NUMBER = Column(
    "number", _("Customer number"), required=True, most=40, example="C-0041",
    hints=("customer no", "customer id", "customer", "customer code", "account number", "debtor number", "id"),
)  # fmt: skip
ENTITY = Column(
    "entity", _("Legal entity"), most=40, example="", known=entity_choices,
    hints=("company code", "company", "entity", "subsidiary", "legal entity code"),
)  # fmt: skip

register(
    Importer(
        kind="customers",
        title=_("Customers"),
        permission=CUSTOMERS_CREATE,
        columns=(
            NUMBER,
            Column("name", _("Name"), required=True, example="Kestrel Freight Ltd",
                   hints=("customer name", "company name", "debtor name", "display name")),
            Column("email", _("E-mail"), kind="email", most=254, example="ap@kestrel.example",
                   hints=("email address", "mail", "billing email")),
            Column("currency", _("Currency"), kind="currency", example="EUR", hints=("currency code",)),
            Column("country", _("Country"), most=2, example="DE", hints=("country code",)),
            Column("address", _("Address"), most=500, example="Hafenstr. 4, 20457 Hamburg",
                   hints=("billing address", "street")),
            Column("terms_days", _("Days to pay"), kind="whole", most=3, example="30",
                   hints=("terms", "payment terms", "net days", "payment days")),
            ENTITY,
        ),
        plan=imports.plan,
        write=imports.write,
        undo=imports.undo,
        page="customer",
        listing="customers",
        hint=_("Who you bill: numbers, names, e-mail addresses, terms."),
    )
)  # fmt: skip
