"""A file goes by in batches: the same rows and problems as when it is read whole, and memory for one batch only."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import shapely

from geo.core.crs import project
from geo.errors import InvalidInput
from layers.reading import FieldRule, Limits, Partner, Places, ReadingOptions, read_file, reading
from layers.reading.candidates import candidates
from layers.reading.plan import Plan
from layers.reading.quiet import quiet
from layers.reading.request import BATCH_ROWS
from layers.reading.whole import joined

Write = Callable[..., Path]
ROOT = Path(__file__).resolve().parents[3]
CITY = (48.2, 33.3, 48.5, 33.6)


def grid(n: int) -> list[shapely.Point]:
    rows = np.arange(n)
    return list(shapely.points(48.25 + rows % 200 * 0.001, 33.35 + rows // 200 * 0.001))


def plan_of(path: Path, **options: object) -> Plan:
    with reading(path, ReadingOptions(**options)) as file:
        file.read()
        return file.plan()


def codes(plan: Plan) -> dict[str, int]:
    return {code: n for counts in plan.counts.values() for code, n in counts.items()}


# Batches


@pytest.mark.parametrize("name", ["stops.gpkg", "stops.fgb", "stops.shp", "stops.geojson", "stops.csv"])
def test_rows_come_in_batches_and_are_those_of_the_whole(name: str, write_layer: Write, tmp_path: Path) -> None:
    n = 40_000
    points, labels = grid(n), [f"ایستگاه {i}" for i in range(n)]
    if name.endswith(".csv"):
        path = tmp_path / name
        lines = [f"{p.x!r},{p.y!r},{label},{i}" for i, (p, label) in enumerate(zip(points, labels, strict=True))]
        path.write_text("\n".join(["lon,lat,label,n", *lines]), encoding="utf-8")
    else:
        path = write_layer(name, points, label=labels, n=list(range(n)))
    with reading(path, ReadingOptions(name_field="label")) as file:
        assert file.kind == "point"  # looks at the first batch, and gives it all the same
        assert file.count == n
        batches = list(file.batches())
        plan = file.plan()
    assert [len(rows) for rows in batches] == [BATCH_ROWS] * (n // BATCH_ROWS) + [n % BATCH_ROWS]
    rows = joined(batches)
    # A difference of so many would take pytest longer to tell than all tests together.
    others = [(i, *pair) for i, pair in enumerate(zip(rows.names, labels, strict=True)) if pair[0] != pair[1]]
    assert others[:3] == []
    assert rows.columns["n"] == list(range(n))
    np.testing.assert_allclose(
        shapely.get_coordinates(rows.geometries_4326), shapely.get_coordinates(points), atol=1e-9
    )
    first = 2 if name.endswith(".csv") else 1
    assert rows.numbers.tolist() == list(range(first, n + first))
    assert (plan.n_rows, len(plan.rows), len(plan.preview)) == (n, 0, 100)
    assert plan.bounds_4326 == pytest.approx(shapely.total_bounds(points))
    assert {f.name: (f.type, f.filled) for f in plan.fields if f.name in ("label", "n")} == {
        "label": ("text", n), "n": ("integer", n),
    }  # fmt: skip
    assert plan.fields[-1].examples == (0, 1, 2, 3, 4)
    whole = read_file(path, name_field="label")
    assert isinstance(whole, Plan)
    assert whole.rows.names == rows.names
    assert whole.counts == plan.counts


def test_rows_without_a_geometry_before_all_others_say_nothing_of_the_kind(write_layer: Write) -> None:
    n = 20_000
    path = write_layer("streets.gpkg", [None] * n + [shapely.LineString([(48.3, 33.4), (48.31, 33.41)])])
    with reading(path, ReadingOptions(repair=True)) as file:
        assert file.require_kind() == file.kind == "line"
        assert sum(len(rows) for rows in file.batches()) == 1
        assert file.plan().is_loadable
    with reading(path, ReadingOptions()) as file:
        assert file.kind is None
        with pytest.raises(InvalidInput, match=f"{n - 1:,} more errors"):
            file.require_kind()


def test_a_file_without_rows_has_no_kind_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("lon,lat\n", encoding="utf-8")
    with reading(tmp_path / "empty.csv", ReadingOptions()) as file, pytest.raises(InvalidInput) as refused:
        file.require_kind()
    assert refused.value.code == "no_rows"


def test_problems_are_located_in_every_batch_and_told_once_where_they_are_of_the_whole(write_layer: Write) -> None:
    n = 33_000
    shapes = [shapely.box(p.x, p.y, p.x + 1e-4, p.y + 1e-4) for p in grid(n)]
    bow_tie = shapely.Polygon([(48.3, 33.4), (48.31, 33.41), (48.31, 33.4), (48.3, 33.41)])
    for row in (5, 20_000, 32_999):
        shapes[row - 1] = bow_tie
    shapes[30_000 - 1] = shapely.Point(48.3, 33.4)
    raised = [shapely.force_3d(shape, 7.0) if row % 3 == 0 else shape for row, shape in enumerate(shapes)]
    plan = plan_of(write_layer("areas.gpkg", raised, kind="Unknown"))
    assert codes(plan) == {"invalid_geometry": 3, "mixed_geometry_types": 1, "heights_dropped": 1}
    assert {p.row for p in plan.errors} == {5, 20_000, 32_999, 30_000}
    (heights,) = (p for p in plan.problems if p.code == "heights_dropped")
    assert heights.message.startswith("11,000 rows")
    assert {trouble.row: trouble.code for trouble in plan.troubles}[20_000] == "invalid_geometry"
    assert all(shapely.get_num_coordinates(trouble.geometry_4326) for trouble in plan.troubles)


def test_a_layer_elsewhere_is_told_once_with_all_its_rows(write_layer: Write) -> None:
    points = [shapely.Point(p.x + 40, p.y) for p in grid(20_000)]
    plan = plan_of(write_layer("stops.gpkg", points), near=CITY)
    assert codes(plan) == {"far_from_city": 1}
    assert plan.errors[0].message.startswith("All 20,000 rows")
    assert plan.is_plausible is False


def test_a_text_spoilt_in_every_row_is_told_once(write_layer: Write) -> None:
    path = write_layer("stops.gpkg", grid(40_000), name=["Ø®Ø±Ù…"] * 40_000)
    assert codes(plan_of(path)) == {"wrong_encoding": 1}


def test_a_code_page_shows_itself_late_in_a_shapefile(write_layer: Write) -> None:
    names = ["plain"] * 39_999 + ["خرم آباد"]
    path = write_layer("stops.shp", grid(40_000), encoding="CP1256", label=names)
    path.with_suffix(".cpg").unlink()
    with reading(path, ReadingOptions(name_field="label")) as file:
        rows = joined(list(file.batches()))
        plan = file.plan()
    assert (plan.encoding, plan.is_encoding_guessed) == ("cp1256", True)
    assert rows.names[-1] == "خرم آباد"


def test_a_column_of_numbers_with_one_text_at_the_end_is_text_throughout(tmp_path: Path) -> None:
    path = tmp_path / "stops.csv"
    lines = [f"48.3,33.4,{i}" for i in range(20_000)]
    path.write_text("\n".join(["lon,lat,number", *lines, "48.3,33.4,unknown"]))
    with reading(path, ReadingOptions()) as file:
        values = joined(list(file.batches())).columns["number"]
    assert values[:2] == ["0", "1"]
    assert values[-1] == "unknown"


def test_reading_can_stop_anywhere(write_layer: Write) -> None:
    path = write_layer("stops.gpkg", grid(40_000))
    told: list[tuple[int, int]] = []
    with reading(path, ReadingOptions(), progress=lambda done, of: told.append((done, of))) as file:
        batches = file.batches()
        next(batches)
        plan = file.plan()
    assert told == [(BATCH_ROWS, 40_000)]
    assert plan.n_rows == BATCH_ROWS
    with reading(path, ReadingOptions()) as file:
        pass  # not read at all
    assert file.plan().n_rows == 0


def test_the_rows_of_a_file_are_given_once(write_layer: Write) -> None:
    with reading(write_layer("stops.gpkg", grid(3))) as file:
        file.read()
        with pytest.raises(RuntimeError):
            next(file.batches())


def test_a_file_that_breaks_off_keeps_no_rows(write_layer: Write) -> None:
    path = write_layer("stops.fgb", grid(40_000))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])
    with reading(path) as file:
        file.read()
        plan = file.plan()
    assert file.is_refused
    assert [p.code for p in plan.problems] == ["broken_file"]
    assert plan.problems[0].row == pytest.approx(30_000, rel=0.05)


def test_warnings_are_as_before_when_threads_leave_in_any_order() -> None:
    before = list(warnings.filters)
    first_in, second_in = threading.Event(), threading.Event()

    def first() -> None:
        with quiet():
            first_in.set()
            second_in.wait(10)

    thread = threading.Thread(target=first)
    thread.start()
    first_in.wait(10)
    with quiet():
        second_in.set()
        thread.join()
        warnings.warn("unheard", stacklevel=1)
    assert list(warnings.filters) == before


# Memory


_MEASURED = """
import re, sys
from pathlib import Path
from layers.reading import ReadingOptions, reading
from layers.reading.request import BATCH_ROWS
def peak_mb():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024
with reading(Path(sys.argv[1]), ReadingOptions(name_field="name")) as file:
    largest = max(len(rows) for rows in file.batches())
    assert file.plan().is_loadable, file.plan().problems
    assert largest <= BATCH_ROWS
