"""Who writes a message: each kind has one composer, registered by the app that knows the truth about it.

A composer runs at send time, inside work(), and reads everything anew: what was true when the message was queued
is not what it says. It answers Ready, Skip (an invoice that was paid is not asked for again) or Wait (its PDF is
not made yet).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from messaging.domain.letters import Letter


@dataclass(frozen=True, slots=True)
class Ready:
    """Send this letter. `attachments` are public ids of stored files; `language` is the reader's."""

    letter: Letter
    attachments: tuple[str, ...] = ()
    reply_to: str = ""
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Skip:
    """Do not send; `reason` is a sentence for the timeline."""

    reason: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Not yet: ask again at `at` (wall time)."""

    at: datetime


Answer = Ready | Skip | Wait
Composer = Callable[[Any], Answer]

composers: dict[str, Composer] = {}
labels: dict[str, Any] = {}
private: set[str] = set()
"""Kinds of letters to a member that say what only their reader may see: nobody else reads them among the messages."""


def composer(kind: str, label: Any = "") -> Callable[[Composer], Composer]:
    """Register the composer of a kind of message; it gets the Message (read its `about`, `dedupe`, `facts`).

    `label` is what people call such a message.
    """

    def register(compose: Composer) -> Composer:
        composers[kind] = compose
        labels[kind] = label
        return compose

    return register


def kind_label(kind: str) -> str:
    """What people call messages of a kind."""
    return str(labels.get(kind, "")) or kind.replace("_", " ").replace(".", " ").capitalize()
