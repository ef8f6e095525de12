"""What releases hold: features, or a raster."""

from __future__ import annotations

from django.contrib.gis.db.models import GeometryField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from geo.core.crs import STORAGE_EPSG, TILE_EPSG
from geo.db.fields import InTileCrs, geometry_constraints
from layers.models.catalogue import Release
from layers.querysets import FeatureQuerySet, OfReleaseQuerySet


class Feature(models.Model):
    """One point, line or polygon of a release.

    The table is partitioned by ``shelf``: 0 is shared by all small releases, a large release has one of its own, named by its key,
    which is filled and then indexed in one go. ``Feature.objects.of(release)`` names both, so that PostgreSQL looks at one partition.
    """

    pk = models.CompositePrimaryKey("release_id", "number")
    release = models.ForeignKey(
        Release, verbose_name=_("release"), on_delete=models.CASCADE, related_name="features", db_index=False
    )
    number = models.PositiveIntegerField(_("row"), help_text=_("Row in the file, from 1."))
    shelf = models.PositiveBigIntegerField(default=0, editable=False)
    name = models.CharField(_("name"), max_length=300, blank=True)
    geometry = GeometryField(_("geometry"), srid=STORAGE_EPSG, spatial_index=False)
    geometry_3857 = models.GeneratedField(
        expression=InTileCrs(F("geometry")),
        output_field=GeometryField(srid=TILE_EPSG, spatial_index=False),
        db_persist=True,
    )
    attributes = models.JSONField(_("attributes"), default=dict, blank=True)

    objects = FeatureQuerySet.as_manager()

    class Meta:
        verbose_name = _("feature")
        verbose_name_plural = _("features")
        ordering = ("release", "number")
        # What is in a release's own table is never edited: its reader has looked at each shape before it wrote them all.
        constraints = (*geometry_constraints("feature", or_valid_as=Q(shelf__gt=0)),)

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
    mean = models.FloatField(_("mean"), null=True, blank=True)
    deviation = models.FloatField(_("standard deviation"), null=True, blank=True)
    histogram = models.JSONField(
        _("histogram"), default=dict, blank=True, help_text=_("Edges of classes and pixels in each.")
    )

    objects = OfReleaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("raster")
        verbose_name_plural = _("rasters")

    def __str__(self) -> str:
        return self.file
