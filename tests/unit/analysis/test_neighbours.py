"""Neighbours against libpysal, and on squares that anyone can check."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from analysis.core.neighbours import Neighbours, contiguity, neighbours_of, surrounded
from geo.errors import InvalidInput

SQUARES = [shapely.box(x, y, x + 10, y + 10) for y in (0, 10, 20) for x in (0, 10, 20)]


def pairs(neighbours: Neighbours) -> set[tuple[int, int]]:
    rows, columns = neighbours.weights.nonzero()
    return set(zip(rows.tolist(), columns.tolist(), strict=True))


def test_a_chessboard() -> None:
    """Nine squares: the middle one has eight neighbours as a queen, four as a rook; corners three and two."""
    queen, rook = contiguity(SQUARES, "queen"), contiguity(SQUARES, "rook")
    assert np.diff(queen.weights.indptr).tolist() == [3, 5, 3, 5, 8, 5, 3, 5, 3]
    assert np.diff(rook.weights.indptr).tolist() == [2, 3, 2, 3, 4, 3, 2, 3, 2]
    assert queen.weights[[4]].toarray().max() == 1 / 8
    for found in (queen, rook):
        assert found.islands == ()
        np.testing.assert_allclose(found.weights.sum(axis=1), 1)


def test_islands_are_named_and_places_that_overlap_are_neighbours() -> None:
    shapes = [*SQUARES[:2], shapely.box(50, 50, 60, 60), shapely.box(15, 2, 25, 8), shapely.MultiPolygon([SQUARES[8]])]
    for kind in ("queen", "rook"):
        found = contiguity(shapes, kind)
        assert found.islands == (2, 4)
        assert pairs(found) == {(0, 1), (1, 0), (1, 3), (3, 1)}


def test_borders_with_a_gap() -> None:
    """A street of 2 m between two squares, and a third that only comes near a corner."""
    shapes = [shapely.box(0, 0, 100, 100), shapely.box(102, 0, 200, 100), shapely.box(201, 101, 300, 200)]
    assert contiguity(shapes).islands == (0, 1, 2)
    assert pairs(contiguity(shapes, "queen", gap=2.0)) == {(0, 1), (1, 0), (1, 2), (2, 1)}
    assert pairs(contiguity(shapes, "rook", gap=2.0)) == {(0, 1), (1, 0)}
    assert contiguity(shapes, "rook", gap=1.0).islands == (0, 1, 2)


@pytest.mark.parametrize("seed", range(3))
def test_tessellations_as_libpysal(seed: int) -> None:
    import geopandas
    from libpysal.graph import Graph

    points = shapely.MultiPoint(np.random.default_rng(seed).random((60, 2)) * 1000)
    cells = list(shapely.voronoi_polygons(points).geoms)
    for kind in ("queen", "rook"):
        peer = Graph.build_contiguity(geopandas.GeoSeries(cells), rook=kind == "rook")
        expected = {(one, other) for one, others in peer.neighbors.items() for other in others}
        assert pairs(contiguity(cells, kind)) == expected


def test_st_louis_as_libpysal_ships_it() -> None:
    import geopandas
    from libpysal import examples
    from libpysal.graph import Graph

    shapes = geopandas.read_file(examples.get_path("stl_hom.shp")).geometry
    for kind in ("queen", "rook"):
        peer = Graph.build_contiguity(shapes, rook=kind == "rook")
        expected = {(one, other) for one, others in peer.neighbors.items() for other in others}
        assert pairs(contiguity(shapes.to_numpy(), kind)) == expected


@given(st.integers(1, 8), st.data())
@settings(derandomize=True, deadline=None)
def test_pairs_make_weights_that_sum_to_one(count: int, data: st.DataObject) -> None:
    chosen = data.draw(hnp.arrays(bool, (count, count)))
    given_pairs = np.argwhere(np.triu(chosen, 1))
    found = neighbours_of(count, np.r_[given_pairs, given_pairs[:, ::-1]])
    expected = np.triu(chosen, 1) | np.triu(chosen, 1).T
    np.testing.assert_array_equal(found.weights.toarray() > 0, expected)
    total = np.asarray(found.weights.sum(axis=1)).ravel()
    np.testing.assert_allclose(total, expected.any(axis=1), atol=1e-12)
    assert found.islands == tuple(np.flatnonzero(~expected.any(axis=1)).tolist())
    kept = data.draw(hnp.arrays(bool, count))
    fewer = found.only(kept)
    np.testing.assert_array_equal(fewer.weights.toarray() > 0, expected[kept][:, kept])
    np.testing.assert_allclose(fewer.weights.sum(axis=1), expected[kept][:, kept].any(axis=1), atol=1e-12)


@given(st.integers(1, 8), st.data())
@settings(derandomize=True, deadline=None)
def test_surrounded_by_loops(count: int, data: st.DataObject) -> None:
    links = np.triu(data.draw(hnp.arrays(bool, (count, count))), 1)
    worst = data.draw(hnp.arrays(bool, count))
    share = data.draw(st.sampled_from([0.0, 0.5, 0.6, 1.0]))
    found = surrounded(worst, neighbours_of(count, np.argwhere(links)), share)
    for place in range(count):
        near = np.flatnonzero(links[place] | links[:, place])
        bad = int(worst[near].sum())
        enough = bad == near.size if share == 1 else bad > share * near.size
        assert found.is_surrounded[place] == (not worst[place] and near.size > 0 and enough)
        assert (found.worst_neighbours[place], found.neighbours[place]) == (bad, near.size)


BOW = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])


@pytest.mark.parametrize(
    ("call", "code", "where"),
    [
        (lambda: contiguity([SQUARES[0], None]), "bad_geometry", "place 1"),
        (lambda: contiguity([SQUARES[0], shapely.Point(0, 0)]), "bad_geometry", "place 1"),
        (lambda: contiguity([shapely.Polygon()]), "bad_geometry", "place 0"),
        (lambda: contiguity([BOW]), "bad_geometry", "place 0"),
        (lambda: contiguity(SQUARES, "bishop"), "bad_method", ""),
        (lambda: contiguity(SQUARES, gap=-1.0), "bad_number", ""),
        (lambda: contiguity(SQUARES, gap=float("nan")), "bad_number", ""),
        (lambda: neighbours_of(2, [(0, 2)]), "bad_neighbours", "pair 0"),
        (lambda: neighbours_of(2, [(0, 1), (1, 1)]), "bad_neighbours", "pair 1"),
        (lambda: surrounded(np.array([True]), neighbours_of(2, [])), "length_mismatch", ""),
        (lambda: surrounded(np.array([True]), neighbours_of(1, []), 2.0), "bad_number", ""),
    ],
)
def test_what_has_no_neighbours_by_its_nature_is_refused(call, code: str, where: str) -> None:
    with pytest.raises(InvalidInput) as error:
        call()
    assert (error.value.code, error.value.where) == (code, where)


def test_no_places_have_no_neighbours() -> None:
    assert contiguity([]).size == 0
    assert contiguity([SQUARES[0]]).islands == (0,)
