"""Faults in Python, put in by name (ARAPP_FAULT) when pytest has collected: loaded with `-p tools.mutants.faults`."""

import os
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest

WEB = "tests/db/core/test_web.py"
RELAY = "tests/db/core/test_relay.py"


def _replace(module: str, name: str, stand: object) -> None:
    setattr(import_module(module), name, stand)


def handled_not_asked() -> None:
    """The relay does not look whether a handler has done its part."""
    from core.models import HandledEvent as real  # noqa: N813 - what the stand-in stands for

    stand = _Stand(real, filter=lambda **_: real.objects.none(), bulk_create=_create_what_is_new(real))
    _replace("core.relay", "HandledEvent", stand)


def handled_not_written() -> None:
    """The relay does not write down that a handler has done its part."""
    from core.models import HandledEvent as real  # noqa: N813 - what the stand-in stands for

    _replace("core.relay", "HandledEvent", _Stand(real, filter=real.objects.filter, bulk_create=list))


def filter_forgotten() -> None:
    """The manager does not filter by organization."""
    from django.db.models import Manager

    from core.base import TenantManager

    setattr(TenantManager, "get_queryset", Manager.get_queryset)  # noqa: B010 - a fault, not a method


def permission_not_asked() -> None:
    """Pages do not ask for their permission."""
    _replace("core.web", "require", lambda permission: None)


def vendors_not_refused() -> None:
    """Vendor calls are not refused while a transaction is open."""
    _replace("core.scope", "inside_work", lambda: False)


def lease_not_taken() -> None:
    """An effect claimed by a worker stays free for the next."""
    _replace("core.effects", "LEASE", timedelta(0))


def moved_whoever_was_first() -> None:
    """A move of state does not ask which state the row is in."""
    from django.db.models import QuerySet

    real = QuerySet.filter

    def filter(self: Any, *args: Any, **given: Any) -> Any:  # noqa: A001 - the name it stands in for
        if set(given) == {"pk", "state"}:
            given.pop("state")
        return real(self, *args, **given)

    setattr(QuerySet, "filter", filter)  # noqa: B010 - a fault, not a method


FAULTS: dict[str, tuple[Callable[[], None], tuple[str, ...]]] = {
    "fault:handled_not_asked": (handled_not_asked, (RELAY,)),
    "fault:handled_not_written": (handled_not_written, (RELAY,)),
    "fault:filter_forgotten": (filter_forgotten, ("tests/db/isolation/test_rows.py",)),
    "fault:permission_not_asked": (permission_not_asked, (WEB,)),
    "fault:vendors_not_refused": (vendors_not_refused, ("tests/db/core/test_scope.py",)),
    "fault:lease_not_taken": (lease_not_taken, ("tests/db/core/test_effects.py",)),
    "fault:moved_whoever_was_first": (moved_whoever_was_first, ("tests/db/core/test_states.py",)),
}


class _Stand:
    """A model in all but its manager."""

    def __init__(self, real: Any, **manager: Any) -> None:
        self.real, self.objects = real, SimpleNamespace(**manager)

    def __call__(self, *args: Any, **given: Any) -> Any:
        return self.real(*args, **given)


def _create_what_is_new(real: Any) -> Callable[[Any], None]:
    return lambda rows: real.objects.bulk_create(rows, ignore_conflicts=True)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    FAULTS[os.environ["ARAPP_FAULT"]][0]()
