"""Street plans for the tests: small ones by hand, random ones, and the real network of a district."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from functools import cache
from pathlib import Path

import networkx as nx
import numpy as np
import shapely
from pyproj import Transformer
from scipy.spatial import Delaunay

from analysis.core.street_speeds import StreetCosts
from analysis.core.streets import StreetGraph

Tags = list[dict[str, str]]


def lines(*each: list[tuple[float, float]]) -> np.ndarray:
    return np.array([shapely.LineString(xy) for xy in each], dtype=object)


def town(rng: np.random.Generator, n: int, bends: int = 2, kept: float = 0.6) -> np.ndarray:
    """A planar town: some of the sides of triangles between n points, with bends."""
    xy = rng.uniform(0, 1000, (n, 2))
    if n < 3:
        return lines([(0, 0), (30, 40)])
    sides = np.unique(np.sort(Delaunay(xy).simplices[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1), axis=0)
    sides = sides[rng.random(len(sides)) < kept]
    share = np.linspace(0, 1, bends + 2)[None, :, None]
    return shapely.linestrings(xy[sides[:, :1]] * (1 - share) + xy[sides[:, 1:]] * share)


def as_networkx(graph: StreetGraph, costs: StreetCosts) -> nx.DiGraph:
    """The same streets, cheapest of several edges, with the costs as weights."""
    made = nx.DiGraph()
    made.add_nodes_from(range(graph.n_nodes))
    both = (graph.u, graph.v, costs.forward), (graph.v, graph.u, costs.backward)
    for start, end, cost in both:
        for a, b, weight in zip(start.tolist(), end.tolist(), cost.tolist(), strict=True):
            if np.isfinite(weight) and weight < made.get_edge_data(a, b, {"weight": np.inf})["weight"]:
                made.add_edge(a, b, weight=weight)
    return made


@cache
def tehran(real_data: Path) -> tuple[np.ndarray, Tags]:
    """The walking network of District 6, in UTM 39N, and the tags of its ways."""
    root = ET.parse(real_data / "tehran_district6" / "walk_network_overpass.osm").getroot()  # noqa: S314
    nodes = root.findall("node")
    lon_lat = np.array([(float(node.get("lon", "")), float(node.get("lat", ""))) for node in nodes])
    xy = np.column_stack(Transformer.from_crs(4326, 32639, always_xy=True).transform(*lon_lat.T))
    at = {node.get("id"): row for row, node in enumerate(nodes)}
    ways = root.findall("way")
    plan = [shapely.linestrings(xy[[at[point.get("ref")] for point in way.findall("nd")]]) for way in ways]
    tags = [{tag.get("k", ""): tag.get("v", "") for tag in way.findall("tag")} for way in ways]
    return np.array(plan, dtype=object), tags
