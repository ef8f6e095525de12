"""Costs along the streets of two real cities, twelve services at once, against the tools that everybody uses for it.

Every side starts from the graph in its own form in memory and gives the cost of every node to the nearest facility of
each service. Ours is timed twice: with the network made ready once, as the service keeps it, and made ready every time.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import networkx as nx
import numpy as np
import pyogrio
import shapely
from django.db import connection
from pyproj import Transformer
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from analysis.core.street_cost import (
    StreetNetwork,
    cells_on_streets,
    node_cost,
    on_streets,
    street_cost,
    street_network,
    with_facilities,
)
from analysis.core.street_speeds import walking_costs
from analysis.core.street_tags import roads_of_osm
from analysis.core.streets import Roads, StreetGraph, street_graph
from geo.core.grid import grid_around
from tests.benchmarks.city import ROOT
from tests.benchmarks.measuring import Report, Row, interleaved_ms
from tests.benchmarks.peers_installed import PEERS
from tests.unit.analysis.street_plans import tehran

REAL_DATA = Path(os.environ.get("MAHALLEH_DATA") or ROOT.parent / "shared" / "data")
READY = "street costs, 12 services"
FRESH = "street costs, network made ready too"
CELLS = "street costs of all cells, 12 services"
MOVED = "a facility moved, all cells"
REQUIRED = {"scipy": 1.5, "igraph": 6.0, "networkx": 25.0, "pandana": 60.0, "pgrouting": 40.0}
"""Of the network made ready once; made ready every time, it must still be faster than scipy."""
SERVICES = (4, 6, 9, 12, 15, 20, 25, 30, 40, 50, 70, 100)
"""How many facilities each service has."""
MOST_OFF_M = 0.01
PANDANA_M = 5000.0
"""Pandana asks for a furthest distance, and takes several times as long without one that cuts anything off."""
_UTM = 32639
_CELL_M = 20.0


@dataclass(frozen=True, slots=True)
class Streets:
    """A city's streets in every form that a side needs, and where its facilities are: nodes, for each service."""

    name: str
    graph: StreetGraph
    facilities: list[np.ndarray]

    @property
    def xy_m(self) -> list[np.ndarray]:
        """The facilities as points."""
        return [self.graph.node_xy_m[nodes] for nodes in self.facilities]


def streets_cases(report: Report, runs: int, *, is_quick: bool = False) -> None:
    """Measure street costs against scipy, igraph, networkx, pandana and pgRouting.

    Parameters
    ----------
    report
        Where the rows go.
    runs
        Interleaved runs of each.
    is_quick
        Only the smaller city, without pandana and pgRouting.
    """
    if not REAL_DATA.is_dir():
        report.note(f"No real data at {REAL_DATA}: the streets of real cities are not measured.")
        return
    for read in (_tehran,) if is_quick else (_tehran, _shiraz):
        _measure(report, runs, read(REAL_DATA), are_slow_wanted=not is_quick)


def _measure(report: Report, runs: int, streets: Streets, *, are_slow_wanted: bool) -> None:
    graph = streets.graph
    costs = walking_costs(graph)
    network = street_network(graph, costs)
    size = f"{streets.name}: {graph.n_nodes:,} nodes"
    sides: dict[str, Callable[[], np.ndarray]] = {
        "ours": lambda: node_cost(network, streets.xy_m),
        "fresh": lambda: node_cost(street_network(graph, costs), streets.xy_m),
        "scipy": _scipy(streets),
        "networkx": _networkx(streets),
    }
    if find_spec("igraph"):
        sides["igraph"] = _igraph(streets)
    else:
        report.note("igraph is not installed, so nothing is compared with it.")
    expected = sides["scipy"]()
    for name, side in sides.items():
        _check(name, side(), expected)
    slow = {"networkx": sides.pop("networkx")}
    times = interleaved_ms(sides, max(runs, 5)) | interleaved_ms(slow, runs)
    labels = {
        "scipy": "scipy dijkstra, min_only",
        "igraph": "igraph distances, from a node above all",
        "networkx": "networkx multi_source_dijkstra",
        "pandana": "pandana nearest_pois to 5 km, after set-up",
        "pgrouting": "pgRouting pgr_drivingDistance, from a node above all",
    }
    if are_slow_wanted:
        found = _pandana(report, streets, expected, runs)
        times |= {"pandana": found} if found else {}
        found = _pgrouting(report, streets, expected, runs)
        times |= {"pgrouting": found} if found else {}
    for name, label in labels.items():
        if name in times:
            report.add(Row(READY, size, times["ours"], label, times[name], runs, REQUIRED[name]))
    for name in ("scipy", "igraph", "networkx"):
        if name in times:
            report.add(
                Row(FRESH, size, times["fresh"], labels[name], times[name], runs, 1.0 if name == "scipy" else None)
            )
    _cells(report, runs, streets, network)


