"""Tables as people and spreadsheets write them."""

from __future__ import annotations

from pathlib import Path

import pytest
import shapely

from layers.reading import Plan, Problem, read_table, summary
from layers.reading.table import number


def table(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "stops.csv"
    path.write_bytes(text.encode(encoding))
    return path


def only(plan: Plan, code: str, severity: str = "error") -> Problem:
    assert [(p.severity, p.code) for p in plan.problems] == [(severity, code)], summary(plan)
    return plan.problems[0]


def first_point(plan: Plan) -> tuple[float, float]:
    assert plan.is_loadable, summary(plan)
    point = plan.rows.geometries_4326[0]
    return point.x, point.y


@pytest.mark.parametrize(
    "header",
    ["lon,lat", "LON,Lat", "longitude,latitude", "Long,Lat", "lng,lat", "طول,عرض", "طول جغرافيايي,عرض جغرافیایی",
     "lat,x_lon,lon", " lon , lat "],
)  # fmt: skip
def test_columns_that_say_they_are_degrees_are_found(header: str, tmp_path: Path) -> None:
    row = "33.48,9,48.35" if header.startswith("lat") else "48.35,33.48"
    assert first_point(read_table(table(tmp_path, f"{header}\n{row}\n"))) == (48.35, 33.48)


@pytest.mark.parametrize("header", ["x,y", "X_coord,Y_coord", "easting,northing", "POINT_X,POINT_Y"])
def test_columns_that_do_not_say_so_need_a_system(header: str, tmp_path: Path) -> None:
    path = table(tmp_path, f"{header}\n253620.6,3707914.7\n")
    assert "--source-epsg" in only(read_table(path), "no_crs").remedy
    x, y = first_point(read_table(path, source_epsg=32639))
    assert (x, y) == pytest.approx((48.35, 33.48), abs=0.01)


def test_columns_can_be_named(tmp_path: Path) -> None:
    path = table(tmp_path, "a,b,lon,lat\n48.35,33.48,1,2\n")
    assert first_point(read_table(path, x_field="a", y_field="b", source_epsg=4326)) == (48.35, 33.48)
    assert only(read_table(path, x_field="a", y_field="z"), "no_such_field").row == 1
    assert only(read_table(path, x_field="a"), "no_such_field").row == 1


def test_a_table_without_coordinates_lists_its_columns(tmp_path: Path) -> None:
    problem = only(read_table(table(tmp_path, "province,people\nlorestan,1760649\n")), "no_coordinates")
    assert "'province', 'people'" in problem.message
    assert "--x-field" in problem.remedy


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("name,lon,lat\nپل دختر,48.35,33.48\n", "utf-8"),
        ("name,lon,lat\nپل دختر,48.35,33.48\n", "utf-8-sig"),
        ("name;lon;lat\r\nپل دختر;48,35;33,48\r\n", "utf-8"),
        ("name\tlon\tlat\rپل دختر\t48.35\t33.48\r", "utf-8"),
        ("name|lon|lat\nپل دختر|48.35|33.48", "utf-8"),
        ("sep=;\nname;lon;lat\nپل دختر;48.35;33.48\n", "utf-8"),
        ("name,lon,lat\nپل دختر,۴۸٫۳۵,۳۳٫۴۸\n", "utf-8"),
        ('name,lon,lat\n"پل دختر","٤٨.٣٥","33,48"\n', "utf-8"),
        ("name,lon,lat\n\n,,\nپل دختر,48.35 , 33.48\n\n", "utf-8"),
        ("name\tlon\tlat\nپل دختر\t48.35\t33.48\n", "utf-16"),
    ],
)
def test_every_way_of_writing_it_gives_the_same_row(text: str, encoding: str, tmp_path: Path) -> None:
    plan = read_table(table(tmp_path, text, encoding), name_field="name")
    assert first_point(plan) == (48.35, 33.48)
    assert plan.problems == ()
    assert plan.rows.names == ("پل دختر",)


def test_a_windows_table_is_guessed_and_the_guess_told(tmp_path: Path) -> None:
    path = table(tmp_path, "name,lon,lat\nپل دختر,48.35,33.48\n", "cp1256")
    plan = read_table(path, name_field="name")
    only(plan, "undeclared_encoding", "warning")
    assert plan.encoding == "cp1256"
    assert plan.rows.names == ("پل دختر",)
    assert read_table(path, encoding="cp1256").problems == ()
    assert only(read_table(path, encoding="utf-8"), "wrong_encoding").row == 2


