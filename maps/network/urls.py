"""Addresses of the network of a country and of its parts."""

from __future__ import annotations

from django.urls import URLPattern, path

from maps.network import views

urlpatterns: list[URLPattern] = [
    path("network/", views.network, name="network"),
    path("network/activate/", views.activate, name="network-activate"),
    path("network/stand-down/", views.stand_down, name="network-stand-down"),
    path("network/<path:path>/", views.network, name="network-part"),
]
