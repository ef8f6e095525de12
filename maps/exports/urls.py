"""Addresses of exports. They go before those of places, whose pattern would take them."""

from __future__ import annotations

from django.urls import path

from maps.exports import views

urlpatterns = [
    path("<slug:city>/layers/<slug:layer>/export/", views.export, name="layer-export"),
    path("<slug:city>/layers/<slug:layer>/export/codebook.json", views.codebook_json, name="layer-codebook-json"),
    path("<slug:city>/layers/<slug:layer>/export/codebook.csv", views.codebook_csv, name="layer-codebook-csv"),
]
