"""From a bare Python to the installed project. Standard library only.

Installs the few missing system packages where that is possible without asking, makes `.venv`, installs
the locked packages once per lock file, and hands over to `tools.devstack` inside `.venv`.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tools.devstack import system
from tools.devstack.console import die, say

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
INSTALLED = VENV / ".installed"
REFUSED = VENV / ".system-packages-refused"
LOCK = ROOT / "requirements.lock"
INSTALLER_LOCK = Path(__file__).with_name("installer.lock")
# Every client reads its own variable for the same thing: a certificate bundle that must replace the built-in one.
BUNDLES = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def main(args: Sequence[str]) -> int:
    """Prepares the checkout, then becomes the command."""
    os.chdir(ROOT)
    os.environ.pop(
        "PYTHONDONTWRITEBYTECODE", None
    )  # each of hundreds of processes would compile all of it anew
    share_certificates()
    command = args[0] if args else "up"
    try:
        with _one_at_a_time():
            _require_venv_package()
            _install_packages()
            if command in {"up", "test", "doctor", "check"}:
                _install_system_packages([*system.missing_pango(), *_missing_browser(command)])
    except KeyboardInterrupt:
        return 130
    _help_mac_find_pango()
    os.execv(PYTHON, [str(PYTHON), "-m", "tools.devstack", *args])  # noqa: S606 - the same process goes on


def share_certificates() -> None:
    """Gives the bundle the caller named to every client; node only adds to its own, so it is not a source."""
    bundle = next((os.environ[name] for name in BUNDLES if os.environ.get(name)), None)
    if bundle:
        for name in (*BUNDLES, "NODE_EXTRA_CA_CERTS"):
            os.environ.setdefault(name, bundle)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    folder = ROOT / ".dev"
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / "install.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _require_venv_package() -> None:
    if PYTHON.exists() or shutil.which("uv"):
        return
    missing = system.missing_venv()
    if missing and not _apt(missing):
        die(_one_line([*missing, *system.missing_pango()], "This Python cannot make virtual environments."))


def _install_packages() -> None:
    wanted = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()
    if PYTHON.exists() and INSTALLED.exists() and INSTALLED.read_text() == wanted:
        return
    uv = shutil.which("uv")
    say("installing packages into .venv ...")
    if not _usable():
        _make_venv(uv)
    uv = uv or _fetch_uv()
    if not (uv and _run([uv, "pip", "install", "-q", "--python", str(PYTHON), *_locked(LOCK)])):
        _call([*_pip(), *_locked(LOCK)])
    INSTALLED.write_text(wanted)


def _fetch_uv() -> str | None:
    """The quick installer, a third of the time even with its own download. It does not read pip's settings,
    so whoever named an index to pip stays with pip."""
    settings = subprocess.run(
        [str(PYTHON), "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    if any(line.partition("=")[0].endswith(".index-url") for line in settings.stdout.splitlines()):
        return None
    fetched = VENV / "bin" / "uv"
    return str(fetched) if _quiet([*_pip(), *_locked(INSTALLER_LOCK)]) and fetched.exists() else None


def _pip() -> list[str]:
    return [str(PYTHON), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]


def _locked(lock: Path) -> list[str]:
    return ["--require-hashes", "--no-deps", "-r", str(lock)]


def _usable() -> bool:
    """Whether `.venv` runs the Python that was asked for; one whose Python was replaced does not."""
    if not PYTHON.exists():
        return False
    asked = subprocess.run(
        [str(PYTHON), "-c", "import sys; print(sys.version)"], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip() == sys.version.strip()


def _make_venv(uv: str | None) -> None:
    if uv:
        _call([uv, "venv", "-q", "--clear", "--seed", "--python", sys.executable, str(VENV)])
    else:
        _call([sys.executable, "-m", "venv", "--clear", str(VENV)])


def _run(args: Sequence[str]) -> bool:
    return subprocess.run(args, check=False).returncode == 0


def _call(args: Sequence[str]) -> None:
    if not _run(args):
        die(f"This did not work: {' '.join(args)}")


def _missing_browser(command: str) -> list[str]:
    return ["chromium-headless-shell"] if command == "test" and not system.browser() else []


def _install_system_packages(packages: Sequence[str]) -> None:
    """Never fails: without them a few features say what they miss. What was refused is not tried again."""
    refused = REFUSED.read_text().split() if REFUSED.exists() else []
    new = [package for package in packages if package not in refused]
    if not new or _apt(new):
        return
    say(_one_line(new, "Optional system packages are missing (PDF, browser tests)."))
    REFUSED.write_text(" ".join([*refused, *new]))


def _apt(packages: Sequence[str]) -> bool:
    """Installs Debian packages when that needs no question."""
    prefix = _rights()
    if prefix is None or not system.has_apt():
        return False
    say(f"installing system packages: {' '.join(packages)} ...")
    install = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y"]
    wanted = [*install, "install", "--no-install-recommends", *packages]
    if _quiet(wanted):
        return True
    return _quiet([*install, "update"]) and _quiet(wanted)  # a fresh system has no package lists yet


def _rights() -> list[str] | None:
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    return [sudo, "-n"] if sudo and _quiet([sudo, "-n", "true"]) else None


def _quiet(args: Sequence[str]) -> bool:
    return subprocess.run(args, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0


def _one_line(packages: Sequence[str], why: str) -> str:
    if system.has_apt():
        return f"{why} Run once:\n  sudo apt-get install -y --no-install-recommends {' '.join(packages)}"
    return f"{why} Install what your system calls: {' '.join(packages)}"


def _help_mac_find_pango() -> None:
    if sys.platform == "darwin" and Path("/opt/homebrew/lib").exists():  # other Pythons do not look there
        os.environ.setdefault("DYLD_FALLBACK_LIBRARY_PATH", "/opt/homebrew/lib")
