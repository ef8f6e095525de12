"""What a place has been: its editions, where it came from and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import Prefetch

from geo.models import Boundary, ChangeSet, Descent, Place
from geo.querysets import User
from geo.selectors.partitions import EDITED_KINDS


@dataclass(frozen=True, slots=True)
class PlaceHistory:
    """A place in time.

    Attributes
    ----------
    place : Place
        The place.
    editions : tuple of Boundary
        All that the user may see, newest first; author and change set are loaded, the latter None where the user may not
        see it.
    came_from, became : tuple of Descent
        Lineage towards older and towards newer places, newest first.
    """

    place: Place
    editions: tuple[Boundary, ...]
    came_from: tuple[Descent, ...]
    became: tuple[Descent, ...]


def history_read(place: Place, user: User) -> PlaceHistory:
    """Read the history of a place, as far as a user may see it."""
    editions = (
        Boundary.objects.visible_to(user)
        .filter(place=place)
        .select_related("author")
        .prefetch_related(Prefetch("change_set", queryset=ChangeSet.objects.visible_to(user)))
        .order_by("-valid", "-version")
    )
    for edition in editions:
        edition.place = place
    descents = (
        Descent.objects.visible_to(user)
        .select_related("predecessor", "successor", "change_set")
        .order_by("-change_set__valid_from", "-change_set", "-share_of_predecessor")
    )
    return PlaceHistory(
        place=place,
        editions=tuple(editions),
        came_from=tuple(descents.filter(successor=place).exclude(predecessor=place)),
        became=tuple(descents.filter(predecessor=place).exclude(successor=place)),
    )


def edition_as_of(place: Place, user: User, day: date) -> Boundary | None:
    """Return the edition of a place that was in force on a day, if the user may see it."""
    edition: Boundary | None = Boundary.objects.visible_to(user).filter(place=place).as_of(day).first()
    return edition


def days_of_change(city: Place, user: User) -> list[date]:
    """Return the days on which a neighbourhood or settlement of a city got another boundary, oldest first."""
    bounds = (
        Boundary.objects.visible_to(user)
        .filter(status="approved", place__path__startswith=city.path + "/", place__kind__in=EDITED_KINDS)
        .order_by()
        .values_list("valid__startswith", "valid__endswith")
        .distinct()
    )
    return sorted({day for pair in bounds for day in pair if day is not None})
