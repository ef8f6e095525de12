"""Frequency of public transport through files, database and product: by hand, and against geopandas on São Vicente."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely
from django.contrib.auth.models import AnonymousUser
from django.core.management import call_command

from analysis.core.changes import FacilityAdded, FacilityClosed
from analysis.ground import centroids_m
from analysis.measures.answers import frequency_answer
from analysis.measures.asking import asked
from analysis.measures.frequency import frequency_compute
from analysis.measures.results import CityFrequency
from analysis.models import Run
from analysis.results import Question
from analysis.services import coverage_compute
from config.loading import city_load
from fixtures.hand_checked_town.town import SOUTH_M, WEST_M, build
from geo.core.crs import project, project_xy
from geo.errors import InvalidInput
from geo.models import Place
from geo.querysets import system_user
from layers.models import FrequencyClass, Layer, Service, Standard, Timetable
from layers.reading.city import CityDescriptionError, read_city
from layers.services import timetable_put
from tests.environment import ROOT

pytestmark = pytest.mark.django_db

TOWN = ROOT / "fixtures" / "hand_checked_town" / "town.toml"
EVERYBODY = 18_750.0
QUARTER_DISC_HA = math.pi * 300**2 / 4 / 10_000
NAMED = """
[[timetable]]
service = "bus-stop"
lines = "lines"
line_field = "code"
departures_field = "week"
stop_field = "lines"
"""
NEAR = """
[[timetable]]
service = "bus-stop"
lines = "lines"
departures_field = "week"
match_m = 30
"""
ALONE = """
[[timetable]]
service = "bus-stop"
departures_field = "own"
"""


def write_lines(folder: Path) -> None:
    """Two lines of 300 and 200 departures meet in the town's middle; B's second stop is its own, C does not run."""

    def written(name: str, kind: str, shapes: list[Any], columns: dict[str, list[Any]]) -> None:
        degrees = project(np.array(shapes, dtype=object), 32639, 4326)
        pyogrio.raw.write(
            folder / name, shapely.to_wkb(degrees), [np.array(values) for values in columns.values()], list(columns),
            geometry_type=kind, crs="EPSG:4326", driver="GeoJSON",
        )  # fmt: skip

    x, y = WEST_M + 1_000, SOUTH_M + 1_000
    points = [(x, y), (x + 5, y), (x + 700, y), (x, y - 700), (x - 700, y + 700)]
    written(
        "stops.geojson", "Point", [shapely.Point(point) for point in points],
        {"lines": ["A, B", "B", "B", "C", "Z"], "own": [300, 200, 200, 0, 50]},
    )  # fmt: skip
    written(
        "lines.geojson", "LineString",
        [
            shapely.LineString([(x, y - 20), (x, y + 400)]), shapely.LineString([(x, y), (x + 700, y + 20)]),
            shapely.LineString([(x - 900, y - 700), (x, y - 700)]),
        ],
        {"code": ["A", "b", "C"], "week": [300.0, 200.0, np.nan]},
    )  # fmt: skip


@pytest.fixture
def town_with(tmp_path: Path) -> Any:
    """Give the hand-checked town with bus stops and lines, and a timetable of some kind."""

    def load(timetable: str) -> Place:
        build(tmp_path)
        write_lines(tmp_path)
        (tmp_path / "town.toml").write_text(
            TOWN.read_text(encoding="utf-8")
            + """
