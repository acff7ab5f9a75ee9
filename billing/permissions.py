from django.utils.translation import gettext_lazy as _

from core.registry import permission

SUBSCRIPTIONS_VIEW = permission("subscriptions.view", _("See plans and subscriptions"))
SUBSCRIPTIONS_EDIT = permission("subscriptions.edit", _("Create and change plans and subscriptions"))
RUNS_VIEW = permission("runs.view", _("See billing runs"))
RUNS_START = permission("runs.start", _("Start billing runs and release what they held"))
