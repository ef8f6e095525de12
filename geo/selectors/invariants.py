"""What must always hold of a city's boundaries, whatever happened: checked after load, crashes and races."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from itertools import pairwise
from typing import Any, Final

from django.contrib.gis.db.models.functions import IsValid
from django.db.models import Count, F, Q

from geo.core.topology import findings
from geo.models import Boundary, Change, ChangeSet, Descent, Place
from geo.querysets import system_user
from geo.selectors.histories import days_of_change
from geo.selectors.partitions import EDITED_KINDS, shapes_read

_SHARE_TOLERANCE: Final = 1e-6


def invariants_broken(city: Place, *, days: list[date] | None = None) -> list[str]:
    """Name what does not hold of a city's editions and change sets; empty if all is well.

    Parameters
    ----------
    city : Place
        The city.
    days : list of date, optional
        The days whose partition is checked; all on which it changed if None.
    """
    return [
        *_broken_editions(city),
        *_broken_change_sets(city),
        *_broken_lineage(city),
        *_broken_places(city),
        *_overlaps(city, days),
    ]


def _broken_editions(city: Place) -> list[str]:
    editions = Boundary.objects.filter(place__path__startswith=city.path + "/", place__kind__in=EDITED_KINDS)
    broken = [f"edition {pk} is not valid" for pk in editions.exclude(IsValid("geometry")).values_list("pk", flat=True)]
    in_force = defaultdict(list)
    for pk, place, valid in editions.approved().values_list("pk", "place__code", "valid"):
        in_force[place].append((valid.lower or date.min, valid.upper or date.max, pk))
    for place, times in in_force.items():
        times.sort()
        broken += [
            f"editions {a[2]} and {b[2]} of {place} are in force at one moment"
            for a, b in pairwise(times)
            if b[0] < a[1]
        ]
    repeated = editions.order_by().values("place__code", "version").annotate(n=Count("pk")).filter(n__gt=1)
    broken += [f"{row['n']} editions of {row['place__code']} have the number {row['version']}" for row in repeated]
    return broken


def _broken_change_sets(city: Place) -> list[str]:
    sets = ChangeSet.objects.filter(place=city)
    broken = [f"change set {pk} has no change" for pk in sets.filter(changes=None).values_list("pk", flat=True)]
    changes = Change.objects.filter(change_set__place=city)
    wrong = {
        "draft": ~Q(boundary__status="draft"),
        "returned": ~Q(boundary__status="draft"),
        "proposed": ~Q(boundary__status="proposed"),
        "withdrawn": ~Q(boundary__status="withdrawn"),
        # one that was replaced on the day it came into force is withdrawn
        "approved": ~Q(boundary__status__in=["approved", "withdrawn"]),
    }
    for status, condition in wrong.items():
        found = changes.filter(condition, change_set__status=status, boundary__isnull=False)
        broken += [
            f"edition {edition} of the {status} change set {change_set} is {stands}"
            for edition, change_set, stands in found.values_list("boundary", "change_set", "boundary__status")
        ]
    approved = changes.filter(change_set__status="approved")
    held = approved.filter(base__status="approved").filter(
        Q(base__valid__upper_inf=True) | ~Q(base__valid__endswith=F("change_set__valid_from"))
    )
    broken += [
        f"edition {change.base_id} did not end when change set {change.change_set_id} took effect" for change in held
    ]
    alone = sets.filter(status="approved").filter(Q(reviewer=None) | Q(reviewer=F("author")))
    broken += [f"change set {pk} was not approved by a second person" for pk in alone.values_list("pk", flat=True)]
    stray = Boundary.objects.filter(change_set__place=city, change=None).values_list("pk", flat=True)
    broken += [f"edition {pk} belongs to a change set that does not hold it" for pk in stray]
    return broken


def _broken_lineage(city: Place) -> list[str]:
    shares: dict[tuple[Any, str], float] = defaultdict(float)
    rows = Descent.objects.filter(change_set__place=city)
    for change_set, place, share in rows.values_list("change_set", "predecessor__code", "share_of_predecessor"):
        shares[change_set, place] += share
    return [
        f"shares of {place} in change set {change_set} sum to {total}"
        for (change_set, place), total in shares.items()
        if abs(total - 1) > _SHARE_TOLERANCE
    ]


def _broken_places(city: Place) -> list[str]:
    drawn = Place.objects.within(city).filter(kind__in=EDITED_KINDS)
    early = drawn.filter(is_published=True, changes__base=None, changes__change_set__status__in=["draft", "proposed"])
    early = early.exclude(boundaries__status__in=["approved", "withdrawn"])
    return [f"{code} is published before its approval" for code in early.values_list("code", flat=True).distinct()]


def _overlaps(city: Place, days: list[date] | None) -> list[str]:
    """Find overlaps in the approved partition that no approval has acknowledged."""
    everything = system_user()
    known = {
        tuple(key.split(":")[1].split("+"))
        for keys in ChangeSet.objects.filter(place=city, status="approved").values_list("acknowledged", flat=True)
        for key in keys
        if key.startswith(("overlap:", "sliver:"))
    }
    broken = []
    for day in days_of_change(city, everything) if days is None else days:
        for finding in findings(shapes_read(city, everything, as_of=day).neighbourhoods):
            if finding.is_overlap and tuple(sorted(finding.codes)) not in known:
                broken.append(f"{' and '.join(finding.codes)} overlap by {finding.area_m2:.2f} m² on {day}")
    return broken
