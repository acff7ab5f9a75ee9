"""Accepting an invitation: with the account one has, or with a new one."""

from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from core.errors import Invalid
from core.web import open_page
from tenants.forms import JoinForm
from tenants.models import User
from tenants.seats import remember
from tenants.services import access
from tenants.services.accounts import account_for, find_user
from tenants.services.invitations import Asked, accept, opened

_LINK = "join-link"


@open_page("the link itself is the right")
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def join_page(request: HttpRequest, slug: str, public_id: str, token: str = "") -> HttpResponse:
    if token:
        opened(slug, public_id, token)
        request.session[_LINK] = token  # the token leaves the address, so that no page it leads to sees it
        return redirect("join", slug, public_id)
    asked = opened(slug, public_id, str(request.session.get(_LINK, "")))
    if request.user.is_authenticated:
        return _as_member(request, asked)
    if find_user(asked.invitation.email):
        return _page(request, asked, known=True)
    return _as_new(request, asked)


def _as_member(request: HttpRequest, asked: Asked) -> HttpResponse:
    """Somebody is signed in: they join with one click, if the invitation is theirs."""
    user: User = request.user  # type: ignore[assignment]
    if request.method != "POST":
        return _page(request, asked, wrong=user.email.lower() != asked.invitation.email)
    try:
        return _joined(request, asked, user)
    except Invalid:
        return _page(request, asked, wrong=True, status=422)


def _as_new(request: HttpRequest, asked: Asked) -> HttpResponse:
    """Nobody has this address yet: a name and a password make the account, the link proved the address."""
    start = {"name": asked.invitation.name}
    user = User(email=asked.invitation.email, name=asked.invitation.name)
    form = JoinForm(request.POST if request.method == "POST" else None, initial=start, user=user)
    if request.method != "POST" or not form.is_valid():
        return _page(request, asked, form=form, status=422 if form.errors else 200)
    said = form.cleaned_data
    made = account_for(asked.invitation.email, name=said["name"], password=said["password"])
    if made is None:  # the same form sent twice at once: the other one made it
        return redirect("join", asked.organization.slug, asked.invitation.public_id)
    login(request, made)
    return _joined(request, asked, made)


def _joined(request: HttpRequest, asked: Asked, user: User) -> HttpResponse:
    accept(asked, user=user)
    access.joined(access.caller(request), asked.scope.organization_id, user)
    request.session.pop(_LINK, None)
    remember(request)
    messages.success(request, _("Welcome to %(name)s") % {"name": asked.organization.name})
    return redirect("home", asked.organization.slug)


def _page(
    request: HttpRequest,
    asked: Asked,
    *,
    form: JoinForm | None = None,
    known: bool = False,
    wrong: bool = False,
    status: int = 200,
) -> HttpResponse:
    context = {"asked": asked, "form": form, "known": known, "wrong": wrong, "here": request.path}
    return render(request, "tenants/join.html", context, status=status)
