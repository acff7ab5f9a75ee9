"""The only way into the ledger."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import DatabaseError

from core import bulk, clock
from core.errors import Conflict
from ledger.domain.entries import Entry as EntryDraft
from ledger.domain.entries import Purpose
from ledger.models import Account, Entry, Leg
from tenants.selectors import base_currencies

CHART: dict[Purpose, tuple[str, str, str]] = {
    Purpose.BANK: ("1010", "Bank", "asset"),
    Purpose.GATEWAY: ("1020", "Payment gateway", "asset"),
    Purpose.RECEIVABLE: ("1100", "Receivables", "asset"),
    Purpose.UNAPPLIED: ("2100", "Unapplied cash", "liability"),
    Purpose.TAX: ("2200", "Tax output", "liability"),
    Purpose.PREPAID: ("2300", "Customer prepayments", "liability"),
    Purpose.OPENING: ("3000", "Opening balances", "equity"),
    Purpose.REVENUE: ("4000", "Revenue", "revenue"),
    Purpose.EXPIRED: ("4900", "Expired prepayments", "revenue"),
    Purpose.WRITE_OFF: ("5100", "Bad debt", "expense"),
}
PERIOD_CLOSED = "AR001"


class PeriodClosed(Conflict):
    """The posting date lies in a period whose books are closed."""

    code = "period_closed"


def accounts() -> dict[Purpose, int]:
    """Account id of each purpose, the standard chart being written at first use. Inside work()."""
    found = _by_purpose()
    if len(found) < len(CHART):
        taken = set(Account.objects.values_list("code", flat=True))
        Account.objects.bulk_create(
            [
                Account(code=f"{code}.1" if code in taken else code, name=name, kind=kind, purpose=purpose)
                for purpose, (code, name, kind) in CHART.items()
                if purpose not in found
            ],
            ignore_conflicts=True,
        )
        found = _by_purpose()
    return found


def _by_purpose() -> dict[Purpose, int]:
    rows = Account.objects.exclude(purpose="").values_list("purpose", "id")
    return {Purpose(purpose): pk for purpose, pk in rows}


def post(entries: Sequence[EntryDraft]) -> None:
    """Write balanced entries with their legs, two statements whatever their number. Inside work().

    Natural key: the entry's `key`; a second entry with it raises IntegrityError. Raises PeriodClosed when the
    books of the legal entity are closed through the posting date.
    """
    if not entries:
        return
    account_ids = accounts()
    bases = base_currencies()
    entry_ids = bulk.reserve_ids(Entry, len(entries))
    at = clock.now()
    with _period_errors():
        bulk.insert(
            Entry,
            [
                {
                    "id": entry_id,
                    "key": draft.key,
                    "kind": draft.kind,
                    "entity_id": draft.entity_id,
                    "source": draft.source,
                    "effective_on": draft.effective_on,
                    "posted_on": draft.posted_on,
                    "recorded_at": at,
                }
                for entry_id, draft in zip(entry_ids, entries, strict=True)
            ],
        )
    bulk.insert(
        Leg,
        [
            {
                "entry_id": entry_id,
                "account_id": account_ids[leg.purpose],
                "customer_id": leg.customer_id,
                "open_item_id": leg.open_item_id,
                "minor": leg.minor,
                "currency": leg.currency,
                "base_minor": leg.minor if leg.currency == bases[draft.entity_id] else None,
            }
            for entry_id, draft in zip(entry_ids, entries, strict=True)
            for leg in draft.legs
        ],
    )


@contextmanager
def _period_errors() -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        if getattr(error.__cause__, "pgcode", None) != PERIOD_CLOSED:
            raise
        raise PeriodClosed("The books of that period are closed.") from error
