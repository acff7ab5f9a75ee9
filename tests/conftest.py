"""Fixtures for all tests. A test asks for `acorn` (rolled back) or `committed` (a database of its own)."""

import gc
import hashlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any
from uuid import uuid4
from weakref import WeakKeyDictionary

import pytest
from django.conf import settings
from django.db import connection

from core import registry
from core.scope import Scope, enter, work
from tests import databases

PREPARING = pytest.StashKey["subprocess.Popen[bytes]"]()
"""The template is made while the workers still collect, when everything is tested."""
EARLY = [("unit",), ("faults",), ("devstack",), ("browser",), ("db", "demo")]


def pytest_configure(config: pytest.Config) -> None:
    """What tests need otherwise than a deployment: no hashed file names, the sandbox gateway, a quiet log."""
    # The browser's driver keeps an event loop in the main thread, where Django would then refuse its database.
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.PAYMENT_GATEWAYS = ["sandbox"]
    of_all = config.args_source is pytest.Config.ArgsSource.TESTPATHS and not config.option.collectonly
    if of_all and databases.OWNER_URL and not hasattr(config, "workerinput"):
        config.stash[PREPARING] = subprocess.Popen(
            [sys.executable, "-m", "tests.databases"], cwd=databases.ROOT
        )


def pytest_collection_finish() -> None:
    gc.freeze()  # thousands of tests and their parameters stay to the end


def pytest_unconfigure(config: pytest.Config) -> None:
    if (preparing := config.stash.get(PREPARING, None)) is not None:
        preparing.wait()


def _name_apart(items: list[pytest.Item]) -> None:
    """Workers are handed tests by their ids, so of several with one id a single one would run. Those made of the API's
    description are named by their function alone."""
    for item in items:
        if label := getattr(item, "operation_label", None):
            item._id = replace(item.id, params=label)
    if alike := [each for each, n in Counter(item.nodeid for item in items).items() if n > 1]:
        raise pytest.UsageError(f"Tests of one id: {', '.join(alike[:3])}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files are handed out in this order: first those that need no database, while the template is made; then those
    in which one test takes long; the others folder by folder, and last the short ones, so that all workers end at
    one time."""
    _name_apart(items)
    files = Counter(item.path for item in items)
    folders = Counter(item.path.parent for item in items)

    def place(item: pytest.Item) -> tuple[object, ...]:
        folder = item.path.parent
        top = folder.relative_to(databases.ROOT / "tests").parts
        early = next((n for n, each in enumerate(EARLY) if top[: len(each)] == each), len(EARLY))
        return early, -folders[folder], str(folder), -files[item.path], str(item.path)

    items.sort(key=place)


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: object, request: pytest.FixtureRequest) -> Iterator[None]:
    """The worker's own clone of the template, instead of Django's test database."""
    name = f"arapp_test_{uuid4().hex[:8]}"
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        databases.clone(name)
        before = databases.use(name)
    with connection.execute_wrapper(Prepared()):
        yield
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        databases.use(before)
        databases.drop(name)


class Prepared:
    """Has the proofs of the books planned once for each connection: they are asked after each test that moves money."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if params is not None or sql not in registry.checks.values():
            return execute(sql, params, many, context)
        name = f"proof_{hashlib.md5(sql.encode(), usedforsecurity=False).hexdigest()}"
        known = self._known.setdefault(context["connection"].connection, set())
        if name not in known:
            execute(f"PREPARE {name} AS {sql}", None, many, context)
            known.add(name)
        return execute(f"EXECUTE {name}", None, many, context)


def seat(slug: str, email: str) -> Scope:
    """The scope a member has on their organization's pages."""
    from core import doors
    from tenants.models import User
    from tenants.selectors import seat_of

    organization_id = doors.org_of_slug(slug)
    assert organization_id is not None
    found = seat_of(User.objects.get(email=email), organization_id, origin="page", request_id="req_test")
    assert found is not None
    return found.scope


def judge(scope: Scope) -> None:
    """Let the deferred triggers speak and the books prove themselves, as a COMMIT would."""
    from core.books import verify

    with enter(scope), work():
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        assert verify() == []


@pytest.fixture
def as_member(db: None) -> Iterator[Callable[[str, str], Scope]]:
    """Enter a member's scope for the rest of the test: as_member("acorn", "ben@acorn.example")."""
    with ExitStack() as stack:
        yield lambda slug, email: stack.enter_context(enter(seat(slug, email)))


@pytest.fixture
def acorn(db: None) -> Iterator[Scope]:
    """Ana's scope in a transaction that is rolled back; judged at the end of the test."""
    scope = seat("acorn", "ana@acorn.example")
    with enter(scope):
        yield scope
    if not connection.needs_rollback:
        judge(scope)


@pytest.fixture
def birch(db: None) -> Scope:
    """Bea's scope, not entered."""
    return seat("birch", "bea@birch.example")


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: object) -> Iterator[dict[str, str]]:
    """A database of the test's own in which everything commits; yields the environment for other processes."""
    with (
        django_db_blocker.unblock(),  # type: ignore[attr-defined]
        databases.own_database(f"arapp_own_{uuid4().hex[:8]}") as env,
    ):
        yield env


@pytest.fixture
def committed_acorn(committed: dict[str, str]) -> Iterator[Scope]:
    """Ana's scope in a database of the test's own; judged at the end."""
    scope = seat("acorn", "ana@acorn.example")
    with enter(scope):
        yield scope
    judge(scope)


@pytest.fixture
def sandbox(committed_acorn: Scope) -> Iterator[Scope]:
    """Ana's scope, not entered, in the sandbox of Acorn, whose clock can be moved; judged at the end."""
    from tenants.models import User
    from tenants.selectors import seat_of
    from tenants.services.sandbox import make_sandbox, stand_in

    made = make_sandbox()
    opened = seat_of(User.objects.get(name="Ana"), made.pk, origin="page", request_id="req_test")
    assert opened is not None
    stand_in(opened)
    scope = seat(made.slug, "ana@acorn.example")
    yield scope
    judge(seat(made.slug, "ana@acorn.example"))
