"""The only ids that leave the product: a prefix that names the kind and a ULID that sorts by time."""

from ulid import ULID


def new(prefix: str) -> str:
    """A fresh public id such as `inv_01J9ZK…` (26 characters after the prefix)."""
    return f"{prefix}_{ULID()}"
