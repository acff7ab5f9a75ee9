"""What this app gives to pages of lower ones."""

from customers import balances as port
from receivables import balances
from tenants import ports

port.use(balances)
ports.entity_in_use.append(balances.has_items)
