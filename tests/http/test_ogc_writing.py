"""Writing through OGC API – Features Part 4: drafts, preconditions, rights, reference systems, and hostile bodies."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace
from typing import Any

import pytest
import shapely
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from shapely.geometry import mapping, shape

from geo.core.crs import project
from geo.core.validity import MAX_VERTICES
from geo.models import Assignment, Boundary, ChangeSet, Place
from geo.services import change_set_approve, change_set_propose
from tests.http.test_ogc import CRS84, EPSG, GEOJSON, ITEMS, cell, place_of, refused

pytestmark = pytest.mark.django_db

MERGE_PATCH = "application/merge-patch+json"
PASSWORD = "a-long-password-for-tests"  # noqa: S105


@pytest.fixture
def town(db: None, settings: Any) -> Any:
    """Two neighbourhoods side by side, planners of the town and of elsewhere, and a viewer."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # its cost is not what is tested
    country = place_of(None, "ogcland", "country")
    city = place_of(country, "ogctown", "city", cell(0, 0).buffer(0.05))
    quarters = {f"q{i}": place_of(city, f"q{i}", "neighbourhood", cell(i, 0)) for i in (0, 1)}
    place_of(city, "zzhush", "settlement", cell(5, 5), is_published=False)
    elsewhere = place_of(country, "elsewhere", "city")
    people = {}
    for name, role, place in (
        ("planner", "planner", city), ("second", "planner", city), ("viewer", "viewer", city), ("stranger", "planner", elsewhere),
    ):  # fmt: skip
        people[name] = User.objects.create_user(f"ogc-{name}", password=PASSWORD)
        Assignment.objects.create(user=people[name], role=role, place=place)
    return SimpleNamespace(city=city, quarters=quarters, people=people, prefix="ogcland.ogctown")


def basic(name: str, password: str = PASSWORD) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


PLANNER = basic("ogc-planner")


def send(
    method: str,
    path: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
    content_type: str = GEOJSON,
    **more: Any,
) -> Any:
    client = more.pop("client", None) or Client(enforce_csrf_checks=True)
    data = body if isinstance(body, str | bytes) else json.dumps(body) if body is not None else ""
    return client.generic(method, path, data, content_type=content_type, headers=headers or {}, **more)


def feature(geometry: Any, **properties: Any) -> dict[str, Any]:
    drawn = mapping(geometry) if isinstance(geometry, shapely.Geometry) else geometry
    return {"type": "Feature", "geometry": drawn, "properties": properties}


NEW = {
    "code": "n9",
    "city": "ogctown",
    "name_fa": "نو",
    "name_en": "New",
    "source": "walk of 1404",
    "kind": "settlement",
}


def tag_of(identifier: str, **headers: str) -> str:
    tag: str = Client().get(f"{ITEMS}/{identifier}", headers=headers or PLANNER)["ETag"]
    return tag


def moved(i: int = 1) -> shapely.Polygon:
    """A neighbourhood with its free side pushed outwards."""
    x0, y0, x1, y1 = cell(i, 0).bounds
    return shapely.Polygon([(x0, y0), (x1 + 0.002, y0), (x1 + 0.002, y1), (x0, y1)])


# ---------------------------------------------------------------- what a write does


def test_a_new_place_is_a_draft_at_its_location(town: Any) -> None:
    response = send("POST", ITEMS, feature(cell(7, 7), **NEW), PLANNER)
    assert response.status_code == 201, response.content
    made = response.json()
    edition = Boundary.objects.get(place__code="n9")
    assert made["id"] == f"{town.prefix}.n9@{edition.pk}"
    assert response["Location"] == f"http://testserver{ITEMS}/{made['id']}"
    assert made["properties"]["status"] == "draft"
    assert made["properties"]["name_fa"] == "نو"
    assert made["changeSet"]["status"] == "draft"
    change_set = ChangeSet.objects.get(pk=made["changeSet"]["id"])
    assert (change_set.author, change_set.place) == (town.people["planner"], town.city)
    assert edition.change_set == change_set
    assert not edition.place.is_published
    again = Client().get(response["Location"], headers=PLANNER)
    assert again["ETag"] == response["ETag"]
    assert shape(again.json()["geometry"]).equals(cell(7, 7))
    assert Client().get(response["Location"]).status_code == 404  # nobody else sees it


