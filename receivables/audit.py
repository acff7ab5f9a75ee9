"""What the audit calls the records of this app."""

from django.utils.translation import gettext_lazy as _

from core.trail import Subject, subjects

subjects["receivables.OpenItem"] = Subject(
    _("Open item"), fields={"open_minor": _("Open"), "total_minor": _("Total")}
)
subjects["receivables.Allocation"] = Subject(_("Allocation"), fields={"minor": _("Amount")})
subjects["receivables.Reference"] = Subject(_("Reference of an open item"))
