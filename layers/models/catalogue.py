"""The catalogue: layers, and the releases each is a series of."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from geo.core.text import normalise
from geo.models import Assignment, Place
from layers.models.taxonomy import Theme
from layers.models.wording import Named, Sourced
from layers.partitions import partitions_drop
from layers.querysets import LayerQuerySet, ReleaseQuerySet


class Layer(Named, Sourced):
    """A series of releases of one kind of data about one city."""

    class Kind(models.TextChoices):
        """What the layer's features are."""

        POINT = "point", _("points")
        LINE = "line", _("lines")
        POLYGON = "polygon", _("polygons")
        RASTER = "raster", _("raster")

    class Purpose(models.TextChoices):
        """What the layer stands for, which says which attributes are expected (``fixtures/taxonomy/schemas.toml``)."""

        GENERAL = "general", _("general")
        FACILITIES = "facilities", _("facilities")
        NETWORK = "network", _("network of lines")
        ZONES = "zones", _("service zones")
        POPULATION = "population", _("people")
        ELEVATION = "elevation", _("elevation")
        SLOPE = "slope", _("slope")
        HAZARD = "hazard", _("hazard")

    class Visibility(models.TextChoices):
        """Who sees the layer, in a city that they see."""

        PUBLIC = "public", _("everybody")
        SIGNED_IN = "signed-in", _("everybody who is signed in")
        ASSIGNED = "assigned", _("people with a role in the city")

    city = models.ForeignKey(Place, verbose_name=_("city"), on_delete=models.PROTECT, related_name="layers")
    theme = models.ForeignKey(Theme, verbose_name=_("theme"), on_delete=models.PROTECT, related_name="layers")
    code = models.SlugField(_("code"), max_length=60)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    purpose = models.CharField(_("purpose"), max_length=12, choices=Purpose, default=Purpose.GENERAL)
    description_fa = models.TextField(_("description in Persian"), max_length=2000, blank=True)
    description_en = models.TextField(_("description in English"), max_length=2000, blank=True)
    owner = models.CharField(
        _("owner"), max_length=200, blank=True, help_text=_("The organisation that keeps the data.")
    )
    source = models.CharField(_("source"), max_length=300)
    licence = models.CharField(_("licence"), max_length=200, blank=True)
    renewed_months = models.PositiveSmallIntegerField(
        _("renewed every (months)"), null=True, blank=True, help_text=_("After this time the newest release is old.")
    )
    schema = models.JSONField(
        _("fields"),
        default=list,
        blank=True,
        help_text=_("One object per field: name, type, unit, title_fa, title_en, description."),
    )
    key_field = models.CharField(
        _("key field"), max_length=80, blank=True, help_text=_("The field that names the same thing in every release.")
    )
    visibility = models.CharField(_("seen by"), max_length=10, choices=Visibility, default=Visibility.ASSIGNED)
    seen_by_roles = ArrayField(
        models.CharField(max_length=16, choices=Assignment.Role),
        verbose_name=_("only these roles"),
        default=list,
        blank=True,
        help_text=_("Of the people with a role in the city; empty for all of them."),
    )
    archived_at = models.DateTimeField(
        _("archived at"), null=True, blank=True, help_text=_("No longer offered, but kept for the runs that used it.")
    )
    search_name = models.CharField(max_length=1200, blank=True, editable=False)

    objects = LayerQuerySet.as_manager()

    class Meta:
        verbose_name = _("layer")
        verbose_name_plural = _("layers")
        ordering = ("city", "theme", "code")
        constraints = (
            models.UniqueConstraint(fields=["city", "code"], name="layer_code_unique_in_city"),
            models.CheckConstraint(
                condition=Q(visibility__in=["public", "signed-in", "assigned"]), name="layer_visibility_known"
            ),
        )

    def __str__(self) -> str:
        return f"{self.city.code}/{self.code}"

    def save(self, *args: object, **kwargs: object) -> None:
        """Keep the text that is searched true, then save."""
        if self.visibility != Layer.Visibility.ASSIGNED:
            self.seen_by_roles = []
        words = (
            self.name_fa,
            self.name_en,
            self.code,
            self.owner,
            self.description_fa,
            self.description_en,
            self.source,
        )
        self.search_name = normalise(" ".join(words))[:1200]
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    @property
    def is_published(self) -> bool:
        """Whether everybody sees it, without an account."""
        return self.visibility == Layer.Visibility.PUBLIC


class Release(models.Model):
    """One import of a layer: whole, or not there at all. Never changed afterwards."""

    layer = models.ForeignKey(Layer, verbose_name=_("layer"), on_delete=models.PROTECT, related_name="releases")
    number = models.PositiveIntegerField(_("number"))
    reference_date = models.DateField(
        _("reference date"), null=True, blank=True, help_text=_("The day the data describe.")
    )
    file_name = models.CharField(_("file name"), max_length=255)
    file_sha256 = models.CharField(max_length=64)
    content_hash = models.CharField(max_length=64, help_text=_("Of the rows as stored: equal content, equal hash."))
    row_count = models.PositiveIntegerField(_("rows"))
    shelf = models.PositiveBigIntegerField(
        default=0, editable=False, help_text=_("Which part of the features' table holds its rows; see Feature.shelf.")
    )
    fields = models.JSONField(
        _("fields"), default=list, blank=True, help_text=_("One object per field as imported: name, type, filled.")
    )
    west = models.FloatField(null=True, blank=True, editable=False)
    south = models.FloatField(null=True, blank=True, editable=False)
    east = models.FloatField(null=True, blank=True, editable=False)
    north = models.FloatField(null=True, blank=True, editable=False)
    quality = models.JSONField(
        _("quality"),
        default=dict,
        blank=True,
        help_text=_("Problems found and repaired, by code, and shares of filled fields."),
    )
    difference = models.JSONField(
        _("difference"),
        default=dict,
        blank=True,
        help_text=_("Against the release before: added, removed, moved, changed."),
    )
    how = models.JSONField(
        _("how it was read"),
        default=dict,
        blank=True,
        help_text=_("The options and the mapping of fields it was read with."),
    )
    warnings = models.JSONField(_("warnings"), default=list, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("author"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = ReleaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("release")
        verbose_name_plural = _("releases")
        ordering = ("layer", "-number")
        constraints = (models.UniqueConstraint(fields=["layer", "number"], name="release_number_unique_in_layer"),)

    def __str__(self) -> str:
        return f"{self.layer} v{self.number}"

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete it with all it holds; the table that a large one has of its own goes too."""
        with transaction.atomic():
            partitions_drop([self.shelf])
            return super().delete(*args, **kwargs)

    @property
    def bounds_4326(self) -> tuple[float, float, float, float] | None:
        """West, south, east and north of its rows or pixels in degrees; None where it has none."""
        if self.west is None or self.south is None or self.east is None or self.north is None:
            return None
        return self.west, self.south, self.east, self.north
