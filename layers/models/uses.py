"""What a city uses its layers for: to provide services, and to count its people."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from geo.models import Place
from layers.models.catalogue import Layer
from layers.models.taxonomy import Service
from layers.querysets import OfCityQuerySet


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
