"""What was billed, and the proof that it holds and could be billed again."""

from billing.models import BilledPeriod
from billing.services.replay import replay_billing
from core.books import verify
from core.scope import work


def billed() -> list[tuple[str, str, int]]:
    """First day, first day after and minor units of each billed period, in the order of their days."""
    with work():
        rows = BilledPeriod.objects.order_by("period_start", "id")
        return [(str(row.period_start), str(row.period_end), row.amount_minor) for row in rows]


def proven() -> None:
    """The books hold, every period comes to what it came to, and what is worth a month is what the contract says."""
    with work():
        found = verify()
        assert found == [], found
    again = replay_billing()
    assert (again.differences, again.mrr) == ([], [])
