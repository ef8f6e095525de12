"""The command that lists scenarios, shows what one does, and compares several."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from analysis.core.changes import FacilityClosed
from analysis.models import Scenario
from analysis.results import Question
from analysis.scenarios import Content, scenario_create
from geo.models import Place

pytestmark = pytest.mark.django_db


@pytest.fixture
def scenario(demo_city: Place, personas: dict[str, Any]) -> Scenario:
    question = Question(services=("clinic",), changes=(FacilityClosed("clinic", 1),))
    return scenario_create(city=demo_city, author=personas["planner"], content=Content("One fewer", question))


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    call_command("scenario", "khorramabad", *arguments, stderr=StringIO())
    return capsys.readouterr().out


def test_scenarios_are_listed_shown_and_compared(scenario: Scenario, capsys: pytest.CaptureFixture[str]) -> None:
    number = str(scenario.pk)
    assert "One fewer" in said(capsys, "list")
    told = json.loads(said(capsys, "show", number, "--json"))
    assert told["totals"]["clinic"]["lost"] > 0
    assert "no longer" in said(capsys, "show", number)
    compared = json.loads(said(capsys, "compare", number, "--json"))
    assert [side["scenario"] for side in compared["sides"]] == [None, scenario.pk]
    fewer = compared["totals"]["clinic"]["fewer_uncovered"]
    assert fewer[1] == pytest.approx(told["totals"]["clinic"]["gained"] - told["totals"]["clinic"]["lost"], abs=0.05)
    assert "rank (score) of" in said(capsys, "compare", "now", number)
    call_command("coverage", "khorramabad", "--scenario", number, "--json", stderr=StringIO())
    assert json.loads(capsys.readouterr().out)["parameters"]["changes"][0]["type"] == "facility-closed"


@pytest.mark.parametrize("arguments", [["show"], ["show", "999999"], ["compare", "now"], ["compare", "x", "now"]])
def test_what_is_not_there_ends_with_status_2(demo_city: Place, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("scenario", "khorramabad", *arguments, stderr=StringIO())
    assert ended.value.code == 2
