"""Undoing a change set, merging settlements, and codes that are taken: over HTTP, and on the page of a change."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from shapely.geometry import mapping

from geo.models import Assignment, ChangeSet, Place
from geo.querysets import system_user
from geo.selectors import drawn_editions, partition_state, shapes_read
from geo.services import change_set_approve, change_set_propose
from maps.reviews.permissions import steps_of
from tests.db.grid_city import GridCity, cells, grid_city

pytestmark = pytest.mark.django_db

CITY = "/api/v1/cities/gridtown/"


@pytest.fixture
def grid() -> GridCity:
    return grid_city()


@pytest.fixture
def as_(grid: GridCity) -> Callable[[str], Client]:
    def client(name: str) -> Client:
        made = Client()
        made.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
        if name in grid.people:
            made.force_login(grid.people[name])
        return made

    return client


def post(client: Client, path: str, body: Any) -> Any:
    return client.post(path, data=json.dumps(body), content_type="application/json")


def decided(grid: GridCity, number: int) -> ChangeSet:
    found = ChangeSet.objects.get(pk=number)
    proposed = change_set_propose(found, grid.people["planner"], found.version)
    return change_set_approve(proposed, grid.people["supervisor"], proposed.version)


def outlines(grid: GridCity) -> dict[str, str]:
    found = shapes_read(grid.city, system_user())
    return {code: shape.wkt for code, shape in (found.neighbourhoods | found.settlements).items()}


# ---------------------------------------------------------------- undo


def test_a_change_set_is_undone_by_another(grid: GridCity, as_: Callable[[str], Client]) -> None:
    before = outlines(grid)
    approved = grid.approved(*grid.split(0, 0, "q0-0b"))
    path = f"/api/v1/change-sets/{approved.pk}"
    assert as_("planner").get(path).json()["may"]["restore"] is True
    assert as_("supervisor").get(path).json()["may"]["restore"] is False
    answer = post(as_("planner"), f"{path}/restore", {"title": "Back", "comment": "It was one place."})
    told = answer.json()
    assert (answer.status_code, told["status"], told["title"], told["overtaken"]) == (201, "draft", "Back", [])
    assert answer["Location"] == f"/api/v1/change-sets/{told['id']}"
    assert {(one["code"], one["what"]) for one in told["changes"]} == {("q0-0", "reshaped"), ("q0-0b", "ends")}
    assert [(one["action"], one["comment"]) for one in told["reviews"]] == [("restored", "It was one place.")]
    shares = {(one["predecessor"], one["successor"]): one["share_of_predecessor"] for one in told["descents"]}
    assert shares == {("q0-0", "q0-0"): pytest.approx(1), ("q0-0b", "q0-0"): pytest.approx(1)}
    decided(grid, told["id"])
    assert outlines(grid) == before
    again = post(as_("planner"), f"{path}/restore", {})
    assert (again.status_code, again.json()["code"]) == (400, "nothing_to_undo")


def test_who_may_not_edit_all_of_it_may_not_undo_it(grid: GridCity, as_: Callable[[str], Client]) -> None:
    approved = grid.approved(*grid.shifted(0, 0, 0.2))
    path = f"/api/v1/change-sets/{approved.pk}/restore"
    told = {name: post(as_(name), path, {}).status_code for name in ("supervisor", "local", "viewer", "stranger")}
    assert told == {"supervisor": 403, "local": 403, "viewer": 403, "stranger": 404}
    assert post(as_("nobody"), path, {}).status_code == 401
    draft = grid.save(*grid.shifted(2, 2, 0.1)).change_set
    refused = post(as_("planner"), f"/api/v1/change-sets/{draft.pk}/restore", {})
    assert (refused.status_code, refused.json()["code"]) == (409, "not_approved")
    assert post(as_("planner"), path, {"valid_from": "tomorrow"}).status_code == 400
    assert ChangeSet.objects.filter(place=grid.city).count() == 2


def test_the_page_of_a_change_has_the_button_for_those_who_may(grid: GridCity, as_: Callable[[str], Client]) -> None:
    before = outlines(grid)
    approved = grid.approved(*grid.shifted(0, 0, 0.2))
    path = f"/gridtown/changes/{approved.pk}/"
    button = 'name="step" value="restore"'
    assert button in as_("planner").get(path).content.decode()
    assert button not in as_("supervisor").get(path).content.decode()
    form = {"step": "restore", "version": approved.version, "comment": "Surveyed wrongly."}
    refused = as_("supervisor").post(path, form)
    assert refused.status_code == 403
    assert "Surveyed wrongly." in refused.content.decode(), "what was typed is kept"
    answer = as_("planner").post(path, form)
    made = ChangeSet.objects.latest("pk")
    assert (answer.status_code, answer["Location"]) == (302, f"/gridtown/changes/{made.pk}/")
    shown = as_("planner").get(answer["Location"]).content.decode()
    assert "Surveyed wrongly." in shown
    assert button not in shown, "a draft is withdrawn, not undone"
    decided(grid, made.pk)
    assert outlines(grid) == before
    assert as_("planner").post(path, form).status_code == 400


def test_the_page_says_what_else_is_undone(grid: GridCity, as_: Callable[[str], Client]) -> None:
    first = grid.approved(*grid.shifted(0, 0, 0.2))
    grid.approved(*grid.shifted(1, 0, 0.1), user="colleague")
    planner = as_("planner")
    answer = planner.post(
        f"/gridtown/changes/{first.pk}/", {"step": "restore", "version": first.version, "comment": ""}, follow=True
    )
    assert answer.status_code == 200
    warnings = [str(message) for message in answer.context["messages"] if message.level_tag == "warning"]
    assert len(warnings) == 1
    assert "Q 1 0" in warnings[0]


# ---------------------------------------------------------------- settlements


def test_two_settlements_are_merged_with_lineage(grid: GridCity, as_: Callable[[str], Client]) -> None:
    grid.approved(grid.edit("s2", cells(1.2, 0.6, 0.8, 0.8), kind="settlement"))
    city = as_("planner").get(f"{CITY}partition").json()
    editions = {one["code"]: one["edition"] for one in city["settlements"]}
    both = cells(0.6, 0.6, 1.4, 0.8)
    edits = [
        {"code": "s1", "base_edition_id": editions["s1"], "geometry": mapping(both), "from": ["s2"]},
        {"code": "s2", "base_edition_id": editions["s2"], "geometry": None},
    ]
    made = post(as_("planner"), f"{CITY}change-sets", {"edits": edits})
    assert made.status_code == 201, made.content
    rows = {(one["predecessor"], one["successor"]): one for one in made.json()["descents"]}
    assert set(rows) == {("s1", "s1"), ("s2", "s1")}
    assert all(row["kind"] == "merge" and row["share_of_predecessor"] == pytest.approx(1) for row in rows.values())
    # They overlapped by a fifth of a square: each is credited with all the ground it had.
    assert [round(row["share_of_successor"], 3) for row in rows.values()] == [round(0.8 / 1.4, 3)] * 2
    decided(grid, made.json()["id"])
    assert set(shapes_read(grid.city, system_user()).settlements) == {"s1"}


def test_settlements_that_lie_apart_become_one_of_two_parts(grid: GridCity, as_: Callable[[str], Client]) -> None:
    grid.approved(grid.edit("s2", cells(2.2, 1.6, 0.8, 0.8), kind="settlement"))
    city = as_("planner").get(f"{CITY}partition").json()
    told = {one["code"]: one for one in city["settlements"]}
    parts = [part for code in ("s1", "s2") for part in told[code]["geometry"]["coordinates"]]
    whole = {"type": "MultiPolygon", "coordinates": parts}
    edits = [
        {"code": "s1", "base_edition_id": told["s1"]["edition"], "geometry": whole, "from": ["s2"]},
        {"code": "s2", "base_edition_id": told["s2"]["edition"], "geometry": None},
    ]
    made = post(as_("planner"), f"{CITY}change-sets", {"edits": edits}).json()
    decided(grid, made["id"])
    assert len(shapes_read(grid.city, system_user()).settlements["s1"].geoms) == 2
    shares = {(one["predecessor"], one["successor"]): round(one["share_of_successor"], 3) for one in made["descents"]}
    assert shares == {("s1", "s1"): 0.5, ("s2", "s1"): 0.5}


# ---------------------------------------------------------------- codes


def test_codes_of_ended_places_and_drafts_are_told_to_those_who_draw(
    grid: GridCity, as_: Callable[[str], Client]
) -> None:
    grid.approved(*grid.merge(0, 0))
    grid.save(*grid.split(2, 2, "q-draft"))
    for name in ("planner", "colleague", "local", "above"):
        told = as_(name).get(f"{CITY}partition").json()["codes_taken"]
        assert {"q1-0", "q-draft", "s1", "q3-2"} <= set(told), name
    for name in ("nobody", "stranger", "viewer", "supervisor", "agency"):
        text = as_(name).get(f"{CITY}partition").content.decode()
        assert "codes_taken" not in text, name
        assert "q-draft" not in text, name


@pytest.mark.parametrize(("user", "taken"), [("planner", "q1-0"), ("planner", "q-draft"), ("local", "q-draft")])
def test_a_taken_code_is_refused_with_a_free_one(
    grid: GridCity, as_: Callable[[str], Client], user: str, taken: str
) -> None:
    grid.approved(*grid.merge(0, 0))
    grid.save(*grid.split(2, 2, "q-draft"))
    west, east = cells(0, 0), cells(1, 0)
    edits = [
        {"code": "q0-0", "base_edition_id": grid.base("q0-0").pk, "geometry": mapping(west)},
        {"code": taken, "geometry": mapping(east), "from": ["q0-0"], "name_fa": "نو", "name_en": "New"},
    ]
    refused = post(as_(user), f"{CITY}change-sets", {"edits": edits})
    told = refused.json()
    assert (refused.status_code, told["code"], told["where"]) == (409, "code_taken", f"place {taken}")
    assert told["free_code"] in told["remedy"]
    edits[1]["code"] = told["free_code"]
    made = post(as_(user), f"{CITY}change-sets", {"edits": edits})
    assert made.status_code == 201, made.content
    assert Place.objects.get(code=told["free_code"]).pk not in {grid.place("q1-0").pk}


def test_an_ended_place_comes_back_where_that_is_said(grid: GridCity, as_: Callable[[str], Client]) -> None:
    number = grid.place("q1-0").pk
    grid.approved(*grid.merge(0, 0))
    edits = [
        {"code": "q0-0", "base_edition_id": grid.base("q0-0").pk, "geometry": mapping(cells(0, 0))},
        {"code": "q1-0", "geometry": mapping(cells(1, 0)), "from": ["q0-0"], "is_revival": True},
    ]
    made = post(as_("planner"), f"{CITY}change-sets", {"edits": edits})
    assert made.status_code == 201, made.content
    decided(grid, made.json()["id"])
    assert grid.base("q1-0").place_id == number


def test_outsiders_do_not_learn_which_codes_are_taken(grid: GridCity, as_: Callable[[str], Client]) -> None:
    grid.save(*grid.split(2, 2, "q-draft"))
    answers = []
    for code in ("q-draft", "q-free"):
        edits = [{"code": code, "geometry": mapping(cells(9, 9)), "name_fa": "نو", "name_en": "New", "source": "x"}]
        refused = post(as_("neighbour"), f"{CITY}change-sets", {"edits": edits})
        answers.append((refused.status_code, refused.json()["code"], refused.json()["where"]))
    assert answers[0] == answers[1]
    assert answers[0][0] == 403


# ---------------------------------------------------------------- one question, one answer


def test_who_saved_a_version_is_not_offered_its_approval(grid: GridCity, as_: Callable[[str], Client]) -> None:
    first = grid.save(*grid.shifted(0, 0, 0.1)).change_set
    again = grid.save(*grid.shifted(0, 0, 0.2), user="colleague", change_set=first, version=1).change_set
    change_set_propose(again, grid.people["planner"], 2)
    path = f"/api/v1/change-sets/{first.pk}"
    offered = {name: as_(name).get(path).json()["may"]["approve"] for name in ("planner", "colleague", "supervisor")}
    assert offered == {"planner": False, "colleague": False, "supervisor": True}
    for name in ("planner", "colleague", "supervisor"):
        assert steps_of(ChangeSet.objects.get(pk=first.pk), grid.people[name]).approve is offered[name]
    refused = as_("colleague").post(
        f"{path}/approve", data="{}", content_type="application/json", headers={"If-Match": '"3"'}
    )
    assert (refused.status_code, refused.json()["code"]) == (403, "own_change_set")


def test_who_may_edit_what_a_new_place_comes_from_may_save_the_set(
    grid: GridCity, as_: Callable[[str], Client]
) -> None:
    saved = grid.save(*grid.split(0, 0, "q0-0b"), user="local")
    Assignment.objects.filter(place__code="q0-0b").delete()
    may = as_("local").get(f"/api/v1/change-sets/{saved.change_set.pk}").json()["may"]
    assert (may["save"], may["propose"], may["withdraw"]) == (True, True, True)
    proposed = change_set_propose(saved.change_set, grid.people["local"], 1)
    assert proposed.status == "proposed"


def test_the_workbench_and_the_analyses_read_the_same_editions(grid: GridCity) -> None:
    from analysis.selectors import places_read

    grid.save(*grid.split(2, 2, "q-draft"))
    grid.approved(*grid.merge(0, 0))
    for user in (system_user(), grid.people["stranger"]):
        analysed = [(row.code, row.edition_id) for row in places_read(grid.city, user).rows]
        drawn = [(row[0], row[4]) for row in partition_state(grid.city, user)]
        assert analysed == drawn
        assert {code for code, _ in drawn} == set(
            drawn_editions(grid.city, user).current().values_list("place__code", flat=True)
        )
