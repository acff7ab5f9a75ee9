"""Each house rule against a sample that it must refuse and one that it must let pass."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.check import links, linters, sizes
from tools.check.files import Source
from tools.check.linters import doors

# rule, path, sample that passes, sample that is refused
SAMPLES = [
    ("row-locks", "billing/services/run.py", "locks.lock_one(rows)", "rows.select_for_update().get(pk=1)"),
    ("no-delay", "billing/services/run.py", "emit(Issued(invoice))", "charge.delay(invoice_id=1)"),
    (
        "no-delay",
        "billing/services/run.py",
        "worker.apply(1)",
        "charge.apply_async(kwargs={'invoice_id': 1})",
    ),
    ("no-delay", "arapp/views.py", "app.tasks", "app.send_task('charge')"),
    ("no-float", "core/money.py", "RATE = Decimal('0.19')", "RATE = 0.19"),
    ("no-float", "billing/domain/price.py", "share = Fraction(1, 3)", "share = float(total) / 3"),
    ("no-float", "ledger/models.py", "minor = models.BigIntegerField()", "minor = models.FloatField()"),
    ("doors", "tenants/services/keys.py", "doors.due_work(kind)", "run('SELECT * FROM due_work(%s)')"),
    (
        "doors",
        "tenants/services/keys.py",
        "'''FROM due_work( says the guide'''",
        "f'SELECT due_work({kind})'",
    ),
    ("session-settings", "core/scope.py", "run('SET LOCAL statement_timeout = 0')", "run('SET app.at = 1')"),
    ("session-settings", "core/scope.py", "run(f'UPDATE {table} SET a = 1')", "run(f'SET {name} = 1')"),
    (
        "session-settings",
        "core/scope.py",
        "run('SET CONSTRAINTS ALL IMMEDIATE')",
        "run('BEGIN; set role = nobody')",
    ),
    (
        "session-settings",
        "core/scope.py",
        "run('SELECT set_config(%s, %s, true)')",
        "run('SELECT set_config(lower(%s), %s, false)')",
    ),
    (
        "task-arguments",
        "billing/tasks.py",
        "@shared_task\ndef bill(*, run_id: int, item_ids: list[int], note: str | None = None): ...",
        "@shared_task\ndef bill(run_id: int): ...",
    ),
    (
        "task-arguments",
        "billing/tasks.py",
        "@app.task(bind=True)\ndef bill(self, *, force: bool = False): ...",
        "@app.task(bind=True)\ndef bill(self, *, subscription: Subscription): ...",
    ),
    ("task-arguments", "core/tasks.py", "def helper(run): ...", "@tenant_task()\ndef run(**options): ..."),
    ("escaping", "portal/views.py", "format_html('<b>{}</b>', name)", "from x import mark_safe"),
    ("escaping", "portal/views.py", "from x import SafeString", "html = SafeString(name)"),
    ("escaping", "templates/a.html", "{{ name|unsafe_looking }}", "{{ name|safe }}"),
    ("escaping", "templates/a.html", "{% autoescape on %}", "{% autoescape off %}"),
    ("object-access", "portal/views.py", "invoice_for(contact, key)", "Invoice.objects.get(pk=key)"),
    ("object-access", "billing/api/runs.py", "d.get('id')", "get_object_or_404(Run, public_id=key)"),
    ("object-access", "portal/views.py", "cache.get(id=1)", "Invoice.objects.filter(id=key).first()"),
    ("foreign-traces", "docs/a.md", "pip install -e .", "--index-url https://" + "pypi" + ".org/simple"),
    ("foreign-traces", "docs/a.md", "`networking/work`, a/work/b", "see /" + "work/main/run.py"),
    ("foreign-traces", "README.md", "[shared](shared/a.md)", "see ../" + "shared/a.md"),
    ("foreign-traces", "static/a.js", "let a = 1;\n" * 500, "let a = 1;" * 500),
]


def found(rule: str, path: str, text: str) -> list[tuple[int, str]]:
    return list(linters.judge(rule, linters.load()[rule], Source(path, text)))


@pytest.fixture(autouse=True)
def _one_door(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """The rule under test is not to depend on which doors exist today."""
    listing = tmp_path / "doors.sql"
    listing.write_text("CREATE FUNCTION due_work(kind text) RETURNS bigint LANGUAGE sql AS ''")
    monkeypatch.setattr(doors, "LIST", listing)
    doors._call.cache_clear()
    yield
    doors._call.cache_clear()


@pytest.mark.parametrize(("rule", "path", "good", "bad"), SAMPLES)
def test_a_rule_tells_good_from_bad(rule: str, path: str, good: str, bad: str) -> None:
    assert found(rule, path, good) == []
    assert found(rule, path, bad) != []


def test_every_rule_has_samples() -> None:
    assert set(linters.load()) == {rule for rule, *_ in SAMPLES}


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        ("row-locks", "core/locks.py", "rows.select_for_update()"),
        ("no-delay", "core/relay.py", "wake.delay()"),
        ("no-float", "reports/charts.py", "width = 0.5"),
        ("doors", "core/doors.py", "run('SELECT due_work(1)')"),
        ("object-access", "billing/selectors.py", "Invoice.objects.get(pk=1)"),
    ],
)
def test_a_rule_knows_its_home(rule: str, path: str, text: str) -> None:
    assert found(rule, path, text) == []


def test_a_line_is_allowed_only_with_a_reason() -> None:
    call = "charge.delay()"
    assert found("no-delay", "arapp/views.py", f"{call}  # allow no-delay: the broker is being tested") == []
    assert found("no-delay", "arapp/views.py", f"{call}  # allow no-delay:") != []
    assert found("no-delay", "arapp/views.py", f"{call}  # allow row-locks: another rule") != []


def test_doors_are_read_from_sql() -> None:
    sql = (
        "CREATE FUNCTION a(x int) ...; create or replace function public.b(y int) ...; CREATE TABLE c (d int)"
    )
    assert doors.names_in(sql) == ["a", "b"]


@pytest.mark.parametrize(
    ("path", "lines", "refused"),
    [
        ("billing/services/run.py", 400, False),
        ("billing/services/run.py", 401, True),
        ("tests/db/billing/test_run.py", 600, False),
        ("tests/db/billing/test_run.py", 601, True),
        ("billing/migrations/0001_initial.py", 5_000, False),
        ("docs/guide.md", 5_000, False),
    ],
)
def test_modules_have_a_ceiling(path: str, lines: int, *, refused: bool) -> None:
    assert bool(sizes.oversized([Source(path, "x = 1\n" * lines)])) is refused


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("[settings](pyproject.toml)", False),
        ("[settings](./pyproject.toml#tool)", False),
        ("[elsewhere](https://example.com/gone.md) [here](#below)", False),
        ("`[code](gone.md)`", False),
        ("```\n[code](gone.md)\n```", False),
        ("[gone](docs/gone.md)", True),
        ("![picture](gone.png)", True),
        ("[out](../../etc/hosts)", True),
        ("[by name][n]\n\n[n]: gone.md", True),
    ],
)
def test_links_lead_somewhere(text: str, *, refused: bool) -> None:
    assert bool(links.broken([Source("README.md", text)])) is refused
