"""Addresses of the page of notices."""

from __future__ import annotations

from django.urls import URLPattern, path

from maps.notices import views

urlpatterns: list[URLPattern] = [
    path("notices/", views.notices, name="notices"),
    path("notices/read/", views.read, name="notices-read"),
    path("notices/mail/", views.mail, name="notices-mail"),
]
