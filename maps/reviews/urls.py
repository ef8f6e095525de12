"""Addresses of change sets, histories and past days. They go before the addresses of places, whose pattern would take them."""

from __future__ import annotations

from django.urls import path

from maps.reviews import history_views, views

urlpatterns = [
    path("<slug:city>/changes/", views.changes, name="changes"),
    path("<slug:city>/changes/<int:number>/", views.change, name="change"),
    path("<slug:city>/as-of/", history_views.as_of, name="as-of"),
    path("<slug:city>/<slug:place>/history/", history_views.history, name="history"),
]
