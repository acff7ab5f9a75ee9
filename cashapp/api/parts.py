"""How callers say what of the money goes where."""

from collections.abc import Sequence
from typing import Any

from core.api.fields import In, Minor, PublicId
from core.errors import Invalid
from receivables.selectors import debits_named

MOST_PARTS = 500


class PartIn(In):
    item = PublicId(help_text="An open item, or the invoice it is of.")
    amount_minor = Minor(min_value=1)


def by_item(said: Sequence[dict[str, Any]], *, customer_id: int, currency: str) -> dict[int, int]:
    """The parts by the id of the customer's item. Raises Invalid, naming each part that is of nothing, or of the same.

    One query, inside work().
    """
    found = debits_named(customer_id, currency, [each["item"] for each in said])
    parts: dict[int, int] = {}
    wrong = {}
    for place, each in enumerate(said):
        item_id = found.get(each["item"])
        if item_id is None:
            wrong[f"parts.{place}.item"] = "The customer owes nothing of this id in this currency."
        elif item_id in parts:
            wrong[f"parts.{place}.item"] = "This item is named twice."
        else:
            parts[item_id] = each["amount_minor"]
    if wrong:
        raise Invalid("Some parts are not acceptable.", fields=wrong)
    return parts
