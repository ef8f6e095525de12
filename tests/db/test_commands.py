"""The commands' contract: JSON alone on stdout, progress on stderr, status 2 and a clear message for what cannot be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from analysis.commands import AnalysisCommand
from analysis.models import Run
from geo.models import Place
from layers.models import Layer, Supply
from tests.environment import ROOT

pytestmark = pytest.mark.django_db

PLACE_KEYS = {"code", "name", "name_en", "kind", "area_m2", "population", "services"}
SERVICE_KEYS = {"population_share", "area_share", "uncovered_people", "mean_distance_m"}
PRIORITY_KEYS = {"code", "name", "kind", "rank", "score", "contributions", "reliability", "population"}
OVERLAY_KEYS = {"code", "name", "kind", "count", "area_m2", "area_share"}


@dataclass(frozen=True)
class Said:
    """What a command wrote, and how it ended."""

    status: int
    out: str
    err: str

    @property
    def answer(self) -> dict[str, Any]:
        """The JSON on stdout, which must be strict."""

        def refuse(constant: str) -> None:
            raise AssertionError(f"{constant} is not JSON.")

        return dict(json.loads(self.out, parse_constant=refuse))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    def command(*arguments: str) -> Said:
        status = 0
        try:
            call_command(*arguments)
        except SystemExit as end:
            status = int(end.code or 0)
        said = capsys.readouterr()
        return Said(status, said.out, said.err)

    return command


# ---------------------------------------------------------------- what is answered


def test_coverage(demo_city: Place, run: Any) -> None:
    said = run("coverage", "khorramabad", "--json")
    assert said.status == 0
    assert "Computing the coverage of Khorramabad" in said.err
    answer = said.answer
    assert len(answer["places"]) == 298
    codes = set(Supply.objects.filter(city=demo_city).values_list("service__code", flat=True))
    for place in answer["places"]:
        assert set(place) == PLACE_KEYS
        assert set(place["services"]) == codes
        for service in place["services"].values():
            assert set(service) >= SERVICE_KEYS
            assert 0 <= service["population_share"] <= 1
            assert 0 <= service["area_share"] <= 1
            assert service["uncovered_people"] == pytest.approx(
                place["population"] * (1 - service["population_share"]), abs=1e-6
            )
    assert set(answer["inputs"]) == {"boundaries", "population", "services", "travel", "grid"}
    assert set(answer["inputs"]["services"]) == codes
    assert all(told["content_hash"] for told in answer["inputs"]["services"].values())
    assert set(answer["parameters"]["thresholds_m"]) == codes
    assert {place["kind"] for place in answer["places"]} == {"neighbourhood", "settlement"}
    assert any("آ" <= letter <= "ی" for letter in answer["places"][0]["name"])


def test_prioritise(demo_city: Place, run: Any) -> None:
    said = run("prioritise", "khorramabad", "--json")
    places = said.answer["places"]
    assert set(places[0]) >= PRIORITY_KEYS
    assert [place["rank"] for place in places] == sorted(place["rank"] for place in places)
    assert places[0]["rank"] == 1
    for place in places:
        assert 0 <= place["score"] <= 100
        assert sum(place["contributions"].values()) == pytest.approx(place["score"], abs=1e-6)
    assert said.answer["parameters"]["weights"]["clinic"] == 2.0


def test_overlay(demo_city: Place, run: Any) -> None:
    answer = run("overlay", "khorramabad", "--with", "park", "--json").answer
    assert len(answer["places"]) == 288
    assert all(set(place) >= OVERLAY_KEYS for place in answer["places"])
    assert answer["with"] == "park"
    assert answer["where"] == {}
    assert answer["inputs"]["layer"]["content_hash"]


def test_both_cities(sao_vicente: Place, run: Any) -> None:
    places = run("coverage", "sao-vicente", "--json").answer["places"]
    assert len(places) == 68
    assert {"clinic", "bus-stop", "park"} == set(places[0]["services"])


def test_tables_are_for_people(demo_city: Place, run: Any) -> None:
    for arguments, lines in (
        (["coverage", "khorramabad"], 299),
        (["prioritise", "khorramabad"], 299),
        (["overlay", "khorramabad", "--with", "bakery"], 290),
    ):
        said = run(*arguments)
        assert len(said.out.splitlines()) == lines
        with pytest.raises(ValueError, match=r"Expecting value|Extra data"):
            json.loads(said.out)


# ---------------------------------------------------------------- what options change


def test_one_service_at_a_threshold(demo_city: Place, run: Any) -> None:
    near = run("coverage", "khorramabad", "--json", "--service", "clinic", "--threshold-m", "300").answer
    far = run("coverage", "khorramabad", "--json", "--service", "clinic", "--threshold-m", "clinic=900").answer
    assert near["parameters"]["thresholds_m"] == {"clinic": 300}
    assert far["parameters"]["thresholds_m"] == {"clinic": 900}

    def share(answer: dict[str, Any]) -> list[float]:
        return [place["services"]["clinic"]["area_share"] for place in answer["places"]]

    assert all(b >= a for a, b in zip(share(near), share(far), strict=True))
    assert sum(share(far)) > sum(share(near))


def test_several_services_and_thresholds(demo_city: Place, run: Any) -> None:
    arguments = ["--service", "clinic", "--service", "park", "--threshold-m", "500", "--threshold-m", "park=200"]
    answer = run("coverage", "khorramabad", "--json", *arguments).answer
    assert answer["parameters"]["thresholds_m"] == {"clinic": 500, "park": 200}


def test_weights_and_methods(demo_city: Place, run: Any) -> None:
    arguments = ["--weights", "clinic=5,park=0", "--normalisation", "min-max", "--aggregation", "geometric"]
    answer = run("prioritise", "khorramabad", "--json", *arguments).answer
    assert answer["parameters"]["weights"]["clinic"] == 5
    assert answer["parameters"]["weights"]["park"] == 0
    assert answer["parameters"]["normalisation"] == "min-max"
    assert answer["parameters"]["aggregation"] == "geometric"
    assert all(place["contributions"]["park"] == 0 for place in answer["places"])


def test_cell(demo_city: Place, run: Any) -> None:
    answer = run("coverage", "khorramabad", "--json", "--cell-m", "50", "--service", "clinic").answer
    assert answer["inputs"]["grid"]["cell_m"] == 50
    assert answer["parameters"]["cell_m"] == 50


def test_only_recorded_when_asked(demo_city: Place, run: Any) -> None:
    before = Run.objects.count()
    assert run("coverage", "khorramabad", "--json").answer["run"] is None
    assert Run.objects.count() == before
    recorded = run("prioritise", "khorramabad", "--json", "--record").answer["run"]
    assert Run.objects.get(pk=recorded).kind == "priority"


def test_a_note_goes_to_stderr(demo_city: Place, run: Any) -> None:
    supply = Supply.objects.get(city=demo_city, service__code="clinic")
    empty = Layer.objects.create(
        city=demo_city, theme=supply.layer.theme, code="empty", kind="point", name_fa="ت", name_en="E", source="test"
    )
    supply.layer = empty
    supply.save()
    said = run("coverage", "khorramabad", "--json")
    assert "Note: " in said.err
    assert "empty has no release yet" in said.err
    assert said.answer["warnings"] != []
    assert "clinic" not in said.answer["places"][0]["services"]


# ---------------------------------------------------------------- what cannot be


REFUSED: dict[str, tuple[list[str], str]] = {
    "city": (["coverage", "atlantis"], "There is no city 'atlantis'. Choose one of: "),
    "city, priority": (["prioritise", "atlantis"], "There is no city 'atlantis'."),
    "city, overlay": (["overlay", "atlantis", "--with", "park"], "There is no city 'atlantis'."),
    "service": (["coverage", "khorramabad", "--service", "airport"], "Khorramabad has no service 'airport'."),
    "service of another city": (["coverage", "sao-vicente", "--service", "bakery"], "has no service 'bakery'."),
    "threshold of a service": (["coverage", "khorramabad", "--threshold-m", "airport=500"], "no service 'airport'"),
    "threshold that is no number": (["coverage", "khorramabad", "--threshold-m", "far"], "'far' cannot be used here."),
    "threshold of nothing": (["coverage", "khorramabad", "--threshold-m", "clinic="], "'' cannot be used here."),
    "threshold below one": (["coverage", "khorramabad", "--threshold-m", "0"], "Give a number from 1 to 100000."),
    "threshold beyond all": (["coverage", "khorramabad", "--threshold-m", "1e9"], "Give a number from 1 to 100000."),
    "threshold NaN": (["coverage", "khorramabad", "--threshold-m", "nan"], "Give a number from 1 to 100000."),
    "weight of a service": (["prioritise", "khorramabad", "--weights", "airport=1"], "no service 'airport'"),
    "weight without a number": (["prioritise", "khorramabad", "--weights", "clinic"], "'clinic' is not a number for a service."),
    "negative weight": (["prioritise", "khorramabad", "--weights", "clinic=-1"], "Give a number from 0 to 1000."),
    "weight of infinity": (["prioritise", "khorramabad", "--weights", "clinic=inf"], "Give a number from 0 to 1000."),
    "all weights zero": (["prioritise", "khorramabad", "--service", "park", "--weights", "park=0"], "zero"),
    "cell of nothing": (["coverage", "khorramabad", "--cell-m", "0"], "--cell-m: '0' cannot be used here."),
    "cell NaN": (["coverage", "khorramabad", "--cell-m", "nan"], "Give a number from 1 to 1000."),
    "cell too fine": (["coverage", "khorramabad", "--cell-m", "1e-320"], "Give a number from 1 to 1000."),
    "cell in words": (["coverage", "khorramabad", "--cell-m", "small"], "'small' cannot be used here."),
    "more cells than fit": (["coverage", "khorramabad", "--cell-m", "1"], "Choose larger cells or a smaller area."),
    "layer": (["overlay", "khorramabad", "--with", "airports"], "no vector layer 'airports'. Choose one of: settlements"),
    "raster": (["overlay", "khorramabad", "--with", "population"], "no vector layer 'population'."),
    "condition": (["overlay", "khorramabad", "--with", "park", "--where", "size"], "Write FIELD=VALUE"),
    "condition twice": (["overlay", "khorramabad", "--with", "park", "--where", "a=1", "--where", "a=2"], "each field once"),
    "condition nothing meets": (["overlay", "khorramabad", "--with", "park", "--where", "capacity=-5"], "No feature"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused(demo_city: Place, sao_vicente: Place, run: Any, what: str) -> None:
    arguments, message = REFUSED[what]
    said = run(*arguments, "--json")
    assert said.status == 2
    assert said.out == ""
    assert message in said.err
    assert "Traceback" not in said.err


def test_known_cities_are_named(demo_city: Place, run: Any) -> None:
    assert "khorramabad" in run("coverage", "atlantis").err


@pytest.mark.parametrize(
    "arguments",
    [
        ["coverage"],
        ["overlay", "khorramabad"],
        ["prioritise", "khorramabad", "--aggregation", "harmonic"],
        ["prioritise", "khorramabad", "--nonsense"],
    ],
)
def test_malformed_options(demo_city: Place, arguments: list[str]) -> None:
    """What the command line itself refuses; as a process it ends with status 2 too."""
    with pytest.raises((CommandError, TypeError)):
        call_command(*arguments)


# ---------------------------------------------------------------- as a process


def test_a_command_without_an_answer_cannot_be_made() -> None:
    class Mute(AnalysisCommand):
        def table(self, answer: dict[str, Any]) -> list[str]:
            return []

    with pytest.raises(TypeError, match=r"abstract method '?answer"):
        Mute()  # type: ignore[abstract]


def process(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run manage.py on the tests' database, which only what is committed is seen of."""
    settings = connection.settings_dict
    url = f"postgresql://{settings['USER']}@/{settings['NAME']}?host={settings['HOST']}"
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    return subprocess.run(
        command, env={**os.environ, "DATABASE_URL": url}, capture_output=True, text=True, check=False, timeout=120
    )


def test_stdout_of_the_process_is_json_alone(demo_city: Place) -> None:
    result = process("coverage", "khorramabad", "--json", "--service", "clinic")
    assert result.returncode == 0, result.stderr
    assert len(json.loads(result.stdout)["places"]) == 298
    assert "Computing the coverage" in result.stderr


@pytest.mark.parametrize("arguments", [["coverage", "atlantis"], ["coverage", "khorramabad", "--nonsense"]])
def test_the_process_ends_with_status_two(demo_city: Place, arguments: list[str]) -> None:
    result = process(*arguments)
    assert result.returncode == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_a_reader_that_has_seen_enough_is_no_error(demo_city: Place) -> None:
    settings = connection.settings_dict
    url = f"postgresql://{settings['USER']}@/{settings['NAME']}?host={settings['HOST']}"
    line = f'"{sys.executable}" manage.py coverage khorramabad --json | head -n 3; exit "${{PIPESTATUS[0]}}"'
    result = subprocess.run(
        ["bash", "-c", line],
        env={**os.environ, "DATABASE_URL": url},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0
    assert "Traceback" not in result.stderr
    assert "BrokenPipe" not in result.stderr