def test_a_replacement_waits_for_approval_and_then_is_in_force(town: Any) -> None:
    identifier = f"{town.prefix}.q1"
    before = Client().get(f"{ITEMS}/{identifier}").json()
    body = {**before, "geometry": mapping(moved()), "properties": {**before["properties"], "source": "survey of 1404"}}
    response = send("PUT", f"{ITEMS}/{identifier}", body, {**PLANNER, "If-Match": tag_of(identifier)})
    assert response.status_code == 202, response.content
    draft = response.json()
    assert draft["id"].startswith(f"{identifier}@")
    assert response["Location"].endswith(draft["id"])
    assert draft["properties"] | {"open_changes": 0, "version": 0, "edition": 0, "etag": ""} == before["properties"] | {
        "status": "draft", "source": "survey of 1404", "valid_from": timezone.localdate().isoformat(), "version": 0,
        "edition": 0, "open_changes": 0, "etag": "",
    }  # fmt: skip
    assert (
        Client().get(f"{ITEMS}/{identifier}").json() == before
    )  # the public sees what is in force, and no count of drafts
    change_set = ChangeSet.objects.get(pk=draft["changeSet"]["id"])
    change_set_propose(change_set, town.people["planner"], change_set.version, "")
    change_set.refresh_from_db()
    change_set_approve(change_set, town.people["second"], change_set.version, "")
    after = Client().get(f"{ITEMS}/{identifier}").json()
    assert shape(after["geometry"]).equals(moved())
    assert after["properties"]["source"] == "survey of 1404"
    assert after["properties"]["status"] == "approved"


def test_a_merge_patch_changes_what_it_names_alone(town: Any) -> None:
    identifier = f"{town.prefix}.q1"
    response = send(
        "PATCH", f"{ITEMS}/{identifier}", {"properties": {"certainty": "surveyed"}},
        {**PLANNER, "If-Match": tag_of(identifier)}, MERGE_PATCH,
    )  # fmt: skip
    assert response.status_code == 202, response.content
    draft = response.json()
    assert draft["properties"]["certainty"] == "surveyed"
    assert draft["properties"]["source"] == "survey of 1399"
    assert shape(draft["geometry"]).equals(cell(1, 0))
    response = send(
        "PATCH",
        f"{ITEMS}/{identifier}",
        {"geometry": mapping(moved())},
        {**PLANNER, "If-Match": tag_of(identifier)},
        MERGE_PATCH,
    )
    assert response.status_code == 202
    assert response.json()["properties"]["certainty"] == "modelled"


def test_a_removal_drafts_the_end_of_the_place(town: Any) -> None:
    identifier = f"{town.prefix}.q1"
    response = send("DELETE", f"{ITEMS}/{identifier}", None, {**PLANNER, "If-Match": tag_of(identifier)})
    assert response.status_code == 202, response.content
    (change,) = ChangeSet.objects.get(pk=response.json()["changeSet"]["id"]).changes.all()
    assert (change.kind, change.place) == ("ends", town.quarters["q1"])
    assert Client().get(f"{ITEMS}/{identifier}").status_code == 200


def test_a_draft_is_written_again_in_its_own_change_set(town: Any) -> None:
    made = send("POST", ITEMS, feature(cell(7, 7), **NEW), PLANNER)
    path, tag = made["Location"], made["ETag"]
    response = send("PUT", path, feature(cell(7, 8), name_en="Newer"), {**PLANNER, "If-Match": tag})
    assert response.status_code == 200, response.content
    again = response.json()
    assert again["id"] == made.json()["id"]
    assert again["changeSet"] == made.json()["changeSet"] | {"version": 2}
    assert again["properties"]["name_en"] == "Newer"
    assert (again["properties"]["name_fa"], again["properties"]["source"]) == ("نو", "walk of 1404")
    assert shape(again["geometry"]).equals(cell(7, 8))
    assert response["ETag"] != tag
    assert Client().get(path, headers=PLANNER)["ETag"] == response["ETag"]
    assert send("PUT", path, feature(cell(7, 9)), {**PLANNER, "If-Match": tag}).status_code == 412
    refused(send("DELETE", path, None, {**PLANNER, "If-Match": response["ETag"]}), 409)
    change_set = ChangeSet.objects.get(pk=again["changeSet"]["id"])
    change_set_propose(change_set, town.people["planner"], change_set.version, "")
    path_tag = Client().get(path, headers=PLANNER)["ETag"]
    refused(send("PUT", path, feature(cell(7, 9)), {**PLANNER, "If-Match": path_tag}), 409)


def test_what_is_as_it_was_makes_no_draft(town: Any) -> None:
    identifier = f"{town.prefix}.q0"
    body = Client().get(f"{ITEMS}/{identifier}").json()
    response = send("PUT", f"{ITEMS}/{identifier}", body, {**PLANNER, "If-Match": tag_of(identifier)})
    assert response.status_code == 200, response.content
    assert response.json()["id"] == identifier
    assert not ChangeSet.objects.filter(place=town.city).exists()


