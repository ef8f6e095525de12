"""Geometries that cannot be stored: each is told once, with its row, its place and the remedy."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from shapely import Point, box

from geo.core.crs import project
from geo.core.measuring import area_m2
from layers.reading import Limits, Plan, Problem, read_file, read_table, read_vector, summary

Write = Callable[..., Path]

KHORRAMABAD = (48.28, 33.40, 48.44, 33.55)
SQUARE = box(48.35, 33.48, 48.36, 33.49)
BOW_TIE = shapely.from_wkt("POLYGON ((48.35 33.48, 48.37 33.50, 48.37 33.48, 48.35 33.50, 48.35 33.48))")
SUFFIXES = [".gpkg", ".fgb", ".shp", ".geojson"]


def only(plan: Plan, code: str, *, severity: str = "error") -> Problem:
    assert [(p.severity, p.code) for p in plan.problems] == [(severity, code)], summary(plan)
    assert plan.is_loadable is (severity != "error")
    (problem,) = plan.problems
    assert problem.message.endswith(".")
    return problem


# Self-intersection


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_self_crossing_area_is_located_at_the_crossing(suffix: str, write_layer: Write) -> None:
    path = write_layer(f"areas{suffix}", [SQUARE, BOW_TIE, shapely.buffer(SQUARE, 0.001)])
    problem = only(read_vector(path), "invalid_geometry")
    assert problem.row == 2
    assert (problem.lon, problem.lat) == pytest.approx((48.36, 33.49))
    assert "crosses itself" in problem.message
    assert "--repair" in problem.remedy


def test_the_crossing_is_located_in_degrees_whatever_the_file_is_in(write_layer: Write) -> None:
    metres = project([SQUARE, BOW_TIE], 4326, 32639)
    problem = only(read_vector(write_layer("areas.gpkg", list(metres), crs="EPSG:32639")), "invalid_geometry")
    assert (problem.lon, problem.lat) == pytest.approx((48.36, 33.49), abs=1e-5)


def test_repair_mends_and_says_how_the_area_changed(write_layer: Write) -> None:
    # A square with a spike that crosses its own edge: the loop outside is 0.001 by 0.001 degrees, halved.
    spiked = shapely.from_wkt(
        "POLYGON ((48.35 33.48, 48.36 33.48, 48.36 33.49, 48.3555 33.49, 48.3545 33.491, 48.3555 33.491, "
        "48.3545 33.49, 48.35 33.49, 48.35 33.48))"
    )
    plan = read_vector(write_layer("areas.gpkg", [SQUARE, spiked]), repair=True)
    problem = only(plan, "invalid_geometry", severity="repaired")
    assert problem.row == 2
    before, after = area_m2([spiked, plan.rows.geometries_4326[1]])
    assert f"{before:,.1f} m²" in problem.message
    assert f"{after:,.1f} m²" in problem.message
    assert f"{100 * (after / before - 1):+.3f} %" in problem.message
    assert shapely.is_valid(plan.rows.geometries_4326).all()
    assert plan.n_repaired == 1
    assert len(plan.rows) == 2


def test_what_cannot_be_mended_stays_an_error(write_geojson: Write) -> None:
    flat = {"type": "Polygon", "coordinates": [[[48.3, 33.4], [48.4, 33.4], [48.3, 33.4], [48.3, 33.4]]]}
    plan = read_vector(write_geojson([SQUARE, flat]), repair=True)
    assert only(plan, "invalid_geometry").row == 2
    assert plan.rows.geometries_4326[1] is None


def test_an_unclosed_ring_is_broken_and_can_be_closed(write_geojson: Write) -> None:
    ring = {"type": "Polygon", "coordinates": [[[48.3, 33.4], [48.4, 33.4], [48.4, 33.5], [48.3, 33.5]]]}
    path = write_geojson([SQUARE, ring])
    problem = only(read_vector(path), "broken_geometry")
    assert problem.row == 2
    assert "closed" in problem.message
    mended = read_vector(path, repair=True)
    only(mended, "broken_geometry", severity="repaired")
    assert mended.rows.geometries_4326[1].equals(box(48.3, 33.4, 48.4, 33.5))


# Missing, of another kind, flat


@pytest.mark.parametrize("suffix", [".gpkg", ".fgb", ".shp", ".geojson"])
def test_rows_without_geometry_are_errors_or_left_out_on_request(suffix: str, write_layer: Write) -> None:
    path = write_layer(f"stops{suffix}", [Point(48.35, 33.48), None, Point(48.36, 33.49)], n=[10, 20, 30])
    assert only(read_vector(path), "no_geometry").row == 2
    plan = read_vector(path, repair=True)
    assert only(plan, "no_geometry", severity="repaired").row == 2
    assert plan.rows.numbers.tolist() == [1, 3]
    assert plan.rows.columns["n"] == [10, 30]
    assert len(plan.rows.names) == len(plan.rows) == 2


def test_a_layer_in_which_nothing_is_left_is_not_loadable(write_layer: Write) -> None:
    plan = read_vector(write_layer("stops.gpkg", [None, None], kind="Point"), repair=True)
    assert [p.code for p in plan.errors] == ["no_rows"]


def test_mixed_kinds_are_told_by_row(write_geojson: Write) -> None:
    path = write_geojson([SQUARE, Point(48.35, 33.48), shapely.buffer(SQUARE, 0.001)])
    assert only(read_vector(path), "mixed_geometry_types").row == 2
    assert only(read_vector(path, expect="polygon"), "wrong_geometry_type").row == 2


def test_a_layer_of_another_kind_is_told_once(write_geojson: Write) -> None:
    plan = read_vector(write_geojson([SQUARE, SQUARE]), expect="point")
    problem = only(plan, "wrong_geometry_type")
    assert "All 2 rows" in problem.message
    assert plan.rows.geometries_4326.tolist() == [None, None]


def test_collections_are_taken_apart_on_request(write_geojson: Write) -> None:
    collection = shapely.GeometryCollection(
        [SQUARE, Point(48.3, 33.4), shapely.GeometryCollection([box(48, 33, 48.1, 33.1)])]
    )
    nothing = shapely.GeometryCollection([Point(48.3, 33.4)])
    path = write_geojson([SQUARE, collection])
    assert only(read_vector(path), "geometry_collection").row == 2
    plan = read_vector(path, repair=True)
    assert "2 polygons were kept and 1 parts dropped" in only(plan, "geometry_collection", severity="repaired").message
    assert plan.rows.geometries_4326[1].equals(shapely.MultiPolygon([SQUARE, box(48, 33, 48.1, 33.1)]))
    assert only(read_vector(write_geojson([SQUARE, nothing]), repair=True), "wrong_geometry_type").row == 2


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_heights_are_dropped_with_one_warning(suffix: str, write_layer: Write) -> None:
    kind = None if suffix == ".geojson" else "Point Z"
    path = write_layer(f"stops{suffix}", [Point(48.35, 33.48, 1150), Point(48.36, 33.49, 1160)], kind=kind)
    plan = read_vector(path)
    problem = only(plan, "heights_dropped", severity="warning")
    assert "2 rows" in problem.message
    assert problem.row == 1
    assert not shapely.has_z(plan.rows.geometries_4326).any()


# Coordinates


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("suffix", [".gpkg", ".fgb"])
def test_coordinates_that_are_not_finite_name_the_vertex(bad: float, suffix: str, write_layer: Write) -> None:
    with np.errstate(invalid="ignore"):  # shapely makes such a line, but says so
        line = shapely.LineString([(48.35, 33.48), (48.36, 33.49), (48.37, bad)])
        path = write_layer(f"roads{suffix}", [shapely.LineString([(48.3, 33.4), (48.4, 33.5)]), line])
    problem = only(read_vector(path), "not_finite")
    assert problem.row == 2
    assert f"Vertex 3 is (48.37, {bad:g})" in problem.message


def test_a_point_of_nan_is_no_point(write_layer: Write) -> None:
    problem = only(read_vector(write_layer("stops.gpkg", [Point(48.3, 33.4), Point(np.nan, np.nan)])), "no_geometry")
    assert problem.row == 2


def test_metres_declared_as_degrees_are_told_once_with_the_system_that_fits(write_layer: Write) -> None:
    metres = project([Point(48.35, 33.48), Point(48.36, 33.49)], 4326, 32639)
    path = write_layer("stops.gpkg", list(metres), crs="EPSG:4326")
    problem = only(read_vector(path), "wrong_crs")
    assert problem.row == 1
    assert f"{metres[0].x:.10g}" in problem.message
    assert "look like metres" in problem.remedy
    helped = only(read_vector(path, near=KHORRAMABAD), "wrong_crs")
    assert helped.remedy.endswith("--source-epsg 32639.")
    assert read_vector(path, near=KHORRAMABAD, source_epsg=32639).is_loadable


def test_degrees_declared_as_metres_are_told(write_layer: Write) -> None:
    path = write_layer("stops.gpkg", [Point(48.35, 33.48), Point(48.36, 33.49)], crs="EPSG:32639")
    assert "--source-epsg 4326" in only(read_vector(path), "wrong_crs").remedy


def test_the_wrong_utm_zone_is_told_when_the_city_is_known(write_layer: Write) -> None:
    metres = project([Point(48.35, 33.48), Point(48.36, 33.49)], 4326, 32639)
    path = write_layer("stops.shp", list(metres), crs="EPSG:32640")
    assert only(read_vector(path, near=KHORRAMABAD), "far_from_city").remedy.endswith("--source-epsg 32639.")
    far = write_layer("far.shp", [Point(-3_000_000, 3_700_000)], crs="EPSG:32639")
    assert only(read_vector(far), "wrong_crs").row == 1


def test_one_row_out_of_range_is_told_by_row(write_layer: Write) -> None:
    path = write_layer("stops.fgb", [Point(48.35, 33.48), Point(48.36, 133.49), Point(48.37, 33.5)])
    problem = only(read_vector(path), "out_of_range")
    assert problem.row == 2
    assert "133.49" in problem.message


def test_no_reference_system_is_an_error_that_names_the_option(write_layer: Write) -> None:
    for suffix in (".gpkg", ".fgb", ".shp"):
        with pytest.warns(UserWarning, match="crs"):
            path = write_layer(f"stops{suffix}", [Point(48.35, 33.48)], crs=None)
        assert "--source-epsg" in only(read_vector(path), "no_crs").remedy
        assert read_vector(path, source_epsg=4326).is_loadable
    assert only(read_vector(path, source_epsg=99), "unknown_crs").remedy


def test_an_unknown_system_in_geojson_is_not_taken_for_degrees(write_geojson: Write) -> None:
    def crs(name: str) -> dict[str, Any]:
        return {"type": "name", "properties": {"name": name}}

    point = [Point(48.35, 33.48)]
    assert read_vector(write_geojson(point, crs=crs("urn:ogc:def:crs:OGC:1.3:CRS84"))).is_loadable
    assert read_vector(write_geojson(point, crs=crs("urn:ogc:def:crs:EPSG::4326"))).is_loadable
    assert read_vector(write_geojson(point, crs=crs("EPSG:4674"))).crs == "EPSG:4674"
    only(read_vector(write_geojson(point, crs=crs("my own grid"))), "unknown_crs")
    # A property called crs is none.
    assert read_vector(write_geojson(point, [{"crs": {"name": "my own grid"}}])).is_loadable


def test_exchanged_coordinates_are_recognised_where_the_city_is_known(write_layer: Write) -> None:
    good, exchanged = [Point(48.35, 33.48), Point(48.36, 33.49)], [Point(33.48, 48.35), Point(33.49, 48.36)]
    whole = only(read_vector(write_layer("a.gpkg", exchanged), near=KHORRAMABAD), "swapped_coordinates")
    assert "exchanged" in whole.message
    assert (
        only(read_vector(write_layer("b.gpkg", good + exchanged[:1]), near=KHORRAMABAD), "swapped_coordinates").row == 3
    )
    polar = write_layer("c.gpkg", [Point(33.4, 121.4), Point(33.5, 121.5)])
    assert "exchanged" in only(read_vector(polar), "wrong_crs").remedy


def test_rows_far_from_the_city_are_warned_about_or_refused_if_all_are(write_layer: Write) -> None:
    tehran = Point(51.4, 35.7)
    plan = read_vector(write_layer("a.gpkg", [Point(48.35, 33.48), tehran]), near=KHORRAMABAD)
    problem = only(plan, "far_from_city", severity="warning")
    assert (problem.row, problem.lon, problem.lat) == (2, 51.4, 35.7)
    assert only(read_vector(write_layer("b.gpkg", [tehran, tehran]), near=KHORRAMABAD), "far_from_city").row == 1


def test_null_island_is_a_missing_place(write_layer: Write) -> None:
    assert only(read_vector(write_layer("a.gpkg", [Point(48.35, 33.48), Point(0, 0)])), "null_island").row == 2
    stray = shapely.LineString([(48.35, 33.48), (0, 0)])
    assert only(read_vector(write_layer("b.gpkg", [stray])), "null_island").row == 1
    # A square that has its corner there on purpose is none.
    assert read_vector(write_layer("c.gpkg", [box(0, 0, 1, 1)])).is_loadable


def test_an_area_across_the_180th_meridian_must_be_cut(write_layer: Write) -> None:
    torn = shapely.from_wkt("POLYGON ((179 -17, -179 -17, -179 -16, 179 -16, 179 -17))")
    cut = shapely.MultiPolygon([box(179, -17, 180, -16), box(-180, -17, -179, -16)])
    problem = only(read_vector(write_layer("a.gpkg", [cut, torn], kind="Unknown")), "antimeridian")
    assert problem.row == 2
    assert "180" in problem.remedy


# Size


@pytest.fixture(scope="module")
def two_million() -> shapely.Polygon:
    """A ring of two million vertices around Khorramabad."""
    angle = np.linspace(0, 2 * np.pi, 2_000_000, endpoint=False)
    return shapely.Polygon(np.column_stack((48.36 + 0.1 * np.cos(angle), 33.48 + 0.1 * np.sin(angle))))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_row_of_two_million_vertices_is_refused_by_its_row(
    suffix: str, two_million: shapely.Polygon, write_layer: Write
) -> None:
    path = write_layer(f"areas{suffix}", [SQUARE, two_million])
    problem = only(read_vector(path), "too_many_vertices")
    assert problem.row == 2
    assert "200,000" in problem.message
    assert "Simplify" in problem.remedy


def test_refusing_it_takes_memory_for_the_file_and_little_more(
    two_million: shapely.Polygon, write_layer: Write
) -> None:
    path = write_layer("areas.fgb", [two_million] * 5)
    script = (
        "import resource, sys; from pathlib import Path; from layers.reading import read_vector;"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "plan = read_vector(Path(sys.argv[1]));"
        "assert plan.counts['error'] == {'too_many_vertices': 5}, plan.problems;"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], cwd=root, capture_output=True, text=True, check=True, timeout=60
    )
    kibibytes = int(done.stdout)  # the unit of ru_maxrss on Linux
    # GDAL hands the batch over once; nothing of it is taken apart into geometries.
    assert kibibytes * 1024 < 3 * path.stat().st_size


def test_the_limit_itself_is_allowed(write_layer: Write) -> None:
    line = shapely.LineString(np.column_stack((np.linspace(48.3, 48.4, 1000), np.linspace(33.4, 33.5, 1000))))
    path = write_layer("roads.gpkg", [line])
    assert read_vector(path, limits=Limits(vertices_per_row=1000)).is_loadable
    only(read_vector(path, limits=Limits(vertices_per_row=999)), "too_many_vertices")


def test_geometry_as_text_is_checked_as_any_other(tmp_path: Path) -> None:
    path = tmp_path / "areas.csv"
    rows = [SQUARE.wkt, BOW_TIE.wkt, "POLYGON ((1 2", ""]
    path.write_text("id;wkt\n" + "".join(f'{i};"{text}"\n' for i, text in enumerate(rows)))
    plan = read_table(path, source_epsg=4326)
    assert {p.row: p.code for p in plan.problems} == {3: "invalid_geometry", 4: "broken_geometry", 5: "no_geometry"}
    assert plan.rows.fields == ("id",)
    only(read_table(path), "no_crs")


def test_a_table_with_every_fault_tells_each_once(tmp_path: Path) -> None:
    path = tmp_path / "stops.csv"
    path.write_text("lon,lat\n48.3,33.4\n0,0\nnan,33\n48.3,inf\n,33\n48.3,333\n48.4,33.5\n48.5,33.5\n48.4,33.5\n")
    plan = read_file(path)
    assert {p.row: p.code for p in plan.problems} == {
        3: "null_island", 4: "bad_coordinate", 5: "bad_coordinate", 6: "bad_coordinate", 7: "out_of_range",
        10: "duplicate_row",
    }  # fmt: skip
    assert plan.problems[1].field == "lon"
    assert plan.problems[2].field == "lat"
