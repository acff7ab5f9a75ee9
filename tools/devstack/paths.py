"""Where a checkout keeps its running state, and who holds it."""

import base64
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.devstack.console import die
from tools.devstack.system import room_in_memory

ROOT = Path(__file__).resolve().parents[2]


class Held(Exception):
    """Another process holds this home; carries what it wrote about itself."""

    def __init__(self, owner: dict[str, Any]) -> None:
        super().__init__(owner)
        self.owner = owner


@dataclass(frozen=True)
class Home:
    """One folder with everything one stack writes: the lasting one of a checkout or a throw-away one."""

    path: Path

    @property
    def pgdata(self) -> Path:
        return self.path / "pgdata"

    @property
    def logs(self) -> Path:
        return self.folder("logs")

    @property
    def pids(self) -> Path:
        return self.path / "pids.json"

    @property
    def details(self) -> Path:
        """Addresses of the running stack, for `manage`; private, because they hold passwords."""
        return self.path / "stack.json"

    @property
    def sign_in(self) -> Path:
        """How to sign in to the demo, written by the command that seeds it."""
        return self.path / "sign-in.txt"

    def folder(self, name: str) -> Path:
        """A private folder inside, made when missing."""
        folder = self.path / name
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def secret(self) -> str:
        """The signing key of this home: random, made once, readable by the owner only."""
        file = self.path / "secret-key"
        if not file.exists():
            write_private(file, secrets.token_urlsafe(50))
        return file.read_text(encoding="utf-8").strip()

    def master_keys(self) -> str:
        """The master key of this home, for sealed fields: random, made once, readable by the owner only."""
        file = self.path / "master-keys"
        if not file.exists():
            write_private(file, f"first:{base64.b64encode(secrets.token_bytes(32)).decode()}")
        return file.read_text(encoding="utf-8").strip()

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keeps every other stack out of this home; raises Held when one is in it."""
        with (self.path / "lock").open("a+", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise Held(self.owner()) from None
            write_private(self.details, json.dumps({"pid": os.getpid()}))
            try:
                yield
            finally:
                self.details.unlink(missing_ok=True)

    def announce(self, **details: Any) -> None:
        """Writes down what runs here, for the second start and for `manage`."""
        write_private(self.details, json.dumps({"pid": os.getpid(), **details}))

    def owner(self) -> dict[str, Any]:
        """What the holder announced; empty when nothing runs or it has only begun."""
        with suppress(OSError, ValueError):
            found = json.loads(self.details.read_text(encoding="utf-8"))
            if isinstance(found, dict):
                return found
        return {}


def write_private(file: Path, text: str) -> None:
    """Replaces a file in one step, readable by its owner only."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    with os.fdopen(handle, "w", encoding="utf-8") as draft:
        draft.write(text)
    Path(name).replace(file)


def lasting_home() -> Home:
    """`.dev/` in the checkout. As root a folder outside it: Postgres then runs as another user, who must
    be able to walk to its data without opening the checkout's parents (often /root) to everybody.
    DEVSTACK_HOME names another place."""
    if named := os.environ.get("DEVSTACK_HOME"):
        path = Path(named)
    elif os.geteuid():
        path = ROOT / ".dev"
    else:
        return Home(_in_shared(Path("/var/tmp")))  # noqa: S108 - the owner is checked
    return Home(_own_folder(path))


def _in_shared(folder: Path) -> Path:
    """The checkout's own folder in one that is everybody's."""
    name = hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]
    return _own_folder(folder / f"arapp-{name}")


@contextmanager
def throw_away_home(*, in_memory: bool = False) -> Iterator[Home]:
    """A home of its own for one test run, removed afterwards, with those that died before they could.

    In memory, where there is room and no place was named: a test run makes hundreds of databases of a thousand files
    each, which takes a disk many times as long.
    """
    with ExitStack() as until_the_end:
        folder = room_in_memory() if in_memory and "DEVSTACK_HOME" not in os.environ else None
        home = _fresh_home(until_the_end, _in_shared(folder) if folder else lasting_home().path)
        try:
            yield home
        finally:
            shutil.rmtree(home.path, ignore_errors=True)


def _fresh_home(until_the_end: ExitStack, folder: Path) -> Home:
    runs = _own_folder(folder / "runs")
    with (runs.parent / "runs.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # or a run that starts now would sweep what we have not locked yet
        for left in runs.iterdir():
            _sweep(Home(left))
        home = Home(Path(tempfile.mkdtemp(dir=runs, prefix="r")))
        home.path.chmod(_mode())
        until_the_end.enter_context(home.hold())
    return home


def _sweep(home: Home) -> None:
    from tools.devstack import processes

    with suppress(Held, OSError), home.hold():
        processes.reap(home)
        shutil.rmtree(home.path, ignore_errors=True)


def _mode() -> int:
    return 0o700 if os.geteuid() else 0o711


def _own_folder(path: Path) -> Path:
    with suppress(FileExistsError):
        path.mkdir(mode=_mode())
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        die(f"{path} belongs to somebody else; move it away.")  # a name in a shared folder can be guessed
    path.chmod(_mode())
    return path
