"""Uploads over JSON: a file comes in by a form, is looked at, mapped, stored; and all that may be wrong with a request."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from geo.models import Place
from interventions.models import Organisation
from layers.models import Feature, Layer, Release, Upload
from tests.db.bringing import broken_file, points_file, worked

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_files_left")]

NEW = {"code": "wells", "theme": "health", "name_fa": "چاه‌ها", "name_en": "Wells", "source": "Water company"}


@pytest.fixture
def analyst(client_as: Callable[[str], Client]) -> Client:
    return client_as("analyst")


def posted(client: Client, file: Path | None, /, *, city: str = "khorramabad", name: str = "", **texts: Any) -> Any:
    """Send a form with a file."""
    data: dict[str, Any] = {k: v if isinstance(v, str) else json.dumps(v, ensure_ascii=False) for k, v in texts.items()}
    if file is not None:
        data["file"] = SimpleUploadedFile(name or file.name, file.read_bytes(), "text/html")
    return client.post(f"/api/v1/cities/{city}/uploads", data)


def told(response: Any, status: int) -> dict[str, Any]:
    """Return what was answered, which must have this status; a refusal says what is wrong and what to do."""
    answered: dict[str, Any] = json.loads(response.content)
    assert response.status_code == status, answered
    if status >= 400:
        assert response["Content-Type"] == "application/problem+json"
        assert answered["status"] == status
        assert answered["title"].endswith(".")
        assert answered["code"]
    return answered


def send(client: Client, method: str, path: str, body: Any = None, version: Any = None) -> Any:
    headers = {} if version is None else {"If-Match": f'"{version}"'}
    content = json.dumps(body) if body is not None else ""
    return client.generic(method, path, content, content_type="application/json", headers=headers)


def examined(client: Client, path: Path, **texts: Any) -> dict[str, Any]:
    """Send a file and have it examined; return how it stands."""
    made = told(posted(client, path, **texts), 201)
    worked(Upload.objects.get(pk=made["id"]))
    return told(client.get(made["address"]), 200)


# ---------------------------------------------------------------- the whole way


def test_a_file_goes_all_the_way(analyst: Client, tmp_path: Path) -> None:
    path = points_file(tmp_path / "wells.gpkg", 40)
    response = posted(analyst, path, name="چاه ها.gpkg", new_layer=NEW, reference_date="2026-03-21")
    made = told(response, 201)
    assert response["Location"] == made["address"] == f"/api/v1/uploads/{made['id']}"
    assert response["ETag"] == '"1"'
    assert made["state"] == "received"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert made["file"] == {"name": "چاه ها.gpkg", "size": path.stat().st_size, "sha256": digest}
    assert made["may"] == ["change", "cancel"]

    worked(Upload.objects.get(pk=made["id"]))
    response = analyst.get(made["address"])
    seen = told(response, 200)
    assert (seen["state"], seen["may"]) == ("examined", ["change", "store", "cancel"])
    assert response["ETag"] == f'"{seen["version"]}"'
    assert seen["report"]["n_rows"] == 40

    shown = analyst.get(f"{made['address']}/preview.geojson")
    assert shown["Content-Type"] == "application/geo+json"
    assert len(json.loads(shown.content)["features"]) == 40

    rules = [{"source": "cap", "name": "capacity", "type": "integer"}, {"source": "نام", "keep": False}]
    response = send(
        analyst, "PATCH", made["address"], {"mapping": rules, "options": {"name_field": "نام"}}, seen["version"]
    )
    changed = told(response, 200)
    assert changed["state"] == "received"
    assert changed["options"] == {"name_field": "نام"}
    worked(Upload.objects.get(pk=made["id"]))
    seen = told(analyst.get(made["address"]), 200)
    assert seen["report"]["preview"]["columns"] == ["#", "name", "capacity"]

    storing = told(send(analyst, "POST", f"{made['address']}/store", version=seen["version"]), 202)
    assert (storing["state"], storing["may"]) == ("storing", ["cancel"])
    worked(Upload.objects.get(pk=made["id"]))
    stored = told(analyst.get(made["address"]), 200)
    assert (stored["state"], stored["release"]["number"], stored["release"]["rows"]) == ("stored", 1, 40)
    assert stored["layer"]["code"] == "wells"
    feature = Feature.objects.of(Release.objects.get(layer__code="wells")).get(number=3)
    assert (feature.name, feature.attributes) == ("چیز 3", {"capacity": 2})
    told(analyst.get(f"{made['address']}/preview.geojson"), 404)


def test_it_can_be_left_and_come_back_to(analyst: Client, client_as: Callable[[str], Client], tmp_path: Path) -> None:
    made = told(posted(analyst, points_file(tmp_path / "a.geojson", 3), layer="clinic"), 201)
    for client in (analyst, client_as("planner")):
        listed = told(client.get("/api/v1/cities/khorramabad/uploads"), 200)["uploads"]
        assert [one["id"] for one in listed] == [made["id"]]
        assert "report" not in listed[0]


def test_faults_are_shown_with_their_place(analyst: Client, tmp_path: Path) -> None:
    seen = examined(analyst, broken_file(tmp_path / "b.geojson"), new_layer=NEW, reference_date="2026-03-21")
    assert seen["report"]["counts"]["error"]
    assert seen["may"] == ["change", "cancel"]
    problems = analyst.get(f"{seen['address']}/problems.geojson")
    assert json.loads(problems.content)["features"]
    refused = told(send(analyst, "POST", f"{seen['address']}/store", version=seen["version"]), 409)
    assert refused["code"] == "not_loadable"
    assert refused["remedy"]


def test_an_organisations_files_are_read_as_it_brought_them(analyst: Client, demo_city: Place, tmp_path: Path) -> None:
    code = Organisation.objects.filter(place=demo_city).values_list("code", flat=True).first()
    assert code
    seen = examined(
        analyst, points_file(tmp_path / "a.gpkg"), new_layer=NEW, reference_date="2026-03-21", organisation=code
    )
    assert seen["organisation"] == code
    rules = [{"source": "cap", "name": "capacity"}]
    told(send(analyst, "PATCH", seen["address"], {"mapping": rules}, seen["version"]), 200)
    upload = worked(Upload.objects.get(pk=seen["id"]))
    told(send(analyst, "POST", f"{seen['address']}/store", version=upload.version), 202)
    worked(upload)
    again = examined(analyst, points_file(tmp_path / "b.gpkg", seed=5), layer="wells")
    assert again["organisation"] == code, "That of the last upload, where nobody says otherwise."
    assert again["report"]["is_mapping_kept"]
    assert again["mapping"][0]["name"] == "capacity"
    refused = told(posted(analyst, points_file(tmp_path / "c.gpkg"), layer="wells", organisation="nobody"), 400)
    assert refused["code"] == "unknown_organisation"


# ---------------------------------------------------------------- preconditions


def test_a_write_says_what_it_is_based_on(analyst: Client, tmp_path: Path) -> None:
    seen = examined(analyst, points_file(tmp_path / "a.gpkg"), new_layer=NEW, reference_date="2026-03-21")
    address, version = seen["address"], seen["version"]
    for method, path in (("PATCH", address), ("POST", f"{address}/store")):
        assert told(send(analyst, method, path, {}), 428)["where"] == "If-Match"
        stale = told(send(analyst, method, path, {}, version - 1), 412)
        assert (stale["code"], stale["version"]) == ("stale_version", version)
        assert told(send(analyst, method, path, {}, "x"), 400)["code"] == "bad_version"
    told(send(analyst, "PATCH", address, {"options": {"repair": True}}, version), 200)
    told(send(analyst, "PATCH", address, {"options": {}}, version), 412)


def test_it_can_be_cancelled_twice_but_not_when_stored(analyst: Client, tmp_path: Path) -> None:
    made = told(posted(analyst, points_file(tmp_path / "a.gpkg"), new_layer=NEW), 201)
    for _ in range(2):
        assert told(send(analyst, "POST", f"{made['address']}/cancel"), 200)["state"] == "cancelled"
    told(send(analyst, "PATCH", made["address"], {}, 2), 409)
    told(send(analyst, "POST", f"{made['address']}/store", version=2), 409)
    seen = examined(analyst, points_file(tmp_path / "a.gpkg"), new_layer=NEW, reference_date="2026-03-21")
    told(send(analyst, "POST", f"{seen['address']}/store", version=seen["version"]), 202)
    worked(Upload.objects.get(pk=seen["id"]))
    assert told(send(analyst, "POST", f"{seen['address']}/cancel"), 409)["code"] == "wrong_state"


# ---------------------------------------------------------------- requests that are wrong

FORMS: dict[str, tuple[dict[str, Any], int, str]] = {
    "no such layer": ({"layer": "nothing"}, 404, "layer"),
    "a layer of another city's": ({"layer": "health-units"}, 404, "layer"),
    "both": ({"layer": "roads", "new_layer": NEW}, 400, "form"),
    "not JSON": ({"options": "{"}, 400, "options"),
    "infinite": ({"options": '{"scale": 1e999}'}, 400, "options"),
    "not a number": ({"options": '{"scale": NaN}'}, 400, "options"),
    "deep": ({"options": "[" * 100_000}, 400, "options"),
    "no object": ({"options": "[]"}, 400, "form.options"),
    "unknown option": ({"options": {"path": "/etc/passwd"}}, 400, "form.options.path"),
    "no such system": ({"options": {"source_epsg": -1}}, 400, "form.options.source_epsg"),
    "codec": ({"options": {"encoding": "../x"}}, 400, "form.options.encoding"),
    "null letter": ({"options": {"layer": "a\x00b"}}, 400, "options.layer"),
    "half a letter": ({"options": '{"layer": "\\ud800"}'}, 400, "options.layer"),
    "no date": ({"reference_date": "yesterday"}, 400, "form.reference_date"),
    "unknown part": ({"path": "/etc/passwd"}, 400, "form.path"),
    "same name twice": (
        {"mapping": [{"source": "a", "name": "x"}, {"source": "b", "name": "x"}]}, 400, "form",
    ),
    "no such type": ({"mapping": [{"source": "a", "type": "shell"}]}, 400, "form.mapping[0].type"),
    "code taken": ({"new_layer": {"code": "roads"}}, 409, "new_layer.code"),
    "bad code": ({"new_layer": {"code": "../x"}}, 400, "new_layer.code"),
    "new layer with a kind": ({"new_layer": {"kind": "x"}}, 400, "form.new_layer.kind"),
    "long": ({"new_layer": {"name_fa": "x" * 201}}, 400, "form.new_layer.name_fa"),
    "much text": ({"options": " " * 2_100_000}, 413, ""),
}  # fmt: skip


@pytest.mark.parametrize("case", FORMS)
def test_a_wrong_form_is_refused_with_its_place(analyst: Client, tmp_path: Path, case: str) -> None:
    texts, status, where = FORMS[case]
    refused = told(posted(analyst, points_file(tmp_path / "a.geojson", 3), **texts), status)
    assert refused.get("where", "") == where or status == 413
    assert not Upload.objects.exists()
    assert [path.name for path in Path(settings.UPLOAD_DIR).iterdir()] == ["incoming"]


def test_there_must_be_a_file(analyst: Client, tmp_path: Path) -> None:
    assert told(posted(analyst, None, layer="roads"), 400)["code"] == "no_file"
    empty = tmp_path / "empty.csv"
    empty.write_bytes(b"")
    assert told(posted(analyst, empty), 400)["code"] == "no_file"
    named = {"other": SimpleUploadedFile("a.csv", b"a,b\n1,2\n")}
    assert told(analyst.post("/api/v1/cities/khorramabad/uploads", named), 400)["code"] == "no_file"
    for content_type in ("application/json", "text/plain", "application/x-www-form-urlencoded", ""):
        response = analyst.generic("POST", "/api/v1/cities/khorramabad/uploads", "{}", content_type=content_type)
        assert told(response, 415)["where"] == "Content-Type"


def test_a_form_that_breaks_off_leaves_nothing(analyst: Client, tmp_path: Path) -> None:
    whole = encode_multipart(
        BOUNDARY, {"file": SimpleUploadedFile("a.gpkg", points_file(tmp_path / "a.gpkg").read_bytes())}
    )
    for body in (whole[: len(whole) // 2], whole[:60], b"", b"\r\n" * 20, b"--" + BOUNDARY.encode()):
        response = analyst.generic("POST", "/api/v1/cities/khorramabad/uploads", body, content_type=MULTIPART_CONTENT)
        assert response.status_code in (201, 400, 415), (
            response.content
        )  # half a file is a file: the reader says what is wrong
        if response.status_code == 400:
            told(response, 400)
    for boundary in ("multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\xff"):
        response = analyst.generic("POST", "/api/v1/cities/khorramabad/uploads", whole, content_type=boundary)
        told(response, 400)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(analyst: Client, tmp_path: Path, settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES = 50_000
    body = encode_multipart(BOUNDARY, {"file": SimpleUploadedFile("a.csv", b"x" * 100_000)})
    path = "/api/v1/cities/khorramabad/uploads"
    refused = told(analyst.generic("POST", path, body, content_type=MULTIPART_CONTENT), 413)
    assert refused["code"] == "file_too_large"
    said = analyst.generic("POST", path, body, content_type=MULTIPART_CONTENT, CONTENT_LENGTH="9" * 30)
    assert told(said, 413)["code"] == "file_too_large"
    for length in ("", "-1", "many"):
        lying = analyst.generic("POST", path, body, content_type=MULTIPART_CONTENT, CONTENT_LENGTH=length)
        assert told(lying, 400)["code"] == "no_length"


@pytest.mark.parametrize(
    "name",
    ["../../../../tmp/evil.gpkg", "..\\..\\evil.gpkg", "/etc/cron.d/evil.gpkg", "\x00.gpkg", "&#46;&#46;/e.gpkg"],
)
def test_names_of_files_lead_nowhere(analyst: Client, tmp_path: Path, name: str) -> None:
    path = points_file(tmp_path / "a.gpkg", 3)
    body = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: ../../x\r\n\r\n"
    ).encode() + path.read_bytes() + f"\r\n--{BOUNDARY}--\r\n".encode()  # fmt: skip
    response = analyst.generic("POST", "/api/v1/cities/khorramabad/uploads", body, content_type=MULTIPART_CONTENT)
    if response.status_code == 400:
        told(response, 400)
        return
    made = told(response, 201)
    assert re.fullmatch(r"[\w.&#;-]+", made["file"]["name"])
    files = [path for path in Path(settings.UPLOAD_DIR).rglob("*") if path.is_file()]
    assert [path.parent.name for path in files] == [made["id"]]
    assert worked(Upload.objects.get(pk=made["id"])).report["is_loadable"]


@pytest.mark.parametrize(
    "body",
    [
        {"options": {"x": 1}}, {"options": 5}, {"mapping": {}}, {"mapping": [5]}, {"unknown": 1}, {"reference_date": 5.5},
        {"layer": 7}, {"organisation": ["x"]}, {"new_layer": {"theme": "none"}}, [], "x", None, 5,
    ],
)  # fmt: skip
def test_a_wrong_change_is_refused(analyst: Client, tmp_path: Path, body: Any) -> None:
    seen = examined(analyst, points_file(tmp_path / "a.geojson", 3), layer="clinic")
    response = analyst.generic(
        "PATCH", seen["address"], json.dumps(body), content_type="application/json", headers={"If-Match": "*"}
    )
    told(response, 400)
    assert told(analyst.get(seen["address"]), 200)["version"] == seen["version"]


def test_options_that_fit_nothing_end_in_words(analyst: Client, tmp_path: Path) -> None:
    seen = examined(analyst, points_file(tmp_path / "a.gpkg", 5), layer="clinic")
    for options in (
        {"layer": "nothing"}, {"source_epsg": 999_999}, {"fields": ["nothing"]}, {"name_field": "nothing"},
        {"x_field": "a", "y_field": "b"}, {"wkt_field": "a"}, {"code_field": "cap"}, {"band": 7}, {"scale": 1e6}, {"swap_xy": True},
        {"encoding": "no-such-codec"}, {"non_negative": True},
    ):  # fmt: skip
        version = Upload.objects.get(pk=seen["id"]).version
        told(send(analyst, "PATCH", seen["address"], {"options": options}, version), 200)
        upload = worked(Upload.objects.get(pk=seen["id"]))
        assert upload.state == "examined", (options, upload.problem)
        if not upload.report["is_loadable"]:
            assert upload.report["problems"][0]["remedy"], options
    rules = [{"source": "cap", "name": "x", "type": "integer", "unit_from": "bananas", "unit_to": "m"}]
    version = Upload.objects.get(pk=seen["id"]).version
    told(send(analyst, "PATCH", seen["address"], {"options": {}, "mapping": rules}, version), 200)
    assert not worked(Upload.objects.get(pk=seen["id"])).report["is_loadable"]


# ---------------------------------------------------------------- rights

PEOPLE = {
    "anonymous": (401, 401), "viewer": (403, 404), "reporter": (403, 404), "agency": (403, 404),
    "supervisor": (403, 404), "planner_elsewhere": (403, 404), "analyst": (201, 200), "planner": (201, 200),
    "administrator": (201, 200),
}  # fmt: skip


@pytest.mark.parametrize("name", PEOPLE)
def test_rights(client_as: Callable[[str], Client], analyst: Client, tmp_path: Path, name: str) -> None:
    client, (bringing, seeing) = client_as(name), PEOPLE[name]
    path = points_file(tmp_path / "a.geojson", 3)
    told(posted(client, path, layer="clinic"), bringing)
    seen = examined(analyst, path, layer="clinic")
    key = "00000000-0000-4000-8000-000000000000"
    missing = seen["address"].replace(seen["id"], key)
    for method, suffix, ok in (
        ("GET", "", 200),
        ("PATCH", "", 428),
        ("POST", "/store", 428),
        ("GET", "/preview.geojson", 200),
    ):
        status = ok if seeing == 200 else seeing
        there, not_there = (send(client, method, f"{at}{suffix}") for at in (seen["address"], missing))
        assert there.status_code == status, (method, suffix)
        assert not_there.status_code == (404 if seeing == 200 else seeing)
        if seeing != 200:
            assert there.content.replace(seen["id"].encode(), b"") == not_there.content.replace(key.encode(), b"")
    if seeing != 200:
        told(send(client, "POST", f"{seen['address']}/cancel"), seeing)
        assert told(analyst.get(seen["address"]), 200)["state"] == "examined"


def test_a_file_is_taken_from_pages_of_this_site_only(personas: dict[str, Any], tmp_path: Path) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(personas["analyst"])
    path = points_file(tmp_path / "a.geojson", 3)
    assert told(posted(client, path, layer="clinic"), 403)["code"] == "csrf"
    client.get("/accounts/login/")
    token = client.get("/khorramabad/").wsgi_request.META.get("CSRF_COOKIE") or "x" * 32
    client.cookies["csrftoken"] = token
    data = {"file": SimpleUploadedFile("a.geojson", path.read_bytes()), "layer": "clinic"}
    sent = client.post("/api/v1/cities/khorramabad/uploads", data, headers={"X-CSRFToken": token})
    told(sent, 201)


def test_an_archived_layer_takes_nothing_more(analyst: Client, demo_city: Place, tmp_path: Path) -> None:
    from django.utils import timezone

    Layer.objects.filter(city=demo_city, code="clinic").update(archived_at=timezone.now())
    assert told(posted(analyst, points_file(tmp_path / "a.geojson", 3), layer="clinic"), 404)["code"] == "unknown_layer"


def test_the_interface_describes_itself(analyst: Client) -> None:
    described = json.loads(analyst.get("/api/v1/openapi.json").content)
    post = described["paths"]["/api/v1/cities/{city}/uploads"]["post"]
    form = post["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["properties"]["file"]["format"] == "binary"
    patch = described["paths"]["/api/v1/uploads/{upload}"]["patch"]["requestBody"]["content"]["application/json"][
        "schema"
    ]
    assert "$ref" not in json.dumps(patch)
