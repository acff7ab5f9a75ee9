"""The built front end: made when its sources changed, never a reason not to start."""

import fcntl
import hashlib
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from tools.devstack.console import say
from tools.devstack.paths import ROOT, lasting_home
from tools.devstack.processes import die_with_parent
from tools.devstack.stack import environment
from tools.devstack.system import OLDEST_NODE

SOURCES = ROOT / "frontend"
BUILT = ROOT / "static" / "dist"
STAMP = BUILT / ".built-from"
NODE_LOCK = Path(__file__).with_name("node.lock")


def ensure() -> bool:
    """Builds `static/dist` when it is missing or older than `frontend/`; False when that did not work."""
    if not (SOURCES / "package.json").exists() or is_current():
        return True
    with (lasting_home().path / "frontend.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs of one checkout share the folder
        return is_current() or _build()


def is_current() -> bool:
    """Whether what is built came from exactly these sources."""
    return STAMP.exists() and STAMP.read_text(encoding="ascii") == digest(SOURCES)


def digest(folder: Path) -> str:
    """One word for the names and contents of all source files."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and "node_modules" not in inside.parts:
            total.update(f"{inside}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def node_version(program: str = "node") -> int | None:
    """The major version of node, or None."""
    found = shutil.which(program, path=environment({})["PATH"])
    if not found:
        return None
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.match(r"v(\d+)", said)
    return int(match[1]) if match else None


def _build() -> bool:
    if not _have_node():
        say(f"front end not built: needs node {OLDEST_NODE} or newer with npm")
        return False
    say("building the front end ...")
    return _install() and _npm("run", "build") and _mark()


def _mark() -> bool:
    BUILT.mkdir(parents=True, exist_ok=True)
    STAMP.write_text(digest(SOURCES), encoding="ascii")
    return True


def _have_node() -> bool:
    version = node_version()
    if version and version >= OLDEST_NODE and shutil.which("npm", path=environment({})["PATH"]):
        return True
    say("installing node into .venv ...")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes"]
    return subprocess.run([*pip, "-r", str(NODE_LOCK)], check=False).returncode == 0


def _install() -> bool:
    """`npm ci` once per lock file: it throws the whole folder away each time."""
    installed = SOURCES / "node_modules" / ".installed-from"
    wanted = hashlib.sha256((SOURCES / "package-lock.json").read_bytes()).hexdigest()
    if installed.exists() and installed.read_text(encoding="ascii") == wanted:
        return True
    if not _npm("ci", "--ignore-scripts", "--no-audit", "--no-fund"):
        return False
    installed.write_text(wanted, encoding="ascii")
    return True


def _npm(*args: str) -> bool:
    log = lasting_home().logs / "frontend.log"
    with log.open("w", encoding="utf-8") as out:
        done = subprocess.run(
            ["npm", *args],
            cwd=SOURCES,
            env=environment({}),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            check=False,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
    if done.returncode:
        say(f"front end not built: `npm {' '.join(args)}` failed, see {log}")
    return done.returncode == 0
