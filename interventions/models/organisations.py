"""Who works in the network: sectors, organisations and their members, councils and committees."""

from __future__ import annotations

from enum import StrEnum

from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from geo.core.text import normalise
from geo.models import Assignment, Place
from geo.placed import OfPlaceQuerySet
from interventions.core.transitions import ActivationState, MembershipState, OrganisationState
from interventions.models.wording import MAX_TEXT, lies_in, one_of
from interventions.querysets import (
    ActivationQuerySet,
    MembershipQuerySet,
    OrganisationQuerySet,
    SeatQuerySet,
)
from layers.models import Named
from layers.querysets import TaxonomyQuerySet


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


class OrganisationKind(StrEnum):
    """What an organisation is."""

    NGO = "ngo"
    AGENCY = "agency"
    MUNICIPALITY = "municipality"
    RED_CRESCENT = "red-crescent"
    RELIEF_COMMITTEE = "relief-committee"
    MOSQUE = "mosque"
    SCHOOL = "school"
    VOLUNTEER_GROUP = "volunteer-group"
    DONOR = "donor"


PROPOSING_KINDS = frozenset(
    {
        OrganisationKind.AGENCY,
        OrganisationKind.MUNICIPALITY,
        OrganisationKind.RED_CRESCENT,
        OrganisationKind.RELIEF_COMMITTEE,
    }
)
"""Kinds whose members act as executive agencies; the members of all others report."""


class Organisation(Named):
    """An institution at work in a place: an association, an agency, a mosque, a group of volunteers."""

    class Kind(models.TextChoices):
        """What an organisation is."""

        NGO = OrganisationKind.NGO.value, _("NGO")
        AGENCY = OrganisationKind.AGENCY.value, _("executive agency")
        MUNICIPALITY = OrganisationKind.MUNICIPALITY.value, _("municipality")
        RED_CRESCENT = OrganisationKind.RED_CRESCENT.value, _("Red Crescent")
        RELIEF_COMMITTEE = OrganisationKind.RELIEF_COMMITTEE.value, _("Relief Committee")
        MOSQUE = OrganisationKind.MOSQUE.value, _("mosque")
        SCHOOL = OrganisationKind.SCHOOL.value, _("school")
        VOLUNTEER_GROUP = OrganisationKind.VOLUNTEER_GROUP.value, _("volunteer group")
        DONOR = OrganisationKind.DONOR.value, _("donor")

    class State(models.TextChoices):
        """Where an organisation stands."""

        APPLIED = OrganisationState.APPLIED.value, _("waits for approval")
        APPROVED = OrganisationState.APPROVED.value, pgettext_lazy("organisation", "approved")
        REFUSED = OrganisationState.REFUSED.value, _("refused")
        SUSPENDED = OrganisationState.SUSPENDED.value, _("suspended")

    code = models.SlugField(_("code"), max_length=60)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    place = models.ForeignKey(
        Place,
        verbose_name=_("place it works in"),
        on_delete=models.PROTECT,
        related_name="organisations",
        help_text=_("With all places inside it."),
    )
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.APPROVED)
    about_fa = models.TextField(_("about it, in Persian"), validators=[MaxLengthValidator(MAX_TEXT)], blank=True)
    about_en = models.TextField(_("about it, in English"), validators=[MaxLengthValidator(MAX_TEXT)], blank=True)
    search_name = models.CharField(max_length=500, editable=False, db_index=True, default="")

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")
        ordering = ("place", "kind", "code")
        constraints = (
            models.UniqueConstraint(fields=["place", "code"], name="organisation_code_unique_in_place"),
            models.CheckConstraint(condition=one_of("kind", OrganisationKind), name="organisation_kind_known"),
            models.CheckConstraint(condition=one_of("state", OrganisationState), name="organisation_state_known"),
        )

    def __str__(self) -> str:
        return self.name

    def save(self, *args: object, **kwargs: object) -> None:
        """Keep the search name true, then save."""
        self.search_name = normalise(f"{self.name_fa} {self.name_en} {self.code}")[:500]
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def works_in(self, place: Place) -> bool:
        """Tell whether a place lies where the organisation works."""
        return lies_in(place, self.place)

    @property
    def members_role(self) -> str:
        """The role its members have in the places they are assigned."""
        proposes = self.kind in PROPOSING_KINDS
        return (Assignment.Role.AGENCY if proposes else Assignment.Role.REPORTER).value