@pytest.mark.parametrize("epsg", [4326, 3857, 32639])
def test_bodies_in_other_reference_systems(town: Any, epsg: int) -> None:
    drawn = project(cell(7, 7), 4326, epsg)[0]
    if epsg == 4326:
        drawn = shapely.transform(drawn, lambda xy: xy[:, ::-1])
    for declared in (f"<{EPSG}{epsg}>", f"{EPSG}{epsg}"):  # QGIS leaves the brackets out
        code = f"n{epsg}{'b' if '<' in declared else ''}"
        headers = {**PLANNER, "Content-Crs": declared}
        response = send("POST", ITEMS, feature(drawn, **(NEW | {"code": code})), headers)
        assert response.status_code == 201, response.content
        assert response["Content-Crs"] == f"<{EPSG}{epsg}>"
        assert shapely.hausdorff_distance(shape(response.json()["geometry"]), drawn) < (1e-9 if epsg == 4326 else 0.05)
        stored = Boundary.objects.get(place__code=code).geometry
        assert shapely.hausdorff_distance(shapely.from_wkt(stored.wkt), cell(7, 7)) < 1e-6


# ---------------------------------------------------------------- preconditions


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_write_says_what_it_is_based_on(town: Any, method: str) -> None:
    path = f"{ITEMS}/{town.prefix}.q1"
    kind = MERGE_PATCH if method == "PATCH" else GEOJSON
    body = feature(moved())
    assert refused(send(method, path, body, PLANNER, kind), 428)["where"] == "If-Match"
    for stale in ('"0"', 'W/"1-x"', '"1-0.0"', "x", "W/" + tag_of(f"{town.prefix}.q1")):
        told = refused(send(method, path, body, {**PLANNER, "If-Match": stale}, kind), 412)
        assert "ETag" in told["remedy"]
    assert not ChangeSet.objects.filter(place=town.city).exists()
    for fresh in (
        tag_of(f"{town.prefix}.q1", **PLANNER, **{"Accept-Encoding": "gzip"}),
        f'"other", {tag_of(f"{town.prefix}.q1")}',
    ):
        assert send(method, path, body, {**PLANNER, "If-Match": fresh}, kind).status_code == 202
        ChangeSet.objects.filter(place=town.city).update(status="withdrawn")
    assert send(method, path, body, {**PLANNER, "If-Match": "*"}, kind).status_code == 202


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_the_property_etag_is_a_precondition_as_the_header_is(town: Any, method: str) -> None:
    path = f"{ITEMS}/{town.prefix}.q1"
    kind = MERGE_PATCH if method == "PATCH" else GEOJSON
    etag = Client().get(path, headers=PLANNER).json()["properties"]["etag"]
    assert tag_of(f"{town.prefix}.q1").startswith(f'"{etag}.')
    assert send(method, path, feature(moved(), etag=etag), PLANNER, kind).status_code == 202
    told = refused(send(method, path, feature(moved(), etag=etag, source="again"), PLANNER, kind), 412)
    assert told["code"] == "stale"
    for stale in (etag, "1-0", etag + ".0"):
        # What the body says holds, whatever the header says.
        refused(send(method, path, feature(moved(), etag=stale), {**PLANNER, "If-Match": "*"}, kind), 412)
    fresh = Client().get(path, headers=PLANNER).json()["properties"]["etag"]
    refused(send(method, path, feature(moved(), etag=fresh), {**PLANNER, "If-Match": '"1-0"'}, kind), 412)
    for nothing in ({}, {"etag": None}):
        told = refused(send(method, path, feature(moved(), **nothing), PLANNER, kind), 428)
        assert "If-Match" in told["remedy"]
        assert "etag" in told["remedy"]
        assert "API Header" in told["remedy"]
    for wrong in (1, "", [etag], "x" * 101):
        assert refused(send(method, path, feature(moved(), etag=wrong), PLANNER, kind))["where"] == "properties.etag"
    response = send(method, path, feature(moved(), etag=fresh), {**PLANNER, "If-Match": f'"{fresh}"'}, kind)
    assert response.status_code == 202, response.content


def test_a_removal_needs_the_header(town: Any) -> None:
    path = f"{ITEMS}/{town.prefix}.q1"
    body = Client().get(path, headers=PLANNER).json()
    refused(send("DELETE", path, body, PLANNER), 428)
    assert send("DELETE", path, None, {**PLANNER, "If-Match": "*"}).status_code == 202


def test_a_refused_write_says_why_in_its_reason_phrase(town: Any) -> None:
    """It is all that QGIS shows of it."""
    response = send("DELETE", f"{ITEMS}/{town.prefix}.q1", None, PLANNER)
    assert response.reason_phrase.startswith("Precondition Required: The write does not say")
    body = feature(cell(7, 7), **(NEW | {"certainty": "x\r\nSet-Cookie: a=b\tکوی"}))
    response = send("POST", ITEMS, body, PLANNER)
    assert response.status_code == 400
    assert response.reason_phrase.startswith("Bad Request: ")
    assert response.reason_phrase.isascii()
    assert response.reason_phrase.isprintable()
    assert len(response.reason_phrase) <= 400


