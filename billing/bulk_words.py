"""What a bulk change and what becomes of its subscriptions is called."""

from collections.abc import Callable

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.models import DONE, FITS, REFUSED, UNFIT, BulkChange, BulkChangeItem
from billing.services.bulk_change import CHANGE, END
from billing.words import full_text, model_text
from core.exports import Column
from core.money import Money
from core.templatetags.fmt import shortdate

OUTCOME_LOOKS = {
    FITS: ("ready", gettext_lazy("Can be changed")),
    UNFIT: ("skipped", gettext_lazy("Left out")),
    DONE: ("done", gettext_lazy("Changed")),
    REFUSED: ("failed", gettext_lazy("Refused")),
}
"""Of each outcome the state that it looks like, and the word."""


def title_of(row: BulkChange) -> str:
    """What is done, in a line."""
    if row.act == CHANGE:
        return _("Move to %(plan)s") % {"plan": row.price.plan.name}
    return _("End") if row.act == END else _("Pause")


def becomes_text(row: BulkChange) -> str:
    """What a subscription is from its day on."""
    if row.act == CHANGE:
        return str(row.price.plan.name)
    if row.act == END:
        return _("Ended")
    if row.resumes_on is None:
        return _("Paused")
    return _("Paused until %(day)s") % {"day": shortdate(row.resumes_on)}


def columns(row: BulkChange) -> list[Column]:
    """The columns of its file."""

    def money(minor: str) -> Callable[[BulkChangeItem], Money | None]:
        return lambda each: Money(getattr(each, minor), each.currency) if each.day else None

    return [
        Column(_("Subscription"), lambda each: each.subscription.public_id),
        Column(_("Customer"), lambda each: each.subscription.customer.name),
        Column(_("What became of it"), lambda each: OUTCOME_LOOKS[each.outcome][1]),
        Column(_("Why"), lambda each: each.reason),
        Column(_("Plan"), lambda each: each.price.plan.name),
        Column(_("Price"), _priced),
        Column(_("Quantity"), lambda each: each.quantity.normalize()),
        Column(_("Becomes"), lambda each: becomes_text(row) if each.day else ""),
        Column(_("New price"), lambda each: _text_of(row) if each.day else ""),
        Column(_("From"), lambda each: each.day),
        Column(_("Next bill"), lambda each: each.bill_on),
        Column(_("Currency"), lambda each: each.currency),
        Column(_("Next invoice, net"), money("charge_minor")),
        Column(_("Credit, net"), money("credit_minor")),
    ]


def _priced(each: BulkChangeItem) -> str:
    return f"{model_text(each.price)}, {full_text(each.price)}"


def _text_of(row: BulkChange) -> str:
    return f"{model_text(row.price)}, {full_text(row.price)}" if row.price else ""
