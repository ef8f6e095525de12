"""What a change set does to each place it touches, and which place comes from which."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from geo.models.boundaries import Boundary
from geo.models.change_sets import ChangeSet
from geo.models.places import Place
from geo.querysets import ChangeQuerySet, DescentQuerySet


class Change(models.Model):
    """One place touched by a change set: from an edition (none: the place is new) to another (none: the place ends)."""

    change_set = models.ForeignKey(
        ChangeSet, verbose_name=_("change set"), on_delete=models.CASCADE, related_name="changes"
    )
    place = models.ForeignKey(Place, verbose_name=_("place"), on_delete=models.PROTECT, related_name="changes")
    base = models.ForeignKey(
        Boundary,
        verbose_name=_("edition it is based on"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="changes_from",
    )
    boundary = models.OneToOneField(
        Boundary,
        verbose_name=_("edition it makes"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="change",
    )
    name_fa = models.CharField(_("new Persian name"), max_length=200, blank=True)
    name_en = models.CharField(_("new English name"), max_length=200, blank=True)
    gained_m2 = models.FloatField(_("area gained (m²)"), null=True, blank=True)
    lost_m2 = models.FloatField(_("area lost (m²)"), null=True, blank=True)
    people_gained = models.FloatField(_("people gained"), null=True, blank=True)
    people_lost = models.FloatField(_("people lost"), null=True, blank=True)

    objects = ChangeQuerySet.as_manager()

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        ordering = ("change_set", "place")
        constraints = (
            models.UniqueConstraint(fields=["change_set", "place"], name="change_once_per_place"),
            models.CheckConstraint(
                condition=Q(base__isnull=False) | Q(boundary__isnull=False), name="change_changes_something"
            ),
        )

    def __str__(self) -> str:
        return f"{self.change_set_id}: {self.place.code}"

    @property
    def kind(self) -> str:
        """What happens to the place: ``new``, ``ends`` or ``reshaped``."""
        if self.base_id is None:
            return "new"
        return "ends" if self.boundary_id is None else "reshaped"


class Descent(models.Model):
    """Which place came from which in a change set, with shares of area and of people."""

    class Kind(models.TextChoices):
        """How it came about."""

        SPLIT = "split", _("split")
        MERGE = "merge", _("merge")
        RESHAPE = "reshape", _("reshape")

    change_set = models.ForeignKey(
        ChangeSet, verbose_name=_("change set"), on_delete=models.CASCADE, related_name="descents"
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    predecessor = models.ForeignKey(
        Place, verbose_name=_("predecessor"), on_delete=models.PROTECT, related_name="descents_from"
    )
    successor = models.ForeignKey(
        Place,
        verbose_name=_("successor"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="descents_to",
        help_text=_("Empty: ground that goes to no place."),
    )
    share_of_predecessor = models.FloatField(_("share of the predecessor's area"))
    share_of_successor = models.FloatField(_("share of the successor's area"), default=0.0)
    share_of_people = models.FloatField(_("share of the predecessor's people"), null=True, blank=True)

    objects = DescentQuerySet.as_manager()

    class Meta:
        verbose_name = _("descent")
        verbose_name_plural = _("descents")
        ordering = ("change_set", "predecessor", "-share_of_predecessor")
        constraints = (
            models.UniqueConstraint(
                fields=["change_set", "predecessor", "successor"], nulls_distinct=False, name="descent_once"
            ),
            models.CheckConstraint(condition=Q(kind__in=["split", "merge", "reshape"]), name="descent_kind_known"),
            models.CheckConstraint(
                condition=Q(share_of_predecessor__range=(0, 1))
                & Q(share_of_successor__range=(0, 1))
                & (Q(share_of_people__isnull=True) | Q(share_of_people__range=(0, 1))),
                name="descent_shares_in_range",
            ),
        )

    def __str__(self) -> str:
        successor = self.successor.code if self.successor else "—"
        return f"{self.predecessor.code} → {successor}"