print(peak_mb())
"""


def measured_peak_mb(path: Path) -> float:
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, str(path)], cwd=ROOT, env={**os.environ, "MALLOC_ARENA_MAX": "2"},
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    return float(done.stdout)


def test_memory_is_for_a_batch_whatever_the_size_of_the_file(write_layer: Write) -> None:
    peaks = []
    for n in (150_000, 600_000):
        shapes = shapely.buffer(np.array(grid(n)), 2e-4, quad_segs=2)  # 9 vertices each
        peaks.append(measured_peak_mb(write_layer(f"areas-{n}.gpkg", list(shapes), name=[f"a{i}" for i in range(n)])))
    assert peaks[1] < 500
    # The rows more take some 400 MB when they are all in memory; of each some forty bytes are remembered.
    assert peaks[1] - peaks[0] < 80


def test_a_batch_has_fewer_rows_where_they_are_large(write_layer: Write) -> None:
    circle = shapely.buffer(shapely.Point(48.3, 33.4), 0.01, quad_segs=2_500)  # 10,000 vertices, 160 kB
    shapes = [shapely.transform(circle, lambda xy, i=i: xy + i * 1e-4) for i in range(500)]
    with reading(write_layer("areas.gpkg", shapes)) as file:
        sizes = [len(rows) for rows in file.batches()]
        assert file.plan().is_loadable
    assert sum(sizes) == 500
    assert max(sizes) <= 32 * 1024 * 1024 // 160_000 + 1


# Where coordinates could be


@pytest.mark.parametrize(
    ("epsg", "swap", "scale"),
    [(4326, False, 1), (4326, True, 1), (32639, False, 1), (32639, True, 1), (32638, False, 1), (3857, False, 1),
     (32639, False, 0.3048)],
)  # fmt: skip
def test_coordinates_are_found_in_the_city(epsg: int, swap: bool, scale: float) -> None:
    xy = shapely.get_coordinates(project(np.array(grid(5_000)), 4326, epsg) if epsg != 4326 else grid(5_000)) / scale
    best = candidates(xy[:, ::-1] if swap else xy, CITY)[0]
    assert (best.epsg, best.swap_xy, best.scale) == (epsg, swap, scale)
    assert best.share_inside == 1


def test_nothing_is_offered_where_nothing_fits() -> None:
    assert candidates(np.array([[1.0, 2.0], [3.0, 4.0]]), CITY) == ()
    assert candidates(np.array([[1e9, 2e9]]), CITY) == ()
    assert candidates(np.empty((0, 2)), CITY) == ()
    assert candidates(np.array([[48.3, 33.4]]), None) == ()


def test_a_file_without_a_reference_system_is_refused_with_what_it_could_be(write_layer: Write) -> None:
    metres = list(project(np.array(grid(100)), 4326, 32639))
    path = write_layer("stops.shp", metres)
    path.with_suffix(".prj").unlink()
    plan = plan_of(path, near=CITY)
    assert [p.code for p in plan.errors] == ["no_crs"]
    assert plan.candidates[0].label == "EPSG:32639"
    assert "--source-epsg 32639" in plan.errors[0].remedy
    assert plan_of(path, near=CITY, source_epsg=32639).is_loadable


def test_exchanged_coordinates_are_offered_to_be_exchanged_and_are(write_layer: Write) -> None:
    path = write_layer("stops.gpkg", [shapely.Point(p.y, p.x) for p in grid(300)])
    plan = plan_of(path, near=CITY)
    assert codes(plan) == {"swapped_coordinates": 1}
    assert "--swap-xy" in plan.errors[0].remedy
    assert plan.candidates[0].swap_xy
    mended = plan_of(path, near=CITY, swap_xy=True)
    assert mended.is_loadable
    assert mended.is_plausible
    assert mended.bounds_4326 == pytest.approx(shapely.total_bounds(grid(300)))


def test_exchanged_metres_are_noticed(write_layer: Write) -> None:
    metres = project(np.array(grid(300)), 4326, 32639)
    path = write_layer("stops.gpkg", [shapely.Point(p.y, p.x) for p in metres], crs="EPSG:32639")
    plan = plan_of(path, near=CITY)
    assert not plan.is_loadable
    assert (plan.candidates[0].epsg, plan.candidates[0].swap_xy) == (32639, True)
    assert plan_of(path, near=CITY, swap_xy=True).is_loadable


def test_feet_for_metres_are_noticed(write_layer: Write) -> None:
    feet = [shapely.Point(p.x / 0.3048, p.y / 0.3048) for p in project(np.array(grid(300)), 4326, 32639)]
    path = write_layer("stops.gpkg", feet, crs="EPSG:32639")
    plan = plan_of(path, near=CITY)
    assert not plan.is_loadable
    assert (plan.candidates[0].epsg, plan.candidates[0].scale) == (32639, 0.3048)
    mended = plan_of(path, near=CITY, scale=0.3048)
    assert mended.is_loadable
    assert mended.bounds_4326 == pytest.approx(shapely.total_bounds(grid(300)), abs=1e-7)


# Rows that are there twice


def test_doubles_are_told_apart(write_layer: Write) -> None:
    square = shapely.box(48.3, 33.4, 48.301, 33.401)
    moved = shapely.transform(square, lambda xy: xy + 2e-6)
    far = shapely.box(48.4, 33.4, 48.401, 33.401)
    path = write_layer(
        "areas.gpkg",
        [square, square, square, moved, far, far],
        name=["a", "a", "b", "a", "", "c"],
        n=[1, 1, 1, 1, 2, 3],
    )
    plan = plan_of(path, name_field="name")
    assert {(p.row, p.code) for p in plan.problems} == {
        (2, "duplicate_row"), (3, "duplicate_geometry"), (4, "duplicate_name"), (6, "duplicate_geometry"),
    }  # fmt: skip
    assert "row 1" in plan.problems[0].message
    assert plan.is_loadable


def test_doubles_are_found_across_batches(write_layer: Write) -> None:
    points = grid(20_000)
    points[19_998] = points[7]
    plan = plan_of(write_layer("stops.gpkg", points, n=[1] * 20_000))
    assert [(p.code, p.row) for p in plan.problems] == [("duplicate_row", 19_999)]
    assert "row 8" in plan.problems[0].message


def test_several_things_in_one_house_are_told_once(write_layer: Write) -> None:
    points = [shapely.Point(48.3, 33.4)] * 5
    plan = plan_of(write_layer("clinics.gpkg", points, name=list("abcde")), name_field="name")
    assert codes(plan) == {"same_place": 1}


def test_the_parts_of_a_street_have_one_name(write_layer: Write) -> None:
    lines = [shapely.LineString([(48.3, 33.4), (48.3 + d, 33.4)]) for d in (1e-5, 2e-5)]
    assert plan_of(write_layer("roads.gpkg", lines, name=["a", "a"]), name_field="name").problems == ()


# Fields of a file into fields of a layer


def test_fields_are_renamed_typed_converted_and_left_out(write_layer: Write) -> None:
    path = write_layer(
        "parks.gpkg", grid(3), مساحت=[1.5, 2.0, 0.25], floors=["3", "۴", "5"],
        opened=["۱۴۰۲/۵/۱", "2022-08-01", "1402-01-01"], open=["بله", "خیر", "yes"], code=[7, 8, 9],
        secret=["a", "b", "c"],
    )  # fmt: skip
    mapping = (
        FieldRule("مساحت", "area_m2", "number", "ha", "m2"),
        FieldRule("floors", type="integer"),
        FieldRule("opened", "opened_on", "date"),
        FieldRule("open", "is_open", "boolean"),
        FieldRule("code", "key", "text"),
        FieldRule("secret", keep=False),
    )
    with reading(path, ReadingOptions(mapping=mapping)) as file:
        rows = joined(list(file.batches()))
        plan = file.plan()
    assert plan.is_loadable
    assert dict(rows.columns) == {
        "area_m2": [15_000.0, 20_000.0, 2_500.0],
        "floors": [3, 4, 5],
        "opened_on": ["2023-07-23", "2022-08-01", "2023-03-21"],
        "is_open": [True, False, True],
        "key": ["7", "8", "9"],
    }
    assert {f.name: f.type for f in plan.fields} == {
        "area_m2": "number", "floors": "integer", "opened_on": "date", "is_open": "boolean", "key": "text",
    }  # fmt: skip


def test_a_value_that_cannot_be_converted_is_told_with_row_and_field(write_layer: Write) -> None:
    path = write_layer(
        "parks.gpkg", grid(4), floors=["3", "many", "2.5", None], day=["1402/13/01", None, None, "2022-02-30"]
    )
    plan = plan_of(path, mapping=(FieldRule("floors", type="integer"), FieldRule("day", "day", "date")))
    assert {(p.row, p.field) for p in plan.errors} == {(2, "floors"), (3, "floors"), (1, "day"), (4, "day")}
    assert set(codes(plan)) == {"bad_value"}


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ((FieldRule("nothing"),), "no_such_field"),
        ((FieldRule("a", "x"), FieldRule("b", "x")), "duplicate_fields"),
        ((FieldRule("a", unit_from="ha", unit_to="m"),), "bad_unit"),
        ((FieldRule("a", unit_from="acre", unit_to="m2"),), "bad_unit"),
        ((FieldRule("a", type="text", unit_from="ha", unit_to="m2"),), "bad_unit"),
    ],
)
def test_a_mapping_that_means_nothing_is_refused(rules: tuple[FieldRule, ...], code: str, write_layer: Write) -> None:
    plan = plan_of(write_layer("parks.gpkg", grid(2), a=[1, 2], b=[3, 4]), mapping=rules)
    assert [p.code for p in plan.errors] == [code]


# Tables that name places


def test_a_table_is_joined_to_places_by_code_or_name(tmp_path: Path) -> None:
    one, two = shapely.box(48.3, 33.4, 48.31, 33.41), shapely.box(48.31, 33.4, 48.32, 33.41)
    places = Places([Partner("n001", "", one), Partner("", "پل دختر", two)])
    path = tmp_path / "people.csv"
    path.write_text("محله,people\nn001,12\nپل‌دختر,7\nnowhere,1\n,2\n", encoding="utf-8")
    with reading(path, ReadingOptions(code_field="محله"), places=places) as file:
        rows = joined(list(file.batches()))
        plan = file.plan()
    assert list(rows.geometries_4326[:2]) == [one, two]
    assert rows.columns["people"] == [12, 7, 1, 2]
    assert [(p.code, p.row) for p in plan.errors] == [("unknown_place", 4), ("unknown_place", 5)]
    with reading(path, ReadingOptions(), places=places) as file:
        assert [p.code for p in file.plan().errors] == ["no_coordinates"]
        assert "--code-field" in file.plan().errors[0].remedy


def test_a_column_with_geometries_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "areas.csv"
    path.write_text('where;n\n"POLYGON ((48.3 33.4, 48.31 33.4, 48.31 33.41, 48.3 33.4))";1\n')
    assert plan_of(path, wkt_field="where", source_epsg=4326).kind == "polygon"
    assert [p.code for p in plan_of(path, wkt_field="elsewhere").errors] == ["no_such_field"]


def test_a_large_table_stays_within_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "stops.csv"
    path.write_text("lon,lat\n" + "48.3,33.4\n" * 100)
    with reading(path, ReadingOptions(), limits=Limits(file_bytes=500)) as file:
        assert [p.code for p in file.plan().errors] == ["file_too_large"]
    with reading(path, ReadingOptions(), limits=Limits(rows=99)) as file:
        assert [p.code for p in file.plan().errors] == ["too_many_rows"]
