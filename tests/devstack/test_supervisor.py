"""Children end with their supervisor, however it ends."""

import signal

import pytest

from tests.devstack.conftest import Start, everything_in, gone, services, wait_for_line
from tools.devstack.paths import Home
from tools.devstack.processes import reap

# A service that takes its time, one that ignores the polite signal, and one with a child of its own.
SUPERVISOR = """
import sys, time
from tools.devstack import processes
from tools.devstack.paths import lasting_home
from tools.devstack.processes import Service, Supervisor
processes.GRACE_SECONDS = 1.0
processes.stop_on_signals()
stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); time.sleep(99)"
parent = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(99)'])"
home = lasting_home()
with home.hold(), Supervisor(home) as supervisor:
    supervisor.start(Service("plain", [sys.executable, "-c", "import time; time.sleep(99)"]))
    supervisor.start(Service("stubborn", [sys.executable, "-c", stubborn], orphaned=processes.signal.SIGKILL))
    supervisor.start(Service("parent", [sys.executable, "-c", parent]))
    while b"on" not in (home.logs / "stubborn.log").read_bytes():
        time.sleep(0.02)
    print("ready", flush=True)
    time.sleep(99)
"""


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=str
)
def test_a_signal_takes_every_child_along(
    home: Home, start: Start, number: signal.Signals, code: int
) -> None:
    supervisor = start("-c", SUPERVISOR)
    wait_for_line(supervisor, "ready")
    pids = list(services(home).values())

    supervisor.send_signal(number)

    assert supervisor.wait(20) == code
    assert gone(pids, 1)
    assert everything_in(home) == []


def test_kill_9_takes_every_child_along(home: Home, start: Start) -> None:
    supervisor = start("-c", SUPERVISOR)
    wait_for_line(supervisor, "ready")
    pids = list(services(home).values())

    supervisor.kill()
    supervisor.wait()

    assert gone(pids)


def test_the_next_start_stops_what_kill_9_left(home: Home, start: Start) -> None:
    """Grandchildren do not die with the supervisor; the recorded group finds them."""
    supervisor = start("-c", SUPERVISOR)
    wait_for_line(supervisor, "ready")
    supervisor.kill()
    supervisor.wait()

    reap(home)

    assert gone(everything_in(home), 1)
    assert not home.pids.exists()


def test_a_reused_pid_is_left_alone(home: Home, start: Start) -> None:
    stranger = start("-c", "import time; print('ready'); time.sleep(99)")
    wait_for_line(stranger, "ready")
    home.pids.write_text(f'[{{"name": "web", "pid": {stranger.pid}, "born": "1", "stop": 15}}]')

    reap(home)

    assert stranger.poll() is None
