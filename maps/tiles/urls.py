"""Addresses of tiles. Parts of a tile's address are read by the view, which answers a wrong one like any other error."""

from __future__ import annotations

from django.urls import path

from maps.tiles import raster_views as rasters
from maps.tiles import views

urlpatterns = [
    path("tiles/<slug:city>/places.json", views.places_json, name="tiles-places-json"),
    path("tiles/<slug:city>/places/<str:z>/<str:x>/<str:y>.mvt", views.places, name="tiles-places"),
    path("tiles/<slug:city>/layers/<slug:code>.json", views.layer_json, name="tiles-layer-json"),
    path("tiles/<slug:city>/layers/<slug:code>/<str:z>/<str:x>/<str:y>.mvt", views.layer, name="tiles-layer"),
    path("tiles/<slug:city>/terrain.json", views.terrain_json, name="tiles-terrain-json"),
    path("tiles/<slug:city>/terrain/<str:z>/<str:x>/<str:y>.png", views.terrain, name="tiles-terrain"),
    path("tiles/<slug:city>/rasters/<slug:code>.json", rasters.raster_json, name="tiles-raster-json"),
    path("tiles/<slug:city>/rasters/<slug:code>/legend.json", rasters.legend_json, name="tiles-raster-legend"),
    path("tiles/<slug:city>/rasters/<slug:code>/legend.html", rasters.legend_html, name="tiles-raster-legend-html"),
    path("tiles/<slug:city>/rasters/<slug:code>/<str:z>/<str:x>/<str:y>.png", rasters.raster, name="tiles-raster"),
    path("api/<slug:city>/rasters/<slug:code>/value", rasters.value, name="raster-value"),
    path("tiles/<path:rest>", views.unknown, name="tiles-unknown"),
]
