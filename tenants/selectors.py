"""Reads of users' memberships and an organization's own data."""

from dataclasses import dataclass
from dataclasses import replace as replaced

from django.db.models import Q

from core import clock, doors
from core.errors import NotFound
from core.models import Organization
from core.scope import Actor, Scope, current, enter, work
from tenants.models import LegalEntity, Membership, Role, SavedView, User
from tenants.permissions import built_in_roles


@dataclass(frozen=True, slots=True)
class Seat:
    """A user's place in one organization, as a request needs it."""

    scope: Scope
    organization: Organization
    role: Role


def seat_of(user: User, organization_id: int, *, origin: str, request_id: str) -> Seat | None:
    """The user's live membership with the scope it gives, or None; read anew for every request."""
    bare = Scope(organization_id, Actor("member", user.pk, user.name), origin=origin, request_id=request_id)
    with enter(bare), work():
        now = clock.wall()
        membership = (
            Membership.objects.select_related("role", "organization")
            .filter(Q(valid_from=None) | Q(valid_from__lte=now), user=user, disabled_at=None)
            .filter(Q(valid_until=None) | Q(valid_until__gt=now))
            .first()
        )
    if membership is None:
        return None
    organization = membership.organization
    scope = replaced(
        bare, permissions=permissions_of(membership.role), clock_offset=organization.clock_offset
    )
    return Seat(scope, organization, membership.role)


def member_scope(user_id: int | None, *, origin: str, request_id: str) -> Scope | None:
    """The scope that a member of the current organization has now, or None; for work they asked for. Outside work()."""
    with work():
        user = User.objects.filter(pk=user_id).first()
    seat = user and seat_of(user, current().organization_id, origin=origin, request_id=request_id)
    return seat.scope if seat else None


def permissions_of(role: Role) -> frozenset[str]:
    """What a role grants; a built-in one whatever the product now has, so that a new right needs no migration."""
    return frozenset(built_in_roles()[role.name] if role.built_in else role.permissions)


def organizations_of(user: User) -> list[Organization]:
    """Organizations the user may open, by name."""
    seats = (
        seat_of(user, organization_id, origin="page", request_id="")
        for organization_id in doors.orgs_of_user(user.pk)  # also those that ended or have not begun
    )
    return sorted((seat.organization for seat in seats if seat), key=lambda organization: organization.name)


def entity(code: str = "") -> LegalEntity:
    """The scope's legal entity with this code, or its first. Inside work()."""
    entities = LegalEntity.objects.order_by("id")
    return entities.get(code=code) if code else entities[0]


def entities() -> list[LegalEntity]:
    """The scope's legal entities, the first one first. Inside work()."""
    return list(LegalEntity.objects.order_by("id"))


def entity_choices() -> list[tuple[str, str]]:
    """(code, name) of the scope's legal entities, as files and forms name them. Inside work()."""
    return [(row.code, row.name) for row in entities()]


class Companies:
    """The scope's legal entities as a file names them: by code, or not at all where there is only one."""

    def __init__(self) -> None:
        """Read them, one query. Inside work()."""
        found = entities()
        self._by_code = {row.code: row for row in found}
        self._only = found[0] if len(found) == 1 else None
        self._first = found[0]

    def of(self, code: str | None) -> LegalEntity | None:
        """The entity of a code; the first one without a code; the only one for every code; else None."""
        if code is None:
            return self._first
        return self._by_code.get(code) or self._only


def base_currencies() -> dict[int, str]:
    """Base currency of each of the scope's legal entities, by id. Inside work()."""
    return dict(LegalEntity.objects.values_list("id", "currency"))


@dataclass(frozen=True, slots=True)
class EntityFacts:
    """What documents need of a legal entity; `snapshot` is the seller as a document keeps it."""

    entity_id: int
    code: str
    zone: str
    currency: str
    snapshot: dict[str, str]


def entity_facts() -> dict[int, EntityFacts]:
    """Facts of the scope's legal entities by id, one query. Inside work()."""
    return {
        row.pk: EntityFacts(
            row.pk,
            row.code,
            row.zone,
            row.currency,
            {
                "name": row.name,
                "address": row.address,
                "country": row.country,
                "tax_number": row.tax_number,
            },
        )
        for row in LegalEntity.objects.all()
    }


def saved_view(public_id: str) -> SavedView:
    """The view with this public id and whose it is; raises NotFound. Inside work()."""
    found: SavedView | None = SavedView.objects.select_related("member").filter(public_id=public_id).first()
    if found is None:
        raise NotFound("That view is not here.")
    return found


@dataclass(frozen=True, slots=True)
class Member:
    """A member as the list shows them; `waits` until they have set their first password."""

    public_id: str
    name: str
    email: str
    role: Role
    disabled: bool
    waits: bool
    is_me: bool


def members() -> list[Member]:
    """Everybody in the scope's organization, live ones first, by name; one query. Inside work()."""
    me = current().actor
    rows = Membership.objects.select_related("role", "user").order_by("user__name", "id")
    found = [
        Member(
            public_id=row.public_id,
            name=row.user.name,
            email=row.user.email,
            role=row.role,
            disabled=row.disabled_at is not None,
            waits=not row.user.has_usable_password(),
            is_me=me.kind == "member" and me.id == row.user_id,
        )
        for row in rows
    ]
    return sorted(found, key=lambda member: member.disabled)


def membership(public_id: str) -> Membership:
    """The membership with this public id; raises NotFound. Inside work()."""
    found = Membership.objects.select_related("role", "user").filter(public_id=public_id).first()
    if found is None:
        raise NotFound("That member is not here.")
    return found


def roles() -> list[Role]:
    """The scope's roles, those that may do most first; one query. Inside work()."""
    return sorted(Role.objects.all(), key=lambda role: (-len(role.permissions), role.name))


def member_count() -> int:
    """How many people may open the organization. Inside work()."""
    return Membership.objects.filter(disabled_at=None).count()
