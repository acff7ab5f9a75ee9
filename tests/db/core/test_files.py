"""Bytes are what was stored, addresses expire, nobody else's file is served."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.db import DatabaseError, transaction

from core import clock, files
from core.errors import NotFound
from core.models import StoredFile
from core.scope import InsideWork, Scope, work


@pytest.fixture(autouse=True)
def folder(settings: object, tmp_path: Path) -> Iterator[Path]:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]
    return tmp_path


def stored(data: bytes = b"\x00\xffbytes") -> StoredFile:
    return files.store(data, kind="invoice", name="../../etc/passwd", content_type="application/pdf")


def test_bytes_come_back(acorn: Scope) -> None:
    file = stored()
    assert files.read(file) == b"\x00\xffbytes"
    assert (file.size, len(file.sha256)) == (7, 64)


def test_the_given_name_never_reaches_the_disk(acorn: Scope, folder: Path) -> None:
    file = stored()
    assert [path for path in folder.rglob("*") if path.is_file()] == [folder / file.storage_key]
    assert file.storage_key == f"{acorn.organization_id}/invoice/{file.public_id}"


@pytest.mark.parametrize("damage", [b"", b"\x00\xffbyteS", b"\x00\xffbytes\n"])
def test_bytes_that_changed_are_not_served(acorn: Scope, folder: Path, damage: bytes) -> None:
    file = stored()
    (folder / file.storage_key).write_bytes(damage)
    with pytest.raises(NotFound) as caught:
        files.read(file)
    assert caught.value.code == "file_changed"


def test_bytes_that_are_gone_are_not_found(acorn: Scope, folder: Path) -> None:
    file = stored()
    (folder / file.storage_key).unlink()
    with pytest.raises(NotFound):
        files.read(file)


def test_storing_inside_work_is_refused_before_anything_is_written(acorn: Scope, folder: Path) -> None:
    with work(), pytest.raises(InsideWork):
        stored()
    assert list(folder.rglob("*")) == []


def test_a_signed_name_is_good_for_its_time_to_the_second(acorn: Scope) -> None:
    file = stored()
    with time_machine.travel(clock.wall().replace(microsecond=0), tick=False) as now:
        token = files.signed_name(file)
        now.shift(timedelta(seconds=files.LINK_SECONDS))
        assert files.unsign(token) == (acorn.organization_id, file.public_id)
        now.shift(timedelta(seconds=1))
        with pytest.raises(NotFound):
            files.unsign(token)


@pytest.mark.parametrize("token", ["", ":", "a:b", "1:file_x:abc:def", "\0", "ü" * 500])
def test_a_forged_name_is_not_found(acorn: Scope, token: str) -> None:
    with pytest.raises(NotFound):
        files.unsign(token)


def test_a_name_cannot_be_turned_to_another_file(acorn: Scope) -> None:
    file = stored()
    token = files.signed_name(file)
    for wrong in (
        token.replace(file.public_id, "file_other"),
        token.replace(f"{acorn.organization_id}:", "999:", 1),
        token[:-1] + "x",
    ):
        with pytest.raises(NotFound):
            files.unsign(wrong)


def test_what_was_stored_is_never_said_to_be_something_else(acorn: Scope) -> None:
    file = stored()
    for change in ({"sha256": "0" * 64}, {"storage_key": "1/other"}, {"name": "other.pdf"}):
        with pytest.raises(DatabaseError), work(), transaction.atomic():
            StoredFile.objects.filter(pk=file.pk).update(**change)
    with pytest.raises(DatabaseError), work(), transaction.atomic():
        StoredFile.objects.filter(pk=file.pk).delete()
