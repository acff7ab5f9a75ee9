"""What the audit calls the records whose pages are here."""

from django.utils.translation import gettext_lazy as _

from arapp.permissions import IMPORTS_VIEW
from core.trail import Subject, subjects

subjects["core.Import"] = Subject(_("Import"), "import", IMPORTS_VIEW)
