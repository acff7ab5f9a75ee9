"""The legal entity: what documents say about the organization, and the defaults they start from."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from core.changes import last_change
from core.pages import at_fields, attempt, missing
from core.web import page
from tenants.forms import EntityForm
from tenants.permissions import SETTINGS_EDIT, SETTINGS_VIEW
from tenants.selectors import entity
from tenants.services.entities import Stale, currency_is_fixed, update_entity


@page(SETTINGS_VIEW)
@require_safe
def settings_page(request: HttpRequest, slug: str) -> HttpResponse:
    row = entity()
    form = EntityForm(initial=EntityForm.of(row), currency_fixed=currency_is_fixed(row.pk))
    return _page(request, slug, form)


@page(SETTINGS_EDIT)
@require_POST
def settings_save(request: HttpRequest, slug: str) -> HttpResponse:
    row = entity()
    form = EntityForm(request.POST, initial=EntityForm.of(row), currency_fixed=currency_is_fixed(row.pk))
    if not form.is_valid():
        return _page(request, slug, form, status=422)
    values = dict(form.cleaned_data)
    version = values.pop("version")
    with attempt() as outcome:
        update_entity(row.pk, version=version, **values)
        messages.success(request, _("Settings saved"))
    if isinstance(outcome.error, Stale):
        return _page(request, slug, form, status=409, changed=last_change(row))
    if outcome.error:
        at_fields(form, outcome.error)
        return _page(request, slug, form, status=outcome.status)
    return redirect("settings", slug)


def _page(
    request: HttpRequest, slug: str, form: EntityForm, *, status: int = 200, changed: Any = None
) -> TemplateResponse:
    context = {"slug": slug, "form": form, "changed": changed, "no_edit": missing(SETTINGS_EDIT)}
    return TemplateResponse(request, "tenants/settings.html", context, status=status)
