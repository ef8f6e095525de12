"""Writes of places and boundaries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import shapely
from django.contrib.gis.geos import GEOSGeometry
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from geo.core.crs import STORAGE_EPSG
from geo.core.validity import as_multipolygon
from geo.errors import InvalidInput
from geo.models import Assignment, Boundary, ChangeSet, Place


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
    _checked(place.full_clean, path)
    place.save()
    return place


def places_import(
    items: Sequence[tuple[PlaceSpec, shapely.Geometry]],
    *,
    valid_from: date,
    source: str,
    certainty: str,
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
        existing = {place.path for place in Place.objects.filter(path__in=paths)}
        fresh = [(spec, geometry) for (spec, geometry), path in zip(items, paths, strict=True) if path not in existing]
        places = [_filled(Place(), spec) for spec, _ in fresh]
        for place in places:
            place.derive()
            _checked(lambda place=place: place.clean_fields(exclude=["parent"]), place.path)  # type: ignore[misc]
            _checked(place.clean, place.path)
        Place.objects.bulk_create(places, batch_size=2000)
        Boundary.objects.bulk_create(
            [
                Boundary(
                    place=place,
                    geometry=to_geos(as_multipolygon(geometry)),
                    valid=DateRange(valid_from, None),
                    status=Boundary.Status.APPROVED,
                    source=source,
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


def _checked(check: Callable[[], None], path: str) -> None:
    try:
        check()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise InvalidInput(
            str(messages[0]), code="bad_place", where=f"place {path}, {field}", remedy="Correct the name or code."
        ) from error


def to_geos(geometry: shapely.Geometry) -> Any:
    """Return a shapely geometry in 4326 as GeoDjango's."""
    return GEOSGeometry(memoryview(shapely.to_wkb(geometry)), srid=STORAGE_EPSG)


def boundary_approve(
    *,
    place: Place,
    geometry_4326: shapely.Geometry,
    valid_from: date,
    source: str,
    certainty: str,
    change_set: ChangeSet | None = None,
    author: Any = None,
) -> Boundary:
    """Put an approved edition of a place's boundary in force from a day on.

    The edition in force before ends on that day; one that would begin on or after that day is withdrawn. An edition equal
    to the one in force is returned unchanged. Nothing is overwritten or deleted.

    Raises
    ------
    GeometryError
        Where the geometry is not a valid, filled polygon.
    """
    polygon = to_geos(as_multipolygon(geometry_4326))
    with transaction.atomic():
        # One writer a place at a time: the constraint would refuse the second anyway, less kindly.
        Place.objects.select_for_update().get(pk=place.pk)
        approved = Boundary.objects.filter(place=place, status="approved")
        current: Boundary | None = approved.order_by("-valid").first()
        if current and current.geometry.equals_exact(polygon) and current.valid.lower <= valid_from:
            return current
        if current and current.valid.upper is None:
            if current.valid.lower < valid_from:
                current.valid = DateRange(current.valid.lower, valid_from)
                current.save(update_fields=["valid"])
            else:
                current.status = Boundary.Status.WITHDRAWN
                current.save(update_fields=["status"])
        version = 1 + Boundary.objects.filter(place=place).count()
        boundary = Boundary(
            place=place,
            geometry=polygon,
            valid=DateRange(valid_from, None),
            status=Boundary.Status.APPROVED,
            source=source,
            certainty=certainty,
            author=author,
            change_set=change_set,
            version=version,
        )
        boundary.save()
    return boundary


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
