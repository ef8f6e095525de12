"""Addresses of the OGC API – Features service."""

from __future__ import annotations

from django.urls import path

from maps.ogc import views

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
    path("ogc/<path:rest>", views.unknown, name="ogc-unknown"),
]
