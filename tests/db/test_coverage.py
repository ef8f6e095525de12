"""Coverage from the database: against the exact method, with equal totals of people, remembered and seen rightly."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test.utils import CaptureQueriesContext
from numpy.typing import NDArray

from analysis import selectors
from analysis.caching import ArrayCache, caches_clear
from analysis.inputs import inputs_read
from analysis.reference import area_shares_exact, people_exact
from analysis.results import CityCoverage, Question
from analysis.services import coverage_compute, distance_curves, priority_compute
from geo.core.crs import STORAGE_EPSG, project
from geo.errors import NotFound
from geo.models import Boundary, Place
from geo.querysets import system_user
from geo.services import boundary_approve
from layers.models import Layer, Raster, Supply
from layers.reading import Plan, read_file
from layers.services import release_create

pytestmark = pytest.mark.django_db

LARGEST = 0.005
AVERAGE = 0.0005


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    caches_clear()


def computed(city: Place, user: Any = None, **question: Any) -> CityCoverage:
    return coverage_compute(city=city, user=user or system_user(), question=Question(**question))


def assert_same(one: CityCoverage, other: CityCoverage) -> None:
    """Equal to the last bit."""
    for field in dataclasses.fields(one.values):
        np.testing.assert_array_equal(getattr(one.values, field.name), getattr(other.values, field.name), field.name)
    assert one.inputs == other.inputs


# ---------------------------------------------------------------- against polygons


def assert_agrees(
    city: Place, exact: NDArray[np.float64], largest: float, average: float, cell_m: float | None = None
) -> None:
    result = coverage_compute(city=city, user=system_user(), cell_m=cell_m)
    off = np.abs(result.values.area_share - exact)
    row, column = np.unravel_index(off.argmax(), off.shape)
    worst = f"{result.places[row].code}, {result.services[column].code}: {off.max():.4f} off"
    assert off.max() <= largest, worst
    assert off.mean() <= average, f"{off.mean():.6f} off on average; worst {worst}"


def test_every_area_share_of_the_demo_city_agrees_with_polygons(demo_city: Place) -> None:
    """On the grid of every city, and more exactly on a finer one; the exact shares are the same for both."""
    assert len(computed(demo_city).services) == 16
    exact = area_shares_exact(city=demo_city, user=system_user())
    assert_agrees(demo_city, exact, LARGEST, AVERAGE)
    assert_agrees(demo_city, exact, LARGEST / 2, AVERAGE / 10, cell_m=10.0)


def test_every_area_share_of_sao_vicente_agrees_with_polygons(sao_vicente: Place) -> None:
    assert_agrees(sao_vicente, area_shares_exact(city=sao_vicente, user=system_user()), LARGEST, AVERAGE)


@pytest.mark.parametrize("thresholds_m", [{"clinic": 400, "park": 150, "bus-stop": 200}, {"clinic": 1500, "park": 900}])
def test_other_thresholds_agree_too(sao_vicente: Place, thresholds_m: dict[str, float]) -> None:
    question = Question(thresholds_m=thresholds_m)
    result = coverage_compute(city=sao_vicente, user=system_user(), question=question)
    exact = area_shares_exact(city=sao_vicente, user=system_user(), question=question)
    assert np.abs(result.values.area_share - exact).max() <= LARGEST


def test_cells_are_twenty_metres_where_nothing_else_is_said(demo_city: Place) -> None:
    assert computed(demo_city).cell_m == 20.0


# ---------------------------------------------------------------- totals of people


def neighbourhoods(result: CityCoverage) -> list[int]:
    return [i for i, place in enumerate(result.places) if place.kind == "neighbourhood"]


def test_people_of_sao_vicente_are_the_sectors_people(sao_vicente: Place) -> None:
    result = computed(sao_vicente)
    exact = people_exact(city=sao_vicente, user=system_user())
    np.testing.assert_allclose(result.values.population, exact, rtol=1e-6, atol=1e-6)
    inside = result.values.population[neighbourhoods(result)].sum()
    assert inside == pytest.approx(exact[neighbourhoods(result)].sum(), rel=1e-9)
    assert inside == pytest.approx(328_845, rel=1e-9)
    assert result.people_total == pytest.approx(328_845, rel=1e-9)


def test_people_of_the_demo_city_are_the_rasters_people(demo_city: Place) -> None:
    result = computed(demo_city)
    assert result.population is not None
    raster = Raster.objects.get(release_id=result.population.release_id)
    with rasterio.open(settings.RASTER_DIR / raster.file) as file:
        values, transform, epsg = file.read(1).astype(np.float64), file.transform, file.crs.to_epsg()
    assert result.epsg == epsg
    assert result.people_total == pytest.approx(values.sum(), rel=1e-9)

    # Pixel by pixel: whole ones inside count in full, those on the outline by the land inside.
    row, col = np.nonzero(values)
    west, north = transform.c + col * transform.a, transform.f + row * transform.e
    pixels = shapely.box(west, north + transform.e, west + transform.a, north)
    places = selectors.places_read(demo_city, system_user())
    chosen = np.isin([r.kind for r in places.rows], ["neighbourhood"])
    city_m = shapely.union_all(project(places.geometries_4326[chosen], STORAGE_EPSG, epsg))
    shapely.prepare(city_m)
    share = shapely.contains_properly(city_m, pixels).astype(np.float64)
    partly = np.flatnonzero((share == 0) & shapely.intersects(city_m, pixels))
    share[partly] = shapely.area(shapely.intersection(city_m, pixels[partly])) / shapely.area(pixels[partly])
    inside = float((values[row, col] * share).sum())
    assert result.values.population[neighbourhoods(result)].sum() == pytest.approx(inside, rel=1e-6)


def test_covered_and_uncovered_people_add_up(demo_city: Place) -> None:
    values = computed(demo_city).values
    covered = values.population_share * values.population[:, None]
    np.testing.assert_allclose(covered + values.uncovered_people, values.population[:, None] + 0 * covered, rtol=1e-9)


# ---------------------------------------------------------------- remembering


def test_what_is_remembered_changes_nothing(demo_city: Place) -> None:
    first = computed(demo_city)
    assert_same(first, computed(demo_city))
    caches_clear()
    assert_same(first, computed(demo_city))


def test_an_answer_does_not_depend_on_what_was_asked_before(demo_city: Place) -> None:
    alone = computed(demo_city, services=("park",))
    caches_clear()
    computed(demo_city, thresholds_m={"park": 123.0, "clinic": 77.0})
    after = computed(demo_city, services=("park",))
    assert_same(alone, after)
    together, column = computed(demo_city), computed(demo_city).service_index("park")
    np.testing.assert_array_equal(alone.values.area_share[:, 0], together.values.area_share[:, column])


def test_one_reading_answers_several_questions(demo_city: Place) -> None:
    reading = selectors.city_read(demo_city, system_user())
    for question in (
        Question(),
        Question(thresholds_m={"clinic": 333.0}, weights={"park": 4.0}),
        Question(services=("park",)),
    ):
        once = priority_compute(city=demo_city, user=system_user(), question=question, reading=reading)
        again = priority_compute(city=demo_city, user=system_user(), question=question)
        assert_same(once.coverage, again.coverage)
        np.testing.assert_array_equal(once.priority.score, again.priority.score)


def test_a_changed_threshold_changes_its_service_alone(demo_city: Place) -> None:
    before, after = computed(demo_city), computed(demo_city, thresholds_m={"clinic": 1234.0})
    clinic = before.service_index("clinic")
    same = np.arange(len(before.services)) != clinic
    np.testing.assert_array_equal(before.values.area_share[:, same], after.values.area_share[:, same])
    assert (after.values.area_share[:, clinic] >= before.values.area_share[:, clinic]).all()
    assert after.values.area_share[:, clinic].mean() > before.values.area_share[:, clinic].mean()
    caches_clear()
    assert_same(after, computed(demo_city, thresholds_m={"clinic": 1234.0}))


def plan_of(tmp_path: Path, *points: tuple[float, float], kinds: Sequence[str] = ()) -> Plan:
    """Read a plan from a file of points."""
    path = tmp_path / "points.geojson"
    features = [
        {
            "type": "Feature",
            "properties": {"name": f"{i}", "kind": kind, "is_first": "yes" if i == 0 else "no"},
            "geometry": {"type": "Point", "coordinates": point},
        }
        for i, (point, kind) in enumerate(zip_longest(points, kinds))
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    plan = read_file(path)
    assert isinstance(plan, Plan)
    return plan


def test_a_new_release_is_computed_anew_and_the_rest_is_kept(demo_city: Place, tmp_path: Path) -> None:
    before = computed(demo_city)
    clinic = before.service_index("clinic")
    places = selectors.places_read(demo_city, system_user())
    middle = shapely.centroid(shapely.union_all(places.geometries_4326))
    layer = Layer.objects.get(city=demo_city, code="clinic")
    release = release_create(layer=layer, plan=plan_of(tmp_path, (middle.x, middle.y)))
    after = computed(demo_city)
    assert after.services[clinic].release_number == release.number == before.services[clinic].release_number + 1
    assert after.services[clinic].facilities == 1
    assert after.inputs["services"]["clinic"]["content_hash"] == release.content_hash
    same = np.arange(len(before.services)) != clinic
    np.testing.assert_array_equal(before.values.mean_distance_m[:, same], after.values.mean_distance_m[:, same])
    assert (after.values.mean_distance_m[:, clinic] != before.values.mean_distance_m[:, clinic]).all()
    caches_clear()
    assert_same(after, computed(demo_city))


def test_a_new_boundary_is_computed_anew(demo_city: Place) -> None:
    before = computed(demo_city)
    edition = Boundary.objects.current().get(place__code=before.places[0].code, place__path__startswith=demo_city.path)
    smaller = shapely.buffer(shapely.from_wkb(bytes(edition.geometry.wkb)), -0.0005)
    boundary_approve(
        place=edition.place, geometry_4326=smaller, valid_from=edition.valid.lower, source="test", certainty="surveyed"
    )
    after = computed(demo_city)
    assert after.values.area_m2[0] < before.values.area_m2[0]
    np.testing.assert_allclose(after.values.area_m2[1:], before.values.area_m2[1:], rtol=1e-9)
    assert after.inputs["boundaries"]["content_hash"] != before.inputs["boundaries"]["content_hash"]


def test_several_services_of_one_layer_get_each_its_own_facilities(demo_city: Place, tmp_path: Path) -> None:
    """One look at a layer gives each service what it would get alone, in the order of the file."""
    layer = Layer.objects.get(city=demo_city, code="clinic")
    kinds = ["clinic", "park", "bakery", "clinic", "park", "clinic"]
    spots = [(48.30 + k / 1000, 33.48) for k in range(len(kinds))]
    release = release_create(layer=layer, plan=plan_of(tmp_path, *spots, kinds=kinds))
    wheres: list[dict[str, Any]] = [
        {"kind": "clinic"}, {"kind": ["park", "bakery"]}, {}, {"kind": "casino"}, {"kind": "clinic", "is_first": "no"},
    ]  # fmt: skip
    wanted = [[0, 3, 5], [1, 2, 4], [0, 1, 2, 3, 4, 5], [], [3, 5]]
    for asked in (range(5), [0, 1, 3], [1], [3]):
        found = selectors.facilities_of(release.pk, [wheres[k] for k in asked])
        for k, geometries in zip(asked, found, strict=True):
            assert [(shape.x, shape.y) for shape in shapely.get_parts(geometries)] == [spots[i] for i in wanted[k]]
    supplies = list(Supply.objects.filter(city=demo_city)[: len(wheres)])
    for supply, where in zip(supplies, wheres, strict=True):
        supply.layer, supply.where = layer, where
        supply.save()
    with CaptureQueriesContext(connection) as questions:
        reading = selectors.city_read(demo_city, system_user())
    assert sum('FROM "layers_feature"' in question["sql"] for question in questions.captured_queries) == 1
    counts = {found.supply.pk: found.facilities for found in reading.supplied}
    assert [counts[supply.pk] for supply in supplies] == [len(rows) for rows in wanted]


def test_many_at_once_get_the_same(demo_city: Place) -> None:
    """Threads that ask for the same missing arrays at the same time: one computes, the others wait, all agree."""
    inputs = inputs_read(selectors.city_read(demo_city, system_user()), Question())
    cache, calls = ArrayCache(10**9), []

    def compute() -> np.ndarray:
        calls.append(1)
        return inputs.arrays.cost_m * 2

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: cache.get("key", compute), range(32)))
    assert len(calls) == 1
    assert all(value is found[0] for value in found)


# ---------------------------------------------------------------- what a user may see


def test_an_unpublished_layer_is_in_no_public_answer(demo_city: Place, personas: dict[str, Any]) -> None:
    Layer.objects.filter(city=demo_city, code="clinic").update(visibility="assigned")
    for name in ("anonymous", "planner_elsewhere"):
        codes = [s.code for s in computed(demo_city, personas[name]).services]
        assert "clinic" not in codes
        assert len(codes) == 15
        with pytest.raises(NotFound, match="clinic"):
            computed(demo_city, personas[name], thresholds_m={"clinic": 500.0})
    for name in ("viewer", "planner", "administrator"):
        assert "clinic" in [s.code for s in computed(demo_city, personas[name]).services]


def test_the_public_does_not_get_what_an_insider_was_told(demo_city: Place, personas: dict[str, Any]) -> None:
    """The arrays are shared in memory, whoever asked first; the answers are not."""
    Layer.objects.filter(city=demo_city, code="clinic").update(visibility="assigned")
    insiders = priority_compute(city=demo_city, user=personas["planner"])
    public = priority_compute(city=demo_city, user=personas["anonymous"])
    caches_clear()
    alone = priority_compute(city=demo_city, user=personas["anonymous"])
    np.testing.assert_array_equal(public.priority.score, alone.priority.score)
    assert public.coverage.inputs == alone.coverage.inputs
    assert len(insiders.coverage.services) == len(public.coverage.services) + 1


def test_an_unpublished_place_is_in_no_public_answer(demo_city: Place, personas: dict[str, Any]) -> None:
    hidden = computed(demo_city).places[3]
    Place.objects.filter(pk=hidden.id).update(is_published=False)
    public = computed(demo_city, personas["anonymous"])
    assert hidden.code not in [place.code for place in public.places]
    assert hidden.code not in json.dumps(public.inputs)
    assert hidden.code in [place.code for place in computed(demo_city, personas["planner"]).places]
    with pytest.raises(NotFound):
        distance_curves(city=demo_city, place_code=hidden.code, user=personas["anonymous"])


def test_a_draft_edition_is_in_no_answer(demo_city: Place, personas: dict[str, Any]) -> None:
    before = computed(demo_city)
    edition = Boundary.objects.current().get(pk=before.places[0].edition_id)
    for status in ("draft", "proposed", "withdrawn"):
        edition.pk, edition.status, edition.version = None, status, edition.version + 1
        edition._state.adding = True
        edition.save()
    for name in ("anonymous", "planner"):
        assert_same(before, computed(demo_city, personas[name]))


# ---------------------------------------------------------------- odd cities


def test_without_services_or_people_there_are_places(demo_city: Place, personas: dict[str, Any]) -> None:
    demo_city.supplies.all().delete()
    demo_city.population_sources.all().delete()
    result = computed(Place.objects.get(pk=demo_city.pk))
    assert result.values.area_share.shape == (298, 0)
    assert not result.values.population.any()
    assert any("population" in warning for warning in result.warnings)


def test_a_city_without_boundaries_says_so(demo_city: Place) -> None:
    Boundary.objects.filter(place__path__startswith=demo_city.path).update(status="withdrawn")
    with pytest.raises(NotFound, match="approved boundary"):
        computed(demo_city)


def test_curves_pass_through_the_coverage(demo_city: Place) -> None:
    question = Question(thresholds_m={"clinic": 800.0})
    result = coverage_compute(city=demo_city, user=system_user(), question=question)
    place, clinic = 5, result.service_index("clinic")
    distances_m, curves = distance_curves(
        city=demo_city, place_code=result.places[place].code, user=AnonymousUser(), question=question
    )
    shares = np.array(curves["clinic"], dtype=float)
    assert (np.diff(shares) >= -1e-12).all()
    at_threshold = np.interp(800.0, distances_m, shares)
    step = distances_m[1] - distances_m[0]
    below, above = np.interp([800 - step, 800 + step], distances_m, shares)
    assert below - 1e-9 <= result.values.population_share[place, clinic] <= above + 1e-9
    assert at_threshold == pytest.approx(result.values.population_share[place, clinic], abs=above - below + 1e-9)
