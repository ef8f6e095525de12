"""Addresses of pages of settlement form."""

from __future__ import annotations

from django.urls import URLPattern, path

from maps.blocks import views

urlpatterns: list[URLPattern] = [
    path("<slug:city>/blocks/", views.city_blocks, name="city-blocks"),
    path("<slug:city>/blocks/export", views.city_export, name="city-blocks-export"),
    path("<slug:city>/<slug:place>/blocks/", views.place_blocks, name="place-blocks"),
    path("<slug:city>/<slug:place>/blocks/export", views.place_export, name="place-blocks-export"),
    path("<slug:city>/<slug:place>/blocks/plans/<int:number>.geojson", views.plan_geojson, name="blocks-plan-geojson"),
]
