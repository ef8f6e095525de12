"""Addresses of actions, and of the photos and documents that show them and needs."""

from __future__ import annotations

from django.urls import URLPattern, path

from maps.actions import evidence_views, form_views, views

urlpatterns: list[URLPattern] = [
    path("<slug:city>/actions/", views.actions, name="actions"),
    path("<slug:city>/actions/export/", views.export, name="actions-export"),
    path("<slug:city>/actions/new/", form_views.enter, name="action-new"),
    path("<slug:city>/actions/<int:number>/", views.action, name="action"),
    path("<slug:city>/actions/<int:number>/edit/", form_views.amend, name="action-edit"),
    path("<slug:city>/actions/<int:number>/step/", form_views.step, name="action-step"),
    path("<slug:city>/actions/<int:number>/progress/", form_views.progress, name="action-progress"),
    path("<slug:city>/actions/<int:number>/milestones/", form_views.milestones, name="action-milestones"),
    path("<slug:city>/actions/<int:number>/evidence/", evidence_views.add, name="action-evidence"),
    path("evidence/<uuid:evidence>/", evidence_views.whole, name="evidence"),
    path("evidence/<uuid:evidence>/small/", evidence_views.small, name="evidence-small"),
    path("evidence/<uuid:evidence>/change/", evidence_views.change, name="evidence-change"),
]
