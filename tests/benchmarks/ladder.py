"""One rung of the size ladder, in a process of its own so that its peak memory is its own.

``python -m tests.benchmarks.ladder SCALE load|measure|compare RUNS``: loads the demo city at a scale into the database of the
environment, or measures its full coverage there, alone or beside the peers, and prints one line of JSON.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.benchmarks.city import FACILITIES, ROOT, build_and_load, start_django
from tests.benchmarks.measuring import Report, Row, growth_exponent, interleaved_ms, peak_memory_mb

CELL_M = 20.0
"""Of all rungs, as of every city by default."""
MOST_EXPONENT = 1.05
"""What counts as linear: 1, and a little for noise."""


def ladder_cases(report: Report, scales: list[int], runs: int) -> None:
    """Climb the ladder: build, load and measure each size; then tell how time grows with it."""
    times: list[float] = []
    for scale in scales:
        found = _measured(scale, "measure", runs if scale < 100 else 1)
        times.append(found["ms"])
        size = f"× {scale}: {found['places']:,} × {found['services']}"
        report.add(Row("full coverage, caches empty, ladder", size, found["ms"], "", None, found["runs"]))
        report.memory_mb[f"ladder × {scale}"] = found["peak_mb"]
        report.note(
            f"× {scale}: {found['cells']:,} cells, {found['facilities']:,} facilities, peak memory {found['peak_mb']:,.0f} MB"
        )
    if len(scales) > 1:
        exponent = growth_exponent(scales, times)
        report.growth["full coverage"] = exponent
        verdict = "no worse than linear" if exponent <= MOST_EXPONENT else "WORSE THAN LINEAR"
        report.note(f"Time grows as size to the power of {exponent:.2f}: {verdict}.")


def compared_cases(report: Report, scale: int, runs: int) -> None:
    """Measure full coverage of a city of another size beside the peers."""
    found = _measured(scale, "compare", runs)
    for note in found["notes"]:
        report.note(note)
    for row in found["rows"]:
        report.add(Row(**row))


def _measured(scale: int, what: str, runs: int) -> dict[str, Any]:
    """Load a size into a database of its own, unless it is there, and measure it in a process of its own."""
    from config.cluster import Cluster

    folder = Path(os.environ["MAHALLEH_VAR"])
    socket = Path(os.environ["DATABASE_URL"].partition("host=")[2])
    cluster, name = Cluster(root_dir=socket, socket_dir=socket), f"ladder_{scale}"
    environment = {**os.environ, "DATABASE_URL": cluster.url(name), "MAHALLEH_VAR": str(folder / name)}
    if cluster.ensure_database(name):
        _rung(environment, scale, "load", runs)
    return _rung(environment, scale, what, runs)


def _rung(environment: dict[str, str], scale: int, what: str, runs: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.ladder", str(scale), what, str(runs)]
    result = subprocess.run(command, env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return {} if what == "load" else dict(json.loads(result.stdout))


def load(scale: int) -> None:
    """Build and load the city with its twelve facility services."""
    start_django()
    with tempfile.TemporaryDirectory() as folder:
        build_and_load(Path(folder), scale, FACILITIES)


def measure(runs: int) -> dict[str, Any]:
    """Compute full coverage from empty caches; one small run first, so that modules are loaded."""
    import django

    django.setup()
    from analysis.caching import caches_clear
    from analysis.services import coverage_compute
    from geo.querysets import system_user
    from tests.benchmarks.question import city

    place, user = city(), system_user()

    def job() -> Any:
        caches_clear()
        return coverage_compute(city=place, user=user, cell_m=CELL_M)

    ms = interleaved_ms({"ours": job}, runs)["ours"]
    result = coverage_compute(city=place, user=user, cell_m=CELL_M)
    grid = result.inputs["grid"]
    return {
        "ms": ms,
        "runs": runs,
        "peak_mb": peak_memory_mb(),
        "places": len(result.places),
        "services": len(result.services),
        "facilities": sum(s.facilities for s in result.services),
        "cells": grid["rows"] * grid["columns"],
    }


def compare(scale: int, runs: int) -> dict[str, Any]:
    """Compute full coverage beside the peers; whoever started this process prints the rows."""
    import django

    django.setup()
    from analysis.results import Question
    from tests.benchmarks.cases_coverage import area_cases, full_cases
    from tests.benchmarks.question import asked

    report = Report()
    with redirect_stdout(io.StringIO()):
        everything = asked()
        size = f"× {scale}: {len(everything.editions):,} × {len(everything.services)}"
        full_cases(report, runs, Question(), "full coverage, caches empty, facilities", size, required=3.0)
        area_cases(report, runs, Question(), size, statements_of=("coverage_united",))
    return {"notes": report.notes, "rows": [asdict(row) for row in report.rows]}


if __name__ == "__main__":
    if sys.argv[2] == "load":
        load(int(sys.argv[1]))
    elif sys.argv[2] == "compare":
        print(json.dumps(compare(int(sys.argv[1]), int(sys.argv[3]))))
    else:
        print(json.dumps(measure(int(sys.argv[3]))))
