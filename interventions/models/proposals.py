"""What organisations offer to do, what departments say of it, what was decided."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.contrib.gis.db.models import GeometryField
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from analysis.models import Scenario
from geo.core.crs import STORAGE_EPSG
from geo.db.fields import geometry_constraints
from interventions.core.transitions import AssessmentState, ProposalState
from interventions.models.needs import Need
from interventions.models.organisations import Organisation, Sector
from interventions.models.rounds import Round
from interventions.models.wording import MAX_PEOPLE, MAX_TEXT, in_readers_language, one_of
from interventions.querysets import AssessmentQuerySet, DecisionQuerySet, ProposalQuerySet
from layers.models import Service


class Proposal(models.Model):
    """What an organisation offers to do about one or many needs, where, when, at what cost and to what effect."""

    class State(models.TextChoices):
        """Where a proposal stands."""

        DRAFT = ProposalState.DRAFT.value, _("draft")
        SUBMITTED = ProposalState.SUBMITTED.value, _("submitted")
        RETURNED = ProposalState.RETURNED.value, _("returned for completion")
        ACCEPTED = ProposalState.ACCEPTED.value, _("accepted")
        REFUSED = ProposalState.REFUSED.value, _("refused")
        WITHDRAWN = ProposalState.WITHDRAWN.value, _("withdrawn")

    round = models.ForeignKey(Round, verbose_name=_("round"), on_delete=models.PROTECT, related_name="proposals")
    organisation = models.ForeignKey(
        Organisation, verbose_name=_("organisation"), on_delete=models.PROTECT, related_name="proposals"
    )
    needs = models.ManyToManyField(Need, verbose_name=_("needs"), related_name="proposals")
    sector = models.ForeignKey(
        Sector, verbose_name=_("sector"), on_delete=models.PROTECT, related_name="proposals", null=True, blank=True
    )
    title_fa = models.CharField(_("Persian title"), max_length=200, blank=True)
    title_en = models.CharField(_("English title"), max_length=200, blank=True)
    geometry = GeometryField(_("point, line or area"), srid=STORAGE_EPSG, null=True, blank=True)
    service = models.ForeignKey(
        Service,
        verbose_name=_("service it gives"),
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        help_text=_("A new facility of this service at the point; its effect on coverage is computed."),
    )
    capacity = models.FloatField(
        _("capacity"), null=True, blank=True, validators=[MinValueValidator(0), MaxValueValidator(1e9)]
    )
    starts_on = models.DateField(_("starts on"), null=True, blank=True)
    ends_on = models.DateField(_("ends on"), null=True, blank=True)
    cost_irr = models.DecimalField(
        _("cost (rials)"), max_digits=18, decimal_places=0, validators=[MinValueValidator(Decimal(0))]
    )
    own_funding_irr = models.DecimalField(
        _("own funding (rials)"),
        max_digits=18,
        decimal_places=0,
        default=0,
        validators=[MinValueValidator(Decimal(0))],
        help_text=_("The part the organisation pays itself."),
    )
    people_targeted = models.PositiveIntegerField(
        _("people it is for"), null=True, blank=True, validators=[MaxValueValidator(MAX_PEOPLE)]
    )
    effect_fa = models.TextField(
        _("expected effect, in Persian"), validators=[MaxLengthValidator(MAX_TEXT)], blank=True
    )
    effect_en = models.TextField(
        _("expected effect, in English"), validators=[MaxLengthValidator(MAX_TEXT)], blank=True
    )
    # What the coverage engine says of it: kept with what it was computed from, and computed again when that changes.
    effect = models.JSONField(_("computed effect"), default=dict, blank=True, editable=False)
    scenario = models.ForeignKey(
        Scenario, verbose_name=_("scenario"), on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DRAFT)
    submitted_at = models.DateTimeField(_("submitted at"), null=True, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("author"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)

    objects = ProposalQuerySet.as_manager()

    class Meta:
        verbose_name = _("proposal")
        verbose_name_plural = _("proposals")
        ordering = ("round", "id")
        constraints = (
            models.CheckConstraint(
                condition=~Q(title_fa="") | ~Q(title_en=""),
                name="proposal_has_title",
                violation_error_message=_("Give a title in Persian or in English."),
            ),
            models.CheckConstraint(condition=one_of("state", ProposalState), name="proposal_state_known"),
            models.CheckConstraint(condition=Q(cost_irr__gte=0), name="proposal_cost_not_negative"),
            models.CheckConstraint(
                condition=Q(own_funding_irr__gte=0, own_funding_irr__lte=F("cost_irr")),
                name="proposal_own_funding_within_cost",
                violation_error_message=_("The own funding is at most the cost."),
            ),
            models.CheckConstraint(
                condition=Q(starts_on__isnull=True) | Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="proposal_ends_after_it_starts",
                violation_error_message=_("It ends before it starts."),
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "withdrawn"])
                | Q(state__in=["submitted", "returned", "accepted", "refused"], submitted_at__isnull=False),
                name="proposal_submitted_at_a_time",
            ),
            *geometry_constraints("proposal", or_valid_as=Q(geometry__isnull=True)),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """The title in the language of the reader, or in the other where it was not written in that."""
        return in_readers_language(self.title_fa, self.title_en)

    @property
    def effect_text(self) -> str:
        """The expected effect in the language of the reader, or in the other where it was not written in that."""
        return in_readers_language(self.effect_fa, self.effect_en)


class Assessment(models.Model):
    """What one department says of a proposal. Asked again, it is asked in the same row; what it said before is in the log."""

    class State(models.TextChoices):
        """What it says."""

        ASKED = AssessmentState.ASKED.value, _("asked")
        APPROVED = AssessmentState.APPROVED.value, _("approves")
        SUPPLEMENT = AssessmentState.SUPPLEMENT.value, _("asks for a supplement")
        REFUSED = AssessmentState.REFUSED.value, _("refuses")

    proposal = models.ForeignKey(
        Proposal, verbose_name=_("proposal"), on_delete=models.PROTECT, related_name="assessments"
    )
    organisation = models.ForeignKey(
        Organisation, verbose_name=_("department"), on_delete=models.PROTECT, related_name="assessments"
    )
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.ASKED)
    reason = models.TextField(_("reason"), validators=[MaxLengthValidator(MAX_TEXT)], blank=True)
    asked_at = models.DateTimeField(_("asked at"), default=timezone.now)
    said_at = models.DateTimeField(_("said at"), null=True, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("author"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )

    objects = AssessmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("assessment")
        verbose_name_plural = _("assessments")
        ordering = ("proposal", "asked_at", "id")
        constraints = (
            models.UniqueConstraint(fields=["proposal", "organisation"], name="assessment_once_per_department"),
            models.CheckConstraint(condition=one_of("state", AssessmentState), name="assessment_state_known"),
            models.CheckConstraint(
                condition=Q(state="asked", said_at__isnull=True) | ~Q(state="asked") & Q(said_at__isnull=False),
                name="assessment_said_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["asked", "approved"]) | ~Q(reason=""),
                name="assessment_has_reason",
                violation_error_message=_("Say why."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.organisation}: {self.get_state_display()}"


class Decision(models.Model):
    """What the supervisor decided about a proposal, and why. A later one replaces it; none is changed."""

    class Outcome(models.TextChoices):
        """What was decided."""

        ACCEPTED = "accepted", _("accepted")
        REFUSED = "refused", _("refused")
        RECONSIDERED = "reconsidered", _("taken up again")

    proposal = models.ForeignKey(
        Proposal, verbose_name=_("proposal"), on_delete=models.PROTECT, related_name="decisions"
    )
    outcome = models.CharField(_("decision"), max_length=12, choices=Outcome)
    granted_irr = models.DecimalField(
        _("granted (rials)"), max_digits=18, decimal_places=0, default=0, validators=[MinValueValidator(Decimal(0))]
    )
    reason = models.TextField(_("reason"), validators=[MaxLengthValidator(MAX_TEXT)])
    decided_at = models.DateTimeField(_("decided at"), default=timezone.now)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("author"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    published_at = models.DateTimeField(_("published at"), null=True, blank=True)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        ordering = ("proposal", "-decided_at", "-id")
        constraints = (
            models.CheckConstraint(condition=~Q(reason=""), name="decision_has_reason"),
            models.CheckConstraint(condition=Q(granted_irr__gte=0), name="decision_grant_not_negative"),
            models.CheckConstraint(
                condition=Q(outcome="accepted") | Q(outcome__in=["refused", "reconsidered"], granted_irr=0),
                name="decision_grants_what_it_accepts",
            ),
        )

    def __str__(self) -> str:
        return f"{self.proposal}: {self.get_outcome_display()}"
