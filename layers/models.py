"""Layers, their releases, what the releases hold, and the services and standards measured with them."""

from __future__ import annotations

from django.contrib.gis.db.models import GeometryField
from django.contrib.postgres.indexes import GistIndex
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from geo.core.crs import STORAGE_EPSG, TILE_EPSG
from geo.db.fields import InTileCrs, geometry_constraints
from geo.models import Place
from layers.querysets import LayerQuerySet, OfCityQuerySet, OfReleaseQuerySet, ReleaseQuerySet, TaxonomyQuerySet


class Named(models.Model):
    """A Persian and an English name."""

    name_fa = models.CharField(_("Persian name"), max_length=200)
    name_en = models.CharField(_("English name"), max_length=200)

    class Meta:
        abstract = True

    @property
    def name(self) -> str:
        """The name in the language of the reader."""
        return self.name_en if get_language() == "en" else self.name_fa


class Sourced(models.Model):
    """Where something comes from, in the words of the source and in Persian."""

    source_fa = models.CharField(
        _("source in Persian"), max_length=400, blank=True, help_text=_("Shown on Persian pages; the source if empty.")
    )

    class Meta:
        abstract = True

    @property
    def source_text(self) -> str:
        """The source in the language of the reader."""
        source: str = self.source  # type: ignore[attr-defined]
        return source if get_language() == "en" else self.source_fa or source


