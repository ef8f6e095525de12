"""An upload from the moment it comes in to the release made of it; the worker's part is done here, in the test's transaction."""

from __future__ import annotations

import json
import os
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import shapely
from django.conf import settings
from django.db import IntegrityError
from django.utils import timezone

from geo.errors import Conflict, InvalidInput, LimitExceeded, NotFound
from geo.models import Place
from layers.jobs.process import Outcome
from layers.models import Feature, FieldMapping, Layer, Release, Theme, Upload
from layers.selectors import city_places, file_of, folder_of, made_of, upload_get, uploads_of
from layers.services import uploads as services
from layers.services.uploads import (
    MOST_OPEN,
    incoming_folder,
    safe_name,
    upload_cancel,
    upload_change,
    upload_create,
    upload_store,
    upload_stored,
    uploads_sweep,
)
from layers.tasks import MOST_CRASHES, MOST_TRIES, WorkerStopsError, outcome_keep
from tests.db.bringing import broken_file, points_file, raster_file, received, worked

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_files_left")]

NEW = {"code": "wells", "theme": "health", "name_fa": "چاه‌ها", "name_en": "Wells", "source": "Water company"}


@pytest.fixture
def analyst(personas: dict[str, Any]) -> Any:
    return personas["analyst"]


def brought(city: Place, author: Any, path: Path, **more: Any) -> Upload:
    said = {"new_layer": NEW, "reference_date": date(2026, 3, 21)} | more
    return upload_create(city=city, author=author, received=received(path), **said)


# ---------------------------------------------------------------- the whole way


def test_a_file_is_examined_and_stored_as_a_new_layer(demo_city: Place, analyst: Any, tmp_path: Path) -> None:
    said = NEW | {"key_field": "cap", "owner": "Ministry"}
    upload = brought(demo_city, analyst, points_file(tmp_path / "چاه ها.gpkg", 30), new_layer=said)
    assert (upload.state, upload.version) == ("received", 1)
    assert upload.file_name == "چاه ها.gpkg"
    assert file_of(upload).parent == folder_of(upload.pk)

    upload = worked(upload)
    report = upload.report
    assert upload.state == "examined"
    assert report["is_loadable"]
    assert (report["format"], report["kind"], report["n_rows"], report["crs"]["epsg"]) == ("GPKG", "point", 30, 4326)
    assert [field["name"] for field in report["fields"]] == ["نام", "cap"]
    assert report["fields"][1]["filled"] == 30
    assert report["preview"]["columns"][:2] == ["#", "name"]
    assert report["preview"]["rows"][0][:2] == [1, "چیز 1"]
    assert len(json.loads(made_of(upload, "preview.geojson"))["features"]) == 30
    assert json.loads(made_of(upload, "problems.geojson"))["features"] == []
    assert not Layer.objects.filter(city=demo_city, code="wells").exists(), "Nothing is made before it is stored."

    upload = worked(upload_store(upload, upload.version))
    assert upload.state == "stored"
    assert upload.release is not None
    layer = upload.release.layer
    assert (layer.code, layer.kind, layer.visibility, layer.name_fa) == ("wells", "point", "assigned", "چاه‌ها")
    assert (layer.key_field, layer.owner) == ("cap", "Ministry")
    assert upload.release.reference_date == date(2026, 3, 21)
    assert upload.release.file_name == "چاه ها.gpkg"
    rows = Feature.objects.of(upload.release)
    assert rows.count() == 30
    first = rows.get(number=1)
    assert (first.name, first.attributes["cap"]) == ("چیز 1", 0)
    assert not folder_of(upload.pk).exists(), "The file is not kept."


def test_the_same_again_makes_no_second_release(demo_city: Place, analyst: Any, tmp_path: Path) -> None:
    path = points_file(tmp_path / "wells.gpkg")
    first = worked(brought(demo_city, analyst, path))
    first = worked(upload_store(first, first.version))
    second = worked(brought(demo_city, analyst, path, layer=first.layer, new_layer=None))
    second = worked(upload_store(second, second.version))
    assert second.state == "stored"
    assert second.release == first.release
    assert first.layer.releases.count() == 1


