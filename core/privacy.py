"""Fields that not everybody who sees a record may read: masked in one place, on pages, in files and over the API.

Documents themselves are not masked: an invoice shows the party it was issued to.
"""

from core.scope import current, require

PERSONAL, BANK = "personal.view", "bank.view"
"""E-mail and postal addresses of people; account numbers of payers. Declared by the app that knows rights."""
HIDDEN = "•••"
_SHOWN = 4


def personal(text: str) -> str:
    """An e-mail or postal address, for who may see it. Inside a scope."""
    return text if not text or current().may(PERSONAL) else HIDDEN


def bank(text: str) -> str:
    """An account number; for others its last four characters. Inside a scope."""
    if not text or current().may(BANK):
        return text
    return f"{HIDDEN} {text[-_SHOWN:]}" if len(text) > 2 * _SHOWN else HIDDEN


def require_for(fields: set[str], sensitive: set[str]) -> None:
    """Raise Forbidden when somebody who may not see such a field would write it."""
    if fields & sensitive:
        require(PERSONAL)
