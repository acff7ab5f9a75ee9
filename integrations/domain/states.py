"""The states of a delivery."""

from enum import StrEnum


class State(StrEnum):
    """Pending until it was taken or given up."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
