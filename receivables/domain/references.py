"""Numbers by which a payer says what is paid, in the form in which they are compared."""

import unicodedata

LENGTH = 60


def reference_key(text: str) -> str:
    """The reference as upper-case letters and digits only: "inv-2026/00123" is INV202600123; at most 60 characters."""
    plain = unicodedata.normalize("NFKC", text).upper()
    return "".join(character for character in plain if character.isalnum())[:LENGTH]