def _cells(report: Report, runs: int, streets: Streets, network: StreetNetwork) -> None:
    """Measure the costs of all cells of the middle of the city, and the change when a facility is moved."""
    middle = np.median(streets.graph.node_xy_m, axis=0)
    grid = grid_around((*(middle - 5000), *(middle + 5000)), _UTM, _CELL_M, 0.0)
    cells = cells_on_streets(network, grid)
    before = street_cost(network, cells, streets.xy_m)
    rng = np.random.default_rng(2)
    sources = streets.facilities[5]

    def move() -> None:
        xy = streets.graph.node_xy_m[sources].copy()
        xy[0] = rng.uniform(middle - 3000, middle + 3000)
        with_facilities(before, network, cells, 5, xy)

    times = interleaved_ms(
        {
            "cells": lambda: street_cost(network, cells, streets.xy_m),
            "entered": lambda: cells_on_streets(network, grid),
            "moved": move,
            "scipy": _scipy(streets),
        },
        max(runs, 5),
    )
    size = f"{streets.name}: {grid.n_cells:,} cells"
    report.add(Row(CELLS, size, times["cells"], "scipy dijkstra, nodes alone", times["scipy"], runs))
    report.add(Row(MOVED, size, times["moved"], "", None, runs))
    report.note(f"{size}: finding where cells enter the streets takes {times['entered']:,.0f} ms, once for a grid.")


def _scipy(streets: Streets) -> Callable[[], np.ndarray]:
    graph = streets.graph
    # Straight pieces between the same two nodes are equally long; scipy would add them up.
    ends, one = np.unique(np.sort(np.column_stack((graph.u, graph.v)), axis=1), axis=0, return_index=True)
    matrix = csr_array((graph.length_m[one], tuple(ends.T)), shape=(graph.n_nodes, graph.n_nodes))
    matrix = (matrix + matrix.T).tocsr()
    return lambda: np.stack([dijkstra(matrix, indices=nodes, min_only=True) for nodes in streets.facilities])


def _networkx(streets: Streets) -> Callable[[], np.ndarray]:
    graph = streets.graph
    made = nx.Graph()
    made.add_nodes_from(range(graph.n_nodes))
    made.add_weighted_edges_from(zip(graph.u.tolist(), graph.v.tolist(), graph.length_m.tolist(), strict=True))

    def job() -> np.ndarray:
        cost = np.full((len(streets.facilities), graph.n_nodes), np.inf)
        for service, nodes in enumerate(streets.facilities):
            found = nx.multi_source_dijkstra_path_length(made, set(nodes.tolist()))
            cost[service, list(found)] = list(found.values())
        return cost

    return job


