"""São Vicente's published indicators, reproduced from the raw layers by `manage.py overlay`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pytest
import shapely
from django.core.management import call_command

from analysis.services import coverage_compute
from geo.core.measuring import area_m2, planar_area_m2
from geo.models import Place
from geo.querysets import system_user

pytestmark = pytest.mark.django_db

PUBLISHED_EPSG = 31983
"""SIRGAS 2000 / UTM 23S, in which the shares were published."""
POINTS = 0.01
"""Shares agree within this many percentage points; they are published with two decimals."""


@pytest.fixture
def published(real_data: Path) -> dict[str, dict[str, Any]]:
    """Published indicators by neighbourhood, with its geometry."""
    features = json.loads((real_data / "sao_vicente" / "bairros_indicadores.geojson").read_text())["features"]
    return {f["properties"]["bairro"]: {**f["properties"], "geometry": f["geometry"]} for f in features}


def overlaid(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    call_command("overlay", "sao-vicente", "--json", "--with", *arguments)
    return dict(json.loads(capsys.readouterr().out))


@pytest.mark.parametrize(("subject", "field"), [("settlements", "pct_area_favela"), ("green-areas", "pct_area_verde")])
def test_shares_of_area(
    sao_vicente: Place,
    published: dict[str, dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
    subject: str,
    field: str,
) -> None:
    places = overlaid(capsys, subject)["places"]
    assert len(places) == len(published) == 30
    for place in places:
        share = place["area_share"] * 100
        assert share == pytest.approx(published[place["name_en"]][field], abs=POINTS), place["name_en"]


@pytest.mark.parametrize(
    ("arguments", "field", "total", "outside"),
    [
        (["health-units"], "n_saude", 330, 0),
        (["health-units", "--where", "atencao=Sim"], "n_saude_atencao", 65, 0),
        (["bus-stops"], "n_paradas", 452, 3),
    ],
)
def test_counts(
    sao_vicente: Place,
    published: dict[str, dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    field: str,
    total: int,
    outside: int,
) -> None:
    answer = overlaid(capsys, *arguments)
    counts = {place["name_en"]: place["count"] for place in answer["places"]}
    assert counts == {name: indicators[field] for name, indicators in published.items()}
    assert answer["outside"] == outside
    assert sum(counts.values()) + outside == total  # a point lies in one neighbourhood, or in none


def test_people_of_neighbourhoods(sao_vicente: Place, published: dict[str, dict[str, Any]]) -> None:
    """Every sector lies in one neighbourhood, so its people are all there: to the person, as published."""
    result = coverage_compute(city=sao_vicente, user=system_user())
    for place, people in zip(result.places, result.values.population, strict=True):
        if place.kind == "neighbourhood":
            assert people == pytest.approx(published[place.name_en]["populacao"], abs=0.5), place.name_en


def test_trap_published_areas_are_spherical(sao_vicente: Place, published: dict[str, dict[str, Any]]) -> None:
    """`area_km2` is the area on a sphere, 0.2 % above the ellipsoid's: ours must not be fitted to it."""
    sphere = pyproj.Geod(a=6_371_008.8, f=0)
    for indicators in published.values():
        shape = shapely.geometry.shape(indicators["geometry"])
        told_m2 = indicators["area_km2"] * 1e6
        parts = (shapely.geometry.polygon.orient(part) for part in shapely.get_parts(shape))
        spherical_m2 = sum(sphere.geometry_area_perimeter(part)[0] for part in parts)
        assert told_m2 == pytest.approx(spherical_m2, rel=2e-4)
        ellipsoidal_m2 = float(area_m2(np.array([shape]))[0])
        assert 1.0020 < told_m2 / ellipsoidal_m2 < 1.0026
        planar_m2 = float(planar_area_m2(np.array([shape]), PUBLISHED_EPSG)[0])
        assert planar_m2 == pytest.approx(ellipsoidal_m2, rel=5e-4)


def test_trap_published_distances_start_at_the_centre_of_the_bounding_box(
    sao_vicente: Place, published: dict[str, dict[str, Any]], real_data: Path
) -> None:
    """`dist_saude_m` is measured from the middle of the bounding box, not from where people live: ours must differ."""
    result = coverage_compute(city=sao_vicente, user=system_user())
    clinic = result.service_index("clinic")
    assert clinic is not None
    units = json.loads((real_data / "sao_vicente" / "saude.geojson").read_text())["features"]
    care = [shapely.geometry.shape(u["geometry"]) for u in units if u["properties"]["atencao"] == "Sim"]
    project = pyproj.Transformer.from_crs(4326, PUBLISHED_EPSG, always_xy=True).transform
    care_m = shapely.points(*project([p.x for p in care], [p.y for p in care]))
    gaps = []
    for i, place in enumerate(result.places):
        if place.kind != "neighbourhood":
            continue
        west, south, east, north = shapely.geometry.shape(published[place.name_en]["geometry"]).bounds
        centre_m = shapely.points(*project((west + east) / 2, (south + north) / 2))
        told_m = published[place.name_en]["dist_saude_m"]
        assert told_m == pytest.approx(shapely.distance(centre_m, care_m).min(), abs=6), place.name_en
        gaps.append(abs(told_m - result.values.mean_distance_m[i, clinic]))
    assert np.median(gaps) > 50
