"""Migrating: rules and indexes reach the drawn model in place, and nothing else is drawn anew for them."""

from django.db import models
from django.db.migrations.state import ModelState, ProjectState

from core.management.commands.migrate import rules_in_place


def state_of_two() -> ProjectState:
    state = ProjectState()
    state.add_model(ModelState("x", "House", [("id", models.AutoField(primary_key=True))]))
    reference = models.ForeignKey("x.House", on_delete=models.CASCADE)
    state.add_model(
        ModelState("x", "Room", [("id", models.AutoField(primary_key=True)), ("house", reference)])
    )
    assert state.apps.get_model("x", "room")
    return state


def change(state: ProjectState) -> None:
    for name in ("one", "two"):
        state.add_constraint("x", "house", models.CheckConstraint(condition=models.Q(id__gt=0), name=name))
        state.add_index("x", "house", models.Index(fields=["id"], name=f"{name}_index"))
    state.remove_constraint("x", "house", "one")
    state.remove_index("x", "house", "two_index")


def shown(state: ProjectState) -> list[object]:
    drawn = state.apps.get_model("x", "house")._meta
    kept = state.models["x", "house"].options
    return [drawn.constraints, drawn.indexes, kept["constraints"], kept["indexes"]]


def test_the_models_come_out_as_when_all_are_drawn_anew() -> None:
    plain, quick = state_of_two(), state_of_two()
    change(plain)
    with rules_in_place():
        change(quick)
    assert shown(quick) == shown(plain)
    assert [each.name for each in quick.apps.get_model("x", "house")._meta.constraints] == ["two"]


def test_no_other_model_is_drawn_anew() -> None:
    state = state_of_two()
    before = state.apps.get_model("x", "room")
    with rules_in_place():
        change(state)
    assert state.apps.get_model("x", "room") is before
    change(state)
    assert state.apps.get_model("x", "room") is not before, "Django has become as quick: ours can go"
