"""The index of a city: values side by side, ranked as by hand, with how sure the ranks are."""

from __future__ import annotations

import io
import json
from datetime import date
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command

from analysis.indicators import matrix_read
from analysis.indices.computing import IndexQuestion, index_compute, index_record, index_rows
from analysis.models import Indicator, IndicatorValue, Run
from analysis.services import coverage_compute
from geo.errors import Forbidden, InvalidInput, NotFound
from geo.models import Place
from geo.querysets import system_user

pytestmark = pytest.mark.django_db
STORED = ("water-all-day", "early-care", "out-of-school")


def asked(**other: Any) -> IndexQuestion:
    return IndexQuestion(**{"kinds": ("settlement",), "draws": 500, "first": 3, **other})


def test_stored_values_stand_beside_computed_ones(demo_city: Place) -> None:
    matrix = matrix_read(
        city=demo_city, user=system_user(), codes=(*STORED, "clinic-uncovered-share"), kinds=("settlement",)
    )
    covered = coverage_compute(city=demo_city, user=system_user())
    column = {one.code: k for k, one in enumerate(matrix.indicators)}
    assert len(matrix.places) == 10
    for i, place in enumerate(matrix.places):
        row, clinic = covered.place_index(place.code), covered.service_index("clinic")
        assert matrix.values[i, column["clinic-uncovered-share"]] == 1 - covered.values.population_share[row, clinic]
        for code in STORED:
            newest = (
                IndicatorValue.objects.in_force()
                .filter(place=place.id, indicator__code=code, kind__in=("measured", "baseline"))
                .order_by("-year_begins_on", "-kind")
                .first()
            )
            value, error = matrix.values[i, column[code]], matrix.errors[i, column[code]]
            if newest is None:
                assert np.isnan(value)
                assert (i, column[code]) not in matrix.told_on
            else:
                assert (value, error) == (newest.value, newest.error)
                assert matrix.told_on[i, column[code]] == newest.year_begins_on


def test_what_was_measured_replaces_what_was_there_before_and_targets_never_count(demo_city: Place) -> None:
    place = Place.objects.get(code="s01", kind="settlement")
    indicator = Indicator.objects.get(code="early-care")
    IndicatorValue.objects.filter(indicator=indicator, place=place).delete()
    year = date(2031, 3, 21)
    for kind, value in (("target", 99.0), ("measured", 41.0), ("baseline", 17.0)):
        IndicatorValue.objects.create(
            indicator=indicator, place=place, year_begins_on=year, kind=kind, value=value, source="s"
        )
    read = {"city": demo_city, "user": system_user(), "codes": ("early-care",), "kinds": ("settlement",)}
    matrix = matrix_read(**read)
    row = [one.code for one in matrix.places].index("s01")
    assert matrix.values[row, 0] == 41.0
    assert np.isnan(matrix.errors[row, 0])
    assert np.isnan(matrix_read(**read, until=date(2030, 3, 21)).values[row, 0])


def test_scores_and_ranks_as_by_hand(demo_city: Place) -> None:
    result = index_compute(
        city=demo_city, user=system_user(), question=asked(weights={"water-all-day": 3.0, "early-care": 1.0})
    )
    by_code = {row["code"]: row for row in index_rows(result)}
    posts = {one.code: one.goalposts for one in result.matrix.indicators}
    assert (posts["water-all-day"], posts["early-care"]) == ((0.0, 100.0), (40.0, 100.0))
    expected = {}
    for code, row in by_code.items():
        needs = [
            (weight, 1 - min(max((row["values"][name] - low) / (high - low), 0), 1))
            for name, weight, (low, high) in (("water-all-day", 3, (0, 100)), ("early-care", 1, (40, 100)))
            if row["values"][name] is not None
        ]
        expected[code] = 100 * sum(w * s for w, s in needs) / sum(w for w, _ in needs)
        assert row["score"] == pytest.approx(expected[code])
        assert sum(row["contributions"].values()) == pytest.approx(row["score"])
        assert row["rank_low"] <= row["rank_median"] <= row["rank_high"]
    worst_first = sorted(expected, key=lambda code: -expected[code])
    assert by_code[worst_first[0]]["rank"] == 1
    assert next(iter(by_code)) == worst_first[0]


