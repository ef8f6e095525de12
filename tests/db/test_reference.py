"""The exact method the grid is tested against is itself tested: against geopandas, and against what must hold of it."""

from __future__ import annotations

import geopandas
import numpy as np
import pytest
import shapely

from analysis import selectors
from analysis.ground import grid_for
from analysis.reference import area_shares_exact, people_exact
from analysis.results import Question
from geo.core.crs import STORAGE_EPSG, project
from geo.models import Place
from geo.querysets import system_user

pytestmark = pytest.mark.django_db

SOME = ("clinic", "park", "water")


def test_agrees_with_geopandas(demo_city: Place) -> None:
    """Points, polygons and lines: the same shares by other software on another way."""
    user, question = system_user(), Question(services=SOME)
    places = selectors.places_read(demo_city, user)
    epsg = grid_for(places).epsg
    shapes = geopandas.GeoDataFrame(geometry=project(places.geometries_4326, STORAGE_EPSG, epsg), crs=epsg)
    services, _ = selectors.services_read(demo_city, user, question)
    shares = area_shares_exact(city=demo_city, user=user, question=question, sagitta_m=0.05)
    assert tuple(s.code for s in services) == SOME
    for k, service in enumerate(services):
        facilities = geopandas.GeoSeries.from_wkb(
            shapely.to_wkb(selectors.facilities_read(service.release_id, service.where)), crs=STORAGE_EPSG
        )
        reach = facilities.to_crs(epsg).buffer(service.threshold_m, quad_segs=100).union_all()
        theirs = np.asarray(shapes.intersection(reach).area / shapes.area)
        np.testing.assert_allclose(shares[:, k], theirs, atol=2e-3)
        assert np.abs(shares[:, k] - theirs).mean() < 1e-4


def test_finer_circles_change_little_and_only_upwards(sao_vicente: Place) -> None:
    user = system_user()
    rough, fine, finest = (
        area_shares_exact(city=sao_vicente, user=user, sagitta_m=sagitta_m) for sagitta_m in (1.0, 0.05, 0.01)
    )
    assert (fine >= rough - 1e-9).all()
    assert np.abs(finest - fine).max() < 1e-3 < np.abs(finest - rough).max()


def test_conditions_choose_the_facilities(sao_vicente: Place) -> None:
    """Only the 65 care units of 330 health units are clinics; without the condition more land is covered."""
    user, question = system_user(), Question(services=("clinic",))
    with_condition = area_shares_exact(city=sao_vicente, user=user, question=question)
    supply = sao_vicente.supplies.get(service__code="clinic")
    assert supply.where == {"atencao": "Sim"}
    supply.where = {"atencao": ["Sim", "Não"]}
    supply.save()
    either = area_shares_exact(city=sao_vicente, user=user, question=question)
    supply.where = {}
    supply.save()
    np.testing.assert_allclose(area_shares_exact(city=sao_vicente, user=user, question=question), either, atol=1e-9)
    assert (either >= with_condition - 1e-9).all()
    assert either.mean() > with_condition.mean() + 0.01
    supply.where = {"atencao": "Talvez"}
    supply.save()
    assert not area_shares_exact(city=sao_vicente, user=user, question=question).any()


def test_people_are_all_somewhere(sao_vicente: Place) -> None:
    user = system_user()
    rows = selectors.places_read(sao_vicente, user).rows
    people = people_exact(city=sao_vicente, user=user)
    inside = sum(n for row, n in zip(rows, people, strict=True) if row.kind == "neighbourhood")
    assert inside == pytest.approx(328_845, rel=1e-9)
