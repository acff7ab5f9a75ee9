"""The permissions of this app, and the three roles every organization starts with."""

from django.utils.translation import gettext_lazy as _

from core import registry
from core.registry import permission

SETTINGS_VIEW = permission("settings.view", _("See settings"))
SETTINGS_EDIT = permission("settings.edit", _("Change settings"))
MEMBERS_VIEW = permission("members.view", _("See members"))
MEMBERS_EDIT = permission("members.edit", _("Invite and change members"))
HOME_VIEW = permission("home.view", _("See the dashboard"))
SYSTEM_VIEW = permission("system.view", _("See work that keeps failing"))
SYSTEM_RETRY = permission("system.retry", _("Have work that keeps failing tried again"))
VIEWS_SHARE = permission("views.share", _("Share saved views with everybody"))

OWNER, ACCOUNTS_MANAGER, VIEWER = "Owner", "Accounts Manager", "Viewer"
_HOUSE = {"settings", "members", "system"}
"""What concerns the house itself: an Accounts Manager only sees it."""


def built_in_roles() -> dict[str, list[str]]:
    """Name and permissions of each built-in role, from everything that is registered."""
    everything = sorted(registry.permissions)
    return {
        OWNER: everything,
        ACCOUNTS_MANAGER: [
            name for name in everything if name.split(".")[0] not in _HOUSE or name.endswith(".view")
        ],
        VIEWER: [name for name in everything if name.endswith(".view") and name != SYSTEM_VIEW],
    }
