"""Numbers by which a payer says what is paid, in the form in which they are compared."""

import unicodedata

LENGTH = 60


def reference_key(text: str) -> str:
    """Letters and digits only, no case, no accents: "INV-2026/00123" is inv202600123; at most 60 characters."""
    folded = text.casefold()
    if not folded.isascii():
        plain = unicodedata.normalize("NFKD", folded)
        folded = "".join(character for character in plain if not unicodedata.combining(character))
    return "".join(character for character in folded if character.isalnum())[:LENGTH]
