"""Presenters: what readers are told, in which words, and what the public is not told.

The town is small enough to check on paper. Two neighbourhoods and a settlement, a clinic (limit 800 m) and a park (400 m):

    place      people   uncovered by clinic   uncovered by park
    north       1000          250 (25 %)          900 (90 %)
    south       3000            5 ( <1 %)           0
    camp (s)     200          200 (100 %)           100 (50 %)

Priority with equal weights is the mean of the two uncovered shares: camp 75, north 57.5, south 0.08.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
import shapely
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from analysis.core.coverage import Coverage
from analysis.core.index import aggregate
from analysis.results import CityCoverage, CityPriority, PlaceRow, PopulationRow, Question, ServiceRow, TravelRow
from geo.errors import InvalidInput, NotFound
from geo.models import Place
from maps.pages import classes, formats, outlines, telling
from maps.pages.figures import city_totals, ranks_of, values_of
from maps.pages.forms import CityState, city_state_from, service_chosen
from maps.pages.heat_presenters import heat_view
from maps.pages.place_presenters import boundary_facts, place_view
from maps.pages.presenters import city_view, results_json

PEOPLE = [1000.0, 3000.0, 200.0]
UNCOVERED = [[250.0, 900.0], [5.0, 0.0], [200.0, 100.0]]
FIRST, CLINIC, PARK = 0, 0, 1


def a_place(number: int, code: str, name_fa: str, name_en: str, kind: str = "neighbourhood") -> PlaceRow:
    return PlaceRow(number, code, kind, name_fa, name_en, "", "", f"x/town/{code}", number, f"{number:032d}")


def a_service(code: str, name_fa: str, name_en: str, threshold_m: float, **changes: Any) -> ServiceRow:
    row = ServiceRow(
        code=code, name_fa=name_fa, name_en=name_en, kind="facility", theme="health", threshold_m=threshold_m, standard_m=threshold_m,
        standard_source="A guide", is_verified=False, layer_code=f"{code}s", layer_name_fa=f"{name_fa}‌ها", layer_name_en=f"{name_en}s",
        source="A ministry", release_id=1, release_number=2, release_hash="0" * 64, reference_date=date(2022, 8, 1), facilities=3, where={},
        indicator_code="", weight=1.0,
    )  # fmt: skip
    return replace(row, **changes)


def a_town(
    *,
    people: list[float] | None = None,
    uncovered: list[list[float]] | None = None,
    weights: tuple[float, float] = (1.0, 1.0),
    clinic_m: float = 800.0,
) -> CityPriority:
    population = np.array(PEOPLE if people is None else people)
    lacking = np.array(UNCOVERED if uncovered is None else uncovered)
    with np.errstate(invalid="ignore"):
        share = np.where(population[:, None] > 0, 1 - lacking / population[:, None], np.nan)
    values = Coverage(
        thresholds_m=np.array([clinic_m, 400.0]), area_m2=np.full(3, 1e6), population=population, population_share=share, area_share=share,
        uncovered_people=lacking, mean_distance_m=np.array([[640.0, 900.0], [210.0, 120.0], [1500.0, 410.0]]),
        unreachable_people=np.zeros((3, 2)), edge_flag=np.zeros((3, 2), dtype=bool),
    )  # fmt: skip
    services = (
        a_service("clinic", "درمانگاه", "Clinic", clinic_m, standard_m=800.0, weight=weights[0]),
        a_service("park", "بوستان", "Park", 400.0, weight=weights[1]),
    )
    coverage = CityCoverage(
        city=Place(code="town", kind="city", name_fa="شهرک", name_en="Town"),
        places=(
            a_place(1, "north", "شمالی", "North"),
            a_place(2, "south", "جنوبی", "South"),
            a_place(3, "camp", "ماسور", "Masur", "settlement"),
        ),
        services=services, values=values,
        travel=TravelRow("straight", "در خط راست", "in a straight line"),
        population=PopulationRow("census", "سرشماری", "Census", "A bureau", "people", date(2016, 10, 21), 1, 1, "0" * 64, 4000.0),
        cell_m=20.0, epsg=32639, inputs={}, inputs_key="k", warnings=(), duration_ms=1.0,
    )  # fmt: skip
    return CityPriority(coverage, aggregate(1 - share, list(weights)), "goalpost", "arithmetic", "priority", 1.0)


def shown(show: str = "priority", service: str = "", sort: str = "rank", **question: Any) -> CityState:
    return CityState(show, service, sort.removeprefix("-"), sort.startswith("-"), Question(**question))  # type: ignore[arg-type]


def view_of(
    result: CityPriority,
    state: CityState,
    column: int = CLINIC,
    *,
    standard: CityPriority | None = None,
    is_insider: bool = True,
) -> Any:
    return city_view(result, standard or result, state, column, is_insider=is_insider)


# ---------------------------------------------------------------- the finding


def test_the_finding_of_priority_names_the_place_its_score_and_its_reasons() -> None:
    with override("en"):
        assert view_of(a_town(), shown()).finding == (
            "Need in Town is greatest in Masur: 75 of 100 points, above all because clinic and park are far away."
        )
    with override("fa"):
        assert (
            view_of(a_town(), shown()).finding
            == "بیشترین نیاز شهرک در ماسور است: ۷۵ امتیاز از ۱۰۰، بیش از همه به‌سبب دوری از درمانگاه و بوستان."
        )


def test_the_finding_of_coverage_counts_neighbourhoods_once_and_leaves_settlements_out() -> None:
    uncovered, counted = city_totals(a_town().coverage, PARK, is_insider=True)
    assert (uncovered, counted) == (900.0, 4000.0)
    with override("en"):
        finding = view_of(a_town(), shown("uncovered", "park"), PARK).finding
    assert (
        finding == "900 people, 23% of Town, live more than 400 m from the nearest park; the largest number in North."
    )


def test_the_finding_says_so_where_nobody_lacks_anything() -> None:
    town = a_town(uncovered=[[0.0, 0.0]] * 3)
    with override("en"):
        assert (
            view_of(town, shown("coverage"), CLINIC).finding
            == "Everybody counted in Town lives within 800 m of the nearest clinic."
        )
        assert view_of(town, shown()).finding == "No place of Town lacks a service that is measured here."


def test_a_latin_name_does_not_change_places_with_the_number_after_it_in_a_persian_sentence() -> None:
    town = a_town()
    named = replace(
        town.coverage, places=(*town.coverage.places[:2], a_place(3, "camp", "Vale Novo", "Vale Novo", "settlement"))
    )
    with override("fa"):
        assert "\u2068Vale Novo\u2069" in view_of(replace(town, coverage=named), shown()).finding
    with override("en"):
        assert "\u2068" not in view_of(replace(town, coverage=named), shown()).finding


@pytest.mark.parametrize("show", ["priority", "coverage", "uncovered"])
def test_persian_pages_carry_no_latin_digit_and_english_ones_no_persian(show: str) -> None:
    for language, foreign in (("fa", "0123456789"), ("en", "۰۱۲۳۴۵۶۷۸۹")):
        with override(language):
            view = view_of(a_town(), shown(show, "park"), PARK)
            texts = [view.finding, view.basis, view.legend.title, view.weights_text, view.threshold.text]
            texts += [
                t for row in view.rows for t in (row.rank_text, row.value.text, row.why, row.people_text, row.move_text)
            ]
            texts += [t for item in view.legend.classes for t in (item.bounds, item.people, item.places)] + [
                tick.text for tick in view.legend.ticks
            ]
        assert not [text for text in texts if set(text) & set(foreign)]


# ---------------------------------------------------------------- ranking


def test_places_are_ranked_worst_first_and_settlements_among_them() -> None:
    with override("en"):
        rows = view_of(a_town(), shown("coverage", "park"), PARK).rows
    assert [(row.code, row.rank, row.value.text) for row in rows] == [
        ("north", 1, "10%"),
        ("camp", 2, "50%"),
        ("south", 3, "100%"),
    ]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("rank", ["camp", "north", "south"]),
        ("-rank", ["south", "north", "camp"]),
        ("people", ["south", "north", "camp"]),
        ("name", ["camp", "north", "south"]),
        ("value", ["camp", "north", "south"]),
    ],
)
def test_the_table_sorts_by_any_column_both_ways(sort: str, expected: list[str]) -> None:
    with override("en"):
        assert [row.code for row in view_of(a_town(), shown(sort=sort)).rows] == expected


def test_a_place_without_people_has_no_rank_and_stays_last_in_either_order() -> None:
    town = a_town(people=[1000.0, 0.0, 200.0], uncovered=[[250.0, 900.0], [0.0, 0.0], [200.0, 100.0]])
    for sort in ("rank", "-rank"):
        last = view_of(town, shown("coverage", sort=sort)).rows[-1]
        assert (last.code, last.rank, last.rank_text, last.css) == ("south", None, "–", "c-none")


def test_moved_weights_say_by_how_many_ranks_a_place_rose_or_fell() -> None:
    heavier = a_town(weights=(0.0, 1.0))
    with override("en"):
        rows = {row.code: row for row in view_of(heavier, shown(weights={"clinic": 0.0}), standard=a_town()).rows}
    assert {code: (row.rank, row.move, row.move_text, row.move_words) for code, row in rows.items()} == {
        "north": (1, 1, "▲1", "up 1"),
        "camp": (2, -1, "▼1", "down 1"),
        "south": (3, 0, "", ""),
    }


def test_classes_stay_those_of_the_standard_question_while_a_threshold_moves() -> None:
    nearer = a_town(uncovered=[[900.0, 900.0], [2900.0, 0.0], [200.0, 100.0]], clinic_m=300.0)
    state = shown("uncovered", thresholds_m={"clinic": 300.0})
    with override("en"):
        moved, still = view_of(nearer, state, standard=a_town()), view_of(a_town(), shown("uncovered"))
    assert [c.bounds for c in moved.legend.classes] == [c.bounds for c in still.legend.classes]
    assert {row.code: row.class_index for row in moved.rows}["south"] == len(moved.legend.classes) - 1


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e6)), min_size=1, max_size=30))
def test_ranks_order_needs_and_share_ties(needs: list[float | None]) -> None:
    ranks = ranks_of(needs)
    known = [(need, rank) for need, rank in zip(needs, ranks, strict=True) if need is not None]
    assert all((rank is None) == (need is None) for need, rank in zip(needs, ranks, strict=True))
    for need, rank in known:
        assert rank == 1 + sum(round(other, 9) > round(need, 9) for other, _ in known)


# ---------------------------------------------------------------- what the public is not told


def test_the_public_is_told_a_bound_where_few_people_are_concerned() -> None:
    with override("en"):
        rows = {row.code: row for row in view_of(a_town(), shown("uncovered"), is_insider=False).rows}
        assert rows["south"].value.text == "fewer than 10"
        shares = {row.code: row for row in view_of(a_town(), shown("coverage"), is_insider=False).rows}
        assert shares["south"].value.text == "over 99%"
        told = {row.code: row for row in view_of(a_town(), shown("uncovered"), is_insider=True).rows}
        assert told["south"].value.text == "5"


def test_a_place_of_very_few_people_is_left_out_of_everything_public() -> None:
    town = a_town(people=[1000.0, 3000.0, 7.0], uncovered=[[250.0, 900.0], [400.0, 0.0], [7.0, 3.0]])
    with override("en"):
        for show in ("priority", "coverage", "uncovered"):
            row = next(r for r in view_of(town, shown(show), is_insider=False).rows if r.code == "camp")
            assert (row.rank, row.value.told.value, row.people_text, row.why) == (None, None, "fewer than 10", "")
        curves = ([0.0, 400.0, 800.0], {"clinic": [0.0, 0.0, 0.0], "park": [0.0, 0.5, 1.0]})
        view = place_view(town, 2, "", curves, is_insider=False)
    assert (view.headline, view.reasons, view.curve, view.score_text) == (
        "So few people live in Masur that its numbers are not published.",
        (),
        None,
        "–",
    )


@given(st.lists(st.floats(0, 400), min_size=3, max_size=3), st.lists(st.floats(0, 1), min_size=6, max_size=6))
def test_no_number_told_to_the_public_lets_few_people_be_counted(people: list[float], shares: list[float]) -> None:
    """Neither a share, nor a count, nor what is left of the people after taking the count away."""
    uncovered = [[people[i] * shares[2 * i], people[i] * shares[2 * i + 1]] for i in range(3)]
    town = a_town(people=people, uncovered=uncovered)
    for show in ("coverage", "uncovered"):
        for column in (CLINIC, PARK):
            for i, value in enumerate(values_of(town, show, column, is_insider=False)):  # type: ignore[arg-type]
                if value.told.exact is None:
                    continue
                part = people[i] * value.told.exact if show == "coverage" else value.told.exact
                for count in (part, people[i] - part):
                    assert count < 0.01 or count > telling.SMALL_COUNT - 1e-6


def test_totals_of_the_public_are_made_of_what_its_rows_tell() -> None:
    town = a_town(people=[1000.0, 3000.0, 200.0], uncovered=[[994.0, 0.0], [5.0, 0.0], [0.0, 0.0]])
    assert city_totals(town.coverage, CLINIC, is_insider=True) == (999.0, 4000.0)
    assert city_totals(town.coverage, CLINIC, is_insider=False) == (1000.0, 4000.0)
    with override("en"):
        rows = {row.code: row for row in view_of(town, shown("uncovered"), is_insider=False).rows}
    assert (rows["north"].value.text, rows["south"].value.text) == ("more than 990", "fewer than 10")


def test_a_part_of_the_score_that_concerns_few_people_cannot_be_worked_out() -> None:
    with override("en"):
        view = place_view(a_town(), 1, "", curves_of_north(), is_insider=False)
        exact = place_view(a_town(), 1, "", curves_of_north(), is_insider=True)
    assert {reason.code: reason.points_text for reason in view.reasons} == {"clinic": "under 0.2", "park": "0.0"}
    assert (view.score_text, exact.score_text) == ("0", "0.1")
    api = results_json(view_of(a_town(), shown(), is_insider=False))
    assert {place["code"]: place["value"] for place in api["places"]} == {"camp": 75.0, "north": 57.5, "south": 0.0}


def test_the_json_leaves_out_what_the_page_leaves_out() -> None:
    with override("en"):
        answer = results_json(view_of(a_town(), shown("uncovered"), is_insider=False))
    south = next(place for place in answer["places"] if place["code"] == "south")
    assert (south["value"], south["value_is"], south["text"]) == (10.0, "below", "fewer than 10")
    assert "5" not in json.dumps(south["text"])
    json.dumps(answer, allow_nan=False)


# ---------------------------------------------------------------- legend and classes


def test_the_legend_adds_up_to_the_people_of_the_neighbourhoods() -> None:
    with override("en"):
        for show in ("priority", "coverage", "uncovered"):
            legend = view_of(a_town(), shown(show, "park"), PARK).legend
            assert sum(int(item.people.split()[0].replace(",", "")) for item in legend.classes) == 4000
            assert legend.has_settlements


def test_coverage_is_told_as_who_is_covered_and_darkest_where_fewest_are() -> None:
    with override("en"):
        legend = view_of(a_town(), shown("coverage", "park"), PARK).legend
    assert [(item.css, item.bounds) for item in legend.classes][::4] == [
        ("c-deficit-4", "0% to 20%"),
        ("c-deficit-0", "80% to 100%"),
    ]
    assert (legend.ticks[0].text, legend.ticks[-1].text) == ("0%", "100%")


@given(st.lists(st.floats(0, 1e7), min_size=1, max_size=60))
def test_every_value_has_a_class_whose_bounds_hold_it(values: list[float]) -> None:
    ruler = classes.quantile(values, "deficit")
    assert list(ruler.bounds) == sorted(set(ruler.bounds))
    assert len(ruler.colours) == ruler.count <= classes.N_CLASSES
    for value in values:
        index = ruler.of(value)
        assert ruler.bounds[index] <= value
        assert value <= ruler.bounds[index + 1]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_a_histogram_counts_everybody_once_and_colours_within_classes(values: list[float]) -> None:
    people = [float(10 + i) for i in range(len(values))]
    bins = classes.histogram(values, people, classes.SHARE)
    assert sum(b.people for b in bins) == pytest.approx(sum(people))
    for b in bins:
        low, high = classes.SHARE.bounds[b.class_index], classes.SHARE.bounds[b.class_index + 1]
        assert low - 1e-9 <= b.low
        assert b.high <= high + 1e-9


def test_the_colours_of_the_stylesheet_are_those_of_the_classes() -> None:
    from tests.environment import ROOT

    sheet = (ROOT / "maps/static/maps/css/site.css").read_text()
    for ramp, colours in classes.COLOURS.items():
        for step, colour in enumerate(colours):
            assert f".c-{ramp}-{step} {{ fill: {colour}; background-color: {colour}; }}" in sheet


def test_ramps_go_from_light_to_dark_and_leave_text_readable() -> None:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    ink = luminance("#1b2430")
    for colours in classes.COLOURS.values():
        light = [luminance(colour) for colour in colours]
        assert light == sorted(light, reverse=True)
    for colour in classes.COLOURS["deficit"]:  # these stand behind text in the heat table
        best = max((luminance(colour) + 0.05) / (ink + 0.05), 1.05 / (luminance(colour) + 0.05))
        assert best >= 4.5, colour


# ---------------------------------------------------------------- the place page


def curves_of_north() -> tuple[list[float], dict[str, list[float | None]]]:
    return [0.0, 200.0, 400.0, 600.0, 800.0, 1600.0], {
        "clinic": [0.0, 0.1, 0.3, 0.5, 0.75, 1.0],
        "park": [0.0, 0.05, 0.1, 0.4, 0.8, 1.0],
    }


def test_a_place_is_explained_by_parts_that_add_up_to_its_score() -> None:
    with override("en"):
        view = place_view(a_town(), 0, "", curves_of_north(), is_insider=True)
    assert view.headline == "In North 900 people, 90%, live more than 400 m from the nearest park."
    assert (view.rank_text, view.of_text, view.score_text) == ("2", "3", "57.5")
    assert [(reason.code, reason.points) for reason in view.reasons] == [
        ("park", pytest.approx(45.0)),
        ("clinic", pytest.approx(12.5)),
    ]
    assert sum(part.width for part in view.stack) == pytest.approx(57.5)
    assert view.why == "More than half of its points come from park."
    park = view.reasons[0]
    assert (park.covered_text, park.threshold_text, park.date_text, park.is_verified) == (
        "10%",
        "400 m",
        "1 August 2022",
        False,
    )


def test_the_chart_is_about_the_heaviest_service_unless_another_is_asked_for() -> None:
    with override("fa"):
        view = place_view(a_town(), 0, "", curves_of_north(), is_insider=True)
        asked = place_view(a_town(), 0, "clinic", curves_of_north(), is_insider=True)
    assert view.curve is not None
    assert asked.curve is not None
    assert (view.curve.service_code, asked.curve.service_code) == ("park", "clinic")
    assert view.curve.sentence == "۱۰٪ از مردمش تا ۴۰۰ متر از نزدیک‌ترین بوستان زندگی می‌کنند."
    assert [line.css for line in view.curve.lines] == ["other", "chosen"]
    ys = [float(point.split(",")[1]) for point in view.curve.lines[-1].points.split()]
    assert ys == sorted(ys, reverse=True), "the curve rises"


def test_a_boundary_is_dated_in_the_readers_calendar() -> None:
    facts = {
        "source": "S",
        "certainty": "c",
        "status": "s",
        "start": date(2022, 8, 1),
        "end": None,
        "version": 2,
        "area_m2": 17_200.0,
    }
    with override("fa"):
        told = boundary_facts(**facts)  # type: ignore[arg-type]
    assert (told.from_text, told.until_text, told.version_text, told.area_text) == (
        "۱۰ مرداد ۱۴۰۱",
        "",
        "۲",
        "۱٫۷ هکتار",
    )


# ---------------------------------------------------------------- the heat table


def test_the_heat_table_orders_places_by_the_column_asked_for() -> None:
    with override("en"):
        by_priority, by_park, back = (heat_view(a_town(), sort, is_insider=True) for sort in ("rank", "park", "-park"))
    assert [row.code for row in by_priority.rows] == ["camp", "north", "south"]
    assert [row.code for row in by_park.rows] == ["north", "camp", "south"]
    assert [row.code for row in back.rows] == ["south", "camp", "north"]
    assert [(cell.text, cell.css) for cell in by_park.rows[0].cells] == [("75%", "c-deficit-1"), ("10%", "c-deficit-4")]
    assert by_park.finding == "What Town lacks most is the park: 78% of people live within 400 m of one."
    assert by_park.fills["park"] == {"north": "c-deficit-4", "south": "c-deficit-0", "camp": "c-deficit-2"}


# ---------------------------------------------------------------- the state of the page


def test_a_state_survives_the_way_through_the_address() -> None:
    from urllib.parse import parse_qsl

    state = CityState("coverage", "park", "name", True, Question(thresholds_m={"park": 500.0}, weights={"clinic": 2.5}))
    query = dict(parse_qsl(state.query().removeprefix("?")))
    assert query == {
        "show": "coverage",
        "service": "park",
        "sort": "-name",
        "threshold-park": "500",
        "weight-clinic": "2.5",
    }
    assert city_state_from(query, state.question) == state
    assert shown().query() == "?"


@pytest.mark.parametrize(("key", "value"), [("show", "x"), ("sort", "size"), ("sort", "--rank")])
def test_a_choice_the_page_has_not_is_refused_with_what_it_has(key: str, value: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        city_state_from({key: value}, Question())
    assert refused.value.where == key
    assert "rank" in refused.value.remedy or "priority" in refused.value.remedy


def test_an_unknown_service_is_refused_with_those_there_are() -> None:
    services = a_town().coverage.services
    assert service_chosen("", services) == 0
    assert service_chosen("park", services) == PARK
    assert service_chosen("", ()) is None
    with pytest.raises(NotFound, match="clinic, park"):
        service_chosen("harbour", services)


# ---------------------------------------------------------------- numbers and drawings


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (0.0, "0%"),
        (0.0004, "0.1%"),
        (0.005, "0.5%"),
        (0.62, "62%"),
        (0.996, "99.6%"),
        (0.99999, "99.9%"),
        (1.0, "100%"),
    ],
)
def test_a_share_is_never_rounded_to_none_or_all(share: float, told: str) -> None:
    assert formats.percent(share, "en") == told


def test_neighbours_still_meet_in_a_drawing_and_north_is_up() -> None:
    west, east = shapely.box(48.30, 33.40, 48.35, 33.50), shapely.box(48.35, 33.40, 48.40, 33.50)
    camp = shapely.box(48.34, 33.48, 48.36, 33.49)
    drawing = outlines.draw(["w", "e", "c"], [False, False, True], np.array([west, east, camp], dtype=object))
    assert [o.code for o in drawing.neighbourhoods] == ["w", "e"]
    assert [o.code for o in drawing.settlements] == ["c"]
    by_code = {o.code: o for o in drawing.outlines}
    assert by_code["w"].x < by_code["e"].x
    assert by_code["c"].y < by_code["w"].y, "what lies north is drawn higher"
    shared = round(drawing.width / 2)
    assert f"{shared}" in by_code["w"].d
    assert f"{shared}" in by_code["e"].d
    ground_m = drawing.metres_per_unit * drawing.width
    assert ground_m == pytest.approx(9300, rel=0.01), "a tenth of a degree at 33.45° N"
    assert by_code["w"].box == (48.3, 33.4, 48.35, 33.5)
