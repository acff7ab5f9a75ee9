"""When a kept card is charged for an invoice: on its due day, and again while the gateway never took the charge."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from core import clock, effects

CHARGE = "charge.due"
TRIES = 5
"""How often a charge is tried that the gateway never took: after an hour, two, four, eight."""
_BY = "due:"


def key_of(invoice: str, nth: int) -> str:
    """The key of the nth attempt to charge an invoice, by its public id, with nobody there."""
    return f"{_BY}{invoice}.{nth}"


def plan(invoices: Iterable[str], *, nth: int = 1, at: datetime) -> None:
    """Have invoices charged at `at`. Natural key: the invoice and which try it is. Inside work()."""
    effects.due(CHARGE, [(f"{each}.{nth}", {"invoice": each, "nth": nth}) for each in invoices], at=at)


def plan_next(key: str) -> bool:
    """Have the try after that of this key made after a while; False when that was the last. Inside work()."""
    invoice, _dot, nth = key.removeprefix(_BY).rpartition(".")
    if int(nth) >= TRIES:
        return False
    plan([invoice], nth=int(nth) + 1, at=clock.now() + timedelta(hours=2 ** (int(nth) - 1)))
    return True