def test_the_difference_to_the_last_release_is_estimated(demo_city: Place, analyst: Any, tmp_path: Path) -> None:
    first = worked(brought(demo_city, analyst, points_file(tmp_path / "wells.gpkg", 20)))
    assert "difference" not in first.report
    first = worked(upload_store(first, first.version))
    path = points_file(tmp_path / "later.gpkg", 25, seed=2)
    second = worked(brought(demo_city, analyst, path, layer=first.layer, new_layer=None))
    told = second.report["difference"]
    assert (told["release"], told["rows_before"], told["rows_now"]) == (1, 20, 25)
    assert told["added"]["count"] == 5
    assert told["removed"]["count"] == 0
    assert told["moved"]["count"] == 20
    same = worked(brought(demo_city, analyst, points_file(tmp_path / "s.gpkg", 18), layer=first.layer, new_layer=None))
    told = same.report["difference"]
    assert [told[name]["count"] for name in ("added", "removed")] == [0, 2]
    gone = [first.release.features.get(number=number) for number in (19, 20)]
    assert told["removed"]["examples"] == [
        {"name": one.name, "lon": round(one.geometry.x, 6), "lat": round(one.geometry.y, 6)} for one in gone
    ]


def test_a_raster_goes_the_same_way(demo_city: Place, analyst: Any, tmp_path: Path) -> None:
    upload = worked(brought(demo_city, analyst, raster_file(tmp_path / "people.tif", value=2)))
    assert upload.state == "examined", upload.problem
    assert upload.report["kind"] == "raster"
    assert upload.report["raster"]["total"] == pytest.approx(6000)
    upload = worked(upload_store(upload, upload.version))
    assert upload.state == "stored", upload.problem
    assert upload.release.raster.total == pytest.approx(6000)
    assert (settings.RASTER_DIR / upload.release.raster.file).is_file()


# ---------------------------------------------------------------- what is wrong with the file


