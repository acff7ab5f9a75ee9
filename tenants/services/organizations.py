"""Making an organization, and its members."""

import re
from zoneinfo import available_timezones

from django.db import IntegrityError, transaction

from core import doors, money
from core.errors import Conflict, Invalid
from core.scope import Actor, Scope, enter, work
from tenants.models import LegalEntity, Membership, Role, User
from tenants.permissions import OWNER, built_in_roles
from tenants.services import seats

NAME_LENGTH = 200
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")


def create_organization(
    *, owner: User, name: str, slug: str, country: str, currency: str, zone: str, tax_percent: str = "0"
) -> int:
    """Make an organization with its legal entity, built-in roles and owner; returns its id.

    Raises Invalid on an unknown currency or zone and on a name or address that cannot be one, Conflict when the
    address `slug` is taken. Natural key: the slug. Runs its own transaction.
    """
    if problems := _problems(name=name, slug=slug, currency=currency, zone=zone):
        raise Invalid(" ".join(problems.values()), fields=problems)
    with transaction.atomic():
        try:
            with transaction.atomic():
                organization_id = doors.create_org(slug=slug, name=name)
        except IntegrityError as error:
            raise Conflict("That address is taken.", code="slug_taken") from error
        actor = Actor("member", owner.pk, owner.name)
        with enter(Scope(organization_id, actor, origin="page")), work():
            roles = sync_built_in_roles()
            seats.start()
            LegalEntity.objects.create(
                name=name, code="1", country=country, currency=currency, zone=zone, tax_percent=tax_percent
            )
            Membership.objects.create(user=owner, role=roles[OWNER])
    return organization_id


def _problems(*, name: str, slug: str, currency: str, zone: str) -> dict[str, str]:
    problems = {}
    if not name.strip() or len(name) > NAME_LENGTH or "\0" in name:
        problems["name"] = f"A name has 1 to {NAME_LENGTH} characters."
    if not _SLUG.fullmatch(slug):
        problems["slug"] = "An address has 1 to 40 small letters, digits and hyphens."
    if zone not in available_timezones():
        problems["zone"] = "Choose a time zone from the list."
    try:
        money.exponent(currency)
    except money.MoneyError as error:
        problems["currency"] = str(error)
    return problems


def sync_built_in_roles() -> dict[str, Role]:
    """Make the built-in roles that the scope's organization has not yet; returns all by key. Inside work()."""
    return {
        key: Role.objects.get_or_create(key=key, defaults={"name": str(built_in.name)})[0]
        for key, built_in in built_in_roles().items()
    }


def add_member(*, user: User, role: str) -> Membership:
    """Make `user` a member with the built-in role of that key; Conflict when already one. Inside work()."""
    if Membership.objects.filter(user=user).exists():
        raise Conflict("This person is a member already.")
    return Membership.objects.create(user=user, role=Role.objects.get(key=role))
