"""The registry keeps what is declared, under the name by which it is found again."""

from typing import Any

import pytest

from core import registry


@pytest.fixture(autouse=True)
def empty(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("permissions", "handlers", "effects", "due_workers"):
        monkeypatch.setattr(registry, name, {})


class Happened:
    name = "thing.happened"


def test_a_permission_is_found_by_its_name() -> None:
    assert registry.permission("things.view", "See things") == "things.view"
    assert registry.permissions["things.view"].label == "See things"


def test_handlers_of_one_event_are_kept_in_order_with_names_of_their_own() -> None:
    def first(rows: list[Any]) -> None: ...

    def second(rows: list[Any]) -> None: ...

    for run in (first, second):
        assert registry.handles(Happened)(run) is run
    assert [handler.name for handler in registry.handlers["thing.happened"]] == [
        f"{__name__}.first",
        f"{__name__}.second",
    ]


def test_effects_and_due_workers_are_found_by_kind() -> None:
    def run(given: Any) -> None: ...

    assert registry.effect("mail")(run) is run
    assert registry.due_worker("effects")(run) is run
    assert (registry.effects, registry.due_workers) == ({"mail": run}, {"effects": run})
