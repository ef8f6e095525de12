"""Runs: what was computed, from what, and how."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from analysis.querysets import RunQuerySet
from geo.models import Place


class Run(models.Model):
    """One computation: what went in, how, and what came out. Never changed afterwards."""

    class Kind(models.TextChoices):
        """Which analysis."""

        COVERAGE = "coverage", _("coverage")
        PRIORITY = "priority", _("priority")
        OVERLAY = "overlay", _("overlay")
        ACCESS = "access", _("access with capacity")
        LAND = "land", _("land for each person")
        EQUITY = "equity", _("equity")
        CURVES = "curves", _("curves of distances")
        GROUPS = "groups", _("groups of people")
        UTILITY = "utility", _("utility")
        FREQUENCY = "frequency", _("frequency of public transport")
        ISOCHRONE = "isochrone", _("isochrone")
        INDEX = "index", _("index of priority")
        SITING = "siting", _("siting")
        BLOCKS = "blocks", _("settlement form")

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
