"""A release of 200,000 buildings out of the database as a GeoPackage, against ``ogr2ogr`` from the same table.

Both write the same columns, typed, with GDAL's spatial index. Ours also checks that the types hold and that no row is
missing, and counts what the codebook says: filled rows, smallest and largest values.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pyogrio
import pyogrio.raw
from django.conf import settings
from django.db import connection

from layers.models import Release, Theme
from layers.reading import ReadingOptions, reading
from layers.services import LayerSpec, layer_put, release_create
from layers.writing import bare_file, export_of
from tests.benchmarks.cases_layers import buildings_written
from tests.benchmarks.city import ROOT
from tests.benchmarks.measuring import Report, Row, interleaved_ms
from tests.benchmarks.question import city

OURS = "a release exported as a GeoPackage"
REQUIRED_OF_OGR2OGR = 1.3
MOST_MB = 500.0
_LARGER = 5


def export_cases(report: Report, runs: int, rows: int) -> None:
    """Measure exporting a release of so many rows, and the memory that it and one of five times the size take.

    Parameters
    ----------
    report
        Where the rows go.
    runs
        Interleaved runs of each.
    rows
        Buildings in the release.
    """
    folder = Path(os.environ["MAHALLEH_VAR"]) / "exported"
    folder.mkdir(exist_ok=True)
    release = stored(buildings_written(folder / "in.gpkg", rows), "exported")
    ours, theirs = folder / "ours", folder / "theirs.gpkg"

    def by_us() -> Path:
        shutil.rmtree(ours, ignore_errors=True)
        ours.mkdir()
        return bare_file(export_of(release, format="gpkg"), ours).path

    def by_ogr2ogr() -> Path:
        theirs.unlink(missing_ok=True)
        _ogr2ogr(release, theirs)
        return theirs

    size = f"{rows:,} buildings"
    if shutil.which("ogr2ogr"):
        assert _sums(by_us()) == _sums(by_ogr2ogr())
        times = interleaved_ms({"ours": by_us, "ogr2ogr": by_ogr2ogr}, runs)
        peer = "ogr2ogr from the same table"
        report.add(Row(OURS, size, times["ours"], peer, times["ogr2ogr"], runs, REQUIRED_OF_OGR2OGR))
    else:
        report.note("ogr2ogr is not installed, so nothing is compared with it: install Debian's gdal-bin.")
        times = interleaved_ms({"ours": by_us}, runs)
        report.add(Row(OURS, size, times["ours"], "nobody here", None, runs))
    larger = stored(buildings_written(folder / "more.gpkg", _LARGER * rows), "exported-more")
    for one in (release, larger):
        peak = _peak_mb(one)
        report.note(
            f"Peak memory of exporting {one.row_count:,} buildings: {peak:,.0f} MB, of at most {MOST_MB:,.0f} MB."
        )
        report.memory_mb[f"exporting {one.row_count:,} buildings"] = peak
        if report.is_judged:
            assert peak < MOST_MB, f"Exporting {one.row_count:,} buildings took {peak:,.0f} MB."
        _remove(one)
    shutil.rmtree(folder)


def stored(path: Path, code: str) -> Release:
    """Store a file of buildings as the first release of a new layer."""
    theme = Theme.objects.first()
    assert theme is not None
    layer = layer_put(LayerSpec(city(), theme.code, code, "polygon", "ساختمان‌ها", "Buildings", "Invented"))
    with reading(path, ReadingOptions(name_field="name", near=(48.2, 33.2, 49.2, 34.2))) as file:
        made = release_create(layer=layer, reading=file)
    return Release.objects.select_related("layer__city", "layer__theme").get(pk=made.pk)


def _remove(release: Release) -> None:
    if release.shelf:
        with connection.cursor() as cursor:
            cursor.execute(f'DROP TABLE IF EXISTS "layers_feature_{release.pk}"')
    layer = release.layer
    release.delete()
    layer.delete()


def _ogr2ogr(release: Release, path: Path) -> None:
    database = settings.DATABASES["default"]
    words = " ".join(
        f"{key}={database[name]}" for key, name in (("dbname", "NAME"), ("host", "HOST"), ("user", "USER"))
    )
    statement = f"""
        SELECT name, attributes ->> 'kind' AS kind, (attributes ->> 'floors')::int8 AS floors,
               (attributes ->> 'area_m2')::float8 AS area_m2, (attributes ->> 'year')::int8 AS year, geometry
        FROM layers_feature WHERE release_id = {release.pk} AND shelf = {release.shelf}
    """
    command = ["ogr2ogr", "-f", "GPKG", str(path), f"PG:{words}", "-nln", "b", "-nlt", "POLYGON", "-sql", statement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _sums(path: Path) -> tuple[int, int, float, int]:
    """Return rows and sums of the numbers of a file, so that two of them are known to hold the same."""
    info = pyogrio.read_info(path)
    _, table = pyogrio.raw.read_arrow(path, columns=["floors", "area_m2", "year"], read_geometry=False)
    floors, area, year = (sum(table[name].to_pylist()) for name in ("floors", "area_m2", "year"))
    return info["features"], floors, round(area, 3), year


_MEASURED = """
import re, sys
import django
django.setup()
from pathlib import Path
from layers.models import Release
from layers.writing import bare_file, export_of
release = Release.objects.select_related("layer__city", "layer__theme").get(pk=int(sys.argv[1]))
bare_file(export_of(release, format="gpkg"), Path(sys.argv[2]))
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024)
"""


def _peak_mb(release: Release) -> float:
    """Export a release in a process of its own, and return the most memory it held."""
    with tempfile.TemporaryDirectory(dir=os.environ["MAHALLEH_VAR"]) as folder:
        done = subprocess.run(
            [sys.executable, "-c", _MEASURED, str(release.pk), folder], cwd=ROOT, env=dict(os.environ),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = re.search(r"[\d.]+\s*$", done.stdout)
    assert found, done.stdout
    return float(found[0])
