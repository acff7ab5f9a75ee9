"""What this app shows of what lower ones know, as panels of its own pages."""

from django.utils.translation import gettext_lazy as _

from core.registry import panels

panels.setdefault("customer.detail", []).append((_("Messages"), "customer-messages"))  # type: ignore[arg-type]
