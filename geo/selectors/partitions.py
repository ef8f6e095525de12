"""A city's neighbourhoods and settlements as they are, were on a day, or would be with a change set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import or_
from typing import Any, Final

import numpy as np
import shapely
from django.contrib.gis.db.models.functions import AsWKB
from django.contrib.gis.geos import Polygon
from django.db.models import Q
from django.utils import timezone

from geo.core.crs import STORAGE_EPSG
from geo.core.noding import ON_EDGE_DEG, edges
from geo.core.partition import Partition, partition_of
from geo.core.snapping import nodes_inserted
from geo.core.validity import as_multipolygon
from geo.db.shapes import GeometryDigest, to_shapely
from geo.errors import Conflict
from geo.models import Boundary, ChangeSet, Place
from geo.querysets import BoundaryQuerySet, User

EDITED_KINDS: Final = (Place.Kind.NEIGHBOURHOOD, Place.Kind.SETTLEMENT)
"""What is drawn in the workbench. Outlines of cities and districts come from imports."""

_NEAR_DEGREES: Final = 2e-5
"""Widening of the boxes that neighbours are sought in: about two metres, more than any tolerance."""

_MOST_BOXES: Final = 24
"""Above this, one box around all is asked for."""


@dataclass(frozen=True, slots=True)
class CityShapes:
    """The boundaries of a city's neighbourhoods and settlements at one moment.

    Attributes
    ----------
    neighbourhoods, settlements : mapping of str to MultiPolygon
        By code, in EPSG:4326, ordered by code.
    editions : mapping of str to Boundary
        By code, of both kinds; ``place`` is loaded.
    """

    neighbourhoods: Mapping[str, shapely.MultiPolygon]
    settlements: Mapping[str, shapely.MultiPolygon]
    editions: Mapping[str, Boundary]


def shapes_read(
    city: Place, user: User, *, as_of: date | None = None, change_set: ChangeSet | None = None
) -> CityShapes:
    """Read the boundaries of a city that a user may see.

    Parameters
    ----------
    city : Place
        The city.
    user : user
        Who asks; drafts of a change set are seen only where the user has a role.
    as_of : date, optional
        The day whose editions are asked for; today if None.
    change_set : ChangeSet, optional
        Whose editions take the place of those in force.
    """
    in_city = drawn_editions(city, user)
    editions = _by_code(in_city.as_of(as_of or timezone.localdate()))
    if change_set is not None:
        changes = change_set.changes.visible_to(user).values_list("place__code", "boundary_id")
        for code, boundary_id in changes:
            if boundary_id is None:
                editions.pop(code, None)
        editions |= _by_code(in_city.filter(change__change_set=change_set))
    editions = dict(sorted(editions.items()))
    shapes = {code: to_shapely(edition.geometry) for code, edition in editions.items()}

    def of_kind(kind: str) -> dict[str, shapely.MultiPolygon]:
        return {code: shape for code, shape in shapes.items() if editions[code].place.kind == kind}

    return CityShapes(of_kind(Place.Kind.NEIGHBOURHOOD), of_kind(Place.Kind.SETTLEMENT), editions)


def partition_read(
    city: Place, user: User, as_of: date | None = None, change_set: ChangeSet | None = None
) -> tuple[Partition, Mapping[str, shapely.MultiPolygon], Mapping[str, Boundary]]:
    """Read a city's neighbourhoods as arcs, its settlements, and the editions both come from.

    Parameters are those of `shapes_read`. The polygons of the partition are exactly the stored ones, up to where their
    rings start and which way they turn, and but for vertices of neighbours that lie on their straight edges: those
    are put in, so that the two share an arc.
    """
    shapes = shapes_read(city, user, as_of=as_of, change_set=change_set)
    return partition_of(_sharing(shapes.neighbourhoods)), shapes.settlements, shapes.editions


def partition_state(city: Place, user: User, as_of: date | None = None) -> list[tuple[Any, ...]]:
    """Return what tells one answer of `partition_read` from another, without a change set; no geometry is read."""
    columns = ("place__code", "place__name_fa", "place__name_en", "place__kind", "pk", "version")
    said = ("certainty", "source", "source_fa")
    digests = (GeometryDigest("geometry"), GeometryDigest("disputed"))
    editions = drawn_editions(city, user).as_of(as_of or timezone.localdate()).order_by("place__path", "pk")
    return list(editions.values_list(*columns, *said, *digests))


def drawn_editions(city: Place, user: User) -> BoundaryQuerySet:
    """Return the editions of a city's neighbourhoods and settlements that a user may see, of any status and time."""
    found: BoundaryQuerySet = Boundary.objects.visible_to(user).filter(
        place__path__startswith=city.path + "/", place__kind__in=EDITED_KINDS
    )
    return found


