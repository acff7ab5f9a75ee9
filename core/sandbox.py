"""Whether the code at hand runs in a sandbox. What must never leave one asks here, not a setting."""

from core.errors import Conflict
from core.models import Organization
from core.scope import current, work


class NotASandbox(Conflict):
    """Asked of a live organization, where it would be real."""

    code = "not_a_sandbox"


class OnlyLive(Conflict):
    """Asked of a sandbox, where it is decided by the live organization."""

    code = "only_live"


def is_sandbox() -> bool:
    """Whether the scope's organization is a sandbox; asked once a scope."""
    memo = current().memo
    if "sandbox" not in memo:
        with work():
            own = Organization.objects.filter(pk=current().organization_id, live_twin__isnull=False)
            memo["sandbox"] = own.exists()
    return bool(memo["sandbox"])


def require_sandbox() -> None:
    """Raise NotASandbox in a live organization."""
    if not is_sandbox():
        raise NotASandbox("This is a live organization; only a sandbox can do that.")


def require_own_people() -> None:
    """Raise OnlyLive in a sandbox, whose members, roles and plan are those of its live organization."""
    if is_sandbox():
        raise OnlyLive("Members, roles and the plan are those of the live organization. Change them there.")
