"""Weights of institutions on their pages: steps and times, words, the drawing of orders. Pure."""

from __future__ import annotations

import numpy as np
import pytest
from django.utils.translation import override

from analysis.indices.weighing import domain_weights
from geo.errors import InvalidInput
from maps.weights.charts import GAP, MOST, NAMES, orders_drawn
from maps.weights.form_presenters import points_text
from maps.weights.forms import MOST_STEPS, steps_of, times_of
from maps.weights.words import concordance_text, consistency_text, pair_text, tau_text


def test_every_step_of_a_comparison_comes_back() -> None:
    for steps in range(-MOST_STEPS, MOST_STEPS + 1):
        assert steps_of(times_of(steps)) == steps
        assert times_of(-steps) == pytest.approx(1 / times_of(steps))
    assert times_of(-MOST_STEPS) == 9


def test_comparisons_are_said_in_words() -> None:
    with override("en"):
        assert pair_text("health", "social", 0) == "both matter alike"
        assert pair_text("health", "social", -4) == "health matters much more · 5"
        assert pair_text("health", "social", 8) == "social matters incomparably more · 9"
    with override("fa"):
        assert "۵" in pair_text("health", "social", -4)


def test_comparisons_that_contradict_each_other_are_named() -> None:
    members = {"health": ["a"], "social": ["b"], "economic": ["c", "d"]}
    fine = domain_weights(members, [("health", "social", 2), ("health", "economic", 4), ("social", "economic", 2)])
    # 4 : 2 : 1, and the last is shared by two.
    assert [round(weight, 6) for weight in fine.weights.values()] == [57.142857, 28.571429, 7.142857, 7.142857]
    odd = domain_weights(members, [("health", "social", 5), ("social", "economic", 5), ("health", "economic", 1 / 5)])
    with override("en"):
        assert "agree with each other" in consistency_text(fine.consistency, fine.domains)
        told = consistency_text(odd.consistency, odd.domains)
    assert not odd.consistency.is_consistent
    assert "above 0.1" in told
    assert "you weigh" in told
    with pytest.raises(InvalidInput, match="not compared"):
        domain_weights(members, [("health", "social", 5), ("social", "economic", 5)])


def test_agreement_is_said_in_words() -> None:
    with override("en"):
        said = [concordance_text(value).split(" (")[0] for value in (1.0, 0.9, 0.7, 0.5, 0.2)]
        assert said == [
            "the orders are nearly the same", "the orders are nearly the same", "the orders largely agree",
            "the orders agree in part", "the orders hardly agree",
        ]  # fmt: skip
        assert concordance_text(None) == ""
        assert tau_text(float("nan")) == "cannot be said"
        assert tau_text(-0.2) == "rather the reverse"
        assert points_text(0) == "All 100 points are divided."
        assert points_text(1) == "1 point is left."
        assert points_text(-7.5) == "7.5 points too many are given."


def test_orders_are_drawn_from_the_side_where_reading_begins() -> None:
    ranks = np.array([[1, 2, 3, 3], [3, 2, 1, 4]])
    names = ["a", "b", "c", "d"]
    texts = [[str(rank) for rank in row] for row in ranks]
    ltr = orders_drawn(ranks, names, names, ["x", "y"], texts, is_rtl=False)
    rtl = orders_drawn(ranks, names, names, ["x", "y"], texts, is_rtl=True)
    assert [x for x, _ in ltr.columns] == [NAMES, NAMES + GAP]
    assert [x for x, _ in rtl.columns] == [NAMES + GAP, NAMES]
    by_code = {line.code: line for line in ltr.lines}
    assert [stop.rank for stop in by_code["a"].stops] == ["1", "3"]
    assert by_code["c"].stops[0].y < by_code["d"].stops[0].y  # they share a rank, and stand below each other
    assert {line.code for line in ltr.lines if line.css == "is-strong"} == {"a", "c", "d"}
    assert by_code["b"].css == "is-same"
    assert {line.code: (line.left_y, line.right_y) for line in rtl.lines} == {
        line.code: (line.right_y, line.left_y) for line in ltr.lines
    }


def test_of_many_places_the_first_are_drawn() -> None:
    ranks = np.stack([np.arange(1, 301), np.arange(1, 301)])
    names = [str(n) for n in range(300)]
    drawn = orders_drawn(ranks, names, names, ["x", "y"], [names, names], is_rtl=False)
    assert sorted(int(line.code) for line in drawn.lines) == list(range(MOST))
