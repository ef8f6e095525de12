"""A file of 200,000 buildings into the database, with every check, against the tools that everybody uses for it.

Ours is stored as a release is: read in batches, checked, with hash, fields, bounds and comparison, in a table of its
own with key and index. ``ogr2ogr`` and GeoPandas copy the rows and build an index; neither checks anything.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely
from django.conf import settings
from django.db import connection

from layers.models import Feature, Layer, Release, Theme
from layers.reading import ReadingOptions, reading
from layers.services import LayerSpec, layer_put, release_create
from tests.benchmarks.city import ROOT
from tests.benchmarks.measuring import Report, Row
from tests.benchmarks.peers_installed import PEERS, peers_ready
from tests.benchmarks.question import city

OURS = "a release stored from a GeoPackage"
REQUIRED_OF_OGR2OGR = 1.0
REQUIRED_OF_GEOPANDAS = 4.0
MOST_MB = 500.0
_LARGER = 5
_CORNERS = np.array([(-1, -1), (1, -1), (1, 0.2), (0.1, 0.2), (0.1, 1), (-1, 1), (-1, -1)])


def layers_cases(report: Report, runs: int, rows: int) -> None:
    """Measure storing a file of so many rows, and the memory that it and one of five times the size take.

    Parameters
    ----------
    report
        Where the rows go.
    runs
        Interleaved runs of each.
    rows
        Buildings in the file.
    """
    folder = Path(os.environ["MAHALLEH_VAR"]) / "layers"
    folder.mkdir(exist_ok=True)
    path = buildings_written(folder / "buildings.gpkg", rows)
    layer = layer_put(
        LayerSpec(city(), Theme.objects.first().code, "measured", "polygon", "ساختمان‌ها", "Buildings", "Invented")
    )
    sides = {"ours": Side(lambda: _store(layer, path), _remove)}
    if shutil.which("ogr2ogr"):
        sides["ogr2ogr"] = Side(lambda: _ogr2ogr(path), lambda _: _drop("by_ogr2ogr"))
    else:
        report.note("ogr2ogr is not installed, so nothing is compared with it: install Debian's gdal-bin.")
    if peers_ready(report):
        by_geopandas = _Geopandas(path)
        sides["geopandas"] = Side(by_geopandas.store, by_geopandas.remove, by_geopandas.prepare)
    times = interleaved(sides, runs, rows)
    size = f"{rows:,} buildings"
    if len(sides) == 1:
        report.add(Row(OURS, size, times["ours"], "nobody here", None, runs))
    if "ogr2ogr" in sides:
        peer = "ogr2ogr, COPY and GiST, no checks"
        report.add(Row(OURS, size, times["ours"], peer, times["ogr2ogr"], runs, REQUIRED_OF_OGR2OGR))
    if "geopandas" in sides:
        peer = "geopandas to_postgis, no checks"
        report.add(Row(OURS, size, times["ours"], peer, times["geopandas"], runs, REQUIRED_OF_GEOPANDAS))
    for n in (rows, _LARGER * rows):
        file = path if n == rows else buildings_written(folder / "more.gpkg", n)
        peak = _peak_mb(layer, file)
        report.note(f"Peak memory of storing {n:,} buildings: {peak:,.0f} MB, of at most {MOST_MB:,.0f} MB.")
        report.memory_mb[f"storing {n:,} buildings"] = peak
        if report.is_judged:
            assert peak < MOST_MB, f"Storing {n:,} buildings took {peak:,.0f} MB."
    layer.delete()


@dataclass(frozen=True, slots=True)
class Side:
    """One way of storing; how it is got ready, and how what it stored is taken away again, is not measured."""

    store: Callable[[], Any]
    remove: Callable[[Any], None]
    prepare: Callable[[], None] = lambda: None


def interleaved(sides: dict[str, Side], runs: int, rows: int) -> dict[str, float]:
    """Let each side store in turn, check that all rows are there, and return the median of each in milliseconds."""
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(runs):
        for name, side in sides.items():
            side.prepare()
            started = time.perf_counter()
            made = side.store()
            times[name].append((time.perf_counter() - started) * 1000)
            found = Feature.objects.of(made).count() if isinstance(made, Release) else _count(made)
            assert found == rows, f"{name} stored {found:,} of {rows:,} rows."
            side.remove(made)
    return {name: statistics.median(values) for name, values in times.items()}


def buildings_written(path: Path, n: int) -> Path:
    """Write so many L-shaped buildings with a name and four attributes; the same each time."""
    random = np.random.default_rng(4)
    side = int(np.ceil(np.sqrt(n)))
    at = np.arange(n)
    x, y = 48.30 + at % side * 0.0002, 33.35 + at // side * 0.00016
    width, height = random.uniform(4e-5, 9e-5, n), random.uniform(4e-5, 7e-5, n)
    turned = random.uniform(0, np.pi, n)
    across, along = _CORNERS[:, 0] * width[:, None], _CORNERS[:, 1] * height[:, None]
    cos, sin = np.cos(turned)[:, None], np.sin(turned)[:, None]
    shapes = shapely.polygons(
        np.stack([x[:, None] + across * cos - along * sin, y[:, None] + across * sin + along * cos], axis=-1)
    )
    kinds = np.array(["خانه", "مغازه", "مدرسه", "انبار"], dtype=object)[random.integers(0, 4, n)]
    columns = {
        "name": np.array([f"ساختمان {i}" for i in at], dtype=object), "kind": kinds,
        "floors": random.integers(1, 9, n).astype("int32"), "area_m2": random.uniform(40, 400, n).round(1),
        "year": random.integers(1300, 1405, n).astype("int32"),
    }  # fmt: skip
    pyogrio.raw.write(
        path, shapely.to_wkb(shapes), list(columns.values()), list(columns), geometry_type="Polygon", crs="EPSG:4326",
        driver="GPKG", layer="buildings",
    )  # fmt: skip
    return path


def _store(layer: Layer, path: Path) -> Release:
    west, south = 48.2, 33.2
    with reading(path, ReadingOptions(name_field="name", near=(west, south, west + 1, south + 1))) as file:
        return release_create(layer=layer, reading=file)


def _remove(release: Release) -> None:
    release.delete()  # its own table goes with it


def _drop(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f'DROP TABLE IF EXISTS "{table}"')


def _count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT count(*) FROM "{table}"')
        return int(cursor.fetchone()[0])


def _database() -> dict[str, str]:
    database = settings.DATABASES["default"]
    return {"dbname": database["NAME"], "host": database["HOST"], "user": database["USER"]}


def _ogr2ogr(path: Path) -> str:
    words = " ".join(f"{key}={value}" for key, value in _database().items())
    command = [
        "ogr2ogr", "-f", "PostgreSQL", f"PG:{words}", str(path), "-nln", "by_ogr2ogr", "-gt", "65536",
        "--config", "PG_USE_COPY", "YES", "-lco", "SPATIAL_INDEX=GIST", "-lco", "GEOMETRY_NAME=geometry",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return "by_ogr2ogr"


_BY_GEOPANDAS = """
import sys
import geopandas, sqlalchemy, geoalchemy2
path, user, database, host = sys.argv[1:]
engine = sqlalchemy.create_engine(f"postgresql+psycopg://{user}@/{database}", connect_args={"host": host})
print("ready", flush=True)
sys.stdin.readline()
geopandas.read_file(path).to_postgis("by_geopandas", engine, if_exists="replace")
print("done", flush=True)
"""


class _Geopandas:
    """GeoPandas in a process of its own, whose start is not measured."""

    def __init__(self, path: Path) -> None:
        where = _database()
        self._command = [
            str(PEERS / "bin" / "python"), "-c", _BY_GEOPANDAS, str(path), where["user"], where["dbname"], where["host"],
        ]  # fmt: skip
        self._process: subprocess.Popen[str] | None = None

    def prepare(self) -> None:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._hear("ready")

    def store(self) -> str:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        self._hear("done")
        return "by_geopandas"

    def remove(self, table: str) -> None:
        assert self._process is not None
        self._process.communicate()
        _drop(table)

    def _hear(self, word: str) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        assert self._process.stdout.readline().strip() == word


_MEASURED = """
import re, sys
import django
django.setup()
from pathlib import Path
from layers.models import Layer
from tests.benchmarks.cases_layers import _remove, _store
release = _store(Layer.objects.get(pk=int(sys.argv[1])), Path(sys.argv[2]))
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024)
_remove(release)
"""


def _peak_mb(layer: Layer, path: Path) -> float:
    """Store a file in a process of its own, and return the most memory it held."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, str(layer.pk), str(path)], cwd=ROOT, env=dict(os.environ),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = re.search(r"[\d.]+\s*$", done.stdout)
    assert found, done.stdout
    return float(found[0])