[[layers]]
code = "stops"
theme = "transport"
file = "stops.geojson"
name_fa = "ایستگاه‌ها"
name_en = "Stops"
source = "by hand"
[[layers]]
code = "lines"
theme = "transport"
file = "lines.geojson"
name_fa = "خط‌ها"
name_en = "Lines"
source = "by hand"
[[supply]]
service = "bus-stop"
layer = "stops"
"""
            + timetable,
            encoding="utf-8",
        )
        return city_load(tmp_path / "town.toml", data=tmp_path)

    return load


def near_both() -> Question:
    return Question(services=("bus-stop",), thresholds_m={"bus-stop": 300.0})


def of_places(found: CityFrequency, values: Any) -> dict[str, float]:
    return {place.code: float(value) for place, value in zip(found.basis.places, values, strict=True)}


def test_a_town_by_hand(town_with: Any) -> None:
    """Squares of 100, 50, 25 and 12.5 people a hectare meet at the first stop: a quarter of a disc in each reaches both lines."""
    town = town_with(NAMED)
    found = frequency_compute(city=town, user=system_user(), question=near_both(), edges=(0, 250))
    (bus,) = found.services
    told = bus.timetable
    assert (told.way, told.stops, told.matched) == ("named", 5, 3)
    assert (told.unknown_lines, told.left_out) == (("Z",), 1)
    assert found.basis.warnings[-3:] == (
        "Bus stop: 2 of 5 stops have no known departures and count for nothing.",
        "Bus stop: stops name lines that have no departures: Z.",
        "Bus stop: lines left out, as nobody knows their departures: 1.",
    )
    assert [(line.code, line.departures_week, line.stops) for line in bus.lines] == [("A", 300, 1), ("b", 200, 3)]
    disc = QUARTER_DISC_HA * (100 + 50 + 25 + 12.5)
    assert bus.lines[0].people == pytest.approx(disc, rel=4e-3)
    # The stop 700 m east stands on the border of the two eastern squares, 300 m from the edge of the town.
    east = 2 * QUARTER_DISC_HA * (50 + 12.5)
    assert bus.city_class_people[2] == pytest.approx(disc, rel=4e-3)
    assert bus.city_class_people[1] == pytest.approx(east, rel=1.5e-2)
    assert bus.city_class_people.sum() == pytest.approx(EVERYBODY, rel=1e-7)
    assert bus.city_departures == pytest.approx((500 * disc + 200 * east) / EVERYBODY, rel=8e-3)
    reached = of_places(found, bus.lines_reached)
    assert [reached[code] for code in "abcd"] == [2, 2, 2, 2]
    np.testing.assert_allclose(bus.class_people.sum(axis=0), found.population, rtol=1e-6)


def test_many_stops_of_a_line_count_once_and_lines_are_told_by_class(town_with: Any) -> None:
    town = town_with(NAMED)
    found = frequency_compute(city=town, user=system_user(), question=near_both())
    (bus,) = found.services
    assert [(one.low, one.high, one.scope, one.is_verified) for one in bus.classes] == [
        (0, 392, "general", False), (392, 980, "general", False), (980, None, "general", False),
    ]  # fmt: skip
    assert all("Poelman" in one.source for one in bus.classes)
    # A stands in 500 departures: medium; nobody in the highest.
    assert bus.city_class_people[2] > 0 == bus.city_class_people[3]
    FrequencyClass.objects.create(
        service=Service.objects.get(code="bus-stop"), city=town, departures_week=450, name_fa="خوب", name_en="Good",
        source="council",
    )  # fmt: skip
    (own,) = frequency_compute(city=town, user=system_user(), question=near_both()).services
    assert [(one.name_en, one.low, one.scope) for one in own.classes] == [
        ("Fewer", 0, "general"),
        ("Good", 450, "city"),
    ]
    np.testing.assert_allclose(own.city_class_people[2], bus.city_class_people[2])


def test_stops_that_name_no_lines_are_matched_by_distance(town_with: Any) -> None:
    """Line A passes the first two stops, line b those and the third; nothing passes the last."""
    town = town_with(NEAR)
    (bus,) = frequency_compute(city=town, user=system_user(), question=near_both(), edges=(0, 250)).services
    told = bus.timetable
    assert (told.way, told.match_m, told.stops, told.matched, told.left_out) == ("near", 30, 5, 3, 1)
    assert [(line.code, line.stops) for line in bus.lines] == [("1", 2), ("2", 3)]
    assert bus.city_class_people[2] == pytest.approx(QUARTER_DISC_HA * 187.5, rel=2e-2)


def test_stops_with_departures_of_their_own_count_the_greatest(town_with: Any) -> None:
    town = town_with(ALONE)
    (bus,) = frequency_compute(city=town, user=system_user(), question=near_both(), edges=(0, 250)).services
    assert (bus.timetable.way, bus.timetable.matched, bus.lines) == ("stops", 5, ())
    assert bus.city_lines_each is None
    disc, east = QUARTER_DISC_HA * 187.5, 2 * QUARTER_DISC_HA * 62.5
    assert bus.city_class_people[2] == pytest.approx(disc, rel=4e-3)
    assert bus.city_departures is not None
    north_west = bus.city_class_people[1] - east
    assert bus.city_departures * EVERYBODY == pytest.approx(300 * disc + 200 * east + 50 * north_west, rel=1.5e-2)


def test_a_scenario_takes_stops_away_and_new_ones_name_no_line(town_with: Any) -> None:
    town = town_with(NAMED)
    before = frequency_compute(city=town, user=system_user(), question=near_both()).services[0]
    closed = replace(near_both(), changes=(FacilityClosed("bus-stop", 3),))
    after = frequency_compute(city=town, user=system_user(), question=closed).services[0]
    assert after.city_class_people[0] > before.city_class_people[0] + 100
    lon, lat = project_xy(np.array([[WEST_M + 500, SOUTH_M + 500]]), 32639, 4326)[0]
    added = replace(near_both(), changes=(FacilityAdded("bus-stop", lon, lat, "new", None),))
    more = frequency_compute(city=town, user=system_user(), question=added).services[0]
    assert more.timetable.stops == 6
    np.testing.assert_allclose(more.city_class_people, before.city_class_people)


def test_what_cannot_be_asked(town_with: Any) -> None:
    town = town_with(NAMED)
    user = system_user()
    for edges in ((), (5, 5), (9, 3), (-1, 2), (math.nan,), tuple(range(40))):
        with pytest.raises(InvalidInput) as refused:
            frequency_compute(city=town, user=user, edges=edges)
        assert refused.value.code == "bad_edges"
    with pytest.raises(InvalidInput) as refused:
        frequency_compute(city=town, user=user, question=Question(services=("clinic",)))
    assert refused.value.code == "no_timetable"
    for threshold_m in (1e-3, 99_999.0):
        question = Question(services=("bus-stop",), thresholds_m={"bus-stop": threshold_m})
        (bus,) = frequency_compute(city=town, user=user, question=question).services
        assert np.isfinite(bus.departures).all()
        assert bus.city_class_people.sum() == pytest.approx(EVERYBODY, rel=1e-7)
    Layer.objects.filter(city=town, code="lines").update(visibility="assigned")
    with pytest.raises(InvalidInput) as refused:
        frequency_compute(city=town, user=AnonymousUser(), question=near_both())
    assert refused.value.code == "no_timetable"


def test_timetables_that_make_no_sense_are_refused(town_with: Any, tmp_path: Path) -> None:
    town = town_with(NAMED)
    lines = Layer.objects.get(city=town, code="lines")
    for said in (
        {"service_code": "clinic", "departures_field": "beds"}, {"service_code": "tram", "departures_field": "own"},
        {"service_code": "bus-stop", "departures_field": "no-such"},
        {"service_code": "bus-stop", "departures_field": "own", "match_m": 20.0},
        {"service_code": "bus-stop", "departures_field": "week", "lines": lines},
        {"service_code": "bus-stop", "departures_field": "week", "lines": lines, "stop_field": "lines"},
        {"service_code": "bus-stop", "departures_field": "week", "lines": lines, "match_m": 501.0},
        {"service_code": "bus-stop", "departures_field": "week", "lines": lines, "line_field": "code",
         "stop_field": "lines", "match_m": 20.0},
    ):  # fmt: skip
        with pytest.raises(InvalidInput) as refused:
            timetable_put(city=town, **said)  # type: ignore[arg-type]
        assert refused.value.code == "bad_timetable"
    described = (tmp_path / "town.toml").read_text(encoding="utf-8")
    for old, new, what in (
        ('stop_field = "lines"', "", "which lines stop where"),
        ('line_field = "code"', "", "'line_field' is missing"),
        ('lines = "lines"\nline', "line", "no layer of lines"),
        ('stop_field = "lines"', 'stop_field = "lines"\nmatch_m = 20', "which lines stop where"),
        ('departures_field = "week"', "", "'departures_field' is missing"),
    ):
        (tmp_path / "wrong.toml").write_text(described.replace(old, new), encoding="utf-8")
        with pytest.raises(CityDescriptionError, match=what):
            read_city(tmp_path / "wrong.toml", data=tmp_path)


def test_a_timetable_that_is_described_no_more_is_retired(town_with: Any) -> None:
    town = town_with(NAMED)
    assert Timetable.objects.get(city=town).stop_field == "lines"
    town_with(NEAR)
    assert Timetable.objects.get(city=town).match_m == 30
    town_with("")
    assert not Timetable.objects.filter(city=town).exists()


def test_command_and_run(town_with: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    town = town_with(NAMED)
    file = tmp_path / "frequency.xlsx"
    call_command(
        "frequency", town.code, "--service", "bus-stop", "--edges", "0,250", "--json", "--record", "--xlsx", str(file)
    )
    told = json.loads(capsys.readouterr().out)
    run = Run.objects.get(pk=told["run"])
    assert (run.kind, run.parameters["edges_week"]) == ("frequency", {"bus-stop": [0, 250]})
    assert run.result == told["tables"]
    assert file.read_bytes().startswith(b"PK")
    call_command("frequency", town.code)
    assert len(capsys.readouterr().out.splitlines()) == 6


def test_outsiders_are_told_no_small_class(town_with: Any) -> None:
    """Three classes of 5, 50 and 50 people would tell the small one by subtraction, so all of the row are kept back."""
    town = town_with(NAMED)
    answer = frequency_answer(frequency_compute(city=town, user=system_user(), question=near_both()))
    table = next(table for table in answer.tables if table.name == "places")
    split = {f"class{n}_people": value for n, value in enumerate((5.0, 50.0, 50.0, 0.0))}
    row = {**table.rows[0], **split, "population": 105.0}
    (shown,) = replace(table, rows=[row]).told(is_insider=False)
    assert all(shown[name] is None for name in split)
    assert all(shown[name.replace("people", "share")] is None for name in split)
    enough = {name: value + 20 if value else 0.0 for name, value in split.items()}
    (shown,) = replace(table, rows=[row | enough | {"population": 165.0}]).told(is_insider=False)
    assert [shown[name] for name in split] == [25.0, 70.0, 70.0, 0.0]


# ---------------------------------------------------------------- the demo city, and the other ways of travel


def test_the_demo_city_has_departures_in_every_way_of_travel(demo_city: Place) -> None:
    question = Question(services=("bus-stop",))
    for travel in ("straight", "streets"):
        found = frequency_compute(city=demo_city, user=system_user(), question=replace(question, travel=travel))
        (bus,) = found.services
        assert (bus.timetable.matched, bus.timetable.stops, len(bus.lines)) == (330, 330, 24)
        covered = coverage_compute(city=demo_city, user=system_user(), question=replace(question, travel=travel))
        # Every stop has a line, so who reaches none is who reaches no stop; parts of cells that a border cuts are
        # estimated, not quite alike for the stops of each line and for all.
        np.testing.assert_allclose(bus.class_people[0], covered.values.uncovered_people[:, 0], atol=0.5)
        assert (bus.city_class_people > 500).all()
        assert bus.city_class_people.sum() == pytest.approx(found.basis.people)
        at_least_a_line = bus.class_people[1:].sum(axis=0)
        assert ((bus.lines_reached > 0) == (at_least_a_line > 0.005)).all()


# ---------------------------------------------------------------- São Vicente


def test_sao_vicente_against_geopandas(sao_vicente: Place, real_data: Path) -> None:
    """Every part of the ground, by the exact distance to every stop, from the published files themselves."""
    folder = real_data / "sao_vicente"
    stops = geopandas.read_file(folder / "transporte_paradas.geojson").to_crs(31983)
    routes = geopandas.read_file(folder / "transporte_rotas.geojson")
    weekly = dict(zip(routes["linha"], routes["partidas_semana"], strict=True))
    assert (len(stops), len(weekly), sum(weekly.values())) == (452, 14, 1_069)
    question = Question(services=("bus-stop",), thresholds_m={"bus-stop": 500.0})
    found = frequency_compute(city=sao_vicente, user=system_user(), question=question)
    (bus,) = found.services
    assert (bus.timetable.matched, bus.timetable.unknown_lines, bus.timetable.left_out) == (452, (), 0)
    assert {line.code: line.departures_week for line in bus.lines} == weekly

    what = asked(city=sao_vicente, user=system_user(), question=question, cell_m=None, reading=None)
    people = what.inputs.arrays.people
    lived = np.flatnonzero(people > 0)
    middles = geopandas.GeoSeries(
        geopandas.points_from_xy(*centroids_m(what.inputs.grid, what.inputs.ground)[lived].T),
        crs=what.inputs.grid.epsg,
    ).to_crs(31983)
    total = np.zeros(len(lived))
    cut = np.zeros(len(lived), dtype=bool)
    half = what.inputs.grid.cell_m / 2 * 1.01
    for code, departures in weekly.items():
        served = stops[[code in text.split(", ") for text in stops["linhas"]]]
        away = shapely.STRtree(served.geometry.values).query_nearest(
            middles.values, return_distance=True, all_matches=False
        )[1]
        total += departures * (away <= 500)
        cut |= np.abs(away - 500) <= half
    exact = np.zeros(people.size)
    exact[lived] = total
    counted = what.residents.counted
    # Half of the people of a cell that the limit cuts are on either side: over a city they even out.
    mean = float(exact @ counted) / found.basis.people
    assert bus.city_departures == pytest.approx(mean, rel=5e-4)
    number = np.where(exact > 0, np.searchsorted([0, 392, 980], exact, side="right"), 0)
    by_class = np.bincount(number, weights=counted, minlength=4)
    np.testing.assert_allclose(bus.city_class_people, by_class, atol=2e-3 * found.basis.people)
    place_mean = what.of_places(exact * people) / np.maximum(found.population, 1e-9)
    large = found.population > 500
    np.testing.assert_allclose(bus.departures[large], place_mean[large], rtol=0.03, atol=3)
    assert Standard.objects.get(service__code="bus-stop", city=None, programme="", kind="distance").value == 500
