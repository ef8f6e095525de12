"""Admin of places and of who may do what where."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import Media
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from geo.admin.geometry import MAP_MEDIA, GeometryMap
from geo.admin.history import HistoryAdmin, NoBulkDelete
from geo.models import Assignment, Change, ChangeSet, Place, Review


def city_code_of(place: Place | None) -> str:
    """Return the code of the city a place lies in or is; empty if there is none."""
    parts = place.path.split("/") if place and place.path else []
    paths = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    return Place.objects.filter(kind=Place.Kind.CITY, path__in=paths).values_list("code", flat=True).first() or ""


@admin.register(Place)
class PlaceAdmin(NoBulkDelete):
    """Places, found by any spelling of their names; the address is fixed once given."""

    list_display = ("name_fa", "name_en", "code", "kind", "path", "is_published", "is_illustrative")
    list_display_links = ("name_fa", "name_en")
    list_filter = ("kind", "is_published", "is_illustrative")
    list_per_page = 50
    search_fields = ("search_name",)
    search_help_text = _("Persian or English name, or code; spelling variants of letters and digits do not matter.")
    autocomplete_fields = ("parent",)
    fields = (
        "kind",
        "code",
        "parent",
        "path",
        "name_fa",
        "name_en",
        "zone",
        "is_published",
        "is_illustrative",
        "boundary_in_force",
    )
    actions = ("publish", "unpublish")

    @property
    def media(self) -> Media:
        """The map library besides what the admin needs."""
        return super().media + MAP_MEDIA

    def get_readonly_fields(self, request: HttpRequest, obj: Place | None = None) -> tuple[str, ...]:
        """Fix kind, code and parent once the place is there: addresses and all places below hang on them."""
        return ("path", "boundary_in_force", "kind", "code", "parent") if obj else ("path", "boundary_in_force")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search by normalised text, as everywhere on the site."""
        return (queryset.matching(search_term) if search_term.strip() else queryset), False  # type: ignore[attr-defined]

    @admin.display(description=_("boundary in force"))
    def boundary_in_force(self, place: Place) -> str | SafeString:
        """Show the approved boundary on the map."""
        edition = place.boundaries.current().first() if place.pk else None
        if edition is None:
            return self.get_empty_value_display()
        return GeometryMap(city_code=city_code_of(place), is_editable=False).render(
            "boundary_in_force", edition.geometry, {"id": "boundary_in_force"}
        )

    @admin.action(description=_("Publish selected places"), permissions=["change"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Place]) -> None:
        """Let everybody see them."""
        self.message_user(request, _("%(n)s places are published now.") % {"n": queryset.update(is_published=True)})

    @admin.action(description=_("Unpublish selected places"), permissions=["change"])
    def unpublish(self, request: HttpRequest, queryset: QuerySet[Place]) -> None:
        """Hide them from the public."""
        self.message_user(
            request, _("%(n)s places are hidden from the public now.") % {"n": queryset.update(is_published=False)}
        )


@admin.register(Assignment)
class AssignmentAdmin(admin.ModelAdmin):
    """Roles of users within places."""

    list_display = ("user", "role", "place")
    list_filter = ("role",)
    list_select_related = ("user", "place")
    search_fields = ("user__username", "user__first_name", "user__last_name", "place__search_name")
    autocomplete_fields = ("user", "place")


class ChangeRows(admin.TabularInline):
    """The places a change set touches."""

    model = Change
    extra = 0
    can_delete = False
    fields = ("place", "base", "boundary", "gained_m2", "lost_m2", "people_gained", "people_lost")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Change]:
        """Leave the geometries out, and read the names in one statement."""
        found: QuerySet[Change] = super().get_queryset(request)
        return found.select_related("place", "base__place", "boundary__place").defer(
            "base__geometry", "boundary__geometry"
        )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: boundaries are drawn in the workbench."""
        return False


class ReviewRows(admin.TabularInline):
    """What was done and said about a change set."""

    model = Review
    extra = 0
    can_delete = False
    fields = ("at", "author", "action", "version", "comment")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Review]:
        """Read the names in one statement."""
        found: QuerySet[Review] = super().get_queryset(request)
        return found.select_related("author")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: change sets are decided in the workbench."""
        return False


@admin.register(ChangeSet)
class ChangeSetAdmin(HistoryAdmin):
    """Edits made together."""

    list_display = ("id", "place", "title", "status", "author", "reviewer", "created_at")
    list_filter = ("status",)
    list_select_related = ("place", "author", "reviewer")
    search_fields = ("place__search_name", "title", "comment", "author__username")
    date_hierarchy = "created_at"
    fields = (
        "place",
        "title",
        "comment",
        "status",
        "version",
        "valid_from",
        "author",
        "created_at",
        "updated_at",
        "reviewer",
        "reviewed_at",
    )
    inlines = (ChangeRows, ReviewRows)
