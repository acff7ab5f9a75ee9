"""Users, and what an organization is made of: legal entities, roles, memberships."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from core import clock
from core.base import PublicIdField, Record, TenantForeignKey, TenantRow
from core.constraints import Trigger, append_only


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
    """A person who signs in. Global: one person may be a member of several organizations.

    `news_seen` is the newest version whose news they opened.
    """

    PREFIX = "usr"

    public_id = PublicIdField(unique=True)
    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=clock.wall, editable=False)
    news_seen = models.CharField(max_length=20, blank=True, default="")

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


RENEWED_FOR = ("month", "year")
"""For how long a plan is renewed at least, so that its customers are told before."""
MOST_NOTICE_DAYS = 90
CUSTOMERS_END = ("no", "period_end", "now")
"""When customers may end a subscription by themselves: never, at the end of a period, or also at once."""


class LegalEntity(Record):
    """A company of the organization that issues documents, with the defaults its documents start from.

    Its customers are told `renewal_notice_days` before a subscription is renewed for `renewal_notice_for`, a month or a
    year, or longer; with 0 they are not.
    """

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
    renewal_notice_days = models.PositiveSmallIntegerField(default=0, db_default=0)
    renewal_notice_for = models.CharField(max_length=5, default="year", db_default="year")
    customers_end = models.CharField(max_length=10, default="no", db_default="no")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "code"], name="entity_code"),
            models.CheckConstraint(
                condition=models.Q(
                    renewal_notice_days__lte=MOST_NOTICE_DAYS, renewal_notice_for__in=RENEWED_FOR
                ),
                name="entity_renewal_notice",
            ),
            models.CheckConstraint(
                condition=models.Q(customers_end__in=CUSTOMERS_END), name="entity_customers_end"
            ),
        ]


class Role(Record):
    """A named set of permission strings. One with a `key` is built in: what it grants follows the product."""

    PREFIX = "role"

    name = models.CharField(max_length=60)
    key = models.CharField(max_length=20, blank=True, default="")
    permissions = models.JSONField(default=list, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="role_name"),
            models.UniqueConstraint(
                fields=["organization", "key"], name="role_key", condition=~models.Q(key="")
            ),
            models.CheckConstraint(
                condition=models.Q(key="") | models.Q(permissions=[]), name="role_built_in_stores_nothing"
            ),
        ]


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


class Group(Record):
    """Members who share a role beside their own: a team, a department, everybody on a project."""

    PREFIX = "grp"

    name = models.CharField(max_length=60)
    role = TenantForeignKey(Role)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="group_name")]


class GroupMember(TenantRow):
    """A member is in a group."""

    group = TenantForeignKey(Group)
    member = TenantForeignKey(Membership)
    since = models.DateTimeField(default=clock.wall)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "group", "member"], name="groupmember_once")
        ]
        indexes = [models.Index(fields=["organization", "member", "group"], name="groupmember_member")]


class Invitation(Record):
    """A person asked to become a member. It takes a seat until it is accepted, withdrawn or too old.

    `email` is kept in small letters. `valid_from` and `valid_until` bound the membership, not the invitation.
    """

    PREFIX = "ask"

    email = models.CharField(max_length=254)
    name = models.CharField(max_length=200, blank=True, default="")
    role = TenantForeignKey(Role)
    valid_from = models.DateTimeField(null=True, blank=True)
    valid_until = models.DateTimeField(null=True, blank=True)
    invited_by = models.CharField(max_length=200, blank=True, default="")
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "email"],
                name="invitation_open_once",
                condition=models.Q(accepted_at=None, withdrawn_at=None),
            )
        ]


class Entitlement(TenantRow):
    """What the organization's plan lets it have of something; no `most` is without limit."""

    key = models.CharField(max_length=40)
    plan = models.CharField(max_length=40)
    most = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "key"], name="entitlement_once")]


class ApiKey(Record):
    """A program's way in: acts for the member who made it, with all their rights or those chosen; kept as a hash.

    `start` and `last4` name it to people; `api_version` is the form of answers it was made for.
    """

    PREFIX = "key"

    name = models.CharField(max_length=80)
    member = TenantForeignKey(Membership)
    digest = models.CharField(max_length=64, unique=True)
    start = models.CharField(max_length=16)
    last4 = models.CharField(max_length=4)
    permissions = models.JSONField(null=True, blank=True)
    addresses = models.JSONField(default=list, blank=True)
    api_version = models.CharField(max_length=10)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    rolled_from = TenantForeignKey("self", null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["organization", "member", "id"], name="apikey_member")]


class ApiKeyUse(TenantRow):
    """When and from where a key was last used, to the minute."""

    AUDITED = False  # changes with every use; the requests themselves are logged

    key = TenantForeignKey(ApiKey)
    at = models.DateTimeField()
    address = models.CharField(max_length=45, blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "key"], name="apikeyuse_once")]


class ApiRequest(TenantRow):
    """One request of a key and what was answered, kept for thirty days. Secrets and long texts are cut out."""

    AUDITED = False  # a log of its own

    key = TenantForeignKey(ApiKey)
    request_id = models.CharField(max_length=40)
    at = models.DateTimeField()
    method = models.CharField(max_length=7)
    path = models.CharField(max_length=300)
    query = models.CharField(max_length=500, blank=True, default="")
    status = models.PositiveSmallIntegerField()
    code = models.CharField(max_length=60, blank=True, default="")
    milliseconds = models.PositiveIntegerField()
    address = models.CharField(max_length=45, blank=True, default="")
    body = models.JSONField(null=True)
    problem = models.JSONField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["organization", "-id"], name="apirequest_newest"),
            models.Index(fields=["organization", "key", "-id"], name="apirequest_key"),
            models.Index(fields=["organization", "at"], name="apirequest_at"),
        ]


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


class AccessEvent(TenantRow):
    """Who came in, who was turned away, and what was taken along: told to each organization it concerns.

    A person signs in once for all their organizations, so each of them is told; what happened inside one is told to
    that one alone. Real time; never what was typed.
    """

    AUDITED = False  # a log of its own

    kind = models.CharField(max_length=20)
    user = models.ForeignKey(
        User, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    who = models.CharField(max_length=200, blank=True, default="")
    at = models.DateTimeField()
    address = models.CharField(max_length=45, blank=True, default="")
    agent = models.CharField(max_length=200, blank=True, default="")
    request_id = models.CharField(max_length=40, blank=True, default="")
    detail = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = append_only("tenants_accessevent")
        indexes = [
            models.Index(fields=["organization", "at"], name="accessevent_at"),
            models.Index(fields=["organization", "user", "kind", "address", "id"], name="accessevent_user"),
        ]


class StrayAccess(models.Model):
    """A failed sign-in or a wrong key that no organization knows: kept apart, for the operator's eyes alone."""

    kind = models.CharField(max_length=20)
    at = models.DateTimeField()
    address = models.CharField(max_length=45, blank=True, default="")
    agent = models.CharField(max_length=200, blank=True, default="")
    request_id = models.CharField(max_length=40, blank=True, default="")
