"""Text in any encoding, declared, undeclared or wrongly declared, comes out right or is told with its row."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.reading import Plan, Problem, read_table, read_vector, summary
from layers.reading.plan import RefusedError
from layers.reading.text import codec_of, guess_encoding, unspoilt

Write = Callable[..., Path]

POINTS = [shapely.Point(48.35 + i / 100, 33.48) for i in range(3)]
# Persian that the Windows code page 1256 can write: it has Arabic yeh only.
TYPED = ["خرم\u200cآباد", "پل دختر", "گل سفيد"]
STORED = ("خرم\u200cآباد", "پل دختر", "گل سفید")
BRAZILIAN = ["São Vicente", "Jóquei Clube", "Praça da Sé"]


def only(plan: Plan, code: str, severity: str = "error") -> Problem:
    assert [(p.severity, p.code) for p in plan.problems] == [(severity, code)], summary(plan)
    return plan.problems[0]


def undeclare(path: Path) -> Path:
    path.with_suffix(".cpg").unlink()
    return path


# Shapefiles


@pytest.mark.parametrize("encoding", ["UTF-8", "CP1256"])
def test_a_declared_encoding_is_followed(encoding: str, write_layer: Write) -> None:
    path = write_layer("stops.shp", POINTS, encoding=encoding, نام=TYPED)
    plan = read_vector(path, name_field="نام")
    assert plan.problems == ()
    assert plan.rows.names == STORED
    assert plan.encoding == encoding.lower()


@pytest.mark.parametrize(("encoding", "names"), [("CP1256", TYPED), ("CP1252", BRAZILIAN)])
def test_an_undeclared_encoding_is_guessed_and_the_guess_is_told(
    encoding: str, names: list[str], write_layer: Write
) -> None:
    path = undeclare(write_layer("stops.shp", POINTS, encoding=encoding, label=names))
    plan = read_vector(path, name_field="label")
    problem = only(plan, "undeclared_encoding", "warning")
    assert encoding.lower() in problem.message
    assert "--encoding" in problem.remedy
    assert plan.rows.names == (STORED if names is TYPED else tuple(BRAZILIAN))
    assert read_vector(path, name_field="label", encoding=encoding).problems == ()


def test_undeclared_utf_8_is_recognised(write_layer: Write) -> None:
    plan = read_vector(undeclare(write_layer("stops.shp", POINTS, نام=TYPED)), name_field="نام")
    assert plan.encoding == "utf-8"
    assert plan.rows.names == STORED


def test_text_wrongly_declared_as_utf_8_names_row_field_and_encoding(write_layer: Write) -> None:
    path = write_layer("stops.shp", POINTS, encoding="CP1256", label=["a", *TYPED[1:]])
    path.with_suffix(".cpg").write_text("UTF-8")
    plan = read_vector(path)
    assert [(p.code, p.row, p.field) for p in plan.errors] == [
        ("wrong_encoding", 2, "label"),
        ("wrong_encoding", 3, "label"),
    ]
    assert "پل دختر" in plan.errors[0].message
    assert "--encoding cp1256" in plan.errors[0].remedy
    assert read_vector(path, encoding="cp1256", name_field="label").rows.names == ("a", *STORED[1:])


@pytest.mark.parametrize("wrong", ["ISO-8859-1", "CP1252"])
def test_utf_8_wrongly_declared_as_western_is_recognised(wrong: str, write_layer: Write) -> None:
    path = write_layer("stops.shp", POINTS, label=TYPED)
    path.with_suffix(".cpg").write_text(wrong)
    plan = read_vector(path)
    assert [(p.code, p.row, p.field) for p in plan.errors] == [("wrong_encoding", row, "label") for row in (1, 2, 3)]
    assert "خرم" in plan.errors[0].message
    assert read_vector(path, encoding="utf-8", name_field="label").rows.names == STORED
    assert read_vector(path, repair=True, name_field="label").rows.names == STORED


def test_text_cut_through_a_letter_is_told_and_kept_readable(write_layer: Write) -> None:
    path = write_layer("stops.shp", POINTS, label=["شهرک", "b", "c"])
    dbf = path.with_suffix(".dbf")
    # As a program does that cuts at a number of bytes: half of the last letter is left.
    dbf.write_bytes(dbf.read_bytes().replace("شهرک".encode(), "شهرک".encode()[:-1] + b" "))
    plan = read_vector(path, name_field="label")
    problem = only(plan, "text_cut", "warning")
    assert (problem.row, problem.field) == (1, "label")
    assert plan.rows.names == ("شهر", "b", "c")


def test_an_unknown_encoding_is_named(write_layer: Write) -> None:
    path = write_layer("stops.shp", POINTS, label=TYPED)
    assert "klingon" in only(read_vector(path, encoding="klingon"), "unknown_encoding").message
    path.with_suffix(".cpg").write_text("klingon")
    assert "klingon" in only(read_vector(path), "unknown_encoding").message
    assert read_vector(path, encoding="utf-8").is_loadable


# GeoJSON and databases


def test_geojson_must_be_utf_8_unless_told_otherwise(write_geojson: Write) -> None:
    path = write_geojson(POINTS, [{"name": name} for name in ("a", *TYPED[1:])])
    path.write_bytes(path.read_text(encoding="utf-8").encode("cp1256"))
    problem = only(read_vector(path), "wrong_encoding")
    assert problem.row == 2
    assert "پل دختر" in problem.message
    assert "--encoding cp1256" in problem.remedy
    plan = read_vector(path, encoding="cp1256", name_field="name")
    assert plan.problems == ()
    assert plan.rows.names == ("a", *STORED[1:])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_geojson_with_a_byte_order_mark_is_read(encoding: str, write_geojson: Write) -> None:
    path = write_geojson(POINTS, [{"name": name} for name in TYPED])
    mark = "\ufeff" if encoding == "utf-16-le" else ""
    path.write_bytes((mark + path.read_text(encoding="utf-8")).encode(encoding))
    plan = read_vector(path, name_field="name")
    assert plan.problems == ()
    assert plan.rows.names == STORED


def test_the_row_is_right_in_a_large_file_too(write_geojson: Write) -> None:
    points = [shapely.Point(48.3, 33.4)] * 30_000
    path = write_geojson(points, [{"name": f"a{i}"} for i in range(30_000)])
    data = path.read_bytes().replace(b'"a27000"', '"نام"'.encode("cp1256"))
    assert len(data) > 3 << 20
    path.write_bytes(data)
    assert only(read_vector(path), "wrong_encoding").row == 27_001


def test_a_geopackage_with_bytes_that_are_no_text_names_the_row(write_layer: Write) -> None:
    path = write_layer("stops.gpkg", POINTS, label=["a", "b", "c"])
    with sqlite3.connect(path) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        connection.execute("UPDATE stops SET label = CAST(? AS TEXT) WHERE fid = 2", ("خرم".encode("cp1256"),))
    connection.close()
    problem = only(read_vector(path), "wrong_encoding")
    assert (problem.row, problem.field) == (2, "label")


def test_text_spoilt_before_it_was_written_is_recognised_and_can_be_mended(write_geojson: Write) -> None:
    spoilt = [
        "Ø®Ø±Ù…",
        "گل".encode().decode("latin-1"),
        "ÎÑã ÂÈÇÏ",
    ]
    path = write_geojson(POINTS, [{"name": name} for name in spoilt])
    plan = read_vector(path, name_field="name")
    assert [(p.code, p.row, p.field) for p in plan.errors] == [("wrong_encoding", row, "name") for row in (1, 2, 3)]
    mended = read_vector(path, name_field="name", repair=True)
    assert mended.rows.names == ("خرم", "گل", "خرم آباد")
    assert mended.n_repaired == 3


def test_lost_letters_are_told_once_for_a_field(write_geojson: Write) -> None:
    plan = read_vector(write_geojson(POINTS, [{"name": name} for name in ("???? ??", "a\ufffdb", "really?")]))
    problem = only(plan, "lost_letters", "warning")
    assert "2 texts" in problem.message
    assert (problem.row, problem.field) == (1, "name")


def test_control_characters_and_half_surrogates_do_not_reach_the_database(tmp_path: Path) -> None:
    path = tmp_path / "layer.geojson"
    path.write_text(
        '{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Point","coordinates":[48.3,33.4]},'
        '"properties":{"name":"a\\u0000b\\u0007c\\ud800d"}}]}'
    )
    plan = read_vector(path, name_field="name")
    if plan.is_loadable:
        (name,) = plan.rows.names
        assert name.encode("utf-8")
        assert not any(ord(character) < 32 for character in name)


def test_a_text_that_is_too_long_is_refused(write_geojson: Write) -> None:
    plan = read_vector(write_geojson(POINTS[:1], [{"note": "x" * 100_001}]))
    problem = only(plan, "text_too_long")
    assert (problem.row, problem.field) == (1, "note")


def test_duplicate_fields_are_refused(write_layer: Write, write_geojson: Write, tmp_path: Path) -> None:
    path = write_layer("stops.shp", POINTS, name=["a", "b", "c"], nams=["a", "b", "c"])
    dbf = path.with_suffix(".dbf")
    dbf.write_bytes(dbf.read_bytes().replace(b"nams", b"name"))
    assert only(read_vector(path), "duplicate_fields").field == "name"
    # Two spellings of one name are one name once cleaned.
    assert only(read_vector(write_geojson(POINTS[:1], [{"كد": 1, "کد": 2}])), "duplicate_fields").field == "کد"
    table = tmp_path / "t.csv"
    table.write_text("lon,lat,n,n\n48.3,33.4,1,2\n")
    assert only(read_table(table), "duplicate_fields").field == "n"


# The parts


@pytest.mark.parametrize(
    ("name", "codec"),
    [("UTF8", "utf-8"), ("windows-1256", "cp1256"), ("ANSI 1256", "cp1256"), ("1256", "cp1256"), ("65001", "utf-8"),
     ("88596", "iso8859-6"), ("OEM 720", "cp720"), (" cp1252\n", "cp1252")],
)  # fmt: skip
def test_names_of_encodings_as_they_stand_in_files(name: str, codec: str) -> None:
    assert codec_of(name) == codec


@pytest.mark.parametrize("name", ["", "klingon", "base64", "rot13", "99999", "x" * 1000])
def test_what_is_no_text_encoding_is_refused(name: str) -> None:
    with pytest.raises(RefusedError):
        codec_of(name)


@pytest.mark.parametrize("text", [*BRAZILIAN, "Łódź", "Öğretmen", "naïve", "Ñuñoa", "25 °C", "Côte d’Ivoire", "—“”"])
def test_western_names_are_not_taken_for_spoilt(text: str) -> None:
    assert unspoilt(text) is None


PERSIAN = st.text(st.sampled_from("ابپتثجچحخدذرزژسشصضطظعغفقكگلمنوهيآئ\u200c "), min_size=4).filter(
    lambda text: any(len(word) >= 3 for word in text.replace("\u200c", " ").split())
)


@settings(derandomize=True, deadline=None)
@given(PERSIAN)
def test_persian_spoilt_in_any_common_way_is_restored(text: str) -> None:
    assert unspoilt(text) is None
    assert unspoilt(text.encode("utf-8").decode("latin-1")) == text
    assert unspoilt(text.encode("utf-8").decode("cp1256", errors="strict")) == text
    # A few letters alone can be both; a file has more of them.
    assert guess_encoding(f"{text} خرم آباد".encode("cp1256")) == "cp1256"
    assert guess_encoding(text.encode("utf-8")) == "utf-8"