def test_the_second_of_two_planners_is_told_of_the_first(town: Any) -> None:
    identifier = f"{town.prefix}.q1"
    path = f"{ITEMS}/{identifier}"
    mine, theirs = tag_of(identifier), tag_of(identifier, **basic("ogc-second"))
    assert mine == theirs
    assert send("PUT", path, feature(moved()), {**PLANNER, "If-Match": mine}).status_code == 202
    refused(send("PUT", path, feature(moved(), source="other"), {**basic("ogc-second"), "If-Match": theirs}), 412)
    seen = Client().get(path, headers=basic("ogc-second"))
    assert seen.json()["properties"]["open_changes"] == 1
    response = send("PUT", path, feature(moved(), source="other"), {**basic("ogc-second"), "If-Match": seen["ETag"]})
    assert response.status_code == 202
    assert response.json()["changeSet"]["contested"] == ["q1"]


def test_an_edition_replaced_meanwhile_is_stale(town: Any) -> None:
    identifier = f"{town.prefix}.q1"
    tag = tag_of(identifier)
    Boundary.objects.filter(place=town.quarters["q1"]).update(source="somebody else")
    refused(send("PUT", f"{ITEMS}/{identifier}", feature(moved()), {**PLANNER, "If-Match": tag}), 412)


def test_a_past_edition_is_not_written(town: Any) -> None:
    past = Boundary.objects.get(place=town.quarters["q1"])
    past.pk, past.valid = None, ("2001-01-01", "2002-01-01")
    past.save()
    path = f"{ITEMS}/{town.prefix}.q1@{past.pk}"
    tag = Client().get(path)["ETag"]
    assert send("PUT", path, feature(moved()), {**PLANNER, "If-Match": tag}).status_code == 412
    assert send("DELETE", path, None, {**PLANNER, "If-Match": tag}).status_code == 412


# ---------------------------------------------------------------- what QGIS needs


QGIS = {**PLANNER, "User-Agent": "Mozilla/5.0 QGIS/34006/Debian GNU/Linux 13 (trixie)"}


def replaced(path: str, read: dict[str, Any], geometry: Any = None, who: dict[str, str] = QGIS, **changed: Any) -> Any:
    """Replace a feature as QGIS does: all that was read, coordinates with six decimals, and no header If-Match."""
    drawn = mapping(shape(read["geometry"]) if geometry is None else geometry)
    body = {
        "geometry": json.loads(json.dumps(drawn), parse_float=lambda text: round(float(text), 6)),
        "id": read["id"], "properties": read["properties"] | changed, "type": "Feature",
    }  # fmt: skip
    return send("PUT", path, body, who)


def test_qgis_is_not_told_of_patch(town: Any) -> None:
    path = f"{ITEMS}/{town.prefix}.q1"
    assert Client().options(path, headers=QGIS)["Allow"] == "DELETE, GET, HEAD, OPTIONS, PUT"
    assert "PATCH" in Client().options(path, headers=PLANNER)["Allow"]
    assert Client().options(path, headers={"User-Agent": QGIS["User-Agent"]})["Allow"] == "GET, HEAD, OPTIONS"


def test_qgis_writes_what_it_read_step_by_step_into_one_draft(town: Any) -> None:
    path = f"{ITEMS}/{town.prefix}.q1"
    read = Client().get(path, headers=QGIS).json()
    first = replaced(path, read, moved())
    assert first.status_code == 202, first.content
    second = replaced(path, read, moved(), source="survey of 1404")
    assert second.status_code == 202, second.content
    third = replaced(path, read, moved(), source="survey of 1405", name_en="Renamed")
    drafts = [response.json() for response in (first, second, third)]
    assert len({draft["id"] for draft in drafts}) == 1
    assert [draft["changeSet"]["version"] for draft in drafts] == [1, 2, 3]
    assert drafts[2]["properties"]["source"] == "survey of 1405"
    assert drafts[2]["properties"]["name_en"] == "Renamed"
    assert shapely.hausdorff_distance(shape(drafts[2]["geometry"]), moved()) < 1e-9
    (change_set,) = ChangeSet.objects.filter(place=town.city)
    comments = list(change_set.reviews.order_by("pk").values_list("comment", flat=True))
    assert comments == [f"OGC API – Features {read['properties']['etag']}"] * 3
    # Reopened, the layer shows what is in force: what is changed then is a draft of its own.
    again = Client().get(path, headers=QGIS).json()
    assert again["properties"]["open_changes"] == 1
    assert replaced(path, again, source="other").json()["changeSet"]["contested"] == ["q1"]


def test_qgis_takes_nothing_back_that_it_does_not_know_of(town: Any) -> None:
    path = f"{ITEMS}/{town.prefix}.q1"
    read = Client().get(path, headers=QGIS).json()
    assert replaced(path, read, moved(), source="survey of 1404").status_code == 202
    for changed in ({}, {"name_en": "Renamed"}):  # a second window in which the place is as it was
        refused(replaced(path, read, moved(), **changed), 412)
        refused(replaced(path, read, source="survey of 1405", **changed), 412)
    refused(replaced(path, read, moved(), source="other", who=PLANNER), 412)  # other programs read the answer's tag
    refused(replaced(path, read, moved(), source="x", who={**QGIS, **basic("ogc-second")}), 412)
    (change_set,) = ChangeSet.objects.filter(place=town.city)
    assert change_set.version == 1


