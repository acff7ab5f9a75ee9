"""How the entries of a subscription's timeline read."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.domain.timeline import Kind
from billing.models import FEE, SubscriptionItem
from billing.timeline import Entry, Timeline
from billing.words import full_text, off_text
from core.money import Money
from core.templatetags.fmt import quantity, shortdate


class Look(NamedTuple):
    """Its icon and tone, and its words once it is there and while it is to come."""

    icon: str
    tone: str
    past: str | Promise
    to_come: str | Promise


LOOKS = {
    Kind.BEGAN: Look("player-play", "ok", gettext_lazy("Began"), gettext_lazy("Begins")),
    Kind.TRIAL_ENDED: Look("clock", "", gettext_lazy("Trial ended"), gettext_lazy("Trial ends")),
    Kind.REACTIVATED: Look("arrow-back-up", "ok", gettext_lazy("Began again"), gettext_lazy("Begins again")),
    Kind.RESUMED: Look("player-play", "ok", gettext_lazy("Went on"), gettext_lazy("Goes on")),
    Kind.PLAN_CHANGED: Look(
        "arrows-exchange", "", gettext_lazy("Plan changed"), gettext_lazy("Plan changes")
    ),
    Kind.QUANTITY_CHANGED: Look(
        "arrows-exchange", "", gettext_lazy("Quantity changed"), gettext_lazy("Quantity changes")
    ),
    Kind.ITEM_ADDED: Look("plus", "", gettext_lazy("Added"), gettext_lazy("Is added")),
    Kind.ITEM_ENDED: Look("minus", "", gettext_lazy("No longer billed"), gettext_lazy("Is no longer billed")),
    Kind.DISCOUNT_GIVEN: Look("tag", "", gettext_lazy("Discount began"), gettext_lazy("Discount begins")),
    Kind.DISCOUNT_ENDED: Look("tag", "", gettext_lazy("Discount ended"), gettext_lazy("Discount ends")),
    Kind.OVERRIDE_GIVEN: Look(
        "settings", "", gettext_lazy("Override given"), gettext_lazy("Override begins")
    ),
    Kind.OVERRIDE_ENDED: Look("settings", "", gettext_lazy("Override ended"), gettext_lazy("Override ends")),
    Kind.PAUSED: Look("player-pause", "warn", gettext_lazy("Paused"), gettext_lazy("Is paused")),
    Kind.ENDED: Look("ban", "bad", gettext_lazy("Ended"), gettext_lazy("Ends")),
    Kind.REVENUE: Look("chart-bar", "", gettext_lazy("Worth changed"), gettext_lazy("Worth changes")),
    Kind.HELD: Look("alert-triangle", "warn", gettext_lazy("Held by a run"), gettext_lazy("Held by a run")),
    Kind.RELEASED: Look("check", "ok", gettext_lazy("Released"), gettext_lazy("Released")),
    Kind.BILLED: Look("file-invoice", "", gettext_lazy("Billed"), gettext_lazy("Billed")),
    Kind.CREDITED: Look(
        "receipt-refund", "", gettext_lazy("Unused days credited"), gettext_lazy("Unused days credited")
    ),
    Kind.COUNTED_ANEW: Look(
        "gauge", "", gettext_lazy("Usage counted anew"), gettext_lazy("Usage counted anew")
    ),
    Kind.RENEWAL_TOLD: Look(
        "mail", "", gettext_lazy("Notice of a renewal"), gettext_lazy("Notice of a renewal")
    ),
    Kind.NEXT_BILL: Look("calendar", "", gettext_lazy("Next bill"), gettext_lazy("Next bill")),
}


@dataclass(frozen=True, slots=True)
class Row:
    """An entry as the page shows it; `parts` are (what, first day, last day, amount), `worth` is (after, change)."""

    entry: Entry
    look: Look
    title: str
    details: tuple[str, ...]
    when: str
    amount: Money | None
    parts: tuple[tuple[str, str, str, Money], ...]
    worth: tuple[Money, Money] | None


def rows(found: Timeline) -> tuple[list[Row], list[Row]]:
    """What is to come, the soonest first, and what was, the newest first."""
    shown = [_row(each, found) for each in found.entries]
    return [each for each in shown if each.entry.to_come], [
        each for each in reversed(shown) if not each.entry.to_come
    ]


def _row(entry: Entry, found: Timeline) -> Row:
    look, currency = LOOKS[entry.kind], found.subscription.price.currency
    word = str(look.to_come if entry.to_come else look.past)
    title, *details = _said(entry, word, currency, found.today)
    moved = entry.movement
    return Row(
        entry=entry,
        look=look,
        title=title,
        details=tuple(each for each in details if each),
        when=shortdate(entry.day, found.today),
        amount=None if entry.amount_minor is None else Money(entry.amount_minor, currency),
        parts=tuple(
            (
                each.what,
                shortdate(each.period_start, found.today),
                shortdate(each.period_end - timedelta(days=1), found.today),
                Money(each.amount_minor, currency),
            )
            for each in entry.parts
        ),
        worth=(Money(moved.after_minor, currency), Money(moved.delta_minor, currency)) if moved else None,
    )


def _said(entry: Entry, word: str, currency: str, today: date) -> list[str]:
    """The title, and the lines below it."""
    speak = _SPEAKERS.get(entry.kind)
    return speak(entry, word, currency, today) if speak else [word, entry.reason]


def _terms(item: SubscriptionItem) -> str:
    """3 × EUR 14.50 a month."""
    text = full_text(item.price)
    return text if item.quantity == 1 else f"{quantity(item.quantity)} × {text}"


def _began(entry: Entry, word: str, _currency: str, today: date) -> list[str]:
    item = entry.item
    if item is None:
        return [word]
    trial = entry.until
    last = _("On trial through %(day)s.") % {"day": _last(trial, today)} if trial else ""
    return [f"{word}: {item.price.plan.name}", _terms(item), last]


def _changed(entry: Entry, word: str, _currency: str, _today: date) -> list[str]:
    if entry.item is None or entry.before is None:
        return [word]
    if entry.kind is Kind.QUANTITY_CHANGED:
        said = {"old": quantity(entry.before.quantity), "new": quantity(entry.item.quantity)}
    else:
        said = {"old": _named(entry.before), "new": _named(entry.item)}
    return [word, _("From %(old)s to %(new)s") % said]


def _named(item: SubscriptionItem) -> str:
    return f"{item.price.plan.name} ({_terms(item)})"


def _item(entry: Entry, word: str, _currency: str, _today: date) -> list[str]:
    if entry.item is None:
        return [word]
    once = _("Owed once.") if entry.item.role == FEE else ""
    return [f"{word}: {entry.item.price.plan.name}", _terms(entry.item), once]


def _discount(entry: Entry, word: str, currency: str, today: date) -> list[str]:
    row = entry.discount
    if row is None:
        return [word]
    code = f" ({row.coupon.code})" if row.coupon else ""
    off = off_text(row.percent, row.amount, currency, row.per)
    last = entry.until
    through = _("For periods that begin through %(day)s.") % {"day": _last(last, today)} if last else ""
    return [f"{word}: {row.name}{code}", f"−{off}", through]


def _override(entry: Entry, word: str, _currency: str, today: date) -> list[str]:
    row = entry.override
    if row is None:
        return [word]
    last = entry.until
    return [
        f"{word}: {row.feature.name}",
        _("Through %(day)s.") % {"day": _last(last, today)} if last else "",
    ]


def _paused(entry: Entry, word: str, _currency: str, today: date) -> list[str]:
    last = entry.until
    return [
        word,
        _("Through %(day)s.") % {"day": _last(last, today)} if last else _("Until somebody resumes it."),
    ]


def _told(entry: Entry, word: str, _currency: str, today: date) -> list[str]:
    said = _("The trial ends on %(day)s.") if entry.trial else _("It renews on %(day)s.")
    return [word, said % {"day": shortdate(entry.until, today)}, entry.reason]


def _last(until: date, today: date) -> Any:
    return shortdate(until - timedelta(days=1), today)


_SPEAKERS: dict[Kind, Callable[[Entry, str, str, date], list[str]]] = {
    Kind.BEGAN: _began,
    Kind.REACTIVATED: _began,
    Kind.RESUMED: _began,
    Kind.PLAN_CHANGED: _changed,
    Kind.QUANTITY_CHANGED: _changed,
    Kind.ITEM_ADDED: _item,
    Kind.ITEM_ENDED: _item,
    Kind.DISCOUNT_GIVEN: _discount,
    Kind.DISCOUNT_ENDED: _discount,
    Kind.OVERRIDE_GIVEN: _override,
    Kind.OVERRIDE_ENDED: _override,
    Kind.PAUSED: _paused,
    Kind.RENEWAL_TOLD: _told,
}
