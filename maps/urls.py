"""Addresses of pages, tiles and published maps. Addresses of cities come last, so that no city can take the site's own words."""

from __future__ import annotations

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language

from maps.pages import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.home, name="home"),
    path(
        "accounts/login/",
        LoginView.as_view(template_name="maps/login.html", redirect_authenticated_user=True),
        name="login",
    ),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    path("language/", set_language, name="language"),
    path("api/<slug:city>/results", views.results, name="city-results"),
    path("", include("maps.api.urls")),
    path("", include("maps.tiles.urls")),
    path("", include("maps.published.urls")),
    path("", include("maps.ogc.urls")),
    path("", include("maps.imports.urls")),
    path("", include("maps.exports.urls")),
    path("", include("maps.scenarios.urls")),
    path("", include("maps.measures.urls")),
    path("", include("maps.indices.urls")),
    path("", include("maps.blocks.urls")),
    path("", include("maps.siting.urls")),
    path("", include("maps.weights.urls")),
    path("", include("maps.actions.urls")),
    path("", include("maps.workbench.urls")),
    path("", include("maps.catalogue.urls")),
    path("", include("maps.rounds.urls")),
    path("", include("maps.needs.urls")),
    path("", include("maps.outcomes.urls")),
    path("", include("maps.network.urls")),
    path("", include("maps.organisations.urls")),
    path("", include("maps.capacities.urls")),
    path("", include("maps.notices.urls")),
    path("", include("maps.proposals.urls")),
    path("", include("maps.decisions.urls")),
    path("<slug:city>/", views.city, name="city"),
    path("<slug:city>/coverage/", views.coverage, name="city-coverage"),
    path("", include("maps.reports.urls")),
    path("", include("maps.reviews.urls")),
    path("", include("maps.why.urls")),
    path("<slug:city>/<slug:place>/", views.place, name="place"),
]
