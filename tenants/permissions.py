"""The permissions of this app, and the roles every organization starts with."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from core import registry
from core.privacy import BANK, PERSONAL
from core.registry import Action, conflict, module, permission

module("home", _("Dashboard"))
HOME_VIEW = permission("home.view", _("See the dashboard"))

module("views", _("Saved views"))
VIEWS_SHARE = permission("views.share", _("Share saved views with everybody"), Action.CREATE)

module("personal", _("Personal data"))
PERSONAL_VIEW = permission(PERSONAL, _("See and change e-mail and postal addresses"))
module("bank", _("Bank details"))
BANK_VIEW = permission(BANK, _("See account numbers of payers"))

module("settings", _("Settings"))
SETTINGS_VIEW = permission("settings.view", _("See settings"))
SETTINGS_EDIT = permission("settings.edit", _("Change settings"))

module("members", _("Members"))
MEMBERS_VIEW = permission("members.view", _("See members, roles and groups"))
MEMBERS_CREATE = permission("members.create", _("Invite people"))
MEMBERS_EDIT = permission("members.edit", _("Give members roles, groups and an end date"))
MEMBERS_DELETE = permission("members.delete", _("Shut members out and let them in again"))

module("roles", _("Roles and groups"))
ROLES_EDIT = permission("roles.edit", _("Make and change roles and groups"))

module("sandbox", _("Sandbox"))
SANDBOX_USE = permission("sandbox.use", _("Open the sandbox, with the rights held here"), Action.VIEW)
SANDBOX_MANAGE = permission(
    "sandbox.manage", _("Make the sandbox, move its clock and begin it anew"), Action.EDIT
)

module("keys", _("API keys"))
KEYS_VIEW = permission("keys.view", _("See API keys and their requests"))
KEYS_EDIT = permission("keys.edit", _("Make, roll and revoke API keys"))

module("events", _("Events"))
EVENTS_VIEW = permission("events.view", _("Read everything that happens, as programs do"))

module("plan", _("Plan"))
PLAN_EDIT = permission("plan.edit", _("Change the plan of the organization"))

module("system", _("Background work"))
SYSTEM_VIEW = permission("system.view", _("See work that keeps failing"))
SYSTEM_RETRY = permission("system.retry", _("Have work that keeps failing tried again"), Action.EDIT)

module("audit", _("Audit and access log"))
AUDIT_VIEW = permission("audit.view", _("See who changed what, and who signed in"))
AUDIT_EXPORT = permission("audit.export", _("Download the audit and the access log"))

OWNER, ADMINISTRATOR, FINANCE_MANAGER = "owner", "administrator", "finance_manager"
ACCOUNTS_MANAGER, VIEWER, AUDITOR = "accounts_manager", "viewer", "auditor"

_HOUSE = {"settings", "members", "roles", "sandbox", "keys", "events", "webhooks", "plan", "system"}
"""Modules that concern the house itself: those who work with money only see them."""
_SENIOR = {"invoices.write_off", AUDIT_VIEW, AUDIT_EXPORT}
"""What an Accounts Manager leaves to a Finance Manager."""
_NOT_FOR_EVERYBODY = {
    SYSTEM_VIEW, KEYS_VIEW, EVENTS_VIEW, AUDIT_VIEW, PERSONAL_VIEW, BANK_VIEW, "webhooks.view", "imports.view",
}  # fmt: skip
"""What a Viewer does not see."""


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A role every organization has: its name can be changed there, what it may do follows the product."""

    key: str
    name: Any
    rights: frozenset[str]


def built_in_roles() -> dict[str, BuiltIn]:
    """Each built-in role by key, from everything that is registered."""
    every = list(registry.permissions.values())
    seen = {each.name for each in every if each.action is Action.VIEW}
    money = {each.name for each in every if each.module not in _HOUSE}
    shown = seen - _NOT_FOR_EVERYBODY
    roles = (
        BuiltIn(OWNER, _("Owner"), frozenset(registry.permissions)),
        BuiltIn(ADMINISTRATOR, _("Administrator"), frozenset(registry.permissions) - {PLAN_EDIT}),
        BuiltIn(FINANCE_MANAGER, _("Finance Manager"), frozenset(money | seen)),
        BuiltIn(ACCOUNTS_MANAGER, _("Accounts Manager"), frozenset((money | seen) - _SENIOR)),
        BuiltIn(VIEWER, _("Viewer"), frozenset(shown)),
        BuiltIn(
            AUDITOR,
            _("Auditor"),
            frozenset(seen | {each.name for each in every if each.action is Action.EXPORT}),
        ),
    )
    return {role.key: role for role in roles}


conflict(
    MEMBERS_EDIT,
    "invoices.write_off",
    _("Whoever gives out rights could let themselves or a friend write money off unseen."),
)
