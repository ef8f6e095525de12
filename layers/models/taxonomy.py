"""Words shared by all cities: themes, services, and how near a service should be."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from geo.models import Place
from layers.models.wording import Named, Sourced
from layers.querysets import OfCityQuerySet, TaxonomyQuerySet


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
    """How much of a service there should be, according to some source: how near, how much land, how much capacity.

    It may be a city's own, of a programme (such as the Sustainable Development Goals), or for cities of some size;
    `layers.standards` chooses among them.
    """

    class Kind(models.TextChoices):
        """What is demanded, and in which unit."""

        DISTANCE = "distance", _("greatest distance (m)")
        LAND = "land", _("land for each person (m²)")
        CAPACITY = "capacity", _("capacity for every 1,000 people")

    service = models.ForeignKey(Service, verbose_name=_("service"), on_delete=models.CASCADE, related_name="standards")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.DISTANCE)
    city = models.ForeignKey(
        Place, verbose_name=_("city"), on_delete=models.CASCADE, null=True, blank=True, related_name="standards"
    )
    programme = models.SlugField(
        _("programme"), max_length=40, blank=True, help_text=_("Code of the programme that demands it; empty for none.")
    )
    population_min = models.PositiveIntegerField(
        _("cities from (people)"), null=True, blank=True, help_text=_("For cities of at least so many people.")
    )
    population_max = models.PositiveIntegerField(
        _("cities below (people)"), null=True, blank=True, help_text=_("For cities of fewer people than this.")
    )
    value = models.FloatField(_("value"), validators=[MinValueValidator(0)])
    source = models.CharField(_("source"), max_length=400)
    is_verified = models.BooleanField(
        _("verified"), default=False, help_text=_("Checked against the official text by somebody with the right.")
    )

    objects = OfCityQuerySet.as_manager()

    class Meta:
        verbose_name = _("standard")
        verbose_name_plural = _("standards")
        ordering = ("service", "kind", "city", "programme", "population_min")
        constraints = (
            models.UniqueConstraint(
                fields=["service", "kind", "city", "programme", "population_min", "population_max"],
                nulls_distinct=False,
                name="standard_once_per_service_and_city",
            ),
            models.CheckConstraint(condition=Q(value__gt=0) & Q(value__lte=100_000), name="standard_value_in_range"),
            models.CheckConstraint(
                condition=Q(population_min__isnull=True)
                | Q(population_max__isnull=True)
                | Q(population_min__lt=F("population_max")),
                name="standard_band_ordered",
            ),
            models.CheckConstraint(condition=Q(kind__in=["distance", "land", "capacity"]), name="standard_kind_known"),
        )

    def __str__(self) -> str:
        return f"{self.service.code}, {self.get_kind_display()}: {self.value:g}"


class FrequencyClass(Named, Sourced):
    """A class of departures a week: from so many on, up to the next class of the same service and city.

    A city's own classes take the place of the general ones. Who reaches no departure is in none of them.
    """

    service = models.ForeignKey(
        Service, verbose_name=_("service"), on_delete=models.CASCADE, related_name="frequency_classes"
    )
    city = models.ForeignKey(
        Place, verbose_name=_("city"), on_delete=models.CASCADE, null=True, blank=True, related_name="frequency_classes"
    )
    departures_week = models.FloatField(
        _("from (departures a week)"),
        validators=[MinValueValidator(0)],
        help_text=_("0 for the lowest class: whoever reaches any."),
    )
    source = models.CharField(_("source"), max_length=400)
    is_verified = models.BooleanField(
        _("verified"), default=False, help_text=_("Checked against the official text by somebody with the right.")
    )

    objects = OfCityQuerySet.as_manager()

    class Meta:
        verbose_name = _("frequency class")
        verbose_name_plural = _("frequency classes")
        ordering = ("service", "city", "departures_week")
        constraints = (
            models.UniqueConstraint(
                fields=["service", "city", "departures_week"], nulls_distinct=False, name="frequency_class_once"
            ),
            models.CheckConstraint(
                condition=Q(departures_week__gte=0) & Q(departures_week__lte=1_000_000),
                name="frequency_class_in_range",
            ),
        )

    def __str__(self) -> str:
        return f"{self.service.code}: {self.name} ≥ {self.departures_week:g}"
