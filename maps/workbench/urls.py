"""Addresses of the workbench's page and of its JSON."""

from __future__ import annotations

from django.urls import path

from maps.workbench import views
from maps.workbench.api import api

urlpatterns = [
    path("api/v1/", api.urls),
    path("api/v1/<path:rest>", views.unknown, name="api-unknown"),
    path("<slug:city>/edit/", views.edit, name="workbench"),
]
