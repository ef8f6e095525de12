"""Priority indices: indicators, weights, and how they are put together."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from analysis.models.indicators import Indicator
from analysis.querysets import IndexQuerySet
from geo.models import Place
from layers.models import Named


class Index(Named):
    """A city's priority index: indicators, weights, and how they are put together."""

    class Normalisation(models.TextChoices):
        """How values become scores from 0 (no need) to 1 (worst)."""

        GOALPOST = "goalpost", _("fixed goalposts")
        MIN_MAX = "min-max", _("minimum to maximum of the city")

    class Aggregation(models.TextChoices):
        """How scores become one."""

        ARITHMETIC = "arithmetic", _("arithmetic mean: a good value fully makes up for a bad one")
        GEOMETRIC = "geometric", _("geometric mean: a bad value is only partly made up for")

    city = models.ForeignKey(Place, verbose_name=_("city"), on_delete=models.CASCADE, related_name="indices")
    code = models.SlugField(_("code"), max_length=60, default="priority")
    normalisation = models.CharField(
        _("normalisation"), max_length=10, choices=Normalisation, default=Normalisation.GOALPOST
    )
    aggregation = models.CharField(_("aggregation"), max_length=10, choices=Aggregation, default=Aggregation.ARITHMETIC)
    cell_m = models.FloatField(_("grid cell (m)"), default=20, help_text=_("Side of a cell of the analysis grid."))

    objects = IndexQuerySet.as_manager()

    class Meta:
        verbose_name = _("priority index")
        verbose_name_plural = _("priority indices")
        ordering = ("city", "code")
        constraints = (
            models.UniqueConstraint(fields=["city", "code"], name="index_code_unique_in_city"),
            models.CheckConstraint(condition=Q(cell_m__gte=1) & Q(cell_m__lte=1000), name="index_cell_in_range"),
        )

    def __str__(self) -> str:
        return f"{self.city.code}/{self.code}"


class Weight(models.Model):
    """How much an indicator counts in an index; weights need not sum to one."""

    index = models.ForeignKey(Index, verbose_name=_("priority index"), on_delete=models.CASCADE, related_name="weights")
    indicator = models.ForeignKey(
        Indicator, verbose_name=_("indicator"), on_delete=models.PROTECT, related_name="weights"
    )
    value = models.FloatField(_("weight"), default=1)

    class Meta:
        verbose_name = _("weight")
        verbose_name_plural = _("weights")
        ordering = ("index", "indicator")
        constraints = (
            models.UniqueConstraint(fields=["index", "indicator"], name="weight_once_per_index"),
            models.CheckConstraint(condition=Q(value__gte=0) & Q(value__lte=1000), name="weight_in_range"),
        )

    def __str__(self) -> str:
        return f"{self.indicator.code}: {self.value:g}"
