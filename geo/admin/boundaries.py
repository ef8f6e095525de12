"""Admin of boundary editions: drafts are edited on the map, approved editions only end or are withdrawn."""

from __future__ import annotations

import hashlib
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminDateWidget
from django.contrib.postgres.forms import DateRangeField, RangeWidget
from django.db.models import QuerySet
from django.forms import Media
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from geo.admin.geometry import MAP_MEDIA, GeometryMap, MultiPolygonField
from geo.admin.places import city_code_of
from geo.core.text import normalise
from geo.models import Boundary, Place
from geo.services.boundaries import next_version

_SETTLED = (Boundary.Status.APPROVED, Boundary.Status.WITHDRAWN)


def digest_of(boundary: Boundary) -> str:
    """Return a digest of what an edition says: two people who edit the same draft notice each other by it."""
    said = (
        boundary.status,
        boundary.valid,
        boundary.source,
        boundary.source_fa,
        boundary.certainty,
        boundary.geometry.wkb.hex(),
    )
    return hashlib.sha256(repr(said).encode()).hexdigest()


def _is_in_the_workbench(boundary: Boundary) -> bool:
    return boundary.change_set_id is not None and boundary.status not in _SETTLED


class BoundaryForm(forms.ModelForm):
    """An edition. It carries a digest of the state it was opened with."""

    geometry = MultiPolygonField(label=capfirst(_("geometry")))
    valid = DateRangeField(
        label=capfirst(_("valid")),
        required=True,
        widget=RangeWidget(AdminDateWidget()),
        help_text=_("From (included) to (excluded); an open end means until further notice."),
    )
    opened_state = forms.CharField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Boundary
        fields = ("place", "status", "valid", "source", "source_fa", "certainty", "geometry")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.status in _SETTLED and self.instance.pk:
            del self.fields["geometry"]  # declared above, so it would be asked for and taken
        else:
            self.fields["geometry"].widget.city_code = city_code_of(self._place())  # type: ignore[attr-defined]
        if self.instance.pk:
            self.initial["opened_state"] = digest_of(self.instance)
            if self.instance.status in _SETTLED and "status" in self.fields:
                kept = [choice for choice in Boundary.Status.choices if choice[0] in _SETTLED]
                self.fields["status"].choices = kept  # type: ignore[attr-defined]

    def _place(self) -> Place | None:
        """Return the edition's place, or the one a link to the empty form names."""
        if self.instance.place_id:
            place: Place = self.instance.place
            return place
        named = str(self.data.get("place") or self.initial.get("place") or "")
        return Place.objects.filter(pk=named).first() if named.isdecimal() else None

    def _get_validation_exclusions(self) -> set[str]:
        """Check the place also where it is shown and not asked for: else only the database notices overlapping editions.

        Without a valid status there is nothing to check, and Django's check of the constraint would break.
        """
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded | {"place"} if "status" in excluded else excluded - {"place"}

    def clean(self) -> dict[str, Any]:
        """Refuse what was opened before somebody else saved, and a changed beginning of an approved edition."""
        cleaned: dict[str, Any] = super().clean() or {}
        if self.instance.pk:
            stored = Boundary.objects.select_for_update().get(pk=self.instance.pk)
            if cleaned.get("opened_state") != digest_of(stored):
                raise forms.ValidationError(
                    _(
                        "Somebody saved this edition after you opened it. What you entered is still in this form; "
                        "open the edition in a second window to compare, and enter your change there."
                    ),
                    code="stale",
                )
            if stored.status in _SETTLED and cleaned.get("valid") and cleaned["valid"].lower != stored.valid.lower:
                self.add_error(
                    "valid", _("The beginning of an approved edition stays as it is; only its end may be set.")
                )
        return cleaned


@admin.register(Boundary)
class BoundaryAdmin(admin.ModelAdmin):
    """Boundary editions. An approved one is never overwritten: draw a new edition instead."""

    form = BoundaryForm
    list_display = ("place", "version", "status", "valid", "source", "certainty", "author")
    list_filter = ("status", "certainty", "place__kind")
    list_select_related = ("place", "author")
    list_per_page = 50
    search_fields = ("place__search_name", "source")
    autocomplete_fields = ("place",)
    actions = None

    @property
    def media(self) -> Media:
        """The map library besides what the admin needs."""
        return super().media + MAP_MEDIA

    def get_queryset(self, request: HttpRequest) -> QuerySet[Boundary]:
        """Leave the geometry out of lists."""
        found: QuerySet[Boundary] = super().get_queryset(request)
        return found.defer("geometry")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search by normalised text, as everywhere on the site."""
        return super().get_search_results(request, queryset, normalise(search_term))

    def get_fields(self, request: HttpRequest, obj: Boundary | None = None) -> tuple[str, ...]:
        """Show the geometry of a settled edition without the means to edit it."""
        if obj and obj.status in _SETTLED:
            shown = (
                "place",
                "version",
                "status",
                "valid",
                "source",
                "source_fa",
                "certainty",
                "shape",
                "author",
                "change_set",
                "created_at",
            )
            return (*shown, "opened_state") if obj.status == Boundary.Status.APPROVED else shown
        given = ("place", "status", "valid", "source", "source_fa", "certainty", "geometry")
        return (*given, "author", "change_set", "created_at", "version", "opened_state") if obj else given

    def get_readonly_fields(self, request: HttpRequest, obj: Boundary | None = None) -> tuple[str, ...]:
        """Fix what may not change any more."""
        always = ("author", "change_set", "created_at", "version")
        if obj is None:
            return always
        if obj.status in _SETTLED:
            return (*always, "place", "source", "source_fa", "certainty", "shape")
        return (*always, "place")

    def has_change_permission(self, request: HttpRequest, obj: Boundary | None = None) -> bool:
        """Leave withdrawn editions as they are, and drafts of a change set to the workbench: they are decided together."""
        if obj and (obj.status == Boundary.Status.WITHDRAWN or _is_in_the_workbench(obj)):
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Boundary | None = None) -> bool:
        """Let drafts be thrown away that belong to no change set, and nothing else."""
        is_loose = bool(obj and obj.status == Boundary.Status.DRAFT and not _is_in_the_workbench(obj))
        return is_loose and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Boundary, form: Any, change: bool) -> None:
        """Number a new edition and remember who made it."""
        if not change:
            Place.objects.select_for_update(no_key=True).get(pk=obj.place_id)  # numbers are given one at a time
            obj.version = next_version(obj.place_id)
            obj.author = request.user  # type: ignore[assignment]
        super().save_model(request, obj, form, change)

    @admin.display(description=_("geometry"))
    def shape(self, boundary: Boundary) -> SafeString:
        """Show the geometry on the map."""
        shown = GeometryMap(city_code=city_code_of(boundary.place), is_editable=False)
        return shown.render("shape", boundary.geometry, {"id": "shape"})
