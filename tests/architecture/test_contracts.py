"""The import contracts cover every app, and the two of our own refuse what they say they refuse."""

import tomllib
from typing import Any

import pytest
from django.conf import settings
from grimp import ImportGraph

from tools.check.contracts import PrivateModels, Vendors
from tools.check.files import ROOT


def importlinter() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]


def contract(key: str) -> dict[str, Any]:
    return next(entry for entry in importlinter()["contracts"] if entry["id"] == key)


def local_apps() -> set[str]:
    named = {entry.split(".")[0] for entry in settings.INSTALLED_APPS}
    return {name for name in named if (ROOT / name / "__init__.py").exists()}


def test_every_installed_app_is_checked() -> None:
    assert set(importlinter()["root_packages"]) == local_apps()
    assert set(contract("inside")["containers"]) == local_apps()


def test_every_app_on_disk_is_installed() -> None:
    assert {path.parent.name for path in ROOT.glob("*/apps.py")} | {"arapp"} == local_apps()


def test_every_app_has_its_layer() -> None:
    words = " | ".join(contract("apps")["layers"]).replace("(", "").replace(")", "").split(" | ")
    assert local_apps() <= set(words)


@pytest.fixture
def graph() -> ImportGraph:
    graph = ImportGraph()
    for importer, imported in [
        ("billing.services", "billing.models"),
        ("billing.services", "core.models"),
        ("cashapp.gateways.card", "stripe"),
    ]:
        graph.add_import(importer=importer, imported=imported)
    return graph


def made(kind: type[Any], **options: object) -> Any:
    return kind(name="sample", session_options={"root_packages": ["billing"]}, contract_options=options)


def test_models_are_private_to_their_app(graph: ImportGraph) -> None:
    check = made(PrivateModels, open=["core"])
    assert check.illegal(graph) == []
    graph.add_import(importer="cashapp.services", imported="billing.models")
    graph.add_import(importer="billingx.services", imported="billing.models.plan")
    assert set(check.illegal(graph)) == {
        ("cashapp.services", "billing.models"),
        ("billingx.services", "billing.models.plan"),
    }


def test_a_vendor_is_met_only_by_its_adapter(graph: ImportGraph) -> None:
    check = made(Vendors, allowed=["stripe: cashapp.gateways, portal", "segno: portal"])
    assert check.illegal(graph) == []
    graph.add_import(importer="cashapp.views", imported="stripe")
    assert check.illegal(graph) == [("cashapp.views", "stripe")]
