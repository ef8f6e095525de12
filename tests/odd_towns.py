"""Small towns in which something is missing or wrong, made of the hand-checked town: one square kilometre has 100 cells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely

from analysis.caching import caches_clear
from config.loading import city_load
from fixtures.hand_checked_town.town import SIDE_M, SOUTH_M, WEST_M, box, build
from fixtures.khorramabad.writing import Pixels, Table, write_raster, write_table
from geo.models import Boundary, Place
from layers.models import PopulationSource, Supply, TravelData
from tests.environment import ROOT

CODE: Final = "hand-checked-town"
LAND, WATER = 1, 4

_DESCRIPTION: Final = (ROOT / "fixtures" / "hand_checked_town" / "town.toml").read_text(encoding="utf-8")
COVER: Final = """[[layers]]
code = "cover"
theme = "environment"
file = "cover.tif"
kind = "raster"
name_fa = "پوشش زمین"
name_en = "Land cover"
source = "Hand-checked town"

[[supply]]
service = "clinic"
"""
"""The layer of land cover, in the place of the first lines of the supply of clinics."""
_COUNT: Final = """[[layers]]
code = "count"
theme = "population"
file = "count.fgb"
kind = "polygon"
name_fa = "سرشماری"
name_en = "Census"
source = "Hand-checked town"

"""
_COUNTED: Final = """[[population]]
layer = "population"

[[population]]
layer = "count"
field = "people"
groups = { women = "women", children = "children" }

"""
_TRAVEL: Final = (
    '[travel]\nroads = "streets"\nelevation = "elevation"\nsnap_m = 0.01\nland_cover = "cover"\n'
    "land_cover_kmh = { 1 = 5, 4 = 0 }\n"
)
_CHANGES: Final = (
    ("cell_m = 20", "cell_m = 100"),
    ('[[supply]]\nservice = "clinic"\n', _COUNT + COVER),
    ('[population]\nlayer = "population"\nsource = "Hand-checked town"\nreference_date = 2025-09-23\n', _COUNTED),
    ('[travel]\nroads = "streets"\nelevation = "elevation"\n', _TRAVEL),
    ('name_en = "Clinic"\nname_field = "name_fa"\n', 'name_en = "Clinic"\nname_field = "name_fa"\nfields = ["capacity"]\n'),
)  # fmt: skip

Line = list[tuple[float, float]]


def town(folder: Path, make: Callable[[Path], Any] | None = None, after: Callable[[Place], Any] | None = None) -> Place:
    """Load a town for which every way of travel has data.

    Parameters
    ----------
    folder
        Where its files are written.
    make
        Writes some of them anew.
    after
        Changes what is loaded.
    """
    caches_clear()
    build(folder)
    clinics(folder, [(SIDE_M, SIDE_M)])
    cover(folder)
    census(folder, 20_000)
    if make is not None:
        make(folder)
    city = load(folder, *_CHANGES)
    if after is not None:
        after(city)
    return city


def load(folder: Path, *changes: tuple[str, str]) -> Place:
    """Load the town whose files are in a folder, with texts of its description replaced by others."""
    text = _DESCRIPTION
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    (folder / "city.toml").write_text(text, encoding="utf-8")
    return city_load(folder / "city.toml")


# ---- files


def clinics(folder: Path, xy: Line, capacity: float = 40.0) -> None:
    """Write clinics, metres from the town's corner."""
    shapes = np.array([shapely.Point(WEST_M + x, SOUTH_M + y) for x, y in xy], dtype=object)
    names = np.array([f"n{number}" for number in range(len(xy))], dtype=object)
    columns = {"name_fa": names, "name_en": names, "capacity": np.full(len(xy), capacity)}
    write_table(folder / "clinic.fgb", Table("Point", shapes, columns))


def streets(folder: Path, *lines: Line) -> None:
    """Write streets, metres from the town's corner."""
    shapes = np.empty(len(lines), dtype=object)
    shapes[:] = [shapely.LineString([(WEST_M + x, SOUTH_M + y) for x, y in line]) for line in lines]
    names = np.array([f"s{number}" for number in range(len(lines))], dtype=object)
    write_table(folder / "streets.fgb", Table("LineString", shapes, {"name_fa": names, "name_en": names}))


def cover(
    folder: Path, is_water: Callable[[Any, Any], Any] = lambda x, y: x + y < -1e9, pixel_m: float = 100.0
) -> None:
    """Write land cover: water where a function of x and y says so, metres from the town's corner."""
    n = round(8 * SIDE_M / pixel_m)
    pixels = Pixels(WEST_M - 3 * SIDE_M, SOUTH_M + 5 * SIDE_M, pixel_m, n, n)
    x, y = np.broadcast_arrays(*pixels.centres_m())
    codes = np.where(is_water(x - WEST_M, y - SOUTH_M), WATER, LAND).astype(np.uint8)
    write_raster(folder / "cover.tif", pixels, codes, None, "class")


