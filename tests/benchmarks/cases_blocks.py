"""Settlement form: complexity of a whole city, and a block of 1,000 parcels opened up by new paths."""

from __future__ import annotations

import os
from statistics import median
from time import perf_counter
from typing import Any

import networkx as nx
import numpy as np
import shapely

from analysis.core.blocks import bounded_by_streets, street_blocks
from analysis.core.complexity import block_complexity
from analysis.core.parcels import cells_of_buildings
from analysis.core.path_counts import BlockGround, block_ground, recount
from analysis.core.reblocking import reblock
from analysis.selectors import places_read, roads_read
from analysis.settlement_form import FormQuestion, form_reading
from geo.core.crs import STORAGE_EPSG, project, utm_epsg_of
from geo.models import Place
from geo.querysets import system_user
from tests.benchmarks.measuring import Report, Row

#: Distance between points along outlines where only neighbours matter.
COARSE_M = 5.0
#: Blocks of the city that the peer does; it takes minutes for all.
PEER_BLOCKS = 40


def blocks_cases(report: Report, runs: int, parcels: int = 1_000, city_side: int = 25) -> None:
    """Measure k of a city of crowded blocks, reblocking of one large block, and the recount of its paths.

    Parameters
    ----------
    report
        Where the rows go.
    runs
        Runs of each.
    parcels
        Of the large block.
    city_side
        Blocks along one side of the city; each has about 49 buildings.
    """
    block, houses = crowded(parcels, 1)
    warm_up = crowded(25, 1)
    reblock(block_ground(cells_of_buildings([warm_up[0]], warm_up[1]), 0, warm_up[0].exterior, warm_up[1]))
    ours, counts, theirs = [], [], []
    for _ in range(runs):
        started = perf_counter()
        ground = block_ground(cells_of_buildings([block], houses), 0, block.exterior, houses)
        found = reblock(ground)
        ours.append((perf_counter() - started) * 1000)
        started = perf_counter()
        recount(ground, found.paths)
        counts.append((perf_counter() - started) * 1000)
        assert found.recount.without_access.size == 0
    started = perf_counter()
    plain_m = nearest_first_m(ground)
    theirs.append((perf_counter() - started) * 1000)
    size = f"{parcels:,} parcels"
    report.note(
        f"blocks: {found.recount.length_m:,.0f} m of paths, at most {100 * (found.gap or 0):.1f} % above the shortest; "
        f"the nearest parcel first, as in plain graph code, {plain_m:,.0f} m."
    )
    report.add(Row("reblocking", size, median(ours), "networkx, nearest first", median(theirs), runs))
    report.add(Row("recount of edited paths", size, median(counts), "", None, runs))
    _city(report, runs, city_side)


def _city(report: Report, runs: int, side: int) -> None:
    streets, boundary, houses = town(side)
    times, per_building, peer_per_building = [], [], []
    for _ in range(runs):
        started = perf_counter()
        found = street_blocks(streets, boundary)
        cells = cells_of_buildings(found.polygons, houses, spacing_m=COARSE_M, smooth_m=0.0)
        form = block_complexity(cells, found.streets)
        times.append((perf_counter() - started) * 1000)
        per_building.append(times[-1] / len(houses))
    chosen = list(range(min(PEER_BLOCKS, len(found.polygons))))
    started = perf_counter()
    k = [_k_one_by_one(found.polygons[i], cells.polygons[cells.members(i)]) for i in chosen]
    peer_per_building.append((perf_counter() - started) * 1000 / sum(len(cells.members(i)) for i in chosen))
    assert k == form.k[chosen].tolist(), "The peer computed something else."
    size = f"{len(houses):,} in {len(found.polygons):,}"
    report.add(Row("complexity of a city, from its streets", size, median(times), "", None, runs))
    started = perf_counter()
    block_complexity(cells, bounded_by_streets(found.polygons).streets)
    alone = (perf_counter() - started) * 1000
    scaled = peer_per_building[0] * len(houses)
    report.add(
        Row(
            "complexity, cells given",
            size,
            alone,
            f"shapely and networkx by pairs, {len(chosen)} blocks scaled",
            scaled,
            1,
        )
    )


