"""The commands of `python3 run.py`."""

import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

from tools.devstack import frontend, web
from tools.devstack.console import confirm, die, say
from tools.devstack.paths import ROOT, Held, Home, lasting_home
from tools.devstack.processes import report_end, run_foreground, terminate
from tools.devstack.stack import Stack, environment, has_module, running, throw_away


def up(args: Sequence[str]) -> int:
    """Runs everything with demo data (without: --empty) until a signal comes."""
    home = lasting_home()
    try:
        with home.hold():
            return _up(home, seed="--empty" not in args)
    except Held as held:
        pid, where = held.owner.get("pid", "unknown"), held.owner.get("url", "still starting")
        say(f"already running: {where} (pid {pid}; to stop it: kill {pid})")
        return 1


def _up(home: Home, *, seed: bool) -> int:
    began = time.monotonic()
    frontend.ensure()
    with running(home, throw_away=False) as stack:
        port = web.pick_port()
        stack.settings |= {"DEBUG": "1", "BASE_URL": f"http://{web.HOST}:{port}"} | _kept("DEBUG", "BASE_URL")
        _migrate(stack, seed=seed)
        child = web.start(stack.supervisor, stack.environment, port)
        web.wait_until_ready(child, port)
        url = f"http://{web.HOST}:{port}/"
        home.announce(url=url, settings=stack.settings)
        _greet(stack, url, time.monotonic() - began)
        return _watch(stack)


def _watch(stack: Stack) -> int:
    while (child := stack.supervisor.ended()) is None:
        time.sleep(0.3)
    report_end(child)
    return 1


def _migrate(stack: Stack, *, seed: bool) -> None:
    say("\n".join(stack.notes))
    _manage_or_die(stack, "migrate", "-v0")
    if seed and any(ROOT.glob("*/management/commands/seed_demo.py")):
        _manage_or_die(stack, "seed_demo")


def _manage_or_die(stack: Stack, *args: str) -> None:
    if code := run_foreground([sys.executable, "manage.py", *args], stack.environment):
        die(f"manage.py {args[0]} failed with code {code}.")


def _greet(stack: Stack, url: str, seconds: float) -> None:
    home = stack.supervisor.home
    say(f"ready in {seconds:.1f} s: {url}")
    with suppress(OSError):
        say(home.sign_in.read_text(encoding="utf-8").strip())
    say(f"mail:    {url}outbox/  (files in {stack.settings['EMAIL_FILE_PATH']})")
    say(f"logs:    {home.logs}")
    say("stop:    Ctrl-C")


def test(args: Sequence[str]) -> int:
    """Runs the tests against a throw-away database and broker."""
    if not frontend.ensure():
        return 1
    return _python_in_throw_away("-m", "pytest", *args, in_memory=True)


def check(args: Sequence[str]) -> int:
    """Linters, types, contracts, migrations."""
    return _module("tools.check", args)


def bench(args: Sequence[str]) -> int:
    """Measures the rows of the performance table."""
    return _module("tools.bench", args)


def mutants(args: Sequence[str]) -> int:
    """Breaks one guarantee at a time and expects a test to notice."""
    return _module("tools.mutants", args)


def soak(args: Sequence[str]) -> int:
    """Lives for minutes while its processes are killed at random, and proves the books: --minutes, --seed."""
    if not frontend.ensure():
        return 1
    return _module("tests.soak", args)


def manage(args: Sequence[str]) -> int:
    """Any management command, on the running stack or on a temporary one over the same data."""
    command = [sys.executable, "manage.py", *args]
    home = lasting_home()
    try:
        with home.hold(), running(home, throw_away=False) as stack:
            stack.settings |= {"DEBUG": "1"} | _kept("DEBUG")
            return run_foreground(command, stack.environment)
    except Held as held:
        if "settings" not in held.owner:
            die(
                f"The stack is just starting or busy (pid {held.owner.get('pid', 'unknown')}); try again in a moment."
            )
        return run_foreground(command, environment(held.owner["settings"]))


def reset(args: Sequence[str]) -> int:
    """Stops what runs and deletes this checkout's database, mail, files and keys."""
    home = lasting_home()
    if "--yes" not in args and not confirm(f"Delete everything in {home.path}?"):
        die("Nothing deleted; say yes, or give --yes.")
    if owner := _holder(home):
        terminate(owner)
    with home.hold():
        _delete_data(home)
    say(f"deleted: {home.path}")
    return 0


def _holder(home: Home) -> int | None:
    try:
        with home.hold():
            return None
    except Held as held:
        return int(held.owner["pid"]) if "pid" in held.owner else None


def _delete_data(home: Home) -> None:
    """Throw-away runs that may be going on keep their folder, and the lock files stay in place."""
    for path in home.path.iterdir():
        if path.is_dir() and path.name != "runs":
            shutil.rmtree(path)
        elif path.is_file() and path.suffix != ".lock" and path.name != "lock":
            path.unlink()


def _module(name: str, args: Sequence[str]) -> int:
    if not has_module(name):
        die(f"{name} is not there yet.")
    return _python_in_throw_away("-m", name, *args)


def _python_in_throw_away(*args: str, in_memory: bool = False) -> int:
    with throw_away(in_memory=in_memory) as stack:
        return run_foreground([sys.executable, *args], stack.environment)


def _kept(*names: str) -> dict[str, str]:
    """What the caller set wins over what a demo would choose."""
    everything = environment({})
    return {name: everything[name] for name in names if name in everything}
