"""Reads of users' memberships and an organization's own data."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import replace as replaced
from datetime import datetime

from django.db.models import OuterRef, Q, QuerySet, Subquery

from core import clock, doors, registry
from core.errors import NotFound
from core.models import Organization
from core.paging import Order, Page, paged
from core.scope import Actor, Scope, current, enter, work
from core.search import starts
from tenants.models import (
    ApiKey,
    ApiKeyUse,
    ApiRequest,
    Group,
    GroupMember,
    Invitation,
    LegalEntity,
    Membership,
    Role,
    SavedView,
    User,
)
from tenants.permissions import SANDBOX_USE
from tenants.rights import conflicts_in, live, rights_of, rights_of_member, with_groups


@dataclass(frozen=True, slots=True)
class Seat:
    """A user's place in one organization, as a request needs it."""

    scope: Scope
    organization: Organization
    role: Role


def seat_of(user: User, organization_id: int, *, origin: str, request_id: str) -> Seat | None:
    """The user's live membership with the scope it gives, or None; read anew for every request.

    In a sandbox it is their membership of the live organization that counts.
    """
    bare = Scope(organization_id, Actor("member", user.pk, user.name), origin=origin, request_id=request_id)
    with enter(bare), work():
        membership = with_groups(live().select_related("organization")).filter(user=user).first()
    if membership is None or membership.organization.live_twin_id:
        return _seat_in_sandbox(user, bare)
    scope = replaced(bare, permissions=rights_of_member(membership), memo={"sandbox": False})
    return Seat(scope, membership.organization, membership.role)


def _seat_in_sandbox(user: User, bare: Scope) -> Seat | None:
    """The place in a sandbox of whoever has one in its live organization: the same rights, the sandbox's clock."""
    with enter(bare), work():
        house = Organization.objects.filter(
            pk=bare.organization_id, live_twin__isnull=False, archived_at=None
        ).first()
    if house is None or house.live_twin_id is None:
        return None
    live = seat_of(user, house.live_twin_id, origin=bare.origin, request_id=bare.request_id)
    if live is None or not live.scope.may(SANDBOX_USE):
        return None
    scope = replaced(
        bare,
        permissions=live.scope.permissions,
        clock_offset=house.clock_offset,
        memo={"sandbox": True},
    )
    return Seat(scope, house, live.role)


def member_scope(user_id: int | None, *, origin: str, request_id: str) -> Scope | None:
    """The scope that a member of the current organization has now, or None; for work they asked for. Outside work()."""
    with work():
        user = User.objects.filter(pk=user_id).first()
    seat = user and seat_of(user, current().organization_id, origin=origin, request_id=request_id)
    return seat.scope if seat else None


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


def entity_rows() -> "QuerySet[LegalEntity]":
    """The scope's legal entities, in no order. Inside work()."""
    found: QuerySet[LegalEntity] = LegalEntity.objects.all()
    return found


def entity_named(public_id: str) -> LegalEntity:
    """The legal entity with this public id; raises NotFound. Inside work()."""
    found = entity_rows().filter(public_id=public_id).first()
    if found is None:
        raise NotFound("That legal entity is not here.")
    return found


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
    """A member as the list shows them; `rights` with those of their groups."""

    public_id: str
    name: str
    email: str
    role: Role
    groups: tuple[str, ...]
    rights: frozenset[str]
    starts: datetime | None
    ends: datetime | None
    disabled: bool
    is_me: bool

    @property
    def over(self) -> bool:
        return self.ends is not None and self.ends <= clock.wall()

    @property
    def state(self) -> str:
        """shut_out, over, not_yet or active."""
        if self.disabled:
            return "shut_out"
        if self.over:
            return "over"
        return "not_yet" if self.starts is not None and self.starts > clock.wall() else "active"

    @property
    def conflicts(self) -> list[registry.Conflict]:
        """What nobody decided by giving a built-in role: conflicts of roles made here, and of several together."""
        known = conflicts_in(rights_of(self.role)) if self.role.key else []
        return [each for each in conflicts_in(self.rights) if each not in known]


def member_rows() -> "QuerySet[Membership]":
    """Everybody in the scope's organization, in no order; for `shown_members`. Inside work()."""
    return with_groups(Membership.objects.select_related("user"))


def members() -> list[Member]:
    """Everybody in the scope's organization, live ones first, by name; two queries. Inside work()."""
    found = shown_members(member_rows().order_by("user__name", "id"))
    return sorted(found, key=lambda member: member.disabled or member.over)


