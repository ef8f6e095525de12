"""Who works in a place, in which rounds, on which needs, with which proposals."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.contrib.gis.db.models import PointField
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from geo.core.crs import STORAGE_EPSG
from geo.models import Place
from interventions.core.phases import PhaseKind
from interventions.core.transitions import NeedState, ProposalState, RoundState
from interventions.querysets import NeedQuerySet, OfPlaceQuerySet, PhaseQuerySet, ProposalQuerySet, RoundQuerySet
from layers.models import Named
from layers.querysets import TaxonomyQuerySet

MAX_PEOPLE = 100_000_000
MAX_TEXT = 2000


class Sector(Named):
    """A field of needs and work, the same word in all provinces."""

    code = models.SlugField(_("code"), max_length=60, unique=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    objects = TaxonomyQuerySet.as_manager()

    class Meta:
        verbose_name = _("sector")
        verbose_name_plural = _("sectors")
        ordering = ("position", "code")

    def __str__(self) -> str:
        return self.name


class Committee(Named):
    """A specialised committee as a province arranges it: the sectors it works on. The list differs between provinces."""

    place = models.ForeignKey(Place, verbose_name=_("place"), on_delete=models.PROTECT, related_name="committees")
    code = models.SlugField(_("code"), max_length=60)
    sectors = models.ManyToManyField(Sector, verbose_name=_("sectors"), related_name="committees")
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    objects = OfPlaceQuerySet.as_manager()

    class Meta:
        verbose_name = _("committee")
        verbose_name_plural = _("committees")
        ordering = ("place", "position", "code")
        constraints = (models.UniqueConstraint(fields=["place", "code"], name="committee_code_unique_in_place"),)

    def __str__(self) -> str:
        return self.name


class Organisation(Named):
    """An institution at work in a place: an association, an agency, a mosque, a group of volunteers."""

    class Kind(models.TextChoices):
        """What an organisation is."""

        NGO = "ngo", _("NGO")
        AGENCY = "agency", _("executive agency")
        MUNICIPALITY = "municipality", _("municipality")
        RED_CRESCENT = "red-crescent", _("Red Crescent")
        RELIEF_COMMITTEE = "relief-committee", _("Relief Committee")
        MOSQUE = "mosque", _("mosque")
        SCHOOL = "school", _("school")
        VOLUNTEER_GROUP = "volunteer-group", _("volunteer group")
        DONOR = "donor", _("donor")

    code = models.SlugField(_("code"), max_length=60)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    place = models.ForeignKey(
        Place,
        verbose_name=_("place it works in"),
        on_delete=models.PROTECT,
        related_name="organisations",
        help_text=_("With all places inside it."),
    )

    objects = OfPlaceQuerySet.as_manager()

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")
        ordering = ("place", "kind", "code")
        constraints = (
            models.UniqueConstraint(fields=["place", "code"], name="organisation_code_unique_in_place"),
            models.CheckConstraint(
                condition=Q(
                    kind__in=[
                        "ngo",
                        "agency",
                        "municipality",
                        "red-crescent",
                        "relief-committee",
                        "mosque",
                        "school",
                        "volunteer-group",
                        "donor",
                    ]
                ),
                name="organisation_kind_known",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def works_in(self, place: Place) -> bool:
        """Tell whether a place lies where the organisation works."""
        return _lies_in(place, self.place)


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
        )

    def __str__(self) -> str:
        return f"{self.name} #{self.number}"


class Phase(models.Model):
    """One phase of a round and the last moment at which its work is in time."""

    class Kind(models.TextChoices):
        """What is due."""

        NEEDS = PhaseKind.NEEDS.value, _("needs")
        PROPOSALS = PhaseKind.PROPOSALS.value, _("proposals")

    round = models.ForeignKey(Round, verbose_name=_("round"), on_delete=models.CASCADE, related_name="phases")
    kind = models.CharField(_("phase"), max_length=16, choices=Kind)
    due_at = models.DateTimeField(_("deadline"))

    objects = PhaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("phase")
        verbose_name_plural = _("phases")
        ordering = ("round", "due_at", "id")
        constraints = (
            models.UniqueConstraint(fields=["round", "kind"], name="phase_once_per_round"),
            models.CheckConstraint(condition=Q(kind__in=["needs", "proposals"]), name="phase_kind_known"),
        )

    def __str__(self) -> str:
        return f"{self.round} · {self.get_kind_display()}"


class Need(models.Model):
    """Something lacking in a place, as residents' organisations report it in a round."""

    class State(models.TextChoices):
        """Where a need stands."""

        REPORTED = NeedState.REPORTED.value, _("reported")
        CONFIRMED = NeedState.CONFIRMED.value, _("confirmed")
        MERGED = NeedState.MERGED.value, _("merged into another")
        REJECTED = NeedState.REJECTED.value, _("rejected")

    class Approach(models.TextChoices):
        """The two approaches of the programmes."""

        INFRASTRUCTURAL = "infrastructural", _("infrastructural")
        SOCIAL = "social", _("social")

    round = models.ForeignKey(Round, verbose_name=_("round"), on_delete=models.PROTECT, related_name="needs")
    place = models.ForeignKey(
        Place, verbose_name=_("place"), on_delete=models.PROTECT, related_name="needs", db_index=False
    )
    sector = models.ForeignKey(Sector, verbose_name=_("sector"), on_delete=models.PROTECT, related_name="needs")
    organisation = models.ForeignKey(
        Organisation, verbose_name=_("organisation"), on_delete=models.PROTECT, related_name="needs"
    )
    approach = models.CharField(_("approach"), max_length=16, choices=Approach)
    text_fa = models.TextField(_("Persian text"), validators=[MaxLengthValidator(MAX_TEXT)], blank=True)
    text_en = models.TextField(_("English text"), validators=[MaxLengthValidator(MAX_TEXT)], blank=True)
    severity = models.PositiveSmallIntegerField(
        _("severity"),
        validators=[MinValueValidator(1), MaxValueValidator(5)],
        help_text=_("From 1, a nuisance, to 5, a danger to life."),
    )
    people_affected = models.PositiveIntegerField(
        _("people affected"), validators=[MinValueValidator(1), MaxValueValidator(MAX_PEOPLE)]
    )
    point = PointField(_("point"), srid=STORAGE_EPSG, null=True, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.REPORTED)
    merged_into = models.ForeignKey(
        "self", verbose_name=_("merged into"), on_delete=models.PROTECT, null=True, blank=True, related_name="merged"
    )
    # A person may leave and take their name along; the need stays.
    reporter = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("reporter"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Known to the supervisor only."),
    )
    reported_at = models.DateTimeField(_("reported at"), default=timezone.now)

    objects = NeedQuerySet.as_manager()

    class Meta:
        verbose_name = _("need")
        verbose_name_plural = _("needs")
        ordering = ("-severity", "reported_at", "id")
        constraints = (
            models.CheckConstraint(condition=Q(approach__in=["infrastructural", "social"]), name="need_approach_known"),
            models.CheckConstraint(
                condition=~Q(text_fa="") | ~Q(text_en=""),
                name="need_has_text",
                violation_error_message=_("Say in Persian or in English what is needed."),
            ),
            models.CheckConstraint(condition=Q(severity__gte=1, severity__lte=5), name="need_severity_in_range"),
            models.CheckConstraint(
                condition=Q(people_affected__gte=1, people_affected__lte=MAX_PEOPLE), name="need_people_in_range"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["reported", "confirmed", "rejected"], merged_into__isnull=True)
                | Q(state="merged", merged_into__isnull=False),
                name="need_merged_into_another",
                violation_error_message=_("A merged need, and no other, names the need it was merged into."),
            ),
            models.CheckConstraint(condition=~Q(merged_into=F("id")), name="need_not_merged_into_itself"),
        )
        indexes = (models.Index(fields=["place", "sector"], name="need_place_sector"),)

    def __str__(self) -> str:
        return f"#{self.pk} {self.text[:60]}"

    @property
    def text(self) -> str:
        """The text in the language of the reader, or in the other where it was not written in that."""
        return in_readers_language(self.text_fa, self.text_en)

    def clean(self) -> None:
        """Refuse a place outside the round's, an organisation that does not work there, a merger across rounds."""
        if self.place_id and self.round_id and not _lies_in(self.place, self.round.place):
            raise ValidationError({"place": _("This place is not part of the place of the round.")})
        if self.place_id and self.organisation_id and not self.organisation.works_in(self.place):
            raise ValidationError({"organisation": _("This organisation does not work in this place.")})
        if self.merged_into is not None and self.merged_into.round_id != self.round_id:
            raise ValidationError({"merged_into": _("Choose a need of the same round.")})


