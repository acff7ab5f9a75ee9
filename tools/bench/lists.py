"""Pages over a million invoices against the same pages over a thousand."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psycopg2
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.scope import current, work
from ledger.services.post import accounts
from tenants.models import User
from tests.databases import OWNER_URL, use, with_name
from tools.bench.data import acorn, analyze
from tools.bench.report import Row, seconds

FEW, MANY = 1_000, 1_000_000
PER_CUSTOMER, MOST_CUSTOMERS = 20, 10_000
MOST_QUERIES, ROUNDS = 12, 7
FRAMES = ("BEGIN", "COMMIT", "SELECT set_config")
"""How statements begin that only open, name or end a transaction."""
_DATA = Path(__file__).with_name("lists_data.sql")
_TABLES = (
    "customers_customer, invoicing_document, invoicing_line, invoicing_taxline, receivables_openitem,"
    " receivables_allocation, ledger_account, ledger_entry, ledger_leg, core_statechange, core_outboxevent, core_tally"
)


def invoices(count: int) -> None:
    """`count` issued invoices of up to ten thousand customers with their items, payments and entries; one in ten is
    open, half of those overdue. Written as the owner with the triggers asleep: years of a business in minutes."""
    with work():
        accounts()
    customers = min(count // PER_CUSTOMER, MOST_CUSTOMERS)
    given = {"org": current().organization_id, "count": count, "customers": customers}
    with (
        closing(psycopg2.connect(with_name(OWNER_URL, connection.settings_dict["NAME"]))) as session,
        session,
    ):
        session.cursor().execute(_DATA.read_text(encoding="utf-8"), given)
    analyze(_TABLES)


def _pages() -> dict[str, str]:
    with work(), connection.cursor() as cursor:
        cursor.execute("SELECT public_id FROM customers_customer ORDER BY id DESC LIMIT 1")
        customer = cursor.fetchone()[0]
        cursor.execute(
            "SELECT public_id FROM invoicing_document WHERE public_id LIKE '%0' ORDER BY id DESC LIMIT 1"
        )
        invoice = cursor.fetchone()[0]
    lists, ageing = reverse("invoices", args=["acorn"]), reverse("ageing", args=["acorn"])
    return {
        "invoices": lists,
        "invoices, overdue": f"{lists}?state=overdue",
        "invoices, paid": f"{lists}?state=paid",
        "invoices, search": f"{lists}?q=INV-2026-00001",
        "customers": reverse("customers", args=["acorn"]),
        "customer": reverse("customer", args=["acorn", customer]),
        "invoice": reverse("invoice", args=["acorn", invoice]),
        "home": reverse("home", args=["acorn"]),
        "ageing": ageing,
        "ageing of a month's end": f"{ageing}?on=2026-10-31",
        "days sales outstanding": reverse("dso", args=["acorn"]),
    }


OF_ALL = ("home", "ageing", "ageing of a month's end", "days sales outstanding")
"""Pages about everything that is open, of which the SQL has a limit of its own."""


@dataclass(frozen=True, slots=True)
class House:
    """A database with its invoices, a client signed in to it, and the addresses of its pages."""

    name: str
    client: Client
    pages: dict[str, str]


@contextmanager
def _house(count: int) -> Iterator[House]:
    with acorn():
        invoices(count)
        client = Client(HTTP_HOST="localhost")
        client.force_login(User.objects.get(name="Ana"))
        yield House(connection.settings_dict["NAME"], client, _pages())


@dataclass(slots=True)
class Taken:
    """Seconds of a page and of its SQL, round by round, and its number of statements."""

    whole: list[float] = field(default_factory=list)
    sql: list[float] = field(default_factory=list)
    statements: int = 0

    def ask(self, house: House, page: str) -> None:
        """One round: the page twice to warm up, once for its time, once for its statements."""
        use(house.name)
        address = house.pages[page]
        for _ in range(2):
            assert house.client.get(address).status_code == 200, address  # noqa: S101
        self.whole.append(seconds(lambda: house.client.get(address)))
        with CaptureQueriesContext(connection) as queries:
            house.client.get(address)
        self.sql.append(sum(float(query["time"]) for query in queries))
        self.statements = sum(not query["sql"].startswith(FRAMES) for query in queries)


def lists() -> Iterator[Row]:
    """Each page's time over a million invoices against the same over a thousand, turn by turn, and its statements."""
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    with _house(FEW) as few, _house(MANY) as many:
        for page in many.pages:
            small, large = Taken(), Taken()
            for _ in range(ROUNDS):
                small.ask(few, page)
                large.ask(many, page)
            yield from _rows(page, small, large)


def _rows(page: str, small: Taken, large: Taken) -> Iterator[Row]:
    whole, sql, before = median(large.whole), median(large.sql), median(small.whole)
    yield Row(
        f"{page}, {MANY:,}", f"{whole * 1000:.0f} ms, SQL {sql * 1000:.0f}", f"{before * 1000:.0f} ms at {FEW:,}",
        whole / before, 1.5, at_least=False,
    )  # fmt: skip
    if page in OF_ALL:
        yield Row("  its SQL", f"{sql * 1000:.0f} ms", "100 ms", sql / 0.1, 1, at_least=False)
    most = large.statements / MOST_QUERIES
    yield Row("  its statements", str(large.statements), str(MOST_QUERIES), most, 1, at_least=False)
