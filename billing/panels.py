"""What billing shows on pages of lower apps."""

from django.utils.translation import gettext_lazy as _

from billing.documents import bills, of_line
from core.registry import panels
from invoicing.ports import subscriptions

panels.setdefault("customer.detail", []).insert(0, (_("Subscriptions"), "customer-subscriptions"))  # type: ignore[arg-type]
panels["customer.detail"].append((_("Entitled to"), "customer-entitled"))  # type: ignore[arg-type]
subscriptions.of_line = of_line
subscriptions.bills = bills
