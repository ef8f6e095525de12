"""Sums of the network by area and sector, so that a country of millions of needs is read in a moment.

An area is what the first three parts of a path name: in a country, a county. What is written inside an area leaves a mark,
by triggers of the database; sums of marked areas are counted again before they are read, or by ``manage.py tallies``.
Writers never wait for each other because of them: marks are only ever added by them.
"""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from geo.models import Place
from interventions.models.organisations import Sector
from interventions.querysets import TallyQuerySet

AREA_DEPTH: Final = 3
"""Parts of a path that name an area; a place with a shorter path is an area of its own, without what lies in it."""


class Tally(models.Model):
    """Sums of the needs and actions of one sector in one area: of all, or of what the public may be told about."""

    place = models.ForeignKey(Place, on_delete=models.CASCADE, related_name="tallies")
    sector = models.ForeignKey(Sector, on_delete=models.CASCADE, related_name="tallies", db_index=False)
    is_public = models.BooleanField(help_text=_("Of published places and public actions only."))
    # Needs that count, by the stage of interventions.core.gaps.
    unanswered = models.PositiveIntegerField(default=0)
    proposed = models.PositiveIntegerField(default=0)
    decided = models.PositiveIntegerField(default=0)
    under_way = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    # People: of each place, those of the need that affects most; and how many of them are small numbers.
    people = models.PositiveBigIntegerField(default=0)
    people_withheld = models.PositiveBigIntegerField(default=0)
    people_in_gap = models.PositiveBigIntegerField(default=0)
    people_in_gap_withheld = models.PositiveBigIntegerField(default=0)
    severity_max = models.PositiveSmallIntegerField(default=0)
    actions_running = models.PositiveIntegerField(default=0)
    actions_done = models.PositiveIntegerField(default=0)

    objects = TallyQuerySet.as_manager()

    class Meta:
        verbose_name = _("tally")
        verbose_name_plural = _("tallies")
        constraints = (models.UniqueConstraint(fields=["place", "sector", "is_public"], name="tally_once"),)

    def __str__(self) -> str:
        return f"{self.place_id} · {self.sector_id}"


class YearTally(models.Model):
    """What was done in one area in a year of the Iranian calendar: of all, or of what the public may be told about."""

    place = models.ForeignKey(Place, on_delete=models.CASCADE, related_name="year_tallies")
    year_begins_on = models.DateField()
    is_public = models.BooleanField(help_text=_("Of published places and public actions only."))
    at_work = models.PositiveIntegerField(default=0)
    finished = models.PositiveIntegerField(default=0)
    finished_late = models.PositiveIntegerField(default=0)
    spent_irr = models.DecimalField(max_digits=24, decimal_places=0, default=0)
    # Of each place the action that reached most; and how many of them are small numbers.
    people_reached = models.PositiveBigIntegerField(default=0)
    people_withheld = models.PositiveBigIntegerField(default=0)
    needs = models.PositiveIntegerField(default=0)
    answered = models.PositiveIntegerField(default=0)

    objects = TallyQuerySet.as_manager()

    class Meta:
        verbose_name = _("tally of a year")
        verbose_name_plural = _("tallies of years")
        constraints = (
            models.UniqueConstraint(fields=["place", "year_begins_on", "is_public"], name="year_tally_once"),
        )

    def __str__(self) -> str:
        return f"{self.place_id} · {self.year_begins_on}"


class TallyMark(models.Model):
    """Says that something was written in an area since its sums were counted. Written by the database itself."""

    area = models.CharField(max_length=600, db_index=True)

    objects = TallyQuerySet.as_manager()

    class Meta:
        verbose_name = _("mark of a tally")
        verbose_name_plural = _("marks of tallies")

    def __str__(self) -> str:
        return self.area
