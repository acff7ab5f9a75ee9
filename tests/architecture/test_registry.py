"""What is offered is registered, and what is registered is used: pages, permissions, tasks, events, nav."""

import inspect
import re
import subprocess
import sys
from typing import Any

import pytest
from celery import current_app
from django.urls import NoReverseMatch, reverse

from core import registry
from core.events import Event
from core.registry import Action
from tenants.permissions import (
    ACCOUNTS_MANAGER,
    ADMINISTRATOR,
    AUDITOR,
    FINANCE_MANAGER,
    OWNER,
    VIEWER,
    built_in_roles,
)
from tests.routes import Route, routes
from tools.check.files import ROOT

# Permissions that no page asks for yet, and what will.
SOON: dict[str, str] = {}


def product_text() -> str:
    apps = [path.parent for path in ROOT.glob("*/apps.py")]
    files = [path for app in apps for path in app.rglob("*.py") if "migrations" not in path.parts]
    return "\n".join(
        path.read_text(encoding="utf-8") for path in sorted(files) if path.name != "permissions.py"
    )


@pytest.mark.parametrize("route", routes(), ids=lambda route: route.text or "front")
def test_every_page_names_its_permission_or_why_it_needs_none(route: Route) -> None:
    permission = getattr(route.view, "permission", None)
    assert permission is not None, f"{route.text}: decorate it with core.web.page or open_page"
    if permission:
        assert permission in registry.permissions
    else:
        inner = inspect.unwrap(route.view)
        reason = registry.views[f"{inner.__module__}.{inner.__qualname__}"]
        assert re.fullmatch(r"open: .{5,}", reason)


def test_every_staff_page_names_a_permission() -> None:
    assert [
        route.text for route in routes() if route.text.startswith("o/") and not route.view.permission
    ] == []


def test_every_page_has_a_name_of_its_own() -> None:
    names = [route.name for route in routes()]
    assert all(names)
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", sorted(set(registry.permissions) - set(SOON)))
def test_every_permission_is_asked_for_somewhere(name: str) -> None:
    """By a page, or by its constant anywhere outside the lists of permissions."""
    asked = {permission for permission in registry.views.values() if not permission.startswith("open: ")}
    constant = name.replace(".", "_").upper()
    assert name in asked or constant in product_text() or f'"{name}"' in product_text()


def test_permissions_are_written_alike() -> None:
    assert [name for name in registry.permissions if not re.fullmatch(r"[a-z_]+\.[a-z_]+", name)] == []


def test_every_permission_has_its_place_in_the_table_of_rights() -> None:
    assert {each.module for each in registry.permissions.values()} == set(registry.modules)
    assert {name for each in registry.conflicts for name in (each.first, each.second)} <= set(
        registry.permissions
    )


def test_built_in_roles_hold_registered_permissions() -> None:
    roles = {key: role.rights for key, role in built_in_roles().items()}
    assert roles[OWNER] == set(registry.permissions)
    assert set().union(*roles.values()) == roles[OWNER]
    assert (
        roles[VIEWER] < roles[ACCOUNTS_MANAGER] < roles[FINANCE_MANAGER] < roles[ADMINISTRATOR] < roles[OWNER]
    )


@pytest.mark.parametrize("key", [VIEWER, AUDITOR])
def test_who_only_looks_changes_nothing(key: str) -> None:
    actions = {registry.permissions[name].action for name in built_in_roles()[key].rights}
    assert actions <= {Action.VIEW, Action.EXPORT}


def test_the_documented_table_of_roles_is_the_product() -> None:
    """docs/security/roles.md is what was decided; a change of who may what shows in review."""
    roles = built_in_roles()
    rows = [
        f"| `{name}` | {each.action} | "
        + " | ".join("x" if name in role.rights else "" for role in roles.values())
        + " |"
        for name, each in registry.permissions.items()
    ]
    written = (ROOT / "docs/security/roles.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in written if line.startswith("| `")] == rows


def own_tasks() -> list[Any]:
    for kind in ROOT.glob("*/tasks.py"):
        __import__(f"{kind.parent.name}.tasks")
    return [task for name, task in sorted(current_app.tasks.items()) if not name.startswith("celery.")]


def test_tasks_take_ids_by_name() -> None:
    tasks = own_tasks()
    assert {task.name for task in tasks} >= {"core.tasks.dispatch", "core.tasks.run_due"}
    for task in tasks:
        for parameter in inspect.signature(task.run).parameters.values():
            assert parameter.kind is parameter.KEYWORD_ONLY, f"{task.name}({parameter.name})"
            assert parameter.annotation in {int, str, "int", "str"}, f"{task.name}({parameter.name})"
            assert parameter.name == "kind" or parameter.name.endswith("_id"), (
                f"{task.name}({parameter.name})"
            )


def test_what_beat_starts_exists_and_expires() -> None:
    names = {task.name for task in own_tasks()}
    for entry in current_app.conf.beat_schedule.values():
        assert entry["task"] in names
        assert entry["options"]["expires"]


def test_every_handled_event_is_emitted_by_somebody() -> None:
    known = {event.name for event in _subclasses(Event) if hasattr(event, "name")}
    assert set(registry.handlers) <= known


def test_handlers_have_names_of_their_own() -> None:
    names = [handler.name for handlers in registry.handlers.values() for handler in handlers]
    assert len(names) == len(set(names))


STARTED = """
import django
django.setup()
from core import registry
print(*registry.effects, *registry.due_workers)
"""


def test_a_process_that_has_only_started_knows_all_background_work() -> None:
    """In this one the pages are loaded too, and what they import would register what no worker does."""
    known = subprocess.run(
        [sys.executable, "-c", STARTED], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    written = re.findall(r"@(?:registry\.)?(?:effect|due_worker)\(", product_text())
    assert len(known) == len(written)
    assert set(known) >= {*registry.effects, *registry.due_workers}


def _subclasses(kind: type) -> list[Any]:
    return [sub for direct in kind.__subclasses__() for sub in (direct, *_subclasses(direct))]


def test_events_have_names_and_versions_of_their_own() -> None:
    # A set: a dataclass with slots is made twice, and the first may still be about.
    events = {
        (event.name, event.schema_version, event.__module__, event.__qualname__)
        for event in _subclasses(Event)
        if not event.__module__.startswith("tests")
    }
    assert len(events) == len({event[:2] for event in events})


@pytest.mark.parametrize("item", registry.nav, ids=lambda item: item.url_name)
def test_every_link_of_the_sidebar_leads_somewhere_its_permission_opens(item: registry.NavItem) -> None:
    try:
        reverse(item.url_name, args=["acorn"])
    except NoReverseMatch:
        pytest.fail(f"{item.url_name} is no page")
    (route,) = [route for route in routes() if route.name == item.url_name]
    assert route.view.permission == item.permission


def test_no_two_links_share_a_key() -> None:
    keys = [item.key for item in registry.nav if item.key]
    assert len(keys) == len(set(keys))
