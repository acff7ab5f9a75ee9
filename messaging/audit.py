"""What the audit calls the records of this app."""

from django.utils.translation import gettext_lazy as _

from core.trail import Subject, subjects
from tenants.permissions import HOME_VIEW

subjects["messaging.Message"] = Subject(_("Message"))
subjects["messaging.NoticeChoice"] = Subject(
    _("How a member is told"),
    "notification-choices",
    HOME_VIEW,
    fields={"kind": _("Of what"), "way": _("How")},
)