def heights(folder: Path, value: float, east_m: float = 0.0) -> None:
    """Write heights, all the same, of land so far to the east of the town's."""
    pixels = Pixels(WEST_M - SIDE_M + east_m, SOUTH_M + 3 * SIDE_M, 100.0, 40, 40)
    write_raster(folder / "elevation.tif", pixels, np.full((40, 40), value, dtype=np.float32), -9999.0, "m")


def people(folder: Path, each: float, nodata: float | None = None) -> None:
    """Write people, so many in each pixel."""
    pixels = Pixels(WEST_M, SOUTH_M + 2 * SIDE_M, 100.0, 20, 20)
    write_raster(folder / "population.tif", pixels, np.full((20, 20), each, dtype=np.float32), nodata, "people")


def census(folder: Path, each: int) -> None:
    """Write areas of a census: the two southern squares, so many people in each, half of them women, and no child in one."""
    squares = np.array([box(SIDE_M * k, 0, SIDE_M * (k + 1), SIDE_M) for k in (0, 1)], dtype=object)
    columns = {
        "people": np.full(2, each), "women": np.full(2, each // 2), "children": np.array([each // 4, 0]),
        "share": np.array([0.4, np.nan]),
    }  # fmt: skip
    write_table(folder / "count.fgb", Table("Polygon", squares, columns))


# ---- what is in the database


def only_place(city: Place, code: str = "a") -> None:
    """Withdraw the boundaries of all other places."""
    others = Boundary.objects.filter(place__path__startswith=city.path + "/").exclude(place__code=code)
    others.update(status="withdrawn")


def no_facilities(city: Place) -> None:
    """Have every service supplied by features that are not there."""
    Supply.objects.filter(city=city).update(where={"name_en": "nobody"})


def _no_supply(city: Place) -> None:
    Supply.objects.filter(city=city).delete()


def _nobody_counted(city: Place) -> None:
    PopulationSource.objects.filter(city=city).delete()


def _tiny_place(city: Place) -> None:
    """Leave one place, smaller than a cell."""
    only_place(city)
    edition = Boundary.objects.get(place__path__startswith=city.path + "/", status="approved")
    west, south, _, _ = edition.geometry.extent
    small = shapely.MultiPolygon([shapely.box(west + 1e-4, south + 1e-4, west + 1.5e-4, south + 1.5e-4)])
    Boundary.objects.filter(pk=edition.pk).update(geometry=small.wkt)


def _without(**missing: Any) -> Callable[[Place], Any]:
    return lambda city: TravelData.objects.filter(city=city).update(**missing)


def _broken_streets(folder: Path) -> None:
    crossing: Line = [(0, 1000), (1000, 1000), (1000, 1000), (2000, 1000)]
    streets(folder, crossing, [(200, 0), (200, 500)], [(700, 100), (700, 100.001)])


def _nothing_near(folder: Path) -> None:
    streets(folder, [(40_000, 0), (41_000, 0)])
    heights(folder, 1000.0, 50_000)
    clinics(folder, [(60_000, 500)])


def _nobody_lives(folder: Path) -> None:
    people(folder, 0.0)
    census(folder, 0)
    clinics(folder, [(500, 500), (1500, 500)], capacity=0.0)


TOWNS: Final[dict[str, tuple[Callable[[Path], Any] | None, Callable[[Place], Any] | None]]] = {
    "whole": (None, None),
    "streets in parts and of no length, no elevation": (_broken_streets, _without(elevation=None)),
    "streets, elevation and clinic far away": (_nothing_near, None),
    "nobody counted": (None, _nobody_counted),
    "nobody lives, no capacity": (_nobody_lives, None),
    "clinic in the river": (lambda folder: cover(folder, lambda x, y: np.abs(x - 1000) < 150), None),
    "all water, no streets": (lambda folder: cover(folder, lambda x, y: x == x), _without(roads=None)),
    "one place": (None, only_place),
    "a settlement alone": (None, lambda city: only_place(city, "s")),
    "smaller than a cell": (None, _tiny_place),
    "no facilities": (None, no_facilities),
    "no supply": (None, _no_supply),
    "no place": (None, lambda city: only_place(city, "none")),
}
"""By what is odd: what writes files anew, and what changes the database afterwards."""
