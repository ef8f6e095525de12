"""A table joined to places or features by code or name: nothing is matched by chance, and nothing disappears silently."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import shapely

from layers.reading import Joining, Partner, Places, Plan, ReadingOptions, Rows, reading
from layers.reading.whole import joined

#: Counties of an invented country, as a layer has them: with and without the word of their kind.
COUNTIES = (
    Partner("101", "شهرستان سردرود", shapely.box(48, 33, 49, 34)),
    Partner("102", "شهرستان علی\u200cآباد کتول", shapely.box(49, 33, 50, 34)),
    Partner("103", "پل\u200cسفید", shapely.box(50, 33, 51, 34), ("Pol-e Sefid County",)),
    Partner("104", "کوه\u200cبالا", shapely.box(51, 33, 52, 34)),
    Partner("105", "کوه بالا", shapely.box(52, 33, 53, 34)),
    Partner("106", "دشت نو", shapely.box(53, 33, 54, 34)),
)


def read(path: Path, text: str, **options: Any) -> tuple[Rows, Plan, Joining]:
    path.write_text(text, encoding="utf-8")
    asked = ReadingOptions(**{"code_field": "county", "join_layer": "counties", **options})
    with reading(path, asked, places=Places(COUNTIES, layer="counties", release=3)) as file:
        rows = joined(list(file.batches()))
        found = file.joining()
        assert found is not None
        return rows, file.plan(), found


def test_names_are_found_however_they_are_spelt(tmp_path: Path) -> None:
    table = "county,people\nسردرود,1\nشهرستان پلسفید,2\nعلي آباد كتول,3\n۱۰۶,4\npol e sefid,5\n"
    rows, plan, found = read(tmp_path / "people.csv", table)
    assert plan.is_loadable
    at = [0, 2, 1, 5, 2]
    assert list(rows.geometries_4326) == [COUNTIES[i].geometry for i in at]
    assert (found.rows, found.matched, found.used, found.repeated) == (5, 5, 4, 1)
    assert [(p.code, p.field) for p in plan.problems] == [("several_rows", "county")]
    assert "--sum-fields" in plan.problems[0].remedy
    assert found.by == {"like": 4, "code": 1}
    assert [name for _, name, _, _ in found.unused] == ["کوه\u200cبالا", "کوه بالا"]


def test_a_name_of_two_things_stands_for_neither(tmp_path: Path) -> None:
    _, plan, found = read(tmp_path / "people.csv", "county,people\nکوه بالا,1\n104,2\n")
    assert [(p.code, p.row, p.field) for p in plan.errors] == [("shared_name", 2, "county")]
    assert "2 things are called" in plan.errors[0].message
    assert [(one.name, one.several) for one in found.lonely] == [("کوه بالا", 2)]
    assert found.matched == 1, "The code says which is meant."


def test_both_sides_are_listed_with_what_is_lost(tmp_path: Path) -> None:
    table = (
        "county,age,people,share\nسردرود,0-4,10,0.5\nعلی آباد,0-4,20,0.25\nعلی آباد,5-9,30,\n,0-4,1,1\nناکجا,0-4,,\n"
    )
    _, plan, found = read(tmp_path / "people.csv", table)
    assert [(p.code, p.row) for p in plan.errors] == [("not_in_layer", n) for n in (3, 4, 5, 6)]
    assert "--leave-out" in plan.errors[0].remedy
    assert (found.rows, found.matched, found.unmatched) == (5, 1, 4)
    told = found.as_dict()
    assert json.loads(json.dumps(told)) == told
    assert (told["layer"], told["release"], told["features"], told["features_without"]) == ("counties", 3, 6, 5)
    assert told["rows_listed"] == [
        {"name": "علی آباد", "row": 3, "rows": 2, "several": 0,
         "close": [{"write": "شهرستان علی\u200cآباد کتول", "name": "شهرستان علی\u200cآباد کتول"}]},
        {"name": "", "row": 5, "rows": 1, "several": 0, "close": []},
        {"name": "ناکجا", "row": 6, "rows": 1, "several": 0, "close": []},
    ]  # fmt: skip
    assert told["features_listed"][0] == {"code": "102", "name": "شهرستان علی\u200cآباد کتول", "lon": 49.5, "lat": 33.5}
    assert told["totals"] == [
        {"field": "people", "all": 61, "matched": 10},
        {"field": "share", "all": 1.75, "matched": 0.5},
    ]
    assert any("sum of people: 10 of 61" in line for line in found.lines())


def test_rows_are_left_out_only_where_that_is_asked(tmp_path: Path) -> None:
    rows, plan, found = read(tmp_path / "people.csv", "county,people\nسردرود,10\nناکجا,20\n", leave_out=True)
    assert plan.is_loadable
    assert (len(rows), rows.columns["people"]) == (1, [10])
    assert plan.counts["repaired"] == {"row_left_out": 1}
    assert [(p.row, p.field) for p in plan.problems] == [(3, "county")]
    assert (found.is_left_out, found.unmatched, found.totals[0].all, found.totals[0].matched) == (True, 1, 30, 10)
    _, plan, _ = read(tmp_path / "people.csv", "county,people\nناکجا,20\n", leave_out=True)
    assert [p.code for p in plan.errors] == ["no_rows"]


def test_a_row_that_is_there_twice_is_told(tmp_path: Path) -> None:
    _, plan, _ = read(tmp_path / "people.csv", "county,n\nسردرود,1\nسردرود,2\nسردرود,1\n")
    assert plan.counts["warning"] == {"duplicate_row": 1, "several_rows": 1}


def test_a_column_may_be_added_up_and_not_kept(tmp_path: Path) -> None:
    table = "county,n,m\nسردرود,1,1\nسردرود,2,1\n"
    rows, plan, _ = read(tmp_path / "people.csv", table, sum_fields=["n", "m"], fields=["n"])
    assert plan.is_loadable
    assert dict(rows.columns) == {"n": [3]}


def test_names_that_differ_in_more_than_spelling_can_be_paired(tmp_path: Path) -> None:
    rows, plan, found = read(tmp_path / "people.csv", "county,n\nکتول,1\nکتول,2\n", pairs={"كتول": "102"})
    assert plan.is_loadable
    assert set(rows.geometries_4326) == {COUNTIES[1].geometry}
    assert found.by == {"code": 2}


def test_several_rows_of_one_thing_are_added_up_where_that_is_asked(tmp_path: Path) -> None:
    table = (
        "county,code,age,men,women\nسردرود,001,0-4,10,1.5\nپل سفید,003,0-4,1,2\nسردرود,001,5-9,20,\n"
        "شهرستان سردرود,001,10-14,,1\n"
    )
    rows, plan, found = read(tmp_path / "people.csv", table, sum_fields=["men", "Women"], name_field="county")
    assert plan.is_loadable
    assert plan.n_rows == 2
    assert rows.columns["men"] == [30, 1]
    assert rows.columns["women"] == [2.5, 2]
    assert rows.columns["code"] == ["001", "003"]
    assert rows.columns["age"] == [None, "0-4"]
    assert list(rows.numbers) == [2, 3]
    assert list(rows.geometries_4326) == [COUNTIES[0].geometry, COUNTIES[2].geometry]
    assert {p.field for p in plan.problems if p.code == "differing_values"} == {"age"}
    assert rows.names == ("سردرود", "پل سفید")
    assert (found.rows, found.matched, found.used, found.repeated) == (4, 4, 2, 1)
    assert [(total.field, total.all) for total in found.totals] == [("men", 31), ("women", 4.5)]


def test_rows_that_found_nothing_are_still_errors_where_rows_are_added_up(tmp_path: Path) -> None:
    _, plan, _ = read(tmp_path / "people.csv", "county,n\nسردرود,1\nناکجا,2\nسردرود,3\n", sum_fields=["n"])
    assert [(p.code, p.row) for p in plan.errors] == [("not_in_layer", 3)]
    rows, plan, _ = read(
        tmp_path / "people.csv", "county,n\nسردرود,1\nناکجا,2\nسردرود,3\n", sum_fields=["n"], leave_out=True
    )
    assert plan.is_loadable
    assert rows.columns["n"] == [4]


@pytest.mark.parametrize(
    ("options", "code", "field"),
    [
        ({"code_field": "province"}, "no_such_field", None),
        ({"sum_fields": ["nothing"]}, "no_such_field", None),
        ({"sum_fields": ["age"]}, "not_a_number", "age"),
    ],
)
def test_a_column_that_cannot_be_used_is_refused(
    tmp_path: Path, options: dict[str, Any], code: str, field: str | None
) -> None:
    path = tmp_path / "people.csv"
    path.write_text("county,age,n\nسردرود,0-4,1\n", encoding="utf-8")
    asked = ReadingOptions(**{"code_field": "county", **options})
    with reading(path, asked, places=Places(COUNTIES)) as file:
        file.read()
        (problem,) = file.plan().errors
    assert (problem.code, problem.field, bool(problem.remedy)) == (code, field, True)


def test_a_file_with_shapes_of_its_own_gives_only_its_values(tmp_path: Path) -> None:
    """So do those of a census, however broken its own areas are."""
    bowtie = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}
    features = [
        {"type": "Feature", "geometry": shape, "properties": {"kind": "x", "code": code, "people": people}}
        for shape, code, people in ((bowtie, 101, 5), (None, 106.0, 7))
    ]
    path = tmp_path / "census.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    options = ReadingOptions(code_field="code", fields=["people"], swap_xy=True, near=(48, 33, 54, 34))
    with reading(path, options, places=Places(COUNTIES)) as file:
        rows = joined(list(file.batches()))
        plan, found = file.plan(), file.joining()
    assert plan.is_loadable, plan.problems
    assert list(rows.geometries_4326) == [COUNTIES[0].geometry, COUNTIES[5].geometry]
    assert rows.fields == ("people",)
    assert found is not None
    assert [(total.field, total.all) for total in found.totals] == [("people", 12)]


def test_what_is_not_joined_has_nothing_to_tell(tmp_path: Path) -> None:
    path = tmp_path / "stops.csv"
    path.write_text("lon,lat\n48.3,33.4\n")
    with reading(path) as file:
        file.read()
        assert file.joining() is None


def test_lists_are_bounded_and_counts_are_not(tmp_path: Path) -> None:
    table = "county,n\n" + "".join(f"ناکجا{i},1\n" for i in range(700))
    _, plan, found = read(tmp_path / "people.csv", table)
    assert (found.unmatched, len(found.lonely)) == (700, 500)
    assert plan.counts["error"] == {"not_in_layer": 700}