def _igraph(streets: Streets) -> Callable[[], np.ndarray]:
    """Nearest of several is not asked for in igraph: each service is a node of its own, 0 m from its facilities."""
    import igraph

    graph, n = streets.graph, streets.graph.n_nodes
    above = [np.column_stack((np.full(len(nodes), n + k), nodes)) for k, nodes in enumerate(streets.facilities)]
    edges = np.concatenate((np.column_stack((graph.u, graph.v)), np.column_stack((graph.v, graph.u)), *above))
    weights = np.concatenate((graph.length_m, graph.length_m, np.zeros(len(edges) - 2 * graph.n_edges)))
    made = igraph.Graph(n=n + len(above), edges=edges, directed=True)
    services = list(range(n, n + len(above)))
    kept = weights.tolist()
    return lambda: np.array(made.distances(source=services, target=None, weights=kept, mode="out"))[:, :n]


_PANDANA = """
import json, sys, time
import numpy as np, pandas as pd, pandana
given = np.load(sys.argv[1])
xy, furthest, runs = given["xy"], float(given["furthest"]), int(sys.argv[3])
started = time.perf_counter()
net = pandana.Network(*map(pd.Series, xy.T), pd.Series(given["u"]), pd.Series(given["v"]), pd.DataFrame({"m": given["m"]}))
ready = time.perf_counter() - started
taken = []
for _ in range(runs):
    started = time.perf_counter()
    cost = []
    for service in range(int(given["n"])):
        at = xy[given[f"s{service}"]]
        net.set_pois("s", furthest + 1, 1, pd.Series(at[:, 0]), pd.Series(at[:, 1]))
        cost.append(net.nearest_pois(furthest, "s", num_pois=1)[1].to_numpy())
    taken.append((time.perf_counter() - started) * 1000)
np.save(sys.argv[2], np.stack(cost))
print(json.dumps({"ready_ms": ready * 1000, "taken_ms": taken}))
"""


def _pandana(report: Report, streets: Streets, expected: np.ndarray, runs: int) -> float | None:
    """Let pandana run in its own environment and report its own times."""
    python = PEERS / "bin" / "python"
    if (
        not python.exists()
        or subprocess.run([python, "-c", "import pandana"], capture_output=True, check=False).returncode
    ):
        report.note(f"pandana is not installed, so nothing is compared with it: {python} -m pip install pandana")
        return None
    graph = streets.graph
    furthest = PANDANA_M
    with tempfile.TemporaryDirectory() as folder:
        given, answer = Path(folder) / "given.npz", Path(folder) / "answer.npy"
        services = {f"s{k}": nodes for k, nodes in enumerate(streets.facilities)}
        np.savez(
            given,
            xy=graph.node_xy_m,
            u=graph.u,
            v=graph.v,
            m=graph.length_m,
            furthest=furthest,
            n=len(services),
            **services,
        )
        result = subprocess.run(
            [python, "-c", _PANDANA, given, answer, str(runs)], capture_output=True, text=True, check=False
        )
        if result.returncode:
            report.note(f"pandana failed: {result.stderr.strip().splitlines()[-1]}")
            return None
        cost = np.load(answer)
    told = json.loads(result.stdout.splitlines()[-1])
    off = np.abs(cost - np.minimum(expected, furthest))
    report.note(
        f"pandana, {streets.name}: set-up {told['ready_ms']:,.0f} ms; off by {off.max():,.3f} m at most, "
        f"{(off > 1).mean():.2%} of nodes by more than 1 m."
    )
    return float(np.median(told["taken_ms"]))


_PGROUTING = "pgr_drivingDistance('SELECT id, source, target, cost, reverse_cost FROM bench_streets', %(services)s::bigint[], 1e9)"
_PGROUTING_SUM = f"SELECT count(*), sum(agg_cost) FROM {_PGROUTING}"
_PGROUTING_COSTS = f"""
SELECT coalesce(found ->> 'start_vid', found ->> 'from_v')::bigint, (found ->> 'node')::bigint, (found ->> 'agg_cost')::float8
FROM (SELECT to_jsonb(costs) AS found FROM {_PGROUTING} AS costs) AS each
"""
"""Whose column is called ``from_v`` up to pgRouting 3.5."""


