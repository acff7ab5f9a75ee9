"""How a document stands, in one word for lists and all words for its page: read from its state, its item and a day."""

from datetime import date

from invoicing.domain.states import State


def standing(
    kind: str, state: str, *, total_minor: int, open_minor: int | None, due_on: date | None, today: date
) -> list[str]:
    """The words, the most urgent first. `open_minor` is None for a document that opened no item."""
    if state != State.ISSUED:
        return [str(state)]
    if kind == "credit_note":
        return ["open_credit" if open_minor else "applied"]
    if not open_minor:
        return ["paid"]
    words = ["overdue"] if due_on is not None and due_on < today else []
    if open_minor < total_minor:
        words.append("part_paid")
    return words or ["open"]
