"""People and what they may do, as the API gives them."""

from typing import Any

from rest_framework import serializers

from core import clock
from core.api.fields import Id, Out, RecordOut
from tenants.models import Invitation
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
