"""Roles as a table of rights, groups, and the plan."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core import registry
from core.errors import AppError
from core.pages import attempt, missing
from core.web import page
from tenants import selectors
from tenants.forms import GroupForm, RoleEditForm
from tenants.models import Role
from tenants.permissions import MEMBERS_VIEW, OWNER, PLAN_EDIT, ROLES_EDIT, SETTINGS_VIEW
from tenants.plans import PLANS
from tenants.rights import conflicts_in, rights_of
from tenants.services import members, roles, seats
from tenants.services.guard import within_own
from tenants.views.rights import HEADS, rights_table


@page(MEMBERS_VIEW)
@require_safe
def roles_page(request: HttpRequest, slug: str) -> HttpResponse:
    holders = selectors.holders()
    rows = [
        {
            "role": role,
            "rights": len(rights_of(role)),
            "holders": holders[role.pk],
            "conflicts": conflicts_in(rights_of(role)),
        }
        for role in selectors.roles()
    ]
    context = {
        "slug": slug,
        "crumbs": _crumbs(slug),
        "rows": rows,
        "groups": selectors.groups(),
        "total": len(registry.permissions),
        "no_edit": missing(ROLES_EDIT),
    }
    return TemplateResponse(request, "tenants/roles.html", context)


@page(ROLES_EDIT, several=("rights",))
@require_http_methods(["GET", "HEAD", "POST"])
def role_new(request: HttpRequest, slug: str) -> HttpResponse:
    """An empty role, or a copy of another one (`like`)."""
    if request.method != "POST":
        like = request.GET.get("like", "").replace("\0", "")[:40]
        rights = rights_of(selectors.role(like)) if like else frozenset[str]()
        return _role_page(request, slug, RoleEditForm(), rights=rights)
    form = RoleEditForm(request.POST)
    if not form.is_valid():
        return _role_page(request, slug, form, rights=frozenset(request.POST.getlist("rights")), status=422)
    said = form.cleaned_data
    with attempt() as outcome:
        row = roles.make_role(name=said["name"], rights=said["rights"])
        messages.success(request, _("%(name)s saved") % {"name": row.name})
    if outcome.error:
        return _refused(request, slug, form, outcome.error)
    return redirect("roles", slug)


@page(MEMBERS_VIEW)
@require_safe
def role_page(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    row = selectors.role(public_id)
    form = RoleEditForm(initial={"name": row.name, "version": row.version})
    return _role_page(request, slug, form, row=row, rights=rights_of(row))


@page(ROLES_EDIT, several=("rights",))
@require_POST
def role_save(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    row = selectors.role(public_id)
    form = RoleEditForm(request.POST)
    if not form.is_valid():
        rights = frozenset(request.POST.getlist("rights"))
        return _role_page(request, slug, form, row=row, rights=rights, status=422)
    said = form.cleaned_data
    with attempt() as outcome:
        roles.change_role(public_id, version=said["version"] or 0, name=said["name"], rights=said["rights"])
        messages.success(request, _("%(name)s saved") % {"name": said["name"]})
    if outcome.error:
        return _refused(request, slug, form, outcome.error, row=row)
    return redirect("roles", slug)


@page(ROLES_EDIT)
@require_POST
def role_drop(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    row = selectors.role(public_id)
    with attempt() as outcome:
        messages.success(request, _("%(name)s deleted") % {"name": roles.drop_role(public_id)})
    if outcome.error:
        form = RoleEditForm(initial={"name": row.name, "version": row.version})
        return _role_page(request, slug, form, row=row, rights=rights_of(row), error=outcome.error)
    return redirect("roles", slug)


def _refused(
    request: HttpRequest, slug: str, form: RoleEditForm, error: AppError, *, row: Role | None = None
) -> HttpResponse:
    form.add_error("name" if error.code == "name_taken" else None, error.message)
    rights = frozenset(form.cleaned_data.get("rights", []))
    return _role_page(request, slug, form, row=row, rights=rights, status=error.status)


def _role_page(
    request: HttpRequest,
    slug: str,
    form: RoleEditForm,
    *,
    rights: frozenset[str],
    row: Role | None = None,
    error: AppError | None = None,
    status: int = 200,
) -> TemplateResponse:
    no_edit = missing(ROLES_EDIT)
    if row and not no_edit and not within_own(rights_of(row)):
        no_edit = _("may do more than you")
    built_in = bool(row and row.key)
    context = {
        "slug": slug,
        "crumbs": [*_crumbs(slug), {"label": _("Roles"), "href": reverse("roles", args=[slug])}],
        "form": form,
        "row": row,
        "built_in": built_in,
        "heads": HEADS,
        "table": rights_table(rights, fixed=built_in or bool(no_edit)),
        "conflicts": conflicts_in(rights),
        "labels": {name: each.label for name, each in registry.permissions.items()},
        "no_edit": no_edit,
        "error": error,
    }
    return TemplateResponse(request, "tenants/role.html", context, status=error.status if error else status)


@page(ROLES_EDIT, several=("members",))
@require_http_methods(["GET", "HEAD", "POST"])
def group_edit(request: HttpRequest, slug: str, public_id: str = "") -> HttpResponse:
    group = selectors.group(public_id) if public_id else None
    givable = [role for role in selectors.roles() if role.key != OWNER and within_own(rights_of(role))]
    people = [(member.public_id, member.name) for member in selectors.members()]
    if request.method != "POST":
        start = group and {
            "name": group.row.name,
            "role": group.row.role.public_id,
            "members": [member for member, _name in group.members],
        }
        return _group_page(request, slug, GroupForm(initial=start, roles=givable, members=people), group)
    form = GroupForm(request.POST, roles=givable, members=people)
    if not form.is_valid():
        return _group_page(request, slug, form, group, status=422)
    said = form.cleaned_data
    with attempt() as outcome:
        row = roles.save_group(
            public_id, name=said["name"], role=members.role(said["role"]), members=said["members"]
        )
        messages.success(request, _("%(name)s saved") % {"name": row.name})
    if outcome.error:
        form.add_error("name" if outcome.error.code == "name_taken" else None, outcome.error.message)
        return _group_page(request, slug, form, group, status=outcome.status)
    return redirect("roles", slug)


def _group_page(
    request: HttpRequest, slug: str, form: GroupForm, group: Any, *, status: int = 200
) -> TemplateResponse:
    context = {
        "slug": slug,
        "crumbs": [*_crumbs(slug), {"label": _("Roles"), "href": reverse("roles", args=[slug])}],
        "form": form,
        "group": group,
    }
    return TemplateResponse(request, "tenants/group.html", context, status=status)


@page(ROLES_EDIT)
@require_POST
def group_drop(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    messages.success(request, _("%(name)s deleted") % {"name": roles.drop_group(public_id)})
    return redirect("roles", slug)


@page(SETTINGS_VIEW)
@require_safe
def plan_page(request: HttpRequest, slug: str) -> HttpResponse:
    return _plan_page(request, slug)


@page(PLAN_EDIT)
@require_POST
def plan_change(request: HttpRequest, slug: str) -> HttpResponse:
    with attempt() as outcome:
        found = seats.change_plan(request.POST.get("plan", ""))
        messages.success(request, _("The plan is %(name)s now") % {"name": found.plan.name})
    if outcome.error:
        return _plan_page(request, slug, error=outcome.error)
    return redirect("plan", slug)


def _plan_page(request: HttpRequest, slug: str, *, error: AppError | None = None) -> TemplateResponse:
    context = {
        "slug": slug,
        "crumbs": _crumbs(slug),
        "seats": seats.seats(),
        "plans": list(PLANS.values()),
        "no_plan": missing(PLAN_EDIT),
        "error": error,
    }
    return TemplateResponse(request, "tenants/plan.html", context, status=error.status if error else 200)


def _crumbs(slug: str) -> list[dict[str, str]]:
    return [{"label": _("Settings"), "href": reverse("settings", args=[slug])}]
