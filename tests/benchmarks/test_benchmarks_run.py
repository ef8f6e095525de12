"""The benchmarks run, each case once, so that they cannot rot; no time is judged here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.environment import REAL_DATA, ROOT

KEYS = {"case", "size", "ours_ms", "peer", "peer_ms", "ratio", "runs", "required_ratio"}
CASES = {
    "full coverage, caches empty",
    "threshold of clinic changed, all ranked",
    "weight of clinic changed, all ranked",
    "server: threshold changed",
    "server: weight changed",
    "shares of cells in places",
    "nearest facility",
    "nearest main (lines)",
    "people of places from a raster",
    "overlay of park",
    "an edit snapped and checked",
    "an edit snapped and checked, detailed",
    "a release stored from a GeoPackage",
    "a release exported as a GeoPackage",
    "full coverage, caches empty, ladder",
    "full coverage, caches empty, facilities",
    "full coverage, caches empty, dense",
    "land alone by the peer",
    "friction, one service",
    "friction, a facility added",
    "2SFCA",
    "E2SFCA",
    "portfolio",
    "rankings drawn, weighted sum",
    "rankings drawn, TOPSIS",
    "a weight moved, ranks and intervals",
    "siting: maximal covering",
    "siting: maximal covering, wide",
    "siting: p-median, 5 s",
    "reblocking",
    "recount of edited paths",
    "complexity of a city, from its streets",
    "complexity, cells given",
    "what if: a clinic moved, straight",
    "what if: a clinic moved, streets",
    "people of zones, exact",
}
OF_REAL_DATA = {"street costs, 12 services", "street costs, network made ready too", "a facility moved, all cells"}


def test_every_case_runs_and_is_written_down(tmp_path: Path) -> None:
    out = tmp_path / "bench.json"
    command = [sys.executable, "-m", "tests.benchmarks", "--quick", "--out", str(out)]
    environment = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "MAHALLEH_VAR"}}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    told = json.loads(out.read_text())
    assert {row["case"].strip() for row in told["rows"]} >= CASES | (OF_REAL_DATA if REAL_DATA.is_dir() else set())
    for row in told["rows"]:
        assert set(row) == KEYS
        assert row["ours_ms"] > 0
        if row["peer_ms"] is not None:
            assert abs(row["ratio"] - row["peer_ms"] / row["ours_ms"]) <= 0.01 * row["ratio"] + 0.01
    peers = " ".join(row["peer"] for row in told["rows"])
    for peer in ("PostGIS", "geopandas", "exactextract", "scipy", "shapely", "pandas"):
        assert peer in peers
    assert set(told["peak_memory_mb"]) == {
        "ladder × 1", "all but the ladder, peers included", "storing 4,000 buildings", "storing 20,000 buildings",
        "exporting 4,000 buildings", "exporting 20,000 buildings",
    }  # fmt: skip
    assert "full coverage, caches empty" in result.stdout
    assert not list(tmp_path.glob("*.tmp"))
