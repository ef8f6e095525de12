"""The people of a city's places, each counted once: an informal settlement may lie within neighbourhoods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.caching import arrays, content_key
from analysis.ground import Ground, places_key
from analysis.inputs import CityInputs
from analysis.results import PlaceRow
from geo.core.cell_shares import cell_fractions
from geo.core.grid import Grid
from geo.models import Place

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Residents:
    """People on the parts of a city's ground.

    Attributes
    ----------
    share
        Shape ``(k,)``: share of its cell that each part counts for.
    counted
        Shape ``(k,)``: people of each part, those of a settlement within a neighbourhood with the neighbourhood alone:
        the sum is that of the people of all places.
    in_settlement
        Shape ``(k,)``: share of the people of each part who live in an informal settlement.
    """

    share: Floats
    counted: Floats
    in_settlement: Floats

    @property
    def total(self) -> float:
        """People of all places, each counted once."""
        return float(self.counted.sum())


def residents_of(inputs: CityInputs) -> Residents:
    """Return the people of a city's places, each counted once."""
    ground = inputs.ground
    key = content_key("residents", places_key(inputs.places, inputs.grid))
    share, in_settlement = cast(
        tuple[Floats, Floats], arrays.get(key, lambda: _shares(inputs.places.rows, ground, inputs.grid))
    )
    return Residents(share, share * inputs.arrays.people, in_settlement)


def _shares(rows: tuple[PlaceRow, ...], ground: Ground, grid: Grid) -> tuple[Floats, Floats]:
    """Give the share of its cell that each part counts for, and the share of it that lies in a settlement."""
    counted, in_settlement = ground.parts.data.copy(), np.zeros(ground.cells.size)
    is_settlement = np.array([row.kind == Place.Kind.SETTLEMENT for row in rows], dtype=bool)
    settlements = np.flatnonzero(is_settlement)
    before = shapely.union_all(ground.polygons_m[~is_settlement])
    shapely.prepare(before)
    for place in settlements:
        part = slice(ground.parts.indptr[place], ground.parts.indptr[place + 1])
        in_settlement[part] = 1.0
        own = ground.polygons_m[place]
        counted[part] = _within(_land(shapely.difference(own, before)), ground.cells[part], grid)
        if not before.covers(own):
            before = shapely.union(before, own)
            shapely.prepare(before)
    if settlements.size:
        tree = shapely.STRtree(ground.polygons_m[settlements])
        others = np.flatnonzero(~is_settlement)
        asked, found = tree.query(ground.polygons_m[others], predicate="intersects")
        for number in np.unique(asked):
            place = others[number]
            part = slice(ground.parts.indptr[place], ground.parts.indptr[place + 1])
            inside = shapely.union_all(ground.polygons_m[settlements[found[asked == number]]])
            shared = _land(shapely.intersection(ground.polygons_m[place], inside))
            share = _within(shared, ground.cells[part], grid) / ground.parts.data[part]
            in_settlement[part] = np.clip(share, 0.0, 1.0)
    return counted, in_settlement


def _land(geometry: shapely.Geometry) -> shapely.Geometry:
    """Keep the polygons: two outlines may share lines and points besides."""
    parts = shapely.get_parts(geometry)
    return shapely.multipolygons(parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON])


def _within(land: shapely.Geometry, cells: NDArray[np.int64], grid: Grid) -> Floats:
    """Give the share of each cell that is land, cells ascending."""
    row = cell_fractions(land, grid)
    share = np.zeros(cells.size)
    if cells.size:
        at = np.minimum(np.searchsorted(cells, row.indices), cells.size - 1)
        known = cells[at] == row.indices
        share[at[known]] = row.data[known]
    return share
