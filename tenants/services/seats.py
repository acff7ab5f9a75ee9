"""Seats: how many people the plan lets in, and changing the plan."""

from dataclasses import dataclass

from core import clock
from core.errors import Conflict, Invalid
from core.locks import lock_one
from core.sandbox import require_own_people
from tenants.models import Entitlement, Invitation, Membership
from tenants.plans import FIRST, PLANS, SEATS, Plan


class NoSeat(Conflict):
    """The plan's seats are all taken; `extra` says how many it has."""

    code = "no_seat"


class TooManyMembers(Conflict):
    """The wished plan has fewer seats than are taken."""

    code = "too_many_members"


@dataclass(frozen=True, slots=True)
class Seats:
    """Taken seats of how many; `most` None is without limit."""

    plan: Plan
    taken: int
    most: int | None

    @property
    def full(self) -> bool:
        return self.most is not None and self.taken >= self.most


def start() -> None:
    """Give a new organization its first plan. Inside work()."""
    Entitlement.objects.create(key=SEATS, plan=FIRST, most=PLANS[FIRST].seats)


def seats() -> Seats:
    """How many seats are taken: members who are not shut out, and invitations still open. Inside work()."""
    return _seats(Entitlement.objects.get(key=SEATS))


def _seats(row: Entitlement) -> Seats:
    now = clock.wall()
    members = Membership.objects.filter(disabled_at=None).exclude(valid_until__lte=now).count()
    asked = Invitation.objects.filter(accepted_at=None, withdrawn_at=None, expires_at__gt=now).count()
    return Seats(PLANS[row.plan], members + asked, row.most)


def require_seat() -> None:
    """Make sure one more may come in; whoever asks at the same time waits. Raises NoSeat. Inside work()."""
    found = _seats(lock_one(Entitlement.objects.filter(key=SEATS)))
    if found.full:
        raise NoSeat(
            f"All {found.most} seats of the plan {found.plan.name} are taken. Shut somebody out, withdraw an"
            " invitation, or change the plan.",
            most=found.most,
        )


def change_plan(key: str) -> Seats:
    """Move the organization to another plan; its limits hold at once. The same plan again changes nothing.

    Raises Invalid for a plan that is none, TooManyMembers when more seats are taken than it has. Inside work().
    """
    require_own_people()
    if key not in PLANS:
        raise Invalid("That plan is not here.", fields={"plan": "Choose a plan."})
    row: Entitlement = lock_one(Entitlement.objects.filter(key=SEATS))
    plan = PLANS[key]
    found = _seats(row)
    if plan.seats is not None and found.taken > plan.seats:
        raise TooManyMembers(
            f"{found.taken} seats are taken and {plan.name} has {plan.seats}. Shut members out or withdraw"
            " invitations first."
        )
    if row.plan != key:
        row.plan, row.most = key, plan.seats
        row.save(update_fields=["plan", "most"])
    return Seats(plan, found.taken, plan.seats)
