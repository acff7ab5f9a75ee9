"""What the apps offer, found here by whoever needs it from above and by the generated tests.

Each app fills it from its `permissions`, `handlers`, `nav` and `commands` modules, loaded once at start.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.module_loading import autodiscover_modules

MODULES = (
    "permissions", "handlers", "notices", "nav", "checks", "panels", "importing", "search", "audit", "copying",
)  # fmt: skip


class Action(StrEnum):
    """The columns of the rights table: what kind of thing a permission lets somebody do."""

    VIEW = "view"
    CREATE = "create"
    EDIT = "edit"
    APPROVE = "approve"
    EXPORT = "export"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Permission:
    """`name` is `module.verb`, for example invoices.issue; `action` the column it stands in, its module the row."""

    name: str
    label: Any
    action: Action

    @property
    def module(self) -> str:
        return self.name.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two rights that one person should not hold together (segregation of duties), and why."""

    first: str
    second: str
    why: Any


@dataclass(frozen=True, slots=True)
class Handler:
    """`run` gets a batch of one event's rows, inside work(); `name` is its identity in HandledEvent."""

    name: str
    event: str
    run: Callable[[list[Any]], None]


@dataclass(frozen=True, slots=True)
class Clocked:
    """Rows that wait for their time by the organization's own clock: which those are, and where the time stands."""

    rows: Callable[[], Any]
    field: str


@dataclass(frozen=True, slots=True)
class NavItem:
    """A link of the sidebar, shown greyed to those who lack its permission; `key` follows `g`."""

    section: str
    label: str
    icon: str
    url_name: str
    permission: str
    key: str
    order: int


@dataclass(frozen=True, slots=True)
class SearchSource:
    """A kind of thing that the search finds for whoever holds `permission`: `find` gets the text and the slug.

    It runs inside work(), answers with a few `core.search.Hit`s in a constant number of queries, and asks only by
    equality and from the start of stored text: under row-level security nothing else may use an index.
    """

    label: str
    permission: str
    find: Callable[[str, str], list[Any]]


@dataclass(frozen=True, slots=True)
class Place:
    """The page of a kind of thing, and how such things are called: names by public id, one query, inside work()."""

    url_name: str
    permission: str
    names: Callable[[Iterable[str]], dict[str, str]]


permissions: dict[str, Permission] = {}
modules: dict[str, Any] = {}
"""What each first part of a permission's name is called, in the order of the rights table."""
conflicts: list[Conflict] = []
handlers: dict[str, list[Handler]] = {}
every_event: list[Callable[[list[Any]], None]] = []
effects: dict[str, Callable[[Any], None]] = {}
effect_labels: dict[str, Any] = {}
given_up_by: dict[str, Callable[[Any, str], None]] = {}
"""Kind of effect to what ends whatever waited for it, when it is parked."""
due_workers: dict[str, Callable[[list[int]], None]] = {}
clocked: dict[str, Clocked] = {}
"""Kinds of due work that follow the organization's own clock; moving a sandbox's stops at each of their times."""
nav: list[NavItem] = []
lists: dict[str, str] = {}
"""Name of each list's page whose filters can be saved as a view, to the permission it needs."""
places: dict[str, Place] = {}
"""Prefix of a public id to where such a thing is shown, for apps below that know no more than the id."""
panels: dict[str, list[tuple[str, str]]] = {}
searches: list[SearchSource] = []
checks: dict[str, str | Callable[[], list[tuple[Any, ...]]]] = {}
"""Name of an invariant to the statement, or function, that returns the rows for which it does not hold."""
importers: dict[str, Any] = {}
"""Kind to what brings such rows in (core.imports.base.Importer)."""
views: dict[str, str] = {}
"""Dotted name of each page to the permission it names."""


def _nobody(permission: str) -> list[str]:
    return []


who_grants: Callable[[str], list[str]] = _nobody
"""Names of those who may give somebody a right, inside work(); the app that knows members sets it."""


def discover() -> None:
    """Import the registering modules of every installed app; called once when all models are loaded."""
    autodiscover_modules(*MODULES)


def module(name: str, label: Any) -> str:
    """Declare a row of the rights table and return its name."""
    modules[name] = label
    return name


def permission(name: str, label: Any, action: Action | None = None) -> str:
    """Declare a permission and return its name; `action` may be left out where the verb is one."""
    permissions[name] = Permission(name, label, action or Action(name.partition(".")[2]))
    return name


def conflict(first: str, second: str, why: Any) -> None:
    """Declare two permissions that are better held by two people; granting both is flagged, not refused."""
    conflicts.append(Conflict(first, second, why))


def handles(event: type) -> Callable[[Callable[[list[Any]], None]], Callable[[list[Any]], None]]:
    """Register an in-database handler for an event class; it gets the rows of a batch, inside work()."""

    def register(run: Callable[[list[Any]], None]) -> Callable[[list[Any]], None]:
        handler = Handler(f"{run.__module__}.{run.__name__}", event.name, run)  # type: ignore[attr-defined]
        handlers.setdefault(handler.event, []).append(handler)
        return run

    return register


def handles_every(run: Callable[[list[Any]], None]) -> Callable[[list[Any]], None]:
    """Register what is told of events of every name, in batches, inside work(). It must bear being told twice."""
    every_event.append(run)
    return run


def effect(kind: str, label: Any = "") -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    """Register what works off due effects of a kind. It runs outside work() and must bear being run again.

    `label` says for people what is done.
    """

    def register(run: Callable[[Any], None]) -> Callable[[Any], None]:
        effects[kind] = run
        effect_labels[kind] = label
        return run

    return register


def given_up(kind: str) -> Callable[[Callable[[Any, str], None]], Callable[[Any, str], None]]:
    """Register what ends the thing that waits for an effect of a kind when that is parked.

    It gets the effect and the reason as people may read it, inside the work() that parks. The effect may still be put
    back, and then runs once more.
    """

    def register(run: Callable[[Any, str], None]) -> Callable[[Any, str], None]:
        given_up_by[kind] = run
        return run

    return register


def due_worker(kind: str) -> Callable[[Callable[[list[int]], None]], Callable[[list[int]], None]]:
    """Register what works off rows that the door `due_work(kind)` names, in the organization's scope."""

    def register(run: Callable[[list[int]], None]) -> Callable[[list[int]], None]:
        due_workers[kind] = run
        return run

    return register


def clocked_by(kind: str, field: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Register which rows of a kind of due work still wait, inside work(), and the column that says until when."""

    def register(rows: Callable[[], Any]) -> Callable[[], Any]:
        clocked[kind] = Clocked(rows, field)
        return rows

    return register
