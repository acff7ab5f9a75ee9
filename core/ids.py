"""The only ids that leave the product: a prefix that names the kind and a ULID that sorts by time."""

import re

from ulid import ULID

_NUMBERED = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


def new(prefix: str) -> str:
    """A fresh public id such as `inv_01J9ZK…` (26 characters after the prefix)."""
    return f"{prefix}_{ULID()}"


def numbered(prefix: str, number: int) -> str:
    """The public id of a fact that has none of its own, such as `alloc_1203`: its row's number with a prefix."""
    return f"{prefix}_{number}"


def number_in(prefix: str, public_id: str) -> int | None:
    """The row's number in an id made by `numbered`; None for anything else."""
    before, _, number = public_id.partition("_")
    return int(number) if before == prefix and _NUMBERED.fullmatch(number) else None