class Proposal(models.Model):
    """What an organisation offers to do about one or many needs, at what cost and to what effect."""

    class State(models.TextChoices):
        """Where a proposal stands."""

        DRAFT = ProposalState.DRAFT.value, _("draft")
        SUBMITTED = ProposalState.SUBMITTED.value, _("submitted")
        RETURNED = ProposalState.RETURNED.value, _("returned for completion")
        ACCEPTED = ProposalState.ACCEPTED.value, _("accepted")
        REFUSED = ProposalState.REFUSED.value, _("refused")

    round = models.ForeignKey(Round, verbose_name=_("round"), on_delete=models.PROTECT, related_name="proposals")
    organisation = models.ForeignKey(
        Organisation, verbose_name=_("organisation"), on_delete=models.PROTECT, related_name="proposals"
    )
    needs = models.ManyToManyField(Need, verbose_name=_("needs"), related_name="proposals")
    title_fa = models.CharField(_("Persian title"), max_length=200, blank=True)
    title_en = models.CharField(_("English title"), max_length=200, blank=True)
    cost_irr = models.DecimalField(
        _("cost (rials)"), max_digits=18, decimal_places=0, validators=[MinValueValidator(Decimal(0))]
    )
    effect_fa = models.TextField(
        _("expected effect, in Persian"), validators=[MaxLengthValidator(MAX_TEXT)], blank=True
    )
    effect_en = models.TextField(
        _("expected effect, in English"), validators=[MaxLengthValidator(MAX_TEXT)], blank=True
    )
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DRAFT)
    submitted_at = models.DateTimeField(_("submitted at"), null=True, blank=True)

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
            models.CheckConstraint(condition=Q(cost_irr__gte=0), name="proposal_cost_not_negative"),
            models.CheckConstraint(
                condition=Q(state="draft")
                | Q(state__in=["submitted", "returned", "accepted", "refused"], submitted_at__isnull=False),
                name="proposal_submitted_at_a_time",
            ),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """The title in the language of the reader, or in the other where it was not written in that."""
        return in_readers_language(self.title_fa, self.title_en)

    @property
    def effect(self) -> str:
        """The expected effect in the language of the reader, or in the other where it was not written in that."""
        return in_readers_language(self.effect_fa, self.effect_en)


def in_readers_language(text_fa: str, text_en: str) -> str:
    """Return the one of two texts that the reader's language asks for, or the other where that is empty."""
    return (text_en or text_fa) if get_language() == "en" else (text_fa or text_en)


def _lies_in(place: Place, outer: Place) -> bool:
    return f"{place.path}/".startswith(f"{outer.path}/")
