"""Relative links in the documents point at files that are there: a reader who meets a dead one stops believing."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from tools.check.files import ROOT, Source

_LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_REFERENCE = re.compile(r"^\s{0,3}\[[^\]]+\]:\s*<?(\S+?)>?(?:\s|$)")
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|#|//", re.IGNORECASE)


def broken(sources: Iterable[Source]) -> list[str]:
    """One line per relative link of a Markdown file whose target does not exist inside the repository."""
    found = []
    for source in sources:
        if not source.path.endswith(".md"):
            continue
        for number, target in targets(source.text):
            if not _exists(source.path, target):
                found.append(f"{source.path}:{number}: {target} is not there")
    return found


def targets(text: str) -> Iterator[tuple[int, str]]:
    """(line, target) of every relative link outside code."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        if fenced:
            continue
        prose = re.sub(r"`[^`]*`", "", line)
        for target in (*_LINK.findall(prose), *_REFERENCE.findall(prose)):
            if not _ELSEWHERE.match(target):
                yield number, target


def _exists(page: str, target: str) -> bool:
    path = (ROOT / page).parent.joinpath(unquote(target.partition("#")[0])).resolve()
    return path.is_relative_to(ROOT) and path.exists()
