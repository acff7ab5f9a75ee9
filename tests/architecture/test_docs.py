"""What the documents name is there: files, tests, checks of the books, settings."""

import json
import re
from pathlib import Path

import pytest

from core import registry
from tools.check.files import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/**/*.md")])
_CODE = re.compile(r"`([^`\n]+)`")
_FILE = re.compile(r"(?:[\w.-]+/)+[\w.-]+\.(?:py|sql|md|html|toml|yml|txt|css|js)")
_TEST = re.compile(r"test_[a-z0-9_]+")


def named(page: Path, pattern: re.Pattern[str]) -> set[str]:
    return {code for code in _CODE.findall(page.read_text(encoding="utf-8")) if pattern.fullmatch(code)}


def all_tests() -> set[str]:
    found: set[str] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        found |= set(re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_are_named_exist(page: Path) -> None:
    assert {name for name in named(page, _FILE) if not (ROOT / name).exists()} == set()


def test_tests_that_are_named_exist() -> None:
    there = all_tests()
    missing = {(page.name, name) for page in PAGES for name in named(page, _TEST) if name not in there}
    assert missing == set()


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/adr/*.md")), ids=lambda page: page.name)
def test_checks_of_the_books_that_hold_a_decision_exist(page: Path) -> None:
    held_by = " ".join(page.read_text(encoding="utf-8").partition("## Held by")[2].split())
    assert set(re.findall(r'"([^"`]+)"', held_by)) <= set(registry.checks)


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = [int(path.name[:4]) for path in sorted(ROOT.glob("docs/adr/*.md"))]
    assert numbers == list(range(len(numbers)))


def test_every_row_of_the_standard_has_its_state() -> None:
    """S1 to S58, each held, partly held or a gap, and each says by what or why."""
    text = (ROOT / "docs/security/asvs.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| S(\d+) \| [^|]+ \| (held|partly|gap) \| ([^|]+) \|$", text, re.MULTILINE)
    assert [int(number) for number, _state, _by in rows] == list(range(1, 59))
    assert all(by.strip() for _number, _state, by in rows)


def test_every_bad_input_has_its_test_or_is_named_as_a_gap() -> None:
    text = (ROOT / "docs/security/bad-input.md").read_text(encoding="utf-8")
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ")]
    rows = [row for row in rows if row[0].strip() != "what arrives"]
    assert len(rows) > 40
    assert [row[0].strip() for row in rows if not (_TEST.search(row[-1]) or row[-1].strip() == "gap")] == []
    assert {row[1].strip() for row in rows} >= {"P", "A", "I", "G"}


def conventions() -> list[list[str]]:
    """What the table of conventions says: where systems differ, by default, otherwise, held by."""
    text = (ROOT / "docs/guide/conventions.md").read_text(encoding="utf-8")
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ")][1:]
    return [row for row in rows if not row[0].strip().startswith("**")]


def test_every_convention_has_its_test() -> None:
    rows = conventions()
    assert len(rows) > 30
    assert [row[0].strip() for row in rows if len(row) != 4 or not _TEST.search(row[3])] == []


def test_settings_of_conventions_are_words_of_the_api() -> None:
    known: set[str] = set()

    def read(schema: object) -> None:
        if isinstance(schema, dict):
            fields, values = schema.get("properties"), schema.get("enum")
            known.update(fields if isinstance(fields, dict) else ())
            known.update(map(str, values if isinstance(values, list) else ()))
        for inner in (
            schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
        ):
            read(inner)

    read(json.loads((ROOT / "docs/api/openapi.json").read_text(encoding="utf-8")))
    assert {name for row in conventions() for name in _CODE.findall("|".join(row[:3]))} - known == set()
