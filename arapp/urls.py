"""Every address of the product, one include per app."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from arapp import health, home, news, outbox, search
from arapp.api import views as api
from tenants.urls import signed_out

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.front, name="front"),
    path("", include(signed_out)),
    path("health/", health.health, name="health"),
    path("ready/", health.ready, name="ready"),
    path("o/<slug:slug>/", home.home, name="home"),
    path("o/<slug:slug>/search/", search.hits, name="search"),
    path("o/<slug:slug>/news/", news.news_page, name="news"),
    path("o/<slug:slug>/news/panel/", news.news_panel, name="news-panel"),
    path("o/<slug:slug>/", include("tenants.urls")),
    path("o/<slug:slug>/", include("messaging.urls")),
    path("o/<slug:slug>/", include("customers.urls")),
    path("", include("portal.urls")),
    path("o/<slug:slug>/", include("invoicing.urls")),
    path("o/<slug:slug>/", include("billing.urls")),
    path("o/<slug:slug>/", include("cashapp.urls")),
    path("o/<slug:slug>/", include("receivables.urls")),
    path("o/<slug:slug>/", include("ledger.urls")),
    path("o/<slug:slug>/", include("integrations.urls")),
    path("o/<slug:slug>/", include("arapp.imports.urls")),
    path("api/openapi.json", api.openapi, name="openapi"),
    path("api/docs/", api.reference_page, name="api-reference"),
    path("api/docs/errors/", api.errors_page, name="api-errors"),
    path("api/docs/<slug:part>/", api.part_page, name="api-part"),
    path("api/v1/", include("tenants.api.urls")),
    path("api/v1/", include("customers.api.urls")),
    path("api/v1/", include("integrations.api.urls")),
    path("api/v1/", include("invoicing.api.urls")),
    path("api/v1/", include("billing.api.urls")),
    path("api/v1/", include("messaging.api.urls")),
    path("api/v1/", include("ledger.api.urls")),
    path("api/v1/", include("receivables.api.urls")),
    path("api/v1/", include("cashapp.api.urls")),
    path("api/v1/", include("arapp.api.urls")),
]

if settings.DEBUG:
    urlpatterns.append(path("styleguide/", include("arapp.styleguide")))
if outbox.enabled():
    urlpatterns.append(path("outbox/", include("arapp.outbox")))
