"""What is lacking in a place, and what it has."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.gis.db.models import GeometryField
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from geo.core.crs import STORAGE_EPSG
from geo.core.text import normalise
from geo.db.fields import geometry_constraints
from geo.models import Place
from interventions.core.transitions import CapacityState, NeedState
from interventions.models.organisations import Organisation, Sector
from interventions.models.rounds import Approach, Round
from interventions.models.wording import MAX_PEOPLE, MAX_TEXT, in_readers_language, lies_in, one_of
from interventions.querysets import CapacityQuerySet, NeedQuerySet
from layers.models import Service

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

PEOPLE_GROUPS = ("women", "children", "older", "disabled")
"""Groups of people that a need counts apart, each in a column ``<group>_affected``; a person may be in several."""


def _people(label: StrOrPromise) -> models.PositiveIntegerField:
    return models.PositiveIntegerField(label, validators=[MaxValueValidator(MAX_PEOPLE)], null=True, blank=True)


class Need(models.Model):
    """Something lacking in a place, as residents' organisations report it in a round."""

    class State(models.TextChoices):
        """Where a need stands."""

        REPORTED = NeedState.REPORTED.value, _("reported")
        CONFIRMED = NeedState.CONFIRMED.value, _("confirmed")
        MERGED = NeedState.MERGED.value, _("merged into another")
        REJECTED = NeedState.REJECTED.value, _("rejected")
        WITHDRAWN = NeedState.WITHDRAWN.value, _("withdrawn")

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
    search_text = models.TextField(editable=False, default="")
    severity = models.PositiveSmallIntegerField(
        _("severity"),
        validators=[MinValueValidator(1), MaxValueValidator(5)],
        help_text=_("From 1, a nuisance, to 5, a danger to life."),
    )
    people_affected = models.PositiveIntegerField(
        _("people affected"), validators=[MinValueValidator(1), MaxValueValidator(MAX_PEOPLE)]
    )
    women_affected = _people(_("women among them"))
    children_affected = _people(_("children among them"))
    older_affected = _people(_("older people among them"))
    disabled_affected = _people(_("people with disabilities among them"))
    geometry = GeometryField(_("point, line or area"), srid=STORAGE_EPSG, null=True, blank=True)
    service = models.ForeignKey(
        Service,
        verbose_name=_("service that is lacking"),
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        help_text=_("Its coverage is the indicator that answering the need would move."),
    )
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
    # A phone names what it sends before it knows whether the sending succeeds, so that sending again makes no second need.
    ticket = models.UUIDField(_("ticket"), default=uuid.uuid4, unique=True, editable=False)
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)

    objects = NeedQuerySet.as_manager()

    class Meta:
        verbose_name = _("need")
        verbose_name_plural = _("needs")
        ordering = ("-severity", "reported_at", "id")
        constraints = (
            models.CheckConstraint(condition=Q(approach__in=["infrastructural", "social"]), name="need_approach_known"),
            models.CheckConstraint(condition=one_of("state", NeedState), name="need_state_known"),
            models.CheckConstraint(
                condition=~Q(text_fa="") | ~Q(text_en=""),
                name="need_has_text",
                violation_error_message=_("Say in Persian or in English what is needed."),
            ),
            models.CheckConstraint(condition=Q(severity__gte=1, severity__lte=5), name="need_severity_in_range"),
            models.CheckConstraint(
                condition=Q(people_affected__gte=1, people_affected__lte=MAX_PEOPLE), name="need_people_in_range"
            ),
            *(
                models.CheckConstraint(
                    condition=Q(**{f"{group}_affected__isnull": True})
                    | Q(**{f"{group}_affected__lte": F("people_affected")}),
                    name=f"need_{group}_among_people",
                    violation_error_message=_("A group cannot be larger than all the people affected."),
                )
                for group in PEOPLE_GROUPS
            ),
            models.CheckConstraint(
                condition=Q(state__in=["reported", "confirmed", "rejected", "withdrawn"], merged_into__isnull=True)
                | Q(state="merged", merged_into__isnull=False),
                name="need_merged_into_another",
                violation_error_message=_("A merged need, and no other, names the need it was merged into."),
            ),
            models.CheckConstraint(condition=~Q(merged_into=F("id")), name="need_not_merged_into_itself"),
            *geometry_constraints("need", or_valid_as=Q(geometry__isnull=True)),
        )
        indexes = (
            models.Index(fields=["place", "sector"], name="need_place_sector"),
            models.Index(fields=["-severity", "reported_at", "id"], name="need_gravest_first"),
            models.Index(fields=["place", "-severity", "reported_at", "id"], name="need_gravest_of_place"),
        )

    def __str__(self) -> str:
        return f"#{self.pk} {self.text[:60]}"

    def save(self, *args: object, **kwargs: object) -> None:
        """Keep the searched text true, then save."""
        self.search_text = normalise(f"{self.text_fa} {self.text_en}")
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    @property
    def text(self) -> str:
        """The text in the language of the reader, or in the other where it was not written in that."""
        return in_readers_language(self.text_fa, self.text_en)

    def clean(self) -> None:
        """Refuse a place outside the round's, an organisation that does not work there, a merger across rounds."""
        if self.place_id and self.round_id and not lies_in(self.place, self.round.place):
            raise ValidationError({"place": _("This place is not part of the place of the round.")})
        if self.place_id and self.organisation_id and not self.organisation.works_in(self.place):
            raise ValidationError({"organisation": _("This organisation does not work in this place.")})
        if self.merged_into is not None and self.merged_into.round_id != self.round_id:
            raise ValidationError({"merged_into": _("Choose a need of the same round.")})


