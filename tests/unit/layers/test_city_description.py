"""A city's description: complete, consistent, and every mistake in it told at once with its line."""

from __future__ import annotations

import datetime
import pickle
import re
import tomllib
from pathlib import Path

import pytest

from geo.core.grid import CITY_CELL_M
from geo.errors import InvalidInput
from layers.reading.city import CityDescriptionError, read_city
from layers.reading.city_parts import FileReference, StandardRule, TravelRule

ROOT = Path(__file__).resolve().parents[3]

GOOD = """\
format = 1
data = "files"

[[chain]]
kind = "country"
code = "ir"
name_fa = "ايران"
name_en = "Iran"

[[chain]]
kind = "province"
code = "lorestan"
name_fa = "لرستان"
name_en = "Lorestan"

[city]
code = "pol-e-dokhtar"
name_fa = "پل‌دختر"
name_en = "Pol-e Dokhtar"
illustrative = true

[[places]]
kind = "neighbourhood"
file = "areas.gpkg"
file_layer = "mahalleh"
source_epsg = 32639
name_fa = "نام"
name_en = "name_en"
code = "code"
zone = "zone"
source = "Municipality, 2024"
source_fa = "شهرداری، ۱۴۰۳"
certainty = "imagery"
valid_from = 2024-03-20

[[layers]]
code = "health-units"
theme = "health"
file = "units.csv"
x_field = "E"
y_field = "N"
encoding = "cp1256"
repair = true
name_fa = "واحدهای سلامت"
name_en = "Health units"
kind = "point"
name_field = "نام"
fields = ["نوع", "beds"]
source = "University of medical sciences"
source_fa = "دانشگاه علوم پزشكی"
licence = "CC BY 4.0"
reference_date = 2024-01-01
public = false

[[layers]]
code = "people"
theme = "population"
file = "people.tif"
band = 2
name_fa = "جمعیت"
name_en = "People"
source = "Census 1395"

[[supply]]
service = "clinic"
layer = "health-units"
where = { "نوع" = ["درمانگاه", "پایگاه"], beds = 4, open = true }

[population]
layer = "people"
source = "Census 1395"
source_fa = "سرشماری ۱۳۹۵"
reference_date = 2016-10-24

[analysis]
cell_m = 25

[weights]
clinic = 2
primary-school = 0.5

[standards]
clinic = 800
primary-school = { threshold_m = 500, source = "A guide", source_fa = "یک راهنما" }
"""


def describe(folder: Path, text: str, *, files: tuple[str, ...] = ("areas.gpkg", "units.csv", "people.tif")) -> Path:
    (folder / "files").mkdir(exist_ok=True)
    for name in files:
        (folder / "files" / name).touch()
    path = folder / "city.toml"
    path.write_text(text, encoding="utf-8")
    return path


def mistakes(folder: Path, text: str, **options: object) -> list[tuple[str, int | None, str]]:
    """Give code, line and message with remedy of every mistake."""
    with pytest.raises(CityDescriptionError) as caught:
        read_city(describe(folder, text), **options)  # type: ignore[arg-type]
    return [(p.code, p.row, f"{p.message} {p.remedy}") for p in caught.value.problems]


def changed(old: str, new: str) -> str:
    assert GOOD.count(old) >= 1
    return GOOD.replace(old, new, 1)


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def test_a_complete_description_is_read_into_typed_values(tmp_path: Path) -> None:
    city = read_city(describe(tmp_path, GOOD), services={"clinic", "primary-school"}, themes={"health", "population"})

    assert city.data == tmp_path / "files"
    assert [(place.kind, place.code, place.name_fa) for place in city.chain] == [
        ("country", "ir", "ایران"),
        ("province", "lorestan", "لرستان"),
    ]
    assert (city.city.kind, city.city.code, city.city.illustrative, city.city.outline) == (
        "city",
        "pol-e-dokhtar",
        True,
        None,
    )
    (places,) = city.places
    assert (places.kind, places.name_fa, places.code, places.parent, places.zone) == (
        "neighbourhood",
        "نام",
        "code",
        "",
        "zone",
    )
    assert places.outline.valid_from == datetime.date(2024, 3, 20)
    assert places.outline.certainty == "imagery"
    assert places.outline.file == FileReference(tmp_path / "files" / "areas.gpkg", layer="mahalleh", source_epsg=32639)
    units, people = city.layers
    assert units.fields == ("نوع", "beds")
    assert (units.kind, units.public, units.licence) == ("point", False, "CC BY 4.0")
    assert units.file.options() == {
        "layer": None, "source_epsg": None, "encoding": "cp1256", "repair": True, "x_field": "E", "y_field": "N",
        "band": None,
    }  # fmt: skip
    assert (people.kind, people.public, people.fields, people.reference_date, people.file.band) == (
        None,
        True,
        None,
        None,
        2,
    )
    (rule,) = city.supply
    assert rule.where == {"نوع": ["درمانگاه", "پایگاه"], "beds": 4, "open": True}
    assert city.population is not None
    assert (city.population.layer, city.population.field) == ("people", "")
    assert (city.cell_m, city.weights) == (25, {"clinic": 2, "primary-school": 0.5})
    assert city.standards == {
        "clinic": StandardRule(800), "primary-school": StandardRule(500, "A guide", "یک راهنما"),
    }  # fmt: skip


