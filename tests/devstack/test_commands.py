"""What a person meets: the second start, the wrong settings, the whole thing up and down."""

import http.client
import signal
import subprocess
import time
from urllib.parse import urlsplit

import pytest

from tests.devstack.conftest import Start, everything_in, gone, wait_for_line
from tools.devstack import commands, frontend, stack, web
from tools.devstack.paths import Held, Home


def test_everything_comes_up_and_goes_down(home: Home, start: Start) -> None:
    first = start("-m", "tools.devstack", "up", "--empty")
    said = wait_for_line(first, "stop:")
    url = next(line.split()[-1] for line in said.splitlines() if line.startswith("ready"))

    assert _status(url) < 500
    second = start("-m", "tools.devstack", "up")
    assert f"already running: {url}" in wait_for_line(second, "already running")
    assert second.wait(10) == 1
    asked = start("-m", "tools.devstack", "manage", "shell", "-v0", "-c", "print('inside', __name__)")
    wait_for_line(asked, "inside")
    first.send_signal(signal.SIGINT)
    assert first.wait(30) == 0
    assert everything_in(home) == []


def test_kill_9_leaves_nothing_of_a_stack_at_work(home: Home, start: Start) -> None:
    """The worker is the hard one: an orderly end of it waits for a broker that is gone already."""
    stack_process = start("-m", "tools.devstack", "up", "--empty")
    wait_for_line(stack_process, "stop:")
    until = time.monotonic() + 30
    while "succeeded" not in (home.logs / "worker.log").read_text() and time.monotonic() < until:
        time.sleep(0.1)
    left = everything_in(home)

    stack_process.kill()

    assert stack_process.wait() == -signal.SIGKILL
    assert gone(left)
    assert everything_in(home) == []


def _status(url: str) -> int:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    connection.request("GET", "/")
    try:
        return connection.getresponse().status
    finally:
        connection.close()


def test_one_address_alone_is_refused(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://somebody@localhost/x")

    with pytest.raises(SystemExit, match="both roles are needed"), stack.running(home, throw_away=True):
        pass


def test_given_addresses_start_nothing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"):
        monkeypatch.setenv(name, "given")

    with stack.running(home, throw_away=True) as found:
        assert found.supervisor.children == []
        assert found.environment["DATABASE_URL"] == "given"


def test_no_child_inherits_the_owner_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARAPP_AS", "owner")

    assert "ARAPP_AS" not in stack.environment({})


def test_a_held_home_says_who_holds_it(home: Home) -> None:
    with home.hold():
        home.announce(url="http://127.0.0.1:1/")
        with pytest.raises(Held) as refused, home.hold():
            pass

    assert refused.value.owner["url"] == "http://127.0.0.1:1/"
    assert home.owner() == {}


def test_the_next_free_port_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        taken = busy.getsockname()[1]
        monkeypatch.setenv("PORT", str(taken))
        assert web.pick_port() > taken


@pytest.mark.parametrize("wrong", ["0", "http", "70000", "-1"])
def test_a_port_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("PORT", wrong)

    with pytest.raises(SystemExit, match="PORT must be"):
        web.pick_port()


def test_reset_asks_and_deletes_only_after_a_yes(home: Home) -> None:
    home.secret()

    with pytest.raises(SystemExit, match="Nothing deleted"):
        commands.reset([])
    assert (home.path / "secret-key").exists()
    commands.reset(["--yes"])
    assert not (home.path / "secret-key").exists()


def test_a_missing_part_is_named_in_one_line() -> None:
    with pytest.raises(SystemExit, match=r"tools\.nothing is not there yet"):
        commands._module("tools.nothing", [])


def test_the_front_end_is_rebuilt_when_a_source_changes(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("frontend")
    (folder / "a.css").write_text("one")
    before = frontend.digest(folder)
    (folder / "node_modules").mkdir()
    (folder / "node_modules" / "x").write_text("installed")
    assert frontend.digest(folder) == before

    (folder / "a.css").write_text("two")

    assert frontend.digest(folder) != before


def test_private_files_are_private(home: Home) -> None:
    home.secret()

    found = subprocess.check_output(["stat", "-c", "%a", str(home.path / "secret-key")], text=True)
    assert found.strip() == "600"
