"""People and what they may do, as the API gives them."""

from typing import Any

from rest_framework import serializers

from core import clock, ids
from core.api.fields import Exact, Id, Out, RecordOut, Word
from tenants.models import CUSTOMERS_END, RENEWED_FOR, Invitation
from tenants.rights import rights_of

MEMBER_STATES = ("active", "not_yet", "over", "shut_out")


class MemberOut(Out):
    """A person in the organization."""

    OBJECT = "member"

    id = serializers.CharField(source="public_id")
    name = serializers.CharField()
    email = serializers.CharField()
    role = Id()
    groups = serializers.ListField(child=serializers.CharField(), help_text="Ids of the groups they are in.")
    rights = serializers.SerializerMethodField(help_text="By their role and their groups together.")
    starts = serializers.DateTimeField(allow_null=True)
    ends = serializers.DateTimeField(
        allow_null=True, help_text="From this moment on they are let in no more."
    )
    state = serializers.ChoiceField(MEMBER_STATES)

    def get_rights(self, member: Any) -> list[str]:
        return sorted(member.rights)


class RoleOut(RecordOut):
    """A named set of rights. What a built-in one grants follows the product."""

    OBJECT = "role"

    name = serializers.CharField()
    key = serializers.CharField(help_text="Of a built-in role; empty for one made here.")
    rights = serializers.SerializerMethodField()

    def get_rights(self, role: Any) -> list[str]:
        return sorted(rights_of(role))


class InvitationOut(RecordOut):
    """A person asked to become a member; takes a seat while it is open."""

    OBJECT = "invitation"

    email = serializers.CharField()
    name = serializers.CharField()
    role = Id()
    starts = serializers.DateTimeField(source="valid_from", allow_null=True)
    ends = serializers.DateTimeField(source="valid_until", allow_null=True)
    invited_by = serializers.CharField()
    expires_at = serializers.DateTimeField(help_text="The link in the mail opens nothing from then on.")
    state = serializers.SerializerMethodField()

    def get_state(self, row: Invitation) -> str:
        if row.withdrawn_at:
            return "withdrawn"
        if row.accepted_at:
            return "accepted"
        return "expired" if row.expires_at <= clock.wall() else "open"


class GroupOut(RecordOut):
    """A named set of members with a role of its own."""

    OBJECT = "group"

    id = serializers.CharField(source="row.public_id")
    version = serializers.IntegerField(source="row.version")
    created_at = serializers.DateTimeField(source="row.created_at")
    updated_at = serializers.DateTimeField(source="row.updated_at")
    name = serializers.CharField(source="row.name")
    role = Id(source="row.role")
    members = serializers.SerializerMethodField(help_text="Ids of its members.")

    def get_members(self, group: Any) -> list[str]:
        return [public_id for public_id, _name in group.members]


class LegalEntityOut(RecordOut):
    """A company of the organization that issues documents, with the defaults its documents start from."""

    OBJECT = "legal_entity"

    code = serializers.CharField(help_text="As files name it.")
    name = serializers.CharField()
    address = serializers.CharField()
    country = serializers.CharField()
    tax_number = serializers.CharField()
    currency = serializers.CharField()
    zone = serializers.CharField()
    terms_days = serializers.IntegerField()
    tax_percent = Exact(max_digits=7, decimal_places=4)
    renewal_notice_days = serializers.IntegerField(
        help_text="How many days before a subscription is renewed its customer is told; 0 where nobody is."
    )
    renewal_notice_for = Word(
        RENEWED_FOR,
        help_text="Told of plans that are renewed for so long or longer, and of every end of a trial.",
    )
    customers_end = Word(
        CUSTOMERS_END,
        help_text="When customers may end one on their page: not, at its period's end, or `now`.",
    )


class PlanChoiceOut(Out):
    """A plan of this product."""

    key = serializers.CharField()
    name = serializers.CharField()
    price_minor = serializers.IntegerField(
        source="price.minor", default=None, allow_null=True, help_text="A month; null where it is agreed."
    )
    currency = serializers.CharField(source="price.currency", default=None, allow_null=True)
    seats = serializers.IntegerField(allow_null=True, help_text="Null is without limit.")


class PlanStandOut(Out):
    """The organization's plan and its seats."""

    OBJECT = "organization_plan"

    plan = PlanChoiceOut()
    taken = serializers.IntegerField(help_text="Members who are not shut out, and open invitations.")
    most = serializers.IntegerField(allow_null=True, help_text="Null is without limit.")
    plans = PlanChoiceOut(many=True)


class ApiKeyOut(RecordOut):
    """A program's way in. The key itself is kept nowhere."""

    OBJECT = "api_key"

    name = serializers.CharField()
    member = Id(help_text="For whom it acts.")
    start = serializers.CharField(help_text="Its first characters.")
    last4 = serializers.CharField()
    rights = serializers.ListField(
        source="permissions",
        child=serializers.CharField(),
        allow_null=True,
        help_text="Null is all that its member may.",
    )
    addresses = serializers.ListField(child=serializers.CharField(), help_text="Empty is from anywhere.")
    api_version = serializers.CharField()
    expires_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)
    rolled_from = Id(allow_null=True, help_text="The key that it took the place of.")
    used_at = serializers.DateTimeField(allow_null=True)
    used_from = serializers.CharField(allow_null=True)


class ChangedFieldOut(Out):
    """A field and its values in words."""

    label = serializers.CharField()  # type: ignore[assignment]
    old = serializers.CharField()
    new = serializers.CharField()


class AuditEntryOut(Out):
    """A change, as the database noted it."""

    OBJECT = "audit_entry"

    id = serializers.CharField(source="public_id")
    at = serializers.DateTimeField(source="told.at")
    who = serializers.CharField(source="told.who")
    origin = serializers.CharField(help_text="page, api, import, worker, command, portal, sql.")
    request = serializers.CharField(source="told.request")
    action = serializers.CharField(source="told.action")
    kind = serializers.CharField()
    record = serializers.CharField(
        source="told.public_id", help_text="Its id; empty where many were made at once."
    )
    about = serializers.CharField(source="told.about", help_text="What the record is called.")
    count = serializers.IntegerField(source="told.count", help_text="Records changed by the statement.")
    changes = ChangedFieldOut(many=True, source="told.fields")


class AccessEventOut(Out):
    """Who came in, who was turned away, what was taken along."""

    OBJECT = "access_event"

    id = serializers.SerializerMethodField()
    kind = serializers.CharField(source="row.kind")
    at = serializers.DateTimeField(source="row.at")
    who = serializers.CharField(source="row.who")
    address = serializers.CharField(source="row.address")
    agent = serializers.CharField(source="row.agent")
    request = serializers.CharField(source="row.request_id")
    detail = serializers.CharField(source="row.detail")
    unusual = serializers.ListField(
        source="why", child=serializers.CharField(), help_text="What is unusual about it, in words."
    )

    def get_id(self, line: Any) -> str:
        return ids.numbered("access", line.row.pk)
