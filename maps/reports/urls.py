"""Addresses of printed reports. They go before the addresses of places, whose pattern would not take them but whose order is easier to read so."""

from __future__ import annotations

from django.urls import path

from maps.reports import views

urlpatterns = [
    path("<slug:city>/<slug:place>/brief.pdf", views.place_brief, name="place-brief"),
]
