"""What happened to a customer: changes of its data and people, what was booked, what was sent."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import timeline
from core.changes import Change, changes
from core.models import OutboxEvent, StateChange
from core.templatetags.looks import STATES
from customers.balances import reads
from customers.models import Contact, Customer

LIMIT = 50
_FIELDS = {
    "name": gettext_lazy("Name"),
    "number": gettext_lazy("Customer number"),
    "email": gettext_lazy("E-mail"),
    "address": gettext_lazy("Address"),
    "country": gettext_lazy("Country"),
    "currency": gettext_lazy("Currency"),
    "terms_days": gettext_lazy("Days to pay"),
    "zone": gettext_lazy("Time zone"),
    "deposit_percent": gettext_lazy("Deposit, %"),
    "parent_id": gettext_lazy("Belongs to"),
    "one_invoice": gettext_lazy("One invoice"),
    "receives_invoices": gettext_lazy("Gets the invoices"),
}


def history(customer: Customer, contacts: list[Contact], *, slug: str) -> list[timeline.Entry]:
    """The newest entries of a customer's timeline, in no order; five queries. Inside work()."""
    labels = reads().recent_sources(customer.pk, limit=LIMIT)
    about = [customer.public_id, *labels]
    events = OutboxEvent.objects.filter(object_public_id__in=about).order_by("-id")[:LIMIT]
    moves = StateChange.objects.filter(object_public_id__in=about).order_by("-id")[:LIMIT]
    using = timeline.Told(slug=slug, labels=labels)  # whose page it is, nobody needs to be told
    names = {contact.pk: contact.name for contact in contacts}
    return [
        *timeline.told(events, using),
        *(_moved(move, labels) for move in moves if move.to_state != "issued"),
        *(entry for change in changes(Customer, [customer.pk]) if (entry := _customer_changed(change))),
        *(entry for change in changes(Contact, names) if (entry := _contact_changed(change, names))),
    ]


def _moved(move: StateChange, labels: dict[str, str]) -> timeline.Entry:
    look = STATES.get(move.to_state)
    said = {
        "label": labels.get(move.object_public_id, ""),
        "state": str(look.word if look else move.to_state),
    }
    return timeline.Entry(
        at=move.at,
        title=_("%(label)s: %(state)s") % said,
        icon="history",
        detail=move.reason,
        who=move.actor,
    )


def _customer_changed(change: Change) -> timeline.Entry | None:
    if change.action == "created":
        return timeline.Entry(at=change.at, title=_("Customer added"), icon="building-store", who=change.who)
    if "archived_at" in change.fields:
        was_put_away = change.fields["archived_at"][1] is not None
        title = _("Archived") if was_put_away else _("Brought back")
        return timeline.Entry(at=change.at, title=title, icon="archive", who=change.who)
    said = [each for name, values in change.fields.items() if (each := _field(name, *values))]
    if not said:
        return None
    return timeline.Entry(
        at=change.at, title=_("Data changed"), icon="edit", detail="; ".join(said), who=change.who
    )


def _contact_changed(change: Change, names: dict[int, str]) -> timeline.Entry | None:
    title = {"created": _("%(name)s added"), "changed": _("%(name)s changed")}.get(change.action)
    name = names.get(change.object_id or 0)
    if not title or not name:
        return None
    return timeline.Entry(at=change.at, title=title % {"name": name}, icon="user", who=change.who)


def _field(name: str, old: Any, new: Any) -> str:
    label = _FIELDS.get(name)
    if label is None or name == "parent_id":
        return str(label or "")
    said = {"field": label, "old": _value(old), "new": _value(new)}
    return _("%(field)s from %(old)s to %(new)s") % said


def _value(value: Any) -> str:
    if value in (None, ""):
        return _("nothing")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return f"“{' '.join(str(value).split())[:120]}”"