def test_sources_may_be_given_in_persian(tmp_path: Path) -> None:
    city = read_city(describe(tmp_path, GOOD))
    assert [layer.source_fa for layer in city.layers] == ["دانشگاه علوم پزشکی", ""]
    assert city.places[0].outline.source_fa == "شهرداری، ۱۴۰۳"
    assert city.population is not None
    assert city.population.source_fa == "سرشماری ۱۳۹۵"


def test_what_may_be_left_out_has_its_default(tmp_path: Path) -> None:
    start = GOOD[: GOOD.index("[[layers]]")].replace('data = "files"\n', "")
    city = read_city(describe(tmp_path, start), data=tmp_path / "files")
    assert (city.layers, city.supply, city.population, city.cell_m) == ((), (), None, CITY_CELL_M)
    assert (city.weights, city.standards) == ({}, {})
    with pytest.raises(CityDescriptionError):
        read_city(tmp_path / "city.toml")  # without the option the files are looked for beside the description


def test_an_outline_of_the_city_needs_its_source(tmp_path: Path) -> None:
    text = changed("illustrative = true", 'illustrative = true\nfile = "areas.gpkg"')
    found = mistakes(tmp_path, text)
    assert [code for code, _, _ in found] == ["missing_key"] * 3
    full = changed(
        "illustrative = true",
        'file = "areas.gpkg"\nsource = "x"\ncertainty = "surveyed"\nvalid_from = 2020-01-01',
    )
    outline = read_city(describe(tmp_path, full)).city.outline
    assert outline is not None
    assert outline.source == "x"


