"""Addresses of siting."""

from __future__ import annotations

from django.urls import URLPattern, path

from maps.siting import views

urlpatterns: list[URLPattern] = [
    path("<slug:city>/siting/", views.siting, name="siting"),
    path("<slug:city>/siting/<int:number>/", views.plan, name="siting-plan"),
    path("<slug:city>/siting/<int:number>/export", views.export, name="siting-plan-export"),
    path("<slug:city>/siting/<int:number>/sites.geojson", views.sites_geojson, name="siting-plan-geojson"),
    path("<slug:city>/siting/orders/<uuid:key>/", views.order, name="siting-order"),
]
