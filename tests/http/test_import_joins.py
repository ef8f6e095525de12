"""The page and the interface of a table that is joined: what is chosen, what is shown of both sides, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from layers.models import Layer, Upload
from layers.services.uploads import upload_store
from tests.db.bringing import points_file, worked
from tests.http.bringing import NEW, brought, form_of, page_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_files_left")]

API = "/api/v1/cities/khorramabad/uploads"
TABLE = "نام چیز,people\nچيز ۱,10\nچیز2,20\nچیز ۳,30\nچيزک,40\n"


@pytest.fixture
def things(analyst: Client, tmp_path: Path) -> Layer:
    """A layer of five points, called «چیز 1» to «چیز 5»."""
    content = points_file(tmp_path / "things.geojson", 5).read_bytes()
    upload = brought(analyst, content, "things.geojson", **NEW | {"name_en": "Things", "name_fa": "چیزها"})
    worked(upload_store(upload, upload.version))
    return Layer.objects.get(city__code="khorramabad", code="things")


def test_a_table_is_joined_on_its_page(analyst: Client, things: Layer) -> None:
    upload = brought(analyst, TABLE, "people.csv", **NEW | {"name_en": "People of things"})
    page = page_of(analyst, upload)
    assert '<option value="things">' in page
    assert 'id="joining"' not in page
    said = form_of(page)
    assert said["join_layer"] == ""

    answer = analyst.post(f"/imports/{upload.pk}/", said | {"do": "examine", "join_layer": "things"})
    assert answer.status_code == 400
    assert "Name the column with codes or names." in answer.content.decode()

    chosen = said | {"do": "examine", "join_layer": "things", "code_field": "نام چيز"}
    assert analyst.post(f"/imports/{upload.pk}/", chosen).status_code == 302
    worked(upload)
    page = page_of(analyst, upload)
    assert "3 of 4 rows found their partner." in page
    assert "1 row belongs to nothing." in page
    assert "2 of 5 features have no row." in page
    assert '<option value="things" selected>' in page
    assert '<input type="hidden" name="lonely-0" value="چیزک">' in page
    assert 'data-fills="pair-0"' in page
    assert "The layer has nothing of the name that rows give" in page
    assert "leave_out&quot;" not in page, "what can be done is said in the words of the page"

    said = form_of(page)
    assert said["code_field"] == "نام چيز"
    people = [one["name"] for one in Upload.objects.get(pk=upload.pk).report["fields"]].index("people")
    analyst.post(f"/imports/{upload.pk}/", said | {"do": "examine", "pair-0": "چیز 4", f"sum-{people}": "1"})
    upload = worked(upload)
    wanted = {"code_field": "نام چيز", "join_layer": "things", "pairs": {"چیزک": "چیز 4"}, "sum_fields": ["people"]}
    assert upload.options.items() >= wanted.items()
    said = form_of(page_of(analyst, upload))
    assert (said["pair-0"], said["lonely-0"], said[f"sum-{people}"]) == ("چیز 4", "چیزک", "1")
    assert analyst.post(f"/imports/{upload.pk}/", said | {"do": "store"}).status_code == 302
    upload = worked(upload)
    assert upload.state == "stored", upload.problem
    assert upload.release is not None
    assert upload.release.row_count == 4


def test_what_is_left_out_is_chosen_and_told(analyst: Client, things: Layer) -> None:
    upload = brought(analyst, TABLE, "people.csv", **NEW | {"name_en": "People of things"})
    said = form_of(page_of(analyst, upload)) | {"do": "examine", "join_layer": "things", "code_field": "نام چيز"}
    analyst.post(f"/imports/{upload.pk}/", said)
    worked(upload)
    analyst.post(f"/imports/{upload.pk}/", form_of(page_of(analyst, upload)) | {"do": "examine", "leave_out": "1"})
    upload = worked(upload)
    assert upload.report["is_loadable"]
    page = page_of(analyst, upload)
    assert 'name="leave_out" value="1" checked' in page
    analyst.cookies["django_language"] = "en"
    page = page_of(analyst, upload)
    assert "1 row belongs to nothing, and is left out." in page
    assert "<td>100</td><td>60</td><td>40</td>" in page


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"join_layer": "things"}, "invalid_body"),
        ({"leave_out": True}, "invalid_body"),
        ({"code_field": "نام چیز", "join_layer": "nothing"}, "unknown_layer"),
        ({"code_field": "نام چیز", "pairs": ["a"]}, "invalid_body"),
        ({"code_field": "نام چیز", "sum_fields": "people"}, "invalid_body"),
    ],
)
def test_the_interface_refuses_what_cannot_be_joined(
    analyst: Client, things: Layer, options: dict[str, Any], code: str
) -> None:
    file = SimpleUploadedFile("people.csv", TABLE.encode())
    answer = analyst.post(API, {"file": file, "options": json.dumps(options)})
    assert answer.status_code == 400
    told = answer.json()
    assert told["remedy"]
    assert (told["code"] == code) or code == "invalid_body", told
    assert not Upload.objects.filter(file_name="people.csv").exists()


def test_the_interface_tells_both_sides(analyst: Client, things: Layer) -> None:
    file = SimpleUploadedFile("people.csv", TABLE.encode())
    options = {"code_field": "نام چیز", "join_layer": "things"}
    made = analyst.post(API, {"file": file, "options": json.dumps(options)}).json()
    worked(Upload.objects.get(pk=made["id"]))
    found = analyst.get(made["address"]).json()["report"]["joining"]
    assert (found["rows"], found["matched"], found["features_without"]) == (4, 3, 2)
    assert [one["name"] for one in found["rows_listed"]] == ["چیزک"]
    assert [one["name"] for one in found["features_listed"]] == ["چیز 4", "چیز 5"]
    assert found["totals"] == [{"field": "people", "all": 100, "matched": 60}]