def test_qgis_is_told_of_what_happened_meanwhile(town: Any) -> None:
    path = f"{ITEMS}/{town.prefix}.q1"
    read = Client().get(path, headers=QGIS).json()
    assert replaced(path, read, source="mine").status_code == 202
    (mine,) = ChangeSet.objects.filter(place=town.city)
    # Somebody else proposes something for the place.
    seen = Client().get(path, headers=basic("ogc-second")).json()
    assert replaced(path, seen, source="theirs", who=basic("ogc-second")).status_code == 202
    refused(replaced(path, read, source="mine again"), 412)
    ChangeSet.objects.exclude(pk=mine.pk).filter(place=town.city).update(status="withdrawn")
    assert replaced(path, read, source="mine again").status_code == 202
    # The draft is gone on with in the workbench, or proposed.
    mine.refresh_from_db()
    change_set_propose(mine, town.people["planner"], mine.version, "")
    refused(replaced(path, read, source="once more"), 412)
    mine.refresh_from_db()
    change_set_approve(mine, town.people["second"], mine.version, "")
    refused(replaced(path, read, source="once more"), 412)
    assert Client().get(path).json()["properties"]["source"] == "mine again"


def test_qgis_writes_a_draft_step_by_step(town: Any) -> None:
    made = send("POST", ITEMS, feature(cell(7, 7), **NEW), QGIS)
    path, read = made["Location"], made.json()
    for number, (geometry, changed) in enumerate(((cell(7, 8), {}), (cell(7, 8), {"name_en": "Newer"})), 2):
        response = replaced(path, read, geometry, **changed)
        assert response.status_code == 200, response.content
        assert response.json()["changeSet"]["version"] == number
    assert response.json()["properties"]["name_en"] == "Newer"
    refused(replaced(path, read, cell(7, 9), who={**QGIS, **basic("ogc-second")}), 412)
    refused(replaced(path, read, cell(7, 9), who=PLANNER), 412)
    fresh = Client().get(path, headers=basic("ogc-second")).json()
    assert replaced(path, fresh, cell(7, 9), who=basic("ogc-second")).status_code == 200
    refused(replaced(path, read, cell(7, 8)), 412)


def test_coordinates_that_were_only_rounded_are_as_they_were(town: Any) -> None:
    x0, y0, x1, y1 = cell(5, 7).bounds
    corners = [(x0 + 1.23e-7, y0 - 4.56e-7), (x1 - 3.21e-7, y0 + 2.22e-7), (x1 + 4.99e-7, y1), (x0, y1 - 3.33e-7)]
    fine = place_of(town.city, "fine", "settlement", shapely.Polygon(corners))
    path = f"{ITEMS}/{town.prefix}.fine"
    read = Client().get(path, headers=QGIS).json()
    response = replaced(path, read, source="survey of 1404")
    assert response.status_code == 202, response.content
    assert response.json()["geometry"] == read["geometry"]
    (change,) = ChangeSet.objects.get(pk=response.json()["changeSet"]["id"]).changes.all()
    assert (change.gained_m2 or 0, change.lost_m2 or 0) == (0, 0)
    assert change.place == fine
    # In the rounded system of metres too.
    metres = project(shape(read["geometry"]), 4326, 32639)[0]
    body = {**read, "geometry": json.loads(json.dumps(mapping(metres)), parse_float=lambda text: round(float(text), 6))}
    body["properties"] = read["properties"] | {"source": "survey of 1405"}
    response = send("PUT", path, body, {**QGIS, "Content-Crs": f"{EPSG}32639"})
    assert response.status_code == 202, response.content
    stored = Boundary.objects.get(change__change_set=response.json()["changeSet"]["id"]).geometry
    assert shapely.from_wkt(stored.wkt).equals_exact(shape(read["geometry"]), 0)
    # A vertex that was moved is moved, and it alone.
    pushed = shapely.Polygon([*corners[:2], (x1 + 0.001, y1), corners[3]])
    again = Client().get(path, headers=QGIS).json()
    xy = shapely.get_coordinates(shape(replaced(path, again, pushed).json()["geometry"])).tolist()
    assert [list(corners[i]) in xy for i in range(4)] == [True, True, False, True]


def test_a_draft_shows_the_names_that_it_gives(town: Any) -> None:
    path = f"{ITEMS}/{town.prefix}.q1"
    read = Client().get(path, headers=PLANNER).json()
    draft = replaced(path, read, name_fa="نام نو", name_en="New name").json()
    assert (draft["properties"]["name_fa"], draft["properties"]["name_en"]) == ("نام نو", "New name")
    assert Client().get(path).json()["properties"]["name_en"] == "Quarter Q1"
    again = replaced(f"{ITEMS}/{draft['id']}", draft | {"properties": draft["properties"]}, source="walk")
    assert again.status_code == 200, again.content
    change_set = ChangeSet.objects.get(pk=draft["changeSet"]["id"])
    change_set_propose(change_set, town.people["planner"], change_set.version, "")
    change_set.refresh_from_db()
    change_set_approve(change_set, town.people["second"], change_set.version, "")
    assert Client().get(path).json()["properties"]["name_en"] == "New name"


