"""A small country computed on processes and on a Dask cluster, killed, stopped, gone on with: always the bytes of single cities."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command

from analysis.models import NationalCity, NationalRun
from analysis.national import cluster, processes
from analysis.national.city import question_kept, question_of
from analysis.national.processes import done_by_processes
from analysis.national.totals import added, by_size
from analysis.results import Question
from geo.errors import InvalidInput
from geo.services import PlaceSpec, place_put
from tests.environment import CLUSTER, ROOT
from tests.load.national import city_by_city, dask_cluster, digest, ordered, workers_of
from tests.load.service import children
from tests.prepared import environment_of

DATABASE = "national"
CITIES, BROKEN = 4, "c0004"


class Country:
    """The country in a database of its own; the boundaries of one city are withdrawn."""

    def __init__(self, folder: Path) -> None:
        CLUSTER.ensure_database(DATABASE)
        self.url = CLUSTER.url(DATABASE)
        self.environment = environment_of(DATABASE, folder)
        self.errors = folder / "errors"
        subprocess.run(
            [sys.executable, "-m", "fixtures.country.build", "--scale", "0.003"],
            env=self.environment,
            cwd=ROOT,
            check=True,
        )
        self.asked(
            "UPDATE geo_boundary SET status = 'withdrawn' WHERE place_id IN (SELECT id FROM geo_place WHERE path LIKE %s)",
            f"%/{BROKEN}/%",
        )

    def asked(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        with self.errors.open("w") as errors:
            return ordered(self.environment, *arguments, errors=errors)

    def answer(self, process: subprocess.Popen[str]) -> dict[str, Any]:
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 1, self.errors.read_text()  # one city has a problem
        told: dict[str, Any] = json.loads(out)
        assert [(row["city"], row["code"]) for row in told["problems"]] == [(BROKEN, "no_places")]
        assert "has no neighbourhood" in self.errors.read_text()
        return told

    @contextmanager
    def recording_waits(self) -> Iterator[None]:
        """Let nobody record a run meanwhile, so that whoever computes is caught in the midst of it."""
        with psycopg.connect(self.url) as connection:
            connection.execute("LOCK TABLE analysis_run IN SHARE ROW EXCLUSIVE MODE")
            yield

    def n_waiting(self) -> int:
        found = self.asked("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'analysis_run'::regclass")
        return int(found[0][0])


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Country:
    return Country(tmp_path_factory.mktemp("national"))


@pytest.fixture(scope="module")
def wanted(country: Country) -> list[tuple[str, str, str]]:
    """What the cities say when each is computed by itself."""
    city_by_city(country.environment)
    found = digest(country.url, None)
    assert len(found) == 2 * (CITIES - 1)
    return found


def until(holds: Callable[[], Any], what: str) -> Any:
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        if found := holds():
            return found
        time.sleep(0.05)
    raise AssertionError(what)


def test_the_same_bytes_when_a_worker_is_killed_while_it_records(country: Country, wanted: Any) -> None:
    with country.recording_waits():
        process = country.start("--workers", "2")
        until(lambda: country.n_waiting() == 2, "both workers record")
        first, second = workers_of(process)
        os.kill(first, signal.SIGKILL)
        until(lambda: set(workers_of(process)) - {first, second}, "another takes its place")
    told = country.answer(process)
    assert (told["computed"], told["kept"]) == (CITIES - 1, 0)
    assert digest(country.url, told["run"]) == wanted
    _totals_are_sums(country, told)


def _totals_are_sums(country: Country, told: dict[str, Any]) -> None:
    rows = country.asked(
        "SELECT r.result FROM analysis_run AS r JOIN analysis_nationalcity AS n ON n.coverage_id = r.id WHERE national_id = %s",
        told["run"],
    )
    places = [place for (result,) in rows for place in result]
    people = sum(place["population"] for place in places)
    away = sum(place["services"]["clinic"]["uncovered_people"] for place in places)
    for parts in ([told["total"]], told["provinces"], [city["totals"] for city in told["cities"]]):
        assert sum(part["people"] for part in parts) == pytest.approx(people)
        assert sum(part["services"]["clinic"]["uncovered_people"] for part in parts) == pytest.approx(away)
    assert told["total"]["services"]["clinic"]["covered_share"] == pytest.approx(1 - away / people)
    assert told["total"]["cities"] == CITIES
    assert sum(size["cities"] for size in told["sizes"]) == CITIES - 1
    for city in told["cities"]:
        assert city["memory_mb"] > 50
        assert city["seconds"] > 0
        assert city["places"] > 20


def test_it_is_stopped_gone_on_with_on_a_dask_cluster_and_kept_until_inputs_change(
    country: Country, wanted: Any
) -> None:
    with country.recording_waits():
        process = country.start("--again", "--workers", "2")
        until(lambda: country.n_waiting() == 2, "both workers record")
        workers = workers_of(process)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)
    assert (process.returncode, out) == (130, "")
    assert "goes on from there" in country.errors.read_text()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), "no process is left")

    with dask_cluster(country.environment, 2) as (address, on_cluster):
        with country.recording_waits():
            process = country.start("--scheduler", address)
            until(lambda: country.n_waiting() == 2, "both workers of Dask record")
            on_cluster[0].kill()
            on_cluster[0].wait()
        first = country.answer(process)
    assert (first["computed"], first["kept"]) == (CITIES - 1, 0)
    assert digest(country.url, first["run"]) == wanted

    country.asked(
        "UPDATE analysis_weight SET value = 3 FROM analysis_index AS i JOIN geo_place AS p ON p.id = i.city_id "
        "WHERE index_id = i.id AND p.code = 'c0002'"
    )
    second = country.answer(country.start("--workers", "1"))
    assert (second["run"], second["computed"], second["kept"]) == (first["run"], 1, CITIES - 2)
    numbers = [{city["code"]: city["priority"] for city in told["cities"]} for told in (first, second)]
    assert {code for code in numbers[0] if numbers[0][code] != numbers[1][code]} == {"c0002"}

    only = next(row[0] for row in country.asked("SELECT path FROM geo_place WHERE code = %s", BROKEN)).split("/")[1]
    asked = country.answer(
        country.start("--workers", "1", "--only", only, "--threshold-m", "clinic=900", "--service", "clinic")
    )
    assert asked["run"] != first["run"]
    assert asked["question"] == {"thresholds_m": {"clinic": 900.0}, "services": ["clinic"]}
    assert list(asked["total"]["services"]) == ["clinic"]
    assert [part["code"] for part in asked["provinces"]] == [only]
    part = next(part for part in first["provinces"] if part["code"] == only)
    assert asked["total"]["people"] == part["people"]
    assert asked["total"]["services"]["clinic"]["uncovered_people"] < part["services"]["clinic"]["uncovered_people"]


def test_a_worker_keeps_its_connection_and_notices_that_it_is_gone(country: Country) -> None:
    """Connecting for each city took half of the database's work, and a fifth of all."""
    environment = {**country.environment, **processes.worker_environment(), "DATABASE_URL": country.url}
    worker = subprocess.Popen(
        [sys.executable, "-m", "analysis.national.worker"],
        env=environment, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip

    def backend() -> int:
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write(json.dumps([0, "x", 0, "code"]) + "\n")
        worker.stdin.flush()
        assert json.loads(worker.stdout.readline())["state"] == "wrong"  # it asked the database
        for _ in range(100):  # those of processes that have ended take a moment to go
            found = country.asked(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
                "AND backend_type = 'client backend'"
            )
            if len(found) == 1:
                break
            time.sleep(0.1)
        ((pid,),) = found
        return int(pid)

    try:
        first = backend()
        assert backend() == first
        country.asked("SELECT pg_terminate_backend(%s, 10000)", first)
        assert backend() != first
    finally:
        worker.kill()
        worker.communicate()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["atlantis"], "There is no country 'atlantis'. Choose one of: "),
        (["empty", "--only", "p99"], "Empty has no province 'p99'. Choose one of: none is loaded yet."),
        (["empty", "--service", "casino"], "There is no service 'casino'."),
        (["empty"], "empty: Empty has no city. Load one"),
    ],
)
@pytest.mark.django_db
def test_what_cannot_be_asked_is_said(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    place_put(PlaceSpec("country", "empty", "خالی", "Empty"))
    with pytest.raises(SystemExit) as ended:
        call_command("national", *arguments)
    out, errors = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert said in errors


def test_a_city_whose_process_dies_each_time_is_a_problem_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "worker_environment", lambda: {"PYTHONHOME": "/nowhere"})
    task = (1, "x", 1, "code")
    before = children(os.getpid())  # of other tests of this process
    ((of, answer),) = done_by_processes([task], workers=4)
    assert of == task
    assert (answer["state"], answer["problem"]["code"]) == ("problem", "worker_died")
    assert set(children(os.getpid())) <= set(before)


