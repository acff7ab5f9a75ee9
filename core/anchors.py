"""The anchor: each day the ends of all chains in one file, outside the database.

Whoever owns the database could rewrite a whole chain so that it fits again; it then no longer fits the anchors. One
file a day in ANCHOR_ROOT, never written over, names the one before it. Its root is a Merkle root over the ends, so
that it can be kept or published elsewhere without saying anything about anybody.
"""

import hashlib
import json
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from tempfile import NamedTemporaryFile

from django.conf import settings

from core import clock, doors
from core.scope import refuse_inside_work

log = logging.getLogger(__name__)

Head = tuple[int, int, str]
"""Organization, number of its last seal, hash of it."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """An anchor as it was read; `problem` says why it cannot be believed, "" when it can."""

    name: str
    root: str
    heads: dict[int, tuple[int, str]]
    problem: str = ""


def merkle_root(heads: Sequence[Head]) -> str:
    """The root over the heads, by organization; leaves and knots are hashed apart so that none passes as the other."""
    level = [
        hashlib.sha256(b"\0" + f"{organization}:{number}:{digest}".encode()).digest()
        for organization, number, digest in sorted(heads)
    ]
    while len(level) > 1:
        pairs = [level[place : place + 2] for place in range(0, len(level), 2)]
        level = [hashlib.sha256(b"\1" + b"".join(pair)).digest() if pair[1:] else pair[0] for pair in pairs]
    return level[0].hex() if level else hashlib.sha256(b"").hexdigest()


def write() -> Path | None:
    """Write today's anchor; None when it is there already, also when another process wrote it just now."""
    refuse_inside_work("Writing an anchor")
    now = clock.wall().astimezone(UTC)
    folder = Path(settings.ANCHOR_ROOT)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"audit-{now:%Y-%m-%d}.json"
    if path.exists():
        return None
    heads = [(organization, number, digest) for organization, (number, digest) in doors.audit_heads().items()]
    earlier = _files()
    content = {
        "at": now.isoformat(),
        "previous": hashlib.sha256(earlier[-1].read_bytes()).hexdigest() if earlier else "",
        "root": merkle_root(heads),
        "heads": heads,
    }
    if not _put(path, json.dumps(content, indent=1).encode()):
        return None
    log.info("Audit anchor %s: %s", path.name, content["root"])
    return path


def _put(path: Path, data: bytes) -> bool:
    """All of the file or none of it, and only where there is none yet."""
    with NamedTemporaryFile(dir=path.parent, prefix=".audit-") as draft:
        draft.write(data)
        draft.flush()
        os.fsync(draft.fileno())
        try:
            os.link(draft.name, path)
        except FileExistsError:
            return False
    path.chmod(0o444)
    return True


def _files() -> list[Path]:
    return sorted(Path(settings.ANCHOR_ROOT).glob("audit-*.json"))


def read_all() -> list[Anchor]:
    """All anchors, oldest first, each with what is wrong with the file itself."""
    anchors: list[Anchor] = []
    before = ""
    for path in _files():
        data = path.read_bytes()
        anchors.append(_read(path.name, data, before))
        before = hashlib.sha256(data).hexdigest()
    return anchors


def _read(name: str, data: bytes, before: str) -> Anchor:
    try:
        content = json.loads(data)
        heads = [(int(one), int(number), str(digest)) for one, number, digest in content["heads"]]
        root, previous = str(content["root"]), str(content["previous"])
    except (ValueError, TypeError, KeyError):
        return Anchor(name, "", {}, f"The anchor {name} cannot be read.")
    problem = ""
    if merkle_root(heads) != root:
        problem = f"The anchor {name} was changed: its root is not that of what it says."
    elif (
        before and previous != before
    ):  # the oldest may have been moved away, so the first that is here names one more
        problem = f"The anchor {name} does not follow the one before it: a file was changed or taken away."
    return Anchor(name, root, {one: (number, digest) for one, number, digest in heads}, problem)


def faults(organization_id: int, hashes: dict[int, str], anchors: Sequence[Anchor]) -> list[str]:
    """What the anchors know of an organization's chain (hash by number) that is no longer so."""
    end = max(hashes, default=0)
    wrong = []
    for anchor in anchors:
        number, digest = anchor.heads.get(organization_id, (0, ""))
        if number > end:
            wrong.append(
                f"The tail was cut: {anchor.name} knows seal {number}, the chain ends with seal {end}."
            )
        elif number and hashes.get(number) not in {digest, None}:
            wrong.append(f"Seal {number} is not the one of {anchor.name}: the chain was written anew.")
    return wrong