# ---------------------------------------------------------------- who may


def test_nobody_writes_without_an_account(town: Any) -> None:
    path = f"{ITEMS}/{town.prefix}.q1"
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        response = send(method, ITEMS if method == "POST" else path, feature(moved()), {"If-Match": "*"})
        assert response.status_code == 401
        assert response["WWW-Authenticate"].startswith("Basic")
    for wrong in (
        basic("ogc-planner", "wrong"), basic("nobody"), {"Authorization": "Basic x"}, {"Authorization": "Bearer x"},
        {"Authorization": "Basic"}, {"Authorization": "Basic " + base64.b64encode(b"a:\0").decode()},
        {"Authorization": "Basic " + base64.b64encode(b"\xff\xfe:x").decode()},
        {"Authorization": "Basic " + base64.b64encode(b"nocolon").decode()},
    ):  # fmt: skip
        assert Client().get(ITEMS, headers=wrong).status_code == 401
        assert send("DELETE", path, None, {**wrong, "If-Match": "*"}).status_code == 401


def test_only_those_with_the_right_write(town: Any) -> None:
    path = f"{ITEMS}/{town.prefix}.q1"
    for name in ("viewer", "stranger"):
        headers = {**basic(f"ogc-{name}"), "If-Match": "*"}
        for response in (
            send("POST", ITEMS, feature(cell(7, 7), **NEW), headers),
            send("PUT", path, feature(moved()), headers),
            send("PATCH", path, {"properties": {"source": "x"}}, headers, MERGE_PATCH),
            send("DELETE", path, None, headers),
        ):
            assert response.status_code == 403, (name, response.content)
        allowed = Client().options(ITEMS, headers=headers)["Allow"]
        assert ("POST" in allowed) == (name == "stranger")  # who may draw somewhere
    hidden = f"{ITEMS}/{town.prefix}.zzhush"
    assert send("PUT", hidden, feature(cell(5, 6)), {**basic("ogc-stranger"), "If-Match": "*"}).status_code == 404
    taken = send("POST", ITEMS, feature(cell(7, 7), **(NEW | {"code": "zzhush"})), basic("ogc-stranger"))
    free = send("POST", ITEMS, feature(cell(7, 7), **(NEW | {"code": "zzgone"})), basic("ogc-stranger"))
    assert taken.status_code == free.status_code == 403


def test_options_say_what_may_be_done(town: Any) -> None:
    items = Client().options(ITEMS, headers=PLANNER)
    assert (items.status_code, items["Accept-Post"]) == (200, "application/geo+json, application/json")
    assert "POST" in items["Allow"]
    one = Client().options(f"{ITEMS}/{town.prefix}.q1", headers=PLANNER)
    assert {"PUT", "PATCH", "DELETE"} <= set(one["Allow"].split(", "))
    assert one["Accept-Patch"] == MERGE_PATCH
    assert Client().options(ITEMS)["Allow"] == "GET, HEAD, OPTIONS"