def shown_members(rows: Iterable[Membership]) -> list[Member]:
    """Members as lists show them, in the order of the rows, which are of `member_rows`; one query. Inside work()."""
    me = current().actor
    groups: dict[int, list[str]] = {}
    for member_id, name in GroupMember.objects.order_by("group__name").values_list(
        "member_id", "group__public_id"
    ):
        groups.setdefault(member_id, []).append(name)
    return [
        Member(
            public_id=row.public_id,
            name=row.user.name,
            email=row.user.email,
            role=row.role,
            groups=tuple(groups.get(row.pk, ())),
            rights=rights_of_member(row),
            starts=row.valid_from,
            ends=row.valid_until,
            disabled=row.disabled_at is not None,
            is_me=me.kind == "member" and me.id == row.user_id,
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group with the public ids and names of its members."""

    row: Group
    members: tuple[tuple[str, str], ...]


def groups() -> list[GroupView]:
    """The scope's groups by name, with their role and members; two queries. Inside work()."""
    return shown_groups(group_rows().order_by("name"))


def group_rows() -> "QuerySet[Group]":
    """The scope's groups, in no order. Inside work()."""
    found: QuerySet[Group] = Group.objects.select_related("role")
    return found


def shown_groups(rows: Iterable[Group]) -> list[GroupView]:
    """The groups with their members, one query. Inside work()."""
    inside: dict[int, list[tuple[str, str]]] = {}
    for group_id, public_id, name in GroupMember.objects.order_by("member__user__name", "id").values_list(
        "group_id", "member__public_id", "member__user__name"
    ):
        inside.setdefault(group_id, []).append((public_id, name))
    return [GroupView(row, tuple(inside.get(row.pk, ()))) for row in rows]


def group(public_id: str) -> GroupView:
    """The group with this public id; raises NotFound. Inside work()."""
    found = next((each for each in groups() if each.row.public_id == public_id), None)
    if found is None:
        raise NotFound("That group is not here.")
    return found


def open_invitations() -> "QuerySet[Invitation]":
    """Invitations neither accepted nor withdrawn, in no order; also those that are too old. Inside work()."""
    found: QuerySet[Invitation] = Invitation.objects.select_related("role")
    return found.filter(accepted_at=None, withdrawn_at=None)


def invitations() -> list[Invitation]:
    """Invitations neither accepted nor withdrawn, the newest first; also those that are too old. Inside work()."""
    return list(open_invitations().order_by("-id"))


def invitation(public_id: str) -> Invitation | None:
    """The open invitation with this public id, or None. Inside work()."""
    return open_invitations().filter(public_id=public_id).first()


def person(public_id: str) -> User | None:
    """The account with this public id, whatever its organizations, or None."""
    found: User | None = User.objects.filter(public_id=public_id).first()
    return found


def api_keys() -> list[ApiKey]:
    """The scope's API keys with `used_at` and `used_from`, the newest first; one query. Inside work()."""
    return list(api_key_rows().order_by("-id"))


def api_key_rows() -> "QuerySet[ApiKey]":
    """The same in no order. Inside work()."""
    use = ApiKeyUse.objects.filter(key=OuterRef("pk"))
    found: QuerySet[ApiKey] = ApiKey.objects.select_related("member__user", "rolled_from").annotate(
        used_at=Subquery(use.values("at")[:1]), used_from=Subquery(use.values("address")[:1])
    )
    return found


def api_requests(wanted: Mapping[str, str], cursor: str) -> Page[ApiRequest]:
    """A page of the log: by `key` and `request` (ids), `outcome` (done, refused), start of `path`. Inside work()."""
    found = ApiRequest.objects.select_related("key")
    if "key" in wanted:
        found = found.filter(key__public_id=wanted["key"])
    if "request" in wanted:
        found = found.filter(request_id=wanted["request"])
    if "path" in wanted:
        found = found.filter(starts("path", wanted["path"]))
    if "outcome" in wanted:
        done = Q(status__lt=400)
        found = found.filter(done if wanted["outcome"] == "done" else ~done)
    return paged(found, Order("pk", int, descending=True), cursor)


def organization() -> Organization:
    """The scope's organization. Inside work()."""
    return Organization.objects.get(pk=current().organization_id)


def membership(public_id: str) -> Membership:
    """The membership with this public id; raises NotFound. Inside work()."""
    found = Membership.objects.select_related("role", "user").filter(public_id=public_id).first()
    if found is None:
        raise NotFound("That member is not here.")
    return found


def role(public_id: str) -> Role:
    """The role with this public id; raises NotFound. Inside work()."""
    found: Role | None = Role.objects.filter(public_id=public_id).first()
    if found is None:
        raise NotFound("That role is not here.")
    return found


def holders() -> Counter[int]:
    """How many members and groups have each role, by its id; two queries. Inside work()."""
    return Counter(Membership.objects.values_list("role_id", flat=True)) + Counter(
        Group.objects.values_list("role_id", flat=True)
    )


def role_rows() -> "QuerySet[Role]":
    """The scope's roles, in no order. Inside work()."""
    found: QuerySet[Role] = Role.objects.all()
    return found


def roles() -> list[Role]:
    """The scope's roles, those that may do most first; one query. Inside work()."""
    return sorted(role_rows(), key=lambda role: (-len(rights_of(role)), role.name))


def member_count() -> int:
    """How many people may open the organization. Inside work()."""
    return Membership.objects.filter(disabled_at=None).count()


def api_key_owner(public_id: str) -> tuple[int, str] | None:
    """The user for whom a key acts, and the key's name; one query. Inside work()."""
    found = ApiKey.objects.filter(public_id=public_id).values_list("member__user_id", "name").first()
    return found and (found[0], found[1])
