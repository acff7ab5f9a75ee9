"""Nobody gives, or takes from, anybody more than they may do themselves."""

from collections.abc import Iterable

from core.errors import Forbidden
from core.scope import current
from tenants.models import Role
from tenants.rights import rights_of


class BeyondOwnRights(Forbidden):
    """Nobody gives, or takes from, a role that may do more than they may themselves."""

    code = "beyond_own_rights"


def within_own(rights: Iterable[str]) -> bool:
    """Whether the actor may do all of this themselves."""
    scope = current()
    return all(scope.may(right) for right in rights)


def require_within_own(rights: Iterable[str], *, what: str) -> None:
    """Raise BeyondOwnRights, naming `what`, unless the actor may do all of this themselves."""
    if not within_own(rights):
        raise BeyondOwnRights(f"{what} may do more than you may, so this is not yours to change.")


def require_givable(*roles: Role) -> None:
    """Raise BeyondOwnRights unless the actor may do everything these roles grant."""
    for role in roles:
        if not within_own(rights_of(role)):
            raise BeyondOwnRights(
                f"{role.name} may do more than you may, so you cannot give or take this role."
            )
