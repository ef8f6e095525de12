"""Overlay of layers on neighbourhoods, against PostGIS and against sums that must hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from django.db import connection

from analysis.ground import grid_for
from analysis.results import CityOverlay
from analysis.selectors import places_read
from analysis.services import overlay_compute
from geo.errors import InvalidInput, NotFound
from geo.models import Place
from geo.querysets import system_user
from layers.models import Layer, Release

pytestmark = pytest.mark.django_db

BY_POSTGIS = """
WITH p AS MATERIALIZED (
    SELECT pl.code, ST_Transform(b.geometry, %(epsg)s::int) AS geom
    FROM geo_boundary AS b JOIN geo_place AS pl ON pl.id = b.place_id
    WHERE b.id = ANY(%(editions)s) AND pl.kind = 'neighbourhood'
), f AS MATERIALIZED (
    SELECT ST_Transform(geometry, %(epsg)s::int) AS geom FROM layers_feature WHERE release_id = %(release)s
)
SELECT p.code, count(f.geom),
    ST_Area(ST_Intersection(p.geom, ST_Union(f.geom) FILTER (WHERE ST_Dimension(f.geom) = 2))),
    sum(ST_Length(ST_Intersection(p.geom, f.geom))) FILTER (WHERE ST_Dimension(f.geom) = 1)
FROM p LEFT JOIN f ON ST_Intersects(p.geom, f.geom) AND NOT (ST_Dimension(f.geom) > 0 AND ST_Touches(p.geom, f.geom))
GROUP BY p.code, p.geom
"""


def overlaid(city: Place, subject: str, user: Any = None, **options: Any) -> CityOverlay:
    return overlay_compute(city=city, user=user or system_user(), subject=subject, **options)


def by_postgis(city: Place, layer: str) -> dict[str, tuple[int, float, float]]:
    places = places_read(city, system_user())
    release = Release.objects.filter(layer__city=city, layer__code=layer).latest().get()
    parameters = {
        "epsg": grid_for(places).epsg,
        "editions": [row.edition_id for row in places.rows],
        "release": release.pk,
    }
    with connection.cursor() as cursor:
        cursor.execute(BY_POSTGIS, parameters)
        return {code: (count, area or 0.0, length or 0.0) for code, count, area, length in cursor.fetchall()}


@pytest.mark.parametrize("layer", ["bakery", "park", "water-mains"])
def test_agrees_with_postgis(demo_city: Place, layer: str) -> None:
    expected = by_postgis(demo_city, layer)
    result = overlaid(demo_city, layer)
    assert {row.code for row in result.rows} == set(expected)
    for row in result.rows:
        count, area_m2, length_m = expected[row.code]
        assert row.count == count, row.code
        assert (row.area_m2 or 0.0) == pytest.approx(area_m2, rel=1e-6, abs=0.01)
        assert (row.length_m or 0.0) == pytest.approx(length_m, rel=1e-6, abs=0.01)
    assert (result.rows[0].area_m2 is None) == (layer != "park")
    assert (result.rows[0].length_m is None) == (layer != "water-mains")


def test_every_point_is_in_one_place_or_outside(demo_city: Place) -> None:
    for layer in Layer.objects.filter(city=demo_city, kind="point"):
        result = overlaid(demo_city, layer.code)
        total = layer.releases.latest().get().row_count
        assert sum(row.count for row in result.rows) + result.outside == total, layer.code


def test_neighbourhoods_overlaid_with_settlements(demo_city: Place) -> None:
    result = overlaid(demo_city, "settlements")
    assert result.subject == "settlements"
    assert {row.kind for row in result.rows} == {"neighbourhood"}
    shares = np.array([row.area_share for row in result.rows], dtype=float)
    assert ((shares >= 0) & (shares <= 1 + 1e-9)).all()
    assert result.inputs["boundaries"]["count"] == 298


def test_only_features_with_a_value(sao_vicente: Place) -> None:
    every = overlaid(sao_vicente, "health-units")
    some = {value: overlaid(sao_vicente, "health-units", where={"atencao": value}) for value in ("Sim", "Não")}
    for i, row in enumerate(every.rows):
        assert row.count == some["Sim"].rows[i].count + some["Não"].rows[i].count
    assert some["Sim"].inputs["where"] == {"atencao": "Sim"}


@pytest.mark.parametrize("subject", ["no-such-layer", "population", "elevation", ""])
def test_what_cannot_be_overlaid_is_refused_with_a_choice(demo_city: Place, subject: str) -> None:
    with pytest.raises(NotFound, match="Choose one of: settlements") as caught:
        overlaid(demo_city, subject)
    assert caught.value.where == "--with"


@pytest.mark.parametrize("where", [{"atencao": "Talvez"}, {"no-such-field": "Sim"}, {"atencao": "Sim", "tipo": "x"}])
def test_a_condition_nothing_meets_is_refused(sao_vicente: Place, where: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match="No feature of the layer health-units"):
        overlaid(sao_vicente, "health-units", where=where)


def test_settlements_have_no_attributes(demo_city: Place) -> None:
    with pytest.raises(InvalidInput, match="no attributes"):
        overlaid(demo_city, "settlements", where={"a": "b"})


def test_an_unpublished_layer_is_unknown_to_the_public(demo_city: Place, personas: dict[str, Any]) -> None:
    Layer.objects.filter(city=demo_city, code="bakery").update(visibility="assigned")
    with pytest.raises(NotFound) as caught:
        overlaid(demo_city, "bakery", personas["anonymous"])
    assert "bakery" not in caught.value.remedy
    assert overlaid(demo_city, "bakery", personas["planner"]).rows