def test_a_session_writes_with_the_token_of_the_page_alone(town: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(town.people["planner"])
    told = refused(send("POST", ITEMS, feature(cell(7, 7), **NEW), client=client), 403)
    assert told["code"] == "csrf"
    token = client.get("/ogc/", {"f": "html"}).wsgi_request.META["CSRF_COOKIE"]
    response = send("POST", ITEMS, feature(cell(7, 7), **NEW), {"X-CSRFToken": token}, client=client)
    assert response.status_code == 201, response.content


def test_no_other_site_writes_with_a_remembered_password(town: Any) -> None:
    for said in ("cross-site", "same-site"):
        assert send("POST", ITEMS, feature(cell(7, 7), **NEW), {**PLANNER, "Sec-Fetch-Site": said}).status_code == 403
    for form in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        refused(send("POST", ITEMS, feature(cell(7, 7), **NEW), PLANNER, form), 415)


def test_a_changed_password_or_a_closed_account_ends_at_once(town: Any) -> None:
    path = f"{ITEMS}?status=draft"
    assert Client().get(path, headers=PLANNER).status_code == 200
    user = town.people["planner"]
    user.set_password("another-long-password")
    user.save()
    assert Client().get(path, headers=PLANNER).status_code == 401
    headers = basic("ogc-planner", "another-long-password")
    assert Client().get(path, headers=headers).status_code == 200
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert Client().get(path, headers=headers).status_code == 401


# ---------------------------------------------------------------- hostile bodies


BOW_TIE = {"type": "Polygon", "coordinates": [[[48.5, 33.5], [48.6, 33.6], [48.6, 33.5], [48.5, 33.6], [48.5, 33.5]]]}
RING = [[48.5, 33.5], [48.6, 33.5], [48.6, 33.6], [48.5, 33.5]]
SHAPES: list[Any] = [
    None, 1, "x", [], {}, {"type": "Point", "coordinates": [1, 2]}, {"type": "LineString", "coordinates": [[1, 2], [3, 4]]},
    {"type": "GeometryCollection", "geometries": []}, {"type": "Polygon"}, {"type": "Polygon", "coordinates": []},
    {"type": "Polygon", "coordinates": [[]]}, {"type": "Polygon", "coordinates": [[[1, 2]]]}, {"type": "Polygon", "coordinates": "x"},
    {"type": "Polygon", "coordinates": [[["a", "b"]] * 4]}, {"type": "Polygon", "coordinates": [[[True, False]] * 4]},
    {"type": "Polygon", "coordinates": [[[None, None]] * 4]}, {"type": "Polygon", "coordinates": [RING[:3]]},
    {"type": "Polygon", "coordinates": [[[1, 1]] * 5]}, {"type": "Polygon", "coordinates": [[[x, 1] for x in (1, 2, 3, 1)]]},
    {"type": "Polygon", "coordinates": [[[1e9, 1e9], [2e9, 1e9], [2e9, 2e9], [1e9, 1e9]]]},
    {"type": "Polygon", "coordinates": [[[y, x] for x, y in [[120, 33], [121, 33], [121, 34], [120, 33]]]]},
    {"type": "Polygon", "coordinates": [[[-170, 0], [170, 0], [170, 1], [-170, 0]]]},
    {"type": "MultiPolygon", "coordinates": [[RING]]} | {"type": ["MultiPolygon"]}, {"type": "MultiPolygon", "coordinates": [RING]},
    BOW_TIE, {"type": "MultiPolygon", "coordinates": [BOW_TIE["coordinates"]]},
    {"type": "Polygon", "coordinates": [RING, [[49, 34], [49.1, 34], [49.1, 34.1], [49, 34]]]},
]  # fmt: skip


@pytest.mark.parametrize("geometry", SHAPES, ids=[json.dumps(geometry)[:70] for geometry in SHAPES])
def test_shapes_that_cannot_be_stored_say_where(town: Any, geometry: Any) -> None:
    for method, path in (("POST", ITEMS), ("PUT", f"{ITEMS}/{town.prefix}.q1")):
        told = refused(
            send(
                method,
                path,
                feature(geometry, **NEW) if method == "POST" else feature(geometry),
                {**PLANNER, "If-Match": "*"},
            )
        )
        assert told["where"].startswith("geometry")
    assert not ChangeSet.objects.filter(place=town.city).exists()


def test_a_bow_tie_is_located_at_its_crossing(town: Any) -> None:
    told = refused(send("POST", ITEMS, feature(BOW_TIE, **NEW), PLANNER))
    assert told["where"] == "geometry at longitude 48.5500000, latitude 33.5500000"


@pytest.mark.parametrize(
    "body",
    ["", "{", "[]", "null", '"x"', "NaN", '{"type": NaN}', "\0", b"\xff\xfe", '{"a":' * 2000, "[" * 100_000, "1" * 5000,
     '{"type":"FeatureCollection","features":[]}', '{"type":"Feature","geometry":null,"properties":[]}', '{"type":1}',
     '{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[NaN,1],[2,2],[3,1],[NaN,1]]]},"properties":{}}',
     '{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[1e999,1],[2,2],[3,1],[1e999,1]]]},"properties":{}}',
     '{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[' + "9" * 400 + ',1],[2,2],[3,1],[0,1]]]},"properties":{}}'],
    ids=lambda body: str(body)[:50].replace("\0", "0"),
)  # fmt: skip
def test_bodies_that_are_no_feature(town: Any, body: Any) -> None:
    for method, path, kind in (
        ("POST", ITEMS, GEOJSON), ("PUT", f"{ITEMS}/{town.prefix}.q1", GEOJSON), ("PATCH", f"{ITEMS}/{town.prefix}.q1", MERGE_PATCH),
    ):  # fmt: skip
        refused(send(method, path, body, {**PLANNER, "If-Match": "*"}, kind), 400 if body else 415)


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"code": "Not A Code"}, "properties.code"), ({"code": "x" * 90}, "properties.code"), ({"code": 5}, "properties.code"),
        ({"code": None}, "properties.code"), ({"city": "nowhere"}, "properties.city"), ({"city": "q0"}, "properties.city"),
        ({"name_fa": ""}, "properties.name_fa"), ({"name_en": "x" * 301}, "properties.name_en"), ({"name_en": "x" * 201}, "properties.name_en"),
        ({"name_en": "a\0b"}, "properties.name_en"), ({"source": {}}, "properties.source"), ({"kind": "planet"}, "properties.kind"),
        ({"kind": "country"}, "kind"), ({"certainty": "sure"}, "properties.certainty"), ({"colour": "red"}, "properties.colour"),
        ({"author": 1}, "properties.author"), ({"is_published": True}, "properties.is_published"), ({"source": None}, "properties.source"),
        ({"code": "q0"}, "properties.code"), ({"code": "zzhush"}, "properties.code"),
    ],
)  # fmt: skip
def test_properties_that_cannot_be_stored(town: Any, changed: dict[str, Any], where: str) -> None:
    told = refused(send("POST", ITEMS, feature(cell(7, 7), **(NEW | changed)), PLANNER), 400, 404, 409)
    assert where in told["where"]
    assert not ChangeSet.objects.filter(place=town.city).exists()


