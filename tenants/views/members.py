"""Who is a member, with which role."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.errors import AppError, Conflict
from core.pages import attempt, missing
from core.scope import current
from core.web import page
from tenants import selectors
from tenants.forms import InviteForm, RoleForm
from tenants.models import Membership, Role
from tenants.permissions import MEMBERS_EDIT, MEMBERS_VIEW
from tenants.services import members
from tenants.services.accounts import password_link


@page(MEMBERS_VIEW)
@require_safe
def members_page(request: HttpRequest, slug: str) -> HttpResponse:
    return _page(request, slug)


@page(MEMBERS_EDIT)
@require_http_methods(["POST"])
def member_invite(request: HttpRequest, slug: str) -> HttpResponse:
    form = InviteForm(request.POST, roles=_givable(selectors.roles()))
    if not form.is_valid():
        return _page(request, slug, form=form, status=422)
    said = form.cleaned_data
    with attempt() as outcome:
        invited = members.invite(email=said["email"], name=said["name"], role=members.role(said["role"]))
    if outcome.error:
        form.add_error("email", outcome.error.message)
        return _page(request, slug, form=form, status=outcome.status)
    if invited.needs_password:
        return _page(request, slug, link_for=invited.membership, link=_link(request, invited.membership))
    messages.success(request, _("%(name)s is a member now") % {"name": invited.membership.user.name})
    return redirect("members", slug)


@page(MEMBERS_EDIT)
@require_POST
def member_role(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    form = RoleForm(request.POST, roles=selectors.roles())
    if not form.is_valid():
        return _page(request, slug, error=Conflict(_("That role is not here.")), status=422)
    with attempt() as outcome:
        member = members.change_role(public_id, role=members.role(form.cleaned_data["role"]))
        said = {"name": member.user.name, "role": member.role.name}
        messages.success(request, _("%(name)s is %(role)s now") % said)
    return _after(request, slug, outcome.error)


@page(MEMBERS_EDIT)
@require_POST
def member_disable(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    return _set_disabled(request, slug, public_id, disabled=True)


@page(MEMBERS_EDIT)
@require_POST
def member_enable(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    return _set_disabled(request, slug, public_id, disabled=False)


@page(MEMBERS_EDIT)
@require_POST
def member_link(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    member = selectors.membership(public_id)
    if not members.may_have_link(member):
        return _page(request, slug, error=Conflict(_("This person has a password, or another organization.")))
    return _page(request, slug, link_for=member, link=_link(request, member))


def _set_disabled(request: HttpRequest, slug: str, public_id: str, *, disabled: bool) -> HttpResponse:
    with attempt() as outcome:
        name = members.set_disabled(public_id, disabled=disabled).user.name
        text = _("%(name)s can no longer open this organization") if disabled else _("%(name)s is back")
        messages.success(request, text % {"name": name})
    return _after(request, slug, outcome.error)


def _after(request: HttpRequest, slug: str, error: AppError | None) -> HttpResponse:
    return _page(request, slug, error=error) if error else redirect("members", slug)


def _givable(roles: list[Role]) -> list[Role]:
    """The roles that may do no more than the actor."""
    scope = current()
    return [role for role in roles if all(scope.may(permission) for permission in role.permissions)]


def _link(request: HttpRequest, member: Membership) -> str:
    uid, token = password_link(member.user)
    return request.build_absolute_uri(reverse("set-password-link", args=[uid, token]))


def _page(
    request: HttpRequest,
    slug: str,
    *,
    form: InviteForm | None = None,
    error: AppError | None = None,
    status: int = 200,
    link_for: Membership | None = None,
    link: str = "",
) -> TemplateResponse:
    roles = selectors.roles()
    givable = _givable(roles)
    context: dict[str, Any] = {
        "slug": slug,
        "crumbs": [{"label": _("Settings"), "href": reverse("settings", args=[slug])}],
        "members": [
            {"row": member, "mine_to_change": member.role in givable} for member in selectors.members()
        ],
        "givable": givable,
        "form": form or InviteForm(roles=givable),
        "error": error,
        "link": link,
        "link_for": link_for,
        "no_edit": missing(MEMBERS_EDIT),
    }
    return TemplateResponse(
        request, "tenants/members.html", context, status=error.status if error else status
    )
