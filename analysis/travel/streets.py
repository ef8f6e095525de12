"""Travel along streets: in metres, or in time on foot by slope and stairs, or by bicycle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final, cast

import numpy as np
import shapely
from django.conf import settings
from numpy.typing import NDArray

from analysis.caching import arrays, content_key
from analysis.core.changes import StreetDrawn
from analysis.core.cost import polygons_of
from analysis.core.drawn_streets import drawn_required, joined
from analysis.core.heights import SMOOTHING_M, between_pixels, smoothed
from analysis.core.street_cost import (
    OnStreets,
    StreetNetwork,
    entrances,
    on_streets,
    street_cost,
    street_network,
)
from analysis.core.street_fields import roads_of_fields
from analysis.core.street_speeds import CYCLING_KMH, cycling_costs, walking_costs
from analysis.core.street_tags import roads_of_osm
from analysis.core.streets import Roads, StreetGraph, street_graph
from analysis.ground import Ground, centroids_m
from analysis.rasters import raster_window
from analysis.results import TRAVELS, TravelRow
from analysis.selectors import TravelReading, roads_read
from analysis.travel.layers import layer_row
from analysis.travel.measuring import LEVEL_M_PER_MIN, Costs, Numbers, Parts
from geo.core.cell_shares import centres_inside
from geo.core.crs import STORAGE_EPSG, project
from geo.core.grid import Grid
from layers.models import Release

ALONG_STREETS: Final = ("streets", "walking", "cycling")
"""The ways of travel that follow streets."""

STREETS_AROUND_M: Final = 10_000.0
"""Streets so far beyond a city's grid are used: the way to a facility may lead through the next town."""

ENTRANCE_M: Final = 5.0
"""Facilities with an outline, such as parks, are entered at points so far apart."""

_TOGETHER: Final = 12
_SWEPT_S: Final = 5e-8
"""Seconds that a facility takes for a node of the streets, or a part of the ground."""
_VERSION: Final = 1
"""Raised when the same data give other costs, so that nothing kept before is taken for them."""

_OSM_KEYS: Final = (
    "highway", "oneway", "junction", "bridge", "tunnel", "layer", "maxspeed", "foot", "access", "motorroad",
)  # fmt: skip
_DRAWN_CLASSES: Final = {"street": "residential", "bridge": "residential", "path": "path", "stairs": "steps"}


