"""Keeping a list's filters under a name, and removing them."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core.errors import Forbidden, Invalid
from core.fields import Line
from core.pages import attempt
from core.web import page
from tenants.permissions import HOME_VIEW
from tenants.services.views import drop_view, require_list, save_view


class ViewForm(forms.Form):
    """A name, and whether everybody gets it."""

    name = Line(max_length=60)
    shared = forms.BooleanField(required=False)


@page(HOME_VIEW)
@require_POST
def view_save(request: HttpRequest, slug: str) -> HttpResponse:
    """Back to the list with these filters, saved or with the reason why not."""
    where, query = request.POST.get("list", ""), request.POST.get("query", "")[:4000].replace("\0", "")
    require_list(where)
    form = ViewForm(request.POST)
    with attempt() as outcome:
        if not form.is_valid():
            raise Invalid(_("A view needs a name of at most 60 characters."))
        view = save_view(
            page=where, name=form.cleaned_data["name"], query=query, shared=form.cleaned_data["shared"]
        )
        messages.success(request, _("“%(name)s” saved") % {"name": view.name})
    if isinstance(outcome.error, Forbidden):
        raise outcome.error
    if outcome.error:
        messages.error(request, outcome.error.message)
    return redirect(f"{reverse(where, args=[slug])}?{QueryDict(query).urlencode()}")


@page(HOME_VIEW)
@require_POST
def view_drop(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    where = drop_view(public_id)
    messages.success(request, _("View removed"))
    return redirect(where, slug)
