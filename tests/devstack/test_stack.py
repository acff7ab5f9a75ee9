"""Postgres and Valkey as they really run, from the packages and from the system."""

import os
import signal
import subprocess
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg2
import pytest
import redis

from tests.devstack.conftest import Start, everything_in, gone, services, wait_for_line
from tools.devstack import postgres, valkey
from tools.devstack.paths import Home, throw_away_home
from tools.devstack.processes import Supervisor
from tools.devstack.stack import running

STACK = """
from tools.devstack import processes, stack
from tools.devstack.paths import lasting_home
import time
processes.stop_on_signals()
home = lasting_home()
with home.hold(), stack.running(home, throw_away=False) as found:
    print("ready", found.notes, flush=True)
    time.sleep(99)
"""

SOURCES = ["package", "system"]


@pytest.mark.parametrize("source", SOURCES)
def test_the_app_role_can_neither_bypass_nor_own(
    home: Home, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.setenv("DEVSTACK_BINARIES", source)
    if not any(each.source == source for each in postgres.installations()):
        pytest.skip(f"no {source} Postgres here")

    with home.hold(), Supervisor(home) as supervisor:
        addresses = postgres.start(supervisor, throw_away=True)
        assert f"({source})" in addresses.note
        with closing(psycopg2.connect(addresses.app)) as connection:
            cursor = connection.cursor()
            cursor.execute(
                "SELECT current_user::text, rolsuper, rolbypassrls, rolcreatedb, lower('ÄÖÜ'),"
                " (SELECT datdba::regrole::text FROM pg_database WHERE datname = 'arapp')"
                " FROM pg_roles WHERE rolname = current_user"
            )
            assert cursor.fetchone() == ("arapp_app", False, False, False, "äöü", "arapp_owner")

    assert everything_in(home) == []


@pytest.mark.parametrize("source", SOURCES)
def test_the_broker_answers_only_with_its_password(
    home: Home, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.setenv("DEVSTACK_BINARIES", source)
    found = valkey.program()
    if found is None or found[1] != source:
        pytest.skip(f"no {source} Valkey or Redis here")

    with home.hold(), Supervisor(home) as supervisor:
        url = valkey.start(supervisor).url
        assert redis.Redis.from_url(url).ping()
        without = redis.Redis(host="127.0.0.1", port=urlsplit(url).port or 0, retry=None)
        with pytest.raises(redis.AuthenticationError):
            without.ping()

    assert everything_in(home) == []


def test_a_long_path_still_gets_a_socket(home: Home) -> None:
    deep = home.folder("a" * 120)
    deep.chmod(0o711)

    with (
        running(Home(deep), throw_away=True) as stack,
        closing(psycopg2.connect(stack.settings["DATABASE_URL"])),
    ):
        outside = Path(unquote(urlsplit(stack.settings["DATABASE_URL"]).netloc.split("@")[1].split(":")[0]))

    assert not outside.parent.exists()


def test_data_is_kept_over_a_kill_9(home: Home, start: Start) -> None:
    first = start("-c", STACK)
    wait_for_line(first, "ready")
    pids = list(services(home).values())
    first.kill()
    first.wait()

    second = start("-c", STACK)
    wait_for_line(second, "ready")

    assert gone(pids, 1)
    second.send_signal(signal.SIGTERM)
    assert second.wait(20) == 143
    assert everything_in(home) == []
    assert "database system is shut down" in (home.logs / "postgres.log").read_text().splitlines()[-1]


def test_a_postmaster_nobody_wrote_down_is_stopped(home: Home) -> None:
    """Its own pid file is enough, also when ours was lost."""
    with home.hold(), running(home, throw_away=True):
        pass
    left = _start_postmaster(home)

    with home.hold(), running(home, throw_away=True):
        assert left.wait(10) == 0


def _start_postmaster(home: Home) -> "subprocess.Popen[bytes]":
    server = postgres.server(home)
    service = server.service(home.path / "s", throw_away=True)
    process = subprocess.Popen(
        service.args,
        env={**os.environ, "LC_ALL": "C"},
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **service.user,
    )
    pid_file = Path(home.pgdata / "postmaster.pid")
    while "ready" not in (pid_file.read_text() if pid_file.exists() else ""):
        assert process.poll() is None
    return process


def test_a_throw_away_home_is_gone_and_takes_dead_ones_along(home: Home) -> None:
    dead = home.folder("runs") / "rdead"
    dead.mkdir()

    with throw_away_home() as first, throw_away_home() as second:
        assert not dead.exists()
        assert first.path.exists()
        assert second.path.exists()

    assert list((home.path / "runs").iterdir()) == []
