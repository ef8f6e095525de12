"""Indicators and their values: what is measured in places."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from analysis.querysets import IndicatorQuerySet, IndicatorValueQuerySet
from geo.models import Place
from layers.models import Named, Service, Sourced


class Indicator(Named):
    """One number per place: what it says, where it comes from, its unit, and which values are good and bad.

    Indicators computed from coverage name a service; the others are counted, surveyed or read from a map, and their values stored.
    """

    class Domain(models.TextChoices):
        """The seven domains of the national programme, and what nature threatens."""

        SOCIAL = "social", _("social")
        ECONOMIC = "economic", _("economic")
        CULTURAL = "cultural", _("cultural")
        LIVELIHOOD = "livelihood", _("livelihood")
        WELFARE = "welfare", _("welfare")
        HEALTH = "health", _("health")
        INFRASTRUCTURE = "infrastructure", _("infrastructure")
        HAZARD = "hazard", _("hazard")

    class Origin(models.TextChoices):
        """Where values come from."""

        COVERAGE = "coverage", _("computed from coverage")
        NEEDS = "needs", _("counted from reported needs")
        CENSUS = "census", _("census")
        SURVEY = "survey", _("survey")
        REGISTER = "register", _("register of an institution")
        RASTER = "raster", _("read from a map")

    class Measure(models.TextChoices):
        """How the indicator is computed from coverage."""

        UNCOVERED_SHARE = "uncovered-share", _("share of people not covered")
        MEAN_DISTANCE = "mean-distance", _("mean distance")

    class Direction(models.TextChoices):
        """Whether a higher value means more need or less."""

        MORE_IS_WORSE = "more-is-worse", _("more is worse")
        MORE_IS_BETTER = "more-is-better", _("more is better")

    COMPUTED = (Origin.COVERAGE, Origin.NEEDS)
    """Origins whose values are computed; those of the others are brought by people and stored."""

    code = models.SlugField(_("code"), max_length=80, unique=True)
    domain = models.CharField(_("domain"), max_length=16, choices=Domain)
    origin = models.CharField(_("origin"), max_length=10, choices=Origin)
    service = models.ForeignKey(
        Service,
        verbose_name=_("service"),
        on_delete=models.PROTECT,
        related_name="indicators",
        null=True,
        blank=True,
        help_text=_("Of what is computed from coverage."),
    )
    measure = models.CharField(_("measure"), max_length=20, choices=Measure, blank=True)
    unit = models.CharField(_("unit"), max_length=20)
    direction = models.CharField(_("direction"), max_length=20, choices=Direction, default=Direction.MORE_IS_WORSE)
    definition_fa = models.TextField(_("Persian definition"), blank=True)
    definition_en = models.TextField(_("English definition"), blank=True)
    goalpost_low = models.FloatField(_("lower goalpost"), null=True, blank=True)
    goalpost_high = models.FloatField(_("upper goalpost"), null=True, blank=True)
    every_months = models.PositiveSmallIntegerField(
        _("measured every (months)"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(240)]
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    objects = IndicatorQuerySet.as_manager()

    class Meta:
        verbose_name = _("indicator")
        verbose_name_plural = _("indicators")
        ordering = ("position", "code")
        constraints = (
            models.CheckConstraint(
                condition=Q(goalpost_low__isnull=True, goalpost_high__isnull=True)
                | Q(goalpost_low__isnull=False, goalpost_low__lt=F("goalpost_high")),
                name="indicator_goalposts_ordered",
                violation_error_message=_("Give both goalposts, the lower one below the upper, or none."),
            ),
            models.CheckConstraint(
                condition=Q(origin="coverage", service__isnull=False, measure__in=["uncovered-share", "mean-distance"])
                | ~Q(origin="coverage") & Q(service__isnull=True, measure=""),
                name="indicator_of_coverage_names_service",
                violation_error_message=_(
                    "What is computed from coverage names a service and a measure; nothing else does."
                ),
            ),
        )

    def __str__(self) -> str:
        return self.name


class IndicatorValue(Sourced):
    """A value of an indicator in a place and year: what it was before, what it should become, what it became."""

    class Kind(models.TextChoices):
        """Which of the three."""

        BASELINE = "baseline", _("baseline")
        TARGET = "target", _("target")
        MEASURED = "measured", _("measured")

    indicator = models.ForeignKey(
        Indicator, verbose_name=_("indicator"), on_delete=models.PROTECT, related_name="values"
    )
    place = models.ForeignKey(Place, verbose_name=_("place"), on_delete=models.PROTECT, related_name="indicator_values")
    # A year of the Iranian calendar begins in March: years are told by their first day.
    year_begins_on = models.DateField(_("first day of the year"))
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    value = models.FloatField(_("value"), validators=[MinValueValidator(-1e12), MaxValueValidator(1e12)])
    error = models.FloatField(
        _("standard error"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(1e12)],
        help_text=_("Empty where it is not known; 0 for a full count."),
    )
    source = models.CharField(_("source"), max_length=400)
    entered_at = models.DateTimeField(_("entered at"), default=timezone.now)
    replaced_at = models.DateTimeField(
        _("replaced at"), null=True, blank=True, help_text=_("When a corrected value took its place.")
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("author"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )

    objects = IndicatorValueQuerySet.as_manager()

    class Meta:
        verbose_name = _("value of an indicator")
        verbose_name_plural = _("values of indicators")
        ordering = ("place", "indicator", "year_begins_on", "kind", "id")
        constraints = (
            models.UniqueConstraint(
                fields=["indicator", "place", "year_begins_on", "kind"],
                condition=Q(replaced_at__isnull=True),
                name="indicator_value_once_in_force",
            ),
            models.CheckConstraint(
                condition=Q(value__gte=-1e12, value__lte=1e12)
                & (Q(error__isnull=True) | Q(error__gte=0, error__lte=1e12)),
                name="indicator_value_in_range",
            ),
        )

    def __str__(self) -> str:
        return f"{self.indicator.code} @ {self.place.code}: {self.value:g}"
