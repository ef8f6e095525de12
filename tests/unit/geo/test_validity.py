"""Faults are named with their place, and mended only with a note."""

import numpy as np
import pytest
import shapely

from geo.core.validity import as_multipolygon, force_2d, problems, repair
from geo.errors import GeometryError

BOW_TIE = shapely.from_wkt("POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))")


@pytest.mark.parametrize(
    ("geometry", "code", "severity"),
    [
        (None, "missing", "error"),
        (shapely.MultiPolygon(), "empty", "error"),
        (BOW_TIE, "invalid", "repairable"),
        (shapely.from_wkt("POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0), (5 5, 6 5, 6 6, 5 5))"), "invalid", "repairable"),
        (shapely.LineString([(0, 0), (float("inf"), 1)]), "not_finite", "error"),
        (shapely.Point(float("nan"), 1), "not_finite", "error"),
        (shapely.Point(350000, 3700000), "out_of_range", "error"),
        (shapely.Point(33.5, 148.3), "out_of_range", "error"),
        (shapely.LineString([(-179, 0), (179, 0)]), "crosses_antimeridian", "error"),
        (shapely.Point(48, 33, 1200), "not_2d", "note"),
    ],
)
def test_each_fault_has_its_name(geometry: shapely.Geometry | None, code: str, severity: str) -> None:
    found = problems(geometry)
    assert [(p.code, p.severity) for p in found] == [(code, severity)]
    assert found[0].message.endswith(".")
    assert found[0].remedy.endswith(".")


def test_a_fault_has_its_place() -> None:
    assert (problems(BOW_TIE)[0].x, problems(BOW_TIE)[0].y) == (1.0, 1.0)
    assert problems(shapely.Point(350000, 3700000))[0].remedy.startswith("These look like metres")
    assert "exchanged" in problems(shapely.Point(33.5, 148.3))[0].remedy


def test_metres_are_in_range_when_degrees_are_not_expected() -> None:
    assert problems(shapely.Point(350000, 3700000), lon_lat=False) == []


def test_too_many_vertices_are_refused_before_anything_slow() -> None:
    ring = np.column_stack((np.cos(np.linspace(0, 6, 2_000_000)), np.sin(np.linspace(0, 6, 2_000_000))))
    assert [p.code for p in problems(shapely.Polygon(ring))] == ["too_many_vertices"]
    assert [p.code for p in problems(shapely.LineString([(0, 0), (1, 1), (2, 0)]), max_vertices=2)] == [
        "too_many_vertices"
    ]


def test_a_sound_geometry_is_left_alone() -> None:
    square = shapely.box(0, 0, 1, 1)
    assert problems(square) == []
    mended, note = repair(square)
    assert mended is square
    assert note == ""


def test_a_bow_tie_becomes_two_triangles_with_a_note() -> None:
    mended, note = repair(BOW_TIE)
    assert mended.is_valid
    assert mended.area == 2
    assert note == "Repaired: Self-intersection at 1, 1."


def test_a_lost_spike_and_heights_are_told() -> None:
    spike = shapely.from_wkt("POLYGON Z ((0 0 1, 4 0 1, 4 4 1, 8 4 1, 4 4 1, 0 4 1, 0 0 1))")
    mended, note = repair(spike)
    assert mended.area == 16
    assert not mended.has_z
    assert note.startswith("Repaired: ")
    assert note.endswith("Heights or measures were dropped.")


def test_a_shell_on_a_shell_changes_its_area_and_says_by_how_much() -> None:
    nested = shapely.from_wkt("MULTIPOLYGON (((0 0, 10 0, 10 10, 0 10, 0 0)), ((1 1, 6 1, 6 6, 1 6, 1 1)))")
    mended, note = repair(nested)
    assert mended.area == 100
    assert "-20.00 %" in note


@pytest.mark.parametrize(
    "hopeless",
    [None, shapely.Polygon(), shapely.from_wkt("POLYGON ((0 0, 1 1, 2 2, 0 0))"), shapely.Point(float("nan"), 0)],
)
def test_what_cannot_be_mended_is_refused(hopeless: shapely.Geometry | None) -> None:
    with pytest.raises(GeometryError):
        repair(hopeless)


def test_polygons_are_taken_out_of_collections() -> None:
    square = shapely.box(0, 0, 1, 1)
    nested = shapely.GeometryCollection([shapely.Point(5, 5), shapely.GeometryCollection([square]), shapely.Polygon()])
    assert as_multipolygon(nested).equals(square)
    assert as_multipolygon(shapely.force_3d(square)).has_z is False
    for bad in (None, shapely.Polygon(), shapely.LineString([(0, 0), (1, 1)])):
        with pytest.raises(GeometryError):
            as_multipolygon(bad)


def test_force_2d_drops_measures_too() -> None:
    assert force_2d(shapely.from_wkt("POINT ZM (1 2 3 4)")).wkt == "POINT (1 2)"
