"""What happened: one line for each change of state, written once; and what people are told of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from geo.models import Place
from interventions.models.organisations import Organisation
from interventions.querysets import LogEntryQuerySet, NoticeQuerySet, OwnQuerySet


class LogEntry(models.Model):
    """One thing that was done to a record of the network. The database refuses to change or delete it."""

    class Subject(models.TextChoices):
        """What kind of record; the keys of `interventions.core.transitions.MACHINES`, and what has no states."""

        ORGANISATION = "organisation", _("organisation")
        MEMBERSHIP = "membership", _("membership")
        COMMITTEE = "committee", _("committee")
        COUNCIL = "council", _("council")
        ACTIVATION = "activation", _("activation")
        ROUND = "round", _("round")
        NEED = "need", _("need")
        CAPACITY = "capacity", _("capacity")
        WEIGHTS = "weights", _("set of weights")
        PROPOSAL = "proposal", _("proposal")
        ASSESSMENT = "assessment", _("assessment")
        ACTION = "action", _("action")
        OUTCOME = "outcome", _("outcome")

    at = models.DateTimeField(_("at"), default=timezone.now)
    # By name too, because people may leave and take their account along.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("by"),
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="+",
    )
    actor_name = models.CharField(_("by"), max_length=200, blank=True)
    subject = models.CharField(_("what"), max_length=12, choices=Subject)
    subject_id = models.BigIntegerField(_("number"))
    event = models.CharField(_("event"), max_length=20)
    state_from = models.CharField(_("state before"), max_length=16, blank=True)
    state_to = models.CharField(_("state after"), max_length=16, blank=True)
    place = models.ForeignKey(Place, verbose_name=_("place"), on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey(
        Organisation,
        verbose_name=_("organisation"),
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
    )
    note = models.TextField(_("reason"), blank=True)
    details = models.JSONField(_("details"), default=dict, blank=True, help_text=_("What was there before, by field."))

    objects = LogEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("entry of the log")
        verbose_name_plural = _("log")
        ordering = ("-at", "-id")
        indexes = (
            models.Index(fields=["subject", "subject_id", "at"], name="log_of_record"),
            models.Index(fields=["place", "-at"], name="log_of_place"),
        )

    def __str__(self) -> str:
        return f"{self.subject} {self.subject_id}: {self.event}"


class Notice(models.Model):
    """Something a person is told: a deadline that comes near, a record of theirs that somebody changed."""

    class Kind(models.TextChoices):
        """What it is about."""

        REMINDER = "reminder", _("deadline")
        CHANGE = "change", _("change")
        ESCALATION = "escalation", _("silence past a deadline")
        DIGEST = "digest", _("digest")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("person"), on_delete=models.CASCADE, related_name="notices"
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    # Says the same thing to the same person once, however often the reminders run.
    key = models.CharField(max_length=120)
    place = models.ForeignKey(Place, verbose_name=_("place"), on_delete=models.CASCADE, related_name="+")
    content = models.JSONField(_("content"), default=dict)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    read_at = models.DateTimeField(_("read at"), null=True, blank=True)
    mailed_at = models.DateTimeField(_("mailed at"), null=True, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ("-created_at", "-id")
        constraints = (models.UniqueConstraint(fields=["user", "key"], name="notice_once"),)
        indexes = (
            models.Index(fields=["user", "-created_at"], condition=Q(read_at__isnull=True), name="notice_unread"),
            models.Index(
                fields=["created_at"], condition=Q(read_at__isnull=True, mailed_at__isnull=True), name="notice_unmailed"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user}: {self.key}"


class MailChoice(models.Model):
    """Whether and in which language somebody is told by e-mail too. Who has not chosen is, in Persian."""

    class Language(models.TextChoices):
        """In which language; none for no e-mail."""

        NONE = "", _("no e-mail")
        PERSIAN = "fa", _("by e-mail in Persian")
        ENGLISH = "en", _("by e-mail in English")

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, verbose_name=_("person"), on_delete=models.CASCADE, related_name="mail_choice"
    )
    language = models.CharField(_("language"), max_length=2, choices=Language, default=Language.PERSIAN, blank=True)

    objects = OwnQuerySet.as_manager()

    class Meta:
        verbose_name = _("choice of e-mail")
        verbose_name_plural = _("choices of e-mail")

    def __str__(self) -> str:
        return f"{self.user}: {self.language}"
