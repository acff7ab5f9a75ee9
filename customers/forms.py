"""What people may type about customers and their contacts."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.choices import countries, currencies, zones
from core.errors import Invalid
from core.fields import Email, Line, Lines, Whole
from core.privacy import PERSONAL
from core.scope import current
from customers.listing import CustomerFilter
from customers.lookup import label_of, named
from customers.models import Customer

_ANY = ("", _("Any"))


class FilterForm(forms.Form):
    """The filters of the list, as they stand in the address."""

    q = Line(required=False, max_length=200)
    currency = forms.RegexField(r"\A[A-Z]{3}\Z", required=False)
    overdue = forms.BooleanField(required=False)
    archived = forms.BooleanField(required=False)

    def wanted(self) -> CustomerFilter:
        """The filter; what could not be understood is left out."""
        self.is_valid()
        given: dict[str, Any] = self.cleaned_data
        return CustomerFilter(
            text=given.get("q", ""),
            currency=given.get("currency", ""),
            overdue=given.get("overdue", False),
            archived=given.get("archived", False),
        )


class CustomerForm(forms.Form):
    """A customer's own data; `version` is what the person saw, none for a new one."""

    name = Line(label=_("Name"), max_length=200, help_text=_("As it is printed on invoices."))
    number = Line(
        label=_("Customer number"), max_length=40, help_text=_("The next free one, unless you say otherwise.")
    )
    email = Email(
        label=_("E-mail"),
        max_length=254,
        required=False,
        help_text=_("Invoices go here until you add people."),
    )
    address = Lines(label=_("Address"), max_length=1000, required=False)
    country = forms.ChoiceField(label=_("Country"), required=False)
    currency = forms.ChoiceField(label=_("Currency"), help_text=_("Of new invoices."))
    terms_days = Whole(
        label=_("Days to pay"), min_value=0, max_value=365, help_text=_("From the invoice date.")
    )
    zone = forms.ChoiceField(
        label=_("Time zone"),
        required=False,
        help_text=_("In which days of new subscriptions begin; others keep theirs."),
    )
    deposit_percent = Whole(
        label=_("Deposit, %"),
        min_value=0,
        max_value=100,
        required=False,
        help_text=_("Of each invoice, due on its day. Empty: as the plans on it say."),
    )
    parent = Line(
        label=_("Belongs to"),
        max_length=300,
        required=False,
        help_text=_("Name or number of the customer it is a part of."),
    )
    one_invoice = forms.BooleanField(
        label=_("One invoice for subscriptions that are due together"), required=False
    )
    version = Whole(min_value=1, max_value=2**31 - 1, required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not current().may(PERSONAL):
            del self.fields["email"], self.fields["address"]
        self.fields["country"].choices = [("", _("Not given")), *countries()]  # type: ignore[attr-defined]
        offered = currencies()
        present = self.initial.get("currency")
        if present and present not in dict(offered):
            offered = [(present, present), *offered]
        self.fields["currency"].choices = offered  # type: ignore[attr-defined]
        here = self.initial.get("zone")
        first = [(here, here)] if here and here not in dict(zones()) else []
        none = [] if here else [("", _("The legal entity's"))]
        self.fields["zone"].choices = [*none, *first, *zones()]  # type: ignore[attr-defined]

    def clean_parent(self) -> int | None:
        typed = self.cleaned_data["parent"]
        if not typed:
            return None
        try:
            return int(named(typed).pk)
        except Invalid as error:
            raise forms.ValidationError(error.message) from error

    def values(self) -> dict[str, Any]:
        """What the services take."""
        said = dict(self.cleaned_data)
        said.pop("version")
        said["parent_id"] = said.pop("parent")
        if not said["zone"]:
            del said["zone"]
        return said

    @staticmethod
    def of(row: Customer) -> dict[str, Any]:
        """What the form starts from."""
        names = [name for name in CustomerForm.base_fields if name != "parent"]
        parent = label_of(row.parent) if row.parent_id and row.parent else ""
        return {**{name: getattr(row, name) for name in names}, "parent": parent}


class ContactForm(forms.Form):
    """A person at a customer."""

    prefix = "contact"

    name = Line(label=_("Name"), max_length=200)
    email = Email(label=_("E-mail"), max_length=254)
    receives_invoices = forms.BooleanField(label=_("Gets the invoices"), required=False, initial=True)
