"""Numbers by which a payer says what is paid, in the form in which they are compared."""

import unicodedata

LENGTH = 60


def folded(text: str) -> str:
    """The text without case and accents."""
    if text.isascii():
        return text.casefold()
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in plain if not unicodedata.combining(character))


def reference_key(text: str) -> str:
    """Letters and digits only, no case, no accents: "INV-2026/00123" is inv202600123; at most 60 characters."""
    plain = folded(text)
    if not plain.isalnum():
        plain = "".join(character for character in plain if character.isalnum())
    return plain[:LENGTH]
