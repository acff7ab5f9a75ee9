"""Every address of the product, one include per app."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("portal.urls")),
]

if settings.DEBUG:
    urlpatterns.append(path("styleguide/", include("arapp.styleguide")))
