"""Addresses of pages of organisations, and of councils and committees."""

from __future__ import annotations

from django.urls import path

from maps.organisations import council_views, views

urlpatterns = [
    path("<slug:city>/organisations/", views.organisations, name="organisations"),
    path("<slug:city>/organisations/new/", views.new, name="organisation-new"),
    path("<slug:city>/organisations/<slug:key>/", views.organisation, name="organisation"),
    path("<slug:city>/organisations/<slug:key>/amend/", views.amend, name="organisation-amend"),
    path("<slug:city>/councils/", council_views.councils, name="councils"),
]
