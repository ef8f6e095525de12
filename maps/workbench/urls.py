"""Address of the workbench's page."""

from __future__ import annotations

from django.urls import path

from maps.workbench import views

urlpatterns = [path("<slug:city>/edit/", views.edit, name="workbench")]