@pytest.mark.parametrize("normalisation", ["goalpost", "min-max", "z", "percentile"])
@pytest.mark.parametrize("aggregation", ["arithmetic", "geometric", "topsis", "vikor"])
def test_every_method_ranks_the_demo_city(demo_city: Place, normalisation: Any, aggregation: Any) -> None:
    codes = dict.fromkeys((*STORED, "clinic-uncovered-share"), 1.0)
    for weighting, treatment in (("given", "none"), ("critic", "winsorise"), ("entropy", "none"), ("merec", "none")):
        result = index_compute(
            city=demo_city,
            user=system_user(),
            question=asked(
                weights=codes, weighting=weighting, treatment=treatment, normalisation=normalisation,
                aggregation=aggregation, draws=100,
            ),
        )  # fmt: skip
        rows = index_rows(result)
        assert min(row["rank"] for row in rows) == 1
        assert all(0 <= row["score"] <= 100 for row in rows)
        assert result.priority.weights.sum() == pytest.approx(1)
        assert (rows[0]["contributions"] is None) == (aggregation == "vikor")
        json.dumps(rows, allow_nan=False)


def test_certain_weights_values_and_methods_give_certain_ranks(demo_city: Place) -> None:
    question = asked(
        weights={"clinic-uncovered-share": 1.0, "park-uncovered-share": 2.0}, vary_weights=0.0, vary_methods=False
    )
    rows = index_rows(index_compute(city=demo_city, user=system_user(), question=question))
    assert all(row["rank"] == row["rank_low"] == row["rank_high"] == row["rank_median"] for row in rows)
    assert {row["message"] for row in rows} == {"robustly-worst", "robustly-fine"}


def test_the_same_question_gives_the_same_bytes(demo_city: Place) -> None:
    runs = [index_record(index_compute(city=demo_city, user=system_user(), question=asked())) for _ in range(2)]
    first, second = (Run.objects.get(pk=run.pk) for run in runs)
    assert json.dumps(first.result) == json.dumps(second.result)
    assert (first.input_hash, first.seed, first.kind) == (second.input_hash, 1, "index")
    IndicatorValue.objects.filter(place__code="s01", kind="measured", indicator__code="early-care").update(value=1.5)
    changed = index_record(index_compute(city=demo_city, user=system_user(), question=asked()))
    assert changed.input_hash != first.input_hash


@pytest.mark.parametrize(
    ("values", "error", "code"),
    [
        ({"weights": {"no-such": 1.0}}, InvalidInput, "unknown_indicator"),
        ({"weights": {"early-care": 0.0}}, InvalidInput, "bad_weight"),
        ({"weights": {"early-care": -1.0}}, InvalidInput, "bad_weight"),
        ({"weights": {"disabled-unsupported": 1.0}}, InvalidInput, "no_goalposts"),
        ({"kinds": ("province",)}, NotFound, "no_places"),
        ({"aggregation": "magic"}, InvalidInput, "bad_method"),
        ({"draws": 10**9}, InvalidInput, "bad_number"),
        ({"vary_weights": float("nan")}, InvalidInput, "bad_number"),
    ],
)
def test_what_cannot_be_ranked_is_refused(demo_city: Place, values: dict[str, Any], error: Any, code: str) -> None:
    with pytest.raises(error) as caught:
        index_compute(city=demo_city, user=system_user(), question=asked(**values))
    assert caught.value.code == code


def test_what_has_no_goalposts_is_left_out_where_nobody_chose_it(demo_city: Place) -> None:
    result = index_compute(city=demo_city, user=system_user(), question=asked())
    assert "disabled-unsupported" not in {one.code for one in result.matrix.indicators}
    assert "Left out, because they have no goalposts: disabled-unsupported." in result.warnings
    by_rank = index_compute(city=demo_city, user=system_user(), question=asked(normalisation="percentile"))
    assert "disabled-unsupported" in {one.code for one in by_rank.matrix.indicators}


def test_who_has_no_role_reads_no_values(demo_city: Place, django_user_model: Any) -> None:
    with pytest.raises(Forbidden):
        matrix_read(city=demo_city, user=django_user_model.objects.create_user("index-stranger"))


def test_the_command_answers_in_json(demo_city: Place, capsys: pytest.CaptureFixture[str]) -> None:
    call_command(
        "index", demo_city.code, "--json", "--record", "--kind", "settlement", "--indicators", "early-care=2,water-all-day",
        "--first", "3", "--draws", "200", stderr=io.StringIO(),
    )  # fmt: skip
    answer = json.loads(capsys.readouterr().out)
    assert answer["places"][0]["rank"] == 1
    assert len(answer["places"]) == 10
    assert {one["code"]: one["weight"] for one in answer["parameters"]["indicators"]} == {
        "early-care": pytest.approx(2 / 3), "water-all-day": pytest.approx(1 / 3),
    }  # fmt: skip
    run = Run.objects.get(pk=answer["run"])
    assert run.result == {"places": answer["places"]}
    with pytest.raises(SystemExit):
        call_command("index", demo_city.code, "--indicators", "early-care=2,early-care", stderr=io.StringIO())
