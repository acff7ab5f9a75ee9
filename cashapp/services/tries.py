"""When a kept card is charged for an invoice: on its due day, and again while the gateway never took the charge.

A charge is named by its invoice's public id; that of the rest, where a deposit is due before it, by `rest_of` that.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from core import clock, effects

CHARGE = "charge.due"
TRIES = 5
"""How often a charge is tried that the gateway never took: after an hour, two, four, eight."""
_BY = "due:"


def rest_of(invoice: str) -> str:
    """The name of the charge of what is left after the deposit of an invoice."""
    return f"{invoice}:rest"


def invoice_of(charge: str) -> str:
    """The public id of the invoice that a charge of this name is of."""
    return charge.partition(":")[0]


def key_of(charge: str, nth: int) -> str:
    """The key of the nth attempt to make a charge, by its name, with nobody there."""
    return f"{_BY}{charge}.{nth}"


def keys_of(invoice: str) -> list[str]:
    """The keys of every attempt to charge an invoice, by its public id, or the rest of it, with nobody there."""
    return [key_of(each, nth) for each in (invoice, rest_of(invoice)) for nth in range(1, TRIES + 1)]


def plan(charges: Iterable[str], *, nth: int = 1, at: datetime) -> None:
    """Have charges, by their names, made at `at`. Natural key: the charge and which try it is. Inside work()."""
    effects.due(CHARGE, [(f"{each}.{nth}", {"invoice": each, "nth": nth}) for each in charges], at=at)


def plan_next(key: str) -> bool:
    """Have the try after that of this key made after a while; False when that was the last. Inside work()."""
    charge, _dot, nth = key.removeprefix(_BY).rpartition(".")
    if int(nth) >= TRIES:
        return False
    plan([charge], nth=int(nth) + 1, at=clock.now() + timedelta(hours=2 ** (int(nth) - 1)))
    return True