@dataclass(frozen=True, slots=True, eq=False)
class AlongStreets:
    """Along streets: from the centroid of each part of the ground by the nearest point of a street."""

    way: str
    grid: Grid
    ground: Ground
    travel: TravelReading
    roads: Release
    drawn: tuple[StreetDrawn, ...]

    @property
    def key(self) -> str:
        """Hash of the ground, the streets and all that tells what they cost."""
        return content_key(self._network_key, self.ground.key)

    @property
    def _graph_key(self) -> str:
        data, grid = self.travel.data, self.grid
        read_as = [data.has_osm_tags, data.road_fields, data.closed_classes, data.is_cut_at_crossings, data.snap_m]
        drawn = [[street.kind, street.coordinates] for street in self.drawn]
        return content_key("streets", _VERSION, self.roads.content_hash, read_as, grid.epsg, self._bounds_m, drawn)

    @property
    def _network_key(self) -> str:
        more: list[Any] = []
        if self.way == "walking":
            more = [self.travel.elevation.content_hash if self.travel.elevation else "", SMOOTHING_M]
        elif self.way == "cycling":
            more = [self.travel.data.cycling_kmh]
        return content_key(self._graph_key, self.way, *more)

    @property
    def _bounds_m(self) -> tuple[float, float, float, float]:
        x_min, y_min, x_max, y_max = self.grid.bounds_m
        around = STREETS_AROUND_M
        return x_min - around, y_min - around, x_max + around, y_max + around

    @property
    def row(self) -> TravelRow:
        """The way of travel, with its streets and, on foot, its heights."""
        layers = [layer_row("roads", self.roads)]
        if self.way == "walking" and self.travel.elevation is not None:
            layers.append(layer_row("elevation", self.travel.elevation))
        return TravelRow(self.way, *TRAVELS[self.way], self.way != "streets", tuple(layers))

    def prepare(self) -> None:
        """Read the streets and their heights, and find the way to the street from each part of the ground."""
        self._points()

    def measured(self, facilities_m: NDArray[np.object_]) -> Costs:
        """Measure from each part of the ground to the nearest facility; inside a facility's area it is 0."""
        xy, _ = entrances(facilities_m, ENTRANCE_M)
        cost: Costs = self._costs_to([xy])[0]
        self._nothing_inside(cost, facilities_m)
        return cost

    def measured_with(self, measured: Costs, added_m: NDArray[np.object_]) -> Costs:
        """Give the same with more facilities: one sweep over the streets."""
        return np.minimum(measured, self.measured(added_m)) if len(added_m) else measured.copy()

    def of_parts(self, measured: Costs) -> Costs:
        """Give what was measured: it was measured from the parts."""
        return measured

    def cost_m(self, facilities_m: NDArray[np.object_]) -> Costs:
        """Measure from each part of the ground to the nearest facility."""
        return self.measured(facilities_m)

    def each_m(self, facilities_m: NDArray[np.object_], limit_m: float) -> Iterator[Costs]:
        """Measure from each part of the ground to one facility after the other; some are swept together."""
        for begin in range(0, len(facilities_m), _TOGETHER):
            some = facilities_m[begin : begin + _TOGETHER]
            xy, facility = entrances(some, ENTRANCE_M)
            costs = self._costs_to([xy[facility == row] for row in range(len(some))])
            for row, cost in enumerate(costs):
                self._nothing_inside(cost, some[row : row + 1])
                yield cost

    def effort_s(self, facilities_m: NDArray[np.object_], limit_m: float) -> float:
        """Tell roughly how long: the sweeps go over all streets, and all parts are looked up."""
        return len(facilities_m) * (self._graph().n_nodes + self.ground.cells.size) * _SWEPT_S

    def nearest(self, facilities_m: NDArray[np.object_], only: Parts) -> tuple[Numbers, Costs]:
        """Tell which facility is the nearest along streets, by one sweep; to who lives inside one, it is that one."""
        xy, facility = entrances(facilities_m, ENTRANCE_M)
        network = self._network()
        found = street_cost(network, self._points(), [xy], is_nearest_kept=True, workers=settings.ANALYSIS_THREADS)
        entrance = found.nearest[0] if found.nearest is not None else np.empty(0, dtype=np.int32)
        who = np.full(entrance.size, -1, dtype=np.int64)
        who[entrance >= 0] = facility[entrance[entrance >= 0]]
        cost = self._in_metres(found.cost[0])
        areas = np.flatnonzero(shapely.get_dimensions(facilities_m) == 2)
        for area in areas[::-1]:  # where they lie over each other, the first
            inside = centres_inside(facilities_m[area : area + 1], self.grid)[self.ground.cells]
            who[inside], cost[inside] = area, 0.0
        return who, cost

    def _costs_to(self, entrances_m: list[NDArray[np.float64]]) -> NDArray[np.float32]:
        found = street_cost(self._network(), self._points(), entrances_m, workers=settings.ANALYSIS_THREADS)
        return self._in_metres(found.cost)

    def _in_metres(self, cost: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.multiply(cost, np.float32(LEVEL_M_PER_MIN)) if self._network().costs.unit == "min" else cost

    def _nothing_inside(self, cost: Costs, facilities_m: NDArray[np.object_]) -> None:
        """Set the cost of who lives inside a facility's area to 0."""
        areas = polygons_of(facilities_m)
        if len(areas):
            cost[centres_inside(areas, self.grid)[self.ground.cells]] = 0.0

    def left_out(self, facilities_m: NDArray[np.object_]) -> int:
        """Count the facilities that stand further than 500 m from every street."""
        xy, facility = entrances(facilities_m, ENTRANCE_M)
        near = np.unique(facility[~on_streets(self._network(), xy, workers=settings.ANALYSIS_THREADS).is_far])
        return len(facilities_m) - len(near)

    def stranded(self) -> Parts:
        """Tell which parts of the ground lie further than 500 m from every street."""
        return self._points().is_far

    def warnings(self) -> tuple[str, ...]:
        """Say how the streets hang together, and where heights are missing."""
        graph, warnings = self._graph(), []
        if not graph.n_edges:
            warnings.append("There is no street in or around the city: nobody reaches anything along streets.")
        n_components = len(graph.component_length_m)
        if n_components > 1:
            share = f"{100 * graph.share_outside_largest:.3g}"
            warnings.append(
                f"The streets fall into {n_components:,} parts; {share} % of their length is not joined to the largest."
            )
        if graph.n_zero_length:
            warnings.append(f"Pieces of streets without length were left out: {graph.n_zero_length:,}.")
        if self.way == "walking":
            if self.travel.elevation is None:
                warnings.append("No elevation is set: walking is measured as on level ground.")
            elif graph.n_nodes:
                unknown = float(np.isnan(self._heights_m()).mean())
                if unknown > 0:
                    warnings.append(
                        f"The elevation is unknown at {100 * unknown:.3g} % of the points of streets: there, walking is "
                        "measured as on level ground."
                    )
        return tuple(warnings)

    # ---- kept by content

    def _graph(self) -> StreetGraph:
        return cast(StreetGraph, arrays.get(self._graph_key, self._graph_read))

    def _network(self) -> StreetNetwork:
        return cast(StreetNetwork, arrays.get(content_key("network", self._network_key), self._network_made))

    def _points(self) -> OnStreets:
        def found() -> OnStreets:
            homes = centroids_m(self.grid, self.ground)
            return on_streets(self._network(), homes, workers=settings.ANALYSIS_THREADS)

        return cast(OnStreets, arrays.get(content_key("on-streets", self.key), found))

    def _heights_m(self) -> NDArray[np.float64]:
        release = self.travel.elevation
        if release is None:
            raise AssertionError
        key = content_key("street-heights", self._graph_key, release.content_hash, SMOOTHING_M)
        return cast(NDArray[np.float64], arrays.get(key, lambda: self._heights_read(release)))

    # ---- made

    def _graph_read(self) -> StreetGraph:
        data, epsg = self.travel.data, self.grid.epsg
        corners = project(np.array([shapely.box(*self._bounds_m)]), epsg, STORAGE_EPSG)
        west, south, east, north = shapely.total_bounds(corners).tolist()
        named: Mapping[str, str] = (
            dict(zip(_OSM_KEYS, _OSM_KEYS, strict=True)) if data.has_osm_tags else data.road_fields
        )
        found, texts = roads_read(self.roads, list(named.values()), (west, south, east, north))
        lines, whole = shapely.get_parts(found, return_index=True)
        lines_m = project(lines, STORAGE_EPSG, epsg) if len(lines) else lines
        columns = {
            name: np.array(column, dtype=object)[whole].tolist() for name, column in zip(named, texts, strict=True)
        }
        if data.has_osm_tags:
            tags = [{k: str(v) for k in columns if (v := columns[k][i]) is not None} for i in range(len(lines))]
            roads = roads_of_osm(tags)
        else:
            roads = roads_of_fields(columns, len(lines), data.closed_classes)
        if self.drawn:
            lines_m, roads = with_drawn(lines_m, roads, self.drawn, epsg)
        return street_graph(lines_m, roads, is_cut_at_crossings=data.is_cut_at_crossings, snap_m=data.snap_m)

    def _network_made(self) -> StreetNetwork:
        graph = self._graph()
        if self.way == "streets":
            costs = walking_costs(graph, "m")
        elif self.way == "walking":
            costs = walking_costs(graph, "min", height_m=self._heights_m() if self.travel.elevation else None)
        else:
            costs = cycling_costs(graph, "min", kmh={**CYCLING_KMH, **self.travel.data.cycling_kmh})
        return street_network(graph, costs)

    def _heights_read(self, release: Release) -> NDArray[np.float64]:
        xy = self._graph().node_xy_m
        unknown = np.full(len(xy), np.nan)
        if not len(xy):
            return unknown
        (west, south), (east, north) = xy.min(axis=0).tolist(), xy.max(axis=0).tolist()
        around = 5 * SMOOTHING_M
        window = raster_window(release, (west - around, south - around, east + around, north + around), self.grid.epsg)
        if window is None:
            return unknown
        heights = smoothed(np.where(window.is_known, window.values, np.nan).astype(np.float64), window.pixel_m)
        return between_pixels(heights, *window.pixels_of(xy, self.grid.epsg))


def with_drawn(
    lines_m: NDArray[np.object_], roads: Roads, drawn: Sequence[StreetDrawn], epsg: int
) -> tuple[NDArray[np.object_], Roads]:
    """Put drawn streets among the streets that there are, and their attributes among theirs."""
    shapes = np.array([shapely.LineString(street.coordinates) for street in drawn], dtype=object)
    kinds = np.array([street.kind for street in drawn])
    bridge = kinds == "bridge"
    apart = np.asarray(roads.is_bridge, dtype=bool) | np.asarray(roads.is_tunnel, dtype=bool)
    shapes_m = project(shapes, STORAGE_EPSG, epsg)
    drawn_required(shapes_m)
    lines = joined(lines_m, shapes_m, is_apart=apart, is_bridge=bridge)
    n = len(drawn)
    added = Roads(
        road_class=np.array([_DRAWN_CLASSES[kind] for kind in kinds]),
        oneway=np.zeros(n, dtype=np.int8),
        is_stairs=kinds == "stairs",
        is_bridge=bridge,
        is_tunnel=np.zeros(n, dtype=bool),
        level=bridge.astype(np.float64),
        speed_kmh=np.full(n, np.nan),
        may_walk=np.ones(n, dtype=bool),
    )
    both = {
        one.name: np.concatenate([np.asarray(getattr(roads, one.name)), np.asarray(getattr(added, one.name))])
        for one in fields(Roads)
    }
    return lines, replace(roads, **both)
