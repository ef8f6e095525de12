"""What is frozen into a published map, checked by hand on a town of four squares, and by rule on many."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import shapely
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from maps.pages.classes import NO_DATA, Classes, quantile
from maps.pages.telling import NOTHING, WITHHELD, Told
from maps.published import downloads
from maps.published.document import told_from_json, told_json
from maps.published.drawing import UNITS_PER_DEGREE, Backdrop, compact_json, compressed_bytes, draw, simplify_together
from maps.published.freeze import WITHHELD as WITHHELD_CLASS
from maps.published.freeze import exact, freeze, geometry_json, raised, totals
from maps.published.presenter import view as view_of
from tests.unit.maps import town

HOSTILE = '=cmd|"/c calc"!A1'


def decoded(rings: list[list[int]], origin: list[int]) -> shapely.Polygon:
    """Read a polygon of a drawing back: the reader of the page does the same."""
    read = []
    for steps in rings:
        xy = np.cumsum(np.array(steps, dtype=float).reshape(-1, 2), axis=0) + origin
        read.append(xy / UNITS_PER_DEGREE)
    return shapely.Polygon(read[0], read[1:])


def test_rows_are_worst_first_and_unknown_last() -> None:
    frozen = town.frozen_town()
    assert [row.code for row in frozen.rows] == ["d", "b", "s", "a", "c"]
    assert [row.class_index for row in frozen.rows] == [2, 1, 1, 0, WITHHELD_CLASS]
    assert [geometry.equals(town.square(1, 1)) for geometry in frozen.geometries][:2] == [True, False]


def test_the_legend_counts_the_people_of_neighbourhoods_once() -> None:
    classes = town.frozen_town().classes
    assert [(c.lower, c.upper, c.places, c.people) for c in classes] == [
        (0.0, 100.0, 1, 1000), (100.0, 300.0, 2, 600), (300.0, 500.0, 1, 400)
    ]  # fmt: skip
    assert [c.colour for c in classes] == list(town.RULER.colours)


def test_totals_count_only_what_may_be_told_and_settlements_not_twice() -> None:
    assert totals(town.frozen_town()) == {
        "neighbourhoods": 4, "settlements": 1, "population": 2000, "population_known": 2000, "uncovered_people": 690
    }  # fmt: skip


def test_a_city_of_settlements_alone_adds_them_up() -> None:
    only = [town.place("s", town.square(0, 0), Told(200.0), Told(190.0), kind="settlement")]
    frozen = freeze(only, "uncovered", "uncovered_people", town.COLUMNS, town.RULER)
    assert totals(frozen)["population"] == 200
    assert frozen.classes[1].people == 200


def test_a_small_count_is_kept_as_its_bound_and_a_place_without_people_has_no_class() -> None:
    found = freeze(
        [town.place("x", town.square(0, 0), Told(500.0), Told(10.0, "below")), town.place("y", town.square(1, 0), Told(0.0), NOTHING)],
        "uncovered", "uncovered_people", town.COLUMNS, town.RULER,
    )  # fmt: skip
    first, second = found.rows
    assert (first.numbers["uncovered_people"].kind, exact(first, "uncovered_people")) == ("below", None)
    assert (first.class_index, second.class_index) == (0, NO_DATA)


def test_names_lose_what_turns_or_breaks_a_line() -> None:
    hostile = "Vila\u202e\u2066Nova\u2028two\u0000 ي\u200c"
    assert town.frozen_town(hostile).rows[0].name_fa == "VilaNova two ی"


def test_numbers_are_rounded_half_up_and_told_numbers_survive_json() -> None:
    row = freeze(
        [town.place("x", town.square(0, 0), Told(12.5), Told(0.49))],
        "uncovered",
        "uncovered_people",
        town.COLUMNS,
        town.RULER,
    ).rows[0]
    assert row.numbers["population"] == Told(13)
    assert row.numbers["area_km2"] == Told(1.032)
    for told in (Told(3.0), NOTHING, WITHHELD, Told(0.98, "above")):
        assert told_from_json(json.loads(json.dumps(told_json(told)))) == told


@given(st.lists(st.just(0.0) | st.floats(0.01, 1e7), min_size=1, max_size=60))
def test_every_need_lies_within_the_bounds_the_legend_gives_it(needs: list[float]) -> None:
    found = [town.place(f"p{i}", town.square(i, 0), Told(1e8), Told(need)) for i, need in enumerate(needs)]
    ruler = quantile(needs[: len(needs) // 2], "deficit")
    frozen = freeze(found, "uncovered", "uncovered_people", town.COLUMNS, ruler)
    assert sum(c.places for c in frozen.classes) == len(needs)
    wanted = {f"p{i}": need for i, need in enumerate(needs)}
    for row in frozen.rows:
        legend = frozen.classes[row.class_index]
        assert legend.lower <= wanted[row.code] <= legend.upper * (1 + 1e-9)
    assert [wanted[row.code] for row in frozen.rows] == sorted(needs, reverse=True)


def test_the_ruler_is_raised_to_what_lies_beyond_it() -> None:
    assert raised(Classes("deficit", (0.0, 1.0)), [None, 0.4]).bounds == (0.0, 1.0)
    assert raised(Classes("deficit", (0.0, 100.0)), [123.0]).bounds == (0.0, 130.0)


# ---- the drawing


def test_the_drawing_is_the_places_to_a_metre() -> None:
    drawing = town.drawn_town()
    frozen = town.frozen_town()
    for (class_index, is_settlement, _label, polygons), row, geometry in zip(
        drawing.numbers["shapes"], frozen.rows, frozen.geometries, strict=True
    ):
        assert (class_index, bool(is_settlement)) == (row.class_index, row.is_settlement)
        (rings,) = polygons
        assert decoded(rings, drawing.numbers["origin"]).symmetric_difference(geometry).area < 1e-7
    assert drawing.tolerance_m == 2.0
    assert drawing.left_out == ()


def test_label_points_lie_inside_and_a_hole_stays_a_hole() -> None:
    ring = town.square(0, 0).difference(
        shapely.box(town.WEST + 0.002, town.SOUTH + 0.002, town.WEST + 0.008, town.SOUTH + 0.008)
    )
    frozen = freeze(
        [town.place("o", ring, Told(50.0), Told(50.0))], "uncovered", "uncovered_people", town.COLUMNS, town.RULER
    )
    numbers = draw(frozen, []).numbers
    ((_, _, label, polygons),) = numbers["shapes"]
    point = shapely.Point((np.array(label) + numbers["origin"]) / UNITS_PER_DEGREE)
    assert ring.contains(point)
    assert len(polygons[0]) == 2
    assert decoded(polygons[0], numbers["origin"]).area == pytest.approx(ring.area, rel=1e-3)


def wavy_city(n: int, points: int) -> list[shapely.Polygon]:
    """Give n × n squares whose shared edges are waves of many points, the same on both sides."""
    t = np.linspace(0, 1, points)[:-1]

    def edge(a: np.ndarray, b: np.ndarray, wave: float) -> np.ndarray:
        across = np.array([-(b - a)[1], (b - a)[0]]) * wave * 0.06
        return a + t[:, None] * (b - a) + (np.sin(t * 9 * np.pi) * np.sin(t * np.pi) ** 2)[:, None] * across

    def side(a: tuple[int, int], b: tuple[int, int]) -> np.ndarray:
        # drawn once in one direction, so that both neighbours have the very same points
        first, last = sorted((a, b))
        start, end = np.array(first, dtype=float), np.array(last, dtype=float)
        forth = np.vstack([edge(start, end, (first[0] * 7 + first[1] * 3) % 5 - 2), end])
        return (forth if (a, b) == (first, last) else forth[::-1])[:-1]

    found = []
    for x in range(n):
        for y in range(n):
            corners = [(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)]
            ring = np.vstack([side(corners[i], corners[(i + 1) % 4]) for i in range(4)])
            found.append(shapely.Polygon(ring * 0.004 + [48.3, 33.4]))
    return found


def test_neighbours_still_share_their_edges_after_simplifying_and_rounding() -> None:
    tiles = wavy_city(5, 60)
    assert shapely.coverage_is_valid(tiles)
    places = [town.place(f"t{i:02}", tile, Told(100.0), Told(50.0)) for i, tile in enumerate(tiles)]
    frozen = freeze(places, "uncovered", "uncovered_people", town.COLUMNS, town.RULER)
    drawing = draw(frozen, [], budget_bytes=1_200)
    assert drawing.tolerance_m > 2
    drawn = [decoded(polygons[0], drawing.numbers["origin"]) for _, _, _, polygons in drawing.numbers["shapes"]]
    whole = shapely.union_all(drawn)
    gaps = sum(shapely.Polygon(ring).area for part in shapely.get_parts(whole) for ring in part.interiors)
    overlaps = sum(shape.area for shape in drawn) - whole.area
    assert gaps + abs(overlaps) < 1e-12
    assert sum(len(shapely.get_coordinates(shape)) for shape in drawn) < 0.5 * sum(
        len(shapely.get_coordinates(t)) for t in tiles
    )


def test_backdrops_are_left_out_before_places_get_coarse_and_the_last_ones_first() -> None:
    rng = np.random.default_rng(5)
    street = Backdrop(
        "road-3", tuple(shapely.LineString(town.SOUTH + rng.random((400, 2)) * 0.02 + [14.87, 0]) for _ in range(20))
    )
    outline = Backdrop("outline", (town.square(0, 0, 0.02),))
    drawing = draw(town.frozen_town(), [outline, street], budget_bytes=2_000)
    assert drawing.left_out == ("road-3",)
    assert list(drawing.numbers["backdrops"]) == ["outline"]
    assert drawing.tolerance_m == 2.0
    assert drawing.compressed_bytes == compressed_bytes(drawing.numbers) <= 2_000


def test_places_are_drawn_even_where_they_do_not_fit() -> None:
    drawing = draw(town.frozen_town(), [], budget_bytes=10)
    assert len(drawing.numbers["shapes"]) == 5
    assert drawing.compressed_bytes > 10


def test_an_area_that_would_vanish_is_kept() -> None:
    tiny = shapely.box(0, 0, 0.5, 0.5)
    kept = simplify_together(np.array([shapely.box(10, 10, 500, 500), tiny]), 100.0)
    assert not shapely.is_empty(kept).any()


def test_the_drawing_holds_numbers_alone() -> None:
    def leaves(value: Any) -> Any:
        if isinstance(value, dict):
            for inner in value.values():
                yield from leaves(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from leaves(inner)
        else:
            yield value

    drawing = town.drawn_town('"><script>alert(1)</script>')
    assert all(isinstance(leaf, (int, float)) for leaf in leaves(drawing.numbers))
    assert compact_json(drawing.numbers) == compact_json(town.drawn_town().numbers)


def test_sources_are_told_in_the_language_of_the_page() -> None:
    first, *others = town.FACTS.sources
    service = replace(town.FACTS.services[0], standard_source_fa="یک راهنمای برنامه‌ریزی")
    said = town.town_document(sources=(replace(first, source_fa="با دست کشیده"), *others), services=(service,))
    with override("fa"):
        persian = view_of(said, "fa")
    with override("en"):
        english = view_of(said, "en")
    assert [source.source for source in persian.sources] == ["با دست کشیده", "Census office", "Ministry of Health"]
    assert [source.source for source in english.sources] == ["Drawn by hand", "Census office", "Ministry of Health"]
    assert any("یک راهنمای برنامه‌ریزی" in paragraph for paragraph in persian.method)
    assert any("A planning guide" in paragraph for paragraph in english.method)


# ---- downloads


def test_geojson_is_as_rfc_7946_wants_it() -> None:
    clockwise = shapely.Polygon(list(town.square(0, 0).exterior.coords)[::-1])
    written = geometry_json(clockwise)
    assert written is not None
    assert shapely.is_ccw(shapely.geometry.shape(written).exterior)
    assert all(round(c, 6) == c for xy in written["coordinates"][0] for c in xy)
    assert geometry_json(shapely.Polygon()) is None


def test_the_geojson_download_explains_itself() -> None:
    frozen = town.frozen_town()
    found = downloads.feature_collection(town.town_document(), frozen.geometries)
    json.dumps(found, allow_nan=False)
    first, last = found["features"][0], found["features"][-1]
    assert first["properties"] == {
        "code": "d", "kind": "neighbourhood", "name_fa": "محلهٔ d", "name_en": "Place d", "uncovered_people": 400, "covered_share": 0.0,
        "population": 400, "mean_distance_m": 640, "area_km2": 1.032, "remarks": "",
    }  # fmt: skip
    assert last["properties"]["uncovered_people"] is None
    assert last["properties"]["remarks"] == "uncovered_people withheld; covered_share withheld; population<10"
    about = found["metadata"]
    assert [entry["column"] for entry in about["codebook"]] == [column.key for column in town.COLUMNS]
    assert all(entry[key] for entry in about["codebook"] for key in ("unit_en", "unit_fa", "meaning_en", "meaning_fa"))
    assert about["licence"] == "CC BY 4.0; ODbL; some sources state no licence"
    assert [source["source"] for source in about["sources"]] == ["Drawn by hand", "Census office", "Ministry of Health"]


def test_the_csv_opens_in_a_spreadsheet_and_runs_nothing_there() -> None:
    text = downloads.csv_text(town.town_document(HOSTILE, city_name_en="-2+3"))
    assert text.startswith(
        "\ufeffcode,kind,name_fa,name_en,uncovered_people,covered_share,population,mean_distance_m,area_km2,remarks,"
    )
    assert "\r\n" in text
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [row["code"] for row in rows] == ["d", "b", "s", "a", "c"]
    assert {row["name_en"] for row in rows} == {"'" + HOSTILE}
    assert rows[0]["uncovered_people"] == "400"
    assert (rows[4]["population"], rows[4]["remarks"][-13:]) == ("", "population<10")
    assert rows[0]["sources"] == "Drawn by hand; Census office; Ministry of Health"
    for row in rows:
        assert not any(cell.startswith(downloads.FORMULA_STARTS) for cell in row.values())
