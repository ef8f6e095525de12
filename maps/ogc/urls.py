"""Addresses of the OGC API – Features and – Tiles services."""

from __future__ import annotations

from django.urls import path

from maps.ogc import views
from maps.ogc.layers import views as layers

_ONE = "ogc/collections/<str:identifier>"
_TILES = f"{_ONE}/tiles/<str:matrix_set>"

urlpatterns = [
    path("ogc/", views.landing, name="ogc"),
    path("ogc/api", views.api, name="ogc-api"),
    path("ogc/conformance", views.conformance, name="ogc-conformance"),
    path("ogc/collections", views.collections, name="ogc-collections"),
    path("ogc/collections/boundaries", views.collection, name="ogc-collection"),
    path("ogc/collections/boundaries/queryables", views.queryables, name="ogc-queryables"),
    path("ogc/collections/boundaries/schema", views.schema, name="ogc-schema"),
    path("ogc/collections/boundaries/items", views.items, name="ogc-items"),
    path("ogc/collections/boundaries/items/<str:identifier>", views.item, name="ogc-item"),
    path("ogc/tileMatrixSets", layers.matrix_sets, name="ogc-matrix-sets"),
    path("ogc/tileMatrixSets/<str:name>", layers.matrix_set, name="ogc-matrix-set"),
    path(_ONE, layers.collection, name="ogc-layer"),
    path(f"{_ONE}/queryables", layers.queryables, name="ogc-layer-queryables"),
    path(f"{_ONE}/schema", layers.schema, name="ogc-layer-schema"),
    path(f"{_ONE}/items", layers.features, name="ogc-layer-items"),
    path(f"{_ONE}/items/<str:number>", layers.feature, name="ogc-layer-item"),
    path(f"{_ONE}/tiles", layers.tilesets, name="ogc-tilesets"),
    path(_TILES, layers.tileset, name="ogc-tileset"),
    path(f"{_TILES}/<str:z>/<str:y>/<str:x>", layers.tile, name="ogc-tile"),
    path(f"{_ONE}/styles", layers.style_list, name="ogc-styles"),
    path(f"{_ONE}/styles/default", layers.style, name="ogc-style"),
    path("ogc/<path:rest>", views.unknown, name="ogc-unknown"),
]
