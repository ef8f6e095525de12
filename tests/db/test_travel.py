"""Ways of travel and sources of people through the whole product: against another library, and where data are missing or odd."""

from __future__ import annotations

import json
import math
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
import shapely
import shapely.affinity
from django.contrib.auth.models import AnonymousUser
from numpy.typing import NDArray
from scipy.spatial import Delaunay

from analysis.caching import caches_clear
from analysis.core.changes import StreetDrawn
from analysis.disclosure import is_insider
from analysis.forms import question_from
from analysis.ground import centroids_m
from analysis.inputs import inputs_read
from analysis.populations import population_spread
from analysis.results import CityCoverage, Question
from analysis.selectors import city_read, facilities_read
from analysis.services import coverage_compute, coverage_rows, priority_compute, run_record
from analysis.travel import Measuring, measuring_for, travels_of
from fixtures.hand_checked_town.town import RISE, SIDE_M, SOUTH_M, WEST_M, build
from fixtures.khorramabad.writing import Pixels, Table, write_raster, write_table
from geo.core.crs import STORAGE_EPSG, project, project_xy
from geo.errors import InvalidInput, MahallehError, NotFound
from geo.models import Boundary, Place
from geo.querysets import system_user
from layers.models import Layer, PopulationSource, Supply, TravelData
from maps.problems.telling import sentences_of
from tests.odd_towns import COVER, cover, load

pytestmark = pytest.mark.django_db

WAYS = ("straight", "streets", "walking", "cycling", "surface")
Points = NDArray[np.float64]


def lines(folder: Path, *shapes: list[tuple[float, float]], name: str = "streets.fgb") -> None:
    """Write streets, metres from the town's corner."""
    made = [shapely.LineString([(WEST_M + x, SOUTH_M + y) for x, y in xy]) for xy in shapes]
    _written(folder / name, "LineString", made)


def points(folder: Path, *xy: tuple[float, float], name: str = "clinic.fgb") -> None:
    """Write facilities, metres from the town's corner."""
    _written(folder / name, "Point", [shapely.Point(WEST_M + x, SOUTH_M + y) for x, y in xy])


def _written(path: Path, kind: str, shapes: list[Any]) -> None:
    names = np.array([f"n{number}" for number in range(len(shapes))], dtype=object)
    write_table(path, Table(kind, np.array(shapes, dtype=object), {"name_fa": names, "name_en": names}))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    caches_clear()
    build(tmp_path)
    return tmp_path


def load_with_cover(folder: Path, kmh: str = "{ 1 = 5, 4 = 0 }") -> Place:
    return load(
        folder,
        ('[[supply]]\nservice = "clinic"\n', COVER),
        (
            '[travel]\nroads = "streets"\nelevation = "elevation"\n',
            f'[travel]\nland_cover = "cover"\nland_cover_kmh = {kmh}\n',
        ),
    )


def asked(city: Place, way: str = "", user: Any = None, **question: Any) -> CityCoverage:
    """Ask for the coverage by clinics, and see that nothing in it is no number, and that each warning can be translated."""
    question = {"services": ("clinic",), **question}
    result = coverage_compute(city=city, user=user or system_user(), question=Question(travel=way, **question))
    json.dumps(coverage_rows(result), allow_nan=False)
    assert not np.isnan(result.values.uncovered_people).any()
    assert [said for said in result.warnings if not sentences_of(said)] == []
    return result


def measuring_of(city: Place, way: str, **more: Any) -> tuple[Measuring, NDArray[np.object_], Any]:
    """Return what measures a city, its clinics, and the inputs."""
    question = Question(travel=way, services=("clinic",))
    reading = city_read(city, system_user())
    inputs = inputs_read(reading, question)
    (service,) = inputs.services
    facilities = project(facilities_read(service.release_id, service.where), STORAGE_EPSG, inputs.grid.epsg)
    way_of = measuring_for(reading, question, inputs.grid, inputs.ground, service=service, **more)
    return way_of, facilities, inputs


# ---------------------------------------------------------------- against networkx