def test_columns_without_a_value_are_left_out(town: Any) -> None:
    """QGIS sends every column of the table, empty ones as null."""
    empty = dict.fromkeys(
        ("certainty", "status", "version", "edition", "valid_from", "valid_to", "illustrative", "open_changes")
    )
    response = send("POST", ITEMS, feature(cell(7, 7), **(NEW | empty)), PLANNER)
    assert response.status_code == 201, response.content
    path, headers = f"{ITEMS}/{town.prefix}.q1", {**PLANNER, "If-Match": "*"}
    response = send(
        "PUT", path, feature(moved(), **(NEW | empty | {"code": "q1", "kind": None, "name_en": None})), headers
    )
    assert response.status_code == 202, response.content
    told = refused(send("PATCH", path, {"properties": {"name_en": None}}, headers, MERGE_PATCH))
    assert told["where"] == "properties.name_en"


def test_what_can_only_be_read_is_passed_over(town: Any) -> None:
    told = NEW | {
        "id": "x",
        "status": "approved",
        "version": 99,
        "edition": 1,
        "valid_from": "1999-01-01",
        "open_changes": 7,
    }
    response = send("POST", ITEMS, feature(cell(7, 7), **told), PLANNER)
    assert response.status_code == 201, response.content
    made = response.json()["properties"]
    assert (made["status"], made["version"], made["valid_from"]) == ("draft", 1, timezone.localdate().isoformat())


def test_a_write_never_makes_an_item_another(town: Any) -> None:
    path = f"{ITEMS}/{town.prefix}.q1"
    headers = {**PLANNER, "If-Match": "*"}
    for body, where in (
        (feature(moved(), code="q0"), "properties.code"), (feature(moved(), kind="settlement"), "properties.kind"),
        (feature(moved(), city="elsewhere"), "properties.city"), (feature(moved()) | {"id": "x"}, "id"),
    ):  # fmt: skip
        assert refused(send("PUT", path, body, headers))["where"] == where
    assert refused(send("PUT", path, feature(moved()) | {"crs": {"type": "name"}}, headers))["where"] == "crs"
    assert refused(
        send("PUT", f"{ITEMS}/ogcland.ogctown", feature(cell(0, 0)), {**basic("ogc-planner"), "If-Match": "*"}), 409
    )
    assert send("PUT", f"{ITEMS}/ogcland.ogctown.nothing", feature(moved()), headers).status_code == 404


def test_coordinates_must_be_those_of_the_declared_system(town: Any) -> None:
    for declared in (f"{EPSG}32639", f"{EPSG}9999", "x", f"<{EPSG}3857", f"{EPSG}3857>;"):
        body = feature({"type": "Polygon", "coordinates": [[[1e9, 1e9], [2e9, 1e9], [2e9, 2e9], [1e9, 1e9]]]}, **NEW)
        refused(send("POST", ITEMS, body, {**PLANNER, "Content-Crs": declared}))
    metres = feature(project(cell(7, 7), 4326, 32639)[0], **NEW)
    assert (
        "longitude" in refused(send("POST", ITEMS, metres, PLANNER))["remedy"]
        or CRS84 in refused(send("POST", ITEMS, metres, PLANNER))["remedy"]
    )


def test_bodies_are_bounded(town: Any) -> None:
    n = MAX_VERTICES + 10
    ring = [[48.5 + 0.1 * i / n, 33.5] for i in range(n)] + [[48.55, 33.6], [48.5, 33.5]]
    told = refused(
        send("POST", ITEMS, json.dumps(feature({"type": "Polygon", "coordinates": [ring]}, **NEW)), PLANNER), 413
    )
    assert told["code"] in ("limit_exceeded", "too_many_vertices")
    refused(send("POST", ITEMS, b'{"type": "' + b"x" * 5_100_000 + b'"}', PLANNER), 413)


def test_no_place_but_neighbourhoods_and_settlements_is_written(town: Any) -> None:
    assert Place.objects.get(code="ogctown").kind == "city"
    path = f"{ITEMS}/{town.prefix}"
    refused(send("DELETE", path, None, {**PLANNER, "If-Match": "*"}), 409)
