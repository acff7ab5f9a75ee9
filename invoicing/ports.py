"""Questions that apps above answer for this one; they register their answers at start."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import JSONField, Value


@dataclass(frozen=True, slots=True)
class Bills:
    """What bills a subscription, as queries: ids of its documents, and of what the sources of its lines begin with."""

    documents: Any
    lines: Any


def _none(source: Any) -> Any:
    return Value(None, JSONField())


def _no_bills(public_id: str) -> Bills | None:
    return None


@dataclass(slots=True)
class Subscriptions:
    """What is known of subscriptions; nothing, while no app has them.

    `of_line` makes of the expression for a line's source one for the subscription that it bills, as {"id", "name"},
    null where it bills none; `bills` tells by a public id what bills that one.
    """

    of_line: Callable[[Any], Any] = _none
    bills: Callable[[str], Bills | None] = _no_bills


subscriptions = Subscriptions()
