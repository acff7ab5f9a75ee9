"""What billing shows on pages of lower apps."""

from django.utils.translation import gettext_lazy as _

from core.registry import panels

panels.setdefault("customer.detail", []).append((_("Entitled to"), "customer-entitled"))  # type: ignore[arg-type]
