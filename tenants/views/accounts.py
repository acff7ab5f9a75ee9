"""Making an account: with an organization, or from an invitation."""

from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from core.errors import Invalid
from core.limits import TooMany, address_of, spend
from core.web import open_page
from tenants.forms import ForgottenForm, OrganizationForm, SetPasswordForm, SignUpForm
from tenants.models import User
from tenants.seats import remember
from tenants.services import access, places
from tenants.services.accounts import (
    ask_for_password,
    found_organization,
    set_password,
    sign_up,
    user_of_link,
)
from tenants.views.session import too_many

PER_HOUR, PER_ACCOUNT = 20, 5
_LINK = "password-link"
_FIELDS = {"email": "email", "slug": "slug", "zone": "zone", "currency": "currency"}


@open_page("a person without an account has no rights yet")
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up_page(request: HttpRequest) -> HttpResponse:
    known = request.user.is_authenticated
    kind = OrganizationForm if known else SignUpForm
    if request.method != "POST":
        return _form_page(request, kind(), known=known)
    form = kind(request.POST)
    try:
        spend("sign-up", address_of(request), limit=PER_HOUR, seconds=3600)
    except TooMany as error:
        return too_many(request, error)
    if not form.is_valid() or not _made(request, form):
        return _form_page(request, form, known=known, status=422)
    return redirect("front")


def _made(request: HttpRequest, form: OrganizationForm) -> bool:
    """Make what the form says and sign the person in; a refusal stands at its field."""
    said = form.cleaned_data
    try:
        if isinstance(form, SignUpForm):
            user = sign_up(
                email=said["email"],
                name=said["name"],
                password=said["password"],
                organization=form.new_organization(),
            )
            login(request, user)
            places.signed_in(access.caller(request), user)
        else:
            found_organization(owner=request.user, organization=form.new_organization())  # type: ignore[arg-type]
    except Invalid as error:
        for name, message in error.fields.items():
            form.add_error(_FIELDS.get(name), message)
        return False
    remember(request)
    return True


def _form_page(
    request: HttpRequest, form: OrganizationForm, *, known: bool, status: int = 200
) -> HttpResponse:
    return render(request, "tenants/sign_up.html", {"form": form, "known": known}, status=status)


@open_page("whoever forgot their password cannot sign in")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def forgotten_page(request: HttpRequest) -> HttpResponse:
    """Ask for a link; the answer is the same for every address."""
    form = ForgottenForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "tenants/forgotten.html", {"form": form}, status=422 if form.errors else 200)
    email = form.cleaned_data["email"]
    try:
        spend("forgotten", address_of(request), limit=PER_HOUR, seconds=3600)
        spend("forgotten-account", email.casefold(), limit=PER_ACCOUNT, seconds=3600)
    except TooMany as error:
        return too_many(request, error)
    ask_for_password(email)
    return render(request, "tenants/forgotten.html", {"form": form, "asked": email})


@open_page("the link itself is the right")
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def password_page(request: HttpRequest, uid: str, token: str = "") -> HttpResponse:
    if token:
        user_of_link(uid, token)
        request.session[_LINK] = token  # the token leaves the address, so that no page it leads to sees it
        return redirect("set-password", uid)
    user = user_of_link(uid, str(request.session.get(_LINK, "")))
    form = SetPasswordForm(request.POST if request.method == "POST" else None, user=user)
    if request.method == "POST" and form.is_valid():
        return _password_set(request, user, form.cleaned_data["password"])
    status = 422 if form.errors else 200
    return render(request, "tenants/set_password.html", {"form": form, "person": user}, status=status)


def _password_set(request: HttpRequest, user: User, password: str) -> HttpResponse:
    set_password(user, password)
    request.session.pop(_LINK, None)
    login(request, user)
    access.at_the_door("password_set", access.caller(request), user)
    places.signed_in(access.caller(request), user)
    remember(request)
    messages.success(request, _("Your password is set."))
    return redirect("front")
