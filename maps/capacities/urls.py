"""Addresses of pages of capacities."""

from __future__ import annotations

from django.urls import path

from maps.capacities import views
from maps.offline.views import worker

urlpatterns = [
    path("<slug:city>/capacities/", views.capacities, name="capacities"),
    path("<slug:city>/capacities/worker.js", worker, name="capacities-worker"),
    path("<slug:city>/capacities/new/", views.new, name="capacity-new"),
    path("<slug:city>/capacities/<int:number>/", views.capacity, name="capacity"),
    path("<slug:city>/capacities/<int:number>/amend/", views.amend, name="capacity-amend"),
]