@pytest.mark.parametrize(
    ("old", "new", "code", "words"),
    [
        ("format = 1", "format = 2", "bad_format", "2"),
        ("format = 1", "", "bad_format", "missing"),
        ('data = "files"', 'data = "nowhere"', "not_found", "--data"),
        ('kind = "country"', 'kind = "contry"', "bad_value", "'country'"),
        ('code = "ir"', 'code = "IR_1"', "bad_value", "small Latin letters"),
        ('code = "ir"', "code = 98", "bad_value", "quotation marks"),
        ('code = "ir"\n', "", "missing_key", "'code' is missing"),
        ('name_fa = "پل‌دختر"', 'name_fa = "  "', "bad_value", "empty"),
        ("illustrative = true", 'illustrative = "yes"', "bad_value", "true or"),
        ('kind = "neighbourhood"', 'kind = "city"', "bad_value", "'neighbourhood'"),
        ('file = "areas.gpkg"', 'file = "areas.shp"', "not_found", "areas.shp"),
        ('file = "areas.gpkg"', 'file = "../secret.gpkg"', "bad_value", ".."),
        ('file = "areas.gpkg"', 'file = "/etc/passwd"', "bad_value", "/etc/passwd"),
        ('file = "areas.gpkg"', "file = 3", "bad_value", "3"),
        ("threshold_m = 500, ", "", "missing_key", "threshold_m"),
        ("threshold_m = 500", "threshold_m = 0", "bad_value", "metres"),
        ('source = "A guide"', "source = 5", "bad_value", "quotation marks"),
        ('source = "A guide"', 'sorce = "A guide"', "unknown_key", "Did you mean 'source'?"),
        ("source_epsg = 32639", 'source_epsg = "32639"', "bad_value", "whole number"),
        ("source_epsg = 32639", "source_epsg = true", "bad_value", "whole number"),
        ('certainty = "imagery"', 'certainty = "certain"', "bad_value", "'certain'"),
        ("valid_from = 2024-03-20", 'valid_from = "2024-03-20"', "bad_value", "without quotation marks"),
        ("valid_from = 2024-03-20", "valid_from = 2024-03-20T10:00:00", "bad_value", "not a date"),
        ("valid_from = 2024-03-20", "", "missing_key", "valid_from"),
        ('theme = "health"', 'theme = "healht"', "unknown_code", "'health'"),
        ('fields = ["نوع", "beds"]', 'fields = "beds"', "bad_value", "list"),
        ('kind = "point"', 'kind = "points"', "bad_value", "'point'"),
        ('name_field = "نام"', 'namefield = "نام"', "unknown_key", "'name_field'"),
        ('service = "clinic"', 'service = "clinik"', "unknown_code", "'clinic'"),
        ('layer = "health-units"\nwhere', 'layer = "health-unit"\nwhere', "unknown_code", "'health-units'"),
        ("beds = 4", "beds = { from = 4 }", "bad_value", "where"),
        ("[population]\nlayer = \"people\"", "[population]\nlayer = \"peoples\"", "unknown_code", "'people'"),
        ("cell_m = 25", "cell_m = 0", "bad_value", "from 1 to 1000 metres"),
        ("cell_m = 25", "cell_m = nan", "bad_value", "nan"),
        ("cell_m = 25", "cells = 25", "unknown_key", "'cell_m'"),
        ("clinic = 2\n", "clinic = -2\n", "bad_value", "-2"),
        ("clinic = 2\n", "klinik = 2\n", "unknown_code", "'clinic'"),
        ("clinic = 800", "clinic = inf", "bad_value", "metres"),
        ("[analysis]", "[analyses]", "unknown_key", "'analysis'"),
        ("[[supply]]", "[supply]", "bad_value", "[[supply]]"),
        ("[city]", "[[city]]", "bad_value", "[city]"),
    ],
)  # fmt: skip
def test_each_mistake_is_told_with_its_line_and_remedy(
    old: str, new: str, code: str, words: str, tmp_path: Path
) -> None:
    text = changed(old, new)
    found = mistakes(tmp_path, text, services={"clinic", "primary-school"}, themes={"health", "population"})
    assert len(found) == 1, found
    told, line, sentence = found[0]
    assert told == code
    assert words in sentence
    if new and code not in ("missing_key", "duplicate") and "[" not in old[:2]:
        assert line in (line_of(text, new), line_of(text, new.splitlines()[-1]))


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = GOOD.replace('code = "ir"', 'code = "I R"').replace("repair = true", "repair = 1").replace("800", "0")
    with pytest.raises(CityDescriptionError) as caught:
        read_city(describe(tmp_path, text))
    error = caught.value
    assert isinstance(error, InvalidInput)
    assert len(error.problems) == 3
    assert [problem.row for problem in error.problems] == [
        line_of(text, p) for p in ('code = "I R"', "repair = 1", "clinic = 0")
    ]
    assert "3 mistakes" in str(error)
    assert re.search(r"line 6: In \[\[chain\]\] 1 \(I R\): 'I R' is not a code\.", str(error))
    assert "In [[layers]] 1 (health-units)" in str(error)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (str(again), again.problems, again.code) == (str(error), error.problems, error.code)


def test_ancestors_go_from_the_outermost_inwards(tmp_path: Path) -> None:
    text = GOOD.replace('kind = "country"', 'kind = "county"')
    ((code, line, sentence),) = mistakes(tmp_path, text)
    assert (code, line) == ("bad_value", line_of(text, 'kind = "province"'))
    assert "outermost first" in sentence


def test_codes_of_layers_and_services_are_unique(tmp_path: Path) -> None:
    text = GOOD.replace('code = "people"', 'code = "health-units"').replace(
        'layer = "people"', 'layer = "health-units"'
    )
    text += '\n[[supply]]\nservice = "clinic"\nlayer = "health-units"\n'
    assert [(code, line) for code, line, _ in mistakes(tmp_path, text)] == [
        ("duplicate", line_of(text, '[[layers]]\ncode = "health-units"\ntheme = "population"')),
        ("duplicate", text[: text.rindex("[[supply]]")].count("\n") + 1),
    ]


def test_weights_must_not_all_be_zero(tmp_path: Path) -> None:
    text = GOOD.replace("clinic = 2\n", "clinic = 0\n").replace("primary-school = 0.5", "primary-school = 0")
    assert "every weight is zero" in mistakes(tmp_path, text)[0][2]


def test_a_city_needs_places_and_itself(tmp_path: Path) -> None:
    found = mistakes(tmp_path, 'format = 1\ndata = "files"\n')
    assert {words.split(".")[0] for _, _, words in found} == {
        "In the beginning: there are no [[places]]",
        "The table [city] is missing",
    }