def random_streets(seed: int) -> tuple[list[list[tuple[float, float]]], Points]:
    """Streets between random points of the town, some left out so that ways are not straight; and places of clinics."""
    rng = np.random.default_rng(seed)
    at = rng.uniform(-300, 2300, (90, 2))
    triangles = Delaunay(at).simplices
    pairs = {tuple(sorted((int(t[a]), int(t[b])))) for t in triangles for a, b in ((0, 1), (1, 2), (2, 0))}
    kept = [pair for pair in sorted(pairs) if rng.random() < 0.6]
    return [[tuple(at[a]), tuple(at[b])] for a, b in kept], rng.uniform(0, 2000, (4, 2))


def by_networkx(streets: list[list[tuple[float, float]]], homes: Points, clinics: Points, way: str) -> Points:
    """Measure with every home and clinic as a node of its own, by the definition."""
    edges = [shapely.LineString(line) for line in streets]
    tree = shapely.STRtree(edges)
    on: dict[int, list[tuple[float, Any]]] = {number: [] for number in range(len(edges))}
    graph = nx.DiGraph()
    for kind, xy in (("home", homes), ("clinic", clinics)):
        for number, point in enumerate(shapely.points(xy)):
            nearest = int(tree.query_nearest(point)[0])
            off = float(point.distance(edges[nearest]))
            if off <= 500:
                on[nearest].append((float(edges[nearest].project(point)), (kind, number, "foot")))
                graph.add_edge((kind, number), (kind, number, "foot"), cost=off)
                graph.add_edge((kind, number, "foot"), (kind, number), cost=off)

    def per_metre(slope: float) -> float:
        return 5.0 / (6.0 * math.exp(-3.5 * abs(slope + 0.05))) if way == "walking" else 1.0

    for number, line in enumerate(edges):
        (x0, y0), (x1, y1) = line.coords
        slope = RISE * (x1 - x0) / line.length
        stops = sorted([(0.0, (x0, y0)), (line.length, (x1, y1)), *on[number]], key=lambda stop: stop[0])
        for (along, a), (further, b) in pairwise(stops):
            graph.add_edge(a, b, cost=(further - along) * per_metre(slope))
            graph.add_edge(b, a, cost=(further - along) * per_metre(-slope))
    starts = [("clinic", number) for number in range(len(clinics)) if graph.has_node(("clinic", number))]
    found = nx.multi_source_dijkstra_path_length(graph.reverse(copy=False), starts, weight="cost")
    return np.array([found.get(("home", number), math.inf) for number in range(len(homes))])


@pytest.mark.parametrize("seed", [1, 2])
def test_every_part_of_the_ground_as_networkx_has_it(folder: Path, seed: int) -> None:
    streets, clinics = random_streets(seed)
    lines(folder, *streets)
    points(folder, *map(tuple, clinics.tolist()))
    city = load(folder, ("cell_m = 20", "cell_m = 100"))
    for way in ("streets", "walking"):
        inputs = inputs_read(city_read(city, system_user()), Question(travel=way, services=("clinic",)))
        homes = centroids_m(inputs.grid, inputs.ground) - (WEST_M, SOUTH_M)
        expected = by_networkx(streets, homes, clinics, way)
        np.testing.assert_allclose(inputs.arrays.cost_m[0], expected, rtol=2e-5, atol=0.02)
        assert np.isfinite(expected).mean() > 0.5
        result = asked(city, way)
        people = inputs.arrays.place_fractions[0].multiply(inputs.arrays.people[None, :]).toarray()[0]
        reached = np.isfinite(expected)
        mean = (people[reached] * expected[reached]).sum() / people[reached].sum()
        assert result.values.mean_distance_m[0, 0] == pytest.approx(mean, rel=1e-4)


# ---------------------------------------------------------------- what all ways have in common


