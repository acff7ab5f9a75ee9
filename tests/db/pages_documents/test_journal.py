"""The journal and the trial balance say what the books say."""

import re
from collections.abc import Callable
from datetime import date

import pytest
from django.test import Client

from core.scope import Scope, work
from invoicing.models import Document
from ledger.models import Entry, Leg
from ledger.selectors import trial_balances
from receivables.domain.items import Kind
from tests import factories
from tests.factories import DAY

JOURNAL = "/o/acorn/journal/"


@pytest.fixture
def books(acorn: Scope) -> Document:
    with work():
        owner = factories.customer()
        doc = factories.invoice(owner, ("1", "100.00"))
        factories.item(owner, 5_000, Kind.PAYMENT)
        factories.invoice(factories.customer(currency="JPY"), ("1", "1847"), tax="0", on=date(2026, 1, 31))
        return doc


def test_entries_stand_newest_first_with_their_legs(ana: Client, books: Document) -> None:
    page = ana.get(JOURNAL).content.decode()
    assert re.findall(r'class="tn muted c">([^<]+)</td>', page) == ["31 Jan", "2 Nov", "2 Nov"]
    assert "1100 Receivables" in page
    assert books.number in page
    assert "<tfoot>" not in page or "Sum" not in page


def test_the_sums_of_what_is_filtered_are_the_legs(ana: Client, books: Document) -> None:
    def sums(query: str) -> list[str]:
        page = ana.get(JOURNAL + query).content.decode()
        return re.findall(r">([\d,.]+)</span>", page[page.index("<tfoot>") : page.index("</tfoot>")])

    assert sums("?since=2026-11-01") == ["169.00", "169.00"]
    assert sums("?account=4000") == ["0.00", "100.00", "0", "1,847"]
    assert sums(f"?source={books.public_id}") == ["119.00", "119.00"]
    assert sums("?until=2026-01-31") == ["1,847", "1,847"]


@pytest.mark.parametrize(
    "query",
    [
        "?since=x",
        "?account=%00",
        "?account=9999",
        "?source=%00",
        "?source=" + "x" * 5000,
        "?page=zzz",
        "?page=%00",
        "?since=0001-01-01",
        "?until=9999-12-31&since=2026-01-01",
        "?account=%27%20or%201",
    ],
)
def test_odd_filters_never_break_it(ana: Client, books: Document, query: str) -> None:
    assert ana.get(JOURNAL + query).status_code == 200
    assert ana.get(f"{JOURNAL}trial-balance/{query}").status_code == 200


def test_the_trial_balance_is_zero_in_each_currency(ana: Client, books: Document) -> None:
    with work():
        balances = {each.currency: each for each in trial_balances()}
        for code, each in balances.items():
            assert each.sums.balanced
            assert sum(row.balance.minor for row in each.rows) == 0
            assert each.sums.debit.minor == sum(
                row.balance.minor for row in each.rows if row.balance.minor > 0
            ), code
        assert set(balances) == {"EUR", "JPY"}
        assert [each.currency for each in trial_balances(date(2026, 2, 1))] == ["JPY"]
    page = ana.get(f"{JOURNAL}trial-balance/").content.decode()
    assert page.count("Sums to zero") == 2
    assert f"?account=1100&amp;until={DAY.year}" in page


def test_pages_follow_one_another(ana: Client, acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        for _ in range(60):
            factories.invoice(owner)
        count = Entry.objects.count()
    first = ana.get(JOURNAL).content.decode()
    older = re.search(r'href="(\?page=[^"]+)"[^>]*rel="next"', first)
    assert older
    second = ana.get(JOURNAL + older[1]).content.decode()
    assert first.count("jr-first") + second.count("jr-first") == count


def test_queries_do_not_grow(ana: Client, books: Document, queries: Callable[[Client, str], int]) -> None:
    paths = [JOURNAL, f"{JOURNAL}?account=1100", f"{JOURNAL}trial-balance/"]
    small = [queries(ana, path) for path in paths]
    with work():
        owner = factories.customer()
        for _ in range(20):
            factories.invoice(owner, ("1", "1"), ("2", "2"))
        assert Leg.objects.count() > 60
    assert [queries(ana, path) for path in paths] == small
    assert max(small) <= 18
