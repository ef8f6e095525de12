"""The form of places measured: blocks between streets, homes without access, narrow passages, small plots."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.caching import ArrayCache, content_key
from analysis.core.blocks import StreetBlocks, street_blocks
from analysis.core.complexity import Complexity, block_complexity
from analysis.core.parcels import Parcels, cells_of_buildings
from analysis.core.passages import NARROW_M, SMALL_PLOT_M2, Share, narrow_passages, small_plots
from analysis.indicators import require_insider
from analysis.results import PlaceRow
from analysis.selectors import CityPlaces, place_number, places_read, roads_read, vector_release
from analysis.settlement_form.questions import FormQuestion, question_check
from analysis.version import code_version
from geo.core.crs import STORAGE_EPSG, project, utm_epsg_of
from geo.errors import InvalidInput, LimitExceeded
from geo.models import Place
from geo.querysets import User
from layers.models import Release

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]

MOST_BUILDINGS: Final = 20_000
"""Of one place: a settlement of 100,000 people has fewer."""

AROUND_DEGREES: Final = 0.002
"""About 200 m around the place in which streets are read: they show whether one can leave it."""

BESIDE_M: Final = 1.0
"""A street no further from a block than this is one of its passages."""

forms: Final = ArrayCache(max_bytes=300_000_000)
"""The forms that were measured last, under the key of what they were measured from."""


@dataclass(frozen=True, slots=True, eq=False)
class FormReading:
    """What the form of places of a city is measured from."""

    city: Place
    places: CityPlaces
    streets: Release
    buildings: Release

    def inputs(self, number: int) -> dict[str, Any]:
        """Return which edition and releases the form of a place comes from."""
        row = self.places.rows[number]
        found: dict[str, Any] = {
            name: {"layer": release.layer.code, "release": release.number, "content_hash": release.content_hash}
            for name, release in (("streets", self.streets), ("buildings", self.buildings))
        }
        return found | {"boundary": {"place": row.code, "edition": row.edition_id, "hash": row.edition_hash}}

    def key(self, number: int, asked: FormQuestion) -> str:
        """Return the hash of all that decides the form of a place."""
        row = self.places.rows[number]
        return content_key(
            "settlement-form", row.path, row.edition_hash, self.streets.content_hash, self.buildings.content_hash,
            asked.of_form(), code_version(),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class SettlementForm:
    """The form of a place.

    Attributes
    ----------
    epsg
        Of all geometries here.
    outline, houses
        Of the place, and the buildings inside.
    streets, street_width_m
        Streets inside the place, with their widths; NaN where unknown.
    passages
        Share of the length of its streets that is under 6 m wide.
    plots
        Share of plots under 200 m²; plots are the land nearer to a building than to any other, as no plots are known.
    block_passages, block_plots
        Shape ``(b,)``: the same by block; NaN where nothing is known.
    key
        Of all that decides it.
    """

    place: PlaceRow
    asked: FormQuestion
    epsg: int
    buildings: int
    outline: Any
    houses: Geometries
    streets: Geometries
    street_width_m: Floats
    blocks: StreetBlocks
    parcels: Parcels
    complexity: Complexity
    passages: Share
    plots: Share
    block_passages: Floats
    block_plots: Floats
    releases: dict[str, Any]
    key: str
    duration_ms: float

    @property
    def homes_without_access(self) -> float:
        """Homes on land that touches no street from which one can leave the place."""
        return float(self.complexity.homes_without_access.sum())

    @property
    def k(self) -> int:
        """The largest number of layers of any block."""
        return int(self.complexity.k.max(initial=0))


def form_reading(city: Place, user: User, asked: FormQuestion) -> FormReading:
    """Read what the form of a city's places is measured from.

    Raises
    ------
    Forbidden
        Where the user has no role in the city: single homes are told.
    NotFound
        Where there is no such layer.
    InvalidInput
        Where a number is out of range.
    """
    require_insider(city, user)
    question_check(asked)
    return FormReading(
        city,
        places_read(city, user),
        vector_release(city, user, asked.streets, "streets"),
        vector_release(city, user, asked.buildings, "buildings"),
    )


def settlement_form(*, city: Place, user: User, place_code: str, asked: FormQuestion | None = None) -> SettlementForm:
    """Measure the form of a place of a city, once for the same inputs.

    Raises
    ------
    Forbidden, NotFound
        As `form_reading`; and where there is no such place.
    InvalidInput
        Where a number is out of range, or the layers hold no streets or buildings there.
    LimitExceeded
        For more than `MOST_BUILDINGS`.
    """
    asked = asked or FormQuestion()
    reading = form_reading(city, user, asked)
    return form_of(reading, place_number(city, reading.places, place_code), asked)


def form_of(reading: FormReading, number: int, asked: FormQuestion) -> SettlementForm:
    """Measure the form of one of the places that were read; errors are those of `settlement_form`."""
    key = reading.key(number, asked)
    found: SettlementForm = forms.get(key, lambda: _measured(reading, number, asked, key))
    return found


def _measured(reading: FormReading, number: int, asked: FormQuestion, key: str) -> SettlementForm:
    started = time.perf_counter()
    row, outline_4326 = reading.places.rows[number], reading.places.geometries_4326[number]
    epsg = utm_epsg_of([outline_4326])
    outline = project(np.array([outline_4326], dtype=object), STORAGE_EPSG, epsg)[0]
    west, south, east, north = (float(v) for v in shapely.bounds(outline_4326))
    bounds = (west - AROUND_DEGREES, south - AROUND_DEGREES, east + AROUND_DEGREES, north + AROUND_DEGREES)
    lines_4326, texts = roads_read(reading.streets, [asked.width_field], bounds)
    houses_4326, _ = roads_read(reading.buildings, [], (west, south, east, north))
    lines, houses = (project(found, STORAGE_EPSG, epsg) for found in (lines_4326, houses_4326))
    width_m = np.array([_width(text) for text in texts[0]], dtype=np.float64)
    houses = _inside(outline, houses)
    _require_buildings(row.code, asked, len(houses))
    gives_access = ~(width_m < asked.narrowest_m)
    blocks = street_blocks(lines[gives_access], outline)
    parcels = cells_of_buildings(blocks.polygons, houses, threads=os.cpu_count() or 1)
    found = block_complexity(parcels, blocks.streets)
    shapely.prepare(outline)
    # Lines that lie inside as a whole need no cutting, and are most of them.
    within = lines.copy()
    leaves = np.flatnonzero(~shapely.contains_properly(outline, lines))
    within[leaves] = shapely.intersection(lines[leaves], outline)
    kept = ~shapely.is_empty(within)
    within, width_m = within[kept], width_m[kept]
    built = ~parcels.is_open_land
    areas_m2 = shapely.area(parcels.polygons[built])
    inputs = reading.inputs(number)
    return SettlementForm(
        place=row,
        asked=asked,
        epsg=epsg,
        buildings=int(houses.size),
        outline=outline,
        houses=houses,
        streets=within,
        street_width_m=width_m,
        blocks=blocks,
        parcels=parcels,
        complexity=found,
        passages=narrow_passages(within, width_m),
        plots=small_plots(areas_m2),
        block_passages=_narrow_by_block(blocks.polygons, within, width_m),
        block_plots=_share_by(
            parcels.block[built], np.ones(areas_m2.size), areas_m2 < SMALL_PLOT_M2, len(blocks.polygons)
        ),
        releases={name: inputs[name] for name in ("streets", "buildings")},
        key=key,
        duration_ms=(time.perf_counter() - started) * 1000,
    )


def _inside(outline: Any, houses: Geometries) -> Geometries:
    if not houses.size:
        return houses
    shapely.prepare(outline)
    inside = shapely.covers(outline, shapely.point_on_surface(houses))
    return np.asarray(shapely.make_valid(houses[inside]), dtype=object)


def _require_buildings(place_code: str, asked: FormQuestion, buildings: int) -> None:
    if not buildings:
        raise InvalidInput(
            f"The layer {asked.buildings!r} has no building there.",
            code="no_buildings",
            where="buildings",
            remedy="Name a layer of polygons of buildings.",
            details={"code": asked.buildings},
        )
    if buildings > MOST_BUILDINGS:
        raise LimitExceeded(
            f"The place has {buildings} buildings, more than {MOST_BUILDINGS}.",
            code="too_many_buildings",
            where=place_code,
            remedy="Choose a smaller place.",
            details={"buildings": buildings, "most": MOST_BUILDINGS},
        )


def _narrow_by_block(blocks: Geometries, lines: Geometries, width_m: Floats) -> Floats:
    """Return which share of the length of the passages along and inside each block is narrow."""
    is_known = ~np.isnan(width_m)
    known, width_m = lines[is_known], width_m[is_known]
    if not len(known) or not len(blocks):
        return np.full(len(blocks), np.nan)
    around = shapely.buffer(blocks, BESIDE_M, quad_segs=1)
    line, block = shapely.STRtree(around).query(known, predicate="intersects")
    length_m = shapely.length(shapely.intersection(known[line], around[block]))
    # A street that ends at the block or crosses it over a corner is none of its passages.
    beside = length_m > 2 * BESIDE_M
    return _share_by(block[beside], length_m[beside], width_m[line[beside]] < NARROW_M, len(blocks))


def _share_by(of: NDArray[np.int64], size: Floats, counts: NDArray[np.bool_], n: int) -> Floats:
    total, part = np.bincount(of, size, minlength=n), np.bincount(of, size * counts, minlength=n)
    return np.asarray(np.divide(part, total, out=np.full(n, np.nan), where=total > 0))


def _width(text: str | None) -> float:
    try:
        width = float(text or "nan")
    except ValueError:
        return float("nan")
    return width if 0 < width < 1000 else float("nan")


__all__ = ["MOST_BUILDINGS", "FormReading", "SettlementForm", "form_of", "form_reading", "settlement_form"]