def test_a_collection_of_facilities_is_measured_as_they_are(folder: Path) -> None:
    cover(folder, lambda x, y: (np.abs(x - y) < 40) & (x > 300), pixel_m=20.0)
    lines(folder, *random_streets(3)[0])
    city = load_with_cover(folder)
    TravelData.objects.filter(city=city).update(
        roads=Layer.objects.get(city=city, code="streets"), elevation=Layer.objects.get(city=city, code="elevation")
    )
    for way in WAYS:
        measuring, (clinic, *_), _ = measuring_of(city, way)
        square = clinic.buffer(90, cap_style="square")
        members = [
            clinic,
            shapely.LineString([(clinic.x + 300, clinic.y), (clinic.x + 500, clinic.y + 40)]),
            shapely.affinity.translate(square, 700, -300).difference(
                shapely.affinity.translate(clinic.buffer(40), 700, -300)
            ),
            shapely.MultiPolygon(
                [shapely.affinity.translate(square, 200, 700), shapely.affinity.translate(square, 900, 700)]
            ),
        ]
        each = measuring.cost_m(np.array(members, dtype=object))
        together = measuring.cost_m(np.array([shapely.GeometryCollection(members)], dtype=object))
        np.testing.assert_array_equal(together, each)
        assert {False, True} == set(each == 0)


def test_with_more_facilities_it_is_as_if_they_had_been_there_before(folder: Path) -> None:
    cover(folder, lambda x, y: (np.abs(x - y) < 40) & (x > 300), pixel_m=20.0)
    lines(folder, *random_streets(3)[0])
    points(folder, (300, 300), (1700, 400), (900, 1500))
    city = load_with_cover(folder)
    TravelData.objects.filter(city=city).update(
        roads=Layer.objects.get(city=city, code="streets"), elevation=Layer.objects.get(city=city, code="elevation")
    )
    for way in WAYS:
        measuring, clinics, inputs = measuring_of(city, way)
        whole = measuring.measured(clinics)
        more, none = clinics[1:], clinics[:0]
        added = measuring.measured_with(measuring.measured(clinics[:1]), more)
        np.testing.assert_array_equal(measuring.of_parts(added), measuring.of_parts(whole))
        same = measuring.measured_with(whole, none)
        np.testing.assert_array_equal(measuring.of_parts(same), measuring.of_parts(whole))
        np.testing.assert_array_equal(measuring.of_parts(whole), inputs.arrays.cost_m[0])
        assert np.isinf(measuring.cost_m(none)).all()
        every = np.array(list(measuring.each_m(clinics, math.inf)))
        each = every.min(axis=0)
        whole_cells = np.setdiff1d(np.arange(len(each)), inputs.ground.partial)
        np.testing.assert_allclose(each[whole_cells], inputs.arrays.cost_m[0][whole_cells], rtol=1e-6)
        # Who is the nearest, by one search; which of two that are equally near is not said.
        who, cost = measuring.nearest(clinics, np.ones(len(each), dtype=bool))
        np.testing.assert_allclose(cost[whole_cells], each[whole_cells], rtol=1e-6)
        np.testing.assert_array_equal(who >= 0, np.isfinite(each))
        reached = np.intersect1d(whole_cells, np.flatnonzero(who >= 0))
        np.testing.assert_allclose(every[who[reached], reached], each[reached], rtol=1e-6)
        # What is within a limit is the same where no more than the limit is searched.
        limited = np.array(list(measuring.each_m(clinics, 700.0)))
        np.testing.assert_array_equal(limited[limited <= 700], every[every <= 700])
        assert not (limited < every).any()


def test_mains_are_measured_in_a_straight_line_whatever_the_way(folder: Path) -> None:
    city = load(folder)
    reading = city_read(city, system_user())
    straight, streets = (inputs_read(reading, Question(travel=way)) for way in ("straight", "streets"))
    columns = {service.code: k for k, service in enumerate(straight.services)}
    assert straight.column_keys[columns["water"]] == streets.column_keys[columns["water"]]
    assert straight.column_keys[columns["clinic"]] != streets.column_keys[columns["clinic"]]
    np.testing.assert_array_equal(straight.arrays.cost_m[columns["water"]], streets.arrays.cost_m[columns["water"]])
    whole = np.setdiff1d(np.arange(straight.ground.cells.size), straight.ground.partial)
    along, across = (inputs.arrays.cost_m[columns["clinic"]][whole] for inputs in (streets, straight))
    assert (along >= across - 0.01).all()


