"""The rights that belong to no app below: bringing files in."""

from django.utils.translation import gettext_lazy as _

from core.registry import Action, module, permission

module("imports", _("Imports"))
IMPORTS_VIEW = permission("imports.view", _("See imports and all that was in their files"))
IMPORTS_RUN = permission("imports.run", _("Bring files in and undo it"), Action.CREATE)
