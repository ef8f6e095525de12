"""Addresses of uploads."""

from __future__ import annotations

from django.urls import URLPattern, path

from maps.imports import views

urlpatterns: list[URLPattern] = [
    path("<slug:city>/layers/import/", views.bring, name="import"),
    path("imports/<uuid:upload>/", views.upload, name="upload"),
    path("imports/<uuid:upload>/state/", views.state, name="upload-state"),
    path("imports/<uuid:upload>/repairs.geojson", views.repairs, name="upload-repairs"),
]
