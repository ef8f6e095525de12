"""Addresses of what changed. Those of the network come before `maps.network`, whose paths would take them in."""

from __future__ import annotations

from django.urls import URLPattern, path

from maps.outcomes import form_views, views

urlpatterns: list[URLPattern] = [
    path("<slug:city>/changed/", views.in_city, name="changed"),
    path("<slug:city>/changed/<int:year>/", views.in_city, name="changed-in"),
    path("<slug:city>/changed/enter/", form_views.enter, name="outcome-enter"),
    path("<slug:city>/changed/retract/", form_views.retract, name="outcome-retract"),
    path("<slug:city>/changed/import/", form_views.bring, name="outcomes-import"),
    path("<slug:city>/changed/export/", views.export_of_city, name="outcomes-export"),
    path("network/<path:path>/changed/", views.in_network, name="network-changed"),
    path("network/<path:path>/changed/<int:year>/", views.in_network, name="network-changed-in"),
    path("network/<path:path>/changed/import/", form_views.bring_to_network, name="network-outcomes-import"),
    path("network/<path:path>/changed/export/", views.export_of_network, name="network-outcomes-export"),
]
