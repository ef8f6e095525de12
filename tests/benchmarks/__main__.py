"""``python -m tests.benchmarks``: measure against other tools on the demo city; prints a table and writes bench.json.

Starts a database cluster of its own and leaves nothing behind but bench.json. Times are medians of interleaved runs.
``--quick`` runs every case once on a smaller question, to show that all of them work; its times mean little and
nothing is required of them. The exit status is 1 where a requirement is missed.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from pathlib import Path

from tests.benchmarks.city import FACILITIES, MAINS, ROOT, build_and_load, start_django, throwaway_service
from tests.benchmarks.measuring import Report, peak_memory_mb

GROUPS = (
    "coverage",
    "server",
    "parts",
    "streets",
    "friction",
    "capacity",
    "portfolio",
    "index",
    "siting",
    "blocks",
    "what-if",
    "zones",
    "overlay",
    "workbench",
    "layers",
    "export",
    "tiles",
    "ladder",
    "compared",
    "dense",
)


def main(arguments: list[str] | None = None) -> int:
    """Run the groups of cases asked for; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="every case once, the smallest size only")
    parser.add_argument("--runs", type=int, default=5, help="interleaved runs of each comparison; 5 by default")
    parser.add_argument("--only", nargs="+", choices=GROUPS, default=GROUPS, help="groups of cases")
    parser.add_argument("--out", type=Path, default=ROOT / "bench.json")
    options = parser.parse_args(arguments)
    runs = 1 if options.quick else max(options.runs, 1)
    started = time.monotonic()
    report = Report(is_judged=not options.quick)
    with throwaway_service() as var:
        start_django()
        # The quick run leaves out the mains and the buildings, the largest layers.
        layers = [*FACILITIES, *(() if options.quick else (*MAINS, "buildings", "roads"))]
        build_and_load(var / "demo", 1, layers)
        report.note(
            f"The demo city is loaded after {time.monotonic() - started:.0f} s; {runs} interleaved runs each, medians."
        )
        _run(report, options.only, runs, is_quick=options.quick)
        report.memory_mb["all but the ladder, peers included"] = peak_memory_mb()
        report.note(f"Peak memory of this process, peers included: {peak_memory_mb():,.0f} MB.")
        _close_connections()
    about = {
        "quick": options.quick,
        "runs": runs,
        "processors": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "seconds": round(time.monotonic() - started, 1),
    }
    report.write(options.out, about)
    print(f"Wrote {options.out} after {about['seconds']:,.0f} s.")
    for case in report.missed:
        print(f"Missed: {case}.", file=sys.stderr)
    return 1 if report.missed else 0


def _run(report: Report, groups: list[str], runs: int, *, is_quick: bool) -> None:
    # Here, because these read Django's settings when they are imported.
    from tests.benchmarks.cases_blocks import blocks_cases, demo_city_cases
    from tests.benchmarks.cases_capacity import capacity_cases
    from tests.benchmarks.cases_coverage import coverage_cases, dense_cases
    from tests.benchmarks.cases_export import export_cases
    from tests.benchmarks.cases_friction import friction_cases
    from tests.benchmarks.cases_index import index_cases
    from tests.benchmarks.cases_layers import layers_cases
    from tests.benchmarks.cases_overlay import overlay_cases
    from tests.benchmarks.cases_parts import parts_cases
    from tests.benchmarks.cases_portfolio import portfolio_cases
    from tests.benchmarks.cases_server import server_cases
    from tests.benchmarks.cases_siting import siting_cases
    from tests.benchmarks.cases_streets import streets_cases
    from tests.benchmarks.cases_tiles import tiles_cases
    from tests.benchmarks.cases_what_if import what_if_cases
    from tests.benchmarks.cases_workbench import workbench_cases
    from tests.benchmarks.cases_zones import CELL_M as ZONES_CELL_M
    from tests.benchmarks.cases_zones import zones_cases
    from tests.benchmarks.ladder import compared_cases, ladder_cases

    if "coverage" in groups:
        coverage_cases(report, runs)
    if "server" in groups:
        server_cases(report, 1 if is_quick else 30)
    if "parts" in groups:
        parts_cases(report, runs)
    if "streets" in groups:
        streets_cases(report, runs, is_quick=is_quick)
    if "friction" in groups:
        friction_cases(report, runs, 200 if is_quick else 1_000)
    if "capacity" in groups:
        capacity_cases(report, runs, *((500, 50, 10_000) if is_quick else ()))
    if "portfolio" in groups:
        portfolio_cases(report, min(runs, 3), *((40, 1_000) if is_quick else ()))
    if "index" in groups:
        index_cases(report, runs, *((40, 6, 500) if is_quick else ()))
    if "siting" in groups:
        siting_cases(report, min(runs, 3), *((200, 30, 4) if is_quick else ()))
    if "blocks" in groups:
        blocks_cases(report, min(runs, 3), *((49, 2) if is_quick else ()))
        if not is_quick:  # which has no buildings
            demo_city_cases(report, min(runs, 3))
    if "what-if" in groups:
        what_if_cases(report, runs, is_quick=is_quick)
    if "zones" in groups:
        zones_cases(report, runs, 20.0 if is_quick else ZONES_CELL_M)
    if "overlay" in groups:
        overlay_cases(report, runs, "park" if is_quick else "buildings")
    if "workbench" in groups:
        workbench_cases(report, runs, 8 if is_quick else 40)
    rows = 4_000 if is_quick else 200_000  # five times the smaller is the least that has a table of its own
    if "layers" in groups:
        layers_cases(report, runs, rows)
    if "export" in groups:
        export_cases(report, runs, rows)
    if "tiles" in groups:
        tiles_cases(report, runs, rows)
    if "ladder" in groups:
        ladder_cases(report, [1] if is_quick else [1, 10, 100], min(runs, 3))
    if "compared" in groups:
        for scale in (1,) if is_quick else (1, 16):
            compared_cases(report, scale, min(runs, 3))
    if "dense" in groups:  # last, as all others are of the city as it was
        dense_cases(report, min(runs, 3), 2 if is_quick else 16)


def _close_connections() -> None:
    from django.db import connections

    connections.close_all()


if __name__ == "__main__":
    raise SystemExit(main())
