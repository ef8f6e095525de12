"""Geometries as they come from GDAL, in well-known binary, into shapely: sizes first, then row by row what is broken."""

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from layers.reading.plan import Problem, ProblemLog
from layers.reading.request import Wanted
from layers.reading.wording import option


def parse_wkb(
    column: pa.Array, done: int, wanted: Wanted, log: ProblemLog
) -> tuple[NDArray[np.object_], NDArray[np.bool_], int, NDArray[np.int64]]:
    """Take a column of WKB apart; a geometry that is far too large is refused by its size alone.

    Parameters
    ----------
    column
        Arrow array of well-known binary.
    done
        Rows of the layer that came before it.
    wanted, log
        As for the whole file.

    Returns
    -------
    tuple of ndarray, ndarray, int and ndarray
        Geometries, which rows are refused, about how many vertices there are, and a hash of each geometry's bytes.
    """
    sizes = np.asarray(pc.fill_null(pc.binary_length(column), 0).to_numpy(zero_copy_only=False), dtype=np.int64)
    # A vertex takes 16 bytes, or 32 with a height and a measure: what is above this is above the limit for certain.
    huge = sizes > 32 * (wanted.limits.vertices_per_row + 1)
    for index in np.flatnonzero(huge):
        about = int(sizes[index]) // _vertex_bytes(column[int(index)].as_buffer())
        log.add(
            Problem(
                "error",
                "too_many_vertices",
                f"The geometry has about {about:,} vertices, more than {wanted.limits.vertices_per_row:,}.",
                "Simplify it, or split it into several rows.",
                done + int(index) + 1,
            )
        )
    if huge.any():
        column = pc.if_else(pa.array(~huge), column, pa.scalar(None, column.type))
    wkb = column.to_numpy(zero_copy_only=False)
    with np.errstate(invalid="ignore"):  # of NaN the checks speak
        geometries = np.asarray(shapely.from_wkb(wkb, on_invalid="ignore"), dtype=object)
    broken = np.flatnonzero(shapely.is_missing(geometries) & np.asarray(column.is_valid()))
    for index in broken:
        geometries[index] = _mended_wkb(wkb[index], done + int(index) + 1, wanted, log)
    refused = huge.copy()
    refused[broken] = shapely.is_missing(geometries[broken])
    hashes = np.fromiter(map(hash, wkb), dtype=np.int64, count=len(wkb))
    return geometries, refused, int(sizes[~huge].sum()) // 16, hashes


def is_plain(column: pa.Array) -> bool:
    """Tell whether all of a column is well-known binary of flat geometries in little-endian order, as it is stored."""
    return not column.null_count and set(pc.unique(pc.binary_slice(column, 0, 5)).to_pylist()) <= _PLAIN


_PLAIN: Final = frozenset(b"\x01" + kind.to_bytes(4, "little") for kind in range(1, 8))


def _mended_wkb(data: bytes, row: int, wanted: Wanted, log: ProblemLog) -> shapely.Geometry | None:
    """Say why a geometry cannot be taken apart, or close its rings if that is all."""
    try:
        shapely.from_wkb(data)
        reason = "unknown reason"
    except shapely.errors.GEOSException as error:
        reason = str(error).partition(": ")[2] or str(error)
    mended = shapely.from_wkb(data, on_invalid="fix") if wanted.repair else None
    if mended is not None:
        log.add(Problem("repaired", "broken_geometry", f"The geometry was broken ({reason}) and was mended.", row=row))
        return mended
    remedy = f"Draw it again, or try {option('repair')}." if not wanted.repair else "Draw it again, or delete the row."
    log.add(Problem("error", "broken_geometry", f"The geometry is broken: {reason}.", remedy, row))
    return None


def _vertex_bytes(wkb: Any) -> int:
    """Say how many bytes a vertex takes in a WKB, from its header."""
    header = memoryview(wkb)[:5].tobytes()
    kind = int.from_bytes(header[1:5], "little" if header[0] == 1 else "big")
    extra = (kind % 10_000 // 1000 + 1) // 2 + (kind % 10_000 // 1000 == 3) + (kind >> 31) + (kind >> 30 & 1)
    return 16 + 8 * min(2, extra)
