"""Addresses of weights of institutions."""

from __future__ import annotations

from django.urls import URLPattern, path

from maps.weights import views

urlpatterns: list[URLPattern] = [
    path("<slug:city>/index/weights/", views.compare, name="weights"),
    path("<slug:city>/index/weights/export", views.export, name="weights-export"),
    path("<slug:city>/index/weights/new/", views.new, name="weights-new"),
    path("<slug:city>/index/weights/<int:number>/", views.weight_set, name="weight-set"),
    path("<slug:city>/index/weights/<int:number>/amend/", views.amend, name="weight-set-amend"),
]
