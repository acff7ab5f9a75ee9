"""What the audit calls the records of this app and of the kernel."""

from django.utils.translation import gettext_lazy as _

from core.trail import Subject, subjects
from tenants.permissions import KEYS_VIEW, MEMBERS_VIEW, SETTINGS_VIEW

_SPAN = {"valid_from": _("From"), "valid_until": _("Until")}
subjects["tenants.Membership"] = Subject(
    _("Member"),
    "members",
    MEMBERS_VIEW,
    parts={"tenants.GroupMember": "member"},
    also={"tenants.User": "user_id"},
    fields={**_SPAN, "disabled_at": _("Shut out since"), "user_id": _("Person")},
)
subjects["tenants.Role"] = Subject(_("Role"), "role", MEMBERS_VIEW, fields={"permissions": _("Rights")})
subjects["tenants.Group"] = Subject(_("Group"), "group", MEMBERS_VIEW, parts={"tenants.GroupMember": "group"})
subjects["tenants.GroupMember"] = Subject(_("Member of a group"))
subjects["tenants.Invitation"] = Subject(_("Invitation"), "members", MEMBERS_VIEW, fields=_SPAN)
subjects["tenants.ApiKey"] = Subject(_("API key"), "keys", KEYS_VIEW, fields={"permissions": _("Rights")})
subjects["tenants.LegalEntity"] = Subject(
    _("Legal entity"),
    "settings",
    SETTINGS_VIEW,
    fields={
        "zone": _("Time zone"),
        "terms_days": _("Days to pay"),
        "tax_percent": _("Tax, percent"),
        "renewal_notice_days": _("Days before a renewal"),
        "renewal_notice_for": _("Told of plans renewed for"),
        "customers_end": _("Customers end subscriptions"),
    },
)
subjects["tenants.Entitlement"] = Subject(_("Plan of the organization"))
subjects["tenants.SavedView"] = Subject(_("Saved view"))
subjects["tenants.User"] = Subject(_("Person"), fields={"is_active": _("May sign in")})
subjects["core.Organization"] = Subject(_("Organization"), fields={"clock_offset": _("Clock moved by")})
subjects["core.FxRate"] = Subject(_("Exchange rate"))
subjects["core.Job"] = Subject(_("Background job"))
subjects["core.StoredFile"] = Subject(_("File"), fields={"sha256": _("Hash")})
