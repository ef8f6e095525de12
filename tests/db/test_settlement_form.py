"""The form of a settlement of the demo city, against the database's own measuring and the cores."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
import shapely
from django.core.management import call_command
from django.db import connection

from analysis.settlement_form import FormQuestion, form_record, settlement_form
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
