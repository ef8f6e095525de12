"""What is being done: actions, how far they are, and what shows it."""

from __future__ import annotations

import uuid
from decimal import Decimal

from django.conf import settings
from django.contrib.gis.db.models import GeometryField, PointField
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from geo.core.crs import STORAGE_EPSG
from geo.db.fields import geometry_constraints
from geo.models import Place
from interventions.core.transitions import ActionState
from interventions.models.needs import Need
from interventions.models.organisations import Organisation, Sector
from interventions.models.proposals import Proposal
from interventions.models.rounds import Approach, Round
from interventions.models.wording import MAX_PEOPLE, MAX_TEXT, in_readers_language, one_of
from interventions.querysets import ActionQuerySet, EvidenceQuerySet, OfActionQuerySet, ProgressQuerySet


class Action(models.Model):
    """Something an institution does in a place: from an accepted proposal, or entered directly."""

    class State(models.TextChoices):
        """Where it stands."""

        PLANNED = ActionState.PLANNED.value, _("planned")
        UNDER_WAY = ActionState.UNDER_WAY.value, _("under way")
        SUSPENDED = ActionState.SUSPENDED.value, _("suspended")
        DONE = ActionState.DONE.value, _("done")
        HANDED_OVER = ActionState.HANDED_OVER.value, _("handed over")
        CANCELLED = ActionState.CANCELLED.value, _("cancelled")

    organisation = models.ForeignKey(
        Organisation, verbose_name=_("organisation"), on_delete=models.PROTECT, related_name="actions"
    )
    place = models.ForeignKey(
        Place, verbose_name=_("place"), on_delete=models.PROTECT, related_name="actions", db_index=False
    )
    sector = models.ForeignKey(Sector, verbose_name=_("sector"), on_delete=models.PROTECT, related_name="actions")
    approach = models.CharField(_("approach"), max_length=16, choices=Approach)
    round = models.ForeignKey(
        Round, verbose_name=_("round"), on_delete=models.PROTECT, related_name="actions", null=True, blank=True
    )
    proposal = models.ForeignKey(
        Proposal, verbose_name=_("proposal"), on_delete=models.PROTECT, related_name="actions", null=True, blank=True
    )
    handed_from = models.ForeignKey(
        "self",
        verbose_name=_("taken over from"),
        on_delete=models.PROTECT,
        related_name="handed_to",
        null=True,
        blank=True,
    )
    needs = models.ManyToManyField(Need, verbose_name=_("needs"), related_name="actions", blank=True)
    title_fa = models.CharField(_("Persian title"), max_length=200, blank=True)
    title_en = models.CharField(_("English title"), max_length=200, blank=True)
    text_fa = models.TextField(_("Persian text"), validators=[MaxLengthValidator(MAX_TEXT)], blank=True)
    text_en = models.TextField(_("English text"), validators=[MaxLengthValidator(MAX_TEXT)], blank=True)
    geometry = GeometryField(_("point, line or area"), srid=STORAGE_EPSG, null=True, blank=True)
    starts_on = models.DateField(_("starts on"))
    ends_on = models.DateField(_("ends on"))
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.PLANNED)
    started_on = models.DateField(_("started on"), null=True, blank=True)
    done_on = models.DateField(_("done on"), null=True, blank=True)
    budget_irr = models.DecimalField(
        _("budget (rials)"), max_digits=18, decimal_places=0, default=0, validators=[MinValueValidator(Decimal(0))]
    )
    spent_irr = models.DecimalField(
        _("spent (rials)"),
        max_digits=18,
        decimal_places=0,
        default=0,
        editable=False,
        help_text=_("As of the last report of progress."),
    )
    people_targeted = models.PositiveIntegerField(
        _("people it is for"), default=0, validators=[MaxValueValidator(MAX_PEOPLE)]
    )
    people_reached = models.PositiveIntegerField(
        _("people reached"), default=0, editable=False, help_text=_("As of the last report of progress.")
    )
    is_public = models.BooleanField(_("public"), default=True, help_text=_("Shown to everybody in published places."))
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)
    entered_at = models.DateTimeField(_("entered at"), default=timezone.now)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("author"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )

    objects = ActionQuerySet.as_manager()

    class Meta:
        verbose_name = _("action")
        verbose_name_plural = _("actions")
        ordering = ("starts_on", "id")
        constraints = (
            models.CheckConstraint(condition=one_of("state", ActionState), name="action_state_known"),
            models.CheckConstraint(
                condition=Q(approach__in=["infrastructural", "social"]), name="action_approach_known"
            ),
            models.CheckConstraint(
                condition=~Q(title_fa="") | ~Q(title_en=""),
                name="action_has_title",
                violation_error_message=_("Give a title in Persian or in English."),
            ),
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")),
                name="action_ends_after_it_starts",
                violation_error_message=_("It ends before it starts."),
            ),
            models.CheckConstraint(condition=Q(budget_irr__gte=0, spent_irr__gte=0), name="action_sums_not_negative"),
            models.CheckConstraint(
                condition=Q(state="done", done_on__isnull=False) | ~Q(state="done"), name="action_done_on_a_day"
            ),
            *geometry_constraints("action", or_valid_as=Q(geometry__isnull=True)),
        )
        indexes = (
            models.Index(fields=["place", "sector"], name="action_place_sector"),
            models.Index(fields=["ends_on"], name="action_ends_on"),
            models.Index(fields=["starts_on", "id"], name="action_starts_on"),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """The title in the language of the reader, or in the other where it was not written in that."""
        return in_readers_language(self.title_fa, self.title_en)

    @property
    def text(self) -> str:
        """The text in the language of the reader, or in the other where it was not written in that."""
        return in_readers_language(self.text_fa, self.text_en)


class Milestone(models.Model):
    """One step of an action, with its day."""

    action = models.ForeignKey(Action, verbose_name=_("action"), on_delete=models.CASCADE, related_name="milestones")
    title_fa = models.CharField(_("Persian title"), max_length=200, blank=True)
    title_en = models.CharField(_("English title"), max_length=200, blank=True)
    due_on = models.DateField(_("due on"))
    reached_on = models.DateField(_("reached on"), null=True, blank=True)

    objects = OfActionQuerySet.as_manager()

    class Meta:
        verbose_name = _("milestone")
        verbose_name_plural = _("milestones")
        ordering = ("action", "due_on", "id")
        constraints = (
            models.CheckConstraint(
                condition=~Q(title_fa="") | ~Q(title_en=""),
                name="milestone_has_title",
                violation_error_message=_("Give a title in Persian or in English."),
            ),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """The title in the language of the reader, or in the other where it was not written in that."""
        return in_readers_language(self.title_fa, self.title_en)


class Progress(models.Model):
    """A report of how far an action is. Sums are since its beginning; a later report replaces, none is changed."""

    action = models.ForeignKey(Action, verbose_name=_("action"), on_delete=models.CASCADE, related_name="reports")
    reported_at = models.DateTimeField(_("reported at"), default=timezone.now)
    done_percent = models.PositiveSmallIntegerField(_("done (%)"), validators=[MaxValueValidator(100)])
    spent_irr = models.DecimalField(
        _("spent (rials)"), max_digits=18, decimal_places=0, default=0, validators=[MinValueValidator(Decimal(0))]
    )
    people_reached = models.PositiveIntegerField(
        _("people reached"), default=0, validators=[MaxValueValidator(MAX_PEOPLE)]
    )
    text = models.TextField(_("text"), validators=[MaxLengthValidator(MAX_TEXT)], blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("author"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )

    objects = ProgressQuerySet.as_manager()

    class Meta:
        verbose_name = _("report of progress")
        verbose_name_plural = _("reports of progress")
        ordering = ("action", "-reported_at", "-id")
        constraints = (
            models.CheckConstraint(condition=Q(done_percent__lte=100), name="progress_percent_in_range"),
            models.CheckConstraint(condition=Q(spent_irr__gte=0), name="progress_sum_not_negative"),
        )

    def __str__(self) -> str:
        return f"{self.action}: {self.done_percent} %"


class Evidence(models.Model):
    """A photo or document that shows a need or an action at a place and time. Files lie in the media folder, without location metadata."""

    class Kind(models.TextChoices):
        """What it is."""

        PHOTO = "photo", _("photo")
        DOCUMENT = "document", _("document")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    need = models.ForeignKey(
        Need, verbose_name=_("need"), on_delete=models.CASCADE, related_name="evidence", null=True, blank=True
    )
    action = models.ForeignKey(
        Action, verbose_name=_("action"), on_delete=models.CASCADE, related_name="evidence", null=True, blank=True
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    title = models.CharField(_("title"), max_length=200, blank=True)
    file_name = models.CharField(_("file name"), max_length=255)
    media_type = models.CharField(max_length=80)
    size = models.PositiveIntegerField(_("bytes"))
    sha256 = models.CharField(max_length=64)
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    taken_at = models.DateTimeField(_("taken at"), null=True, blank=True)
    point = PointField(_("point"), srid=STORAGE_EPSG, null=True, blank=True)
    is_public = models.BooleanField(_("public"), default=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("author"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    archived_at = models.DateTimeField(_("archived at"), null=True, blank=True)

    objects = EvidenceQuerySet.as_manager()

    class Meta:
        verbose_name = _("evidence")
        verbose_name_plural = _("evidence")
        ordering = ("created_at", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(need__isnull=False, action__isnull=True) | Q(need__isnull=True, action__isnull=False),
                name="evidence_of_one_thing",
            ),
        )

    def __str__(self) -> str:
        return self.title or self.file_name
