"""Short ways to prepaid balances and what became of them, made through the services as in life. All inside work()
but the proofs."""

from datetime import date
from typing import Any

from core.books import verify
from core.scope import work
from invoicing.domain.prepaid import Gone
from invoicing.models import Document, TopUp, TopUpMove
from invoicing.services.prepaid import hold, pay_in_advance, top_up
from ledger.selectors import trial_balances
from tests import factories

DAY, LATER = date(2026, 11, 2), date(2026, 11, 20)


def topped(owner: Any, minor: int = 10000, *, paid: int | None = None, **given: Any) -> TopUp:
    """A top-up that is paid, in full unless told otherwise."""
    row = top_up(owner.public_id, minor=minor, key=f"k{TopUp.objects.count()}", today=DAY, **given)
    if paid != 0:
        factories.pay(row.document, minor=paid)
    return row


def draw(owner: Any, document: Document, minor: int, *, on: date = LATER) -> None:
    pay_in_advance(hold([owner.pk]), {document.pk: minor}, {document.pk: document}, on=on)


def drawn() -> list[tuple[int, int]]:
    return list(TopUpMove.objects.filter(kind=Gone.DRAWN).order_by("id").values_list("top_up_id", "minor"))


def proven() -> None:
    with work():
        assert (found := verify()) == [], found


def balances() -> dict[str, int]:
    with work():
        return {row.code: row.balance.minor for each in trial_balances() for row in each.rows}
