"""The news of each version, newest first: one file a version, in the words of the product."""

from typing import Any

from arapp.releases.base import Release
from arapp.releases.v0_1_0 import RELEASE as V0_1_0

RELEASES: tuple[Release, ...] = (V0_1_0,)
NEWEST = RELEASES[0]


def is_new_to(user: Any) -> bool:
    """Whether there is news that a person has not opened; what was there before they came is no news to them."""
    return user.news_seen != NEWEST.version and user.created_at.date() <= NEWEST.day
