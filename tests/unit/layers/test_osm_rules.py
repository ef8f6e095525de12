"""Rules by which OpenStreetMap data become layers: read from a file, with every mistake in it told."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from layers.reading.osm_rules import RulesError, default_rules, rules_of, rules_text

ROOT = Path(__file__).resolve().parents[3]
TAXONOMY = ROOT / "fixtures" / "taxonomy"
RULE = 'format = 1\n[[rules]]\ncode = "a"\ngeometry = "point"\nwhere = { amenity = ["clinic"] }\n'


def codes(key: str, file: str) -> set[str]:
    return {row["code"] for row in tomllib.loads((TAXONOMY / file).read_text(encoding="utf-8"))[key]}


def test_the_rules_that_come_with_the_program_are_sound_and_name_every_service() -> None:
    rules = default_rules().rules
    assert {rule.service for rule in rules if rule.service} == codes("services", "services.toml")
    assert {rule.theme for rule in rules} <= codes("themes", "themes.toml")
    assert all(rule.name_fa and rule.name_en and rule.theme for rule in rules)
    assert len({rule.code for rule in rules}) == len(rules)
    assert all(rule.purpose == "network" for rule in rules if rule.service in ("water", "sewer", "power", "gas"))
    assert all("ي" not in rule.name_fa and "ك" not in rule.name_fa for rule in rules)


@pytest.mark.parametrize(
    ("code", "tags", "is_taken"),
    [
        ("roads", {"highway": "residential"}, True),
        ("roads", {"highway": "footway"}, False),
        ("roads", {"highway": "pedestrian", "area": "yes"}, False),
        ("walking-network", {"highway": "steps"}, True),
        ("walking-network", {"highway": "service", "foot": "no"}, False),
        ("walking-network", {"highway": "motorway"}, False),
        ("clinic", {"healthcare": "clinic"}, True),
        ("clinic", {"amenity": "doctors;pharmacy"}, True),
        ("pharmacy", {"amenity": "doctors; pharmacy"}, True),
        ("clinic", {"amenity": "pharmacy"}, False),
        ("mosques", {"amenity": "place_of_worship", "religion": "muslim"}, True),
        ("mosques", {"amenity": "place_of_worship", "religion": "christian"}, False),
        ("mosques", {"amenity": "place_of_worship"}, False),
        ("primary-school", {"amenity": "school", "isced:level": "0;1"}, True),
        ("primary-school", {"amenity": "school"}, False),
        ("park", {"leisure": "park", "access": "private"}, False),
        ("water", {"man_made": "pipeline", "substance": "water"}, True),
        ("buildings", {"building": "yes"}, True),
        ("buildings", {"building": "no"}, False),
        ("buildings", {}, False),
    ],
)
def test_what_a_rule_takes(code: str, tags: dict[str, str], is_taken: bool) -> None:
    assert default_rules().of(code).takes(tags) is is_taken


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"width": "3.5"}, {"width_m": 3.5}), ({"width": "3,5 m"}, {"width_m": 3.5}), ({"width": "12'"}, {"width_m": 3.6576}),
        ({"width": "350 cm"}, {"width_m": 3.5}), ({"est_width": "4"}, {"width_m": 4.0}), ({"width": "wide"}, {"width_m": None}),
        ({"width": "3 parsecs"}, {"width_m": None}), ({"lanes": "2"}, {"lanes": 2}), ({"lanes": "1.5"}, {"lanes": None}),
        ({"oneway": "yes"}, {"oneway": True}), ({"oneway": "no"}, {"oneway": False}), ({"oneway": "-1"}, {"oneway": None}),
        ({"surface": "asphalt"}, {"surface": "asphalt"}), ({}, {"surface": None, "width_m": None, "lanes": None}),
    ],
)  # fmt: skip
def test_attributes_have_the_type_and_unit_that_the_rule_says(
    tags: dict[str, str], expected: dict[str, object]
) -> None:
    roads = {attribute.name: attribute for attribute in default_rules().of("roads").attributes}
    assert {name: roads[name].of(tags) for name in expected} == pytest.approx(expected)


def test_a_rule_of_ones_own_is_read_with_the_common_attributes() -> None:
    text = RULE + (
        'attributes = { beds = { tag = ["beds", "capacity"], type = "integer" }, name = "name:fa" }\n'
        '[[rules]]\nservice = "bakery"\ngeometry = "any"\nwhere = [{ shop = "*" }, { craft = ["baker"] }]\nnot = { shop = ["no"] }\n'
        '[attributes]\nname = "name"\n'
    )
    first, second = rules_of(text).rules
    assert {attribute.name: attribute.tags for attribute in first.attributes} == {
        "beds": ("beds", "capacity"), "name": ("name:fa",),
    }  # fmt: skip
    assert [attribute.tags for attribute in second.attributes] == [("name",)]
    assert (second.code, second.purpose, first.purpose) == ("bakery", "facilities", "general")
    assert second.takes({"shop": "bakery"})
    assert not second.takes({"shop": "no", "craft": "baker"})


MISTAKES: list[tuple[str, int | None, str]] = [
    (RULE.replace("format = 1", "format = 2"), None, "format = 1"),
    (RULE.replace('"point"', '"circle"'), 4, "geometry"),
    (RULE.replace('where = { amenity = ["clinic"] }', ""), 2, "which things are taken"),
    (RULE.replace('["clinic"]', "[]"), 5, "values of 'amenity'"),
    (RULE.replace('["clinic"]', "7"), 5, "values of 'amenity'"),
    (RULE.replace("amenity", '"a\\" OR 1=1 --"'), 5, "cannot be a tag"),
    (RULE.replace("amenity", '"x\\nattributes=y"'), 5, "cannot be a tag"),
    (RULE.replace("where", "were"), 2, "were"),
    (RULE + 'attributes = { "Drop Table" = "x" }', 6, "cannot be an attribute"),
    (RULE + 'attributes = { osm_id = "x" }', 6, "cannot be an attribute"),
    (RULE + 'attributes = { width = { tag = "width", type = "length" } }', 6, "type of 'width'"),
    (RULE + 'attributes = { width = { tag = "width", unit = "feet", type = "number" } }', 6, "unit of 'width'"),
    (RULE + RULE.partition("\n")[2], 7, "two rules 'a'"),
    (RULE.replace('code = "a"', 'code = "A b"'), 3, "not a code"),
    ("format = 1\nrules = 3\n", None, "no rules"),
    ("format = 1\n[[rules]\n", 2, "line 2"),
    ("format = 1\n", None, "no rules"),
    (RULE + "attributes = 3\n", 6, "'attributes' is 3"),
    (RULE.replace('"point"', "3"), 4, "not a text"),
    (RULE.replace('code = "a"\n', ""), 2, "'code' is missing"),
    (RULE.replace('code = "a"', 'code = ""'), 3, "'code' is empty"),
    (RULE + f'name_fa = "{"x" * 400}"\n', 6, "400 characters"),
    (RULE + 'purpose = "networks"\n', 6, "'purpose' is"),
    (RULE + "attributes = { a = { tag = 7 } }\n", 6, "the attribute 'a'"),
    ("format = 1\nrules = [1]\n", None, "is not a table"),
    (RULE.replace("amenity", "all_tags"), 5, "cannot be a tag"),
    (RULE.replace('{ amenity = ["clinic"] }', "[" + "{ a = 'b' }," * 101 + "]"), 5, "100 alternatives"),
    (RULE.replace("amenity", " = '*', ".join(f"t{i}" for i in range(301))), None, "300 different tags"),
    (f"a{'.a' * 20_000} = 1", 1, "100 points"),
]


@pytest.mark.parametrize(("text", "line", "words"), MISTAKES)
def test_every_mistake_is_told_with_its_line(text: str, line: int | None, words: str) -> None:
    with pytest.raises(RulesError) as caught:
        rules_of(text)
    assert any(words in problem.message for problem in caught.value.problems) or words in str(caught.value)
    if line is not None:
        assert line in [problem.row for problem in caught.value.problems]
    assert all(problem.remedy for problem in caught.value.problems)


def test_all_mistakes_are_told_together() -> None:
    text = RULE.replace('"point"', '"circle"').replace('["clinic"]', "[]") + 'colour = "red"\n'
    with pytest.raises(RulesError) as caught:
        rules_of(text)
    assert len(caught.value.problems) >= 3


def test_rules_that_are_far_too_long_are_refused() -> None:
    with pytest.raises(RulesError, match="1 MB"):
        rules_of("#" * 2_000_000)
    with pytest.raises(RulesError):
        rules_of("a = " + "[" * 100_000)


# Standard fields


def test_the_standard_fields_are_sound() -> None:
    data = tomllib.loads((TAXONOMY / "schemas.toml").read_text(encoding="utf-8"))
    assert data["format"] == 1
    keys = {"purpose", "theme", "name", "type", "unit", "title_fa", "title_en", "description", "also", "values"}
    purposes = {"general", "facilities", "network", "zones", "population", "elevation", "slope", "hazard"}
    seen = set()
    for field in data["fields"]:
        assert field.keys() <= keys
        assert field["type"] in ("text", "integer", "number", "boolean", "date", "datetime")
        assert field.get("purpose", "general") in purposes
        assert field.get("theme", "health") in codes("themes", "themes.toml")
        assert field["title_fa"]
        assert field["title_en"]
        assert field["description"].endswith(".")
        assert not set("يك") & set(field["title_fa"] + "".join(field["also"]))
        assert field["name"].isascii()
        assert field.get("unit", "") in ("", "m", "mm", "m2", "bar", "V", "%")
        assert not field["name"].endswith("_m") or field["unit"] == "m"
        key = (field.get("purpose"), field.get("theme"), field["name"])
        assert key not in seen
        seen.add(key)
    named = {purpose: {name for one, _, name in seen if one == purpose} for purpose in purposes}
    assert {"diameter_mm", "width_m", "surface", "state", "installed"} <= named["network"]
    assert {"capacity", "opening_hours", "condition", "serves"} <= named["facilities"]
    assert {"service", "state"} <= named["zones"]


def test_attributes_of_a_file_are_recognised_as_standard_fields() -> None:
    from layers.reading.schemas import suggested_fields

    found = suggested_fields(["OBJECTID", "نام", "ظرفيت", "ساعت كار", "متفرقه"], "facilities", "health")
    assert {name: field.name for name, field in found.items()} == {
        "OBJECTID": "code", "نام": "name_fa", "ظرفيت": "capacity", "ساعت كار": "opening_hours",
    }  # fmt: skip
    assert not suggested_fields(["diameter"], "facilities")
    # One standard field stands for one attribute of the file only.
    twice = suggested_fields(["width", "est_width"], "network", "transport")
    assert [field.name for field in twice.values()].count("width_m") == 1


def test_rules_are_written_so_that_they_are_read_as_they_were() -> None:
    rules = default_rules().rules
    assert rules_of(rules_text(rules)).rules == rules
    odd = rules_of(RULE.replace('"clinic"', r'"a \" b", "\u007f", "خ"').replace("amenity", '"isced:level"')).rules
    assert rules_of(rules_text(odd)).rules == odd
    apart = rules_of(RULE + "not = [{ a = 'x' }, { a = 'y' }]\n").rules
    assert rules_of(rules_text(apart)).rules == apart


def test_own_rules_stand_in_the_place_of_those_of_the_same_code() -> None:
    own = rules_of(RULE.replace('"a"', '"roads"') + RULE.partition("\n")[2])
    changed = default_rules().changed_by(own)
    assert changed.of("roads") == own.of("roads")
    assert changed.rules[0] == own.of("a")
    assert len(changed.rules) == len(default_rules().rules) + 1
