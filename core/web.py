"""How a page meets the kernel: it names its permission and runs inside one work(), or is marked phased."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from core import registry
from core.errors import AppError
from core.scope import require, work

View = Callable[..., HttpResponse]


class SentTwice(AppError):
    """A form with two values where one is read: who checked the first and who uses the last need not agree."""

    code = "sent_twice"


def each_once(request: HttpRequest, several: Sequence[str] = ()) -> None:
    """Refuse a form in which a field comes twice, but for those whose name begins as one of `several`."""
    for name, values in request.POST.lists():
        if len(values) > 1 and not name.startswith(tuple(several)):
            raise SentTwice("A field of this form came more than once. Nothing was changed; reload the page.")


def page(permission: str, *, phased: bool = False, several: Sequence[str] = ()) -> Callable[[View], View]:
    """Decorate a view of an organization's pages with the permission it needs.

    The view and its rendering run in one work(). A phased view talks to a vendor and opens its own, several.
    `several` are the beginnings of names of fields that may come more than once, such as boxes to tick.
    """

    def decorate(view: View) -> View:
        registry.views[f"{view.__module__}.{view.__qualname__}"] = permission

        @wraps(view)
        def run(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            require(permission)
            each_once(request, several)
            if phased:
                return view(request, *args, **kwargs)
            with work():
                return _rendered(view(request, *args, **kwargs))

        run.permission = permission  # type: ignore[attr-defined]
        return run

    return decorate


def open_page(reason: str) -> Callable[[View], View]:
    """Decorate a view that needs no permission (sign-in, health, pay page) with the reason why."""

    def decorate(view: View) -> View:
        registry.views[f"{view.__module__}.{view.__qualname__}"] = f"open: {reason}"

        @wraps(view)
        def run(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return view(request, *args, **kwargs)

        run.permission = ""  # type: ignore[attr-defined]
        return run

    return decorate


def _rendered(response: HttpResponse) -> HttpResponse:
    """Render before the transaction ends: a template may still read."""
    if isinstance(response, TemplateResponse) and not response.is_rendered:
        response.render()
    return response
