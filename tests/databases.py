"""Databases for the tests: one migrated template with the cast in it, cloned where a test needs its own.

Everything runs as arapp_app, so row-level security is as real as in production. TRUNCATE is refused by design;
a test that commits therefore gets a clone (about 40 ms) and throws it away.
"""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
from django.conf import settings
from django.db import connection
from psycopg2 import errors

ROOT = Path(__file__).resolve().parent.parent
OWNER_URL = os.environ.get("DATABASE_OWNER_URL", "")
APP_URL = os.environ.get("DATABASE_URL", "")


def with_name(url: str, name: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{name}"))


def as_owner(sql: str, *, name: str = "postgres") -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(with_name(OWNER_URL, name))) as session:
        session.autocommit = True
        with session.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []


def _fingerprint(*more: Path) -> str:
    """Changes when a migration, a SQL file or one of the others does: what was made from them is then made anew."""
    files = sorted(
        [*ROOT.glob("*/migrations/*.py"), *ROOT.glob("*/sql/*.sql"), *ROOT.glob("*/permissions.py"), *more]
    )
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]


def template() -> str:
    """Name of the migrated template that holds the cast; made by the first worker that asks."""
    if given := os.environ.get("ARAPP_TEST_TEMPLATE"):  # tools.mutants: a template with one rule taken away
        return given
    name = f"arapp_template_{_fingerprint(ROOT / 'tests/cast.py')}"
    return _made_once(name, "-m", "tests.cast", source=migrated)


def migrated() -> str:
    """Name of a template that is migrated and has nobody in it."""
    return _made_once(f"arapp_migrated_{_fingerprint()}", "manage.py", "migrate", "-v0")


def _made_once(name: str, *command: str, source: Callable[[], str] = lambda: "template1") -> str:
    """The template of that name: where it is not there yet, a copy of its source in which the command ran."""
    with closing(psycopg2.connect(with_name(OWNER_URL, "postgres"))) as session:
        session.autocommit = True
        cursor = session.cursor()
        cursor.execute("SET lock_timeout = 0")  # another worker may be making it, and take its time
        cursor.execute("SELECT pg_advisory_lock(hashtext(%s))", [name])
        cursor.execute("SELECT datistemplate FROM pg_database WHERE datname = %s", [name])
        if (row := cursor.fetchone()) and row[0]:
            return name
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{source()}"')
        env = {
            **os.environ,
            "DATABASE_OWNER_URL": with_name(OWNER_URL, name),
            "DATABASE_URL": with_name(APP_URL, name),
        }
        subprocess.run([sys.executable, *command], cwd=ROOT, env=env, check=True)
        cursor.execute(f'ALTER DATABASE "{name}" IS_TEMPLATE true')
    return name


def clone(name: str, source: str = "") -> None:
    drop(name)
    as_owner(f'CREATE DATABASE "{name}" TEMPLATE "{source or template()}"')


def drop(name: str) -> None:
    """Drop it, whoever is connected; autovacuum cannot be put out by the owner, but it leaves soon."""
    for _ in range(50):
        with suppress(errors.InsufficientPrivilege, errors.ObjectInUse):
            as_owner(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            return
        time.sleep(0.1)


def use(name: str) -> str:
    """Point Django's connection at a database; returns the one it pointed at before."""
    connection.close()
    before: str = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = name
    settings.DATABASES["default"]["NAME"] = name
    return before


@contextmanager
def own_database(name: str) -> Iterator[dict[str, str]]:
    """A fresh clone for the block; yields the environment in which other processes find it."""
    clone(name)
    before = use(name)
    try:
        yield {"DATABASE_URL": with_name(APP_URL, name), "DATABASE_OWNER_URL": with_name(OWNER_URL, name)}
    finally:
        use(before)
        drop(name)


if __name__ == "__main__":
    template()