class Theme(Named):
    """What a layer is about: health, education, water and so on."""

    code = models.SlugField(_("code"), max_length=60, unique=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    objects = TaxonomyQuerySet.as_manager()

    class Meta:
        verbose_name = _("theme")
        verbose_name_plural = _("themes")
        ordering = ("position", "code")

    def __str__(self) -> str:
        return self.name


class Layer(Named, Sourced):
    """A series of releases of one kind of data about one city."""

    class Kind(models.TextChoices):
        """What the layer's features are."""

        POINT = "point", _("points")
        LINE = "line", _("lines")
        POLYGON = "polygon", _("polygons")
        RASTER = "raster", _("raster")

    city = models.ForeignKey(Place, verbose_name=_("city"), on_delete=models.PROTECT, related_name="layers")
    theme = models.ForeignKey(Theme, verbose_name=_("theme"), on_delete=models.PROTECT, related_name="layers")
    code = models.SlugField(_("code"), max_length=60)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    source = models.CharField(_("source"), max_length=300)
    licence = models.CharField(_("licence"), max_length=200, blank=True)
    is_published = models.BooleanField(
        _("published"), default=False, help_text=_("Seen by everybody, without an account.")
    )

    objects = LayerQuerySet.as_manager()

    class Meta:
        verbose_name = _("layer")
        verbose_name_plural = _("layers")
        ordering = ("city", "theme", "code")
        constraints = (models.UniqueConstraint(fields=["city", "code"], name="layer_code_unique_in_city"),)

    def __str__(self) -> str:
        return f"{self.city.code}/{self.code}"


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
    warnings = models.JSONField(_("warnings"), default=list, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = ReleaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("release")
        verbose_name_plural = _("releases")
        ordering = ("layer", "-number")
        constraints = (models.UniqueConstraint(fields=["layer", "number"], name="release_number_unique_in_layer"),)

    def __str__(self) -> str:
        return f"{self.layer} v{self.number}"


class Feature(models.Model):
    """One point, line or polygon of a release."""

    release = models.ForeignKey(
        Release, verbose_name=_("release"), on_delete=models.CASCADE, related_name="features", db_index=False
    )
    number = models.PositiveIntegerField(_("row"), help_text=_("Row in the file, from 1."))
    name = models.CharField(_("name"), max_length=300, blank=True)
    geometry = GeometryField(_("geometry"), srid=STORAGE_EPSG, spatial_index=True)
    geometry_3857 = models.GeneratedField(
        expression=InTileCrs(F("geometry")),
        output_field=GeometryField(srid=TILE_EPSG, spatial_index=False),
        db_persist=True,
    )
    attributes = models.JSONField(_("attributes"), default=dict, blank=True)

    objects = OfReleaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("feature")
        verbose_name_plural = _("features")
        ordering = ("release", "number")
        constraints = (
            models.UniqueConstraint(fields=["release", "number"], name="feature_number_unique_in_release"),
            *geometry_constraints("feature"),
        )
        indexes = (GistIndex(F("release"), F("geometry_3857"), name="feature_release_tile"),)

    def __str__(self) -> str:
        return self.name or f"#{self.number}"


class Raster(models.Model):
    """The raster of a release: a cloud-optimised GeoTIFF in the raster folder."""

    release = models.OneToOneField(Release, verbose_name=_("release"), on_delete=models.CASCADE, related_name="raster")
    file = models.CharField(_("file"), max_length=255, help_text=_("Path inside the raster folder."))
    epsg = models.PositiveIntegerField(_("EPSG code"))
    width = models.PositiveIntegerField(_("columns"))
    height = models.PositiveIntegerField(_("rows"))
    pixel_m = models.FloatField(_("pixel size (m)"), null=True, blank=True)
    minimum = models.FloatField(_("minimum"), null=True, blank=True)
    maximum = models.FloatField(_("maximum"), null=True, blank=True)
    total = models.FloatField(_("total"), null=True, blank=True)

    objects = OfReleaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("raster")
        verbose_name_plural = _("rasters")

    def __str__(self) -> str:
        return self.file


class Service(Named):
    """Something residents need within reach: a clinic, a school, a water main."""

    class Kind(models.TextChoices):
        """How reach is measured: to a facility, or to a main of a network. The two are never mixed."""

        FACILITY = "facility", _("facility")
        UTILITY = "utility", _("utility main")

    code = models.SlugField(_("code"), max_length=60, unique=True)
    theme = models.ForeignKey(Theme, verbose_name=_("theme"), on_delete=models.PROTECT, related_name="services")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.FACILITY)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    objects = TaxonomyQuerySet.as_manager()

    class Meta:
        verbose_name = _("service")
        verbose_name_plural = _("services")
        ordering = ("position", "code")

    def __str__(self) -> str:
        return self.name


class Standard(Sourced):
    """How near a service should be, according to some source; a city's own goes before the general one."""

    service = models.ForeignKey(Service, verbose_name=_("service"), on_delete=models.CASCADE, related_name="standards")
    city = models.ForeignKey(
        Place, verbose_name=_("city"), on_delete=models.CASCADE, null=True, blank=True, related_name="standards"
    )
    threshold_m = models.FloatField(_("threshold (m)"), validators=[MinValueValidator(1)])
    source = models.CharField(_("source"), max_length=400)
    is_verified = models.BooleanField(
        _("verified"), default=False, help_text=_("Checked against the official text by somebody with the right.")
    )

    objects = OfCityQuerySet.as_manager()

    class Meta:
        verbose_name = _("standard")
        verbose_name_plural = _("standards")
        ordering = ("service", "city")
        constraints = (
            models.UniqueConstraint(
                fields=["service", "city"], nulls_distinct=False, name="standard_once_per_service_and_city"
            ),
            models.CheckConstraint(
                condition=Q(threshold_m__gt=0) & Q(threshold_m__lte=100_000), name="standard_threshold_in_range"
            ),
        )

    def __str__(self) -> str:
        return f"{self.service.code}: {self.threshold_m:g} m"


class Supply(models.Model):
    """Which features of a city's layer provide a service."""

    city = models.ForeignKey(Place, verbose_name=_("city"), on_delete=models.CASCADE, related_name="supplies")
    service = models.ForeignKey(Service, verbose_name=_("service"), on_delete=models.PROTECT, related_name="supplies")
    layer = models.ForeignKey(Layer, verbose_name=_("layer"), on_delete=models.PROTECT, related_name="supplies")
    where = models.JSONField(
        _("only where"),
        default=dict,
        blank=True,
        help_text=_("Attribute values a feature must have, such as {“atencao”: “Sim”}."),
    )

    objects = OfCityQuerySet.as_manager()

    class Meta:
        verbose_name = _("supply")
        verbose_name_plural = _("supplies")
        ordering = ("city", "service")
        constraints = (models.UniqueConstraint(fields=["city", "service"], name="supply_once_per_service_and_city"),)

    def __str__(self) -> str:
        return f"{self.city.code}: {self.service.code} ← {self.layer.code}"


class PopulationSource(models.Model):
    """Where a city's people are counted: a raster, or polygons with a field of people.

    Source and date of the numbers are those of the layer where none are given.
    """

    city = models.OneToOneField(
        Place, verbose_name=_("city"), on_delete=models.CASCADE, related_name="population_source"
    )
    layer = models.ForeignKey(Layer, verbose_name=_("layer"), on_delete=models.PROTECT, related_name="+")
    field = models.CharField(
        _("field"), max_length=80, blank=True, help_text=_("Empty for a raster of people per pixel.")
    )
    source = models.CharField(
        _("source"), max_length=400, blank=True, help_text=_("Of the numbers; the layer's if empty.")
    )
    source_fa = models.CharField(_("source in Persian"), max_length=400, blank=True)
    reference_date = models.DateField(
        _("reference date"), null=True, blank=True, help_text=_("The day the numbers describe; the layer's if empty.")
    )

    objects = OfCityQuerySet.as_manager()

    class Meta:
        verbose_name = _("population source")
        verbose_name_plural = _("population sources")

    def __str__(self) -> str:
        return f"{self.city.code}: {self.layer.code}"
