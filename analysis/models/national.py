"""Runs over all cities of a country."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from analysis.models.runs import Run
from analysis.querysets import NationalCityQuerySet, NationalRunQuerySet
from geo.models import Place


class NationalRun(models.Model):
    """The same question asked of all cities of a country; the answers are runs of the cities. It may be broken off and gone on with."""

    country = models.ForeignKey(
        Place, verbose_name=_("country"), on_delete=models.PROTECT, related_name="national_runs"
    )
    question = models.JSONField(
        _("question"),
        default=dict,
        blank=True,
        help_text=_("What is asked otherwise than by each city's own standards."),
    )
    code_version = models.CharField(_("code version"), max_length=60)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    objects = NationalRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("national run")
        verbose_name_plural = _("national runs")
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return f"{self.country.code} #{self.pk}"


class NationalCity(models.Model):
    """A city of a national run: the runs that answer for it, or the problem, and what it took."""

    national = models.ForeignKey(
        NationalRun, verbose_name=_("national run"), on_delete=models.CASCADE, related_name="cities"
    )
    city = models.ForeignKey(Place, verbose_name=_("city"), on_delete=models.PROTECT, related_name="+")
    input_key = models.CharField(max_length=64, blank=True, editable=False)
    coverage = models.ForeignKey(
        Run, verbose_name=_("coverage"), on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    priority = models.ForeignKey(
        Run, verbose_name=_("priority"), on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    totals = models.JSONField(_("totals"), default=dict, blank=True)
    problem = models.JSONField(_("problem"), default=dict, blank=True)
    people = models.FloatField(_("people"), default=0)
    places = models.PositiveIntegerField(_("places"), default=0)
    cells = models.PositiveIntegerField(_("cells of the grid"), default=0)
    seconds = models.FloatField(_("seconds"), default=0)
    cpu_seconds = models.FloatField(_("seconds of a processor"), default=0)
    memory_mb = models.FloatField(_("memory (MB)"), default=0)
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)

    objects = NationalCityQuerySet.as_manager()

    class Meta:
        verbose_name = _("city of a national run")
        verbose_name_plural = _("cities of national runs")
        ordering = ("national", "city__path")
        constraints = (
            models.UniqueConstraint(fields=["national", "city"], name="national_city_once"),
            models.CheckConstraint(
                condition=Q(coverage__isnull=True, priority__isnull=True) | Q(problem={}),
                name="national_city_answered_or_not",
            ),
        )

    def __str__(self) -> str:
        return f"{self.national}: {self.city.code}"
