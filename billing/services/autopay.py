"""Whether what a subscription bills is charged to the card that its customer keeps."""

from collections.abc import Iterable, Sequence

from billing.domain.charges import ENDED
from billing.events import SubscriptionChanged
from billing.models import Subscription
from core import clock
from core.events import emit_all
from core.locks import lock, lock_one


def pay_by_itself(customers: Iterable[str]) -> None:
    """Have everything that customers, by their public ids, subscribe to charged to the card they keep. Inside work().

    What is already stays as it is. Emits subscription.changed.
    """
    rows = Subscription.objects.select_related("customer").filter(customer__public_id__in=list(customers))
    _turn(lock(rows.filter(autopay=False).exclude(state=ENDED)), on=True)


def set_autopay(public_id: str, *, on: bool) -> Subscription:
    """Have a subscription's next invoices (public id) charged by themselves, or paid by its customer. Inside work().

    Where no card is kept, its customer pays all the same. The same wish again changes nothing. Emits
    subscription.changed.
    """
    row: Subscription = lock_one(Subscription.objects.select_related("customer").filter(public_id=public_id))
    if row.autopay != on:
        _turn([row], on=on)
    return row


def _turn(rows: Sequence[Subscription], *, on: bool) -> None:
    for row in rows:
        row.autopay = on
        row.touch("autopay")
    emit_all(
        SubscriptionChanged(
            row.public_id, row.version, customer=row.customer.public_id, what="autopay",
            on=str(clock.today(row.zone)),
        )
        for row in rows
    )  # fmt: skip
