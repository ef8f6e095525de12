"""Edits of shared arcs keep the tiling: by hand-made cases that the browser reads too, and by long random sequences."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.core import partition as edits
from geo.core.lineage import lineage
from geo.core.noding import ON_EDGE_DEG
from geo.core.partition import SNAP_TOLERANCE_M, Partition, from_json, partition_of, polygons_of, to_json
from geo.core.topology import findings
from geo.errors import GeometryError, InvalidInput, LimitExceeded, MahallehError
from tests.unit.geo.generated_city import SIZE, SOUTH, WEST, city, uncovered_deg2

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "cases" / "partition.json").read_text(encoding="utf-8")
)
TOWN = partition_of({"w": shapely.box(48.30, 33.40, 48.31, 33.41), "e": shapely.box(48.31, 33.40, 48.32, 33.41)})
CITY_300 = city(300, seed=3)
CITY_16 = city(16, seed=16)


def same(a: shapely.Geometry, b: shapely.Geometry, tolerance: float = 0.0) -> bool:
    """Compare polygons up to the start and direction of their rings."""
    a, b = (shapely.normalize(shapely.multipolygons(shapely.get_parts(shapely.orient_polygons(g)))) for g in (a, b))
    return bool(shapely.equals_exact(a, b, tolerance))


def multipolygon(coordinates: list[Any]) -> shapely.MultiPolygon:
    return shapely.MultiPolygon([(polygon[0], polygon[1:]) for polygon in coordinates])


# --- the cases shared with the browser


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case_shared_with_the_browser(case: dict[str, Any]) -> None:
    before = from_json(case["before"])
    arguments = dict(case["arguments"])
    if "polygon" in arguments:
        polygon = multipolygon(arguments.pop("polygon"))
        arguments["gap_polygon" if case["operation"] == "fill_gap" else "polygon"] = polygon
    operation = getattr(edits, case["operation"])
    if "error" in case:
        with pytest.raises(MahallehError) as refused:
            operation(before, **arguments)
        assert refused.value.code == case["error"]
        assert refused.value.where
        assert refused.value.remedy
        return
    after = operation(before, **arguments)
    expected = {code: multipolygon(coordinates) for code, coordinates in case["after"].items()}
    assert after.polygons.keys() == expected.keys()
    for code, polygon in expected.items():
        assert same(after.polygons[code], polygon, 1e-9), code


def test_an_edit_leaves_the_partition_before_as_it_was() -> None:
    before = to_json(TOWN)
    moved = edits.vertex_move(TOWN, 0, 0, (48.312, 33.411))
    assert to_json(moved) != before
    assert to_json(TOWN) == before
    with pytest.raises(ValueError, match="read-only"):
        TOWN.arcs[0][0, 0] = 0.0


# --- from polygons to arcs and back


@pytest.mark.parametrize("partition", [CITY_16, CITY_300, city(40, seed=5, bends=0)], ids=["16", "300", "straight"])
def test_polygons_come_back_exactly(partition: Partition) -> None:
    polygons = polygons_of(partition)
    again = polygons_of(partition_of(polygons))
    assert all(same(again[code], polygon) for code, polygon in polygons.items())


def test_every_arc_is_stored_once_and_ends_at_nodes() -> None:
    assert {len(users) for users in CITY_300.users} == {1, 2}
    every_edge = [frozenset((a, b)) for arc in CITY_300.arcs for a, b in pairwise(map(tuple, arc.tolist()))]
    assert len(set(every_edge)) == len(every_edge)
    ends = np.concatenate([arc[[0, -1]] for arc in CITY_300.arcs])
    _, count = np.unique(ends, axis=0, return_counts=True)
    assert count.min() >= 3


def test_shells_turn_left_and_holes_right_whatever_comes_in() -> None:
    ring = shapely.box(0, 0, 3, 3).exterior
    hole = shapely.box(1, 1, 2, 2).exterior
    for shell in (ring, ring.reverse()):
        for inner in (hole, hole.reverse()):
            partition = partition_of({"a": shapely.Polygon(shell, [inner]), "b": shapely.Polygon(inner)})
            polygon = partition.polygons["a"].geoms[0]
            assert polygon.exterior.is_ccw
            assert not polygon.interiors[0].is_ccw
            # The hole and the place in it are one closed arc, walked both ways.
            assert [len(users) for users in partition.users] == [1, 2]
            assert partition.faces["b"][0][0] == (~partition.faces["a"][0][1][0],)


def test_parts_that_meet_in_a_point_have_a_node_there() -> None:
    two = shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(1, 1, 2, 2)])
    partition = partition_of({"a": two})
    assert len(partition.arcs) == 2
    assert all((arc[0] == arc[-1]).all() and (arc[0] == [1, 1]).all() for arc in partition.arcs)
    assert same(partition.polygons["a"], two)
    moved = edits.vertex_move(partition, 0, 0, (1.25, 1.0))
    assert [part.area for part in moved.polygons["a"].geoms] == [1.125, 0.875]


def test_repeated_vertices_are_dropped() -> None:
    square = shapely.Polygon([(0, 0), (0, 0), (1, 0), (1, 1), (1, 1), (0, 1), (0, 0), (0, 0)])
    assert [len(arc) for arc in partition_of({"a": square}).arcs] == [5]


def test_a_town_without_places_is_a_partition_too() -> None:
    empty = partition_of({})
    assert empty.arcs == ()
    assert polygons_of(empty) == {}
    assert edits.add(empty, "a", shapely.box(0, 0, 1, 1)).polygons["a"].area == 1.0


@pytest.mark.parametrize(
    ("geometry", "code"),
    [
        (shapely.MultiPolygon(), "empty_geometry"),
        (None, "empty_geometry"),
        (shapely.Point(48, 33), "not_polygonal"),
        (shapely.from_wkt("POLYGON ((0 0, 1 0, inf 1, 0 0))"), "not_finite"),
        (shapely.Polygon([(0, 0), (1, 0), (1, 0), (0, 0)]), "degenerate_ring"),
    ],
)
def test_what_is_no_area_is_refused(geometry: shapely.Geometry | None, code: str) -> None:
    with pytest.raises(GeometryError) as refused:
        partition_of({"a": geometry})
    assert (refused.value.code, refused.value.where) == (code, "a")


# --- the wire


def test_the_wire_form_comes_back_exactly() -> None:
    again = from_json(json.loads(json.dumps(to_json(CITY_300))))
    assert all((a == b).all() for a, b in zip(again.arcs, CITY_300.arcs, strict=True))
    assert again.faces == CITY_300.faces


SQUARE = [[0, 0], [1, 0], [1, 1], [0, 0]]


@pytest.mark.parametrize(
    ("document", "error", "where"),
    [
        (None, InvalidInput, ""),
        ([], InvalidInput, ""),
        ({"arcs": {}, "faces": {}}, InvalidInput, ""),
        ({"arcs": [SQUARE], "faces": {"a": []}}, InvalidInput, "faces.a"),
        ({"arcs": [SQUARE], "faces": {"a": [[]]}}, InvalidInput, "faces.a[0]"),
        ({"arcs": [SQUARE], "faces": {"a": [[[1]]]}}, InvalidInput, "faces.a[0][0]"),
        ({"arcs": [SQUARE], "faces": {"a": [[[-2]]]}}, InvalidInput, "faces.a[0][0]"),
        ({"arcs": [SQUARE], "faces": {"a": [[[True]]]}}, InvalidInput, "faces.a[0][0]"),
        ({"arcs": [[[0, 0]]], "faces": {}}, InvalidInput, "arcs[0]"),
        ({"arcs": [[[0, 0], ["1", 0]]], "faces": {}}, InvalidInput, "arcs[0]"),
        ({"arcs": [[[0, 0], [1, 0, 2]]], "faces": {}}, InvalidInput, "arcs[0]"),
        ({"arcs": [[[0, 0], [float("nan"), 0]]], "faces": {}}, GeometryError, "arcs[0][1]"),
        ({"arcs": [[[0, 0], [1e9, 0]]], "faces": {}}, GeometryError, "arcs[0][1]"),
        ({"arcs": [[[0, 0], [10**400, 0]]], "faces": {}}, GeometryError, "arcs[0][0]"),
        ({"arcs": [SQUARE[:3], SQUARE[1:]], "faces": {"a": [[[0, 1]]]}}, GeometryError, "faces.a[0][0]"),
        ({"arcs": [[[0, 0]] * 200_001], "faces": {}}, LimitExceeded, ""),
        ({"arcs": [SQUARE], "faces": {str(n): [[[0]]] for n in range(20_001)}}, LimitExceeded, ""),
    ],
)
def test_a_document_that_is_no_partition_is_refused_with_its_place(
    document: object, error: type[InvalidInput], where: str
) -> None:
    with pytest.raises(error) as refused:
        from_json(document)
    assert refused.value.where == where


@pytest.mark.parametrize("xy", [(np.nan, 33.4), (1e9, 33.4), (48.3,), "ab", (48.3, 33.4, 1.0), (None, 1)])
def test_a_vertex_that_is_no_coordinate_is_refused(xy: Any) -> None:
    for edit in (edits.vertex_move, edits.vertex_add):
        with pytest.raises(InvalidInput):
            edit(TOWN, 0, 1, xy)


@pytest.mark.parametrize(
    "line",
    [
        [(48.3, 33.4)],
        [(48.3, 33.4), (48.3, 33.4)],
        [(48.3, 33.4), (np.inf, 33.4)],
        [(48.3, 33.4), (1e9, 33.4)],
        "line",
        shapely.box(0, 0, 1, 1),
        [(48.305, 33.39), (48.305, 33.405)],
        [(48.33, 33.39), (48.33, 33.42)],
    ],
)
def test_a_line_that_does_not_divide_is_refused(line: Any) -> None:
    with pytest.raises(GeometryError) as refused:
        edits.split(TOWN, "w", line, "new")
    assert refused.value.where
    assert refused.value.remedy


def test_an_endless_drawing_is_refused() -> None:
    angle = np.linspace(0, 2 * np.pi, 20_002)
    ring = np.stack((48.305 + 0.001 * np.cos(angle), 33.405 + 0.001 * np.sin(angle)), axis=1)
    for edit, drawing in ((edits.split, ring), (edits.cut_out, shapely.Polygon(ring))):
        with pytest.raises(LimitExceeded):
            edit(TOWN, "w", drawing, "new")
    with pytest.raises(LimitExceeded):
        edits.add(TOWN, "new", shapely.Polygon(ring))


def test_an_edit_that_would_cross_says_where() -> None:
    arc = next(i for i, users in enumerate(TOWN.users) if set(users) == {"e", "w"})
    with pytest.raises(GeometryError) as refused:
        edits.vertex_add(TOWN, arc, 1, (48.33, 33.405))
    place, _, position = refused.value.where.partition(" at ")
    x, y = map(float, position.split(", "))
    assert place == "e"
    assert x == pytest.approx(48.32, abs=1e-6)
    assert 33.40 < y < 33.41


def test_an_outline_dragged_around_a_distant_place_is_refused() -> None:
    """No arcs cross: the triangle simply swallows the other place."""
    apart = partition_of({"a": shapely.box(0, 0, 1, 1), "b": shapely.box(2, 2, 2.1, 2.1)})
    index = int(np.flatnonzero((apart.arcs[0] == [1, 1]).all(axis=1))[0])
    bent = edits.vertex_add(apart, 0, index + 1, (0.9, 1.0)) if index + 1 < len(apart.arcs[0]) else apart
    with pytest.raises(GeometryError, match="lie over b"):
        edits.vertex_move(bent, 0, index, (5.0, 5.0))


def test_a_line_just_short_of_the_boundary_divides_all_the_same() -> None:
    """Its ends are half a metre at most from the boundary: the planner meant the boundary."""
    near = 4e-6  # about 0.4 m
    parts = edits.split(TOWN, "w", [(48.304, 33.40 + near), (48.304, 33.41 - near)], "new").polygons
    assert same(parts["new"], shapely.box(48.30, 33.40, 48.304, 33.41), 1e-12)


def test_a_closed_line_splits_off_what_it_goes_around() -> None:
    ring = shapely.box(48.303, 33.403, 48.304, 33.404)
    after = edits.split(TOWN, "w", ring.exterior, "isle")
    assert same(after.polygons["isle"], ring, 1e-12)
    assert len(after.polygons["w"].geoms[0].interiors) == 1


def test_a_line_along_a_crooked_boundary_is_refused_or_divides_but_breaks_nothing() -> None:
    """Lines that run within a rounding of a boundary are where noding is hard."""
    accepted = 0
    for index, arc in enumerate(CITY_16.arcs):
        for shift in (0.0, 1e-9, 3e-8, 1e-7, 2.5e-7, 1e-6):
            code = CITY_16.users[index][0]
            try:
                after = edits.split(CITY_16, code, arc + shift, "new")
            except GeometryError:
                continue
            accepted += 1
            assert findings(after.polygons) == []
            assert abs(uncovered_deg2(after)) < 1e-13
    assert accepted < 40  # nearly all snap onto the boundary, and so divide nothing


# --- long sequences

#: New vertices on the outline are rounded, which may bend it; land is filled in along boundaries within the tolerance.
ROUNDING_DEG = 2 * ON_EDGE_DEG
TOLERANCE_DEG = SNAP_TOLERANCE_M / 90_000


def edited(partition: Partition, data: st.DataObject, step: int) -> tuple[Partition, float]:
    """Draw one edit and try it; tell also by how many degrees it may move the outline of the city."""
    unit = st.floats(0, 1, allow_nan=False)
    codes = sorted(partition.faces)
    kind = data.draw(
        st.sampled_from(["split", "split", "merge", "move", "move", "move", "add", "remove", "cut", "gap"])
    )
    code = codes[data.draw(st.integers(0, len(codes) - 1))]
    x0, y0, x1, y1 = partition.polygons[code].bounds
    arc = data.draw(st.integers(0, len(partition.arcs) - 1))
    line = partition.arcs[arc]
    index = data.draw(st.integers(0, len(line) - 1))
    around = np.ptp(line, axis=0).max() * np.array([data.draw(unit) - 0.5, data.draw(unit) - 0.5])
    is_outer = len(partition.users[arc]) == 1 or any(
        len(users) == 1 and (partition.arcs[other][[0, -1]] == line[index]).all(axis=1).any()
        for other, users in enumerate(partition.users)
    )
    try:
        if kind == "split":
            a, b = data.draw(unit), data.draw(unit)
            cut = [(x0 - 0.001, y0 + a * (y1 - y0)), (x1 + 0.001, y0 + b * (y1 - y0))]
            return edits.split(partition, code, cut, f"s{step}"), ROUNDING_DEG
        if kind == "merge":
            users = partition.users[arc]
            return (edits.merge(partition, *users) if len(users) == 2 else partition), ROUNDING_DEG
        if kind == "move":
            return edits.vertex_move(
                partition, arc, index, line[index] + 0.5 * around
            ), np.inf if is_outer else ROUNDING_DEG
        if kind == "add":
            return edits.vertex_add(
                partition, arc, max(index, 1), line[max(index, 1)] + 0.2 * around
            ), np.inf if is_outer else ROUNDING_DEG
        if kind == "remove":
            return edits.vertex_remove(partition, arc, index), np.inf if is_outer else ROUNDING_DEG
        if kind == "cut":
            centre = shapely.Point(x0 + data.draw(unit) * (x1 - x0), y0 + data.draw(unit) * (y1 - y0))
            shape = centre.buffer(0.3 * (x1 - x0) * (0.1 + data.draw(unit)), quad_segs=3)
            return edits.cut_out(partition, code, shape, f"c{step}"), ROUNDING_DEG
        # A place is given up, and its land is filled into a neighbour.
        without = {other: polygon for other, polygon in partition.polygons.items() if other != code}
        neighbours = sorted({user for users in partition.users if code in users for user in users} - {code})
        if len(without) < 2 or not neighbours:
            return partition, 0.0
        return edits.fill_gap(partition_of(without), partition.polygons[code], neighbours[0]), TOLERANCE_DEG
    except GeometryError as refused:
        if not (refused.where and refused.remedy):
            raise
        return partition, 0.0


def check(before: Partition, after: Partition, *, outline_deg: float) -> None:
    polygons = np.array(list(after.polygons.values()))
    assert shapely.is_valid(polygons).all()
    assert findings(after.polygons) == []
    assert abs(uncovered_deg2(after)) < 1e-12
    if np.isfinite(outline_deg):
        was, now = (shapely.union_all(list(p.polygons.values())) for p in (before, after))
        assert shapely.symmetric_difference(was, now).area <= 4 * SIZE * outline_deg
        assert shapely.hausdorff_distance(was.boundary, now.boundary) <= outline_deg
    again = partition_of(after.polygons)
    assert all(same(again.polygons[code], polygon) for code, polygon in after.polygons.items())
    shares: dict[str, float] = {}
    for descent in lineage(before.polygons, after.polygons):
        shares[descent.predecessor] = shares.get(descent.predecessor, 0.0) + descent.share_of_predecessor_area
    assert shares.keys() == before.polygons.keys()
    assert all(abs(total - 1) < 1e-9 for total in shares.values())


@settings(derandomize=True, deadline=None, max_examples=200)
@given(data=st.data(), seed=st.integers(0, 7))
def test_sequences_of_edits_keep_the_tiling(data: st.DataObject, seed: int) -> None:
    partition = city(9, seed=seed)
    for step in range(data.draw(st.integers(3, 8))):
        after, outline_deg = edited(partition, data, step)
        check(partition, after, outline_deg=outline_deg)
        partition = after


@settings(derandomize=True, deadline=None, max_examples=8)
@given(data=st.data())
def test_sequences_of_edits_keep_the_tiling_of_300_places(data: st.DataObject) -> None:
    partition = CITY_300
    for step in range(5):
        after, outline_deg = edited(partition, data, step)
        check(partition, after, outline_deg=outline_deg)
        partition = after


@settings(derandomize=True, deadline=None, max_examples=100)
@given(x=st.floats(0.05, 0.95), y=st.floats(0.05, 0.95), angle=st.floats(0, np.pi))
def test_split_and_merge_give_back_the_place(x: float, y: float, angle: float) -> None:
    middle = np.array([WEST + x * SIZE, SOUTH + y * SIZE])
    code = next(code for code, polygon in CITY_16.polygons.items() if polygon.intersects(shapely.Point(middle)))
    reach = np.array([np.cos(angle), np.sin(angle)]) * 2 * SIZE
    after = edits.split(CITY_16, code, [middle - reach, middle + reach], "new")
    small, large = after.polygons["new"].area, after.polygons[code].area
    assert small <= large * (1 + 1e-3)  # degrees are not metres
    back = edits.merge(after, code, "new").polygons
    assert all(
        shapely.symmetric_difference(back[other], polygon).area < 1e-9 for other, polygon in CITY_16.polygons.items()
    )
    assert findings(back) == []


def test_most_edits_are_accepted() -> None:
    """The sequences above would prove nothing if nearly all their edits were refused."""
    rng = np.random.default_rng(1)
    accepted = 0
    for _ in range(100):
        arc = int(rng.integers(len(CITY_16.arcs)))
        line = CITY_16.arcs[arc]
        index = int(rng.integers(len(line)))
        try:
            edits.vertex_move(CITY_16, arc, index, line[index] + rng.uniform(-0.1, 0.1, 2) * np.ptp(line, axis=0).max())
        except GeometryError:
            continue
        accepted += 1
    assert accepted > 80
