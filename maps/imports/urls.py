"""Addresses of uploads. Those of their JSON are the workbench's, whose interface they are a part of: importing adds them."""

from __future__ import annotations

from django.urls import URLPattern, path

from maps.imports import api, views

urlpatterns: list[URLPattern] = [
    path("<slug:city>/layers/import/", views.bring, name="import"),
    path("imports/<uuid:upload>/", views.upload, name="upload"),
    path("imports/<uuid:upload>/state/", views.state, name="upload-state"),
    path("imports/<uuid:upload>/repairs.geojson", views.repairs, name="upload-repairs"),
]

__all__ = ["api", "urlpatterns"]
