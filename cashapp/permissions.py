from django.utils.translation import gettext_lazy as _

from core.registry import permission

PAYMENTS_VIEW = permission("payments.view", _("See payments"))
PAYMENTS_RECORD = permission("payments.record", _("Record payments"))
PAYMENTS_APPLY = permission("payments.apply", _("Apply payments and take that back"))
PAYMENTS_REVERSE = permission("payments.reverse", _("Reverse payments"))
