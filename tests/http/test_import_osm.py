"""OpenStreetMap files brought by the pages and the interface: what they offer, and rules that a planner reads and changes."""

from __future__ import annotations

import html
import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import shapely
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client

from geo.db.shapes import to_geos
from geo.models import Boundary
from geo.services import PlaceSpec, place_put
from layers.models import Feature, Layer, Upload
from layers.reading.osm_rules import RulesError, default_rules, rules_of, rules_text
from maps.problems.telling import sentences_of
from tests.db.bringing import worked
from tests.http.bringing import brought, form_of, page_of
from tests.unit.layers.test_osm_files import way, write
from tests.unit.layers.test_osm_rules import MISTAKES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_files_left")]

API = "/api/v1/cities/khorramabad/uploads"
RULE = 'format = 1\n[[rules]]\ncode = "a"\ngeometry = "point"\nwhere = { amenity = ["clinic"] }\n'


@pytest.fixture
def town(tmp_path: Path) -> bytes:
    """Two streets, a path, a clinic, a doctor's surgery and a pharmacy."""
    return write(
        tmp_path / "town.osm",
        way(1, [1, 2], highway="residential", name="خیابان ۱"),
        way(2, [2, 3], highway="primary", name="خیابان ۲", width="12"),
        way(3, [3, 4], highway="footway"),
        way(4, [5, 6, 7, 8, 5], amenity="clinic", name="درمانگاه"),
        node_tags={1: {"amenity": "doctors", "name": "مطب"}, 9: {"amenity": "pharmacy", "name": "داروخانه"}},
    ).read_bytes()


def sent(client: Client, upload: Upload, **said: str) -> Upload:
    answer = client.post(f"/imports/{upload.pk}/", whole_form(client, upload) | {"do": "examine"} | said)
    assert answer.status_code == 302, answer.content.decode()[:3000]
    examined = worked(upload)
    assert examined.state == "examined", examined.problem
    return examined


