"""What a draft is to say, worked out from what was said: one computation for a preview and for what is saved."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from core.errors import Invalid, NotFound
from core.money import MoneyError
from customers.selectors import customer as customer_of
from invoicing.domain.totals import LineDraft, Totals, line
from invoicing.models import Document, Line
from invoicing.services.drafts import sums_of
from invoicing.services.edit import DraftContent, as_draft

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2200, 1, 1)
_ALSO = ("detail", "service_start", "service_end")


def content_of(
    customer: str,
    lines: Sequence[Mapping[str, Any]],
    *,
    terms_days: int | None = None,
    deposit_percent: int | None = None,
    memo: str = "",
) -> DraftContent:
    """A draft's content: what is left out is the customer's, a tax the legal entity's. Inside work().

    A line has `description` and `unit_price` (major units), and may have `quantity` (1), `tax_percent`, `detail`,
    `service_start` and `service_end`, the first day that is not in it. Raises Invalid that names each field, also
    for a customer (public id) that is archived.
    """
    return _content(
        _owner(customer), lines, terms_days=terms_days, deposit_percent=deposit_percent, memo=memo
    )


def _content(
    owner: Any,
    lines: Sequence[Mapping[str, Any]],
    *,
    terms_days: int | None,
    deposit_percent: int | None,
    memo: str,
) -> DraftContent:
    return DraftContent(
        customer=owner,
        terms_days=owner.terms_days if terms_days is None else terms_days,
        lines=tuple(_line(n, each, owner) for n, each in enumerate(lines)),
        memo=memo,
        deposit_percent=(owner.deposit_percent or 0) if deposit_percent is None else deposit_percent,
    )


def changed_content(row: Document, changes: Mapping[str, Any]) -> DraftContent:
    """The content of a draft with some of it changed; lines are kept or replaced as a whole. Inside work().

    Raises Invalid as `content_of` does, and for a customer of another currency without lines in it.
    """
    content = _content(
        _owner(changes["customer"]) if "customer" in changes else row.customer,
        changes.get("lines", ()),
        terms_days=changes.get("terms_days", row.terms_days),
        deposit_percent=changes.get("deposit_percent", row.deposit_percent),
        memo=changes.get("memo", row.memo),
    )
    if "lines" in changes:
        return content
    if content.customer.currency != row.currency:
        problem = f"This customer is billed in {content.customer.currency}: send the lines with it."
        raise Invalid(problem, fields={"customer": problem})
    kept = Line.objects.filter(document=row).order_by("position")
    return replace(content, lines=tuple(_as_it_is(each) for each in kept))


def worked_out(content: DraftContent) -> Totals:
    """What the content comes to, by the function that saves it; writes nothing. Raises Invalid as that does."""
    return sums_of(as_draft(content, source=""))


def _owner(public_id: str) -> Any:
    try:
        owner = customer_of(public_id)
    except NotFound as error:
        raise Invalid(error.message, fields={"customer": error.message}) from error
    if owner.archived_at:
        problem = "This customer is archived; bring it back first."
        raise Invalid(problem, fields={"customer": problem})
    return owner


def _line(n: int, said: Mapping[str, Any], owner: Any) -> LineDraft:
    first, end = said.get("service_start"), said.get("service_end")
    if problem := _period_problem(first, end):
        raise Invalid("A line cannot be as it is.", fields={f"lines.{n}.service_end": problem})
    tax = said.get("tax_percent")
    try:
        return line(
            said["description"],
            said.get("quantity", Decimal(1)),
            said["unit_price"],
            owner.currency,
            tax_percent=owner.entity.tax_percent if tax is None else tax,
            **{name: said[name] for name in _ALSO if said.get(name)},
        )
    except MoneyError as error:
        raise Invalid("A line cannot be as it is.", fields={f"lines.{n}.unit_price": str(error)}) from error


def _period_problem(first: date | None, end: date | None) -> str:
    if first is None and end is None:
        return ""
    if first is None or end is None:
        return "A service period has a first day and an end."
    if not FIRST_DAY <= first < end <= LAST_DAY:
        return "The end is the first day that is not in the period, after its start."
    return ""


def _as_it_is(row: Line) -> LineDraft:
    return LineDraft(
        description=row.description,
        quantity=row.quantity,
        unit_price=row.unit_price,
        amount_minor=row.amount_minor,
        tax_percent=row.tax_percent,
        detail=row.detail,
        service_start=row.service_start,
        service_end=row.service_end,
        source=row.source,
        why=tuple(row.why),
    )