def _pgrouting(report: Report, streets: Streets, expected: np.ndarray, runs: int) -> float | None:
    """Let pgRouting search from a node above the facilities of each service, all services in one call on an indexed table.

    Its own way of asking for the nearest of several (``equicost``) gives other distances, so it is not asked that. What it finds is
    summed up in the database: handing over a row for each node and service takes it longer.
    """
    graph, n = streets.graph, streets.graph.n_nodes
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_available_extensions WHERE name = 'pgrouting'")
        if not cursor.fetchone()[0]:
            report.note(
                "pgRouting is not installed, so nothing is compared with it: apt-get install postgresql-15-pgrouting"
            )
            return None
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pgrouting CASCADE")
        cursor.execute("DROP TABLE IF EXISTS bench_streets")
        cursor.execute(
            "CREATE TEMPORARY TABLE bench_streets"
            " (id bigint PRIMARY KEY, source bigint, target bigint, cost float8, reverse_cost float8)"
        )
        edges = list(
            zip(graph.u.tolist(), graph.v.tolist(), graph.length_m.tolist(), graph.length_m.tolist(), strict=True)
        )
        edges += [(n + k, node, 0.0, -1.0) for k, nodes in enumerate(streets.facilities) for node in nodes.tolist()]
        with cursor.copy("COPY bench_streets FROM STDIN") as copy:
            for number, edge in enumerate(edges, start=1):
                copy.write_row((number, *edge))
        cursor.execute("ANALYZE bench_streets")
        asked = {"services": [n + k for k in range(len(streets.facilities))]}
        cursor.execute(_PGROUTING_COSTS, asked)
        cost = np.full((len(streets.facilities), n), np.inf)
        for service, node, metres in cursor.fetchall():
            if node < n:
                cost[service - n, node] = metres
        _check("pgRouting", cost, expected)

        def job() -> None:
            cursor.execute(_PGROUTING_SUM, asked)

        return interleaved_ms({"pgrouting": job}, runs)["pgrouting"]


def _check(name: str, cost: np.ndarray, expected: np.ndarray) -> None:
    assert (np.isinf(cost) == np.isinf(expected)).all(), f"{name} reaches other nodes than scipy."
    off = np.abs(cost[np.isfinite(cost)] - expected[np.isfinite(cost)]).max()
    assert off < MOST_OFF_M, f"{name} is up to {off:.3f} m off."


def _with_facilities(name: str, graph: StreetGraph) -> Streets:
    """Choose facilities among the nodes that can be entered, the same each time."""
    rng = np.random.default_rng(5)
    nodes = np.unique(np.concatenate((graph.u[graph.is_enterable], graph.v[graph.is_enterable])))
    chosen = [rng.choice(nodes, n, replace=False) for n in SERVICES]
    network = street_network(graph, walking_costs(graph))
    assert all((on_streets(network, graph.node_xy_m[some]).way_m == 0).all() for some in chosen)
    return Streets(name, graph, chosen)


def _tehran(folder: Path) -> Streets:
    plan, tags = tehran(folder)
    roads = roads_of_osm(tags)
    # The network was published as one for walking: all of it counts, as for the peers.
    known = Roads(is_bridge=roads.is_bridge, is_tunnel=roads.is_tunnel)
    return _with_facilities("Tehran 6", street_graph(plan, known))


def _shiraz(folder: Path) -> Streets:
    _, _, wkb, fields = pyogrio.raw.read(folder / "shiraz" / "roads.geojson", columns=["structure"])
    plan = shapely.from_wkb(wkb)
    transformer = Transformer.from_crs(4326, _UTM, always_xy=True)
    plan = shapely.transform(plan, lambda xy: np.column_stack(transformer.transform(*xy.T)))
    known = Roads(is_bridge=fields[0] == "bridge", is_tunnel=fields[0] == "tunnel")
    return _with_facilities("Shiraz", street_graph(plan, known))
