"""Why a place stands where it does, in words: from an index of four places that is worked out by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np
import pytest
from django.utils.translation import override
from scipy import sparse

from analysis.core.explaining import near_misses, neighbours_in_rank
from analysis.core.index import aggregate
from analysis.core.indicator_draws import Indicators
from analysis.core.neighbours import Neighbours, surrounded
from analysis.core.normalising import normalise
from analysis.core.rank_draws import Choices, Within
from analysis.core.uncertainty import rank_uncertainty
from analysis.indicators import IndicatorMatrix, IndicatorRow
from analysis.indices.computing import AGGREGATIONS, CityIndex, IndexQuestion
from analysis.indices.explanations import Explanation, place_moves, place_row
from analysis.indices.rules import rules_of
from analysis.results import PlaceRow, TravelRow
from geo.errors import NotFound
from maps.indices.forms import index_question_from
from maps.reports.doing import MAX_ACTIONS, actions_rest
from maps.reports.standing import edition_text, standing_of
from maps.why.addresses import query_of
from maps.why.moves_presenters import moves_view
from maps.why.presenters import beside_texts, why_view
from maps.why.rules_presenters import rules_view
from maps.why.wording import two_shares, two_values, value_text

NAMES = ("Alpha", "Beta", "Gamma", "Delta")
TRAVEL = TravelRow("straight", "در خط راست", "in a straight line")


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with override("en"):
        yield


def indicator(code: str, domain: str = "health", unit: str = "%", **kept: Any) -> IndicatorRow:
    name = code.replace("-", " ").capitalize()
    return IndicatorRow(
        code=code, name_fa=name, name_en=name, definition_fa="", definition_en="", domain=domain, origin="survey", unit=unit,
        direction="more-is-worse", service="", measure="", goalposts=(0.0, 100.0), short_fa=name, short_en=name, **kept,
    )  # fmt: skip


def place(i: int) -> PlaceRow:
    name = NAMES[i] if i < len(NAMES) else f"Place {i}"
    return PlaceRow(i, f"p{i}", "settlement", name, name, "", "", f"x/p{i}", i, f"h{i}")


def index_of(values: list[list[float]], first: int = 1, aggregation: Any = "arithmetic", **asked: Any) -> CityIndex:
    """An index of indicators in per cent, as `analysis.indices.computing.index_compute` would make it."""
    array = np.array(values, dtype=np.float64)
    domains = ("health", "livelihood", "infrastructure")
    rows = tuple(indicator(f"indicator-{k}", domains[k % 3]) for k in range(array.shape[1]))
    matrix = IndicatorMatrix(
        city=None,  # type: ignore[arg-type]  # nothing of it is told
        places=tuple(place(i) for i in range(len(array))),
        indicators=rows,
        values=array,
        errors=np.zeros_like(array),
        told_on={},
        sources={},
        people=np.full(len(array), 1000.0),
        inputs={},
        warnings=(),
    )
    question = IndexQuestion(
        weights={one.code: 1.0 for one in rows}, first=first, draws=400, vary_methods=False, kinds=("settlement",),
        aggregation=aggregation, **asked,
    )  # type: ignore[arg-type]  # fmt: skip
    posts = np.array([[0.0, 100.0]] * array.shape[1])
    scores = np.stack([normalise(array[:, k], "more-is-worse", "goalpost", (0.0, 100.0)) for k in range(len(rows))], 1)
    weights = np.full(len(rows), 1.0)
    drawn = Indicators(array, ["more-is-worse"] * len(rows), posts, np.zeros_like(array))
    choices = Choices(Within(0.25), ("goalpost",), (aggregation,))  # type: ignore[arg-type]
    sure = rank_uncertainty(
        drawn,
        weights,
        choices,
        first=[min(first, len(array))],
        draws=400,
        seed=1,
    )
    priority = aggregate(scores, weights, aggregation)  # type: ignore[arg-type]
    return CityIndex(matrix, question, scores, np.zeros(array.shape, bool), priority, sure, (), (), 1.0, drawn, choices)


def explained(result: CityIndex, row: int, links: np.ndarray | None = None) -> Explanation:
    line = int(result.uncertainty.first[0])
    count = len(result.matrix.places)
    near = Neighbours(sparse.csr_array(np.zeros((count, count)) if links is None else links), ())
    return Explanation(
        result,
        row,
        line,
        neighbours_in_rank(result.scores, result.priority.weights, row, result.question.aggregation),
        near_misses(result.priority.score, line, 5.0),
        surrounded(result.priority.rank <= line, near),
        {},
        TRAVEL,
    )


FOUR = [[90.0, 40.0], [50.0, 70.0], [30.0, 30.0], [10.0, 20.0]]
"""Scores by equal weights: 65, 60, 30, 15."""


def test_the_page_of_the_second_place() -> None:
    result = index_of(FOUR)
    view = why_view(explained(result, 1))
    assert view.finding.startswith("Beta ranks 2 of 4")
    assert [(part.name, part.points_text, part.value_text) for part in view.parts] == [
        ("Indicator 1", "35.0", "70%"),
        ("Indicator 0", "25.0", "50%"),
    ]
    # Means of the points: (90 + 50 + 30 + 10) / 8 = 22.5 and 20, of the longest bar's 35.
    assert [round(part.mean_x, 6) for part in view.parts] == [round(100 * 20 / 35, 6), round(100 * 22.5 / 35, 6)]
    assert view.above is not None
    assert (view.above.name, view.above.sentence) == ("Alpha", "Alpha has 5.0 points more.")
    assert [(row.name, row.points_text) for row in view.above.rows] == [
        ("Indicator 0", "+20.0"),
        ("Indicator 1", "−15.0"),
    ]
    assert view.below is not None
    assert view.below.sentence == "Gamma has 30.0 points fewer."
    assert [(row.name, row.is_here, row.is_inside) for row in view.near] == [
        ("Alpha", False, True),
        ("Beta", True, False),
    ]
    assert view.around == "No other ranked place lies within 100 m of it, so it has no neighbours here."
    assert beside_texts(explained(result, 1))[0] == (
        "Just above (rank 1): Alpha has 5.0 points more. What makes the difference: indicator 0 (\u2066+20.0\u2069) and "
        "indicator 1 (\u2066−15.0\u2069)."
    )


def test_what_moves_it_is_told_as_found_by_hand() -> None:
    """Beta passes Alpha where 50 + 20·w ≥ 90 − 50·w, w = 4/7 of the second weight; or with 10 more in one indicator."""
    result = index_of(FOUR)
    moves = place_moves(result=result, code="p1")
    view = moves_view(explained(result, 1), moves)
    assert view.finding == (
        "Beta would be among the first 1 if “indicator 0” counted 43% instead of 50% and “indicator 1” counted 57% instead of "
        "50%: 7% of all weight is moved."
    )
    assert view.proof == "No smaller change of weights does it: that is proven."
    assert view.instead == "Alpha would then no longer be among the first 1."
    assert view.value_finding == (
        "Beta would be among the first 1 if “indicator 0” were 60% instead of 50%, and nothing else changed."
    )
    assert [(row.now_text, row.needed_text) for row in view.values] == [("50%", "60%"), ("70%", "80%")]
    asked = index_question_from(dict(pair.split("=") for pair in view.query.split("&")), "settlement")
    tried = np.array([asked.weights[one.code] for one in result.matrix.indicators])
    assert aggregate(result.scores, tried).rank.tolist()[:2] == [2, 1]
    # A little beyond the least, so that it is no tie, and no more than that.
    assert tried[1] / tried.sum() == pytest.approx(4 / 7, abs=0.002)
    assert tried[1] / tried.sum() > 4 / 7


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
@pytest.mark.parametrize("row", range(4))
def test_every_place_is_explained_by_every_method(aggregation: str, row: int) -> None:
    result = index_of(FOUR, first=2, aggregation=aggregation)
    found = explained(result, row)
    view, moves = why_view(found), place_moves(result=result, code=f"p{row}")
    told = moves_view(found, moves)
    assert view.has_parts == (aggregation != "vikor")
    assert told.finding
    if moves.weight.tried is not None:
        inside = aggregate(result.scores, moves.weight.tried, result.question.aggregation).rank[row] <= 2
        assert inside == (result.priority.rank[row] > 2)
    everything = repr(view) + repr(told)
    assert "nan" not in everything.lower()
    assert "None" not in re.sub("(above|below)=None", "", everything)


def test_who_cannot_be_moved_is_told_why() -> None:
    result = index_of(FOUR, first=2)
    last = moves_view(explained(result, 3), place_moves(result=result, code="p3"))
    assert last.finding == "Whatever the weights, Delta is not among the first 2: that is proven."
    assert (last.query, last.weights, last.instead) == ("", (), "")
    one = index_of([[90.0], [50.0]])
    told = moves_view(explained(one, 1), place_moves(result=one, code="p1"))
    assert told.finding == "There is only one indicator: its weight cannot be moved to another."
    everybody = index_of(FOUR, first=9)
    told = moves_view(explained(everybody, 1), place_moves(result=everybody, code="p1"))
    assert (told.finding, told.value_finding) == (
        "All places are among the first 4: there is no line to cross.",
        "",
    )
    assert (
        why_view(explained(everybody, 1)).near_text
        == "All places are among the first 4: there is no line between them."
    )


def test_one_place_alone_is_told_so() -> None:
    alone = index_of([[40.0, 10.0]])
    view = why_view(explained(alone, 0))
    assert view.finding == "Alpha is the only place that is ranked: there is nothing to compare it with."
    assert (view.above, view.below, view.near) == (None, None, ())
    assert moves_view(explained(alone, 0), place_moves(result=alone, code="p0")).finding.startswith("All places are")


def test_what_is_missing_is_named_and_stood_in_for() -> None:
    result = index_of([[90.0, np.nan], [50.0, 70.0], [30.0, 30.0]])
    view = why_view(explained(result, 0))
    assert view.missing == "Nothing is known here of: indicator 1. The other indicators stand in for them."
    assert view.reliability_text == "50%"
    assert [(part.value_text, part.points_text) for part in view.parts] == [("90%", "90.0"), ("missing", "–")]
    told = moves_view(explained(result, 0), place_moves(result=result, code="p0"))
    assert "1 has no value here." in told.values_rest


def test_a_place_without_any_value_comes_last_without_a_score() -> None:
    result = index_of([[np.nan, np.nan], [50.0, 70.0], [30.0, 30.0]])
    view = why_view(explained(result, 0))
    assert view.finding == "Nothing is known of Alpha by these indicators, so it comes last without a score."
    moves_view(explained(result, 0), place_moves(result=result, code="p0"))


def test_who_is_not_ranked_is_not_found() -> None:
    with pytest.raises(NotFound):
        place_row(index_of(FOUR), "castle")


def test_a_place_among_the_worst_is_told_to_be_surrounded() -> None:
    links = np.zeros((4, 4))
    links[2] = [0.5, 0.5, 0.0, 0.0]
    links[0, 2] = links[1, 2] = 1.0
    view = why_view(explained(index_of(FOUR, first=2), 2, links))
    assert view.around.startswith("It is surrounded: 2 of its 2 neighbours are among the first 2, it is not.")
    other = why_view(explained(index_of(FOUR, first=2), 3, links))
    assert other.surrounded == "Gamma is not among the first 2, but more than half of its neighbours are."


def test_rules_flag_whatever_the_score() -> None:
    """Livelihood stands for income; of four places the worst has percentile 100 of need, the next 66.7."""
    result = index_of([[90.0, 80.0, 10.0], [50.0, 90.0, 70.0], [30.0, 30.0, 20.0], [10.0, 20.0, 30.0]])
    worst = rules_of(result.matrix, 1)
    assert worst.income is not None
    assert (worst.income.code, worst.is_stand_in) == ("indicator-1", True)
    view = rules_view(worst)
    assert view.finding == "Whatever its score, one rule flags it: infrastructure."
    assert [(row.css, row.places) for row in view.rows] == [("is-not", "1 place"), ("is-met", "1 place")]
    assert "worn fabric" in view.needed[0]
    health = rules_view(rules_of(result.matrix, 0)).rows[0]
    assert health.because.startswith("High burden: indicator 0 (")
    nothing = rules_view(rules_of(index_of([[90.0], [50.0]]).matrix, 0))
    assert (nothing.finding, len(nothing.needed)) == ("No rule can be applied yet.", 2)


def test_a_question_is_read_back_from_its_address() -> None:
    question = IndexQuestion(
        weights={"water": 2.0, "early-care": 0.125}, weighting="given", aggregation="topsis", vary_weights=0.1, first=7,
        vary_methods=False, kinds=("settlement",), treatment="winsorise", normalisation="z",
    )  # fmt: skip
    parameters = dict(pair.split("=") for pair in query_of(question).split("&"))
    assert index_question_from(parameters, "neighbourhood") == question


def test_values_and_shares_that_differ_are_told_apart() -> None:
    one = indicator("x")
    assert two_values(one, 44.0, 44.04, "en") == ("44.00%", "44.04%")
    assert two_shares(0.10, 0.18, "en") == ("10%", "18%")
    assert two_shares(0.0435, 0.0438, "en") == ("4.35%", "4.38%")
    assert [value_text(unit, 0.5, "fa") for unit in ("share", "m", "people", "km")] == [
        "۵۰٪",
        "۱ متر",
        "۰٫۵",
        "۰٫۵ \u2068km\u2069",
    ]


def test_the_sheet_tells_how_a_kept_index_has_it() -> None:
    row = {
        "code": "p1", "name_fa": "ب", "name_en": "Beta", "rank": 2, "score": 60.0, "rank_low": 1, "rank_high": 3,
        "chance_first": 0.25, "message": "depends-on-choices", "values": {"a": 0.5, "b": None, "c": None},
        "contributions": {"a": 60.0, "b": 15.0, "c": None},
    }  # fmt: skip
    book = [{"code": code, "name_fa": "ا", "name_en": f"Share {code}", "unit": "share"} for code in ("a", "b", "c")]
    kept: dict[str, Any] = {"method": {"first": 1}, "indicators": book, "places": [row, {**row, "code": "p2"}]}
    told = standing_of(kept, "p1", basis=edition_text(1, date(2026, 3, 21), "Beta first"))
    assert told is not None
    assert told.basis == "Published index 1 of 21 March 2026: Beta first"
    assert (told.rank_text, told.interval_text, told.chance_text, told.line) == ("2", "1 to 3", "25%", 50.0)
    # What is withheld from the public has no row, what is known only by its points no value.
    assert [(part.name, part.value_text, part.points_text, part.bar) for part in told.parts] == [
        ("Share a", "50%", "60.0", 100),
        ("Share b", "–", "15.0", 25),
    ]
    short = standing_of({**kept, "indicators": [{**one, "short_en": "Short"} for one in book]}, "p1", basis="")
    assert short is not None
    assert short.parts[0].name == "Short"
    assert standing_of(kept, "castle", basis="") is None
    assert actions_rest(MAX_ACTIONS) == ""
    assert actions_rest(MAX_ACTIONS + 2).startswith("2 more actions")
