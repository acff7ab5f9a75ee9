"""What a correction would do, found by doing it and taking it back: the preview cannot differ from the act."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from core.money import Money
from core.pages import dry_run
from invoicing.selectors import document
from invoicing.services.correct import give_up, void
from invoicing.services.credit import credit
from ledger.selectors import EntryView, entries_about
from receivables.selectors import item_states


@dataclass(frozen=True, slots=True)
class Preview:
    """The entries that would be posted, what would be open after, and the total of a credit note."""

    entries: list[EntryView]
    open_after: Money | None
    total: Money | None = None


def _tried(public_id: str, act: Callable[[], Money | None], sources: list[str]) -> Preview:
    row = document(public_id)
    item = item_states([public_id]).get(public_id)
    known = {entry.entry_id for entry in entries_about([public_id], [item.item_id] if item else [])}
    with dry_run():
        total = act()
        after = item_states([public_id]).get(public_id)
        entries = entries_about([public_id, *sources], [after.item_id] if after else [])
        left = Money(after.open_minor, row.currency) if after else None
    return Preview([entry for entry in entries if entry.entry_id not in known], left, total)


def preview_void(public_id: str, *, on: date) -> Preview:
    """What voiding would post. Raises what `void` raises. Inside work()."""

    def act() -> None:
        void(public_id, on=on, reason="preview")

    return _tried(public_id, act, [f"void:{public_id}"])


def preview_credit(public_id: str, *, on: date, amounts: Mapping[int, int] | None) -> Preview:
    """What a credit note would post and come to. Raises what `credit` raises. Inside work()."""
    sources: list[str] = []

    def act() -> Money:
        note = credit(public_id, on=on, reason="preview", key="preview", amounts=amounts)
        sources.append(note.public_id)
        return Money(note.total_minor, note.currency)

    return _tried(public_id, act, sources)


def preview_write_off(public_id: str, *, minor: int, on: date) -> Preview:
    """What writing `minor` off would post. Raises what `give_up` raises. Inside work()."""

    def act() -> None:
        give_up(public_id, minor=minor, on=on, reason="preview", key="preview")

    return _tried(public_id, act, ["wo_preview"])
