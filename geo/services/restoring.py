"""Bringing an old edition back, as a new draft."""

from __future__ import annotations

from typing import Any

from geo.db.shapes import to_shapely
from geo.errors import InvalidInput, NotFound
from geo.models import Boundary, Place
from geo.selectors.partitions import lasting_shapes
from geo.services.ancestry import PeopleOf
from geo.services.change_sets import change_set_save
from geo.services.edits import Edit, Saved


def boundary_restore(boundary: Boundary, user: Any, *, people_of: PeopleOf | None = None) -> Saved:
    """Draft a new edition of a place equal to an old one; it takes effect when somebody else approves it.

    Neighbours stay as they are: where they have moved since, the findings say so.

    Raises
    ------
    NotFound
        Where the user may not see the edition.
    InvalidInput
        Where it is like the one in force.
    Forbidden, Conflict
        As for `change_set_save`.
    """
    found: Boundary | None = Boundary.objects.visible_to(user).select_related("place").filter(pk=boundary.pk).first()
    if found is None:
        raise NotFound(
            "There is no such edition.", where=f"edition {boundary.pk}", remedy="Look in the history of the place."
        )
    base = lasting_shapes([found.place]).get(found.place_id)
    return change_set_save(
        city=city_of(found.place),
        user=user,
        edits=[
            Edit(
                code=found.place.code,
                base_edition_id=base.pk if base else None,
                geometry=to_shapely(found.geometry),
                source=found.source,
                source_fa=found.source_fa,
                certainty=found.certainty,
                disputed=to_shapely(found.disputed) if found.disputed else None,
            )
        ],
        title=f"{found.place.code} v{found.version}",
        people_of=people_of,
        is_restored=True,
    )


def city_of(place: Place) -> Place:
    """Return the city that a place lies in.

    Raises
    ------
    InvalidInput
        Where it lies in none.
    """
    parts = place.path.split("/")
    above = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    city: Place | None = Place.objects.filter(kind=Place.Kind.CITY, path__in=above).first()
    if city is None:
        raise InvalidInput("The place lies in no city.", code="no_city", where=f"place {place.path}")
    return city
