"""The workbench's JSON and page: what is told, what is written, who may, and that nothing of others' drafts shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
import shapely
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from shapely.geometry import mapping, shape

from analysis.services import coverage_compute
from geo.core.measuring import area_m2
from geo.core.partition import Partition, from_json, merge, split, vertex_move
from geo.models import Assignment, Boundary, ChangeSet, Place, Presence, WorkingCopy
from layers.models import Feature, Layer

pytestmark = pytest.mark.django_db

API = "/api/v1/"
CITY = f"{API}cities/khorramabad/"


def ask(client: Client, method: str, path: str, body: Any = None, version: Any = None, **headers: str) -> Any:
    if version is not None:
        headers["If-Match"] = f'"{version}"'
    sent = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
    return getattr(client, method)(path, headers=headers, **sent)


@pytest.fixture
def planner(demo_city: Place, client_as: Callable[[str], Client]) -> Client:
    return client_as("planner")


@pytest.fixture
def city(planner: Client) -> dict[str, Any]:
    """The demo city as the planner gets it."""
    response = ask(planner, "get", f"{CITY}partition")
    assert response.status_code == 200
    return dict(response.json())


def moved(city: dict[str, Any], metres: float = 20.0, skip: int = 0) -> tuple[str, str, Partition, Partition]:
    """Move one vertex of an edge between two neighbourhoods; give both codes, and the partitions before and after."""
    before = from_json(city["partition"])
    inner = [arc for arc, users in enumerate(before.users) if len(set(users) - {""}) == 2 and len(before.arcs[arc]) > 3]
    arc = inner[skip]
    x, y = before.arcs[arc][1]
    after = vertex_move(before, arc, 1, (x + metres / 93_000, y + metres / 140_000))
    one, two = (code for code in before.users[arc] if code)
    return one, two, before, after


def edits_of(city: dict[str, Any], partition: Partition, *codes: str, **more: Any) -> list[dict[str, Any]]:
    return [
        {
            "code": code,
            "base_edition_id": city["places"].get(code, {}).get("edition"),
            "geometry": mapping(partition.polygons[code]) if code in partition.polygons else None,
            "from": [code],
            **more,
        }
        for code in codes
    ]


def saved(client: Client, edits: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    response = ask(client, "post", f"{CITY}change-sets", {"title": "North", "edits": edits, **more})
    assert response.status_code == 201, response.content
    assert response["ETag"].removeprefix("W/") == f'"{response.json()["version"]}"'
    return dict(response.json())


# ---------------------------------------------------------------- the city


def test_the_partition_is_that_of_the_stored_boundaries(city: dict[str, Any], demo_city: Place) -> None:
    polygons = from_json(city["partition"]).polygons
    stored = {
        edition.place.code: shape(json.loads(edition.geometry.geojson))
        for edition in Boundary.objects.current().filter(place__kind="neighbourhood").select_related("place")
        if edition.place.path.startswith(demo_city.path + "/")
    }
    assert set(polygons) == set(stored)
    assert len(polygons) > 250
    for code, polygon in polygons.items():
        assert shapely.equals(polygon, stored[code]), code
    facts = city["places"]
    assert {one["code"] for one in city["settlements"]} == {c for c, f in facts.items() if f["kind"] == "settlement"}
    assert all(fact["is_editable"] and fact["source"] and fact["edition"] for fact in facts.values())
    assert city["tolerance_m"] == 0.5


def test_people_are_those_of_the_analysis(city: dict[str, Any], demo_city: Place, personas: dict[str, Any]) -> None:
    result = coverage_compute(city=demo_city, user=personas["planner"])
    counted = {row.code: people for row, people in zip(result.places, result.values.population, strict=True)}
    assert len(counted) == len(city["places"])
    for code, people in counted.items():
        assert city["places"][code]["population"] == pytest.approx(people, abs=0.06), code


def test_an_unchanged_partition_is_not_sent_again(planner: Client) -> None:
    first = ask(planner, "get", f"{CITY}partition")
    again = ask(planner, "get", f"{CITY}partition", **{"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    place = Place.objects.get(code="n001", path__contains="/khorramabad/")
    Place.objects.filter(pk=place.pk).update(name_en="Another name")
    assert ask(planner, "get", f"{CITY}partition", **{"If-None-Match": first["ETag"]}).status_code == 200


def test_the_partition_of_a_day_has_the_editions_of_that_day(planner: Client) -> None:
    long_ago = ask(planner, "get", f"{CITY}partition?as_of=1300-01-01").json()
    assert long_ago["partition"]["faces"] == {}
    assert ask(planner, "get", f"{CITY}partition?as_of=yesterday").status_code == 400
    today = ask(planner, "get", f"{CITY}partition?as_of={timezone.localdate()}").json()
    assert len(today["partition"]["faces"]) > 250


def test_the_public_gets_no_small_counts_and_may_edit_nothing(
    client_as: Callable[[str], Client], city: dict[str, Any]
) -> None:
    seen = ask(client_as("anonymous"), "get", f"{CITY}partition").json()["places"]
    assert not any(fact["is_editable"] for fact in seen.values())
    small = [code for code, fact in city["places"].items() if code in seen and 0 < fact["population"] < 10]
    assert all(seen[code]["population"] is None for code in small)
    assert any(fact["population"] for fact in seen.values())


# ---------------------------------------------------------------- the readout


def test_what_one_gains_the_other_loses(planner: Client, city: dict[str, Any]) -> None:
    one, two, before, after = moved(city)
    body = ask(planner, "post", f"{CITY}readout", {"edits": edits_of(city, after, one, two)}).json()
    told = body["touched"]
    gain_m2, loss_m2 = told[one]["gained_m2"] + told[two]["gained_m2"], told[one]["lost_m2"] + told[two]["lost_m2"]
    assert gain_m2 == pytest.approx(loss_m2, abs=0.02)
    assert gain_m2 > 100
    net = [told[code]["people_gained"] - told[code]["people_lost"] for code in (one, two)]
    assert sum(net) == pytest.approx(0, abs=0.21)
    for code, change in zip((one, two), net, strict=True):
        place = body["places"][code]
        assert place["people"] == pytest.approx(city["places"][code]["population"] + change, abs=0.21)
        assert place["area_m2"] == pytest.approx(float(area_m2([after.polygons[code]])[0]), abs=0.01)
        assert (place["overlap_m2"], place["gap_m2"]) == (0, 0)
    assert body["findings"] == []
    assert (body["notes"], body["repaired"]) == ({}, {})
    assert before.polygons.keys() == after.polygons.keys()


def test_a_shape_alone_leaves_a_gap_or_an_overlap_and_its_repair_is_shown(
    planner: Client, city: dict[str, Any]
) -> None:
    one, two, before, after = moved(city, metres=40)
    grown, shrunk = (one, two) if after.polygons[one].area > before.polygons[one].area else (two, one)
    edits = edits_of(city, after, grown)
    body = ask(planner, "post", f"{CITY}readout", {"edits": edits}).json()
    overlap = next(f for f in body["findings"] if f["kind"] == "overlap")
    assert sorted(overlap["codes"]) == sorted((one, two))
    assert overlap["where"] == [overlap["lon"], overlap["lat"]]
    assert body["places"][grown]["overlap_m2"] == pytest.approx(overlap["area_m2"], abs=0.01)
    assert body["touched"][grown]["gained_m2"] == pytest.approx(overlap["area_m2"], rel=1e-3)

    asked = {"edits": edits, "finding": overlap["key"], "repair": f"give_overlap:{grown}"}
    changes = ask(planner, "post", f"{CITY}repair", asked).json()["changes"]
    assert changes[shrunk]["lost_m2"] == pytest.approx(overlap["area_m2"], rel=1e-3)
    repaired = [*edits, {"code": shrunk, "geometry": changes[shrunk]["geometry"]}]
    repaired += [
        {"code": c, "geometry": one["geometry"]} for c, one in changes.items() if c not in (one, grown, shrunk)
    ]
    known = {edit["code"]: {**edit, "geometry": changes.get(edit["code"], edit)["geometry"]} for edit in repaired}
    after_repair = ask(planner, "post", f"{CITY}topology", {"edits": list(known.values())}).json()
    assert after_repair["findings"] == []

    alone = ask(planner, "post", f"{CITY}readout", {"edits": edits_of(city, after, shrunk)}).json()
    gap = next(f for f in alone["findings"] if f["kind"] == "gap")
    assert alone["places"][shrunk]["gap_m2"] == pytest.approx(gap["area_m2"], abs=0.01)
    assert {way["key"] for way in gap["repairs"]} == {f"give_gap:{one}", f"give_gap:{two}"}
    unknown = ask(planner, "post", f"{CITY}repair", {"edits": [], "finding": gap["key"], "repair": "give_gap:n001"})
    assert (unknown.status_code, unknown.json()["code"]) == (400, "unknown_finding")


def test_the_city_as_it_stands_has_no_faults(planner: Client) -> None:
    assert ask(planner, "get", f"{CITY}topology").json() == {"findings": []}


def test_facilities_are_counted_where_they_are(planner: Client, city: dict[str, Any]) -> None:
    whole = shapely.box(*shapely.total_bounds(list(from_json(city["partition"]).polygons.values())))
    outside = shapely.transform(whole, lambda xy: np.add(xy, (0.3, 0)))
    edits = [{"code": "whole", "geometry": mapping(whole), "kind": "settlement"}]
    edits.append({"code": "nowhere", "geometry": mapping(outside), "kind": "settlement"})
    places = ask(planner, "post", f"{CITY}readout", {"edits": edits}).json()["places"]
    stored = Layer.objects.get(city__code="khorramabad", code="clinic").releases.order_by("-number").first()
    points = [shape(json.loads(f.geometry.geojson)) for f in Feature.objects.filter(release=stored)]
    assert places["whole"]["facilities"]["clinic"] == sum(whole.covers(point) for point in points) > 0
    assert set(places["nowhere"]["facilities"].values()) == {0}
    assert places["nowhere"]["people"] == 0
    assert "water" not in places["whole"]["facilities"]


def test_split_and_merge_are_measured(planner: Client, city: dict[str, Any]) -> None:
    before = from_json(city["partition"])
    west, _, east, _ = before.polygons["n001"].bounds
    middle = before.polygons["n001"].representative_point()
    parts = split(before, "n001", [(west - 0.001, middle.y), (east + 0.001, middle.y)], "n001-2")
    edits = edits_of(city, parts, "n001")
    edits += edits_of(city, parts, "n001-2", kind="neighbourhood")
    body = ask(planner, "post", f"{CITY}readout", {"edits": edits}).json()
    people = [body["places"][code]["people"] for code in ("n001", "n001-2")]
    assert sum(people) == pytest.approx(city["places"]["n001"]["population"], abs=0.2)
    assert body["touched"]["n001-2"]["people_gained"] == pytest.approx(people[1], abs=0.1)
    assert body["findings"] == []

    one, two, *_ = moved(city)
    united = merge(before, one, two)
    body = ask(planner, "post", f"{CITY}readout", {"edits": edits_of(city, united, one, two)}).json()
    assert list(body["places"]) == [one]
    assert body["touched"][two]["people_lost"] == pytest.approx(city["places"][two]["population"], abs=0.1)
    assert body["findings"] == []


def test_readouts_are_for_those_who_may_draw(client_as: Callable[[str], Client], city: dict[str, Any]) -> None:
    one, two, _, after = moved(city)
    body = {"edits": edits_of(city, after, one, two)}
    expected = {"anonymous": 401, "planner_elsewhere": 403, "viewer": 403, "analyst": 403, "supervisor": 403}
    expected |= {"planner": 200, "administrator": 200}
    for name, status in expected.items():
        assert ask(client_as(name), "post", f"{CITY}readout", body).status_code == status, name


# ---------------------------------------------------------------- change sets


def test_a_change_set_from_draft_to_force(
    planner: Client, client_as: Callable[[str], Client], city: dict[str, Any]
) -> None:
    one, two, _, after = moved(city)
    edits = edits_of(city, after, one, two, source="Survey of 1404")
    made = saved(planner, edits, comment="As walked.")
    path = f"{API}change-sets/{made['id']}"
    assert (made["version"], made["status"], made["title"], made["findings"]) == (1, "draft", "North", [])
    assert {change["code"] for change in made["changes"]} == {one, two}
    assert sum(c["people_gained"] - c["people_lost"] for c in made["changes"]) == pytest.approx(0, abs=0.01)
    may = {"save": True, "propose": True, "approve": False, "return": False, "withdraw": True, "restore": False}
    assert made["may"] == may
    assert ask(planner, "get", f"{CITY}partition").json()["version"] == city["version"]

    drafted = ask(planner, "get", f"{CITY}partition?change_set={made['id']}").json()
    assert drafted["places"][one]["edition"] == city["places"][one]["edition"]
    assert shapely.equals(from_json(drafted["partition"]).polygons[one], after.polygons[one])

    diff = ask(planner, "get", f"{path}/diff").json()["changes"]
    for change in diff:
        gained, lost = shape(change["gained"]), shape(change["lost"])
        assert float(area_m2([gained])[0]) == pytest.approx(change["gained_m2"], abs=1)
        assert float(area_m2([lost])[0]) == pytest.approx(change["lost_m2"], abs=1)
        assert shapely.equals(shape(change["after"]), after.polygons[change["code"]])

    assert ask(planner, "post", f"{path}/propose", {"comment": "Please"}).status_code == 428
    proposed = ask(planner, "post", f"{path}/propose", {"comment": "Please"}, version=1)
    assert (proposed.status_code, proposed.json()["status"], proposed.json()["version"]) == (200, "proposed", 2)
    own = ask(planner, "post", f"{path}/approve", {}, version=2)
    assert (own.status_code, own.json()["code"]) == (403, "own_change_set")
    supervisor = client_as("supervisor")
    assert ask(supervisor, "get", path).json()["may"]["approve"] is True
    late = ask(supervisor, "post", f"{path}/approve", {}, version=1)
    assert (late.status_code, late.json()["version"]) == (412, 2)
    approved = ask(supervisor, "post", f"{path}/approve", {"comment": "Good"}, version=2)
    assert (approved.status_code, approved.json()["status"]) == (200, "approved")
    assert [review["action"] for review in approved.json()["reviews"]] == ["saved", "proposed", "approved"]

    now = ask(planner, "get", f"{CITY}partition").json()
    assert now["version"] != city["version"]
    assert now["places"][one]["edition"] != city["places"][one]["edition"]
    assert shapely.equals(from_json(now["partition"]).polygons[one], after.polygons[one])


def test_returning_needs_a_comment_and_withdrawing_ends_it(
    planner: Client, client_as: Callable[[str], Client], city: dict[str, Any]
) -> None:
    one, two, _, after = moved(city)
    path = f"{API}change-sets/{saved(planner, edits_of(city, after, one, two))['id']}"
    ask(planner, "post", f"{path}/propose", {}, version=1)
    supervisor = client_as("supervisor")
    silent = ask(supervisor, "post", f"{path}/return", {}, version=2)
    assert (silent.status_code, silent.json()["where"]) == (400, "comment")
    returned = ask(supervisor, "post", f"{path}/return", {"comment": "Follow the alley."}, version=2)
    assert (returned.status_code, returned.json()["status"]) == (200, "returned")
    assert ask(supervisor, "post", f"{path}/withdraw", {}, version=3).status_code == 403
    assert ask(planner, "post", f"{path}/withdraw", {}, version=3).json()["status"] == "withdrawn"
    after_all = ask(planner, "put", path, {"edits": edits_of(city, after, one, two)}, version=4)
    assert (after_all.status_code, after_all.json()["code"]) == (409, "not_a_draft")


def test_an_approval_that_would_open_a_gap_is_refused_with_its_place(
    planner: Client, client_as: Callable[[str], Client], city: dict[str, Any]
) -> None:
    one, two, before, after = moved(city, metres=40)
    shrunk = one if after.polygons[one].area < before.polygons[one].area else two
    made = saved(planner, edits_of(city, after, shrunk))
    path = f"{API}change-sets/{made['id']}"
    task = next(finding for finding in made["findings"] if finding["kind"] == "gap")
    assert (task["is_new"], task["is_acknowledged"]) == (True, False)
    ask(planner, "post", f"{path}/propose", {}, version=1)
    supervisor = client_as("supervisor")
    refused = ask(supervisor, "post", f"{path}/approve", {}, version=2)
    told = refused.json()
    assert (refused.status_code, told["code"]) == (409, "topology_refused")
    assert [finding["key"] for finding in told["findings"]] == [task["key"]]
    assert told["findings"][0]["where"] == task["where"]
    meant = ask(supervisor, "post", f"{path}/approve", {"acknowledged": [task["key"]]}, version=2)
    assert (meant.status_code, meant.json()["status"]) == (200, "approved")


def test_a_save_needs_the_version_that_was_read(planner: Client, city: dict[str, Any]) -> None:
    one, two, before, after = moved(city)
    edits = edits_of(city, after, one, two)
    path = f"{API}change-sets/{saved(planner, edits)['id']}"
    missing = ask(planner, "put", path, {"edits": edits})
    assert (missing.status_code, missing.json()["code"]) == (428, "if_match_missing")
    assert ask(planner, "put", path, {"edits": edits}, version="one").status_code == 400
    _, _, _, other = moved(city, metres=35)
    theirs = edits_of(city, other, one, two)
    assert ask(planner, "put", path, {"edits": theirs}, version=1).json()["version"] == 2
    stale = ask(planner, "put", path, {"edits": edits}, version=1)
    told = stale.json()
    assert (stale.status_code, told["status"], told["version"]) == (412, 412, 2)
    assert set(told["conflicts"]) == {one, two}
    conflict = told["conflicts"][one]
    assert shapely.equals(shape(conflict["mine"]), after.polygons[one])
    assert shapely.equals(shape(conflict["theirs"]), other.polygons[one])
    assert shapely.equals(shape(conflict["ancestor"]), before.polygons[one])
    assert ask(planner, "get", path).json()["version"] == 2
    again = ask(planner, "put", path, {"edits": edits}, **{"If-Match": 'W/"2"'})
    assert (again.status_code, again.json()["version"]) == (200, 3)


def test_a_base_replaced_meanwhile_is_told_with_all_three_sides(
    planner: Client, client_as: Callable[[str], Client], city: dict[str, Any]
) -> None:
    one, two, before, after = moved(city)
    _, _, _, other = moved(city, metres=35)
    late = saved(planner, edits_of(city, other, one, two))
    path = f"{API}change-sets/{saved(planner, edits_of(city, after, one, two))['id']}"
    ask(planner, "post", f"{path}/propose", {}, version=1)
    assert ask(client_as("supervisor"), "post", f"{path}/approve", {}, version=2).status_code == 200
    for method, target, version in (
        ("post", f"{CITY}change-sets", None),
        ("put", f"{API}change-sets/{late['id']}", 1),
    ):
        response = ask(planner, method, target, {"edits": edits_of(city, other, one, two)}, version=version)
        assert response.status_code == 409, target
        conflict = response.json()["conflicts"][one]
        assert shapely.equals(shape(conflict["mine"]), other.polygons[one])
        assert shapely.equals(shape(conflict["theirs"]), after.polygons[one])
        assert shapely.equals(shape(conflict["ancestor"]), before.polygons[one])
    assert ChangeSet.objects.filter(place__code="khorramabad", status="draft").count() == 1


def test_drafts_are_seen_by_those_assigned_alone(
    planner: Client, client_as: Callable[[str], Client], city: dict[str, Any]
) -> None:
    one, two, _, after = moved(city)
    made = saved(planner, edits_of(city, after, one, two))
    for suffix in ("", "/diff"):
        path = f"{API}change-sets/{{}}{suffix}"
        for name, status in (("viewer", 200), ("agency", 200), ("supervisor", 200), ("planner_elsewhere", 404)):
            response = ask(client_as(name), "get", path.format(made["id"]))
            assert response.status_code == status, name
        there, nowhere = (ask(client_as("planner_elsewhere"), "get", path.format(n)) for n in (made["id"], 999_999_999))
        same = {"where": f"change set {made['id']}", "place": ""}
        assert {**there.json(), "place": ""} == {**nowhere.json(), **same}
        assert ask(client_as("anonymous"), "get", path.format(made["id"])).status_code == 401
    for name in ("anonymous", "planner_elsewhere"):
        assert ask(client_as(name), "get", f"{CITY}partition?change_set={made['id']}").status_code == 404
        assert str(made["changes"][0]["edition"]) not in {
            str(fact["edition"]) for fact in ask(client_as(name), "get", f"{CITY}partition").json()["places"].values()
        }
    for step in ("propose", "approve", "return", "withdraw"):
        path = f"{API}change-sets/{made['id']}/{step}"
        for name, status in (("anonymous", 401), ("planner_elsewhere", 404), ("viewer", 403)):
            if (name, step) in (("viewer", "approve"), ("viewer", "return")):
                status = 409  # only what is proposed is decided on
            assert ask(client_as(name), "post", path, {"comment": "x"}, version=1).status_code == status, (name, step)
    assert ChangeSet.objects.get(pk=made["id"]).version == 1
    assert ask(planner, "get", f"{API}change-sets/99999999999999999999").status_code == 404


def test_a_planner_of_one_place_writes_there_alone(demo_city: Place, city: dict[str, Any]) -> None:
    one, two, _, after = moved(city)
    user = User.objects.create_user("of-one-place", password=None)
    Assignment.objects.create(
        user=user, role="planner", place=Place.objects.get(code=one, path__startswith=demo_city.path)
    )
    client = Client()
    client.force_login(user)
    seen = ask(client, "get", f"{CITY}partition").json()["places"]
    assert [code for code, fact in seen.items() if fact["is_editable"]] == [one]
    assert client.get("/khorramabad/edit/").status_code == 200
    refused = ask(client, "post", f"{CITY}change-sets", {"title": "x", "edits": edits_of(city, after, one, two)})
    assert (refused.status_code, refused.json()["code"]) == (403, "not_your_place")
    assert two in refused.json()["title"]
    assert one not in refused.json()["title"]
    assert ChangeSet.objects.count() == 0
    alone = saved(client, edits_of(city, after, one))
    assert [change["code"] for change in alone["changes"]] == [one]


# ---------------------------------------------------------------- work in progress


def test_unsaved_work_is_kept_for_oneself(planner: Client, client_as: Callable[[str], Client]) -> None:
    path = f"{CITY}working-copy"
    assert ask(planner, "get", path).status_code == 204
    document = {"kept_at": "2026-11-22T08:00:00Z", "name": "محلهٔ نو", "steps": [[1.5, None, True]]}
    put = ask(planner, "put", path, {"document": document, "based_on": {"n001": 12, "n001-2": None}})
    assert (put.status_code, set(put.json())) == (200, {"saved_at"})
    kept = ask(planner, "get", path).json()
    assert (kept["document"], kept["based_on"]) == (document, {"n001": 12, "n001-2": None})
    assert ask(client_as("administrator"), "get", path).status_code == 204
    ask(planner, "put", path, {"document": {"a": 1}})
    assert ask(planner, "get", path).json()["document"] == {"a": 1}
    assert WorkingCopy.objects.count() == 1
    assert ask(planner, "delete", path).status_code == 204
    assert ask(planner, "get", path).status_code == 204
    assert ask(planner, "delete", path).status_code == 204


def test_who_else_is_here(planner: Client, client_as: Callable[[str], Client], demo_city: Place) -> None:
    path = f"{CITY}presence"
    Place.objects.create(kind="settlement", code="unseen", parent=demo_city, name_fa="ن", name_en="N")
    second = client_as("administrator")
    assert ask(planner, "put", path, {"places": ["n001", "n002", "unseen"]}).json() == {"others": []}
    others = ask(second, "put", path, {"places": ["n003", "not-saved-yet"]}).json()["others"]
    assert [(one["user"], one["places"]) for one in others] == [("test-planner", ["n001", "n002", "unseen"])]
    assert [one["places"] for one in ask(planner, "put", path, {"places": []}).json()["others"]] == [["n003"]]

    user = User.objects.create_user("of-one-place", password=None)
    Assignment.objects.create(
        user=user, role="planner", place=Place.objects.get(code="n001", path__startswith=demo_city.path)
    )
    ask(planner, "put", path, {"places": ["n001", "unseen"]})
    third = Client()
    third.force_login(user)
    seen = {one["user"]: one["places"] for one in ask(third, "put", path, {"places": ["n001"]}).json()["others"]}
    assert seen["test-planner"] == ["n001"]
    Presence.objects.update(seen_at=timezone.now() - timedelta(minutes=2))
    assert ask(planner, "put", path, {"places": []}).json() == {"others": []}
    assert ask(client_as("planner_elsewhere"), "put", path, {"places": []}).status_code == 403


# ---------------------------------------------------------------- shapes from elsewhere


def test_the_shape_of_a_layer_under_a_point(planner: Client, demo_city: Place) -> None:
    layer = Layer.objects.filter(city=demo_city, kind="polygon", releases__isnull=False).order_by("code").first()
    feature = Feature.objects.filter(release=layer.releases.order_by("-number").first()).order_by("number").first()
    at = feature.geometry.point_on_surface
    body = ask(planner, "get", f"{CITY}layers/{layer.code}/shape?lon={at.x}&lat={at.y}").json()
    assert shapely.covers(shape(body["geometry"]), shapely.Point(at.x, at.y))
    assert body["layer"] == layer.code
    assert body["area_m2"] == pytest.approx(float(area_m2([shape(body["geometry"])])[0]), abs=0.01)
    for query, status in (("lon=0&lat=0", 404), ("lon=nan&lat=0", 400), ("lon=500&lat=0", 400), ("lon=1", 400)):
        assert ask(planner, "get", f"{CITY}layers/{layer.code}/shape?{query}").status_code == status, query
    assert ask(planner, "get", f"{CITY}layers/nothing/shape?lon=0&lat=0").status_code == 404
    assert ask(planner, "get", f"{CITY}layers/roads/shape?lon=48&lat=33").status_code == 400


def test_a_file_is_traced(planner: Client) -> None:
    def traced(content: Any, name: str = "محله.geojson") -> Any:
        text = content if isinstance(content, bytes) else json.dumps(content).encode()
        return planner.post(f"{CITY}trace", {"file": SimpleUploadedFile(name, text)})

    good, bow = shapely.box(48.35, 33.48, 48.36, 33.49), [[48.3, 33.4], [48.31, 33.41], [48.31, 33.4], [48.3, 33.41]]
    features = [
        {"type": "Feature", "properties": {"name": "A"}, "geometry": mapping(good)},
        {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [[*bow, bow[0]]]}},
    ]
    response = traced({"type": "FeatureCollection", "features": features})
    body = response.json()
    assert response.status_code == 200
    assert [one["number"] for one in body["shapes"]] == [1]
    assert shapely.equals(shape(body["shapes"][0]["geometry"]), good)
    assert body["problems"][0]["row"] == 2
    assert body["problems"][0]["lon"] == pytest.approx(48.305)
    for content, name in (
        (b"", "a.geojson"), (b"<kml/>", "a.kml"), (b"PK\x03\x04rubbish", "a.zip"), (b"SQLite format 3\x00" + b"x" * 200, "a.gpkg"),
        (b'{"type": "FeatureCollection", "features": [', "a.geojson"), (b"<OGRVRTDataset/>", "a.vrt"), (b"a,b\n1,2\n", "a.csv"),
        ({"type": "FeatureCollection", "features": features[1:]}, "a.geojson"), (b"II*\x00" + b"\x00" * 64, "../../a.tif"),
    ):  # fmt: skip
        refused = traced(content, name)
        assert refused.status_code == 400, name
        assert refused.json()["title"]
        assert refused.json()["where"], name
        assert "/tmp" not in refused.content.decode()  # noqa: S108
    assert planner.post(f"{CITY}trace", {}).json()["code"] == "no_file"


# ---------------------------------------------------------------- the page and the description


def test_the_page_is_for_those_who_may_draw(client_as: Callable[[str], Client], demo_city: Place) -> None:
    for name, status in (("viewer", 403), ("analyst", 403), ("supervisor", 403), ("planner_elsewhere", 403)):
        assert client_as(name).get("/khorramabad/edit/").status_code == status, name
    away = client_as("anonymous").get("/khorramabad/edit/")
    assert (away.status_code, away["Location"]) == (302, "/accounts/login/?next=/khorramabad/edit/")
    for name in ("planner", "administrator"):
        response = client_as(name).get("/khorramabad/edit/")
        assert response.status_code == 200
        config = response.context["config"]
        assert config["user"] == f"test-{name}"
        assert config["urls"]["api"] == API
        west, south, east, north = config["bounds"]
        assert 48 < west < east < 49
        assert 33 < south < north < 34
        assert set(config["certainties"]) == set(Boundary.Certainty.values)
        assert "clinic" in config["services"]
        assert config["shape_layers"]
    Place.objects.filter(pk=demo_city.pk).update(is_published=False)
    hidden, nowhere = (client_as("planner_elsewhere").get(f"/{code}/edit/") for code in ("khorramabad", "nowhere"))
    assert hidden.status_code == nowhere.status_code == 404
    assert client_as("planner").get("/khorramabad/edit/").status_code == 200


def test_the_interface_describes_itself_without_outside_hosts(client_as: Callable[[str], Client], db: None) -> None:
    response = client_as("anonymous").get(f"{API}openapi.json")
    described = response.json()
    operations = [(path, method) for path, methods in described["paths"].items() for method in methods]
    assert ("/api/v1/change-sets/{number}/approve", "post") in operations
    tags = {tag for methods in described["paths"].values() for told in methods.values() for tag in told["tags"]}
    assert tags == {
        "city", "work in progress", "change sets", "uploads", "what if", "measures", "needs", "capacities", "settlement form",
    }  # fmt: skip
    assert "$ref" not in response.content.decode(), "bodies are described where they are asked for"
    readout = described["paths"]["/api/v1/cities/{city}/readout"]["post"]["requestBody"]["content"]["application/json"]
    drawn = readout["schema"]["properties"]["edits"]["items"]
    assert {"geometry", "from"} <= set(json.dumps(drawn).split('"')), drawn
    assert b"http" not in response.content.replace(b"application/", b"")
    for path in ("docs", "", "nothing/at/all"):
        assert client_as("planner").get(API + path).status_code == 404, path
    assert client_as("planner").post(f"{API}nothing").json()["code"] == "unknown_address"


def test_writing_needs_the_token_of_a_page(personas: dict[str, Any], demo_city: Place) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(personas["planner"])
    path = f"{CITY}presence"
    refused = ask(client, "put", path, {"places": []})
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf")
    token = client.get("/khorramabad/edit/").context["config"]["csrf"]
    assert ask(client, "put", path, {"places": []}, **{"X-CSRFToken": token}).status_code == 200
    form = client.post(f"{CITY}trace", {"file": SimpleUploadedFile("a.geojson", b"{}")}, headers={"X-CSRFToken": token})
    assert form.status_code == 400


def test_drafts_that_take_effect_later_are_saved_as_such(planner: Client, city: dict[str, Any]) -> None:
    one, two, _, after = moved(city)
    day = timezone.localdate() + timedelta(days=30)
    assert saved(planner, edits_of(city, after, one, two), valid_from=day.isoformat())["valid_from"] == day.isoformat()
    assert saved(planner, edits_of(city, after, one, two), valid_from="")["valid_from"] is None
    bad = ask(planner, "post", f"{CITY}change-sets", {"edits": edits_of(city, after, one, two), "valid_from": "soon"})
    assert (bad.status_code, bad.json()["where"]) == (400, "body.valid_from")
