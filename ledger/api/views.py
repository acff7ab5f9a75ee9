"""The books for programs: the journal and the trial balance."""

from collections.abc import Sequence
from typing import Any

from core import clock, ids
from core.api.fields import Day, In, Text
from core.api.operations import Api, Call, Listing, operation
from core.errors import NotFound
from ledger.api.outputs import JournalEntryOut, TrialBalanceOut
from ledger.models import Entry
from ledger.permissions import JOURNAL_VIEW
from ledger.selectors import EntryView, JournalFilter, entry, journal, trial_balances, with_legs
from tenants.selectors import entity

TAG = "Books"
ENTRY = "entry"


class JournalQuery(In):
    since = Day(required=False, help_text="First effective day.")
    until = Day(required=False, help_text="Last effective day.")
    account = Text(max_length=20, required=False, help_text="Code of an account that it moves.")
    source = Text(max_length=80, required=False)  # type: ignore[assignment]


class TrialBalanceQuery(In):
    as_of = Day(required=False, help_text="The end of this day; of today when left out.")


def _shown(rows: Sequence[Entry]) -> list[dict[str, Any]]:
    return [_entry(each) for each in with_legs(rows)]


def _entry(each: EntryView) -> dict[str, Any]:
    return {
        "id": ids.numbered(ENTRY, each.entry_id),
        "kind": each.kind,
        "source": each.source,
        "label": each.label,
        "effective_on": each.effective_on,
        "posted_on": each.posted_on,
        "recorded_at": each.recorded_at,
        "legs": [
            {
                "account": leg.code,
                "account_name": leg.name,
                "amount_minor": leg.amount.minor,
                "currency": leg.amount.currency,
                "customer": leg.customer or None,
                "open_item": leg.open_item or None,
            }
            for leg in each.legs
        ],
    }


class JournalEntries(Api):
    tag = TAG

    @operation(JOURNAL_VIEW, query=JournalQuery, gives=JournalEntryOut, many=True)
    def get(self, call: Call) -> Listing:
        """List journal entries with their legs, the newest first."""
        return Listing(journal(JournalFilter(**call.filters)), prepare=_shown)


class OneJournalEntry(Api):
    tag = TAG

    @operation(JOURNAL_VIEW, gives=JournalEntryOut)
    def get(self, call: Call, entry_id: str) -> dict[str, Any]:
        """Get a journal entry with its legs."""
        number = ids.number_in(ENTRY, entry_id)
        if number is None:
            raise NotFound("That entry is not here.")
        return _entry(entry(number))


class TrialBalance(Api):
    tag = TAG

    @operation(JOURNAL_VIEW, query=TrialBalanceQuery, gives=TrialBalanceOut)
    def get(self, call: Call) -> dict[str, Any]:
        """The balance of every account at the end of a day, by currency."""
        on = call.query.get("as_of") or clock.today(entity().zone)
        return {
            "as_of": on,
            "currencies": [
                {
                    "currency": each.currency,
                    "debit_minor": each.sums.debit.minor,
                    "credit_minor": each.sums.credit.minor,
                    "accounts": [
                        {
                            "account": row.code,
                            "account_name": row.name,
                            "kind": row.kind,
                            "balance_minor": row.balance.minor,
                        }
                        for row in each.rows
                    ],
                }
                for each in trial_balances(on)
            ],
        }
