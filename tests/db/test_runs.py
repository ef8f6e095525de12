"""Runs: the same inputs give the same bytes and the same hash; anything changed gives another."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from analysis.caching import caches_clear
from analysis.models import Run
from analysis.results import Question
from analysis.services import coverage_compute, priority_compute, run_record
from analysis.version import code_version
from geo.models import Place
from geo.querysets import system_user
from layers.models import Layer, Release
from layers.reading import Plan, read_file
from layers.services import release_create

pytestmark = pytest.mark.django_db


def recorded(city: Place, kind: str = "coverage", author: Any = None, **question: Any) -> Run:
    compute = coverage_compute if kind == "coverage" else priority_compute
    run = run_record(compute(city=city, user=system_user(), question=Question(**question)), author=author)
    return Run.objects.get(pk=run.pk)


def stored(run: Run) -> str:
    """The result as text, in the order in which it is stored."""
    return json.dumps([run.kind, run.parameters, run.inputs, run.warnings, run.result], sort_keys=True)


@pytest.mark.parametrize("kind", ["coverage", "priority"])
def test_the_same_again_gives_the_same_bytes(demo_city: Place, kind: str) -> None:
    first, second = recorded(demo_city, kind), recorded(demo_city, kind)
    caches_clear()
    third = recorded(demo_city, kind)
    assert stored(first) == stored(second) == stored(third)
    assert first.input_hash == second.input_hash == third.input_hash
    assert len({first.pk, second.pk, third.pk}) == 3


def test_what_a_run_says(demo_city: Place) -> None:
    run = recorded(demo_city, "priority")
    assert run.kind == "priority"
    assert run.city == demo_city
    assert run.code_version == code_version()
    assert run.seed is None
    assert run.duration_ms > 0
    assert len(run.result) == 298
    assert [row["rank"] for row in run.result] == sorted(row["rank"] for row in run.result)
    assert set(run.parameters) >= {"thresholds_m", "standards", "weights", "normalisation", "aggregation", "cell_m"}
    newest = {r.layer.code: r for r in Release.objects.filter(layer__city=demo_city).latest().select_related("layer")}
    for told in run.inputs["services"].values():
        assert told["content_hash"] == newest[told["layer"]].content_hash
        assert told["release"] == newest[told["layer"]].number
    assert run.inputs["population"]["content_hash"] == newest["population"].content_hash
    assert len(run.inputs["boundaries"]["editions"]) == 298


CHANGES: dict[str, dict[str, Any]] = {
    "threshold": {"thresholds_m": {"clinic": 801.0}},
    "weight": {"weights": {"clinic": 2.5}},
    "services": {"services": ("clinic", "park")},
    "aggregation": {"aggregation": "geometric"},
    "normalisation": {"normalisation": "min-max"},
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_parameter_gives_another_hash_and_result(demo_city: Place, change: str) -> None:
    before, after = recorded(demo_city, "priority"), recorded(demo_city, "priority", **CHANGES[change])
    assert before.input_hash != after.input_hash
    assert before.parameters != after.parameters
    assert before.result != after.result


def test_kinds_do_not_share_a_hash(demo_city: Place) -> None:
    assert recorded(demo_city, "coverage").input_hash != recorded(demo_city, "priority").input_hash


def test_a_new_release_gives_another_hash(demo_city: Place, tmp_path: Path) -> None:
    before = recorded(demo_city)
    path = tmp_path / "clinic.csv"
    path.write_text("name,lon,lat\nA,48.35,33.49\n")
    plan = read_file(path)
    assert isinstance(plan, Plan)
    layer = Layer.objects.get(city=demo_city, code="clinic")
    release_create(layer=layer, plan=plan, reference_date=date(2026, 1, 1))
    after = recorded(demo_city)
    assert before.input_hash != after.input_hash
    assert before.result != after.result
    assert Run.objects.get(pk=before.pk).inputs == before.inputs  # the old run is what it was


def test_who_asked_changes_nothing_but_the_author(demo_city: Place, personas: dict[str, Any]) -> None:
    nobodys, analysts = recorded(demo_city), recorded(demo_city, author=personas["analyst"])
    assert analysts.author == personas["analyst"]
    assert nobodys.author is None
    assert stored(nobodys) == stored(analysts)
    assert nobodys.input_hash == analysts.input_hash


def test_real_city(sao_vicente: Place) -> None:
    first = recorded(sao_vicente, "priority")
    caches_clear()
    assert stored(first) == stored(recorded(sao_vicente, "priority"))
    assert first.inputs["population"]["field"] == "hab_setor"
