"""Programmes, their rounds, and the deadlines of these."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxLengthValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from geo.models import Place
from geo.placed import OfPlaceQuerySet
from interventions.core.phases import PhaseKind
from interventions.core.transitions import RoundState
from interventions.models.organisations import Organisation, Sector
from interventions.models.wording import MAX_TEXT, one_of
from interventions.querysets import AdmissionQuerySet, PhaseQuerySet, RoundQuerySet
from layers.models import Named


class Approach(models.TextChoices):
    """The two approaches of the programmes."""

    INFRASTRUCTURAL = "infrastructural", _("infrastructural")
    SOCIAL = "social", _("social")


class Programme(Named):
    """A standing undertaking of a place, carried out in rounds."""

    place = models.ForeignKey(Place, verbose_name=_("place"), on_delete=models.PROTECT, related_name="programmes")
    code = models.SlugField(_("code"), max_length=60)

    objects = OfPlaceQuerySet.as_manager()

    class Meta:
        verbose_name = _("programme")
        verbose_name_plural = _("programmes")
        ordering = ("place", "code")
        constraints = (models.UniqueConstraint(fields=["place", "code"], name="programme_code_unique_in_place"),)

    def __str__(self) -> str:
        return self.name


class Round(Named):
    """One run of a programme in a place: opened and closed by its supervisor, in phases with deadlines."""

    class State(models.TextChoices):
        """Where a round stands."""

        OPENED = RoundState.OPENED.value, _("open")
        CLOSED = RoundState.CLOSED.value, _("closed")

    programme = models.ForeignKey(
        Programme, verbose_name=_("programme"), on_delete=models.PROTECT, related_name="rounds"
    )
    place = models.ForeignKey(Place, verbose_name=_("place"), on_delete=models.PROTECT, related_name="rounds")
    number = models.PositiveIntegerField(_("number"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.OPENED)
    areas = models.ManyToManyField(
        Place,
        verbose_name=_("areas"),
        related_name="+",
        blank=True,
        help_text=_("With all places inside them; where none is named, the whole place."),
    )
    approaches = ArrayField(
        models.CharField(max_length=16, choices=Approach), verbose_name=_("approaches"), default=list, blank=True
    )
    sectors = models.ManyToManyField(
        Sector, verbose_name=_("sectors"), related_name="+", blank=True, help_text=_("Where none is named, all.")
    )
    budget_irr = models.DecimalField(
        _("budget (rials)"), max_digits=18, decimal_places=0, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    opened_at = models.DateTimeField(_("opened at"), default=timezone.now)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    objects = RoundQuerySet.as_manager()

    class Meta:
        verbose_name = _("round")
        verbose_name_plural = _("rounds")
        ordering = ("place", "programme", "-number")
        constraints = (
            models.UniqueConstraint(
                fields=["programme", "place", "number"], name="round_number_unique_in_programme_and_place"
            ),
            models.UniqueConstraint(
                fields=["programme", "place"],
                condition=Q(state="opened"),
                name="round_one_open_at_a_time",
                violation_error_message=_("Another round of this programme is open in this place."),
            ),
            models.CheckConstraint(
                condition=Q(state="opened", closed_at__isnull=True)
                | Q(state="closed", closed_at__isnull=False, closed_at__gt=F("opened_at")),
                name="round_closed_after_opened",
            ),
            models.CheckConstraint(
                condition=Q(budget_irr__isnull=True) | Q(budget_irr__gte=0), name="round_budget_not_negative"
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} #{self.number}"


class Phase(models.Model):
    """One phase of a round and the last moment at which its work is in time."""

    class Kind(models.TextChoices):
        """What is due."""

        NEEDS = PhaseKind.NEEDS.value, _("needs")
        PROPOSALS = PhaseKind.PROPOSALS.value, _("proposals")
        ASSESSMENT = PhaseKind.ASSESSMENT.value, _("assessment")
        DECISION = PhaseKind.DECISION.value, _("decision")
        EXECUTION = PhaseKind.EXECUTION.value, _("execution")
        EVALUATION = PhaseKind.EVALUATION.value, _("evaluation")

    round = models.ForeignKey(Round, verbose_name=_("round"), on_delete=models.CASCADE, related_name="phases")
    kind = models.CharField(_("phase"), max_length=16, choices=Kind)
    due_at = models.DateTimeField(_("deadline"))
    first_due_at = models.DateTimeField(_("first deadline"), help_text=_("As it was before any extension."))

    objects = PhaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("phase")
        verbose_name_plural = _("phases")
        ordering = ("round", "due_at", "id")
        constraints = (
            models.UniqueConstraint(fields=["round", "kind"], name="phase_once_per_round"),
            models.CheckConstraint(condition=one_of("kind", PhaseKind), name="phase_kind_known"),
            models.CheckConstraint(condition=Q(due_at__gte=F("first_due_at")), name="phase_extended_not_shortened"),
        )

    def __str__(self) -> str:
        return f"{self.round} · {self.get_kind_display()}"


class Admission(models.Model):
    """Leave for one organisation to hand in after a deadline."""

    phase = models.ForeignKey(Phase, verbose_name=_("phase"), on_delete=models.CASCADE, related_name="admissions")
    organisation = models.ForeignKey(
        Organisation, verbose_name=_("organisation"), on_delete=models.PROTECT, related_name="admissions"
    )
    until = models.DateTimeField(_("until"))
    reason = models.TextField(_("reason"), validators=[MaxLengthValidator(MAX_TEXT)])
    given_at = models.DateTimeField(_("given at"), default=timezone.now)
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("given by"), on_delete=models.SET_NULL, null=True, related_name="+"
    )

    objects = AdmissionQuerySet.as_manager()

    class Meta:
        verbose_name = _("admission after the deadline")
        verbose_name_plural = _("admissions after the deadline")
        ordering = ("phase", "organisation", "-until")

    def __str__(self) -> str:
        return f"{self.phase} · {self.organisation}"
