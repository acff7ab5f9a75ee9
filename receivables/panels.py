"""What this app gives to pages of lower ones."""

from django.utils.translation import gettext_lazy as _

from core.registry import panels
from customers import balances as port
from receivables import balances
from tenants import ports

port.use(balances)
ports.entity_in_use.append(balances.has_items)
panels.setdefault("customer.detail", []).insert(0, (_("How they pay"), "customer-habits"))  # type: ignore[arg-type]
