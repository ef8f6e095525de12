"""PostGIS as a peer: the plain statements a good analyst would write, in ``sql/``, run in one transaction each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
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
