"""A small city of square neighbourhoods that share their corners exactly, people with roles in it, and edits of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
import shapely
from django.contrib.auth.models import User
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from geo.core.measuring import area_m2
from geo.models import Assignment, Boundary, ChangeSet, Place
from geo.selectors import lasting_shapes
from geo.services import (
    Edit,
    PlaceSpec,
    Saved,
    change_set_approve,
    change_set_propose,
    change_set_save,
    place_put,
    places_import,
    to_shapely,
)

BEGAN = date(2024, 1, 1)
WEST, SOUTH, STEP = 4830, 3340, 100
"""South-west corner in hundredths of a degree, and a side in hundred-thousandths (about 100 m)."""


def corner(i: float, j: float) -> tuple[float, float]:
    """Corner of a square in the lattice, exactly the same float for each neighbour."""
    return (round(WEST / 100 + i * STEP / 1e5, 7), round(SOUTH / 100 + j * STEP / 1e5, 7))


def cells(i: float, j: float, columns: float = 1, rows: float = 1) -> shapely.MultiPolygon:
    """A rectangle of the lattice, anticlockwise, with a vertex at every whole corner it passes."""
    east, north = i + columns, j + rows
    xs = [i, *[x for x in range(int(np.floor(i)) + 1, int(np.ceil(east))) if i < x < east], east]
    ys = [j, *[y for y in range(int(np.floor(j)) + 1, int(np.ceil(north))) if j < y < north], north]
    ring = [(x, j) for x in xs] + [(east, y) for y in ys[1:]] + [(x, north) for x in xs[-2::-1]]
    ring += [(i, y) for y in ys[-2::-1]]
    return shapely.MultiPolygon([shapely.Polygon([corner(x, y) for x, y in ring])])


@dataclass
class GridCity:
    """The city and its people."""

    city: Place
    columns: int
    rows: int
    people: dict[str, Any] = field(default_factory=dict)

    def place(self, code: str) -> Place:
        return Place.objects.within(self.city).get(code=code)

    def base(self, code: str) -> Boundary | None:
        place = Place.objects.within(self.city).filter(code=code).first()
        return lasting_shapes([place]).get(place.pk) if place else None

    def shape(self, code: str) -> shapely.MultiPolygon:
        edition = self.base(code)
        assert edition is not None
        return to_shapely(edition.geometry)

    def edit(self, code: str, geometry: shapely.Geometry | None, **more: Any) -> Edit:
        """An edit based on what is in force."""
        base = self.base(code)
        if base is None:
            more = {"name_fa": f"محله {code}", "name_en": f"Quarter {code}", "source": "survey"} | more
        return Edit(code=code, base_edition_id=base.pk if base else None, geometry=geometry, **more)

    def save(self, *edits: Edit, user: str = "planner", **more: Any) -> Saved:
        return change_set_save(city=self.city, user=self.people[user], edits=list(edits), **more)

    def proposed(self, *edits: Edit, user: str = "planner", **more: Any) -> ChangeSet:
        saved = self.save(*edits, user=user, **more)
        return change_set_propose(saved.change_set, self.people[user], saved.change_set.version)

    def approved(self, *edits: Edit, user: str = "planner", by: str = "supervisor", **more: Any) -> ChangeSet:
        change_set = self.proposed(*edits, user=user, **more)
        return change_set_approve(change_set, self.people[by], change_set.version)

    def shifted(self, i: int, j: int, by: float) -> list[Edit]:
        """The edge between the squares (i, j) and (i + 1, j) moved east, except for its ends: two edits."""
        bulge = shapely.Polygon([corner(i + 1, j), corner(i + 1 + by, j + 0.5), corner(i + 1, j + 1)])
        west, east = self.shape(code_of(i, j)), self.shape(code_of(i + 1, j))
        gives, takes = (east, west) if by > 0 else (west, east)
        gives, takes = shapely.difference(gives, bulge), shapely.union(takes, bulge)
        west, east = (takes, gives) if by > 0 else (gives, takes)
        return [self.edit(code_of(i, j), west), self.edit(code_of(i + 1, j), east)]

    def split(self, i: int, j: int, new: str) -> list[Edit]:
        """A square halved from south to north; its neighbours get no vertex of it."""
        code = code_of(i, j)
        left, right = cells(i, j, 0.5), cells(i + 0.5, j, 0.5)
        return [self.edit(code, left), self.edit(new, right, from_codes=(code,))]

    def merge(self, i: int, j: int) -> list[Edit]:
        """The square (i + 1, j) joined to the one west of it."""
        keep, gone = code_of(i, j), code_of(i + 1, j)
        both = shapely.union(self.shape(keep), self.shape(gone))
        return [self.edit(keep, both, from_codes=(gone,)), self.edit(gone, None)]


def code_of(i: int, j: int) -> str:
    return f"q{i}-{j}"


def grid_city(columns: int = 4, rows: int = 3, code: str = "gridtown") -> GridCity:
    """Make the city, published, with one settlement, and its people."""
    country = place_put(PlaceSpec(kind="country", code=f"{code}-land", name_fa="ک", name_en="Gridland"))
    city = place_put(PlaceSpec(kind="city", code=code, name_fa="شهر", name_en="Gridtown", parent=country))
    items = [
        (
            PlaceSpec(
                kind="neighbourhood", code=code_of(i, j), name_fa=f"م {i} {j}", name_en=f"Q {i} {j}", parent=city
            ),
            cells(i, j),
        )
        for i in range(columns)
        for j in range(rows)
    ]
    settlement = PlaceSpec(kind="settlement", code="s1", name_fa="س", name_en="S", parent=city)
    places_import(
        [*items, (settlement, cells(0.6, 0.6, 0.8, 0.8))], valid_from=BEGAN, source="import", certainty="modelled"
    )
    grid = GridCity(city, columns, rows)
    for name, role, where in (
        ("planner", "planner", city),
        ("colleague", "planner", city),
        ("supervisor", "supervisor", city),
        ("viewer", "viewer", city),
        ("agency", "agency", city),
        ("above", "administrator", country),
        ("local", "planner", grid.place(code_of(0, 0))),
        ("neighbour", "planner", grid.place(code_of(1, 0))),
    ):
        grid.people[name] = User.objects.create_user(f"{code}-{name}")
        Assignment.objects.create(user=grid.people[name], role=role, place=where)
    grid.people["stranger"] = User.objects.create_user(f"{code}-stranger")
    return grid


def grown(place: Place, day: date, shape: shapely.Geometry) -> Boundary:
    """Write an approved edition past all services, as an import would."""
    last = place.boundaries.lasting().get()
    Boundary.objects.filter(pk=last.pk).update(valid=DateRange(last.valid.lower, day))
    from geo.services import to_geos

    return Boundary.objects.create(
        place=place,
        geometry=to_geos(shapely.MultiPolygon(shapely.get_parts(shape).tolist())),
        valid=DateRange(day, None),
        status="approved",
        source="import",
        version=last.version + 1,
    )


def people_by_area(geometries: Any) -> Any:
    """A hundred people a hectare, everywhere."""
    return area_m2(geometries) / 100


def today() -> date:
    return timezone.localdate()


def tomorrow() -> date:
    return today() + timedelta(days=1)
