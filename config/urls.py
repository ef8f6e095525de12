"""All addresses of the site. Addresses of cities come last, so that no city can take the site's own words."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def healthz(request: HttpRequest) -> HttpResponse:
    """Say that the server runs; asks nothing of the database."""
    return HttpResponse("ok", content_type="text/plain")


admin.autodiscover()
urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("admin/", admin.site.urls),
    path("", include("maps.urls")),
]
