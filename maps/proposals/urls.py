"""Addresses of pages of proposals."""

from __future__ import annotations

from django.urls import path

from maps.proposals import views

urlpatterns = [
    path("<slug:city>/proposals/", views.proposals, name="proposals"),
    path("<slug:city>/proposals/new/", views.new, name="proposal-new"),
    path("<slug:city>/proposals/<int:number>/", views.proposal_page, name="proposal"),
    path("<slug:city>/proposals/<int:number>/edit/", views.edit, name="proposal-edit"),
]