def whole_form(client: Client, upload: Upload) -> dict[str, str]:
    page = page_of(client, upload)
    said = form_of(page)
    text = re.search(r'<textarea id="rules"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    return said | ({"rules": html.unescape(text[1])} if text else {})


def offered(upload: Upload) -> dict[str, int]:
    return {one["code"]: one["rows"] for one in upload.report["offers"] if one["rows"]}


def test_a_file_says_what_it_offers_and_a_changed_rule_takes_other_rows(analyst: Client, town: bytes) -> None:
    upload = brought(analyst, town, "town.osm")
    assert offered(upload) == {
        "roads": 2, "walking-network": 3, "streets-and-paths": 3, "clinic": 2, "pharmacy": 1,
    }  # fmt: skip
    page = page_of(analyst, upload)
    assert re.search(r'value="roads">.*?<span class="count">2 rows', page, re.DOTALL)
    assert "more rules find nothing here" in page
    assert 'id="rules"' not in page, "no layer is chosen yet"

    upload = sent(analyst, upload, **{"file-layer": "clinic"})
    assert upload.report["n_rows"] == 2
    page = page_of(analyst, upload)
    assert "It takes what has \u2066amenity = clinic | doctors\u2069 or \u2066healthcare" in page
    assert "It keeps the fields" in page
    assert 'name="crs"' not in page, "there is one, and it is known"
    assert 'value="Clinics"' in page, "a new layer is described by its rule"
    assert 'value="OpenStreetMap contributors"' in page
    rule = whole_form(analyst, upload)["rules"]
    assert rules_of(rule).rules == (default_rules().of("clinic"),)

    # The same rule is not one of one's own; a changed one is, and takes other rows.
    upload = sent(analyst, upload)
    assert "rules" not in upload.options
    changed = rule.replace('["clinic", "doctors"]', '["clinic", "doctors", "pharmacy"]')
    upload = sent(analyst, upload, rules=changed.replace("\n", "\r\n"))
    assert upload.report["n_rows"] == 3
    assert offered(upload)["clinic"] == 3
    assert offered(upload)["roads"] == 2
    assert "rule of your own" in page_of(analyst, upload)
    new = {"which": "new", "code": "osm-clinics", "reference_date": "2025-09-23", "key": "osm_id", "do": "examine"}
    upload = sent(analyst, upload, **new)
    answer = analyst.post(f"/imports/{upload.pk}/", whole_form(analyst, upload) | {"do": "store"})
    assert answer.status_code == 302
    upload = worked(upload)
    assert upload.state == "stored", upload.problem
    layer = Layer.objects.get(city__code="khorramabad", code="osm-clinics")
    assert (layer.name_fa, layer.purpose, layer.licence, layer.key_field) == (
        default_rules().of("clinic").name_fa, "facilities", "ODbL 1.0", "osm_id",
    )  # fmt: skip
    release = layer.releases.get()
    assert rules_of(release.how["rules"]).rules == rules_of(changed).rules
    assert release.how["layer"] == "clinic"

    # The next file of the layer is read by the same rule, without a word.
    again = brought(analyst, town, "town.osm", which="existing", layer="osm-clinics")
    assert again.options["layer"] == "clinic"
    assert again.report["n_rows"] == 3
    assert again.report["difference"]["added"]["count"] == 0
    assert rules_of(whole_form(analyst, again)["rules"]).rules == rules_of(changed).rules
    # And back: empty means the usual one.
    assert sent(analyst, again, rules=" ").report["n_rows"] == 2


def test_the_program_s_own_rule_is_kept_and_remembered_too(analyst: Client, town: bytes) -> None:
    new = {
        "which": "new", "name_fa": "معابر", "name_en": "Roads", "source": "OSM", "theme": "transport",
        "purpose": "network", "reference_date": "2025-09-23", "code": "osm-roads",
    }  # fmt: skip
    upload = sent(analyst, brought(analyst, town, "town.osm", **new), **{"file-layer": "roads"})
    analyst.post(f"/imports/{upload.pk}/", whole_form(analyst, upload) | {"do": "store"})
    assert worked(upload).state == "stored"
    release = Layer.objects.get(code="osm-roads").releases.get()
    assert release.how["rules"] == rules_text([default_rules().of("roads")])
    widths = {one.name: one.attributes.get("width_m") for one in Feature.objects.of(release)}
    assert widths == {"خیابان ۱": None, "خیابان ۲": 12.0}
    again = brought(analyst, town, "town.osm", which="existing", layer="osm-roads")
    assert again.options == {"organisation": "", "layer": "roads"} or again.options == {"layer": "roads"}
    assert again.report["n_rows"] == 2


def test_a_field_that_the_changed_rule_does_not_give_leaves_the_mapping(analyst: Client, town: bytes) -> None:
    upload = sent(analyst, brought(analyst, town, "town.osm"), **{"file-layer": "roads"})
    said = whole_form(analyst, upload)
    number = [one["name"] for one in upload.report["fields"]].index("class")
    upload = sent(analyst, upload, **{f"name-{number}": "rank"})
    rule = re.sub(r"(?m)^(surface|lit|lanes) = .*\n", "", said["rules"])
    upload = sent(analyst, upload, rules=rule)
    assert upload.report["is_loadable"], upload.report["problems"]
    assert {one["source"]: one["name"] for one in upload.mapping}["class"] == "rank"
    assert "surface" not in {one["name"] for one in upload.report["fields"]}


@pytest.mark.parametrize("language", ["en", "fa"])
def test_mistakes_in_a_rule_are_told_at_their_lines_and_what_was_written_stays(
    analyst: Client, town: bytes, language: str
) -> None:
    analyst.cookies["django_language"] = language
    upload = sent(analyst, brought(analyst, town, "town.osm"), **{"file-layer": "clinic"})
    bad = whole_form(analyst, upload)["rules"].replace('"point"', '"circle"') + "Bad = 1\n"
    line = bad.splitlines().index('geometry = "circle"') + 1
    answer = analyst.post(f"/imports/{upload.pk}/", whole_form(analyst, upload) | {"do": "examine", "rules": bad})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert f'data-line="{line}"' in page
    assert "geometry = &quot;circle&quot;" in page
    fault = page[page.index('id="rules-wrong"') : page.index("<textarea id")]
    assert fault.count("<li>") == 2


HOSTILE = {
    "no TOML": "[[rules]\n",
    "deep": "a = " + "[" * 20_000,
    "deep tables": "a" + ".a" * 15_000 + " = 1",
    "another type": RULE.replace('["clinic"]', "7"),
    "a tag that is a statement": RULE.replace("amenity", '"a\\" OR 1=1 --"'),
    "a tag that is a line": RULE.replace("amenity", '"x\\nattributes=y"'),
    "far too many": "format = 1\n" + RULE.partition("\n")[2] * 250,
    "a long code": RULE.replace('"a"', f'"{"b" * 10_000}"'),
    "a long value": RULE.replace('["clinic"]', f"{{ x = '{'y' * 20_000}' }}"),
    "no rules": "format = 1\n",
    "very many tags": RULE.replace("amenity", " = '*', ".join(f"t{i}" for i in range(2_000))),
    "a column of the reader's own": RULE.replace("amenity", "ALL_TAGS"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_rules_that_cannot_be_used_are_refused_with_their_place(analyst: Client, town: bytes, what: str) -> None:
    upload = brought(analyst, town, "town.osm")
    answer = analyst.patch(
        f"/api/v1/uploads/{upload.pk}",
        json.dumps({"options": {"layer": "a", "rules": HOSTILE[what]}}),
        content_type="application/json",
        headers={"If-Match": f'"{upload.version}"'},
    )
    assert answer.status_code == 400, answer.content.decode()[:500]
    problem = answer.json()
    assert problem["code"] == "bad_rules"
    assert problem["where"].startswith("options.rules")
    assert problem["remedy"]
    assert len(problem["title"]) < 500
    upload.refresh_from_db()
    assert upload.state == "examined"
    answer = analyst.post(
        API, {"file": SimpleUploadedFile("t.osm", town), "options": json.dumps({"rules": HOSTILE[what]})}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_rules")
    assert Upload.objects.count() == 1


@pytest.mark.parametrize(
    "rules",
    [7, ["x"], {"a": 1}, "x" * 40_000, "a\x00b", "\ud800"],
    ids=["number", "list", "object", "long", "null", "half"],
)
def test_what_are_no_rules_at_all_is_a_bad_request(analyst: Client, town: bytes, rules: Any) -> None:
    upload = brought(analyst, town, "town.osm")
    answer = analyst.patch(
        f"/api/v1/uploads/{upload.pk}",
        json.dumps({"options": {"rules": rules}}),
        content_type="application/json",
        headers={"If-Match": f'"{upload.version}"'},
    )
    assert answer.status_code == 400


@pytest.mark.parametrize("tag", ["Highway", "name:fa", "ogc_fid", "FID", "man_made", "OGR_GEOMETRY", "z_order"])
def test_tags_that_are_called_like_columns_of_the_reader_do_no_harm(analyst: Client, town: bytes, tag: str) -> None:
    rules = (
        f'format = 1\n[[rules]]\ncode = "a"\ngeometry = "line"\nwhere = [{{ "{tag}" = "*" }}, {{ highway = "*" }}]\n'
    )
    answer = analyst.post(
        API, {"file": SimpleUploadedFile("t.osm", town), "options": json.dumps({"layer": "a", "rules": rules})}
    )
    assert answer.status_code == 201, answer.content.decode()
    upload = worked(Upload.objects.get(pk=answer.json()["id"]))
    assert upload.state == "examined", upload.problem
    assert upload.report["n_rows"] == 3
    assert offered(upload)["a"] == 3


def test_every_mistake_has_its_sentence() -> None:
    english = []
    for text, *_ in MISTAKES:
        with pytest.raises(RulesError) as caught:
            rules_of(text)
        said = [said for one in caught.value.problems for said in (one.message, one.remedy)]
        english += [one for one in said if sentences_of(one) is None]
    assert not english, "\n".join(english)


def test_the_real_extract_of_porto_alegre(analyst: Client, real_data: Path) -> None:
    upload = brought(analyst, (real_data / "porto_alegre" / "poa_osm.pbf").read_bytes(), "poa.osm.pbf")
    there = offered(upload)
    assert there["roads"] == pytest.approx(12_400, rel=0.01)
    assert there["bus-stop"] == pytest.approx(1_054, rel=0.01)
    # Roads without service ways.
    upload = sent(analyst, upload, **{"file-layer": "roads"})
    assert upload.report["n_rows"] == there["roads"]
    rule = whole_form(analyst, upload)["rules"]
    upload = sent(analyst, upload, rules=rule.replace('"service", ', ""))
    assert there["roads"] * 0.5 < upload.report["n_rows"] < there["roads"]
    assert offered(upload)["roads"] == upload.report["n_rows"]
    # Facilities: platforms of trains and metro besides the stops of buses.
    upload = sent(analyst, upload, **{"file-layer": "bus-stop"})
    assert upload.report["n_rows"] == there["bus-stop"]
    rule = whole_form(analyst, upload)["rules"]
    assert rule.count("[[rules]]") == 2, "the rule of roads is kept"
    assert '"service", ' not in rule
    upload = sent(
        analyst, upload, rules=rule.replace('{ highway = ["bus_stop"] },', '{ railway = ["station", "halt"] },')
    )
    assert 0 < upload.report["n_rows"] < there["bus-stop"]


def test_the_walking_network_of_tehran_becomes_a_layer_of_roads(client_as: Any, real_data: Path) -> None:
    tehran = place_put(PlaceSpec(kind="city", code="tehran-six", name_fa="تهران", name_en="Tehran"))
    outline = shapely.from_geojson((real_data / "tehran_district6" / "tehran_city_boundary.geojson").read_text())
    city = to_geos(shapely.multipolygons([shapely.box(*outline.bounds)]))
    Boundary.objects.create(
        place=tehran, geometry=city, source="test", status="approved", valid=DateRange(date(2020, 1, 1))
    )
    client = client_as("administrator")
    content = (real_data / "tehran_district6" / "walk_network_overpass.osm").read_bytes()
    answer = client.post("/tehran-six/layers/import/", {"file": SimpleUploadedFile("walk.osm", content)})
    upload = worked(Upload.objects.get(pk=answer["Location"].split("/")[2]))
    assert offered(upload)["walking-network"] == 6_912
    new = {"which": "new", "code": "walking", "reference_date": "2025-09-23"}
    sent(client, upload, **{"file-layer": "walking-network"})
    upload = sent(client, upload, **new)
    assert upload.report["crs"]["is_plausible"] is True
    assert client.post(f"/imports/{upload.pk}/", whole_form(client, upload) | {"do": "store"}).status_code == 302
    assert worked(upload).state == "stored"
    layer = Layer.objects.get(city=tehran, code="walking")
    assert (layer.kind, layer.purpose, layer.theme.code) == ("line", "network", "transport")
    assert {row["name"]: row.get("unit") for row in layer.schema}["width_m"] == "m"
    release = layer.releases.get()
    assert (release.row_count, release.how["layer"]) == (6_912, "walking-network")
    assert "خیابان" in " ".join(Feature.objects.of(release).values_list("name", flat=True))


def test_the_command_reads_by_rules_from_a_file_and_remembers_them(
    demo_city: Any, tmp_path: Path, town: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = tmp_path / "mine.toml"
    rules.write_text('format = 1\n[[rules]]\ncode = "roads"\ngeometry = "line"\nwhere = { highway = ["footway"] }\n')
    (tmp_path / "town.osm").write_bytes(town)
    new = ["--theme", "housing", "--name-fa", "راه", "--name-en", "Paths", "--source", "OpenStreetMap"]
    how = ["khorramabad", "paths", str(tmp_path / "town.osm"), "--layer", "roads"]
    call_command("import_layer", *how, *new, "--rules", str(rules))
    release = Layer.objects.get(code="paths").releases.get()
    assert release.row_count == 1
    assert "footway" in release.how["rules"]
    rules.write_text("format = 1\n[[rules]\n")
    with pytest.raises(SystemExit):
        call_command("import_layer", *how, "--rules", str(rules))
    assert "TOML" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        call_command("import_layer", *how, "--rules", str(tmp_path / "nowhere.toml"))
    assert Layer.objects.get(code="paths").releases.count() == 1
