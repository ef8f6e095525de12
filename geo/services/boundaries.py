"""Writes of single boundary editions outside any change set: imports."""

from __future__ import annotations

from datetime import date
from typing import Any

import shapely
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Max

from geo.core.validity import as_multipolygon
from geo.db.shapes import to_geos
from geo.models import Boundary, ChangeSet, Place


def boundary_approve(
    *,
    place: Place,
    geometry_4326: shapely.Geometry,
    valid_from: date,
    source: str,
    certainty: str,
    source_fa: str = "",
    change_set: ChangeSet | None = None,
    author: Any = None,
) -> Boundary:
    """Put an approved edition of a place's boundary in force from a day on.

    The edition in force on that day ends; those that would begin on that day or later are withdrawn. Where the one in
    force on that day is equal, it is returned and all stays as it is, also what has been decided since: so an import
    may be repeated after boundaries have been edited. Nothing is overwritten or deleted.

    Raises
    ------
    GeometryError
        Where the geometry is not a valid, filled polygon.
    """
    polygon = to_geos(as_multipolygon(geometry_4326))
    with transaction.atomic():
        # One writer a place at a time: the constraint would refuse the second anyway, less kindly.
        Place.objects.select_for_update(no_key=True).get(pk=place.pk)
        approved = Boundary.objects.filter(place=place, status="approved")
        last: Boundary | None = approved.order_by("-valid").first()
        if last and last.geometry.equals_exact(polygon) and (last.valid.lower or date.min) <= valid_from:
            return last  # also where it has ended: putting it in force again is a decision of its own
        edition: Boundary
        for edition in approved.filter(valid__overlap=DateRange(valid_from, None)).order_by("valid"):
            begins = edition.valid.lower
            is_in_force = begins is None or begins <= valid_from
            if is_in_force and edition.geometry.equals_exact(polygon):
                return edition
            if is_in_force and begins != valid_from:
                edition.valid = DateRange(begins, valid_from)
            else:
                edition.status = Boundary.Status.WITHDRAWN
            edition.save(update_fields=["status", "valid"])
        version = next_version(place)
        boundary = Boundary(
            place=place,
            geometry=polygon,
            valid=DateRange(valid_from, None),
            status=Boundary.Status.APPROVED,
            source=source,
            source_fa=source_fa,
            certainty=certainty,
            author=author,
            change_set=change_set,
            version=version,
        )
        boundary.save()
    return boundary


def next_version(place: Place | int) -> int:
    """Return the number of a place's next edition; the caller holds the place's row."""
    return 1 + (Boundary.objects.filter(place=place).aggregate(last=Max("version"))["last"] or 0)