def test_a_drawn_street_shortens_the_way_and_leaves_the_city_as_it_is(folder: Path) -> None:
    city = load(folder)
    before, clinics, inputs = measuring_of(city, "streets")
    ends = project_xy(np.array([[WEST_M + 100, SOUTH_M + 100], [WEST_M + 990, SOUTH_M + 990]]), 32639, STORAGE_EPSG)
    drawn = (StreetDrawn(tuple(map(tuple, ends.tolist())), "path"),)
    after, _, _ = measuring_of(city, "streets", drawn=drawn)
    assert after.key != before.key
    costs, lower = before.cost_m(clinics), after.cost_m(clinics)
    homes = centroids_m(inputs.grid, inputs.ground) - (WEST_M, SOUTH_M)
    corner = int(np.argmin(np.hypot(*(homes - (150, 150)).T)))
    assert math.isinf(costs[corner])
    # Along the path to its end, which is led to the nearer street.
    assert lower[corner] == pytest.approx(850 * math.sqrt(2), abs=25)
    np.testing.assert_array_equal(before.cost_m(clinics), costs)


def test_a_run_and_a_priority_tell_the_way_and_its_layers(folder: Path) -> None:
    city = load(folder)
    result = priority_compute(city=city, user=system_user(), question=Question(travel="walking"))
    run = run_record(result)
    assert run.parameters["travel"] == "walking"
    assert {use: row["layer"] for use, row in run.inputs["travel"].items()} == {
        "roads": "streets",
        "elevation": "elevation",
    }
    again = run_record(priority_compute(city=city, user=system_user(), question=Question(travel="walking")))
    other = run_record(priority_compute(city=city, user=system_user(), question=Question(travel="streets")))
    assert (run.input_hash == again.input_hash, run.input_hash == other.input_hash) == (True, False)
    assert result.coverage.travel.is_time
    assert result.coverage.travel.name_en == "on foot, by slope and stairs"


def test_a_citys_own_way_is_taken_where_none_is_named(folder: Path) -> None:
    city = load(folder, ("[travel]\n", '[travel]\nway = "streets"\n'))
    assert asked(city).travel.code == "streets"
    assert asked(city, "straight").travel.code == "straight"
    assert asked(city, "straight").warnings == ()


