"""Are geometries fit to be stored: every check of a batch of rows at once, each problem with its row and remedy.

The checks run in an order in which a later one may rely on the earlier: there is a geometry, of the right type, flat,
with finite coordinates, which are where the reference system says, near the city, not torn at the 180th meridian, and
valid. A row drops out at its first problem, so that one fault is told once.
"""

import numpy as np
from numpy.typing import NDArray

from layers.reading.examination import Checked, Examination, Mask, Rules, Seen
from layers.reading.place_checks import check_antimeridian, check_near, check_null_island, place
from layers.reading.plan import ProblemLog
from layers.reading.shape_checks import (
    check_finite,
    check_missing,
    check_types,
    check_valid,
    check_vertices,
    drop_heights,
)


def check_geometries(
    geometries: NDArray[np.object_],
    numbers: NDArray[np.int64],
    rules: Rules,
    log: ProblemLog,
    refused: Mask | None = None,
    seen: Seen | None = None,
) -> Checked:
    """Check and reproject geometries of a layer.

    Parameters
    ----------
    geometries
        Shape ``(n,)``, in the reference system of the rules; None for a row without one.
    numbers
        Shape ``(n,) int64``, the row of each in the file.
    rules
        What they are checked against.
    log
        Where problems are recorded.
    refused
        Shape ``(n,) bool``; True for rows whose problem is already recorded.
    seen
        What is remembered of the layer's rows before these, and is brought up to date.
    """
    seen = seen or Seen()
    rows = Examination(geometries, numbers, rules, log, refused, seen)
    rows.kind = seen.kind
    check_missing(rows)
    check_types(rows)
    drop_heights(rows)
    check_vertices(rows)
    check_finite(rows)
    check_null_island(rows)
    place(rows)
    check_near(rows)
    check_antimeridian(rows)
    check_valid(rows)
    seen.kind = rows.kind
    placed = rows.geometries.copy()
    rows.geometries[~rows.good] = None
    return Checked(rows.geometries, placed, rows.kept, rows.kind)
