"""The pages on which data are brought: plain forms, what they keep after a refusal, and what a page of faults says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from layers.models import FieldMapping, Layer, Upload
from tests.db.bringing import worked
from tests.http.bringing import NEW, PATH, TABLE, brought, form_of, page_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_files_left")]


def test_a_table_with_persian_digits_becomes_a_new_layer(analyst: Client) -> None:
    upload = brought(analyst, **NEW)
    assert upload.state == "examined"
    assert upload.reference_date == date(2025, 9, 23)
    page = page_of(analyst, upload)
    assert "2 points and can be stored in the new layer" in page
    said = form_of(page)
    sources = [one["name"] for one in upload.report["fields"]]
    area = sources.index("مساحت")
    said |= {
        f"name-{area}": "area_m2",
        f"type-{area}": "number",
        f"from-{area}": "ha",
        f"to-{area}": "m2",
        "key": "نام",
    }
    analyst.post(f"/imports/{upload.pk}/", said | {"do": "examine"})
    worked(upload)
    upload.refresh_from_db()
    page = page_of(analyst, upload)
    assert "<bdi>5000</bdi>" in page
    assert analyst.post(f"/imports/{upload.pk}/", form_of(page) | {"do": "store"}).status_code == 302
    worked(upload)
    layer = Layer.objects.get(city__code="khorramabad", code="test-clinics")
    assert layer.key_field == "نام"
    assert layer.purpose == "facilities"
    assert "release 1" in page_of(analyst, upload)
    assert FieldMapping.objects.filter(layer=layer).exists()


def test_a_file_keeps_its_persian_name(analyst: Client) -> None:
    upload = brought(analyst, name="..\\ایستگاه‌های\u202e شهر.csv")
    assert upload.file_name == "ایستگاه‌های شهر.csv"
    assert "ایستگاه‌های شهر.csv" in page_of(analyst, upload)


def test_storing_what_was_changed_examines_it_first(analyst: Client) -> None:
    upload = brought(analyst, **NEW)
    said = form_of(page_of(analyst, upload)) | {"name-0": "title"}
    answer = analyst.post(f"/imports/{upload.pk}/", said | {"do": "store"}, follow=True)
    assert "examined with it first" in answer.content.decode()
    upload.refresh_from_db()
    assert upload.state == "received"
    worked(upload)
    upload.refresh_from_db()
    assert upload.state == "examined"
    assert upload.mapping[0]["name"] == "title"


def test_a_stale_form_is_refused_and_keeps_what_was_typed(analyst: Client) -> None:
    upload = brought(analyst)
    said = form_of(page_of(analyst, upload))
    analyst.post(f"/imports/{upload.pk}/", said | {"do": "examine"})
    worked(upload)
    answer = analyst.post(
        f"/imports/{upload.pk}/", said | {"do": "examine", "name-0": "my own name", "name_en": "Mine"}
    )
    page = answer.content.decode()
    assert answer.status_code == 409
    assert 'data-code="stale_version"' in page
    assert 'value="my own name"' in page
    assert 'value="Mine"' in page
    upload.refresh_from_db()
    assert form_of(page)["version"] == str(upload.version)


def test_what_is_missing_is_said_at_its_entry(analyst: Client) -> None:
    upload = brought(analyst)
    said = form_of(page_of(analyst, upload)) | {"which": "new", "name_en": "Clinics", "reference_date": "1404/13/45"}
    answer = analyst.post(f"/imports/{upload.pk}/", said | {"do": "store"})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert page.count('aria-invalid="true"') == 4  # name_fa, source, theme, reference_date
    assert "This is no day." in page
    assert 'value="Clinics"' in page


@pytest.mark.parametrize(
    ("said", "entry"),
    [
        ({"crs": "other", "epsg": "nothing"}, "epsg"),
        ({"name-0": "same", "name-1": "same"}, "fields"),
        ({"mapping": '[{"source": 1}]'}, "fields"),
        ({"mapping": "[[[["}, "fields"),
        ({"from-3": "ha"}, "fields"),
    ],
)
def test_a_form_that_cannot_be_used_comes_back(analyst: Client, said: dict[str, str], entry: str) -> None:
    upload = brought(analyst)
    answer = analyst.post(f"/imports/{upload.pk}/", form_of(page_of(analyst, upload)) | said | {"do": "examine"})
    assert answer.status_code == 400
    assert 'class="wrong"' in answer.content.decode()
    upload.refresh_from_db()
    assert upload.state == "examined", entry


def test_wrong_entries_never_cost_the_file(analyst: Client) -> None:
    upload = brought(analyst, **NEW | {"reference_date": "one day", "theme": "nothing", "code": "Not A Code"})
    assert upload.new_layer["name_en"] == "Test clinics"
    assert "theme" not in upload.new_layer
    assert upload.reference_date is None


def test_without_a_file_or_a_token_nothing_is_taken(client_as: Callable[[str], Client], analyst: Client) -> None:
    answer = analyst.post(PATH, {"which": "later"})
    assert answer.status_code == 400
    assert 'data-code="no_file"' in answer.content.decode()
    answer = analyst.post(PATH, {"file": SimpleUploadedFile("a.csv", b"")})
    assert answer.status_code == 400
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = analyst.cookies
    assert strict.post(PATH, {"file": SimpleUploadedFile("a.csv", TABLE.encode())}).status_code == 403
    assert not Upload.objects.exists()


def test_a_script_is_answered_in_json(analyst: Client) -> None:
    form: dict[str, Any] = {"file": SimpleUploadedFile("a.csv", TABLE.encode())}
    answer = analyst.post(PATH, form, headers={"accept": "application/json"})
    assert answer.status_code == 201
    state = analyst.get(answer.json()["address"] + "state/").json()
    assert state["is_running"]
    assert state["state"] == "received"
    assert analyst.post(PATH, {}, headers={"accept": "application/json"}).json()["code"] == "no_file"


def test_texts_of_a_file_are_never_markup(analyst: Client) -> None:
    nasty = "<img src=x onerror=alert(1)>"
    upload = brought(analyst, f"name,lon,lat,{nasty}\n{nasty},48.35,33.48,{nasty}\n", name=f"{nasty}.csv")
    page = page_of(analyst, upload)
    assert nasty not in page
    assert page.count("&lt;img src=x onerror=alert(1)&gt;") >= 4
    assert nasty not in analyst.get(PATH).content.decode()


def test_rows_in_another_language_of_the_reader(client_as: Callable[[str], Client]) -> None:
    persian = client_as("analyst")
    upload = brought(persian)
    page = page_of(persian, upload)
    assert 'dir="rtl"' in page
    assert "<bdi>۴۸٫۳۵</bdi>" in page or "<bdi>۱۲</bdi>" in page


def test_a_file_that_is_none_fails_with_advice(analyst: Client, tmp_path: Path) -> None:
    answer = analyst.post(PATH, {"file": SimpleUploadedFile("a.gpkg", b"SQLite format 3\0" + b"\1" * 300)})
    upload = worked(Upload.objects.get(pk=answer["Location"].split("/")[2]))
    page = page_of(analyst, upload)
    assert "cannot be stored yet" in page or "could not be examined" in page
    assert 'name="do" value="examine"' in page
    assert 'value="store"' not in page


def test_of_a_kind_of_file_that_is_not_read_there_is_nothing_to_choose(analyst: Client) -> None:
    answer = analyst.post(PATH, {"file": SimpleUploadedFile("notes.pdf", b"%PDF-1.4\n" + b"0" * 300)})
    page = page_of(analyst, worked(Upload.objects.get(pk=answer["Location"].split("/")[2])))
    assert "This kind of file cannot be read here" in page
    assert 'name="do" value="examine"' not in page
    assert f'href="{PATH}">Bring another file</a>' in page
    assert 'name="do" value="cancel"' in page


def test_what_can_be_done_is_said_once_and_not_at_every_row(analyst: Client) -> None:
    page = page_of(analyst, brought(analyst, TABLE.replace("48.35", "east").replace("48.36", "west")))
    assert page.count("Correct the row in the file.") == 1
    assert "Write degrees or metres" not in page, "the page says it in words of its own"
    assert page.count("<li><span>row ") == 2


def test_a_kept_mapping_is_offered_for_the_next_file(analyst: Client) -> None:
    first = brought(analyst, **NEW)
    said = form_of(page_of(analyst, first)) | {"name-0": "title", "do": "examine"}
    analyst.post(f"/imports/{first.pk}/", said)
    worked(first)
    analyst.post(f"/imports/{first.pk}/", form_of(page_of(analyst, first)) | {"do": "store"})
    worked(first)
    second = brought(analyst, TABLE + "کلینیک ۳,48.37,33.47,۵,2\n", which="existing", layer="test-clinics")
    page = page_of(analyst, second)
    assert "As remembered" in page
    assert form_of(page)["name-0"] == "title"
    assert "Release 1 has 2 rows, this file 3." in page
    assert "Store as release 2" in page