def test_no_more_threads_than_are_set(demo_city: Place, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has one thread of a machine's takes one, along streets too."""
    taken: list[int] = []

    class Counted(ThreadPoolExecutor):
        def __init__(self, workers: int) -> None:
            taken.append(workers)
            super().__init__(workers)

    for module in ("analysis.core.street_cost", "analysis.inputs"):
        monkeypatch.setattr(f"{module}.ThreadPoolExecutor", Counted)
    for threads in (3, 1):
        taken.clear()
        settings.ANALYSIS_THREADS = threads
        caches_clear()
        question = Question(travel="streets", services=("clinic", "hospital"))
        coverage_compute(city=demo_city, user=system_user(), question=question)
        assert max(taken) == threads


# ---------------------------------------------------------------- missing and odd data


def test_a_way_without_data_is_refused_with_those_there_are(folder: Path) -> None:
    city = load(folder)
    with pytest.raises(InvalidInput) as caught:
        asked(city, "surface")
    assert caught.value.code == "no_travel_data"
    assert caught.value.remedy == "Choose one of: straight, streets, walking, cycling."
    TravelData.objects.filter(city=city).delete()
    with pytest.raises(InvalidInput, match="Choose one of: straight"):
        asked(city, "streets")
    assert asked(city).travel.code == "straight"


@pytest.mark.parametrize(
    ("parameters", "code"),
    [({"travel": "flying"}, "unknown_travel"), ({"threshold-clinic": "0"}, "bad_number"), ({"threshold-clinic": "1e9"}, "bad_number")],
)  # fmt: skip
def test_what_cannot_be_asked(parameters: dict[str, str], code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        question_from(parameters)
    assert (caught.value.code, caught.value.status, bool(caught.value.remedy)) == (code, 400, True)


def test_pages_answer_along_streets_and_refuse_what_is_not_there(demo_city: Place, client: Any) -> None:
    assert travels_of(city_read(demo_city, AnonymousUser())) == ("straight", "streets", "walking", "cycling", "surface")
    page = client.get(f"/{demo_city.code}/", {"travel": "streets"})
    assert page.status_code == 200
    assert b"travel=streets" in page.content
    for parameters, status in (({"travel": "flying"}, 400), ({"population": "nowhere"}, 404)):
        refused = client.get(f"/{demo_city.code}/", parameters)
        assert refused.status_code == status
        assert "NaN" not in refused.content.decode()


def test_without_heights_walking_is_level_and_says_so(folder: Path) -> None:
    city = load(folder, ('elevation = "elevation"\n', ""))
    walking, streets = asked(city, "walking"), asked(city, "streets")
    np.testing.assert_allclose(walking.values.mean_distance_m, streets.values.mean_distance_m, rtol=1e-5)
    assert "No elevation is set: walking is measured as on level ground." in walking.warnings
    assert [row.use for row in walking.travel.layers] == ["roads"]


def test_heights_of_somewhere_else_are_unknown_everywhere(folder: Path) -> None:
    far = Pixels(WEST_M + 50_000, SOUTH_M, 50.0, 10, 10)
    write_raster(folder / "elevation.tif", far, np.ones((10, 10), dtype=np.float32), None, "m")
    city = load(folder)
    walking = asked(city, "walking")
    assert any("unknown at 100 % of the points of streets" in warning for warning in walking.warnings)
    np.testing.assert_allclose(
        walking.values.mean_distance_m, asked(city, "streets").values.mean_distance_m, rtol=1e-5
    )  # fmt: skip


def test_without_people_there_are_areas(folder: Path) -> None:
    city = load(folder)
    PopulationSource.objects.filter(city=city).delete()
    result = asked(city, "streets")
    assert result.population is None
    assert result.values.area_share[0, 0] == pytest.approx(0.08, abs=0.005)
    with pytest.raises(NotFound) as caught:
        population_spread(city, system_user())
    assert caught.value.code == "no_population"


def test_streets_in_two_parts_are_told_and_one_reaches_nothing(folder: Path) -> None:
    lines(folder, [(0, 1000), (1000, 1000), (2000, 1000)], [(200, 0), (200, 500)])
    result = asked(load(folder), "streets")
    assert "The streets fall into 2 parts; 20 % of their length is not joined to the largest." in result.warnings
    a = result.place_index("a")
    # The southern half of A enters the street that leads nowhere; east of 700 m it is too far from both.
    assert result.values.unreachable_people[a, 0] > 4_000


def test_streets_of_no_length_are_left_out_and_told(folder: Path) -> None:
    lines(folder, [(0, 1000), (1000, 1000), (1000, 1000), (2000, 1000)])
    result = asked(load(folder, ("[travel]\n", "[travel]\nsnap_m = 0.01\n")), "streets")
    assert "Pieces of streets without length were left out: 1." in result.warnings
    assert np.isfinite(result.values.mean_distance_m).any()


def test_streets_far_away_are_as_good_as_none(folder: Path) -> None:
    lines(folder, [(40_000, 0), (41_000, 0)])
    result = asked(load(folder), "streets")
    assert (result.values.population_share == 0).all()
    assert "There is no street in or around the city: nobody reaches anything along streets." in result.warnings
    assert "Clinic: 1 of 1 facilities stand on no street, and nobody reaches them." in result.warnings
    assert "18,750 people live more than 500 m from every street and reach nothing." in result.warnings


def test_streets_and_a_clinic_beyond_the_citys_bounds_are_used(folder: Path) -> None:
    lines(folder, [(1000, 0), (1000, 2000)], [(1000, 2000), (1000, 4000), (1100, 4000)])
    points(folder, (1100, 4000))
    result = asked(load(folder), "streets", thresholds_m={"clinic": 5000.0})
    north = result.place_index("c")
    # A street 500 m away on average 250 m, then 2,500 m on average to where it ends, and 100 m.
    assert result.values.mean_distance_m[north, 0] == pytest.approx(250 + 2500 + 100, abs=3)


def test_the_smallest_and_the_largest_threshold(folder: Path) -> None:
    city = load(folder)
    near, far = (asked(city, "streets", thresholds_m={"clinic": metres}) for metres in (0.0, 1e9))
    assert (near.values.population_share <= 0.001).all()
    square = [far.place_index(code) for code in "abcd"]
    np.testing.assert_allclose(far.values.population_share[square, 0], 0.75, atol=0.001)


def test_one_place_and_no_facility(folder: Path) -> None:
    city = load(folder)
    Boundary.objects.filter(place__path__startswith=city.path + "/").exclude(place__code="a").update(status="withdrawn")
    Supply.objects.filter(city=city, service__code="clinic").update(where={"name_en": "nobody"})
    for way in ("straight", "streets", "walking"):
        result = asked(city, way)
        assert (len(result.places), result.services[0].facilities) == (1, 0)
        assert result.values.population_share.tolist() == [[0.0]]
        assert np.isnan(result.values.mean_distance_m).all()


# ---------------------------------------------------------------- over the surface


def test_over_open_ground_the_way_is_straight_but_for_a_few_percent(folder: Path) -> None:
    cover(folder, lambda x, y: np.zeros(x.shape, dtype=bool), pixel_m=20.0)
    city = load_with_cover(folder)
    surface, straight = (asked(city, way).values.mean_distance_m[:4, 0] for way in ("surface", "straight"))
    # The clinic stands on a corner of four cells, and is taken for the middle of one of them.
    assert (surface > straight - 10).all()
    assert (surface < 1.028 * straight + 10).all()
    assert "No elevation is set: walking is measured as on level ground." in asked(city, "surface").warnings


def test_a_river_is_crossed_on_the_bridge_alone(folder: Path) -> None:
    """The river runs along x = 1,300; the clinic stands west of it, the only bridge is at y = 1,900."""
    cover(folder, lambda x, y: np.abs(x - 1300) < 15, pixel_m=20.0)
    lines(folder, [(1200, 1900), (1400, 1900)])
    points(folder, (1200, 100))
    city = load_with_cover(folder)
    d = asked(city, "surface").place_index("d")
    closed = asked(city, "surface").values
    assert closed.population_share[d, 0] == 0.0
    assert closed.unreachable_people[d, 0] == pytest.approx(1250 * 0.7, abs=40)
    TravelData.objects.filter(city=city).update(roads=Layer.objects.get(city=city, code="streets"))
    measuring, clinics, inputs = measuring_of(city, "surface")
    homes = centroids_m(inputs.grid, inputs.ground) - (WEST_M, SOUTH_M)
    across = int(np.argmin(np.hypot(*(homes - (1410, 110)).T)))
    assert measuring.cost_m(clinics)[across] == pytest.approx(math.hypot(100, 1800) + math.hypot(110, 1790), rel=0.03)
    on_bridge = asked(city, "surface").values
    # Who lives on the water alone.
    assert on_bridge.unreachable_people[d, 0] < 60


def test_a_clinic_in_the_river_serves_nobody_and_is_told(folder: Path) -> None:
    cover(folder, lambda x, y: np.abs(x - 1300) < 30, pixel_m=20.0)
    points(folder, (1300, 700), (400, 400))
    city = load_with_cover(folder)
    result = asked(city, "surface")
    assert "Clinic: 1 of 2 facilities stand on a barrier or far outside, and nobody reaches them." in result.warnings
    assert any("people live on a barrier, such as water" in warning for warning in result.warnings)
    assert result.values.population_share[result.place_index("a"), 0] > 0.3
    assert result.values.population_share[result.place_index("b"), 0] == 0.0


def test_a_class_without_a_speed_is_named(folder: Path) -> None:
    cover(folder, lambda x, y: x > 1900, pixel_m=20.0)
    with pytest.raises(InvalidInput, match="class 4 has no speed") as caught:
        asked(load_with_cover(folder, "{ 1 = 5 }"), "surface")
    assert caught.value.code == "unknown_class"
    TravelData.objects.update(land_cover_kmh={"1": 5, "other": 2})
    assert np.isfinite(asked(Place.objects.get(code="hand-checked-town"), "surface").values.mean_distance_m).any()


# ---------------------------------------------------------------- rights


def test_streets_that_somebody_may_not_see_are_not_used_for_him(folder: Path) -> None:
    city = load(folder, ("[travel]\n", '[travel]\nway = "streets"\n'))
    Place.objects.filter(pk=city.pk).update(is_published=True)
    anybody = AnonymousUser()
    assert not is_insider(anybody, city)
    assert asked(city, user=anybody).travel.code == "streets"
    Layer.objects.filter(city=city, code="streets").update(visibility="assigned")
    seen = asked(city, user=anybody)
    assert seen.travel.code == "straight"
    assert any("layers that you may not see" in warning for warning in seen.warnings)
    with pytest.raises(InvalidInput) as caught:
        asked(city, "streets", user=anybody)
    assert caught.value.code == "no_travel_data"
    assert asked(city).travel.code == "streets"


# ---------------------------------------------------------------- sources of people

TWO_SOURCES = """[[population]]
layer = "population"
source = "Hand-checked town"

[[population]]
layer = "count"
field = "people"
code = "survey"
name_fa = "پیمایش"
name_en = "Survey"

"""


def with_survey(folder: Path) -> Place:
    """A survey that found A twice as large, B half, and nobody in C and D."""
    squares = [shapely.box(WEST_M + SIDE_M * k, SOUTH_M, WEST_M + SIDE_M * (k + 1), SOUTH_M + SIDE_M) for k in (0, 1)]
    write_table(
        folder / "count.fgb",
        Table("Polygon", np.array(squares, dtype=object), {"people": np.array([20_000, 2_500], dtype=np.int32)}),
    )
    layer = COVER.replace("cover.tif", "count.fgb").replace('"cover"', '"count"').replace('"raster"', '"polygon"')
    old = '[population]\nlayer = "population"\nsource = "Hand-checked town"\nreference_date = 2025-09-23\n'
    return load(folder, ('[[supply]]\nservice = "clinic"\n', layer), (old, TWO_SOURCES))


def test_sources_that_differ_stand_beside_each_other(folder: Path) -> None:
    city = with_survey(folder)
    found = population_spread(city, system_user())
    assert [source.code for source in found.sources] == ["population", "survey"]
    assert found.sources[1].name_en == "Survey"
    by_code = {place.code: i for i, place in enumerate(found.places)}
    for code, main, survey, apart in (("a", 10_000, 20_000, 1.0), ("b", 5_000, 2_500, 0.5), ("c", 2_500, 0, 1.0)):
        i = by_code[code]
        assert found.people[i].tolist() == pytest.approx([main, survey], abs=1)
        assert (found.lowest[i], found.highest[i]) == pytest.approx((min(main, survey), max(main, survey)), abs=1)
        assert found.spread_share[i] == pytest.approx(apart, abs=0.001)
    survey_first = population_spread(city, system_user(), Question(population="survey"))
    assert [source.code for source in survey_first.sources] == ["survey", "population"]
    assert np.isnan(survey_first.spread_share[by_code["c"]])


def test_a_question_may_name_its_source(folder: Path) -> None:
    city = with_survey(folder)
    main, survey = asked(city), asked(city, population="survey")
    a = main.place_index("a")
    assert (main.values.population[a], survey.values.population[a]) == pytest.approx((10_000, 20_000), abs=1)
    assert survey.inputs["population"]["code"] == "survey"
    assert main.inputs_key != survey.inputs_key
    np.testing.assert_array_equal(main.values.area_share, survey.values.area_share)
    with pytest.raises(NotFound) as caught:
        asked(city, population="guess")
    assert (caught.value.code, caught.value.remedy) == ("unknown_population", "Choose one of: population, survey.")


def test_a_source_that_somebody_may_not_see_is_not_told_to_him(folder: Path) -> None:
    city = with_survey(folder)
    Place.objects.filter(pk=city.pk).update(is_published=True)
    Layer.objects.filter(city=city, code="count").update(visibility="assigned")
    assert [source.code for source in population_spread(city, AnonymousUser()).sources] == ["population"]
    with pytest.raises(MahallehError, match="no source of population 'survey'"):
        asked(city, user=AnonymousUser(), population="survey")
