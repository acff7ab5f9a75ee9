"""Pages and the kernel: one work() around view and rendering, the permission first, nothing left behind."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import path

from core import clock, registry
from core.errors import Conflict, Forbidden, NotFound
from core.models import Job, Organization
from core.scope import NoTenant, Scope, current, current_or_none, enter, inside_work, on_commit, work
from core.web import open_page, page
from tenants.models import Membership, Role, User
from tenants.permissions import VIEWER

get: Any = RequestFactory().get("/")


@pytest.fixture(autouse=True)
def views(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the tests below decorate does not stay registered."""
    monkeypatch.setattr(registry, "views", dict(registry.views))


def test_a_page_runs_in_one_work_and_is_rendered_in_it(acorn: Scope) -> None:
    template = engines["django"].from_string("{{ jobs.count }} {{ inside }}")

    @page("home.view")
    def view(request: HttpRequest) -> HttpResponse:
        Job.objects.create(kind="x")
        answer = TemplateResponse(request, "", {"jobs": Job.objects.all(), "inside": inside_work})
        answer.template_name = template
        return answer

    assert view(get).content == b"1 True"
    assert not inside_work()


def test_a_phased_page_opens_its_own(acorn: Scope) -> None:
    @page("home.view", phased=True)
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(str(inside_work()))

    assert view(get).content == b"False"


def test_the_permission_is_asked_first(as_member: Callable[[str, str], Scope]) -> None:
    as_member("acorn", "vic@acorn.example")
    ran: list[int] = []

    @page("settings.edit")
    def view(request: HttpRequest) -> HttpResponse:
        ran.append(1)
        return HttpResponse()

    with pytest.raises(Forbidden):
        view(get)
    assert ran == []


def test_a_page_outside_a_scope_is_a_bug_not_an_open_door(db: None) -> None:
    @page("home.view")
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    with pytest.raises(NoTenant):
        view(get)


def test_what_a_failing_page_wrote_is_undone(acorn: Scope) -> None:
    @page("home.view")
    def view(request: HttpRequest) -> HttpResponse:
        Job.objects.create(kind="x")
        raise Conflict("no")

    with pytest.raises(Conflict):
        view(get)
    with work():
        assert not Job.objects.exists()


def test_an_open_page_needs_no_scope(db: None) -> None:
    @open_page("health")
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(str(current_or_none()))

    assert view(get).content == b"None"


# ------------------------------------------------------------------------------------------- whole requests


@page("home.view")
def who(request: HttpRequest, slug: str) -> HttpResponse:
    scope = current()
    return HttpResponse(f"{scope.organization_id} {scope.actor.label} {scope.request_id}")


@page("home.view")
def absent(request: HttpRequest, slug: str) -> HttpResponse:
    raise NotFound("That is not here.")


@page("settings.edit")
def settings_page(request: HttpRequest, slug: str) -> HttpResponse:
    return HttpResponse("settings")


@page("home.view")
def breaks(request: HttpRequest, slug: str) -> HttpResponse:
    Job.objects.create(kind="x")
    raise ZeroDivisionError


urlpatterns = [
    path("o/<slug:slug>/who/", who),
    path("o/<slug:slug>/absent/", absent),
    path("o/<slug:slug>/settings/", settings_page),
    path("o/<slug:slug>/breaks/", breaks),
]
here = override_settings(ROOT_URLCONF=__name__)


def browser(email: str) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.get(email=email), "django.contrib.auth.backends.ModelBackend")
    return client


@here
def test_a_member_is_who_the_path_and_the_membership_say(acorn: Scope) -> None:
    answer = browser("ben@acorn.example").get("/o/acorn/who/")
    organization, name, request_id = answer.content.decode().split()
    assert (int(organization), name) == (acorn.organization_id, "Ben")
    assert request_id == answer["Request-Id"]
    assert answer["Cache-Control"] == "private, no-store"


@here
@pytest.mark.parametrize(
    "address", ["/o/birch/who/", "/o/nobody/who/", "/o//who/", "/o/acorn%00/who/", "/o/%F0%28/who/", "/o/"]
)
def test_for_everybody_else_it_is_not_there(db: None, address: str) -> None:
    assert browser("ben@acorn.example").get(address).status_code == 404


@here
def test_a_stranger_is_sent_to_sign_in_and_back(db: None) -> None:
    answer = Client().get("/o/acorn/who/?page=2")
    assert answer.status_code == 302
    assert answer["Location"] == "/sign-in/?next=/o/acorn/who/%3Fpage%3D2"


@here
def test_a_header_or_a_cookie_changes_no_organization(db: None) -> None:
    client = browser("ben@acorn.example")
    client.cookies["organization"] = "birch"
    answer = client.get("/o/acorn/who/", headers={"X-Organization": "birch", "X-Forwarded-Host": "birch"})
    assert answer.content.split()[1] == b"Ben"


