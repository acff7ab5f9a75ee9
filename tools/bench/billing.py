"""The billing run against set-based SQL that fills the same tables."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from statistics import median

from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.domain.usage_events import read
from billing.services.meters import create_meter
from billing.services.run import open_run, run_billing
from billing.services.usage import ingest
from core import clock, doors
from core.models import AuditEntry
from core.periods import Unit, boundary
from core.scope import current, work
from ledger.services.post import accounts
from tests.databases import as_owner
from tools.bench.data import DAY, acorn, subscriptions
from tools.bench.report import Row, middle, seconds

COUNT, AUDITED = 10_000, 3_000
RATED, EVENTS, BATCH = 4_000, 10, 1_000
TIERS = [
    {"up_to": Decimal(100), "unit_price": Decimal("0.10")},
    {"up_to": Decimal(300), "unit_price": Decimal("0.08")},
    {"unit_price": Decimal("0.05"), "flat": Decimal(1)},
]
_PEER = Path(__file__).with_name("billing_peer.sql")
_UNAUDITED = """
    DO $$
    DECLARE
        each record;
    BEGIN
        FOR each IN SELECT tgrelid::regclass AS of, tgname FROM pg_trigger
                    WHERE tgfoid::regproc::text IN ('audit_insert', 'audit_update', 'audit_delete') LOOP
            EXECUTE format('ALTER TABLE %s DISABLE TRIGGER %I', each.of, each.tgname);
        END LOOP;
    END
    $$
"""


def _limit(count: int) -> float:
    """Seconds in which plain SQL writes what a run over `count` subscriptions writes."""
    with acorn():
        subscriptions(count)
        run = open_run(DAY)
        with work():
            accounts()
        return seconds(lambda: _peer(run.pk))


def _peer(run_id: int) -> None:
    with work(), connection.cursor() as cursor:
        cursor.execute(
            _PEER.read_text(encoding="utf-8"),
            {"day": DAY, "org": current().organization_id, "at": clock.now(), "run": run_id},
        )


def billing_run() -> Iterator[Row]:
    """Whole service over flat subscriptions, one worker; growth from a quarter of them; rerun; statements."""
    limit = _limit(COUNT)
    with acorn():
        subscriptions(COUNT // 4)
        quarter = seconds(lambda: run_billing(DAY))
    with acorn():
        subscriptions(COUNT)
        taken = seconds(lambda: run_billing(DAY))
        again = seconds(lambda: run_billing(DAY))
    yield Row(
        f"billing run, {COUNT:,} flat", f"{COUNT / taken:,.0f} invoices/s", f"{COUNT / limit:,.0f} /s by SQL",
        limit / taken, 0.25,
    )  # fmt: skip
    yield Row(
        "  the same, growth n to 4n",
        f"{taken:.1f} s",
        f"{quarter:.1f} s",
        taken / quarter,
        4.6,
        at_least=False,
    )
    yield Row(
        "  rerun of a finished run",
        f"{again * 1000:.0f} ms",
        f"{taken:.1f} s",
        again / taken,
        0.02,
        at_least=False,
    )


def rating() -> Iterator[Row]:
    """A run that rates a month of usage in tiers, against one over flat subscriptions; growth from a quarter."""
    start = clock.now().date().replace(day=1)
    end = boundary(start, Unit.MONTH, 1, 1)

    def taken(count: int) -> float:
        with acorn():
            with work():
                create_meter(name="Calls", code="calls", aggregation="sum", field="n", group_by=["region"])
            subscriptions(
                count, start, {"model": "graduated", "tiers": TIERS, "timing": "arrears", "meter": "calls"}
            )
            use(count)
            return seconds(lambda: run_billing(end))

    quarter, whole = taken(RATED // 4), taken(RATED)
    with acorn():
        subscriptions(RATED, start)
        flat = seconds(lambda: run_billing(start))
    yield Row(
        f"rating {RATED:,} periods of {EVENTS} events", f"{RATED / whole:,.0f} invoices/s",
        f"{RATED / flat:,.0f} /s flat", flat / whole, 0.5,
    )  # fmt: skip
    yield Row(
        "  the same, growth n to 4n",
        f"{whole:.1f} s",
        f"{quarter:.1f} s",
        whole / quarter,
        4.6,
        at_least=False,
    )


def use(count: int) -> None:
    """Events of so many subscriptions, a few of each in two regions, in batches as programs send them."""
    from billing.models import Subscription

    with work():
        names = list(Subscription.objects.order_by("pk").values_list("public_id", flat=True))
    at = clock.now().isoformat()
    for first in range(0, count * EVENTS, BATCH):
        events = [
            {
                "transaction_id": f"e{n}", "meter": "calls", "subscription": names[n // EVENTS], "at": at,
                "properties": {"n": str(n % 97), "region": ("eu", "us")[n % 2]},
            }
            for n in range(first, min(first + BATCH, count * EVENTS))
        ]  # fmt: skip
        with work():
            ingest([read(each) for each in events])


def statements() -> Iterator[Row]:
    """Statements that one more batch of a thousand costs a run."""

    def counted(batches: int) -> int:
        with acorn():
            subscriptions(1000 * batches)
            with CaptureQueriesContext(connection) as queries:
                run_billing(DAY, batch=1000)
            return len(queries)

    spent = counted(2) - counted(1)
    yield Row("statements, batch of 1,000", str(spent), "40", spent / 40, 1, at_least=False)


def audit() -> Iterator[Row]:
    """What the audit triggers cost a run: runs with and without them by turns, each in a database of its own."""

    def taken(*, audited: bool) -> float:
        with acorn():
            subscriptions(AUDITED)
            if not audited:
                as_owner(_UNAUDITED, name=connection.settings_dict["NAME"])
            spent = seconds(lambda: run_billing(DAY))
            with work():
                rows = AuditEntry.objects.filter(content_type__model="document").count()
            assert bool(rows) == audited  # noqa: S101 - or the triggers were not what was measured
            return spent

    turns = [(taken(audited=True), taken(audited=False)) for _ in range(3)]
    whole, bare = (median(each) for each in zip(*turns, strict=True))
    yield Row(
        f"audit, billing run of {AUDITED:,}", f"{whole:.1f} s", f"{bare:.1f} s without it", whole / bare, 1.25,
        at_least=False,
    )  # fmt: skip


def nothing_due() -> Iterator[Row]:
    """Finding that nothing is due, for all organizations, with 100,000 subscriptions."""
    with acorn():
        subscriptions(100_000, DAY.replace(year=DAY.year + 30))
        spent = middle(lambda: doors.due_work("billing", max_rows=1000, per_tenant=50, wall=clock.wall()))
        yield Row(
            "nothing due, 100,000 subscriptions",
            f"{spent * 1000:.2f} ms",
            "10 ms",
            spent / 0.010,
            1,
            at_least=False,
        )
