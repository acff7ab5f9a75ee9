"""Normal forms: the same reference, payer or account written in different ways becomes the same key."""

import re

from receivables.domain.references import folded, reference_key

_PIECES = re.compile(r"[^\W\d_]+|\d+")
MAX_PIECES = 60
"""Letter and digit runs of a memo that are read; what comes after them is not."""
_SPAN = 6
_SHORTEST, _LONGEST = 3, 40
PAYER_KEY_LENGTH = 200


key = reference_key
"""The form under which references are stored and compared: letters and digits only, no case, no accents."""

account_key = key
"""The form of bank accounts: an IBAN with and without its spaces is one account."""


def payer_key(text: str) -> str:
    """The form of payer and customer names: no case, no accents, single spaces, at most 200 characters."""
    return " ".join(folded(text).split())[:PAYER_KEY_LENGTH]


def pieces(memo: str) -> list[str]:
    """Runs of letters and runs of digits in the order of the memo, normalised; not bounded."""
    return _PIECES.findall(folded(memo))


def spans(parts: list[str]) -> frozenset[str]:
    """Every run of up to six neighbouring pieces that holds a digit and has 3 to 40 characters."""
    found = set()
    for start in range(len(parts)):
        text = ""
        for part in parts[start : start + _SPAN]:
            text += part
            if len(text) > _LONGEST:
                break
            if len(text) >= _SHORTEST:
                found.add(text)
    return frozenset(text for text in found if not text.isalpha())


def tokens(memo: str) -> frozenset[str]:
    """Keys a memo may quote, for an exact lookup among the keys of references (at most 360).

    A number split by spaces or signs, with or without the words before it, is among them. Only the first
    `MAX_PIECES` pieces are read.
    """
    return spans(pieces(memo)[:MAX_PIECES])
