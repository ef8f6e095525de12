"""Addresses of pages of rounds."""

from __future__ import annotations

from django.urls import path

from maps.rounds import views

urlpatterns = [
    path("<slug:city>/rounds/", views.rounds, name="rounds"),
    path("<slug:city>/rounds/open/", views.opening, name="round-open"),
    path("<slug:city>/rounds/<int:number>/", views.round_page, name="round"),
]
