"""The locked packages are the ones the project asks for, and name no place to get them from."""

import re
import tomllib

import pytest

from tools.devstack.paths import ROOT

LOCKS = ["requirements.lock", "tools/devstack/node.lock", "tools/devstack/installer.lock"]


def _name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["demo"],
        *project["dependency-groups"]["test"],
        *project["dependency-groups"]["lint"],
    ]
    locked = {_name(line) for line in (ROOT / LOCKS[0]).read_text().splitlines() if "==" in line}

    assert {_name(each) for each in asked} - locked == set(), "run `make lock`"


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_is_hashed_and_names_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text()

    assert "://" not in text
    assert "--index" not in text
    assert "--extra-index" not in text
    for block in re.split(r"\n(?=[A-Za-z0-9])", text.strip()):
        assert re.match(r"[\w.\[\]-]+==\S+", block), block.splitlines()[0]
        assert "--hash=sha256:" in block, block.splitlines()[0]
