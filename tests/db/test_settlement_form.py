"""The form of a settlement of the demo city, against the database's own measuring and the cores."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
import shapely
from django.core.management import call_command
from django.db import connection

from analysis.core.reblocking import reblock
from analysis.models import Run
from analysis.settlement_form import (
    FormQuestion,
    PlanContent,
    alternatives_find,
    form_keep,
    form_reading,
    form_record,
    forms_kept,
    ground_of,
    plan_geometry,
    plan_keep,
    plan_open,
    plans_of,
    settlement_form,
)
from analysis.settlement_form.pieces import PlaceGround, piece_name
from geo.errors import Forbidden, InvalidInput, NotFound
from geo.models import Place
from geo.querysets import system_user

pytestmark = pytest.mark.django_db
PASSABLE = FormQuestion(narrowest_m=4.0)

WITHIN = """
SELECT sum(ST_Length(cut::geography)) FILTER (WHERE width_m < 6) / sum(ST_Length(cut::geography))
FROM (
    SELECT ST_Intersection(f.geometry, b.geometry) AS cut, (f.attributes ->> 'width_m')::float8 AS width_m
    FROM layers_feature AS f JOIN layers_release AS r ON r.id = f.release_id JOIN layers_layer AS l ON l.id = r.layer_id
    JOIN geo_place AS p ON p.code = %s JOIN geo_boundary AS b ON b.place_id = p.id AND b.status = 'approved'
    WHERE l.code = 'roads' AND l.city_id = %s AND ST_Intersects(f.geometry, b.geometry)
) AS streets
"""
HOUSES = """
SELECT count(*)
FROM layers_feature AS f JOIN layers_release AS r ON r.id = f.release_id JOIN layers_layer AS l ON l.id = r.layer_id
JOIN geo_place AS p ON p.code = %s JOIN geo_boundary AS b ON b.place_id = p.id AND b.status = 'approved'
WHERE l.code = 'buildings' AND l.city_id = %s AND ST_Covers(b.geometry, ST_PointOnSurface(f.geometry))
"""


def asked_of_database(sql: str, code: str, city: Place) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, [code, city.pk])
        return cursor.fetchone()[0]


def form(city: Place, asked: FormQuestion = PASSABLE, code: str = "s05") -> Any:
    return settlement_form(city=city, user=system_user(), place_code=code, asked=asked)


def test_passages_and_buildings_are_those_that_the_database_measures(demo_city: Place) -> None:
    found = form(demo_city)
    assert found.passages.share == pytest.approx(asked_of_database(WITHIN, "s05", demo_city), abs=1e-3)
    assert found.buildings == pytest.approx(asked_of_database(HOUSES, "s05", demo_city), abs=2)
    assert found.complexity.homes.sum() == found.buildings
    assert shapely.area(found.blocks.polygons).sum() == pytest.approx(
        shapely.area(shapely.union_all(found.blocks.polygons)), rel=1e-6
    )


def test_where_narrow_passages_give_no_access_homes_are_without_it(demo_city: Place) -> None:
    every, passable = form(demo_city, FormQuestion()), form(demo_city)
    assert every.homes_without_access < passable.homes_without_access
    assert every.k <= passable.k
    assert passable.k > 2
    assert every.passages.share == passable.passages.share


def test_new_paths_give_every_home_access_along_edges(demo_city: Place) -> None:
    asked = FormQuestion(narrowest_m=4.0, goal="least-length")
    found = form(demo_city, asked)
    record = form_record(found, asked)
    assert record["homes_without_access"] > 0
    told = record["paths"]
    ground = ground_of(found)
    for block, own in ground.blocks.items():
        plan = reblock(own, "least-length")
        assert plan.recount.k_after <= 2, block
        assert plan.recount.off_edges_m == pytest.approx(0, abs=0.1)
        if not len(plan.unreachable):
            assert plan.recount.homes_without_access_after == 0
    assert told["homes_without_access_after"] == 0
    assert told["k_after"] <= 2
    lines = [shapely.geometry.shape(feature["geometry"]) for feature in told["features"]["features"]]
    outline = shapely.from_wkt(Place.objects.get(code="s05", kind="settlement").boundaries.current().get().geometry.wkt)
    assert all(outline.buffer(1e-5).covers(line) for line in lines)
    assert sum(feature["properties"]["length_m"] for feature in told["features"]["features"]) == pytest.approx(
        told["length_m"], abs=1
    )
    json.dumps(record, allow_nan=False)


@pytest.mark.parametrize(
    ("code", "asked", "error", "expected"),
    [
        ("castle", FormQuestion(), NotFound, "unknown_place"),
        ("s05", FormQuestion(streets="castle"), NotFound, "unknown_layer"),
        ("s05", FormQuestion(buildings="roads"), Exception, ""),
        ("s05", FormQuestion(narrowest_m=-1.0), InvalidInput, "bad_number"),
        ("s05", FormQuestion(cost_per_m=float("nan")), InvalidInput, "bad_number"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    demo_city: Place, code: str, asked: FormQuestion, error: Any, expected: str
) -> None:
    with pytest.raises(error) as caught:
        form(demo_city, asked, code)
    assert getattr(caught.value, "code", "")
    assert not expected or caught.value.code == expected


def test_single_homes_are_told_to_people_with_a_role_alone(demo_city: Place, django_user_model: Any) -> None:
    with pytest.raises(Forbidden):
        settlement_form(city=demo_city, user=django_user_model.objects.create_user("form-stranger"), place_code="s05")


def test_the_command_answers_in_json_and_in_words(demo_city: Place, capsys: pytest.CaptureFixture[str]) -> None:
    options = {"place": "s05", "narrowest_m": "4", "paths": "least-homes", "stderr": io.StringIO()}
    call_command("blocks", demo_city.code, json=True, **options)
    answer = json.loads(capsys.readouterr().out)
    assert answer["paths"]["goal"] == "least-homes"
    assert sum(answer["blocks_by_k"].values()) == answer["blocks"]
    call_command("blocks", demo_city.code, **options)
    assert f"{answer['homes_without_access']:,} without access" in capsys.readouterr().out


# ---- pieces of paths


def test_alternatives_differ_in_what_they_are_chosen_for(demo_city: Place) -> None:
    told, _took_ms = alternatives_find(form(demo_city, code="s04"), PASSABLE)
    by_goal = {one["goal"]: one for one in told["alternatives"]}
    assert set(by_goal) == {"least-length", "least-homes", "through-streets"}
    assert by_goal["least-length"]["length_m"] == min(one["length_m"] for one in by_goal.values())
    assert by_goal["least-homes"]["homes_touched"] == min(one["homes_touched"] for one in by_goal.values())
    assert by_goal["through-streets"]["detour"] <= 3.0 + 1e-9
    for one in by_goal.values():
        assert one["k_after"] <= 2
        assert one["not_joined"] == []


def test_a_piece_taken_away_is_counted_and_put_back_again(demo_city: Place) -> None:
    found = form(demo_city, code="s04")
    ground = ground_of(found)
    none = ground.count((), width_m=4.0, cost_per_m=1.0)
    assert (none.homes_without_access, none.k, none.length_m) == (int(found.homes_without_access), found.k, 0.0)
    chosen = ground.alternative("least-length", width_m=4.0, cost_per_m=10.0)
    pieces = ground.read(chosen.pieces)
    assert chosen.count.cost == pytest.approx(10.0 * chosen.count.length_m)
    assert chosen.count.homes_without_access == 0
    # A piece that meets a street carries all that hangs on it: without it homes lose access, or pieces hang in the air.
    joined = next(
        piece
        for piece in pieces
        if ground.blocks[piece[0]]
        .graph.is_street[[ground.blocks[piece[0]].graph.u[piece[1]], ground.blocks[piece[0]].graph.v[piece[1]]]]
        .any()
    )
    without = ground.count([one for one in pieces if one != joined], width_m=4.0, cost_per_m=10.0)
    assert without.length_m < chosen.count.length_m
    assert without.homes_without_access > 0
    again = PlaceGround(found).count(pieces, width_m=4.0, cost_per_m=10.0)
    assert again == chosen.count, "what was counted before and what is counted anew are the same"
    touched = sum(block.homes_touched for block in again.blocks)
    assert again.homes_touched <= touched


@pytest.mark.parametrize("name", ["0-999999", "x", "", "999-0", "1-2-3", "-1-0", "۱-۲"])
def test_pieces_that_do_not_exist_are_refused_with_their_place(demo_city: Place, name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        ground_of(form(demo_city, code="s04")).read([name])
    assert (caught.value.code, caught.value.where) == ("unknown_piece", "pieces[0]")


# ---- runs


def test_a_form_is_kept_once_for_the_same_inputs(demo_city: Place) -> None:
    reading = form_reading(demo_city, system_user(), PASSABLE)
    row = next(i for i, place in enumerate(reading.places.rows) if place.code == "s04")
    assert forms_kept(reading, system_user(), PASSABLE) == {}
    run = form_keep(reading, row, PASSABLE, None)
    assert form_keep(reading, row, PASSABLE, None).pk == run.pk
    assert forms_kept(reading, system_user(), PASSABLE) == {"s04": run}
    assert forms_kept(reading, system_user(), FormQuestion(narrowest_m=3.0)) == {}
    assert run.kind == Run.Kind.BLOCKS
    assert run.result["homes_without_access"] == int(form(demo_city, code="s04").homes_without_access)
    assert set(run.inputs) == {"streets", "buildings", "boundary"}


def test_a_plan_is_kept_opened_and_laid_on_other_plots(demo_city: Place, django_user_model: Any) -> None:
    planner = django_user_model.objects.get(username="planner")
    reading = form_reading(demo_city, planner, PASSABLE)
    row = next(i for i, place in enumerate(reading.places.rows) if place.code == "s04")
    found = form(demo_city, code="s04")
    ground = ground_of(found)
    names = ground.alternative("least-length", width_m=4.0, cost_per_m=0.0).pieces
    run = plan_keep(reading, row, found, PASSABLE, PlanContent(" طرح  نخست ", names, "گفت‌وگو"), planner)
    assert run.parameters["name"] == "طرح نخست"
    assert list(plans_of(demo_city, "s04", planner)) == [run]
    opened = plan_open(run, ground)
    assert (set(map(piece_name, opened.pieces)), opened.is_older, opened.lost_m) == (set(names), False, 0.0)
    # Where narrower streets give access there are fewer blocks to help, and their pieces have other names.
    wider = plan_open(run, ground_of(form(demo_city, FormQuestion(narrowest_m=6.0), "s04")))
    assert wider.is_older
    assert wider.lost_m < run.result["length_m"]
    shape = plan_geometry(run, 480)
    assert shapely.get_num_coordinates(shape) <= 480
    assert shapely.is_valid(shape)
    for content, code in (
        (PlanContent("", names), "no_name"),
        (PlanContent("x", []), "no_pieces"),
        (PlanContent("x" * 201, names), "text_too_long"),
        (PlanContent("x", ["7-7-7"]), "unknown_piece"),
    ):
        with pytest.raises(InvalidInput) as caught:
            plan_keep(reading, row, found, PASSABLE, content, planner)
        assert caught.value.code == code
    with pytest.raises(Forbidden):
        plan_keep(
            reading, row, found, PASSABLE, PlanContent("x", names), django_user_model.objects.get(username="viewer")
        )
    assert Run.objects.filter(kind=Run.Kind.BLOCKS).count() == 1
