"""What may stand in the head of a mail: one line, no control characters, a From nobody can make look like another."""

import re
import unicodedata

LONGEST_ADDRESS = 254
LONGEST_SUBJECT = 200
LONGEST_NAME = 80
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def one_line(text: str, longest: int = LONGEST_SUBJECT) -> str:
    """The text as one line without control and direction characters, cut at `longest`."""
    plain = "".join(
        " " if char.isspace() else char
        for char in text
        if char.isspace() or unicodedata.category(char) not in _INVISIBLE
    )
    line = re.sub(" +", " ", plain).strip()
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def display_name(name: str) -> str:
    """A tenant's name for the From line, without what would read as an address of its own."""
    return one_line(re.sub(r"[<>@\"\\]", " ", name), LONGEST_NAME)


def is_clean(address: str) -> bool:
    """Whether an address could not carry a second header or recipient; its form is judged elsewhere."""
    return (
        0 < len(address) <= LONGEST_ADDRESS
        and address.isprintable()
        and not re.search(r"[\s,;<>()\[\]\\\"]", address)
    )
