"""Writes of places, and of who may do what where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import shapely
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from geo.core.validity import as_multipolygon
from geo.db.shapes import to_geos
from geo.errors import InvalidInput
from geo.models import Assignment, Boundary, Place
from geo.services.boundaries import boundary_approve


@dataclass(frozen=True, slots=True)
class PlaceSpec:
    """What a place should be."""

    kind: str
    code: str
    name_fa: str
    name_en: str
    parent: Place | None = None
    is_published: bool = True
    is_illustrative: bool = False
    zone: str = ""


def place_put(spec: PlaceSpec) -> Place:
    """Make a place, or bring the one at the same address up to date.

    Raises
    ------
    InvalidInput
        Where a name or code is missing or malformed, or the code belongs to another city.
    """
    path = _path(spec)
    place = _filled(Place.objects.filter(path=path).first() or Place(), spec)
    place_checked(place.full_clean, path)
    place.save()
    return place


def places_import(
    items: Sequence[tuple[PlaceSpec, shapely.Geometry]],
    *,
    valid_from: date,
    source: str,
    certainty: str,
    source_fa: str = "",
    author: Any = None,
) -> int:
    """Put many places with their approved boundaries in force, all or none; return how many places are new.

    Places that are there already are brought up to date one by one, as `place_put` and `boundary_approve` do.

    Raises
    ------
    InvalidInput
        Where two places share an address, or a name or code is missing or malformed.
    GeometryError
        Where a geometry is not a valid, filled polygon.
    """
    paths = [_path(spec) for spec, _ in items]
    for path, times in Counter(paths).items():
        if times > 1:
            raise InvalidInput(
                f"{times} places have the code {path.rpartition('/')[2]!r}.",
                code="duplicate_code",
                where=f"place {path}",
                remedy="Name a field of unique codes in the description (`code = …`), or make the names differ.",
            )
    with transaction.atomic():
        # Locked together and in one order, as approvals lock them: two writers then wait, and never for each other.
        locked = Place.objects.filter(path__in=paths).order_by("pk").select_for_update(no_key=True)
        existing = {place.path for place in locked}
        fresh = [(spec, geometry) for (spec, geometry), path in zip(items, paths, strict=True) if path not in existing]
        places = [_filled(Place(), spec) for spec, _ in fresh]
        for place in places:
            place.derive()
            place_checked(lambda place=place: place.clean_fields(exclude=["parent"]), place.path)  # type: ignore[misc]
            place_checked(place.clean, place.path)
        Place.objects.bulk_create(places, batch_size=2000)
        Boundary.objects.bulk_create(
            [
                Boundary(
                    place=place,
                    geometry=to_geos(as_multipolygon(geometry)),
                    valid=DateRange(valid_from, None),
                    status=Boundary.Status.APPROVED,
                    source=source,
                    source_fa=source_fa,
                    certainty=certainty,
                    author=author,
                )
                for place, (_, geometry) in zip(places, fresh, strict=True)
            ],
            batch_size=2000,
        )
        for (spec, geometry), path in zip(items, paths, strict=True):
            if path in existing:
                place = place_put(spec)
                boundary_approve(
                    place=place,
                    geometry_4326=geometry,
                    valid_from=valid_from,
                    source=source,
                    source_fa=source_fa,
                    certainty=certainty,
                    author=author,
                )
    return len(fresh)


def _path(spec: PlaceSpec) -> str:
    return f"{spec.parent.path}/{spec.code}" if spec.parent else spec.code


def _filled(place: Place, spec: PlaceSpec) -> Place:
    place.kind, place.code, place.parent = spec.kind, spec.code, spec.parent
    place.name_fa, place.name_en, place.zone = spec.name_fa, spec.name_en, spec.zone
    place.is_published, place.is_illustrative = spec.is_published, spec.is_illustrative
    place.path = _path(spec)
    return place


def place_checked(check: Callable[[], None], path: str) -> None:
    """Run a model's own check of a place, and tell what it refuses as an error of ours."""
    try:
        check()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise InvalidInput(
            str(messages[0]), code="bad_place", where=f"place {path}, {field}", remedy="Correct the name or code."
        ) from error


def assignments_put(user: Any, roles: Sequence[tuple[str, Place]]) -> None:
    """Give a user roles at places, besides those the user has."""
    for role, place in roles:
        if role not in Assignment.Role.values:
            raise InvalidInput(
                f"{role!r} is not a role.",
                code="bad_role",
                remedy=f"Choose one of {', '.join(Assignment.Role.values)}.",
            )
        Assignment.objects.get_or_create(user=user, role=role, place=place)