def test_rows_are_numbered_as_a_spreadsheet_shows_them(tmp_path: Path) -> None:
    text = 'name,lon,lat\n"two\nlines",48.3,33.4\n\na,x,33.4\n'
    assert only(read_table(table(tmp_path, text)), "bad_coordinate").row == 4
    assert only(read_table(table(tmp_path, "sep=,\n" + text)), "bad_coordinate").row == 5


def test_columns_of_numbers_become_numbers_and_codes_stay_text(tmp_path: Path) -> None:
    text = "lon,lat,people,share,code,phone,id,mixed,gap,fa\n48.3,33.4,10,0.5,007,+98,12345678901234567890,1,,۱۲\n48.4,33.5,20,NA,12,+99,2,a,,۳\n"
    plan = read_table(table(tmp_path, text))
    assert plan.is_loadable, summary(plan)
    assert {name: plan.rows.columns[name] for name in plan.rows.fields[2:]} == {
        "people": [10, 20], "share": [0.5, None], "code": ["007", "12"], "phone": [98, 99],
        "id": ["12345678901234567890", "2"], "mixed": ["1", "a"], "gap": [None, None], "fa": [12, 3],
    }  # fmt: skip


def test_decimal_commas_are_numbers_where_semicolons_separate(tmp_path: Path) -> None:
    plan = read_table(table(tmp_path, "lon;lat;share\n48,3;33,4;0,25\n"))
    assert plan.rows.columns["share"] == [0.25]


def test_degrees_and_minutes_are_refused_with_an_example(tmp_path: Path) -> None:
    problem = only(read_table(table(tmp_path, "lon,lat\n48°21'E,33.48\n48.3,33.4\n")), "bad_coordinate")
    assert (problem.row, problem.field) == (2, "lon")
    assert "48°21'E" in problem.message
    assert "48.36" in problem.remedy


def test_ragged_rows_open_quotes_and_zero_bytes_are_located(tmp_path: Path) -> None:
    assert only(read_table(table(tmp_path, "n,lon,lat\na,b,48.3,33.4\nc,48.3,33.4\n")), "ragged_row").row == 2
    assert only(read_table(table(tmp_path, 'n,lon,lat\na,48.3,33.4\n"b,48.3,33.4\n')), "broken_file").row == 3
    late = "n,lon,lat\n" + "a,48.3,33.4\n" * 500 + "b\x00,48.3,33.4\n"
    assert only(read_table(table(tmp_path, late)), "broken_file").row == 502


def test_a_table_without_header_is_recognised(tmp_path: Path) -> None:
    assert only(read_table(table(tmp_path, "48.3,33.4\n48.4,33.5\n")), "no_header").row == 1


def test_an_index_column_without_a_name_gets_one(tmp_path: Path) -> None:
    plan = read_table(table(tmp_path, ",lon,lat\n0,48.3,33.4\n"))
    assert plan.rows.fields == ("column_1", "lon", "lat")


def test_geometry_as_text_is_read_and_not_kept_twice(tmp_path: Path) -> None:
    ring = ", ".join(f"48.{i:05d} 33.{i * i % 977:05d}" for i in range(20_000))
    text = f'id,geometry\n1,"POINT (48.3 33.4)"\n2,"MULTIPOINT ({ring})"\n'
    plan = read_table(table(tmp_path, text), source_epsg=4326)
    assert plan.is_loadable, summary(plan)
    assert plan.rows.fields == ("id",)
    assert shapely.get_num_coordinates(plan.rows.geometries_4326).tolist() == [1, 20_000]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("48.36", 48.36),
        ("-46,39", -46.39),
        ("۴۸", 48),
        ("1e2", 100),
        ("٣٣٫٤٨", 33.48),
        (" +5 ", 5),
        ("−7", -7),
        (".5", 0.5),
    ],
)
def test_numbers_as_people_write_them(text: str, value: float) -> None:
    assert number(text) == value


@pytest.mark.parametrize("text", ["", "-", "48.3.6", "1,234,567", "12N", "nan", "inf", "0x10", "1_000", "٫", "e5"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert str(number(text)) == "nan"
