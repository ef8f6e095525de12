"""A table brought for a layer and joined to the features of another: rights, release, lists of both sides, what is stored."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import shapely
from django.core.management import call_command
from django.utils.translation import override

from geo.errors import InvalidInput, LimitExceeded
from geo.models import Assignment, Place
from layers import selectors
from layers.models import Feature, Layer, Upload
from layers.selectors import layer_places, layer_to_join, layers_to_join
from layers.services.uploads import upload_change, upload_create, upload_store
from maps.imports.joins import join_view
from tests.db.bringing import SOUTH, WEST, received, worked

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_files_left")]

BLOCKS = {
    "code": "blocks",
    "theme": "health",
    "name_fa": "بلوک‌ها",
    "name_en": "Blocks",
    "source": "Survey",
    "key_field": "no",
}
PEOPLE = {"code": "people", "theme": "health", "name_fa": "جمعیت", "name_en": "People", "source": "Survey"}
NAMES = ("بخش سردرود", "پل\u200cسفید", "کوه بالا", "کوه\u200cبالا")
TABLE = "block,people,note\nسردرود,10,a\nپلسفید,20,b\n۳,30,c\nکوه بالا,40,d\nسردرو,50,e\n"


@pytest.fixture
def analyst(personas: dict[str, Any]) -> Any:
    return personas["analyst"]


def blocks_file(path: Path, names: tuple[str, ...] = NAMES) -> Path:
    features = [
        {
            "type": "Feature",
            "geometry": json.loads(shapely.to_geojson(shapely.box(WEST + n / 100, SOUTH, WEST + (n + 1) / 100, SOUTH + 0.01))),
            "properties": {"name": name, "no": n + 1},
        }
        for n, name in enumerate(names)
    ]  # fmt: skip
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def brought(city: Place, author: Any, path: Path, **more: Any) -> Upload:
    said = {"reference_date": date(2026, 3, 21)} | more
    return worked(upload_create(city=city, author=author, received=received(path), **said))


@pytest.fixture
def blocks(demo_city: Place, analyst: Any, tmp_path: Path) -> Layer:
    upload = brought(demo_city, analyst, blocks_file(tmp_path / "blocks.geojson"), new_layer=BLOCKS)
    upload = worked(upload_store(upload, upload.version))
    assert upload.layer is not None
    return upload.layer


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


JOIN = {"code_field": "block", "join_layer": "blocks"}


def test_a_table_is_joined_to_a_layer_by_key_and_name(
    demo_city: Place, analyst: Any, blocks: Layer, table: Path
) -> None:
    upload = brought(demo_city, analyst, table, new_layer=PEOPLE, options=JOIN)
    report = upload.report
    assert (upload.state, report["is_loadable"], report["name_field"]) == ("examined", False, "block")
    assert report["counts"]["error"] == {"not_in_layer": 1, "shared_name": 1}
    found = report["joining"]
    assert (found["layer"], found["release"], found["rows"], found["matched"], found["unmatched"]) == (
        "blocks",
        1,
        5,
        3,
        2,
    )
    assert found["by"] == {"like": 2, "code": 1}
    assert [(one["name"], one["row"], one["several"]) for one in found["rows_listed"]] == [
        ("کوه بالا", 5, 2), ("سردرو", 6, 0),
    ]  # fmt: skip
    assert found["rows_listed"][1]["close"] == [{"write": "بخش سردرود", "name": "بخش سردرود"}]
    assert [one["code"] for one in found["features_listed"]] == ["4"]
    assert found["totals"] == [{"field": "people", "all": 150, "matched": 60}]

    paired = JOIN | {"pairs": {"کوه بالا": "4"}, "leave_out": True}
    upload = worked(upload_change(upload, upload.version, options=paired))
    found = upload.report["joining"]
    assert upload.report["is_loadable"]
    assert (found["matched"], found["features_without"], found["totals"][0]["matched"]) == (4, 0, 100)
    upload = worked(upload_store(upload, upload.version))
    assert (upload.state, upload.problem) == ("stored", {})
    release = upload.release
    assert release is not None
    rows = list(Feature.objects.of(release).order_by("number"))
    assert [(row.number, row.name, row.attributes["people"]) for row in rows] == [
        (2, "سردرود", 10), (3, "پلسفید", 20), (4, "۳", 30), (5, "کوه بالا", 40),
    ]  # fmt: skip
    assert rows[3].geometry.extent == pytest.approx((WEST + 0.03, SOUTH, WEST + 0.04, SOUTH + 0.01))
    assert release.quality["problems"]["repaired"] == {"row_left_out": 1}
    assert release.how["leave_out"] is True
    assert release.how["join_layer"] == "blocks"
    assert release.how["pairs"] == {"کوه بالا": "4"}
    assert [one["row"] for one in release.warnings if one["code"] == "row_left_out"] == [6]


def test_what_was_looked_at_is_what_is_stored(
    demo_city: Place, analyst: Any, blocks: Layer, table: Path, tmp_path: Path
) -> None:
    """A release that comes in between would silently change who is joined to what."""
    table.write_text("block,people\n1,10\n4,20\n", encoding="utf-8")
    upload = brought(demo_city, analyst, table, new_layer=PEOPLE, options=JOIN)
    assert upload.report["joining"]["release"] == 1
    newer = brought(demo_city, analyst, blocks_file(tmp_path / "b.geojson", NAMES[:3]), layer=blocks)
    worked(upload_store(newer, newer.version))
    assert [len(layer_places(blocks)), len(layer_places(blocks, 1))] == [3, 4]
    upload = worked(upload_store(upload, upload.version))
    assert upload.state == "stored", upload.problem
    assert upload.release is not None
    assert upload.release.row_count == 2


def test_only_layers_that_one_may_see_are_joined_to(
    demo_city: Place, personas: dict[str, Any], blocks: Layer, table: Path
) -> None:
    stranger, analyst = personas["planner_elsewhere"], personas["analyst"]
    assert layer_to_join(demo_city, "blocks", analyst) == blocks
    assert blocks in layers_to_join(demo_city, analyst)
    assert blocks not in layers_to_join(demo_city, stranger)
    elsewhere = Place.objects.get(path="zz")
    rasters = Layer.objects.filter(city=demo_city, kind="raster").values_list("code", flat=True)
    for city, code, user in (
        (demo_city, "blocks", stranger), (demo_city, "blocks", personas["anonymous"]), (elsewhere, "blocks", analyst),
        (demo_city, "nothing", analyst), *((demo_city, code, analyst) for code in rasters[:1]),
    ):  # fmt: skip
        with pytest.raises(InvalidInput) as refused:
            layer_to_join(city, code, user)
        assert (refused.value.code, refused.value.where) == ("unknown_layer", "join_layer")
    with pytest.raises(InvalidInput):
        brought(demo_city, analyst, table, options=JOIN | {"join_layer": "nothing"})
    assert not Upload.objects.filter(file_name="people.csv").exists()

    upload = brought(demo_city, analyst, table, new_layer=PEOPLE, options=JOIN | {"leave_out": True})
    assert upload.report["is_loadable"]
    Assignment.objects.filter(user=analyst).delete()
    blocks.visibility = "assigned"
    blocks.save()
    upload = worked(upload_store(upload, upload.version))
    assert (upload.state, upload.problem["code"]) == ("failed", "unknown_layer")


def test_a_layer_with_too_many_features_is_refused(blocks: Layer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "MOST_PARTNERS", 3)
    with pytest.raises(LimitExceeded) as refused:
        layer_places(blocks)
    assert refused.value.code == "too_many_features"


def test_places_of_the_city_are_joined_to_without_the_word_of_their_kind(
    demo_city: Place, analyst: Any, tmp_path: Path
) -> None:
    some = list(Place.objects.filter(path__startswith=f"{demo_city.path}/", kind="neighbourhood").order_by("code")[:2])
    path = tmp_path / "people.csv"
    path.write_text(
        f"where,n\nمحلهٔ ناپیدا,1\n{some[0].code},2\nمحله {some[1].name_fa.replace(chr(0x200C), '')},3\n",
        encoding="utf-8",
    )
    upload = brought(demo_city, analyst, path, new_layer=PEOPLE, options={"code_field": "where", "sum_fields": ["n"]})
    found = upload.report["joining"]
    assert (found["layer"], found["release"], found["matched"], found["unmatched"]) == ("", None, 2, 1)
    assert upload.report["counts"]["error"] == {"unknown_place": 1}
    assert found["features_without"] == found["features"] - 2


def test_the_page_shows_both_sides(demo_city: Place, analyst: Any, blocks: Layer, table: Path) -> None:
    options = JOIN | {"sum_fields": ["people"], "pairs": {"کوه بالا": "4"}}
    upload = brought(demo_city, analyst, table, new_layer=PEOPLE, options=options)
    with override("en"):
        view = join_view(upload, analyst, upload.options)
    assert ("blocks", "Blocks", True) in view.layers
    assert view.sentences[0] == "4 of 5 rows found their partner."
    assert [(one.name, one.taken_for, one.close) for one in view.pairs] == [
        ("کوه بالا", "4", ()),
        ("سردرو", "", (("بخش سردرود", "بخش سردرود"),)),
    ]
    assert [(one.field, one.all, one.matched, one.lost, one.is_added_up) for one in view.totals] == [
        ("people", "150", "100", "50", True)
    ]
    assert (view.left_count, view.has_unmatched) == (0, True)


def test_the_command_joins_too(
    demo_city: Place, blocks: Layer, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = ["--theme", "health", "--name-fa", "ج", "--name-en", "P", "--source", "S"]
    how = ["--code-field", "block", "--join-layer", "blocks", "--sum-fields", "people"]
    with pytest.raises(SystemExit):
        call_command("import_layer", demo_city.code, "people", str(table), *new, *how)
    assert "sum of people: 60 of 150" in capsys.readouterr().err
    call_command("import_layer", demo_city.code, "people", str(table), *new, *how, "--leave-out")
    said = capsys.readouterr().err
    assert "3 of 5 rows" in said
    assert "at release 1, with 3 rows" in said
    with pytest.raises(SystemExit):
        call_command("import_layer", demo_city.code, "people", str(table), "--code-field", "block", "--join-layer", "x")
    assert "no layer 'x'" in capsys.readouterr().err
