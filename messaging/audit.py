"""What the audit calls the records of this app."""

from django.utils.translation import gettext_lazy as _

from core.trail import Subject, subjects

subjects["messaging.Message"] = Subject(_("Message"))
