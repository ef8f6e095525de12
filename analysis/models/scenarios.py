"""Scenarios: what might be built."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from analysis.querysets import ScenarioDraftQuerySet, ScenarioQuerySet
from geo.models import Place


class Scenario(models.Model):
    """What if: a question about a city with changes to its facilities and streets. The data themselves stay as they are."""

    city = models.ForeignKey(Place, verbose_name=_("city"), on_delete=models.PROTECT, related_name="scenarios")
    name = models.CharField(_("name"), max_length=200)
    note = models.TextField(_("note"), blank=True)
    question = models.JSONField(_("question"), default=dict, blank=True)
    changes = models.JSONField(_("changes"), default=list, blank=True)
    releases = models.JSONField(
        _("releases"),
        default=dict,
        blank=True,
        help_text=_("What the layers changed held when it was saved, by service."),
    )
    version = models.PositiveIntegerField(_("version"), default=1)
    is_shared = models.BooleanField(
        _("shared"),
        default=False,
        help_text=_("Seen by everybody with a role in the city, and changed by planners and analysts."),
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("author"), on_delete=models.PROTECT, related_name="scenarios"
    )
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("saved by"), on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    saved_at = models.DateTimeField(_("saved at"), default=timezone.now)
    archived_at = models.DateTimeField(_("archived at"), null=True, blank=True)

    objects = ScenarioQuerySet.as_manager()

    class Meta:
        verbose_name = _("scenario")
        verbose_name_plural = _("scenarios")
        ordering = ("-saved_at", "-id")
        constraints = (
            models.CheckConstraint(condition=~Q(name=""), name="scenario_named"),
            models.CheckConstraint(condition=Q(version__gte=1), name="scenario_version_positive"),
        )
        indexes = (models.Index(fields=["city", "saved_at"], name="scenario_city_saved"),)

    def __str__(self) -> str:
        return self.name


class ScenarioDraft(models.Model):
    """What a person wanted to save of a scenario that somebody else had saved meanwhile: kept until it is saved or given up."""

    scenario = models.ForeignKey(Scenario, verbose_name=_("scenario"), on_delete=models.CASCADE, related_name="drafts")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("user"), on_delete=models.CASCADE, related_name="scenario_drafts"
    )
    based_on = models.PositiveIntegerField(_("based on version"))
    content = models.JSONField(_("content"))
    saved_at = models.DateTimeField(_("saved at"), auto_now=True)

    objects = ScenarioDraftQuerySet.as_manager()

    class Meta:
        verbose_name = _("draft of a scenario")
        verbose_name_plural = _("drafts of scenarios")
        constraints = (models.UniqueConstraint(fields=["scenario", "user"], name="scenario_draft_once"),)

    def __str__(self) -> str:
        return f"{self.user}: {self.scenario}"
