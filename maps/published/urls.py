"""Addresses of published maps and of publishing."""

from __future__ import annotations

from django.urls import path

from maps.published import views

urlpatterns = [
    path("m/<slug:slug>/", views.publication, name="publication"),
    path("m/<slug:slug>/map.html", views.map_page, name="publication-map"),
    path("m/<slug:slug>/download.geojson", views.download_geojson, name="publication-geojson"),
    path("m/<slug:slug>/download.csv", views.download_csv, name="publication-csv"),
    path("m/<slug:slug>/withdraw/", views.withdraw, name="publication-withdraw"),
    path("<slug:city>/publish/", views.publish, name="publish"),
]
