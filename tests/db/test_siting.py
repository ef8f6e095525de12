"""New facilities of a city: as good as any choice among the candidates, told as the engine tells it, kept as a scenario."""

from __future__ import annotations

import io
import itertools
import json
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command

from analysis.comparing import counted_rows, what_if_compute
from analysis.core.changes import FacilityAdded
from analysis.models import Scenario
from analysis.results import Question
from analysis.services import coverage_compute
from analysis.siting import SitingQuestion, siting_compute, siting_record
from geo.errors import Forbidden, InvalidInput, LimitExceeded, NotFound
from geo.models import Place
from geo.querysets import system_user

pytestmark = pytest.mark.django_db


def plan(city: Place, **asked: Any) -> Any:
    return siting_compute(
        city=city, user=system_user(), asked=SitingQuestion(**{"service": "clinic", "sites": 2, **asked})
    )


def gained(city: Place, points: list[tuple[float, float]]) -> float:
    """People newly covered by clinics at points, by the engine of what-ifs alone."""
    changes = tuple(FacilityAdded("clinic", lon, lat, f"c{n}") for n, (lon, lat) in enumerate(points))
    found = what_if_compute(city=city, user=system_user(), question=Question(changes=changes))
    after = found.after.coverage
    return float(found.effect.gained_people[counted_rows(after.places), after.service_index("clinic")].sum())


def test_no_other_pair_of_candidates_reaches_more(demo_city: Place) -> None:
    """Every pair is tried with the engine itself: blocks may misjudge whom the threshold cuts, but not by much."""
    found = plan(demo_city, spacing_m=2500.0, curve=3)
    assert found.siting.status == "optimal"
    told = found.people_gained
    assert told == pytest.approx(gained(demo_city, [(site.lon, site.lat) for site in found.sites]))
    assert told == pytest.approx(found.siting.people_new, rel=0.05)
    every = plan(demo_city, spacing_m=2500.0, sites=found.candidates)
    points = [(site.lon, site.lat) for site in every.sites]
    assert 2 < len(points) <= found.candidates <= 20
    best = max(gained(demo_city, list(pair)) for pair in itertools.combinations(points, 2))
    assert told >= 0.97 * best
    people = [point.people for point in found.curve.points]
    assert people == sorted(people)
    assert people[1] == pytest.approx(found.siting.people_new)


def test_a_plan_reaches_nobody_who_is_reached_already(demo_city: Place) -> None:
    record = siting_record(plan(demo_city, sites=4, spacing_m=800.0))
    covered = coverage_compute(city=demo_city, user=system_user())
    column, counted = covered.service_index("clinic"), counted_rows(covered.places)
    uncovered = float(covered.values.uncovered_people[counted, column].sum())
    assert record["people_uncovered_today"] == pytest.approx(uncovered, abs=0.01)
    assert 0 < record["people_gained"] <= uncovered
    assert len(record["sites"]) == 4
    assert all(site["place"] for site in record["sites"])
    json.dumps(record, allow_nan=False)


def test_priority_moves_facilities_to_places_in_need(demo_city: Place) -> None:
    def mean_score(found: Any) -> float:
        ranked = found.effect.before
        scores = {place.code: ranked.priority.score[i] for i, place in enumerate(ranked.coverage.places)}
        return float(np.mean([scores[site.place.code] for site in found.sites]))

    plain, weighed = plan(demo_city, sites=3), plan(demo_city, sites=3, by_priority=True)
    assert weighed.siting.people_new <= plain.siting.people_new
    assert mean_score(weighed) >= mean_score(plain)


@pytest.mark.parametrize(
    ("asked", "error", "code"),
    [
        ({"service": "castle"}, NotFound, "unknown_service"),
        ({"service": "water"}, InvalidInput, "not_for_utilities"),
        ({"sites": 0}, InvalidInput, "bad_number"),
        ({"spacing_m": float("nan")}, InvalidInput, "bad_number"),
        ({"spacing_m": 100.0, "question": Question(travel="streets")}, (InvalidInput, LimitExceeded), ""),
    ],
)
def test_what_cannot_be_sited_is_refused(demo_city: Place, asked: dict[str, Any], error: Any, code: str) -> None:
    with pytest.raises(error) as caught:
        plan(demo_city, **asked)
    assert not code or caught.value.code == code


def test_who_has_no_role_sites_nothing(demo_city: Place, django_user_model: Any) -> None:
    with pytest.raises(Forbidden):
        siting_compute(
            city=demo_city,
            user=django_user_model.objects.create_user("site-stranger"),
            asked=SitingQuestion("clinic", 1),
        )


def test_the_command_keeps_the_plan_as_a_scenario(
    demo_city: Place, personas: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    call_command(
        "site", demo_city.code, "--service", "clinic", "--sites", "2", "--curve", "2", "--json", "--save", "Two clinics",
        "--author", personas["planner"].username, stderr=io.StringIO(),
    )  # fmt: skip
    answer = json.loads(capsys.readouterr().out)
    kept = Scenario.objects.get(pk=answer["scenario"])
    assert (kept.name, kept.author, len(kept.changes)) == ("Two clinics", personas["planner"], 2)
    assert [(change["lon"], change["lat"]) for change in kept.changes] == [
        (s["lon"], s["lat"]) for s in answer["sites"]
    ]
    call_command("site", demo_city.code, "--service", "clinic", stderr=io.StringIO())
    assert "people without clinic would be within" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        call_command(
            "site",
            demo_city.code,
            "--service",
            "clinic",
            "--save",
            "X",
            "--author",
            "nobody-at-all",
            stderr=io.StringIO(),
        )
