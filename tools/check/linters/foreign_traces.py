"""Nothing of one machine or one download stays in the tree: it would be wrong on the next machine.

No addresses of package registries or mirrors, no absolute paths of somebody's disk, no minified code of others
(it comes from a package manager and is built). The patterns are put together from pieces, so that this file does
not trip over itself.
"""

import re
from collections.abc import Iterator

from tools.check.files import Source

_HOSTS = [
    ("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"), ("yarnpkg", "com"),
    ("docker", "io"), ("ghcr", "io"), ("quay", "io"), ("gcr", "io"), ("crates", "io"), ("rubygems", "org"),
    ("proxy", "golang", "org"), ("jsdelivr", "net"), ("unpkg", "com"), ("cdnjs", "cloudflare", "com"),
    ("arti" + "factory",), ("nexus", "repository"),
]  # fmt: skip
_DIRECTORIES = [("work",), ("root",), ("mnt",), ("opt", "wheels"), ("opt", "py" + "pi"), ("Users", r"\w+")]

_HOST = re.compile("|".join(rf"\b{r'[./]'.join(parts)}\b" for parts in _HOSTS), re.IGNORECASE)
_PATH = re.compile(
    "|".join(rf"(?<![\w.}}*/:-])/{'/'.join(parts)}/" for parts in _DIRECTORIES)
    + "|"
    + r"\.\./(?:\.\./)*" + "shared/"
    + "|"
    + r"\b[A-Z]:\\\\?Users\b"
)  # fmt: skip
LONGEST_LINE = 1_000
"""A line of script or style beyond this was written by a minifier."""


def applies(source: Source) -> bool:
    return True


def find(source: Source) -> Iterator[tuple[int, str]]:
    if source.path.endswith((".min.js", ".min.css", ".min.js.map")):
        yield 1, "minified code of others is fetched and built, not kept"
    is_asset = source.path.endswith((".js", ".mjs", ".css")) and not source.is_test
    for number, line in enumerate(source.lines, 1):
        if found := _HOST.search(line):
            yield number, f"“{found[0]}” is a registry; leave the choice to each installation"
        if found := _PATH.search(line):
            yield number, f"“{found[0]}” is a path of one machine"
        if is_asset and len(line) > LONGEST_LINE:
            yield number, "minified code of others is fetched and built, not kept"
