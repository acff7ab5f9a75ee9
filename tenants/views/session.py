"""Signing in and out."""

from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from core.limits import TooMany, address_of, forgive, spend
from core.web import open_page
from tenants.forms import SignInForm
from tenants.seats import remember
from tenants.services import access, places
from tenants.services.accounts import find_user

WINDOW, HOUR, DAY = 300, 3600, 24 * 3600
PER_PAIR, PER_PAIR_A_DAY = 6, 30
PER_ADDRESS, PER_ACCOUNT_AN_HOUR = 60, 100


@open_page("signing in comes before any right")
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        if request.user.is_authenticated:
            return redirect(_next(request))
        return _page(request, SignInForm())
    form = SignInForm(request.POST)
    who = form.data.get("username", "").strip().casefold()[:300]
    try:
        _count(request, who)
    except TooMany as error:
        return too_many(request, error)
    user = None
    if form.is_valid():
        said = form.cleaned_data
        user = authenticate(request, username=said["username"], password=said["password"])
    if user is None:
        if form.is_valid():
            access.at_the_door(
                "sign_in_failed", access.caller(request), find_user(form.cleaned_data["username"])
            )
            form.add_error(None, _("E-mail or password is wrong."))
        return _page(request, form, status=422)
    pair = f"{address_of(request)} {who}"
    forgive("sign-in", pair, seconds=WINDOW)
    forgive("sign-in-day", pair, seconds=DAY)
    login(request, user)
    places.signed_in(access.caller(request), user)
    remember(request)
    return redirect(_next(request))


def _count(request: HttpRequest, who: str) -> None:
    """Tries by account and address together, by address, and by account.

    The last would let a stranger shut somebody out, so it needs many addresses and lasts an hour at most.
    """
    address = address_of(request)
    spend("sign-in", f"{address} {who}", limit=PER_PAIR, seconds=WINDOW)
    spend("sign-in-day", f"{address} {who}", limit=PER_PAIR_A_DAY, seconds=DAY)
    spend("sign-in-address", address, limit=PER_ADDRESS, seconds=WINDOW)
    spend("sign-in-account", who, limit=PER_ACCOUNT_AN_HOUR, seconds=HOUR)


def too_many(request: HttpRequest, error: TooMany) -> HttpResponse:
    """The page that asks to wait, with the seconds in Retry-After."""
    response = render(request, "429.html", {"error": error}, status=error.status)
    response["Retry-After"] = str(error.retry_after)
    return response


def _next(request: HttpRequest) -> str:
    """Where to go after signing in: only to a page of ours."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return wanted
    return "/"


def _page(request: HttpRequest, form: SignInForm, *, status: int = 200) -> HttpResponse:
    wanted = _next(request)
    context = {
        "form": form,
        "next": "" if wanted == "/" else wanted,
        "action": request.path,
        "can_sign_up": True,
    }
    return render(request, "tenants/sign_in.html", context, status=status)


@open_page("signing out needs no right")
@never_cache
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        access.at_the_door("signed_out", access.caller(request), request.user)
    logout(request)
    response = redirect("sign-in")
    response["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    return response
