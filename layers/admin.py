"""Admin of layers, what their releases hold, and the services and standards measured with them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, Max, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from geo.admin.history import HistoryAdmin, NoBulkDelete
from layers.models import (
    FrequencyClass,
    Layer,
    PopulationSource,
    Raster,
    Release,
    Service,
    Standard,
    Supply,
    Theme,
    Timetable,
    TravelData,
)


@admin.register(Theme)
class ThemeAdmin(admin.ModelAdmin):
    """Themes, in the order of the catalogue."""

    list_display = ("code", "name_fa", "name_en", "position")
    list_editable = ("position",)
    search_fields = ("code", "name_fa", "name_en")


@admin.register(Layer)
class LayerAdmin(NoBulkDelete):
    """Layers; their data come by import only."""

    list_display = ("code", "city", "name_fa", "name_en", "theme", "kind", "releases_count", "newest", "visibility")
    list_filter = ("city", "theme", "kind", "visibility")
    list_select_related = ("city", "theme")
    search_fields = ("code", "name_fa", "name_en", "source")
    autocomplete_fields = ("city", "theme")
    actions = ("publish", "unpublish")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Layer]:
        """Count the releases along."""
        found: QuerySet[Layer] = super().get_queryset(request)
        return found.annotate(_releases=Count("releases"), _newest=Max("releases__reference_date"))

    def get_readonly_fields(self, request: HttpRequest, obj: Layer | None = None) -> tuple[str, ...]:
        """Fix what releases and addresses hang on."""
        return ("city", "code", "kind") if obj else ()

    @admin.display(description=_("releases"), ordering="_releases")
    def releases_count(self, layer: Any) -> int:
        """How often it was imported."""
        return int(layer._releases)

    @admin.display(description=_("data of"), ordering="_newest")
    def newest(self, layer: Any) -> Any:
        """The day the newest data describe."""
        return layer._newest

    @admin.action(description=_("Publish selected layers"), permissions=["change"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Layer]) -> None:
        """Let everybody see them."""
        changed = Layer.objects.filter(pk__in=queryset.values("pk")).update(visibility=Layer.Visibility.PUBLIC)
        self.message_user(request, _("%(n)s layers are published now.") % {"n": changed})

    @admin.action(description=_("Unpublish selected layers"), permissions=["change"])
    def unpublish(self, request: HttpRequest, queryset: QuerySet[Layer]) -> None:
        """Hide them from the public."""
        changed = Layer.objects.filter(pk__in=queryset.values("pk")).update(visibility=Layer.Visibility.ASSIGNED)
        self.message_user(request, _("%(n)s layers are hidden from the public now.") % {"n": changed})


@admin.register(Release)
class ReleaseAdmin(HistoryAdmin):
    """Imports of layers: what came, from which file, with which warnings."""

    list_display = ("layer", "number", "reference_date", "row_count", "file_name", "created_at")
    list_filter = ("layer__city", "layer__theme")
    list_select_related = ("layer__city",)
    search_fields = ("layer__code", "layer__name_fa", "layer__name_en", "file_name")
    date_hierarchy = "created_at"


@admin.register(Raster)
class RasterAdmin(HistoryAdmin):
    """Rasters of releases."""

    list_display = ("release", "epsg", "width", "height", "pixel_m", "minimum", "maximum", "total")
    list_select_related = ("release__layer__city",)
    search_fields = ("release__layer__code", "file")


@admin.register(Service)
class ServiceAdmin(NoBulkDelete):
    """Services residents need within reach."""

    list_display = ("code", "name_fa", "name_en", "theme", "kind", "position")
    list_filter = ("kind", "theme")
    list_select_related = ("theme",)
    list_editable = ("position",)
    search_fields = ("code", "name_fa", "name_en")


@admin.register(Standard)
class StandardAdmin(admin.ModelAdmin):
    """How near a service should be, and how much of it there should be, with the source."""

    list_display = (
        "service", "kind", "value", "city", "programme", "population_min", "population_max", "source", "is_verified",
    )  # fmt: skip
    list_filter = ("is_verified", "kind", "programme", "service", ("city", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("service", "city")
    search_fields = ("service__code", "service__name_fa", "service__name_en", "source")
    autocomplete_fields = ("service", "city")


@admin.register(FrequencyClass)
class FrequencyClassAdmin(admin.ModelAdmin):
    """Classes of departures a week, with the source."""

    list_display = ("service", "name_fa", "name_en", "departures_week", "city", "source", "is_verified")
    list_filter = ("is_verified", "service", ("city", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("service", "city")
    search_fields = ("service__code", "name_fa", "name_en", "source")
    autocomplete_fields = ("service", "city")


@admin.register(Supply)
class SupplyAdmin(admin.ModelAdmin):
    """Which features provide a service."""

    list_display = ("service", "city", "layer", "where")
    list_filter = ("service", ("city", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("service", "city", "layer__city")
    search_fields = ("service__code", "service__name_fa", "layer__code")
    autocomplete_fields = ("service", "city", "layer")


@admin.register(Timetable)
class TimetableAdmin(admin.ModelAdmin):
    """Where departures are told."""

    list_display = ("service", "city", "lines", "line_field", "departures_field", "stop_field", "match_m")
    list_filter = ("service", ("city", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("service", "city", "lines__city")
    search_fields = ("service__code", "service__name_fa", "lines__code")
    autocomplete_fields = ("service", "city", "lines")


@admin.register(PopulationSource)
class PopulationSourceAdmin(admin.ModelAdmin):
    """Where a city's people are counted."""

    list_display = ("city", "code", "is_main", "layer", "field")
    list_select_related = ("city", "layer__city")
    search_fields = ("city__search_name", "code", "layer__code")
    autocomplete_fields = ("city", "layer")


@admin.register(TravelData)
class TravelDataAdmin(admin.ModelAdmin):
    """What ways in a city are measured on."""

    list_display = ("city", "way", "roads", "elevation", "land_cover")
    list_select_related = ("city", "roads__city", "elevation__city", "land_cover__city")
    search_fields = ("city__search_name", "roads__code")
    autocomplete_fields = ("city", "roads", "elevation", "land_cover")
