"""The judges read what they judge and no more, also while the server believes that a table holds next to nothing."""

from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
from django.db import connection

from core.scope import enter, work
from ledger.domain.entries import Purpose
from receivables.domain.items import Kind
from receivables.services.allocate import Part, allocate
from receivables.services.items import ItemDraft, open_items
from tests import factories
from tests.conftest import seat
from tests.databases import OWNER_URL, with_name
from tests.factories import DAY

COUNT = 400


def read() -> int:
    """Rows of open items that this transaction has read so far, by any way."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables"
            " WHERE relname = 'receivables_openitem'"
        )
        return int(cursor.fetchone()[0])


@pytest.fixture
def unjudged(committed: dict[str, str]) -> Iterator[None]:
    """Ana's scope where items may stand without the documents that would make them."""
    with enter(seat("acorn", "ana@acorn.example")):
        yield


def test_allocating_many_reads_each_item_a_few_times(unjudged: None) -> None:
    with work():
        owner = factories.customer()
        for _ in range(5):
            factories.item(owner, 100)
    with closing(psycopg2.connect(with_name(OWNER_URL, connection.settings_dict["NAME"]))) as session:
        session.autocommit = True
        session.cursor().execute("ANALYZE receivables_openitem")
    with work():
        debits, credits = (
            open_items(
                [
                    ItemDraft(
                        kind=kind,
                        customer_id=owner.pk,
                        entity_id=owner.entity_id,
                        label=f"{kind} {n}",
                        source=f"{kind}:{n}",
                        currency=owner.currency,
                        effective_on=DAY,
                        posted_on=DAY,
                        due_on=DAY,
                        against=((Purpose.OPENING, 100),),
                    )
                    for n in range(COUNT)
                ]
            )
            for kind in (Kind.OPENING, Kind.CREDIT_NOTE)
        )
    with work():
        before = read()
        allocate(
            [
                Part(f"part {n}", debit.item_id, credit.item_id, 100)
                for n, (debit, credit) in enumerate(zip(debits, credits, strict=True))
            ],
            effective_on=DAY,
        )
        assert read() - before < 40 * 2 * COUNT
