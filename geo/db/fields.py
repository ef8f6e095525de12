"""Database expressions and constraints that several apps use for their geometry columns."""

from __future__ import annotations

from django.contrib.gis.db.models import GeometryField
from django.db.models import BooleanField, CheckConstraint, F, Func, Q, Value
from django.db.models.functions import Cast

from geo.core.crs import TILE_EPSG


class IsValidGeometry(Func):
    """``ST_IsValid`` as a condition that a check constraint can hold."""

    function = "ST_IsValid"
    output_field = BooleanField()


class IsEmptyGeometry(Func):
    """``ST_IsEmpty`` as a condition that a check constraint can hold."""

    function = "ST_IsEmpty"
    output_field = BooleanField()


class InTileCrs(Func):
    """``ST_Transform`` of a 4326 column to the tile CRS, latitudes beyond Web Mercator's ±85.06° cut off first."""

    template = (
        f"ST_Transform(CASE WHEN ST_YMin(%(expressions)s) < -85.06 OR ST_YMax(%(expressions)s) > 85.06 "
        f"THEN ST_ClipByBox2D(%(expressions)s, 'BOX(-180 -85.06,180 85.06)'::box2d) ELSE %(expressions)s END, {TILE_EPSG})"
    )
    output_field = GeometryField(srid=TILE_EPSG)


def geometry_constraints(
    prefix: str, field: str = "geometry", *, or_valid_as: Q | None = None
) -> list[CheckConstraint]:
    """Return the constraints that keep a geometry column valid and filled.

    Parameters
    ----------
    prefix
        What their names begin with.
    field
        The column.
    or_valid_as
        Which rows are known to be valid without being looked at.
    """
    is_valid = Q(IsValidGeometry(F(field)))
    return [
        CheckConstraint(
            condition=is_valid if or_valid_as is None else or_valid_as | is_valid,
            name=f"{prefix}_geometry_valid",
            violation_error_message="The geometry is not valid.",
        ),
        CheckConstraint(
            condition=~Q(IsEmptyGeometry(F(field))),
            name=f"{prefix}_geometry_not_empty",
            violation_error_message="The geometry is empty.",
        ),
    ]


__all__ = ["Cast", "InTileCrs", "IsEmptyGeometry", "IsValidGeometry", "Value", "geometry_constraints"]
