"""What members are told of money that came or did not."""

from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from cashapp.events import BankLinesLeft, ChargeFailed, PaymentReceived
from cashapp.permissions import PAYMENTS_APPLY, PAYMENTS_VIEW
from core.models import OutboxEvent
from core.money import Money
from core.templatetags.fmt import longdate, money_code
from customers.events import PaymentMethodExpiring
from customers.permissions import CUSTOMERS_VIEW
from messaging.domain.ways import Way
from messaging.notices import MONEY, NEEDED, Kind, Occasion, Said, Told, declare


def _amount(told: Told) -> str:
    return money_code(Money(told.facts["minor"], told.facts["currency"]))


def _left(row: OutboxEvent) -> Occasion:
    return Occasion(row.object_public_id, row.payload, gather="left")


def _say_left(told: Told) -> Said:
    n = told.facts["lines"]
    title = ngettext("%(n)s bank line waits for you", "%(n)s bank lines wait for you", n) % {"n": n}
    return Said(title, _("Nothing was certain enough to be booked by itself."), ("bank-lines",))


def _failed(row: OutboxEvent) -> Occasion:
    return Occasion(row.object_public_id, row.payload, gather="charge")


def _say_failed(told: Told) -> Said:
    who = told.name(told.facts["customer"]) or _("a customer")
    if told.times > 1:
        title = ngettext("%(n)s card charge failed", "%(n)s card charges failed", told.times)
        detail = _("Last: %(who)s, %(amount)s") % {"who": who, "amount": _amount(told)}
        return Said(title % {"n": told.times}, detail, ("payments",))
    title = _("A charge of %(amount)s to %(who)s failed") % {"who": who, "amount": _amount(told)}
    return Said(title, page=("customer", told.facts["customer"]))


def _expiring(row: OutboxEvent) -> Occasion:
    return Occasion(row.object_public_id, row.payload, gather="expiring")


def _say_expiring(told: Told) -> Said:
    who = told.name(told.facts["customer"]) or _("a customer")
    if told.times > 1:
        title = ngettext("%(n)s kept card expires soon", "%(n)s kept cards expire soon", told.times)
        return Said(title % {"n": told.times}, _("Last: %(who)s") % {"who": who}, ("customers",))
    day = longdate(date.fromisoformat(told.facts["expires_on"]))
    title = _("The card of %(who)s is good through %(day)s only") % {"who": who, "day": day}
    return Said(title, _("After that its invoices are theirs to pay."), ("customer", told.facts["customer"]))


def _received(row: OutboxEvent) -> Occasion:
    return Occasion(row.object_public_id, row.payload, gather="received")


def _say_received(told: Told) -> Said:
    who = told.name(told.facts["customer"]) or _("a customer")
    if told.times > 1:
        title = ngettext("%(n)s payment came in", "%(n)s payments came in", told.times) % {"n": told.times}
        detail = _("Last: %(who)s, %(amount)s") % {"who": who, "amount": _amount(told)}
        return Said(title, detail, ("payments",))
    title = _("%(who)s paid %(amount)s") % {"who": who, "amount": _amount(told)}
    return Said(title, page=("payment", told.about))


declare(
    Kind(
        name="bank_lines.left",
        label=gettext_lazy("Bank lines wait, because matching was not certain"),
        group=NEEDED,
        permission=PAYMENTS_VIEW,
        act=PAYMENTS_APPLY,
        say=_say_left,
        pick=_left,
        icon="arrows-exchange",
        tone="warn",
        way=Way.DIGEST,
    ),
    BankLinesLeft,
)
declare(
    Kind(
        name="charge.failed",
        label=gettext_lazy("A card charge fails"),
        group=MONEY,
        permission=PAYMENTS_VIEW,
        say=_say_failed,
        pick=_failed,
        icon="credit-card-off",
        tone="bad",
        way=Way.DIGEST,
    ),
    ChargeFailed,
)
declare(
    Kind(
        name="payment_method.expiring",
        label=gettext_lazy("A customer's card is about to expire"),
        group=MONEY,
        permission=CUSTOMERS_VIEW,
        say=_say_expiring,
        pick=_expiring,
        icon="credit-card-off",
        tone="warn",
        way=Way.DIGEST,
    ),
    PaymentMethodExpiring,
)
declare(
    Kind(
        name="payment.received",
        label=gettext_lazy("A payment comes in"),
        group=MONEY,
        permission=PAYMENTS_VIEW,
        say=_say_received,
        pick=_received,
        icon="cash",
        tone="ok",
        way=Way.NONE,
    ),
    PaymentReceived,
)
