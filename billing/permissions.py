from django.utils.translation import gettext_lazy as _

from core.registry import Action, module, permission

module("subscriptions", _("Plans and subscriptions"))
SUBSCRIPTIONS_VIEW = permission("subscriptions.view", _("See plans and subscriptions"))
SUBSCRIPTIONS_CREATE = permission("subscriptions.create", _("Create plans and subscriptions"))
SUBSCRIPTIONS_EDIT = permission("subscriptions.edit", _("Change plans and subscriptions"))

module("usage", _("Usage"))
USAGE_VIEW = permission("usage.view", _("See meters and usage"))
USAGE_CREATE = permission("usage.create", _("Send events of usage"))
USAGE_EDIT = permission("usage.edit", _("Make and archive meters and void events"))

module("runs", _("Billing runs"))
RUNS_VIEW = permission("runs.view", _("See billing runs"))
RUNS_START = permission("runs.start", _("Start billing runs and release what they held"), Action.APPROVE)

module("mrr", _("Recurring revenue"))
MRR_VIEW = permission("mrr.view", _("See recurring revenue and what moves it"))
MRR_EXPORT = permission("mrr.export", _("Download recurring revenue"))
