"""Work in progress: what somebody draws at this moment, and who else is here."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from geo.models.places import Place
from geo.querysets import PresenceQuerySet, WorkingCopyQuerySet


class WorkingCopy(models.Model):
    """A person's unsaved work on a city's boundaries, kept so that a crash or a lost connection costs nothing."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("user"), on_delete=models.CASCADE, related_name="working_copies"
    )
    city = models.ForeignKey(Place, verbose_name=_("city"), on_delete=models.CASCADE, related_name="working_copies")
    document = models.JSONField(_("document"))
    based_on = models.JSONField(_("based on"), default=dict, blank=True)
    saved_at = models.DateTimeField(_("saved at"), auto_now=True)

    objects = WorkingCopyQuerySet.as_manager()

    class Meta:
        verbose_name = _("working copy")
        verbose_name_plural = _("working copies")
        constraints = (models.UniqueConstraint(fields=["user", "city"], name="working_copy_once"),)

    def __str__(self) -> str:
        return f"{self.user}: {self.city.code}"


class Presence(models.Model):
    """Who edits a city's boundaries now, and which places."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("user"), on_delete=models.CASCADE, related_name="presences"
    )
    city = models.ForeignKey(Place, verbose_name=_("city"), on_delete=models.CASCADE, related_name="presences")
    places = ArrayField(models.CharField(max_length=80), verbose_name=_("places"), default=list, blank=True)
    seen_at = models.DateTimeField(_("seen at"), default=timezone.now)

    objects = PresenceQuerySet.as_manager()

    class Meta:
        verbose_name = _("presence")
        verbose_name_plural = _("presences")
        constraints = (models.UniqueConstraint(fields=["user", "city"], name="presence_once"),)
        indexes = (models.Index(fields=["city", "seen_at"], name="presence_city_seen"),)

    def __str__(self) -> str:
        return f"{self.user}: {self.city.code}"
