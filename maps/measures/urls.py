"""Addresses of measures."""

from __future__ import annotations

from django.urls import URLPattern, path

from maps.measures import views

urlpatterns: list[URLPattern] = [path("<slug:city>/measures/", views.measures, name="measures")]
