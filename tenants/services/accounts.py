"""People who sign in: making an account, with an organization or by invitation, and setting its password."""

import re
import unicodedata
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from core import doors
from core.errors import Conflict, Invalid, NotFound
from core.events import emit
from core.scope import Actor, Scope, enter, work
from tenants.events import PasswordAsked
from tenants.models import User
from tenants.services.organizations import create_organization

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
SLUG_LENGTH = 40
_TRIES = 50


@dataclass(frozen=True, slots=True)
class NewOrganization:
    """What a person says of the organization they start; an empty `slug` is made from the name."""

    name: str
    country: str
    currency: str
    zone: str
    slug: str = ""


def find_user(email: str) -> User | None:
    """The account with this address, whatever its case."""
    try:
        found: User = User.objects.get_by_natural_key(email.strip())
    except User.DoesNotExist:
        return None
    return found


def sign_up(*, email: str, name: str, password: str, organization: NewOrganization) -> User:
    """A new account with its organization, both or none; runs its own transaction.

    Natural keys: the e-mail address, whatever its case, and the organization's address. Raises Invalid with the
    field of the one that is taken.
    """
    taken = "This address has an account already. Sign in instead."
    if find_user(email):
        raise Invalid(taken, fields={"email": taken})
    with transaction.atomic():
        try:
            with transaction.atomic():
                user: User = User.objects.create_user(email, name, password)
        except IntegrityError as error:
            raise Invalid(taken, fields={"email": taken}) from error
        found_organization(owner=user, organization=organization)
    return user


def account_for(email: str, *, name: str, password: str) -> User | None:
    """A new account for an address that a link proved; None when there is one already. Runs its own transaction."""
    try:
        with transaction.atomic():
            made: User = User.objects.create_user(email, name, password)
    except IntegrityError:
        return None
    return made


def found_organization(*, owner: User, organization: NewOrganization) -> str:
    """An organization of an existing account; returns its address. Runs its own transaction.

    Raises Invalid when the address is taken, and says one that is free.
    """
    wished = organization.slug
    slug = wished or free_slug(organization.name)
    try:
        create_organization(
            owner=owner,
            name=organization.name,
            slug=slug,
            country=organization.country,
            currency=organization.currency,
            zone=organization.zone,
        )
    except Conflict as error:
        message = f"This address is taken. “{free_slug(slug)}” is free."
        raise Invalid(message, fields={"slug": message}) from error
    return slug


def free_slug(name: str) -> str:
    """An address made from a name that nobody has: `acorn`, `acorn-2`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = "-".join(re.findall(r"[a-z0-9]+", plain))[: SLUG_LENGTH - 4].strip("-") or "organization"
    for n in range(1, _TRIES):
        slug = base if n == 1 else f"{base}-{n}"
        if doors.org_of_slug(slug) is None:
            return slug
    raise Conflict("Choose an address.")


def ask_for_password(email: str) -> None:
    """Have a link to set a new password mailed to the account of this address; nothing for one that is none.

    The mail leaves by one of the person's organizations. Runs its own transaction; emits PasswordAsked.
    """
    user = find_user(email)
    houses = doors.orgs_of_user(user.pk) if user and user.is_active else []
    if user is None or not houses:
        return
    with enter(Scope(houses[0], Actor("member", user.pk, user.name), origin="page")), work():
        emit(PasswordAsked(user.public_id, 1, user.email))


def password_url(user: User) -> str:
    """The address in the mail: it sets a new password once, within PASSWORD_RESET_TIMEOUT."""
    parts = [urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)]
    return settings.BASE_URL + reverse("set-password-link", args=parts)


def user_of_link(uid: str, token: str) -> User:
    """The person whose link this is; NotFound when it is used, too old or made up."""
    try:
        user = User.objects.filter(pk=int(urlsafe_base64_decode(uid).decode()), is_active=True).first()
    except (ValueError, OverflowError):
        user = None
    if user is None or not default_token_generator.check_token(user, token):
        raise NotFound("This link was used already, or it is too old. Ask for a new one.")
    return user


def set_password(user: User, password: str) -> None:
    """Set the password; every link and session of before ends with it."""
    user.set_password(password)
    user.save(update_fields=["password"])


def saw_news(user_id: int, version: str) -> None:
    """Remember that a person opened the news of a version. Again it changes nothing."""
    User.objects.filter(pk=user_id).exclude(news_seen=version).update(news_seen=version)
