"""Anchors outside the database: one a day, and what was changed or left out between them is named."""

# ruff: noqa: F811 - fixtures come from the module beside this one

from datetime import timedelta
from pathlib import Path

import pytest

from core import anchors, clock, tasks
from tests.db.core.test_seals import chain, seal_all, verify, write  # noqa: F401


def test_an_anchor_is_written_once_a_day(chain: list[int], tmp_path: Path) -> None:
    (file,) = (tmp_path / "anchors").iterdir()
    before = file.read_bytes()
    write("more")
    seal_all()
    tasks.anchor_audit()
    assert [each.read_bytes() for each in (tmp_path / "anchors").iterdir()] == [before]


def test_two_that_write_it_at_once_write_one(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(b"first")
    assert not anchors._put(tmp_path / "x.json", b"second")
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("x.json", b"first")]


def test_a_changed_anchor_is_named(chain: list[int], tmp_path: Path) -> None:
    (file,) = (tmp_path / "anchors").iterdir()
    file.chmod(0o644)
    text = file.read_text()
    (known,) = anchors.read_all()
    some = next(iter(known.heads.values()))[1]
    file.write_text(text.replace(some, "0" * 64))
    assert f"The anchor {file.name} was changed" in verify()[1]
    file.write_text("{")
    assert f"The anchor {file.name} cannot be read" in verify()[1]


def test_a_gap_between_anchors_is_named(
    chain: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in (1, 2):
        at = clock.wall() + timedelta(days=day)
        monkeypatch.setattr(anchors.clock, "wall", lambda at=at: at)
        assert anchors.write()
    assert [each.problem for each in anchors.read_all()] == ["", "", ""]
    middle = sorted((tmp_path / "anchors").iterdir())[1]
    middle.unlink()
    assert "does not follow the one before it" in verify()[1]


def test_the_root_depends_on_every_head() -> None:
    heads = [(n, n + 1, f"{n}" * 64) for n in range(1, 6)]
    root = anchors.merkle_root(heads)
    assert root == anchors.merkle_root(heads[::-1])
    for place in range(5):
        other = [*heads]
        other[place] = (other[place][0], other[place][1], "f" * 64)
        assert anchors.merkle_root(other) != root
    assert anchors.merkle_root(heads[:4]) != root
