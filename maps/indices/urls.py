"""Addresses of indices."""

from __future__ import annotations

from django.urls import URLPattern, path

from maps.indices import edition_views, views

urlpatterns: list[URLPattern] = [
    path("<slug:city>/index/", views.builder, name="index-builder"),
    path("<slug:city>/index/export", views.export, name="index-export"),
    path("<slug:city>/index/publish/", edition_views.publish, name="index-publish"),
    path("<slug:city>/index/editions/", edition_views.editions, name="index-editions"),
    path("<slug:city>/index/editions/<int:number>/", edition_views.edition, name="index-edition"),
    path("<slug:city>/index/editions/<int:number>/withdraw", edition_views.withdraw, name="index-edition-withdraw"),
    path("<slug:city>/index/editions/<int:number>/export", edition_views.edition_export, name="index-edition-export"),
]
