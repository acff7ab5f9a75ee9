"""Bringing open items into the books."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from core import bulk, clock, ids
from ledger.domain.entries import Purpose
from ledger.services.post import post
from receivables.domain.items import SIDES, Kind
from receivables.domain.postings import ItemFacts, opened
from receivables.domain.references import reference_key
from receivables.models import LABEL, OpenItem, Reference


@dataclass(frozen=True, slots=True)
class ItemDraft:
    """An item to open. `against` are positive minor units by purpose, summing to the total (see `opened`).

    `references` are further numbers by which a payer may mean it, beside its label. `deposit_minor` of it, less than
    the total, are due on `deposit_due_on`, a day before `due_on`.
    """

    kind: Kind
    customer_id: int
    entity_id: int
    label: str
    source: str
    currency: str
    effective_on: date
    posted_on: date
    due_on: date
    against: tuple[tuple[Purpose, int], ...]
    references: tuple[str, ...] = ()
    deposit_minor: int = 0
    deposit_due_on: date | None = None

    @property
    def total_minor(self) -> int:
        return sum(minor for _, minor in self.against)


def open_items(drafts: Sequence[ItemDraft]) -> list[ItemFacts]:
    """Write the items and post their entries, a constant number of statements. Inside work().

    Promises one item and one entry per draft with a positive total, in order; a total of zero opens nothing.
    Natural key: `source`. Raises IntegrityError on a second item of one source, PeriodClosed from the ledger.
    """
    drafts = [draft for draft in drafts if draft.total_minor]
    if not drafts:
        return []
    at = clock.now()
    facts = []
    rows = []
    for item_id, draft in zip(bulk.reserve_ids(OpenItem, len(drafts)), drafts, strict=True):
        facts.append(
            ItemFacts(
                item_id,
                draft.kind,
                draft.customer_id,
                draft.entity_id,
                draft.currency,
                draft.total_minor,
                draft.source,
            )
        )
        rows.append(
            {
                "id": item_id,
                "public_id": ids.new(OpenItem.PREFIX),
                "customer_id": draft.customer_id,
                "entity_id": draft.entity_id,
                "kind": str(draft.kind),
                "side": str(SIDES[draft.kind]),
                "label": draft.label[:LABEL],  # a line for lists; the whole text stays where it came from
                "reference": reference_key(draft.label),
                "source": draft.source,
                "currency": draft.currency,
                "total_minor": draft.total_minor,
                "open_minor": draft.total_minor,
                "effective_on": draft.effective_on,
                "due_on": draft.deposit_due_on or draft.due_on,
                "deposit_minor": draft.deposit_minor,
                "deposit_due_on": draft.deposit_due_on,
                "rest_due_on": draft.due_on if draft.deposit_due_on else None,
                "created_at": at,
                "updated_at": at,
            }
        )
    bulk.insert(OpenItem, rows)
    bulk.insert(Reference, _references(facts, drafts))
    post(
        [
            opened(fact, draft.against, effective_on=draft.effective_on, posted_on=draft.posted_on)
            for fact, draft in zip(facts, drafts, strict=True)
        ]
    )
    return facts


def _references(facts: Sequence[ItemFacts], drafts: Sequence[ItemDraft]) -> list[dict[str, Any]]:
    found = {
        (fact.item_id, key): text[:LABEL]
        for fact, draft in zip(facts, drafts, strict=True)
        for text in draft.references
        if (key := reference_key(text)) and key != reference_key(draft.label)
    }
    return [{"item_id": item_id, "key": key, "text": text} for (item_id, key), text in found.items()]