@pytest.mark.parametrize(
    ("data", "code"),
    [(b'format = \n"', "bad_toml"), (b"\xff\xfe\x00", "wrong_encoding"), (b"#" * 2_000_000, "file_too_large"),
     ("name = 'خرم'".encode("cp1256"), "wrong_encoding")],
)  # fmt: skip
def test_what_is_no_description_is_refused(data: bytes, code: str, tmp_path: Path) -> None:
    path = tmp_path / "city.toml"
    path.write_bytes(data)
    with pytest.raises(CityDescriptionError) as caught:
        read_city(path)
    assert [p.code for p in caught.value.problems] == [code]
    with pytest.raises(CityDescriptionError, match="cannot be opened"):
        read_city(tmp_path / "absent.toml")
    with pytest.raises(CityDescriptionError, match="cannot be opened"):
        read_city(tmp_path)


def test_the_documented_example_is_a_description(tmp_path: Path) -> None:
    document = (ROOT / "docs" / "city-description.md").read_text(encoding="utf-8")
    (example,) = [block for block in re.findall(r"```toml\n(.*?)```", document, re.DOTALL) if "format = 1" in block]
    named = re.findall(r'^file = "(.*?)"', example, re.MULTILINE)
    assert len(named) >= 4
    city = read_city(describe(tmp_path, example, files=tuple(named)), data=tmp_path / "files")
    assert city.population is not None
    assert city.supply


def test_every_key_that_is_read_is_documented() -> None:
    document = (ROOT / "docs" / "city-description.md").read_text(encoding="utf-8")
    source = "".join((ROOT / "layers" / "reading" / name).read_text() for name in ("city.py", "toml_section.py"))
    keys = set(
        re.findall(r'section\.(?:text|slug|choice|date|flag|number|whole|texts|relative_path|raw)\(\s*"(\w+)"', source)
    )
    assert {"file_layer", "name_field", "where", "cell_m"} <= keys
    assert {key for key in keys if f"`{key}`" not in document} == set()


@pytest.mark.parametrize("path", sorted((ROOT / "fixtures" / "cities").glob("*.toml")), ids=lambda path: path.stem)
def test_the_shipped_descriptions_are_right_but_for_files_that_users_lack(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for name in re.findall(r'^file = "(.*?)"', path.read_text(encoding="utf-8"), re.MULTILINE):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    services = {
        row["code"] for row in tomllib.loads((ROOT / "fixtures/taxonomy/services.toml").read_text())["services"]
    }
    city = read_city(path, data=folder, services=services)
    assert city.city.code == path.stem


SEVERAL = """
[[population]]
layer = "people"
source = "Census"

[[population]]
code = "estimate"
layer = "health-units"
field = "people"
name_en = "Estimate"
groups = { women = "pop_f" }

[travel]
way = "walking"
roads = "health-units"
road_fields = { class = "type", oneway = "one_way" }
closed_classes = ["motorway"]
cut_at_crossings = true
snap_m = 0.5
elevation = "people"
land_cover = "people"
land_cover_kmh = { 1 = 5, 4 = 0, other = 2.5 }

[travel.cycling_kmh]
passage = 4
"""


def with_several() -> str:
    start = GOOD.index("[population]")
    end = GOOD.index("\n[", start)
    return GOOD[:start] + GOOD[end:] + SEVERAL


def test_several_sources_of_people_and_data_for_travel_are_read(tmp_path: Path) -> None:
    city = read_city(describe(tmp_path, with_several()))
    first, second = city.populations
    assert city.population is first
    assert (first.code, first.layer, first.groups) == ("people", "people", {})
    assert (second.code, second.layer, second.name_en, second.groups) == (
        "estimate", "health-units", "Estimate", {"women": "pop_f"},
    )  # fmt: skip
    assert city.travel == TravelRule(
        way="walking", roads="health-units", road_fields={"class": "type", "oneway": "one_way"},
        closed_classes=("motorway",), cycling_kmh={"passage": 4.0}, is_cut_at_crossings=True, snap_m=0.5,
        elevation="people", land_cover="people", land_cover_kmh={"1": 5.0, "4": 0.0, "other": 2.5},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('way = "walking"', 'way = "flying"', "'way' is 'flying'"),
        ('roads = "health-units"', 'roads = "streets"', "there is no layer of this city 'streets'"),
        ('class = "type"', 'klass = "type"', "the key 'klass' is not known"),
        ("snap_m = 0.5", "snap_m = 500", "'snap_m' is 500"),
        ("4 = 0,", "water = 0,", "'water' is no class of land cover"),
        ('land_cover = "people"', "", "land cover and its speeds belong together"),
        ("passage = 4", "passage = -4", "'passage' is -4"),
        ('women = "pop_f"', "women = 3", "'groups' is"),
        ('code = "estimate"', 'code = "people"', "there are two 'people'"),
    ],
)
def test_a_slip_in_data_for_travel_is_told(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = with_several()
    assert old in text
    (mistake,) = mistakes(tmp_path, text.replace(old, new, 1))
    assert said in mistake[2]
