"""How much of an invoice with a plan is due on the day it is issued."""

from billing.events import PlanDepositChanged
from billing.models import Plan
from core.errors import Invalid
from core.events import emit
from core.locks import lock_one
from invoicing.domain.terms import ALL


def set_plan_deposit(public_id: str, percent: int) -> Plan:
    """Have a part of each new invoice with a plan (public id) paid at once, in percent. Inside work().

    A customer's own deposit goes before it. The same wish again changes nothing. Raises Invalid beyond 0 to 100; emits
    plan.deposit_changed.
    """
    plan: Plan = lock_one(Plan.objects.filter(public_id=public_id))
    if not 0 <= percent <= ALL:
        raise Invalid("The deposit cannot be saved.", fields={"deposit_percent": "From 0 to 100."})
    if plan.deposit_percent == percent:
        return plan
    plan.deposit_percent = percent
    plan.touch("deposit_percent")
    emit(PlanDepositChanged(plan.public_id, plan.version, plan=plan.code, deposit_percent=percent))
    return plan