def test_where_no_scheduler_answers_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "WAIT_S", 1)
    with pytest.raises(InvalidInput) as raised:
        list(cluster.done_by_cluster([(1, "x", 1, "code")], "tcp://127.0.0.1:9"))
    assert raised.value.code == "no_scheduler"


def test_a_question_is_kept_as_json_and_asked_about_what_a_city_has() -> None:
    question = Question(
        thresholds_m={"clinic": 600.0, "park": 300.0},
        weights={"park": 2.0},
        needs_per_1000={"clinic": 5.0, "park": 1.0},
        services=("clinic", "park"),
        normalisation="min-max",
    )
    kept = json.loads(json.dumps(question_kept(question)))
    assert question_of(kept, frozenset({"clinic", "park", "bakery"})) == question
    of_clinics = replace(
        question, thresholds_m={"clinic": 600.0}, weights={}, needs_per_1000={"clinic": 5.0}, services=("clinic",)
    )
    assert question_of(kept, frozenset({"clinic"})) == of_clinics
    assert question_kept(Question()) == {}
    with pytest.raises(InvalidInput):
        question_of(kept, frozenset({"bakery"}))


def city(cells: int, seconds: float, memory_mb: float, people: float, away: float) -> NationalCity:
    services = {"clinic": {"uncovered_people": away, "uncovered_m2": 1.0, "unreachable_people": 0.0}} if people else {}
    totals = {"people": people, "area_m2": 4.0, "services": services}
    return NationalCity(
        national=NationalRun(), cells=cells, places=10, seconds=seconds, cpu_seconds=seconds / 2, memory_mb=memory_mb,
        people=people, totals=totals | {"settlements": totals},
    )  # fmt: skip


def test_totals_and_what_a_city_takes_by_its_size() -> None:
    cities = [city(2_000, 1, 100, 50, 10), city(3_000, 3, 300, 150, 10), city(5_000_000, 60, 900, 0, 0)]
    small, middle, large = by_size(cities)
    assert [row["below"] for row in (small, middle, large)] == [3_000, 10_000, None]
    assert (middle["seconds"], middle["cpu_seconds_a_million_cells"], large["memory_mb"]) == (3, 500, 900)
    total = added([*cities, NationalCity(problem={"code": "no_places"})])
    assert (total["cities"], total["problems"], total["people"], total["area_m2"]) == (4, 1, 200, 12)
    assert total["services"]["clinic"] == {
        "cities": 2, "people": 200, "uncovered_people": 20, "uncovered_m2": 2, "unreachable_people": 0, "covered_share": 0.9,
    }  # fmt: skip
    assert added([cities[2]])["services"] == {}
