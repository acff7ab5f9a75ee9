"""What members are told of the kernel, of people, and of messages."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core import registry
from core.limits import network_of
from core.models import OutboxEvent
from core.parked import WorkParked, without_secrets
from core.templatetags.fmt import longdate
from messaging.composers import kind_label
from messaging.domain.ways import Way
from messaging.events import MessageFailed
from messaging.notices import NEEDED, PEOPLE, PRODUCT, Kind, Occasion, Said, Told, declare
from messaging.permissions import MESSAGES_SEND, MESSAGES_VIEW
from tenants.access import came_from
from tenants.events import (
    AccessEnding,
    ApiKeyChanged,
    ApiKeyEnding,
    MemberChanged,
    MemberJoined,
    SignedInElsewhere,
)
from tenants.permissions import KEYS_EDIT, KEYS_VIEW, MEMBERS_EDIT, MEMBERS_VIEW, SYSTEM_RETRY, SYSTEM_VIEW
from tenants.selectors import api_key_owner, membership

NEWS = "news"


# ------------------------------------------------------------------------------------------------ waits for a person


def _parked(row: OutboxEvent) -> Occasion:
    return Occasion(row.object_public_id, row.payload, gather="parked")


def _say_parked(told: Told) -> Said:
    title = ngettext(
        "Work keeps failing and is parked", "%(n)s pieces of work keep failing and are parked", told.times
    ) % {"n": told.times}
    label = str(registry.effect_labels.get(told.facts.get("kind", ""), "")) or str(told.facts.get("kind", ""))
    return Said(title, _("Last: %(what)s") % {"what": label} if told.times > 1 else label, ("parked",))


declare(
    Kind(
        name="work.parked",
        label=gettext_lazy("Background work keeps failing and is parked"),
        group=NEEDED,
        permission=SYSTEM_VIEW,
        act=SYSTEM_RETRY,
        say=_say_parked,
        pick=_parked,
        icon="parking",
        tone="bad",
        way=Way.MAIL,
    ),
    WorkParked,
)


def _failed(row: OutboxEvent) -> Occasion | None:
    if not row.payload.get("customer"):
        return None
    reason = without_secrets(str(row.payload.get("reason", "")))  # mail servers name the address in it
    return Occasion(row.object_public_id, {**row.payload, "reason": reason}, gather="failed")


def _say_failed(told: Told) -> Said:
    if told.times > 1:
        title = ngettext(
            "%(n)s message to customers was not delivered",
            "%(n)s messages to customers were not delivered",
            told.times,
        ) % {"n": told.times}
        return Said(title, str(told.facts.get("reason", "")), ("messages",), "state=failed")
    who = told.name(told.facts.get("customer", "")) or _("a customer")
    kind = kind_label(told.facts.get("kind", ""))
    title = _("%(kind)s to %(who)s was not delivered") % {"kind": kind, "who": who}
    return Said(title, str(told.facts.get("reason", "")), ("message", told.about))


declare(
    Kind(
        name="message.failed",
        label=gettext_lazy("A mail to a customer was refused or given up"),
        group=NEEDED,
        permission=MESSAGES_VIEW,
        act=MESSAGES_SEND,
        say=_say_failed,
        pick=_failed,
        icon="mail-x",
        tone="bad",
        way=Way.DIGEST,
    ),
    MessageFailed,
)

# ------------------------------------------------------------------------------------------------ people and security


def _day(facts: Any) -> str:
    try:
        return longdate(datetime.fromisoformat(str(facts.get("until", ""))).date())
    except ValueError:
        return ""


def _own_ending(row: OutboxEvent) -> Occasion:
    return Occasion(
        row.object_public_id, row.payload, users=frozenset({membership(row.object_public_id).user_id})
    )


declare(
    Kind(
        name="access.ending",
        label=gettext_lazy("Your access ends soon"),
        group=PEOPLE,
        permission="",
        say=lambda told: Said(_("Your access ends on %(day)s") % {"day": _day(told.facts)}),
        pick=_own_ending,
        icon="clock",
        tone="warn",
        way=Way.MAIL,
        fixed=True,
        letter=True,
    ),
    AccessEnding,
)


def _with_name(row: OutboxEvent) -> Occasion:
    name = membership(row.payload.get("member") or row.object_public_id).user.name
    return Occasion(row.object_public_id, {**row.payload, "name": name})


declare(
    Kind(
        name="member.ending",
        label=gettext_lazy("Somebody's temporary access ends soon"),
        group=PEOPLE,
        permission=MEMBERS_EDIT,
        say=lambda told: Said(
            _("The access of %(name)s ends on %(day)s")
            % {"name": told.facts.get("name", ""), "day": _day(told.facts)},
            page=("members",),
        ),
        pick=_with_name,
        icon="clock",
        way=Way.MAIL,
        fixed=True,
        letter=True,
    ),
    AccessEnding,
)

_CHANGES = {
    "role": gettext_lazy("Your role was changed"),
    "groups": gettext_lazy("Your groups were changed"),
    "time": gettext_lazy("The time of your access was changed"),
    "let_in": gettext_lazy("You were let in again"),
}


def _of_you(row: OutboxEvent) -> Occasion | None:
    if row.payload.get("change") not in _CHANGES:
        return None
    return _own_ending(row)


declare(
    Kind(
        name="member.changed",
        label=gettext_lazy("Your role, groups or time here change"),
        group=PEOPLE,
        permission="",
        say=lambda told: Said(str(_CHANGES[told.facts["change"]]), _("It counts from your next page on.")),
        pick=_of_you,
        icon="shield-lock",
        way=Way.MAIL,
        fixed=True,
    ),
    MemberChanged,
)


def _your_place(row: OutboxEvent) -> Occasion | None:
    """Once for a place, however many sign-ins there were at once."""
    user = membership(row.object_public_id).user_id
    found = came_from(str(row.payload.get("request", "")), user)
    if found is None:
        return None
    address, agent = found
    facts = {"address": address, "agent": agent}
    key = f"{row.object_public_id}:{network_of(address)}"
    return Occasion(row.object_public_id, facts, key, users=frozenset({user}))


def _say_place(told: Told) -> Said:
    where = ", ".join(filter(None, (told.facts.get("address"), told.facts.get("agent"))))
    return Said(
        _("You signed in from a new place"),
        _("%(where)s. If that was not you, set a new password now.") % {"where": where},
    )


declare(
    Kind(
        name="member.new_place",
        label=gettext_lazy("You sign in from a place where you never were before"),
        group=PEOPLE,
        permission="",
        say=_say_place,
        pick=_your_place,
        icon="shield-lock",
        tone="warn",
        way=Way.MAIL,
        fixed=True,
    ),
    SignedInElsewhere,
)

declare(
    Kind(
        name="member.joined",
        label=gettext_lazy("Somebody accepts an invitation"),
        group=PEOPLE,
        permission=MEMBERS_VIEW,
        say=lambda told: Said(
            _("%(name)s is a member now") % {"name": told.facts.get("name", "")}, page=("members",)
        ),
        pick=_with_name,
        icon="users",
        way=Way.NONE,
    ),
    MemberJoined,
)

_KEYS = {
    "made": gettext_lazy("An API key of yours was made: %(name)s"),
    "rolled": gettext_lazy("An API key of yours was rolled: %(name)s"),
    "revoked": gettext_lazy("An API key of yours was revoked: %(name)s"),
}


def _of_your_key(row: OutboxEvent) -> Occasion | None:
    owner = api_key_owner(row.object_public_id)
    if owner is None or row.payload.get("change") not in _KEYS:
        return None
    user, name = owner
    return Occasion(row.object_public_id, {**row.payload, "name": name}, users=frozenset({user}))


declare(
    Kind(
        name="api_key.changed",
        label=gettext_lazy("An API key of yours is made, rolled or revoked"),
        group=PEOPLE,
        permission="",
        say=lambda told: Said(
            str(_KEYS[told.facts["change"]]) % {"name": told.facts.get("name", "")},
            _("If that was not you, revoke the key and change your password."),
            ("keys",),
        ),
        pick=_of_your_key,
        icon="key",
        way=Way.MAIL,
        fixed=True,
    ),
    ApiKeyChanged,
)


def _key_named(row: OutboxEvent) -> Occasion | None:
    owner = api_key_owner(row.object_public_id)
    return owner and Occasion(row.object_public_id, {**row.payload, "name": owner[1]})


declare(
    Kind(
        name="api_key.ending",
        label=gettext_lazy("An API key ends in a week, and in a day"),
        group=PEOPLE,
        permission=KEYS_VIEW,
        act=KEYS_EDIT,
        say=lambda told: Said(
            _("The API key “%(name)s” ends on %(day)s")
            % {"name": told.facts.get("name", ""), "day": _day(told.facts)},
            _("Roll it in time, or programs that use it are refused."),
            ("keys",),
        ),
        pick=_key_named,
        icon="key",
        tone="warn",
        way=Way.DIGEST,
    ),
    ApiKeyEnding,
)

declare(
    Kind(
        name=NEWS,
        label=gettext_lazy("A new version of the product"),
        group=PRODUCT,
        permission="",
        say=lambda told: Said(""),
        way=Way.BELL,
        ways=(Way.MAIL, Way.BELL),
        letter=True,
    ),
    None,
)
