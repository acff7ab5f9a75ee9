"""Beat finds subscriptions that are due; the organization's run for its local date bills them."""

from billing import effects  # noqa: F401 - registers the effect of runs started by hand
from billing.selectors import still_billed
from billing.services.run import run_billing
from core import clock
from core.registry import due_worker
from core.scope import work
from customers import ports
from tenants.selectors import entity

ports.still_needed.append(still_billed)


@due_worker("billing")
def bill_due(row_ids: list[int]) -> None:
    """Bill what is due today in the scope's organization; `row_ids` only says there is something."""
    with work():
        today = clock.today(entity().zone)
    run_billing(today)
