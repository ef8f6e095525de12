"""Addresses of measures. Those of their JSON are the workbench's, whose interface they are a part of: importing adds them."""

from __future__ import annotations

from django.urls import URLPattern, path

from maps.measures import api, views

urlpatterns: list[URLPattern] = [path("<slug:city>/measures/", views.measures, name="measures")]

__all__ = ["api", "urlpatterns"]
