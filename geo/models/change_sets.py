"""Change sets: edits of boundaries made together, decided together, and what was said about them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from geo.models.places import Place
from geo.querysets import ChangeSetQuerySet, ReviewQuerySet


class ChangeSet(models.Model):
    """Edits of boundaries made together: all saved, or none; all approved, or none."""

    class Status(models.TextChoices):
        """Where a change set stands; nothing of it is official until approved."""

        DRAFT = "draft", _("draft")
        PROPOSED = "proposed", _("proposed")
        APPROVED = "approved", _("approved")
        RETURNED = "returned", _("returned")
        WITHDRAWN = "withdrawn", _("withdrawn")

    place = models.ForeignKey(Place, verbose_name=_("place"), on_delete=models.PROTECT, related_name="change_sets")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("author"), on_delete=models.PROTECT, null=True, blank=True
    )
    title = models.CharField(_("title"), max_length=200, blank=True)
    comment = models.TextField(_("comment"), blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.DRAFT)
    version = models.PositiveIntegerField(_("version"), default=1)
    valid_from = models.DateField(
        _("in force from"), null=True, blank=True, help_text=_("Empty: from the day of its approval.")
    )
    findings = models.JSONField(_("findings"), default=list, blank=True, editable=False)
    acknowledged = models.JSONField(_("acknowledged findings"), default=list, blank=True, editable=False)
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("reviewer"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="reviewed_change_sets",
    )
    reviewed_at = models.DateTimeField(_("reviewed at"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = ChangeSetQuerySet.as_manager()

    class Meta:
        verbose_name = _("change set")
        verbose_name_plural = _("change sets")
        ordering = ("-created_at", "-id")
        constraints = (
            models.CheckConstraint(
                condition=Q(status__in=["draft", "proposed", "approved", "returned", "withdrawn"]),
                name="change_set_status_known",
            ),
            models.CheckConstraint(
                condition=~Q(status="approved")
                | Q(reviewer__isnull=False, reviewed_at__isnull=False, valid_from__isnull=False),
                name="change_set_approval_says_who_and_when",
            ),
            models.CheckConstraint(
                condition=~Q(status="approved") | ~Q(reviewer=F("author")), name="change_set_approved_by_another"
            ),
        )
        indexes = (models.Index(fields=["place", "status"], name="change_set_place_status"),)

    def __str__(self) -> str:
        return f"{self.place.code} #{self.pk}"

    @property
    def is_open(self) -> bool:
        """Whether it still waits for somebody: neither approved nor withdrawn."""
        return self.status not in (self.Status.APPROVED, self.Status.WITHDRAWN)


class Review(models.Model):
    """One step in the history of a change set: who did what, and what was said."""

    class Action(models.TextChoices):
        """What was done."""

        SAVED = "saved", _("saved")
        PROPOSED = "proposed", _("proposed")
        RETURNED = "returned", _("returned")
        APPROVED = "approved", _("approved")
        WITHDRAWN = "withdrawn", _("withdrawn")
        RESTORED = "restored", _("restored")

    change_set = models.ForeignKey(
        ChangeSet, verbose_name=_("change set"), on_delete=models.CASCADE, related_name="reviews"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("author"), on_delete=models.PROTECT, null=True, blank=True
    )
    action = models.CharField(_("action"), max_length=10, choices=Action)
    comment = models.TextField(_("comment"), blank=True)
    version = models.PositiveIntegerField(_("version"), default=1)
    at = models.DateTimeField(_("at"), auto_now_add=True)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        ordering = ("change_set", "at", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(action__in=["saved", "proposed", "returned", "approved", "withdrawn", "restored"]),
                name="review_action_known",
            ),
        )

    def __str__(self) -> str:
        return f"{self.change_set_id} v{self.version}: {self.action}"
