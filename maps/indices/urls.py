"""Addresses of indices."""

from __future__ import annotations

from django.urls import URLPattern, path

from maps.indices import views

urlpatterns: list[URLPattern] = [path("<slug:city>/index/", views.builder, name="index-builder")]
