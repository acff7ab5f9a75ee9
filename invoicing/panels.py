"""What this app gives to pages of lower ones."""

from django.utils.translation import gettext_lazy as _

from core.registry import panels
from customers import ports
from invoicing.prepaid import still_left

panels.setdefault("customer.detail", []).insert(0, (_("Prepaid balance"), "customer-prepaid"))  # type: ignore[arg-type]
ports.still_needed.append(still_left)
