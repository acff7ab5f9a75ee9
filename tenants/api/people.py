"""Members, roles and invitations for programs."""

from core.api.fields import Email, In, Moment, PublicId, Text
from core.api.operations import Api, Call, Listing, operation
from tenants import selectors
from tenants.api.outputs import GroupOut, InvitationOut, MemberOut, RoleOut
from tenants.models import Invitation
from tenants.permissions import MEMBERS_CREATE, MEMBERS_VIEW
from tenants.services import invitations, members

TAG = "People"


class InvitationIn(In):
    email = Email()
    name = Text(required=False, allow_blank=True)
    role = PublicId()
    starts = Moment(required=False, allow_null=True, help_text="When they are let in; at once when left out.")
    ends = Moment(required=False, allow_null=True, help_text="Until when; without an end when left out.")


class Members(Api):
    tag = TAG

    @operation(MEMBERS_VIEW, gives=MemberOut, many=True)
    def get(self, call: Call) -> Listing:
        """List members, the newest first; also those who are shut out."""
        return Listing(selectors.member_rows(), prepare=selectors.shown_members)


class Roles(Api):
    tag = TAG

    @operation(MEMBERS_VIEW, gives=RoleOut, many=True)
    def get(self, call: Call) -> Listing:
        """List roles and what they grant."""
        return Listing(selectors.role_rows())


class Groups(Api):
    tag = TAG

    @operation(MEMBERS_VIEW, gives=GroupOut, many=True)
    def get(self, call: Call) -> Listing:
        """List groups, the newest first: each gives its members the rights of its role besides their own."""
        return Listing(selectors.group_rows(), prepare=selectors.shown_groups)


class Invitations(Api):
    tag = TAG

    @operation(MEMBERS_VIEW, gives=InvitationOut, many=True)
    def get(self, call: Call) -> Listing:
        """List invitations neither accepted nor withdrawn, the newest first."""
        return Listing(selectors.open_invitations())

    @operation(MEMBERS_CREATE, takes=InvitationIn, gives=InvitationOut, status=201)
    def post(self, call: Call) -> Invitation:
        """Ask a person to become a member; a mail with a link goes to them.

        The address is the natural key: the same invitation sent again is answered as it is. Nobody gives a role that
        may do more than they may themselves.
        """
        said = dict(call.data)
        return invitations.invite(role=members.role(said.pop("role")), **said)


class InvitationWithdraw(Api):
    tag = TAG

    @operation(MEMBERS_CREATE, gives=InvitationOut)
    def post(self, call: Call, public_id: str) -> Invitation:
        """Take an invitation back; its link opens nothing any more."""
        return invitations.withdraw(public_id)
