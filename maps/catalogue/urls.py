"""Addresses of the catalogue. They go before those of places, whose pattern would take them."""

from __future__ import annotations

from django.urls import path

from maps.catalogue import attachment_views, edit_views, restoring_views, views

urlpatterns = [
    path("layers/", views.layers, name="layers"),
    path("<slug:city>/layers/", views.city_layers, name="city-layers"),
    path("<slug:city>/layers/<slug:layer>/", views.layer, name="layer"),
    path("<slug:city>/layers/<slug:layer>/edit/", edit_views.edit, name="layer-edit"),
    path("<slug:city>/layers/<slug:layer>/archive/", edit_views.archive, name="layer-archive"),
    path(
        "<slug:city>/layers/<slug:layer>/releases/<int:number>/restore/",
        restoring_views.restore,
        name="release-restore",
    ),
    path("<slug:city>/layers/<slug:layer>/rows/<int:number>/", views.row, name="layer-row"),
    path(
        "<slug:city>/layers/<slug:layer>/rows/<int:number>/attachments/",
        attachment_views.add,
        name="attachment-add",
    ),
    path("attachments/<uuid:attachment>/", attachment_views.whole, name="attachment"),
    path("attachments/<uuid:attachment>/small/", attachment_views.small, name="attachment-small"),
    path("attachments/<uuid:attachment>/change/", attachment_views.change, name="attachment-change"),
]