def _sharing(polygons: Mapping[str, shapely.MultiPolygon]) -> dict[str, shapely.MultiPolygon]:
    """Give each polygon the vertices that neighbours have on its edges."""
    codes, shapes = list(polygons), np.array(list(polygons.values()), dtype=object)
    if not codes:
        return {}
    ends = [np.hstack(edges(np.array([shape.boundary], dtype=object))) for shape in shapes]
    owner = np.repeat(np.arange(len(ends)), [len(rows) for rows in ends])
    lines = np.concatenate(ends)
    swap = (lines[:, 0] > lines[:, 2]) | ((lines[:, 0] == lines[:, 2]) & (lines[:, 1] > lines[:, 3]))
    lines[swap] = lines[swap][:, [2, 3, 0, 1]]
    _, inverse, count = np.unique(lines, axis=0, return_inverse=True, return_counts=True)
    is_single = count[inverse] == 1
    lines, owner = lines[is_single], owner[is_single]
    points = np.unique(lines.reshape(-1, 2), axis=0)
    tree = shapely.STRtree(shapely.linestrings(lines.reshape(-1, 2, 2)))
    point, line = tree.query(shapely.points(points), predicate="dwithin", distance=ON_EDGE_DEG)
    is_end = (points[point] == lines[line, :2]).all(axis=1) | (points[point] == lines[line, 2:]).all(axis=1)
    point, line = point[~is_end], line[~is_end]
    result = dict(polygons)
    for index in np.unique(owner[line]):
        code = codes[index]
        result[code] = as_multipolygon(nodes_inserted(result[code], points[point[owner[line] == index]]))
    return result


def codes_taken(city: Place) -> list[str]:
    """Return every code that a place of a city has or had, in order: also of ended places and of drafts.

    Notes
    -----
    Not filtered by who asks: a code is taken whoever may know of its place. Only those who draw in the city are told.
    """
    return list(Place.objects.within(city).order_by("code").values_list("code", flat=True).distinct())


def lasting_shapes(places: Iterable[Place]) -> dict[int, Boundary]:
    """Return the approved editions without an end, by place: what new editions of these places must be based on."""
    found = Boundary.objects.lasting().filter(place__in=[place.pk for place in places])
    return {edition.place_id: edition for edition in found.order_by("place", "valid")}


def near_shapes(
    city: Place, around: Iterable[shapely.Geometry], *, leaving_out: Iterable[int] = (), day: date | None = None
) -> dict[str, shapely.MultiPolygon]:
    """Return the neighbourhoods of a city whose boxes overlap those of some geometries, by code, in EPSG:4326.

    Parameters
    ----------
    city : Place
        The city.
    around : iterable of Geometry
        In EPSG:4326.
    leaving_out : iterable of int
        Numbers of places that are not wanted.
    day : date, optional
        The day whose editions are asked for; those without an end if None.

    Notes
    -----
    Not filtered by who asks: topology holds for everybody. Callers tell a person no more than codes and findings.
    """
    boxes = [shapely.bounds(geometry) for geometry in around if geometry is not None and not geometry.is_empty]
    if not boxes:
        return {}
    if len(boxes) > _MOST_BOXES:
        boxes = [shapely.total_bounds([shapely.box(*box) for box in boxes])]
    found = Boundary.objects.lasting() if day is None else Boundary.objects.as_of(day)
    found = found.filter(
        reduce(or_, (Q(geometry__bboverlaps=_widened(box)) for box in boxes)),
        place__path__startswith=city.path + "/",
        place__kind=Place.Kind.NEIGHBOURHOOD,
    ).exclude(place__in=list(leaving_out))
    rows = found.order_by("place__code").values_list("place__code", AsWKB("geometry"))
    return {code: shapely.from_wkb(bytes(wkb)) for code, wkb in rows}


def _widened(box: Any) -> Polygon:
    west, south, east, north = (float(value) for value in box)
    polygon = Polygon.from_bbox(
        (west - _NEAR_DEGREES, south - _NEAR_DEGREES, east + _NEAR_DEGREES, north + _NEAR_DEGREES)
    )
    polygon.srid = STORAGE_EPSG
    return polygon


def _by_code(editions: Any) -> dict[str, Boundary]:
    found: dict[str, Boundary] = {}
    for edition in editions.select_related("place", "change_set"):
        if edition.place.code in found:
            raise Conflict(
                "Two places of the city have this code, so boundaries cannot be told apart.",
                code="ambiguous_code",
                where=f"place {edition.place.path}",
                remedy="Give one of them another code.",
            )
        found[edition.place.code] = edition
    return found
