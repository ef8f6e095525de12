"""Admin of what is measured (indicators, indices) and of what was computed (runs)."""

from __future__ import annotations

from django.contrib import admin

from analysis.models import (
    Index,
    IndexEdition,
    Indicator,
    IndicatorValue,
    NationalCity,
    NationalRun,
    Run,
    Scenario,
    Weight,
)
from geo.admin.history import HistoryAdmin, NoBulkDelete


@admin.register(Indicator)
class IndicatorAdmin(NoBulkDelete):
    """Indicators with their goalposts."""

    list_display = (
        "code",
        "name_fa",
        "name_en",
        "domain",
        "origin",
        "service",
        "measure",
        "unit",
        "direction",
        "goalpost_low",
        "goalpost_high",
    )
    list_filter = ("domain", "origin", "direction")
    list_select_related = ("service",)
    search_fields = ("code", "name_fa", "name_en", "service__code")
    autocomplete_fields = ("service",)


@admin.register(IndicatorValue)
class IndicatorValueAdmin(HistoryAdmin):
    """Values of indicators: looked at here and changed by the services."""

    list_display = ("indicator", "place", "year_begins_on", "kind", "value", "error", "replaced_at")
    list_filter = ("kind", "indicator")
    list_select_related = ("indicator", "place")


class WeightInline(admin.TabularInline):
    """The weights of an index."""

    model = Weight
    extra = 0
    autocomplete_fields = ("indicator",)


@admin.register(Index)
class IndexAdmin(NoBulkDelete):
    """Priority indices of cities, with their weights."""

    list_display = ("code", "city", "name_fa", "name_en", "normalisation", "aggregation")
    list_filter = ("normalisation", "aggregation", ("city", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("city",)
    search_fields = ("code", "name_fa", "name_en", "city__search_name")
    autocomplete_fields = ("city",)
    inlines = (WeightInline,)


@admin.register(Run)
class RunAdmin(HistoryAdmin):
    """Computations: what went in, how, and what came out."""

    list_display = ("id", "kind", "city", "created_at", "author", "duration_ms", "code_version")
    list_filter = ("kind", ("city", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("city", "author")
    search_fields = ("city__search_name", "input_hash", "author__username")
    date_hierarchy = "created_at"


@admin.register(NationalRun)
class NationalRunAdmin(HistoryAdmin):
    """Runs of all cities of a country."""

    list_display = ("id", "country", "created_at", "finished_at", "code_version")
    list_filter = (("country", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("country",)
    search_fields = ("country__search_name",)
    date_hierarchy = "created_at"


@admin.register(NationalCity)
class NationalCityAdmin(HistoryAdmin):
    """Cities of national runs: their runs or their problem, and what they took."""

    list_display = ("id", "national", "city", "people", "places", "cells", "seconds", "memory_mb", "done_at")
    list_filter = ("national",)
    list_select_related = ("national__country", "city")
    search_fields = ("city__search_name",)
    raw_id_fields = ("city", "coverage", "priority")


@admin.register(Scenario)
class ScenarioAdmin(HistoryAdmin):
    """Scenarios, changed where they are drawn."""

    list_display = ("name", "city", "author", "is_shared", "version", "saved_at", "archived_at")
    list_filter = ("is_shared", ("city", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("city", "author")
    search_fields = ("name", "city__search_name", "author__username")
    date_hierarchy = "saved_at"


@admin.register(IndexEdition)
class IndexEditionAdmin(HistoryAdmin):
    """Published indices: what they show never changes."""

    list_display = ("number", "city", "title_fa", "published_at", "withdrawn_at", "author")
    list_filter = (("withdrawn_at", admin.EmptyFieldListFilter), ("city", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("city", "author")
    search_fields = ("title_fa", "title_en", "city__search_name")
    date_hierarchy = "published_at"
    fields = (
        "number", "city", "title_fa", "title_en", "note", "run", "author", "published_at", "withdrawn_at", "withdrawn_by",
        "withdrawn_reason",
    )  # fmt: skip
