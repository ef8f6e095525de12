"""What the description of a city no longer names, when the city is loaded again: settings go, boundaries end, data stay."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date

from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Max

from geo.models import Boundary, Change, ChangeSet, Place
from layers.models import Layer, PopulationSource, Standard, Supply, Timetable, TravelData

Say = Callable[[str], object]


def settings_retire(
    city: Place,
    *,
    services: Collection[str],
    timetables: Collection[str],
    standards: Collection[str],
    populations: Collection[str],
    travel: bool,
    say: Say,
) -> None:
    """Delete the settings of a city that its description does not name, saying which.

    They are what the description alone makes: supplies, timetables, own standards, sources of population, and data for
    travel. The layers they were about stay, with all their releases.

    Parameters
    ----------
    services, timetables, standards, populations : collection of str
        Codes of the services that have a supply, of those that have a timetable, of those that have a threshold of the
        city's own, and of the sources of population.
    travel : bool
        Whether it says what ways are measured on.
    """
    for what, found in (
        ("supply", Supply.objects.filter(city=city).exclude(service__code__in=services)),
        ("timetable", Timetable.objects.filter(city=city).exclude(service__code__in=timetables)),
        ("standard", Standard.objects.filter(city=city).exclude(service__code__in=standards)),
    ):
        codes = sorted(found.values_list("service__code", flat=True))
        if codes:
            found.delete()
            say(f"Retired the {what} of {', '.join(codes)}: no longer in the description.")
    sources = PopulationSource.objects.filter(city=city).exclude(code__in=populations)
    codes = sorted(sources.values_list("code", flat=True))
    if codes:
        sources.delete()
        say(f"Retired the population source {', '.join(codes)}: no longer in the description.")
    if not travel and TravelData.objects.filter(city=city).delete()[0]:
        say("Retired the data for travel: no longer in the description.")


def layers_left(city: Place, named: Collection[str], say: Say) -> None:
    """Say which layers of the city the description does not name; they may have been imported by hand, so they stay."""
    codes = Layer.objects.filter(city=city).exclude(code__in=named).order_by("code").values_list("code", flat=True)
    if codes:
        say(f"Kept, though not in the description: the layers {', '.join(codes)}.")


def places_retire(city: Place, named: Collection[str], days: Mapping[str, date], say: Say) -> int:
    """End the boundaries of places of the city that are not named; return of how many places.

    An edition in force ends on the day; one that would begin on or after it is withdrawn. No row is deleted. Places whose
    boundary a change set made since are people's work, and are left as they are.

    Parameters
    ----------
    named : collection of str
        Paths of the places that the description's files hold.
    days : mapping
        By kind of place, the day from which the description's boundaries hold.
    """
    last = max(days.values())
    lasting = Boundary.objects.filter(
        place__path__startswith=city.path + "/",
        place__kind__in=[Place.Kind.DISTRICT, Place.Kind.NEIGHBOURHOOD, Place.Kind.SETTLEMENT],
        status=Boundary.Status.APPROVED,
        valid__upper_inf=True,
    ).exclude(place__path__in=named)
    by_hand = list(
        lasting.filter(change_set__isnull=False).order_by("place__path").values_list("place__code", flat=True)
    )
    ended = 0
    for edition in lasting.filter(change_set__isnull=True).select_related("place").select_for_update(of=("self",)):
        day = days.get(edition.place.kind, last)
        if edition.valid.lower < day:
            edition.valid = DateRange(edition.valid.lower, day)
            edition.save(update_fields=["valid"])
        else:
            edition.status = Boundary.Status.WITHDRAWN
            edition.save(update_fields=["status"])
        ended += 1
    if ended:
        say(f"Boundaries ended, their places being no longer in the description: {ended}. Places and editions stay.")
    if by_hand:
        say(f"Kept, though not in the description, because a change set made them: {', '.join(by_hand)}.")
    return ended


def places_reopen(named: Collection[str], days: Mapping[str, date], say: Say) -> int:
    """Put the boundaries of named places in force again that an earlier description had left out; return of how many places.

    Each gets a new edition like its last one, from the description's day on, but not before the last one ended. Places that
    a change set ended, by joining them to others perhaps, stay ended.
    """
    approved = Boundary.objects.filter(status=Boundary.Status.APPROVED)
    closed = Place.objects.filter(path__in=named).exclude(pk__in=approved.filter(valid__upper_inf=True).values("place"))
    reopened = 0
    for place in closed.select_for_update(no_key=True):
        last = approved.filter(place=place).latest("valid")
        if Change.objects.filter(base=last, boundary=None, change_set__status=ChangeSet.Status.APPROVED).exists():
            continue
        Boundary.objects.create(
            place=place,
            geometry=last.geometry,
            valid=DateRange(max(last.valid.upper, days[place.kind]), None),
            status=Boundary.Status.APPROVED,
            source=last.source,
            certainty=last.certainty,
            version=1 + place.boundaries.aggregate(last=Max("version"))["last"],
        )
        reopened += 1
    if reopened:
        say(f"Boundaries put in force again: {reopened}.")
    return reopened
