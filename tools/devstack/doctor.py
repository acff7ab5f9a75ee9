"""What was found on this machine, and whether the given database roles are right."""

import locale
import os
import platform
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

from tools.devstack import frontend, postgres, system, valkey
from tools.devstack.console import say
from tools.devstack.paths import ROOT, lasting_home
from tools.devstack.stack import DATABASE_NAMES, given

GOOD, NOTE, BAD = "ok  ", "note", "BAD "
_ROLE_FACTS = """
    SELECT current_user, rolsuper, rolbypassrls,
           EXISTS (SELECT FROM pg_database WHERE datname = current_database() AND datdba = pg_roles.oid)
           OR EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                      WHERE c.relowner = pg_roles.oid AND n.nspname = 'public'),
           current_setting('server_version')
    FROM pg_roles WHERE rolname = current_user
"""


def doctor(_args: Sequence[str]) -> int:
    """Says what was found and what is missing; 1 when something needed is not right."""
    rows = [*_machine(), *_servers(), *_tools(), *_given_database()]
    for mark, subject, finding in rows:
        say(f"{mark} {subject:12} {finding}")
    if given("DATABASE_URL") and not given("DATABASE_OWNER_URL"):
        say("\nThe product needs two roles. As a superuser, on that server:\n")
        say((ROOT / "core" / "sql" / "roles.sql").read_text(encoding="utf-8"))
        say(
            "Then set DATABASE_URL (role arapp_app) and DATABASE_OWNER_URL (role arapp_owner, owner of the database)."
        )
    return 1 if any(mark == BAD for mark, _subject, _finding in rows) else 0


def _machine() -> Iterator[tuple[str, str, str]]:
    yield GOOD, "Python", f"{platform.python_version()} at {sys.executable}"
    yield GOOD, "system", platform.platform()
    home = lasting_home().path
    free = shutil.disk_usage(home).free // 2**20
    yield GOOD if free > 500 else BAD, "disk", f"{free} MiB free in {home}"
    if system.has_shared_memory():
        yield GOOD, system.SHARED_MEMORY, "writable"
    else:
        yield NOTE, system.SHARED_MEMORY, "not writable: the worker uses threads"
    yield GOOD, "locale", f"{locale.setlocale(locale.LC_CTYPE, '')}, {locale.getpreferredencoding()}"


def _servers() -> Iterator[tuple[str, str, str]]:
    found = postgres.installations()
    for each in found:
        yield GOOD, "Postgres", f"{each.major} ({each.source}) at {each.folder}"
    if not found:
        yield NOTE if given("DATABASE_URL") else BAD, "Postgres", "none found"
    broker = valkey.program()
    if broker:
        yield GOOD, "broker", f"{broker[0]} ({broker[1]})"
    else:
        yield NOTE if given("REDIS_URL") else BAD, "broker", "no Valkey and no Redis found"


def _tools() -> Iterator[tuple[str, str, str]]:
    missing = " ".join(system.missing_pango())
    yield (
        (GOOD, "Pango", "found")
        if system.has_pango()
        else (NOTE, "Pango", f"no PDF without it; missing: {missing}")
    )
    node = frontend.node_version()
    enough = node is not None and node >= system.OLDEST_NODE
    yield (
        (GOOD, "node", str(node))
        if enough
        else (NOTE, "node", "none or too old: installed into .venv when needed")
    )
    browser = system.browser()
    yield (
        (GOOD, "browser", browser) if browser else (NOTE, "browser", "no Chromium: browser tests cannot run")
    )


def _given_database() -> Iterator[tuple[str, str, str]]:
    for name, is_owner in zip(DATABASE_NAMES, (False, True), strict=True):
        if os.environ.get(name):
            yield from _judge(name, os.environ[name], is_owner=is_owner)
        elif os.environ.get(f"{name}_FILE"):
            yield NOTE, name, f"from {name}_FILE, not looked at"
        elif any(map(given, DATABASE_NAMES)):
            yield BAD, name, "not set, and the other one is"


def _judge(name: str, url: str, *, is_owner: bool) -> Iterator[tuple[str, str, str]]:
    import dj_database_url
    import psycopg2

    parsed: dict[str, Any] = {**dj_database_url.parse(url)}
    parts = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
    try:
        with closing(
            psycopg2.connect(**{word: parsed[key] for word, key in parts.items() if parsed.get(key)})
        ) as connection:
            cursor = connection.cursor()
            cursor.execute(_ROLE_FACTS)
            role, superuser, bypasses, owns, version = cursor.fetchone()
    except psycopg2.Error as error:
        yield BAD, name, f"no connection: {str(error).strip().splitlines()[0]}"
        return
    faults = _faults(superuser=superuser, bypasses=bypasses, owns=owns, is_owner=is_owner)
    yield (
        BAD if faults else GOOD,
        name,
        f"role {role} on Postgres {version}" + "".join(f"; {each}" for each in faults),
    )


def _faults(*, superuser: bool, bypasses: bool, owns: bool, is_owner: bool) -> list[str]:
    """Row-level security is void for a superuser, for BYPASSRLS and, unless forced, for an owner."""
    checks = [(superuser, "it is a superuser")]
    if not is_owner:
        checks += [(bypasses, "it bypasses row-level security"), (owns, "it owns the database or its tables")]
    return [text for wrong, text in checks if wrong]
