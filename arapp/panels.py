"""How the events of the apps below read on pages."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.models import OutboxEvent
from core.money import Money
from core.templatetags.fmt import count, money_code
from core.timeline import Entry, Told, link, tells


def _amount(event: OutboxEvent) -> str:
    payload = event.payload
    return money_code(Money(int(payload["total_minor"]), str(payload["currency"])))


def _document(event: OutboxEvent, using: Told) -> str:
    return link("invoice", using.slug, event.object_public_id)


@tells("invoice.issued")
def _issued(event: OutboxEvent, using: Told) -> Entry:
    return Entry(
        at=event.occurred_at,
        title=_("%(number)s issued") % {"number": event.payload["number"]},
        icon="file-invoice",
        detail=", ".join(filter(None, [using.customer(event.payload["customer"]), _amount(event)])),
        href=_document(event, using),
    )


@tells("credit_note.issued")
def _credited(event: OutboxEvent, using: Told) -> Entry:
    return Entry(
        at=event.occurred_at,
        title=_("Credit note %(number)s issued") % {"number": event.payload["number"]},
        icon="receipt-refund",
        detail=", ".join(filter(None, [using.customer(event.payload["customer"]), _amount(event)])),
        href=_document(event, using),
    )


@tells("invoice.voided")
def _voided(event: OutboxEvent, using: Told) -> Entry:
    return Entry(
        at=event.occurred_at,
        title=_("%(number)s voided") % {"number": event.payload["number"]},
        icon="ban",
        tone="warn",
        detail=str(event.payload.get("reason", "")),
        href=_document(event, using),
    )


_SETTLED = {
    "invoice": (gettext_lazy("%(label)s is settled"), "circle-check"),
    "opening": (gettext_lazy("%(label)s is settled"), "circle-check"),
    "credit_note": (gettext_lazy("%(label)s is used up"), "receipt-refund"),
}


@tells("item.settled")
def _settled(event: OutboxEvent, using: Told) -> Entry | None:
    source, kind = event.payload["source"], event.payload["kind"]
    label = using.label(source)
    if not label or kind not in _SETTLED:
        return None
    sentence, icon = _SETTLED[kind]
    return Entry(
        at=event.occurred_at,
        title=str(sentence) % {"label": label},
        icon=icon,
        tone="ok",
        href=link("invoice", using.slug, source) if kind in {"invoice", "credit_note", "opening"} else "",
    )


@tells("item.reopened")
def _reopened(event: OutboxEvent, using: Told) -> Entry | None:
    label = using.label(event.payload["source"])
    if not label:
        return None
    return Entry(
        at=event.occurred_at,
        title=_("%(label)s is open again") % {"label": label},
        icon="arrow-back-up",
        tone="warn",
    )


@tells("billing_run.finished")
def _billed(event: OutboxEvent, using: Told) -> Entry:
    made, held = int(event.payload["documents"]), int(event.payload["held"])
    return Entry(
        at=event.occurred_at,
        title=ngettext("Billing run made %(n)s document", "Billing run made %(n)s documents", made)
        % {"n": count(made)},
        icon="player-play",
        tone="warn" if held else "",
        detail=_("%(n)s held") % {"n": held} if held else "",
        href=link("billing-runs", using.slug),
    )


def _minor(event: OutboxEvent) -> str:
    return money_code(Money(int(event.payload["minor"]), str(event.payload["currency"])))


@tells("payment.received")
def _received(event: OutboxEvent, using: Told) -> Entry:
    who = using.customer(event.payload["customer"])
    amount = _minor(event)
    sentence = _("%(amount)s received from %(who)s") if who else _("%(amount)s received")
    applied = int(event.payload["applied_minor"])
    return Entry(
        at=event.occurred_at,
        title=sentence % {"amount": amount, "who": who},
        icon="cash",
        tone="ok",
        detail=_("Applied") if applied == int(event.payload["minor"]) else _("Not all of it is applied yet"),
    )


@tells("payment.reversed")
def _payment_reversed(event: OutboxEvent, using: Told) -> Entry:
    return Entry(
        at=event.occurred_at,
        title=_("A payment was taken back"),
        icon="arrow-back-up",
        tone="warn",
        detail=str(event.payload.get("reason", "")),
    )


@tells("charge.failed")
def _charge_failed(event: OutboxEvent, using: Told) -> Entry:
    who = using.customer(event.payload["customer"])
    return Entry(
        at=event.occurred_at,
        title=_("Charge of %(amount)s declined") % {"amount": _minor(event)},
        icon="credit-card-off",
        tone="bad",
        detail=", ".join(filter(None, [who, str(event.payload.get("code", "")).replace("_", " ")])),
    )


_MESSAGES = {
    "message.sent": (gettext_lazy("Mail sent"), "mail", ""),
    "message.skipped": (gettext_lazy("Mail not sent: no longer right"), "player-skip-forward", ""),
    "message.failed": (gettext_lazy("Mail could not be delivered"), "mail-x", "bad"),
}


@tells(*_MESSAGES)
def _message(event: OutboxEvent, using: Told) -> Entry:
    sentence, icon, tone = _MESSAGES[event.name]
    who = using.customer(event.payload.get("customer", ""))
    return Entry(
        at=event.occurred_at,
        title=str(sentence),
        icon=icon,
        tone=tone,
        detail=", ".join(filter(None, [who, str(event.payload.get("reason", ""))])),
    )