class Membership(models.Model):
    """A person in an organisation. Once approved, it gives the role of the organisation's members in the places assigned.

    The roles are ordinary rows of `geo.models.Assignment`, so that rights are asked in one place only; the membership knows which
    of them it made, and takes those back when it ends.
    """

    class State(models.TextChoices):
        """Where a membership stands."""

        APPLIED = MembershipState.APPLIED.value, _("waits for approval")
        APPROVED = MembershipState.APPROVED.value, pgettext_lazy("organisation", "approved")
        REFUSED = MembershipState.REFUSED.value, _("refused")
        ENDED = MembershipState.ENDED.value, _("ended")

    organisation = models.ForeignKey(
        Organisation, verbose_name=_("organisation"), on_delete=models.PROTECT, related_name="memberships"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("person"), on_delete=models.CASCADE, related_name="memberships"
    )
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.APPLIED)
    is_contact = models.BooleanField(
        _("contact person"), default=False, help_text=_("Told of deadlines and of what others ask the organisation.")
    )
    places = models.ManyToManyField(
        Place,
        verbose_name=_("places assigned"),
        related_name="+",
        blank=True,
        help_text=_("With all places inside them; where none is named, the place the organisation works in."),
    )
    assignments = models.ManyToManyField(Assignment, related_name="+", editable=False)
    since = models.DateTimeField(_("since"), default=timezone.now)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        ordering = ("organisation", "user")
        constraints = (
            models.UniqueConstraint(fields=["organisation", "user"], name="membership_once"),
            models.CheckConstraint(condition=one_of("state", MembershipState), name="membership_state_known"),
        )

    def __str__(self) -> str:
        return f"{self.user} · {self.organisation}"


class Committee(Named):
    """A specialised committee as a province arranges it: the sectors it works on. The list differs between provinces."""

    place = models.ForeignKey(Place, verbose_name=_("place"), on_delete=models.PROTECT, related_name="committees")
    code = models.SlugField(_("code"), max_length=60)
    sectors = models.ManyToManyField(Sector, verbose_name=_("sectors"), related_name="committees")
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_crisis = models.BooleanField(
        _("crisis committee"), default=False, help_text=_("Works only where and while it is activated.")
    )

    objects = OfPlaceQuerySet.as_manager()

    class Meta:
        verbose_name = _("committee")
        verbose_name_plural = _("committees")
        ordering = ("place", "position", "code")
        constraints = (models.UniqueConstraint(fields=["place", "code"], name="committee_code_unique_in_place"),)

    def __str__(self) -> str:
        return self.name


class Council(Named):
    """The council of a place: steering council of a province or county, progress council of a neighbourhood."""

    place = models.OneToOneField(Place, verbose_name=_("place"), on_delete=models.PROTECT, related_name="council")
    house_fa = models.CharField(
        _("neighbourhood house, in Persian"), max_length=300, blank=True, help_text=_("Where it meets.")
    )
    house_en = models.CharField(_("neighbourhood house, in English"), max_length=300, blank=True)

    objects = OfPlaceQuerySet.as_manager()

    class Meta:
        verbose_name = _("council")
        verbose_name_plural = _("councils")
        ordering = ("place",)

    def __str__(self) -> str:
        return self.name


class Seat(models.Model):
    """A person's or an organisation's place in a council, or in one of its committees."""

    class Position(models.TextChoices):
        """What somebody is there."""

        CHAIR = "chair", _("chair")
        SECRETARY = "secretary", _("secretary")
        MEMBER = "member", _("member")

    council = models.ForeignKey(Council, verbose_name=_("council"), on_delete=models.CASCADE, related_name="seats")
    committee = models.ForeignKey(
        Committee, verbose_name=_("committee"), on_delete=models.PROTECT, related_name="seats", null=True, blank=True
    )
    position = models.CharField(_("position"), max_length=10, choices=Position, default=Position.MEMBER)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        on_delete=models.CASCADE,
        related_name="seats",
        null=True,
        blank=True,
    )
    organisation = models.ForeignKey(
        Organisation,
        verbose_name=_("organisation"),
        on_delete=models.PROTECT,
        related_name="seats",
        null=True,
        blank=True,
    )

    objects = SeatQuerySet.as_manager()

    class Meta:
        verbose_name = _("seat")
        verbose_name_plural = _("seats")
        ordering = ("council", "committee", "position", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(user__isnull=False) | Q(organisation__isnull=False),
                name="seat_is_taken",
                violation_error_message=_("Name a person or an organisation."),
            ),
            models.UniqueConstraint(
                fields=["council", "committee", "user", "organisation"], nulls_distinct=False, name="seat_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.council} · {self.organisation or self.user}"


class Activation(models.Model):
    """A crisis committee at work in a place for a time."""

    class State(models.TextChoices):
        """Where it stands."""

        ACTIVE = ActivationState.ACTIVE.value, _("active")
        STOOD_DOWN = ActivationState.STOOD_DOWN.value, _("stood down")

    committee = models.ForeignKey(
        Committee, verbose_name=_("committee"), on_delete=models.PROTECT, related_name="activations"
    )
    place = models.ForeignKey(Place, verbose_name=_("place"), on_delete=models.PROTECT, related_name="activations")
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.ACTIVE)
    reason = models.TextField(_("reason"), validators=[MaxLengthValidator(MAX_TEXT)])
    activated_at = models.DateTimeField(_("activated at"), default=timezone.now)
    stood_down_at = models.DateTimeField(_("stood down at"), null=True, blank=True)

    objects = ActivationQuerySet.as_manager()

    class Meta:
        verbose_name = _("activation")
        verbose_name_plural = _("activations")
        ordering = ("-activated_at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=["committee", "place"], condition=Q(state="active"), name="activation_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(state="active", stood_down_at__isnull=True)
                | Q(state="stood-down", stood_down_at__isnull=False, stood_down_at__gt=F("activated_at")),
                name="activation_ends_after_it_begins",
            ),
        )

    def __str__(self) -> str:
        return f"{self.committee} @ {self.place.code}"