@here
def test_absent_is_a_404_and_forbidden_a_403(db: None) -> None:
    assert browser("ben@acorn.example").get("/o/acorn/absent/").status_code == 404
    assert browser("vic@acorn.example").get("/o/acorn/settings/").status_code == 403
    assert browser("ana@acorn.example").get("/o/acorn/settings/").status_code == 200


@here
def test_a_request_that_breaks_leaves_no_scope_and_no_row(acorn: Scope) -> None:
    with enter(acorn), work():
        before = Job.objects.count()
    assert browser("ana@acorn.example").get("/o/acorn/breaks/").status_code == 500
    with work():
        assert Job.objects.count() == before


@here
def test_one_request_leaves_nothing_to_the_next(db: None) -> None:
    ben, bea = browser("ben@acorn.example"), browser("bea@birch.example")
    for _ in range(2):
        assert ben.get("/o/acorn/who/").content.split()[1] == b"Ben"
        assert bea.get("/o/birch/who/").content.split()[1] == b"Bea"
        assert ben.get("/o/birch/who/").status_code == 404
        assert current_or_none() is None
        assert not inside_work()


@here
def test_a_role_changes_with_the_next_request(acorn: Scope) -> None:
    client = browser("ben@acorn.example")
    with enter(acorn), work():
        membership = Membership.objects.get(user__email="ben@acorn.example")
        membership.role = Role.objects.get(name="Owner")
        membership.save()
    assert client.get("/o/acorn/settings/").status_code == 200
    with work():
        membership.role = Role.objects.get(key=VIEWER)
        membership.save()
    assert client.get("/o/acorn/settings/").status_code == 403


@here
@pytest.mark.parametrize(
    "change",
    [
        {"disabled_at": clock.wall()},
        {"valid_until": clock.wall()},
        {"valid_from": clock.wall() + timedelta(days=1)},
    ],
)
def test_a_membership_ends_with_the_next_request(acorn: Scope, change: dict[str, Any]) -> None:
    client = browser("ben@acorn.example")
    assert client.get("/o/acorn/who/").status_code == 200
    with work():
        Membership.objects.filter(user__email="ben@acorn.example").update(**change)
    assert client.get("/o/acorn/who/").status_code == 404


@here
def test_a_person_put_out_is_a_stranger(db: None) -> None:
    client = browser("ben@acorn.example")
    User.objects.filter(email="ben@acorn.example").update(is_active=False)
    assert client.get("/o/acorn/who/").status_code == 302


# --------------------------------------------------------------------------------------------------- on commit


def test_after_commit_the_scope_is_back_and_work_can_be_opened(committed_acorn: Scope) -> None:
    seen: list[tuple[int, bool]] = []

    def after() -> None:
        seen.append((current().organization_id, inside_work()))
        with work():
            Job.objects.create(kind="after")
            on_commit(lambda: seen.append((0, inside_work())))

    with work():
        with work():
            on_commit(after)
        assert seen == []
    assert seen == [(committed_acorn.organization_id, False), (0, False)]
    with work():
        assert Job.objects.get().kind == "after"


def test_a_hook_that_fails_undoes_nothing_and_stops_no_other(committed_acorn: Scope) -> None:
    ran: list[str] = []

    def fail() -> None:
        with work():
            Job.objects.create(kind="half")
            raise ZeroDivisionError

    with work():
        Job.objects.create(kind="kept")
        on_commit(fail)
        on_commit(lambda: ran.append("second"))
    assert ran == ["second"]
    assert not inside_work()
    with work():
        assert list(Job.objects.values_list("kind", flat=True)) == ["kept"]


def test_a_hook_of_what_was_undone_never_runs(committed_acorn: Scope) -> None:
    ran: list[int] = []

    def fail() -> None:
        on_commit(lambda: ran.append(1))
        raise Http404

    with pytest.raises(Http404), work():
        fail()
    assert ran == []


def test_an_error_inside_nested_work_undoes_the_whole(committed_acorn: Scope) -> None:
    def fail() -> None:
        Job.objects.create(kind="inner")
        raise ZeroDivisionError

    def outer() -> None:
        Job.objects.create(kind="outer")
        try:
            with work():
                fail()
        except ZeroDivisionError:
            pass  # swallowed: the transaction is still not to be trusted

    with work():
        outer()
    assert not inside_work()
    with work():
        assert not Job.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.organization_id', true)")
        assert cursor.fetchone()[0] in ("", None)


def test_another_organization_can_be_entered_after_work_not_inside(acorn: Scope, birch: Scope) -> None:
    with work():
        Job.objects.create(kind="mine")
    with enter(birch), work():
        assert not Job.objects.exists()
        Organization.objects.get()
    with work():
        assert Job.objects.get().kind == "mine"