class Capacity(models.Model):
    """Something a place has and can give: people, a room, a group, a donor."""

    class Kind(models.TextChoices):
        """What it is."""

        PEOPLE = "people", _("people and their skills")
        PLACE = "place", _("a room, a yard, a piece of land")
        GROUP = "group", _("a group at work")
        DONOR = "donor", _("a donor")
        EQUIPMENT = "equipment", _("equipment")

    place = models.ForeignKey(Place, verbose_name=_("place"), on_delete=models.PROTECT, related_name="capacities")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    sectors = models.ManyToManyField(Sector, verbose_name=_("sectors"), related_name="+", blank=True)
    organisation = models.ForeignKey(
        Organisation, verbose_name=_("organisation"), on_delete=models.PROTECT, related_name="capacities"
    )
    text_fa = models.TextField(_("Persian text"), validators=[MaxLengthValidator(MAX_TEXT)], blank=True)
    text_en = models.TextField(_("English text"), validators=[MaxLengthValidator(MAX_TEXT)], blank=True)
    amount = models.PositiveIntegerField(
        _("how many"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(MAX_PEOPLE)],
        help_text=_("People, seats, pieces."),
    )
    contact = models.CharField(
        _("contact"),
        max_length=300,
        blank=True,
        help_text=_("How to reach who gives it; for the supervisor and the organisation that recorded it."),
    )
    geometry = GeometryField(_("point, line or area"), srid=STORAGE_EPSG, null=True, blank=True)
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
    archived_at = models.DateTimeField(_("archived at"), null=True, blank=True)
    ticket = models.UUIDField(_("ticket"), default=uuid.uuid4, unique=True, editable=False)
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)

    objects = CapacityQuerySet.as_manager()

    class Meta:
        verbose_name = _("capacity")
        verbose_name_plural = _("capacities")
        ordering = ("place", "kind", "id")
        constraints = (
            models.CheckConstraint(
                condition=~Q(text_fa="") | ~Q(text_en=""),
                name="capacity_has_text",
                violation_error_message=_("Say in Persian or in English what there is."),
            ),
            *geometry_constraints("capacity", or_valid_as=Q(geometry__isnull=True)),
        )

    def __str__(self) -> str:
        return in_readers_language(self.text_fa, self.text_en)[:60]

    @property
    def text(self) -> str:
        """The text in the language of the reader, or in the other where it was not written in that."""
        return in_readers_language(self.text_fa, self.text_en)

    @property
    def state(self) -> str:
        """Where it stands in the table of its moves."""
        return (CapacityState.RECORDED if self.archived_at is None else CapacityState.WITHDRAWN).value

    def clean(self) -> None:
        """Refuse an organisation that does not work in the place."""
        if self.place_id and self.organisation_id and not self.organisation.works_in(self.place):
            raise ValidationError({"organisation": _("This organisation does not work in this place.")})
