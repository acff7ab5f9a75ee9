"""What other apps may know about people and what they may do. Times are ISO, in UTC."""

from dataclasses import dataclass
from typing import ClassVar

from core.events import Event


@dataclass(frozen=True, slots=True)
class MemberInvited(Event):
    """Somebody was asked to become a member; a mail with the link is to be sent to `email`."""

    name: ClassVar[str] = "member.invited"

    email: str
    role: str


@dataclass(frozen=True, slots=True)
class MemberJoined(Event):
    """An invitation was accepted; `member` is the membership it made."""

    name: ClassVar[str] = "member.joined"

    member: str
    role: str


@dataclass(frozen=True, slots=True)
class MemberChanged(Event):
    """A member's role, groups, time or access changed. `change` is role, groups, time, shut_out, let_in or over."""

    name: ClassVar[str] = "member.changed"

    change: str


@dataclass(frozen=True, slots=True)
class AccessEnding(Event):
    """A member's temporary access ends at `until`, in so many `days`."""

    name: ClassVar[str] = "member.access_ending"

    until: str
    days: int


@dataclass(frozen=True, slots=True)
class SignedInElsewhere(Event):
    """A member signed in from a place they never came from before; where, the access log says under this `request`."""

    name: ClassVar[str] = "member.new_place"

    request: str


@dataclass(frozen=True, slots=True)
class PlanChanged(Event):
    """The organization moved to another plan."""

    name: ClassVar[str] = "plan.changed"

    plan: str
    seats: int | None


@dataclass(frozen=True, slots=True)
class LegalEntityChanged(Event):
    """What a legal entity's documents say, or what new ones start with, changed."""

    name: ClassVar[str] = "legal_entity.changed"


@dataclass(frozen=True, slots=True)
class PasswordAsked(Event):
    """Somebody asked for a new password for a member's account; a mail with a link goes to its address."""

    name: ClassVar[str] = "password.asked"

    email: str


@dataclass(frozen=True, slots=True)
class ApiKeyEnding(Event):
    """An API key ends at `until`, in so many `days`."""

    name: ClassVar[str] = "api_key.ending"

    until: str
    days: int


@dataclass(frozen=True, slots=True)
class ApiKeyChanged(Event):
    """An API key was made, rolled or revoked, which `change` says."""

    name: ClassVar[str] = "api_key.changed"

    change: str


@dataclass(frozen=True, slots=True)
class SandboxMade(Event):
    """The organization got a sandbox, its first or another in place of one that was put away."""

    name: ClassVar[str] = "sandbox.made"
