"""Addresses of explanations."""

from __future__ import annotations

from django.urls import URLPattern, path

from maps.why import views

urlpatterns: list[URLPattern] = [path("<slug:city>/<slug:place>/why/", views.why, name="why")]
