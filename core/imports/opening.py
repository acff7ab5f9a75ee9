"""The first step of an import: a file is looked through, stored, and opened as an import with its columns named."""

import hashlib
import unicodedata
from dataclasses import dataclass, replace
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import files, ids, registry
from core.errors import NotFound
from core.imports.reading import Outline, Shape, outline, sniff
from core.imports.rows import suggested
from core.imports.states import State
from core.imports.work import by_public_id, sealed_samples
from core.models import Import, StoredFile
from core.scope import current, work

REMEMBERED = 20
"""How many earlier imports of a kind are looked at for one whose headings a new file has as well."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that was looked through and stored; `live` is the import of the same content that is under way."""

    kind: str
    sha256: str
    shape: Shape
    outline: Outline
    file: StoredFile | None = None
    live: Import | None = None


def upload(kind: str, *, data: bytes, name: str) -> Import:
    """`keep` and `open_import` in one. Runs its own work()."""
    found = keep(kind, data=data, name=name)
    with work():
        return open_import(found)


def keep(kind: str, *, data: bytes, name: str) -> Kept:
    """Look through a file and store it, unless the same is under way. Runs its own work(), outside any other.

    Raises Unreadable, NotFound for an unknown kind.
    """
    if kind not in registry.importers:
        raise NotFound("There is no such import.")
    shape = sniff(data)
    found = Kept(kind, hashlib.sha256(data).hexdigest(), shape, outline(data, shape))
    with work():
        if (live := _live(kind, found.sha256)) is not None:
            return replace(found, live=live)
    stored = files.store(data, kind="import", name=_shown_name(name), content_type="text/csv")
    return replace(found, file=stored)


def open_import(kept: Kept) -> Import:
    """The import of a file that was kept; its columns are named as they were the last time. Inside work().

    Natural key: kind and content, while an import of them is under way: the same file sent again is that import.
    """
    if kept.live is not None:
        return by_public_id(kept.live.public_id)
    public_id = ids.new(Import.PREFIX)
    try:
        with transaction.atomic():
            return Import.objects.create(
                public_id=public_id,
                kind=kept.kind,
                file=kept.file,
                sha256=kept.sha256,
                reading={"encoding": kept.shape.encoding, "delimiter": kept.shape.delimiter},
                headers=kept.outline.headers,
                samples=sealed_samples(public_id, kept.outline.samples),
                rows=kept.outline.rows,
                started_by=current().actor.label,
                **_remembered(kept.kind, kept.outline.headers),
            )
    except IntegrityError:  # the other click was first
        if (live := _live(kept.kind, kept.sha256)) is None:
            raise
        return live


def _shown_name(name: str) -> str:
    """The file's name as people may see it: no path, nothing that hides or turns the direction."""
    kept = (
        each for each in name.replace("\\", "/").rsplit("/", 1)[-1] if unicodedata.category(each)[0] != "C"
    )
    return "".join(kept).strip()[-200:] or _("file")


def _live(kind: str, sha256: str) -> Import | None:
    found: Import | None = Import.objects.filter(kind=kind, sha256=sha256, state__in=Import.LIVE).first()
    return found


def _remembered(kind: str, headers: list[str]) -> dict[str, Any]:
    """Mapping and choices of the last import of such a file, else what the headings suggest."""
    last = Import.objects.filter(kind=kind).exclude(state=State.UPLOADED).order_by("-id")
    before = last.filter(headers=headers).first()
    if before is None:  # failed rows that were mended come with a column more
        before = next((each for each in last[:REMEMBERED] if {*each.mapping.values()} <= {*headers}), None)
    if before is not None:
        return {"mapping": before.mapping, "choices": before.choices}
    return {"mapping": suggested(registry.importers[kind], headers)}
