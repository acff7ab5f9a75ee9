"""Whose rows the running code may touch, and who acts.

A scope is entered once by the edge (middleware, task, command); every database access happens inside `work()`,
which opens the transaction and tells the database the organization. Nothing else sets either.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from core.errors import Forbidden


class NoTenant(RuntimeError):
    """Code touched an organization's rows without a scope: a bug at the edge, never an empty answer."""


class OtherTenant(RuntimeError):
    """Code for one organization ran inside the open work of another."""


class InsideWork(RuntimeError):
    """A vendor call, mail or PDF was about to run while a transaction was open."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: `kind` is member, key, link or system; `id` is that row's id, `label` what the audit shows.

    `made_by` is the user who made a key, and who is told what becomes of work that it begins.
    """

    kind: str
    id: int | None = None
    label: str = ""
    made_by: int | None = None

    @property
    def person(self) -> int | None:
        """The user who acts, or for whom a program does; None where nobody is."""
        return self.id if self.kind == "member" else self.made_by


SYSTEM = Actor("system", label="system")
SHORT, LONG = "15s", "5min"
"""How long one statement may take: while a person or a program waits for the answer, and in the background."""


@dataclass(frozen=True, slots=True)
class Scope:
    """One organization, one actor, and what that actor may do. `origin` is page, api, worker, command or import."""

    organization_id: int
    actor: Actor = SYSTEM
    permissions: frozenset[str] = frozenset()
    origin: str = "worker"
    request_id: str = ""
    clock_offset: timedelta = field(default_factory=timedelta)
    memo: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """What was read once for this scope and is the same for every actor of the organization."""

    def may(self, permission: str) -> bool:
        """System code may do everything; everybody else only what was granted."""
        return self.actor.kind == "system" or permission in self.permissions


_scope: ContextVar[Scope | None] = ContextVar("scope", default=None)
_open_for: ContextVar[Scope | None] = ContextVar("open_for", default=None)


def current() -> Scope:
    """The scope in force; raises NoTenant outside one."""
    scope = _scope.get()
    if scope is None:
        raise NoTenant("No organization is in scope.")
    return scope


def current_or_none() -> Scope | None:
    """The scope in force, or None outside one."""
    return _scope.get()


@contextmanager
def enter(scope: Scope) -> Iterator[Scope]:
    """Run the block in `scope`. Entering another organization inside open work raises OtherTenant."""
    open_for = _open_for.get()
    if open_for is not None and open_for.organization_id != scope.organization_id:
        raise OtherTenant("Work for another organization is open.")
    token = _scope.set(scope)
    try:
        yield scope
    finally:
        _scope.reset(token)


def require(permission: str) -> None:
    """Raise Forbidden unless the actor holds `permission`."""
    if not current().may(permission):
        raise Forbidden(
            "Your role does not allow this. An Owner can change that.",
            permission=permission,
        )


def inside_work() -> bool:
    """Whether a work() is open."""
    return _open_for.get() is not None


def refuse_inside_work(what: str) -> None:
    """Called by the HTTP client, mail and PDF: raises InsideWork while a transaction is open."""
    if inside_work():
        raise InsideWork(f"{what} must not run inside work(): commit first, then call.")


@contextmanager
def work() -> Iterator[Scope]:
    """One transaction for the scope's organization; inside another `work()` it joins that one.

    The organization is told to the database for this transaction only, so a pooled connection cannot leak it.
    It is never emptied before COMMIT, when deferred triggers still need it; only where the block joined a
    transaction that it did not open (a test's) is it emptied afterwards.
    """
    scope = current()
    open_for = _open_for.get()
    if open_for is not None:
        if open_for.organization_id != scope.organization_id:
            raise OtherTenant("Work for another organization is open.")
        with transaction.atomic(savepoint=False), _acting_as(scope, open_for):
            yield scope
        return
    joined = connection.in_atomic_block
    token = _open_for.set(scope)
    try:
        with transaction.atomic():
            _tell_database(scope)
            yield scope
    finally:
        _open_for.reset(token)
        if joined and not connection.needs_rollback:
            _set_local("app.organization_id", "")


@contextmanager
def _acting_as(scope: Scope, before: Scope) -> Iterator[None]:
    """Let the audit name whoever acts in the block, and then again who acted around it."""
    if scope == before:
        yield
        return
    token = _open_for.set(scope)
    _tell_database(scope)
    try:
        yield
        _tell_database(before)  # when the block fails, the transaction is undone or broken anyway
    finally:
        _open_for.reset(token)


def _tell_database(scope: Scope) -> None:
    actor = {"kind": scope.actor.kind, "id": scope.actor.id, "label": scope.actor.label}
    origin = {"origin": scope.origin, "request": scope.request_id}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('app.organization_id', %s, true), set_config('app.actor', %s, true),"
            " set_config('app.origin', %s, true), set_config('app.at', %s, true),"
            " set_config('statement_timeout', %s, true)",
            [
                str(scope.organization_id),
                json.dumps(actor),
                json.dumps(origin),
                _wall().isoformat(),
                SHORT if scope.origin in {"page", "api"} else LONG,
            ],
        )


def _set_local(name: str, value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [name, value])


def _wall() -> datetime:
    from core import clock  # clock reads the scope's offset, so it imports this module

    return clock.wall()


def on_commit(do: Callable[[], None]) -> None:
    """Run `do` after COMMIT in this same scope, outside work; its failure never undoes what was committed."""
    scope = current()

    def run() -> None:
        token = _open_for.set(None)
        try:
            with enter(scope):
                do()
        finally:
            _open_for.reset(token)

    transaction.on_commit(run, robust=True)


def acting(**changes: object) -> Scope:
    """The current scope with some fields replaced, for a rule or an import that acts under its own name."""
    return replace(current(), **changes)  # type: ignore[arg-type]
