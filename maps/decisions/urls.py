"""Addresses of pages of decisions."""

from __future__ import annotations

from django.urls import path

from maps.decisions import views

urlpatterns = [
    path("<slug:city>/rounds/<int:number>/decision/", views.decide, name="decision"),
    path("<slug:city>/rounds/<int:number>/decisions/", views.told, name="decisions"),
]
