"""PostGIS as a peer: the plain statements a good analyst would write, in ``sql/``, run in one transaction each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from django.db import connection, transaction

from tests.benchmarks.question import Asked

FOLDER = Path(__file__).resolve().parent / "sql"
COVERAGE = ("coverage_statement", "coverage_tables", "coverage_buffers", "coverage_united")
OVERLAY = ("overlay_statement", "overlay_tables")


def run(name: str, parameters: Mapping[str, Any], *, beginning: str = "") -> list[tuple[Any, ...]]:
    """Run the statements of a file one after another and return the rows of the last.

    Where several files share how their first statement begins, that is a file of its own.
    """
    texts = [(FOLDER / f"{part}.sql").read_text(encoding="utf-8") for part in (beginning, name) if part]
    text = "\n".join(line for each in texts for line in each.splitlines() if not line.startswith("--"))
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in filter(None, map(str.strip, text.split(";"))):
            cursor.execute(statement, dict(parameters))
        return list(cursor.fetchall())


def area_shares(name: str, asked: Asked) -> np.ndarray:
    """Return coverage as a table of places × services."""
    row = {edition: i for i, edition in enumerate(asked.editions)}
    column = {release: k for k, (_, release, _) in enumerate(asked.services)}
    shares = np.zeros((len(row), len(column)))
    for edition, release, share in run(name, asked.parameters()):
        shares[row[edition], column[release]] = share
    return shares


def people_stored(people: Path, epsg: int) -> None:
    """Store the pixels of a raster where anybody lives as points in an indexed table of the session, once and for all."""
    with rasterio.open(people) as file:
        values, affine = file.read(1), file.transform
        assert file.crs.to_epsg() == epsg
    row, col = np.nonzero(values > 0)
    x, y = affine * (col + 0.5, row + 0.5)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_people")
        cursor.execute("CREATE TEMPORARY TABLE bench_people (people float8, geom geometry)")
        with cursor.copy("COPY bench_people FROM STDIN") as copy:
            for living, east, north in zip(values[row, col].tolist(), x.tolist(), y.tolist(), strict=True):
                copy.write_row((living, f"SRID={epsg};POINT({east} {north})"))
        cursor.execute("CREATE INDEX ON bench_people USING gist (geom)")
        cursor.execute("ANALYZE bench_people")


def area_and_people_shares(asked: Asked) -> tuple[np.ndarray, np.ndarray]:
    """Return the shares of land and of people as tables of places × services; `people_stored` comes before.

    People count as living at the centres of their pixels.
    """
    row = {edition: i for i, edition in enumerate(asked.editions)}
    column = {release: k for k, (_, release, _) in enumerate(asked.services)}
    area, people = np.zeros((len(row), len(column))), np.zeros((len(row), len(column)))
    for edition, release, land, living in run("coverage_people", asked.parameters()):
        area[row[edition], column[release]] = land
        people[row[edition], column[release]] = living
    return area, people
