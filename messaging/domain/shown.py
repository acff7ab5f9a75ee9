"""A letter as people of the house may see it: without the secrets that only its reader has."""

import re

_ADDRESS = re.compile(r"https?://[^\s\"'<>]+")
_TOKEN = re.compile(r"[A-Za-z0-9_~-]{20,}")


def without_tokens(text: str) -> str:
    """The text with long secrets cut out of its web addresses: whoever has such a link may pay or sign in by it."""
    return _ADDRESS.sub(lambda found: _cut(found[0]), text)


def _cut(address: str) -> str:
    scheme, _, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host}{slash}{_TOKEN.sub('…', path)}"
