"""Customers from a file: what becomes of each row, and making it so."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from core.imports.base import Outcome, Planned, Row, Setup
from customers.models import Customer
from customers.services.bulk import CustomerDraft, create_customers, remove_unused
from tenants.selectors import Companies

_COMPARED = ("name", "email", "currency", "address", "country", "terms_days")
_COUNTRY = 2


def plan(rows: Sequence[Row], setup: Setup) -> list[Planned]:
    """A new number is made; one that is here is left when the file says nothing else about it. Inside work()."""
    here = {
        row.number: {name: getattr(row, name) for name in _COMPARED}
        for row in Customer.objects.filter(number__in=[row["number"] for row in rows])
    }
    companies = Companies()
    return [_planned(row, setup, here, companies) for row in rows]


def _planned(row: Row, setup: Setup, here: dict[str, dict[str, object]], companies: Companies) -> Planned:
    number = row["number"]
    if row["country"]:
        row.cells["country"] = row["country"].upper()
    there = here.get(number) or setup.seen.get(number)
    if there is not None:
        different = [name for name in _COMPARED if row[name] is not None and row[name] != there[name]]
        for name in different:
            row.refuse(
                name,
                _("Customer %(number)s is here with “%(value)s”.")
                % {"number": number, "value": str(there[name])[:80]},
                "different",
            )
        return Planned(row, Outcome.FAILED if different else Outcome.UNCHANGED)
    draft = _draft(row, companies)
    if draft is None:
        return Planned(row, Outcome.FAILED)
    setup.seen[number] = {name: getattr(draft, name) for name in _COMPARED}
    return Planned(row, Outcome.CREATED, draft)


def _draft(row: Row, companies: Companies) -> CustomerDraft | None:
    company = companies.of(row["entity"])
    if company is None:
        row.refuse("entity", _("No legal entity has the code %(code)s.") % {"code": row["entity"]}, "entity")
    country = row["country"] or ""
    if country and (len(country) != _COUNTRY or not country.isalpha()):
        row.refuse("country", _("A country is a code of two letters."))
    if company is None or row.problems:
        return None
    return CustomerDraft(
        number=row["number"],
        name=row["name"],
        entity_id=company.pk,
        currency=row["currency"] or company.currency,
        email=row["email"] or "",
        address=row["address"] or "",
        country=country,
        terms_days=company.terms_days if row["terms_days"] is None else row["terms_days"],
    )


def write(planned: Sequence[Planned], _setup: Setup) -> list[str]:
    """Make the customers; public ids in order. Inside work()."""
    made = create_customers([each.draft for each in planned])
    return [made[each.draft.number][1] for each in planned]


def undo(made: Sequence[str]) -> None:
    """Delete them again; Conflict when something came of one. Inside work()."""
    remove_unused(made)
