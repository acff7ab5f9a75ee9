"""Users, and what an organization is made of: legal entities, roles, memberships."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from core import clock
from core.base import PublicIdField, Record, TenantForeignKey
from core.constraints import Trigger


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, name: str, password: str | None = None) -> "User":
        """A user who can sign in; belongs to no organization yet."""
        user = self.model(email=email.strip(), name=name.strip())
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        # The index is on lower(email); `iexact` would ask for upper().
        return self.alias(lowered=Lower("email")).get(lowered=(username or "").lower())


class User(AbstractBaseUser):
    """A person who signs in. Global: one person may be a member of several organizations."""

    PREFIX = "usr"

    public_id = PublicIdField(unique=True)
    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=clock.wall, editable=False)

    objects: ClassVar[Any] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email"),
            Trigger(
                name="tenants_user_audit",
                when="AFTER UPDATE ON {table} FOR EACH ROW",
                function="audit_user()",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class LegalEntity(Record):
    """A company of the organization that issues documents, with the defaults its documents start from."""

    PREFIX = "ent"

    name = models.CharField(max_length=200)
    address = models.TextField(blank=True, default="")
    country = models.CharField(max_length=2)
    tax_number = models.CharField(max_length=40, blank=True, default="")
    zone = models.CharField(max_length=64, default="UTC")
    currency = models.CharField(max_length=3)
    code = models.CharField(max_length=20)
    terms_days = models.PositiveSmallIntegerField(default=30)
    tax_percent = models.DecimalField(max_digits=7, decimal_places=4, default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="entity_code")]


class Role(Record):
    """A named set of permission strings."""

    PREFIX = "role"

    name = models.CharField(max_length=60)
    permissions = models.JSONField(default=list)
    built_in = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="role_name")]


class Membership(Record):
    """A user in an organization, with one role, from and until when."""

    PREFIX = "mem"

    user = models.ForeignKey(User, models.PROTECT, related_name="memberships")
    role = TenantForeignKey(Role)
    valid_from = models.DateTimeField(null=True, blank=True)
    valid_until = models.DateTimeField(null=True, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "user"], name="membership_once")]


class SavedView(Record):
    """A list's filters under a name: for its member alone, or shared with the organization."""

    PREFIX = "view"

    member = TenantForeignKey(Membership)
    page = models.CharField(max_length=40)
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000, blank=True, default="")
    shared = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "page", "member", "name"], name="savedview_once")
        ]
