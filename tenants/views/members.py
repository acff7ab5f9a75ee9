"""Who is a member: asking people in, their role, groups and time, and shutting them out."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from core import clock
from core.errors import AppError, Invalid
from core.pages import attempt, missing
from core.sandbox import is_sandbox
from core.web import page
from tenants import selectors
from tenants.forms import InviteForm, MemberForm
from tenants.models import Role
from tenants.permissions import MEMBERS_CREATE, MEMBERS_DELETE, MEMBERS_EDIT, MEMBERS_VIEW
from tenants.rights import conflicts_in, label_of, rights_of
from tenants.services import invitations, members
from tenants.services.guard import within_own
from tenants.services.seats import seats

_NEEDED = {"no_invite": MEMBERS_CREATE, "no_edit": MEMBERS_EDIT, "no_delete": MEMBERS_DELETE}


@page(MEMBERS_VIEW)
@require_safe
def members_page(request: HttpRequest, slug: str) -> HttpResponse:
    return _page(request, slug)


@page(MEMBERS_CREATE, several=("groups",))
@require_POST
def member_invite(request: HttpRequest, slug: str) -> HttpResponse:
    form = InviteForm(request.POST, roles=_givable(selectors.roles()))
    if not form.is_valid():
        return _page(request, slug, form=form, status=422)
    said = form.cleaned_data
    with attempt() as outcome:
        role = members.role(said["role"])
        times = form.times(selectors.entity().zone)
        row = invitations.invite(email=said["email"], name=said["name"], role=role, **times)
        messages.success(request, _("%(email)s is asked by mail") % {"email": row.email})
        _flag(request, rights_of(role))
    if outcome.error:
        form.add_error(_field(form, outcome.error, "email"), outcome.error.message)
        return _page(request, slug, form=form, status=outcome.status)
    return redirect("members", slug)


@page(MEMBERS_CREATE)
@require_POST
def invitation_again(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    with attempt() as outcome:
        row = invitations.send_again(public_id)
        messages.success(request, _("%(email)s is asked again by mail") % {"email": row.email})
    return _after(request, slug, outcome.error)


@page(MEMBERS_CREATE)
@require_POST
def invitation_withdraw(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    with attempt() as outcome:
        row = invitations.withdraw(public_id)
        messages.success(request, _("The invitation of %(email)s is withdrawn") % {"email": row.email})
    return _after(request, slug, outcome.error)


@page(MEMBERS_EDIT, several=("groups",))
@require_POST
def member_save(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Role, groups and time of a member, all or none."""
    groups = [group.row for group in selectors.groups()]
    form = MemberForm(request.POST, roles=selectors.roles(), groups=groups)
    if not form.is_valid():
        wrong = " ".join(str(message) for errors in form.errors.values() for message in errors)
        return _page(request, slug, error=Invalid(wrong))
    said = form.cleaned_data
    with attempt() as outcome:
        members.change_role(public_id, role=members.role(said["role"]))
        members.set_groups(public_id, groups=said["groups"])
        member = members.set_time(public_id, **form.times(selectors.entity().zone))
        messages.success(request, _("%(name)s saved") % {"name": member.user.name})
        _flag(request, next(row.rights for row in selectors.members() if row.public_id == public_id))
    return _after(request, slug, outcome.error)


@page(MEMBERS_DELETE)
@require_POST
def member_disable(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    return _set_disabled(request, slug, public_id, disabled=True)


@page(MEMBERS_DELETE)
@require_POST
def member_enable(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    return _set_disabled(request, slug, public_id, disabled=False)


def _set_disabled(request: HttpRequest, slug: str, public_id: str, *, disabled: bool) -> HttpResponse:
    with attempt() as outcome:
        name = members.set_disabled(public_id, disabled=disabled).user.name
        text = _("%(name)s can no longer open this organization") if disabled else _("%(name)s is back")
        messages.success(request, text % {"name": name})
    return _after(request, slug, outcome.error)


def _after(request: HttpRequest, slug: str, error: AppError | None) -> HttpResponse:
    return _page(request, slug, error=error) if error else redirect("members", slug)


def _field(form: Form, error: AppError, otherwise: str) -> str:
    """The form's field that a refusal is about."""
    fields = getattr(error, "fields", {})
    return next((name for name in fields if name in form.fields), otherwise)


def _flag(request: HttpRequest, rights: frozenset[str]) -> None:
    """Say which rights that were just given are better held by two people."""
    for conflict in conflicts_in(rights):
        pair = {"first": label_of(conflict.first), "second": label_of(conflict.second), "why": conflict.why}
        messages.warning(request, _("Conflicting rights: “%(first)s” and “%(second)s”. %(why)s") % pair)


def _givable(roles: list[Role]) -> list[Role]:
    """The roles that may do no more than the actor."""
    return [role for role in roles if within_own(rights_of(role))]


def _rows(zone: str) -> list[dict[str, Any]]:
    """The members with their last day, and whether they are the actor's to change."""
    return [
        {
            "row": row,
            "mine": within_own(row.rights),
            "from": row.starts and row.starts.astimezone(ZoneInfo(zone)).date(),
            "last": row.ends and (row.ends - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).date(),
        }
        for row in selectors.members()
    ]


def _page(
    request: HttpRequest,
    slug: str,
    *,
    form: InviteForm | None = None,
    error: AppError | None = None,
    status: int = 200,
) -> TemplateResponse:
    roles = selectors.roles()
    givable = _givable(roles)
    elsewhere = _("members are those of the live organization; change them there") if is_sandbox() else ""
    context: dict[str, Any] = {
        "slug": slug,
        "crumbs": [{"label": _("Settings"), "href": reverse("settings", args=[slug])}],
        "members": _rows(selectors.entity().zone),
        "invitations": selectors.invitations(),
        "groups": [group.row for group in selectors.groups()],
        "seats": seats(),
        "now": clock.wall(),
        "givable": givable,
        "form": form or InviteForm(roles=givable),
        "error": error,
        "sandbox": is_sandbox(),
        **{name: elsewhere or missing(right) for name, right in _NEEDED.items()},
    }
    return TemplateResponse(
        request, "tenants/members.html", context, status=error.status if error else status
    )
