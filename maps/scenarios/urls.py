"""Addresses of pages of scenarios."""

from __future__ import annotations

from django.urls import path

from maps.scenarios import views

urlpatterns = [
    path("<slug:city>/what-if/", views.what_if, name="what-if"),
    path("<slug:city>/scenarios/", views.scenario_list, name="scenarios"),
    path("<slug:city>/scenarios/compare/", views.compare, name="scenarios-compare"),
]