def test_a_fault_is_told_with_its_place_and_nothing_is_stored(demo_city: Place, analyst: Any, tmp_path: Path) -> None:
    upload = worked(brought(demo_city, analyst, broken_file(tmp_path / "broken.geojson")))
    assert upload.state == "examined"
    assert not upload.report["is_loadable"]
    fault = next(one for one in upload.report["problems"] if one["severity"] == "error")
    assert fault["row"] == 2
    assert fault["lon"] == pytest.approx(48.31)
    assert "repair" in fault["remedy"]
    shown = json.loads(made_of(upload, "problems.geojson"))["features"]
    assert {one["properties"]["row"] for one in shown} == {2}
    with pytest.raises(Conflict) as refused:
        upload_store(upload, upload.version)
    assert refused.value.code == "not_loadable"

    upload = worked(upload_change(upload, upload.version, options={"repair": True}))
    assert upload.report["is_loadable"]
    assert upload.report["counts"]["repaired"]
    upload = worked(upload_store(upload, upload.version))
    assert upload.state == "stored", upload.problem
    assert all(shape.geometry.valid for shape in Feature.objects.of(upload.release))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.zip", b"PK\x05\x06" + b"\0" * 18),
        ("x.vrt", b'<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'),
        ("x.gpkg", b"SQLite format 3\0" + b"\xff" * 5000),
        ("noise.bin", bytes(range(256)) * 20),
        ("x.geojson", b'{"type": "FeatureCollection", "features": ['),
    ],
)  # fmt: skip
def test_a_hostile_file_ends_in_words(
    demo_city: Place, analyst: Any, tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    upload = worked(brought(demo_city, analyst, tmp_path / name))
    assert upload.state == "examined", upload.problem
    assert not upload.report["is_loadable"]
    assert upload.report["problems"][0]["message"].endswith(".")
    assert str(tmp_path) not in json.dumps(upload.report)
    assert str(settings.UPLOAD_DIR) not in json.dumps(upload.report)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../../etc/passwd", "passwd"),
        ("..", "file"),
        (".htaccess", "htaccess"),
        ("a\\b\\محله.SHP.ZIP", "محله.SHP.zip"),
        ("x" * 300 + ".geojson", "x" * 60 + ".geojson"),
        ("/vsicurl/http://evil/a.tif", "a.tif"),
        ("a;rm -rf $(x)`.csv", "a_rm_-rf_x_.csv"),
        ("\u202egpj.exe", "gpj.exe"),
        ("preview.geojson", "preview.geojson"),
        ("work", "work_"),
    ],
)
def test_names_of_others_never_become_paths(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_a_file_called_like_one_of_ours_is_kept_apart(demo_city: Place, analyst: Any, tmp_path: Path) -> None:
    upload = worked(brought(demo_city, analyst, points_file(tmp_path / "preview.geojson", 5)))
    assert upload.report["is_loadable"], upload.report
    assert len(json.loads(made_of(upload, "preview.geojson"))["features"]) == 5
    assert worked(upload_store(upload, upload.version)).state == "stored"


# ---------------------------------------------------------------- changing one's mind


def test_other_options_have_it_examined_again(demo_city: Place, analyst: Any, tmp_path: Path) -> None:
    upload = worked(brought(demo_city, analyst, points_file(tmp_path / "wells.gpkg")))
    before = upload.version
    rules = [
        {"source": "نام", "name": "name_fa", "type": "text", "keep": True},
        {"source": "cap", "name": "capacity", "type": "number", "keep": True},
    ]
    upload = upload_change(upload, before, mapping=rules)
    assert upload.state == "received"
    assert upload.version > before
    assert upload.report == {}
    upload = worked(upload)
    assert [field["becomes"]["name"] for field in upload.report["fields"]] == ["name_fa", "capacity"]
    with pytest.raises(Conflict) as refused:
        upload_change(upload, before, mapping=rules)
    assert refused.value.code == "stale_version"
    upload = worked(upload_store(upload, upload.version))
    assert upload.state == "stored", upload.problem
    assert set(Feature.objects.of(upload.release).get(number=2).attributes) == {"name_fa", "capacity"}


def test_an_organisations_mapping_is_kept_and_suggested_again(demo_city: Place, analyst: Any, tmp_path: Path) -> None:
    first = worked(brought(demo_city, analyst, points_file(tmp_path / "a.gpkg"), organisation="water-company"))
    rules = [{"source": "نام", "name": "نام", "keep": True}, {"source": "cap", "name": "capacity", "keep": True}]
    first = worked(upload_change(first, first.version, mapping=rules))
    first = worked(upload_store(first, first.version))
    kept = FieldMapping.objects.get(layer=first.layer)
    assert (kept.organisation, kept.mapping[1]["name"]) == ("water-company", "capacity")

    def again(name: str, organisation: str) -> dict[str, Any]:
        path = points_file(tmp_path / name, seed=3)
        made = worked(brought(demo_city, analyst, path, layer=first.layer, new_layer=None, organisation=organisation))
        return made.report

    same = again("b.gpkg", "water-company")
    assert same["is_mapping_kept"]
    assert same["mapping"][1]["name"] == "capacity"
    other = again("c.gpkg", "somebody-else")
    assert not other["is_mapping_kept"]
    assert other["mapping"][1]["name"] == "cap"


def test_a_layers_fields_are_what_columns_are_mapped_to(demo_city: Place, analyst: Any, tmp_path: Path) -> None:
    layer = Layer.objects.create(
        city=demo_city, theme=Theme.objects.get(code="health"), code="wells", kind="point", name_fa="چاه", name_en="Wells",
        source="x", schema=[{"name": "capacity", "type": "integer", "title_fa": "ظرفيت", "title_en": "Cap"}],
    )  # fmt: skip
    upload = worked(brought(demo_city, analyst, points_file(tmp_path / "a.gpkg"), layer=layer, new_layer=None))
    rule = upload.mapping[1]
    assert (rule["source"], rule["name"], rule["type"]) == ("cap", "capacity", "integer")


def test_a_kind_that_does_not_fit_the_layer_is_refused(demo_city: Place, analyst: Any, tmp_path: Path) -> None:
    roads = Layer.objects.get(city=demo_city, code="roads")
    before = roads.releases.count()
    upload = worked(brought(demo_city, analyst, points_file(tmp_path / "a.gpkg"), layer=roads, new_layer=None))
    assert not upload.report["is_loadable"]
    upload = worked(brought(demo_city, analyst, raster_file(tmp_path / "a.tif"), layer=roads, new_layer=None))
    upload = worked(upload_store(upload, upload.version))
    assert (upload.state, upload.problem["code"], upload.problem["status"]) == ("failed", "kind_changed", 400)
    assert roads.releases.count() == before
    upload = worked(upload_change(upload, upload.version, new_layer={**NEW, "code": "people"}))
    assert worked(upload_store(upload, upload.version)).state == "stored"


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"code": "Big Code"}, "new_layer.code"),
        ({"theme": "nothing"}, "new_layer.theme"),
        ({"name_fa": 5}, "new_layer.name_fa"),
        ({"source": "x" * 301}, "new_layer.source"),
        ({"visibility": "all"}, "new_layer.visibility"),
        ({"kind": "point"}, "new_layer.kind"),
    ],
)
def test_a_new_layer_is_checked_when_it_is_said(
    demo_city: Place, analyst: Any, tmp_path: Path, change: dict[str, Any], where: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        brought(demo_city, analyst, points_file(tmp_path / "a.gpkg"), new_layer=NEW | change)
    assert refused.value.where == where
    assert refused.value.remedy
    assert not Upload.objects.exists()


def test_what_a_new_layer_lacks_is_named(demo_city: Place, analyst: Any, tmp_path: Path) -> None:
    said = {name: value for name, value in NEW.items() if name != "source"}
    upload = worked(brought(demo_city, analyst, points_file(tmp_path / "a.gpkg"), new_layer=said, reference_date=None))
    with pytest.raises(InvalidInput) as refused:
        upload_store(upload, upload.version)
    assert refused.value.code == "layer_missing"
    assert refused.value.details["missing"] == ["source", "reference_date"]
    upload.refresh_from_db()
    assert upload.state == "examined"


def test_a_layers_code_taken_meanwhile_fails_with_words(demo_city: Place, analyst: Any, tmp_path: Path) -> None:
    one = worked(brought(demo_city, analyst, points_file(tmp_path / "a.gpkg")))
    two = worked(brought(demo_city, analyst, points_file(tmp_path / "b.gpkg", seed=2)))
    one, two = upload_store(one, one.version), upload_store(two, two.version)
    assert worked(one).state == "stored"
    two = worked(two)
    assert (two.state, two.problem["code"], two.problem["status"]) == ("failed", "layer_exists", 409)
    assert Layer.objects.get(city=demo_city, code="wells").releases.count() == 1
    with pytest.raises(Conflict):
        brought(demo_city, analyst, points_file(tmp_path / "c.gpkg"))


# ---------------------------------------------------------------- giving up, and coming too late


@pytest.mark.parametrize("state", ["received", "examining", "examined", "storing", "failed"])
def test_it_can_be_cancelled_in_every_state(demo_city: Place, analyst: Any, tmp_path: Path, state: str) -> None:
    upload = brought(demo_city, analyst, points_file(tmp_path / "a.gpkg"))
    if state in ("examined", "storing"):
        upload = worked(upload)
    if state == "storing":
        upload = upload_store(upload, upload.version)
    if state in ("examining", "failed"):
        Upload.objects.filter(pk=upload.pk).update(state=state)
        upload.refresh_from_db()
    job = upload.job
    cancelled = upload_cancel(upload)
    assert (cancelled.state, cancelled.job) == ("cancelled", None)
    late: list[str] = []
    if job is not None:
        for running in (Upload.State.EXAMINING, Upload.State.STORING):
            outcome_keep(upload.pk, job, running, 0, lambda _: late.append("done") or Outcome("result", {}))
    assert late == [], "A job that was ordered before does nothing any more."
    upload.refresh_from_db()
    assert upload.state == "cancelled"
    assert upload_cancel(upload).state == "cancelled", "Twice is as good as once."
    with pytest.raises(Conflict):
        upload_change(upload, upload.version, options={})
    assert not Release.objects.filter(layer__code="wells").exists()


def test_what_is_stored_cannot_be_cancelled(demo_city: Place, analyst: Any, tmp_path: Path) -> None:
    upload = worked(brought(demo_city, analyst, points_file(tmp_path / "a.gpkg")))
    upload = worked(upload_store(upload, upload.version))
    with pytest.raises(Conflict) as refused:
        upload_cancel(upload)
    assert refused.value.code == "wrong_state"
    upload.refresh_from_db()
    assert upload.state == "stored"


def test_storing_cannot_be_said_once_it_was_cancelled(demo_city: Place, analyst: Any, tmp_path: Path) -> None:
    """The last word of the transaction that stores: what was cancelled up to then is not stored."""
    upload = worked(brought(demo_city, analyst, points_file(tmp_path / "a.gpkg")))
    upload = upload_store(upload, upload.version)
    job, roads = upload.job, Layer.objects.get(city=demo_city, code="roads")
    upload_cancel(Upload.objects.get(pk=upload.pk))
    with pytest.raises(Conflict):
        upload_stored(upload, job, roads, roads.releases.first())


def test_an_examination_of_older_options_is_not_kept(demo_city: Place, analyst: Any, tmp_path: Path) -> None:
    upload = brought(demo_city, analyst, points_file(tmp_path / "a.gpkg"))
    old_job = upload.job
    services.upload_begin(upload.pk, old_job, "examining")
    upload = upload_change(Upload.objects.get(pk=upload.pk), upload.version, options={"repair": True})
    assert upload.job != old_job
    assert not services.upload_progress(upload.pk, old_job, "read", 5, 10)
    assert not services.upload_examined(upload.pk, old_job, {"is_loadable": True})
    assert not services.upload_failed(upload.pk, old_job, {"title": "x"})
    upload.refresh_from_db()
    assert (upload.state, upload.report) == ("received", {})


def test_nothing_is_stored_before_it_is_examined(demo_city: Place, analyst: Any, tmp_path: Path) -> None:
    upload = brought(demo_city, analyst, points_file(tmp_path / "a.gpkg"))
    with pytest.raises(Conflict) as refused:
        upload_store(upload, upload.version)
    assert refused.value.code == "wrong_state"


# ---------------------------------------------------------------- what the worker makes of an end without a word


@pytest.mark.parametrize(
    ("outcome", "code", "status"),
    [
        (Outcome("exhausted", "memory"), "too_much_memory", 413),
        (Outcome("exhausted", "disk"), "too_much_disk", 413),
        (Outcome("late", 60), "too_much_time", 413),
        (Outcome("bug", "Traceback …"), "reading_broke_down", 400),
        (Outcome("problem", {"code": "x", "title": "X.", "status": 400}), "x", 400),
    ],
)
def test_a_failure_is_told_in_words(
    demo_city: Place, analyst: Any, tmp_path: Path, outcome: Outcome, code: str, status: int
) -> None:
    upload = brought(demo_city, analyst, points_file(tmp_path / "a.gpkg"))
    outcome_keep(upload.pk, upload.job, Upload.State.EXAMINING, 0, lambda _: outcome)
    upload.refresh_from_db()
    assert (upload.state, upload.problem["code"], upload.problem["status"]) == ("failed", code, status)
    assert upload.job is None
    assert "Traceback" not in json.dumps(upload.problem)
    assert worked(upload_change(upload, upload.version, options={})).state == "examined"


def test_an_end_without_a_word_is_tried_again_but_not_for_ever(demo_city: Place, analyst: Any, tmp_path: Path) -> None:
    upload = brought(demo_city, analyst, points_file(tmp_path / "a.gpkg"))

    def keep(attempts: int, kind: str) -> None:
        outcome_keep(upload.pk, upload.job, Upload.State.EXAMINING, attempts, lambda _: Outcome(kind, -9))

    for attempts in range(MOST_CRASHES - 1):
        with pytest.raises(WorkerStopsError):
            keep(attempts, "died")
    with pytest.raises(WorkerStopsError):
        keep(MOST_CRASHES + 1, "again")
    upload.refresh_from_db()
    assert upload.state == "examining"
    keep(MOST_CRASHES - 1, "died")
    upload.refresh_from_db()
    assert (upload.state, upload.problem["code"]) == ("failed", "reading_broke_down")
    upload = upload_change(upload, upload.version, options={})
    keep(MOST_TRIES, "result")
    upload.refresh_from_db()
    assert (upload.state, upload.problem["code"]) == ("failed", "gave_up")


# ---------------------------------------------------------------- limits, rights, sweeping


def test_one_person_has_only_so_many_open(demo_city: Place, analyst: Any, tmp_path: Path) -> None:
    path = points_file(tmp_path / "a.geojson", 2)
    made = [brought(demo_city, analyst, path, new_layer={}) for _ in range(MOST_OPEN)]
    with pytest.raises(LimitExceeded) as refused:
        brought(demo_city, analyst, path, new_layer={})
    assert refused.value.code == "too_many_uploads"
    upload_cancel(made[0])
    brought(demo_city, analyst, path, new_layer={})


@pytest.mark.parametrize(
    ("name", "sees"),
    [
        ("anonymous", False), ("viewer", False), ("reporter", False), ("agency", False), ("supervisor", False),
        ("planner_elsewhere", False), ("analyst", True), ("planner", True), ("administrator", True),
    ],
)  # fmt: skip
def test_uploads_are_seen_by_those_who_bring_data(
    demo_city: Place, personas: dict[str, Any], tmp_path: Path, name: str, sees: bool
) -> None:
    upload = brought(demo_city, personas["analyst"], points_file(tmp_path / "a.geojson", 2))
    assert (upload in uploads_of(demo_city, personas[name])) == sees
    if sees:
        assert upload_get(upload.pk, personas[name]) == upload
        return
    with pytest.raises(NotFound) as hidden:
        upload_get(upload.pk, personas[name])
    missing_key = type(upload)().pk
    with pytest.raises(NotFound) as missing:
        upload_get(missing_key, personas[name])
    assert str(hidden.value).replace(str(upload.pk), "") == str(missing.value).replace(str(missing_key), "")


def test_the_sweep_takes_what_nobody_needs(demo_city: Place, analyst: Any, tmp_path: Path) -> None:
    path = points_file(tmp_path / "a.geojson", 3)
    waiting = brought(demo_city, analyst, path, new_layer={})
    fresh = worked(brought(demo_city, analyst, path, new_layer={}))
    forgotten = worked(brought(demo_city, analyst, path, new_layer={}))
    failed = worked(brought(demo_city, analyst, path, new_layer={}))
    left = brought(demo_city, analyst, path, new_layer={})
    Upload.objects.filter(pk=left.pk).update(state="cancelled")
    long_ago = timezone.now() - timedelta(days=8)
    Upload.objects.filter(pk=failed.pk).update(state="failed", updated_at=long_ago)
    Upload.objects.filter(pk__in=[forgotten.pk, waiting.pk]).update(updated_at=long_ago)
    orphan, young = folder_of(type(left)().pk), folder_of(type(left)().pk)
    for folder in (orphan, young):
        folder.mkdir()
        (folder / "x").write_bytes(b"x")
    old_part, new_part = incoming_folder() / "part-old", incoming_folder() / "part-new"
    for part in (old_part, new_part):
        part.write_bytes(b"x")
    for old in (orphan, old_part):
        os.utime(old, (time.time() - 1e5,) * 2)
    settings.RASTER_DIR.mkdir(parents=True, exist_ok=True)
    dead, alive = settings.RASTER_DIR / ".part-999999999-x.tif", settings.RASTER_DIR / f".part-{os.getpid()}-x.tif"
    for part in (dead, alive):
        part.write_bytes(b"x")

    uploads_sweep()

    there = {folder.name for folder in Path(settings.UPLOAD_DIR).iterdir()}
    assert {str(waiting.pk), str(fresh.pk), young.name, "incoming"} == there
    assert (old_part.exists(), new_part.exists()) == (False, True)
    assert (dead.exists(), alive.exists()) == (False, True)
    alive.unlink()
    (young / "x").unlink()
    young.rmdir()
    forgotten.refresh_from_db()
    assert forgotten.state == "cancelled"
    failed.refresh_from_db()
    with pytest.raises(NotFound) as gone:
        file_of(failed)
    assert gone.value.code == "upload_gone"


def test_an_upload_whose_file_is_gone_says_so(demo_city: Place, analyst: Any, tmp_path: Path) -> None:
    upload = brought(demo_city, analyst, points_file(tmp_path / "a.geojson", 2))
    services.folder_remove(upload.pk)
    folder_of(upload.pk).mkdir()
    upload = worked(upload)
    assert (upload.state, upload.problem["code"], upload.problem["status"]) == ("failed", "upload_gone", 404)


def test_a_file_that_cannot_be_registered_is_not_kept(demo_city: Place, tmp_path: Path) -> None:
    came = received(points_file(tmp_path / "a.geojson", 2))
    before = set(Path(settings.UPLOAD_DIR).iterdir())
    with pytest.raises(IntegrityError):
        upload_create(city=demo_city, author=None, received=came)
    assert set(Path(settings.UPLOAD_DIR).iterdir()) == before


def test_places_of_a_city_are_found_by_code_and_name(demo_city: Place) -> None:
    known = city_places(demo_city)
    some = Place.objects.filter(path__startswith=f"{demo_city.path}/", kind="neighbourhood").first()
    assert some is not None
    at = known.find(some.code).at
    assert (known.partners[at].code, known.find(some.name_fa).at) == (some.code, at)
    assert isinstance(known.partners[at].geometry, shapely.Geometry)
