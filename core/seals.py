"""The chain over an organization's audit: made in short batches, and proved.

Each audit row is queued with its digest by the transaction that writes it (core/sql/seals.sql); a seal takes what
is queued, lists its ids and digests, and hashes them with the hash of the seal before. The proof trusts nothing
that the database computed: it takes the text of rows and seals, and hashes again.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from core import clock, doors, registry
from core.models import AuditSeal
from core.scope import current, work

SHIFT = timedelta(minutes=1)
DIGEST = 32
_NAMED = 20
"""How many rows of one kind of finding are named."""

_ROWS = (
    "SELECT id, jsonb_build_array(id, organization_id, content_type_id, object_pk, object_id, object_repr, action,"
    " changes_text, changes, serialized_data, actor_id, actor_email, cid, extract(epoch FROM timestamp),"
    " additional_data, host(remote_addr), remote_port)::text"
    " FROM core_auditentry WHERE organization_id = %s AND id = ANY(%s)"
)
_LINKS = (
    "SELECT number, previous, hash, ids, digests, jsonb_build_array(previous, organization_id, number, first_id,"
    " last_id, rows, to_jsonb(ids), extract(epoch FROM sealed_at))::text"
    " FROM core_auditseal WHERE organization_id = %s AND number > %s ORDER BY number LIMIT 20"
)
_STRAYS = (
    "WITH queued AS (SELECT unnest(ids) AS id FROM core_auditpending WHERE organization_id = %(mine)s)"
    " SELECT (SELECT count(*) FROM queued), ARRAY(SELECT id FROM core_auditentry WHERE organization_id = %(mine)s"
    " EXCEPT (SELECT unnest(ids) FROM core_auditseal WHERE organization_id = %(mine)s"
    " UNION ALL SELECT id FROM queued) ORDER BY 1 LIMIT %(most)s)"
)


@registry.due_worker("seals")
def seal_due(row_ids: list[int]) -> None:
    """Seal all that is queued of the scope's organization, a link at a time, each in its own work()."""
    end = clock.wall() + SHIFT
    while seal() and clock.wall() < end:
        pass


def seal() -> int:
    """Make the next link; the number of rows it seals, 0 when nothing is queued. Runs its own work()."""
    with work():
        return doors.seal_audit()


@dataclass(frozen=True, slots=True)
class Link:
    """A seal as it is stored, with the text that its hash is over."""

    number: int
    previous: str
    hash: str
    ids: tuple[int, ...]
    digests: bytes
    head: str

    @property
    def sound(self) -> bool:
        text = hashlib.sha256(self.head.encode() + self.digests).hexdigest()
        return text == self.hash and len(self.digests) == DIGEST * len(self.ids)


@dataclass(slots=True)
class Proof:
    """What the audit came to: how much was proved, and in words whatever is not as it was written."""

    seals: int = 0
    rows: int = 0
    waiting: int = 0
    wrong: list[str] = field(default_factory=list)
    hashes: dict[int, str] = field(default_factory=dict)


def last_seal() -> tuple[int, datetime] | None:
    """Number and time of the scope's newest seal; one query. Inside work()."""
    found: tuple[int, datetime] | None = (
        AuditSeal.objects.order_by("-number").values_list("number", "sealed_at").first()
    )
    return found


def prove() -> Proof:
    """Recompute the scope's whole chain and name what does not fit. Inside work()."""
    proof = Proof()
    before = Link(0, "", "", (), b"", "")
    for link in _links():
        proof.wrong += _link_faults(before, link)
        proof.wrong += _row_faults(link)
        proof.seals += 1
        proof.rows += len(link.ids)
        proof.hashes[link.number] = link.hash
        before = link
    strays, proof.waiting = _strays()
    proof.wrong += [f"Audit row {pk} stands in no seal: it was put in past the chain." for pk in strays]
    return proof


def _link_faults(before: Link, link: Link) -> Iterator[str]:
    if link.number != before.number + 1:
        gone = (
            f"{before.number + 1}"
            if link.number == before.number + 2
            else f"{before.number + 1} to {link.number - 1}"
        )
        yield f"Seal {gone} was deleted."
    elif link.previous != before.hash:
        yield f"Seal {link.number} does not follow seal {before.number}: one of them was forged."
    if not link.sound:
        yield f"Seal {link.number} was forged: its hash is not that of what it says."


def _row_faults(link: Link) -> Iterator[str]:
    found = _digests(link.ids)
    for place, pk in enumerate(link.ids):
        if pk not in found:
            yield f"Audit row {pk} was deleted; seal {link.number} holds it."
        elif found[pk] != link.digests[place * DIGEST : (place + 1) * DIGEST]:
            yield f"Audit row {pk} was forged: it is not what seal {link.number} sealed."


def _digests(ids: Iterable[int]) -> dict[int, bytes]:
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, [current().organization_id, list(ids)])
        return {pk: hashlib.sha256(text.encode()).digest() for pk, text in cursor.fetchall()}


def _links() -> Iterator[Link]:
    """All seals in order, a few at a time."""
    last = 0
    while found := _links_after(last):
        yield from found
        last = found[-1].number


def _links_after(number: int) -> list[Link]:
    with connection.cursor() as cursor:
        cursor.execute(_LINKS, [current().organization_id, number])
        return [
            Link(n, before, own, tuple(ids), bytes(leaves), head)
            for n, before, own, ids, leaves, head in cursor
        ]


def _strays() -> tuple[list[int], int]:
    """Rows that neither a seal nor the queue holds, and how many are queued; one statement, so of one moment."""
    with connection.cursor() as cursor:
        cursor.execute(_STRAYS, {"mine": current().organization_id, "most": _NAMED})
        row: Any = cursor.fetchone()
        return list(row[1]), int(row[0])