def demo_city_cases(report: Report, runs: int) -> None:
    """Measure k of all blocks of the demo city at once, as it lies in the database: streets, buildings and outline read, too.

    Parcels are made as they are for the pages, not coarser. What it is held against is a limit, not a peer: 10 s.
    """
    city = Place.objects.get(kind=Place.Kind.CITY, code="khorramabad")
    reading = form_reading(city, system_user(), FormQuestion())
    times = []
    for _ in range(runs):
        started = perf_counter()
        places = places_read(city, system_user()).geometries_4326
        epsg = utm_epsg_of(list(places))
        outline = project(np.array([shapely.union_all(places)], dtype=object), STORAGE_EPSG, epsg)[0]
        bounds = tuple(float(at) for at in shapely.bounds(shapely.union_all(places)))
        streets, houses = (
            project(roads_read(release, [], bounds)[0], STORAGE_EPSG, epsg)  # type: ignore[arg-type]
            for release in (reading.streets, reading.buildings)
        )
        blocks = street_blocks(streets, outline)
        cells = cells_of_buildings(blocks.polygons, shapely.make_valid(houses), threads=os.cpu_count() or 1)
        found = block_complexity(cells, blocks.streets)
        times.append((perf_counter() - started) * 1000)
    report.note(
        f"blocks: k of the demo city up to {int(found.k.max())}, {found.homes_without_access.sum():,.0f} homes without access."
    )
    size = f"{len(houses):,} in {len(blocks.polygons):,}"
    report.add(Row("k of the whole demo city", size, median(times), "the limit of 10 s", 10_000.0, runs, required=1.0))


def crowded(n: int, seed: int, pitch_m: float = 9.0) -> tuple[shapely.Polygon, np.ndarray[Any, np.dtype[np.object_]]]:
    """Houses without plan in a square block."""
    rng = np.random.default_rng(seed)
    side = round(n**0.5)
    i, j = np.divmod(np.arange(side * side), side)
    x, y = ((one + 0.5) * pitch_m + rng.uniform(-1.2, 1.2, side * side) for one in (i, j))
    half = rng.uniform(2.0, 3.25, (2, side * side))
    houses = shapely.box(x - half[0], y - half[1], x + half[0], y + half[1])
    return shapely.box(0, 0, side * pitch_m, side * pitch_m), houses


def town(side: int) -> tuple[list[shapely.LineString], shapely.Polygon, np.ndarray[Any, np.dtype[np.object_]]]:
    """A chessboard of crowded blocks: streets, outline, houses."""
    block, _ = crowded(49, 0)
    width = block.bounds[2]
    ticks = np.arange(side + 1) * width
    whole = side * width
    streets = [shapely.LineString([(0, y), (whole, y)]) for y in ticks] + [
        shapely.LineString([(x, 0), (x, whole)]) for x in ticks
    ]
    houses = [
        shapely.transform(crowded(49, seed)[1], lambda xy, at=(x, y): xy + np.array(at))
        for seed, (x, y) in enumerate((x, y) for x in ticks[:-1] for y in ticks[:-1])
    ]
    return streets, shapely.box(0, 0, whole, whole), np.concatenate(houses)


def nearest_first_m(ground: BlockGround) -> float:
    """Length of paths if the shortest to the nearest parcel without access is added again and again."""
    graph = nx.Graph()
    for u, v, length in zip(ground.graph.u, ground.graph.v, ground.graph.length_m, strict=True):
        if not graph.has_edge(u, v) or graph[u][v]["weight"] > length:
            graph.add_edge(int(u), int(v), weight=float(length))
    of_node = [
        set(ground.graph.node_parcel[low:high].tolist())
        for low, high in zip(ground.graph.node_first[:-1], ground.graph.node_first[1:], strict=True)
    ]
    built = set(np.flatnonzero(ground.graph.is_street).tolist())
    missing = set(np.flatnonzero(ground.layer > 1).tolist())
    total = 0.0
    while missing:
        far, ways = nx.multi_source_dijkstra(graph, built)
        node = min((one for one in far if of_node[one] & missing), key=lambda one: (far[one], one))
        total += far[node]
        built |= set(ways[node])
        for one in ways[node]:
            missing -= of_node[one]
    return total


def _k_one_by_one(block: shapely.Polygon, parcels: np.ndarray[Any, np.dtype[np.object_]]) -> int:
    """Peel a block whose parcels are compared pair by pair."""
    graph = nx.Graph()
    graph.add_nodes_from(range(len(parcels)))
    for i, one in enumerate(parcels):
        graph.add_edges_from((i, j) for j in range(i) if one.intersection(parcels[j]).length > 0)
    first = {i for i, one in enumerate(parcels) if one.distance(block.exterior) < 0.01}
    return 1 + max(nx.multi_source_dijkstra_path_length(graph, first, weight=None).values())


__all__ = ["blocks_cases", "crowded", "town"]
