"""Siting without a city: what a form asks and how it is filled in again, and that no more is said to be proven than is."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils.translation import override

from analysis.siting import asked_to_json
from geo.errors import InvalidInput
from maps.siting.forms import FIELDS, address_of, asked_from, typed_from, typed_of
from maps.siting.marks import drawn_squares, plan_features
from maps.siting.telling import problem_kept, proof_sentence

SQUARE = '{"type": "Polygon", "coordinates": [[[48, 33], [48.1, 33], [48.1, 33.1], [48, 33]]]}'


@pytest.mark.parametrize(
    "said",
    [
        {"service": "clinic", "sites": "۳"},
        {"service": "clinic", "model": "lscp", "must_reach_all": "1", "threshold_m": "650.5"},
        {"service": "clinic", "limit": "budget", "budget": "1٬000٬000", "site_cost": "250,000", "demand": "priority"},
        {"service": "clinic", "model": "capacitated", "capacity": "2 500", "travel": "streets"},
        {"service": "clinic", "candidates": "land", "candidates_where": "owner=city; use=none", "forbidden": "flood", "geometry": SQUARE},
    ],
)  # fmt: skip
def test_a_question_fills_in_the_form_from_which_it_came(said: dict[str, str]) -> None:
    asked = asked_from(typed_from(said))
    again = asked_from(typed_of(asked_to_json(asked)))
    assert again == asked
    assert asked.question.thresholds_m == ({"clinic": 650.5} if "threshold_m" in said else {})
    assert (asked.budget, asked.site_cost) == ((1_000_000, 250_000) if "budget" in said else (None, None))
    assert set(typed_of(asked_to_json(asked))) == set(FIELDS)
    assert "geometry" not in address_of(asked_to_json(asked))


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ({"sites": "51"}, "sites"),
        ({"sites": "-1"}, "sites"),
        ({"limit": "budget", "budget": "1e99"}, "budget"),
        ({"threshold_m": "0"}, "threshold_m"),
        ({"spacing_m": "5"}, "spacing_m"),
        ({"demand": "castle"}, "demand"),
        ({"forbidden": "flood", "forbidden_where": "no condition"}, "forbidden_where"),
        ({"geometry": "[1, 2]"}, "forbidden_drawn"),
    ],
)
def test_what_cannot_be_read_names_its_field(said: dict[str, str], where: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        asked_from(typed_from({"service": "clinic"} | said))
    assert caught.value.where == where
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("status", "gap", "said"),
    [
        ("optimal", 0.0, "Proven: no other choice among the candidates reaches more."),
        ("gap_proven", 0.0123, "Proven: no other choice is better by more than 1.2%."),
        ("best_found", 0.3, "The best found in the time allowed: another choice might be better by up to 30%."),
        ("best_found", None, "how much better another choice might be is not known"),
    ],
)
def test_no_more_is_said_to_be_proven_than_is(status: str, gap: Any, said: str) -> None:
    with override("en"):
        text = proof_sentence({"model": "mclp", "by_priority": False}, {"status": status, "gap": gap})
    assert said in text.replace("30.0%", "30%")
    assert ("Proven" in text) == (status != "best_found")


def test_marks_and_refusals_that_were_kept() -> None:
    assert drawn_squares([], 4.0) == ""
    result = {"reached": [[48.0, 33.0, 5.0]], "left": [], "sites": [{"lon": 48.1, "lat": 33.1}]}
    found = plan_features(result, [[48.2, 33.2]], ["۱"])
    assert [len(found[name]["features"]) for name in ("people", "existing", "sites")] == [1, 1, 1]
    assert found["sites"]["features"][0]["properties"] == {"number": 1, "text": "۱"}
    title = "5,043 people are out of reach of every candidate, most of them in Gol Sefid."
    kept = {
        "title": title,
        "code": "people_out_of_reach",
        "where": "candidates",
        "remedy": "",
        "details": {"place_fa": "گل‌سفید"},
    }
    with override("en"):
        assert problem_kept(kept)["title"] == title
    with override("fa"):
        assert "گل‌سفید" in problem_kept(kept)["title"]
