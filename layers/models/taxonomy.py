"""Words shared by all cities: themes, services, and how near a service should be."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
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
