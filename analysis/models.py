"""What is measured (indicators, indices) and what was computed (runs)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from analysis.querysets import IndexQuerySet, IndicatorQuerySet, RunQuerySet
from geo.models import Place
from layers.models import Named, Service


class Indicator(Named):
    """One number per place: what it is, its unit, and which values are good and bad."""

    class Measure(models.TextChoices):
        """How the indicator is computed from coverage."""

        UNCOVERED_SHARE = "uncovered-share", _("share of people not covered")
        MEAN_DISTANCE = "mean-distance", _("mean distance")

    class Direction(models.TextChoices):
        """Whether a higher value means more need or less."""

        MORE_IS_WORSE = "more-is-worse", _("more is worse")
        MORE_IS_BETTER = "more-is-better", _("more is better")

    code = models.SlugField(_("code"), max_length=80, unique=True)
    service = models.ForeignKey(Service, verbose_name=_("service"), on_delete=models.PROTECT, related_name="indicators")
    measure = models.CharField(_("measure"), max_length=20, choices=Measure)
    unit = models.CharField(_("unit"), max_length=20)
    direction = models.CharField(_("direction"), max_length=20, choices=Direction, default=Direction.MORE_IS_WORSE)
    goalpost_low = models.FloatField(_("lower goalpost"))
    goalpost_high = models.FloatField(_("upper goalpost"))

    objects = IndicatorQuerySet.as_manager()

    class Meta:
        verbose_name = _("indicator")
        verbose_name_plural = _("indicators")
        ordering = ("service__position", "code")
        constraints = (
            models.CheckConstraint(
                condition=Q(goalpost_low__lt=F("goalpost_high")), name="indicator_goalposts_ordered"
            ),
        )

    def __str__(self) -> str:
        return self.name


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


class Run(models.Model):
    """One computation: what went in, how, and what came out. Never changed afterwards."""

    class Kind(models.TextChoices):
        """Which analysis."""

        COVERAGE = "coverage", _("coverage")
        PRIORITY = "priority", _("priority")
        OVERLAY = "overlay", _("overlay")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    city = models.ForeignKey(Place, verbose_name=_("city"), on_delete=models.PROTECT, related_name="runs")
    parameters = models.JSONField(_("parameters"))
    inputs = models.JSONField(_("inputs"), help_text=_("Boundary editions and layer releases used, with their hashes."))
    input_hash = models.CharField(max_length=64, db_index=True)
    code_version = models.CharField(_("code version"), max_length=60)
    seed = models.BigIntegerField(_("seed"), null=True, blank=True, help_text=_("Empty where nothing random is done."))
    warnings = models.JSONField(_("warnings"), default=list)
    result = models.JSONField(_("result"))
    duration_ms = models.FloatField(_("duration (ms)"))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("author"), on_delete=models.PROTECT, null=True, blank=True
    )

    objects = RunQuerySet.as_manager()

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return f"{self.kind} {self.city.code} #{self.pk}"
