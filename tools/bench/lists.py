"""Pages over a million invoices against the same pages over a thousand."""

from collections.abc import Iterator
from contextlib import closing
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
from tests.databases import OWNER_URL, with_name
from tools.bench.data import acorn, analyze
from tools.bench.report import Row, middle

FEW, MANY = 1_000, 1_000_000
PER_CUSTOMER, MOST_CUSTOMERS = 20, 10_000
MOST_QUERIES = 12
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
    lists = reverse("invoices", args=["acorn"])
    return {
        "invoices": lists,
        "invoices, overdue": f"{lists}?state=overdue",
        "invoices, search": f"{lists}?q=INV-2026-00001",
        "customers": reverse("customers", args=["acorn"]),
        "customer": reverse("customer", args=["acorn", customer]),
        "invoice": reverse("invoice", args=["acorn", invoice]),
        "ageing": reverse("ageing", args=["acorn"]),
        "home": reverse("home", args=["acorn"]),
    }


def _frames(sql: str) -> bool:
    """Whether a statement only opens, names or ends a transaction."""
    return sql.startswith(("BEGIN", "COMMIT", "SELECT set_config"))


def _asked(client: Client, address: str) -> tuple[float, int]:
    """Seconds that the database took for a page, and its statements."""
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200, address  # noqa: S101
    return sum(float(query["time"]) for query in queries), sum(not _frames(query["sql"]) for query in queries)


def _measured(count: int) -> dict[str, tuple[float, float, int]]:
    """Seconds of a page, seconds of its SQL, and its number of statements, by name."""
    found = {}
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    with acorn():
        invoices(count)
        client = Client(HTTP_HOST="localhost")
        client.force_login(User.objects.get(name="Ana"))
        for name, address in _pages().items():
            taken = middle(lambda address=address: client.get(address).content)  # type: ignore[misc]
            rounds = [_asked(client, address) for _ in range(3)]
            found[name] = (taken, median(spent for spent, _ in rounds), rounds[0][1])
    return found


def lists() -> Iterator[Row]:
    """Each page's time over a million invoices against the same over a thousand, and its statements."""
    few, many = _measured(FEW), _measured(MANY)
    for name, (taken, sql, statements) in many.items():
        yield Row(
            f"page at {MANY:,}: {name}", f"{taken * 1000:.0f} ms, SQL {sql * 1000:.0f}",
            f"{few[name][0] * 1000:.0f} ms at {FEW:,}", taken / few[name][0], 1.5, at_least=False,
        )  # fmt: skip
        yield Row(
            "  its statements",
            str(statements),
            str(MOST_QUERIES),
            statements / MOST_QUERIES,
            1,
            at_least=False,
        )
