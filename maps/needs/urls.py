"""Addresses of pages of needs."""

from __future__ import annotations

from django.urls import path

from maps.needs import views
from maps.offline.views import worker

urlpatterns = [
    path("<slug:city>/needs/", views.needs, name="needs"),
    path("<slug:city>/needs/worker.js", worker, name="needs-worker"),
    path("<slug:city>/needs/report/", views.report, name="need-report"),
    path("<slug:city>/needs/<int:number>/", views.need_page, name="need"),
    path("<slug:city>/needs/<int:number>/amend/", views.amend, name="need-amend"),
    path("<slug:city>/needs/<int:number>/photos/", views.photos, name="need-photos"),
]
