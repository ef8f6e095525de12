"""The nearest street to many points: straight pieces in square buckets, searched ring by ring."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

#: No more buckets than this many for each piece.
_BUCKETS_A_PIECE: Final = 2.0


@dataclass(frozen=True, slots=True)
class Buckets:
    """Straight pieces by the square bucket that they run through.

    Attributes
    ----------
    pieces_m
        Shape ``(k, 4)``: x and y of both ends.
    number
        Shape ``(k,)`` int32: what each piece is called in answers.
    west_m, south_m, side_m, n_cols, n_rows
        The buckets.
    first, member
        Shape ``(n_cols * n_rows + 1,)`` and the pieces of each bucket.
    """

    pieces_m: Floats
    number: Int32
    west_m: float
    south_m: float
    side_m: float
    n_cols: int
    n_rows: int
    first: Int64
    member: Int32


def bucketed(start: Floats, end: Floats, number: Int32) -> Buckets:
    """Put pieces into buckets.

    Parameters
    ----------
    start, end
        Shape ``(k, 2)`` metres.
    number
        Shape ``(k,)``: what each is called in answers; ascending.
    """
    pieces = np.ascontiguousarray(np.concatenate((start, end), axis=1))
    if not len(pieces):
        return Buckets(pieces, number, 0.0, 0.0, 1.0, 0, 0, np.zeros(1, np.int64), np.zeros(0, np.int32))
    low, high = np.minimum(start, end).min(axis=0), np.maximum(start, end).max(axis=0)
    width, height = (high - low).tolist()
    side = max(math.sqrt(width * height / (_BUCKETS_A_PIECE * len(pieces))), (width + height) / (4 * len(pieces)), 1.0)
    n_cols, n_rows = int(width // side) + 1, int(height // side) + 1
    first, member = _filled(pieces, float(low[0]), float(low[1]), side, n_cols, n_rows)
    return Buckets(pieces, number, float(low[0]), float(low[1]), side, n_cols, n_rows, first, member)


def nearest(buckets: Buckets, xy_m: Floats, at_most_m: float) -> tuple[Int32, Floats, Floats]:
    """Find the nearest piece to each point, the least number where several are as near.

    Parameters
    ----------
    buckets
        The pieces.
    xy_m
        Shape ``(n, 2)``, finite.
    at_most_m
        What is further away than this is not found; ``inf`` for no limit.

    Returns
    -------
    tuple of ndarray
        Shape ``(n,)`` each: the number of the piece, -1 if there is none; the share of its length from its start to
        the nearest point; the distance in metres, ``inf`` if there is none.
    """
    n = len(xy_m)
    number, share, way_m = np.full(n, -1, dtype=np.int32), np.zeros(n), np.full(n, np.inf)
    if len(buckets.pieces_m):
        found = np.full(n, -1, dtype=np.int32)
        _search(
            np.ascontiguousarray(xy_m), buckets.pieces_m, buckets.west_m, buckets.south_m, buckets.side_m, buckets.n_cols,
            buckets.n_rows, buckets.first, buckets.member, at_most_m, found, share, way_m,
        )  # fmt: skip
        number = np.where(found >= 0, buckets.number[found], np.int32(-1))
    return number, share, way_m


@njit(cache=True, nogil=True)
def _filled(pieces, west, south, side, n_cols, n_rows):  # type: ignore[no-untyped-def]
    """Count, then list, the pieces of each bucket: those whose line passes the circle around it."""
    first = np.zeros(n_cols * n_rows + 1, np.int64)
    member = np.empty(0, np.int32)
    reach = side * 0.70711 * (1 + 1e-9)
    for turn in range(2):
        if turn == 1:
            total = 0
            for bucket in range(n_cols * n_rows + 1):
                here = first[bucket]
                first[bucket] = total
                total += here
            member = np.empty(total, np.int32)
        for k in range(pieces.shape[0]):
            x0, y0, x1, y1 = pieces[k, 0], pieces[k, 1], pieces[k, 2], pieces[k, 3]
            left, right = _within((min(x0, x1) - west) / side, n_cols), _within((max(x0, x1) - west) / side, n_cols)
            bottom, top = _within((min(y0, y1) - south) / side, n_rows), _within((max(y0, y1) - south) / side, n_rows)
            length = math.hypot(x1 - x0, y1 - y0)
            for row in range(bottom, top + 1):
                for col in range(left, right + 1):
                    x, y = west + (col + 0.5) * side - x0, south + (row + 0.5) * side - y0
                    if length == 0 or abs(x * (y1 - y0) - y * (x1 - x0)) <= reach * length:
                        bucket = row * n_cols + col
                        if turn == 1:
                            member[first[bucket]] = k
                        first[bucket] += 1
    # The list of each bucket was filled from its beginning to the beginning of the next.
    for bucket in range(n_cols * n_rows, 0, -1):
        first[bucket] = first[bucket - 1]
    first[0] = 0
    return first, member


@njit(cache=True, nogil=True)
def _within(value, n):  # type: ignore[no-untyped-def]
    return min(max(math.floor(value), 0), n - 1)


@njit(cache=True, nogil=True)
def _search(xy, pieces, west, south, side, n_cols, n_rows, first, member, at_most, found, share, way):  # type: ignore[no-untyped-def]
    for i in range(xy.shape[0]):
        x, y = xy[i, 0], xy[i, 1]
        # A point beyond the buckets is searched from the nearest point of their rectangle: what is in there is at
        # least as far as that point, and by Pythagoras the two ways add up at least as squares.
        inner_x, inner_y = min(max(x, west), west + n_cols * side), min(max(y, south), south + n_rows * side)
        gap = (x - inner_x) ** 2 + (y - inner_y) ** 2
        across, along = (inner_x - west) / side, (inner_y - south) / side
        col, row = _within(across, n_cols), _within(along, n_rows)
        margin = max(min(across - col, col + 1 - across, along - row, row + 1 - along), 0.0) * side
        best, best_share, piece = at_most * at_most * (1 + 1e-15), 0.0, -1
        ring = 0
        while gap <= best:
            # What is not in earlier rings is at least so far from the inner point.
            least = (ring - 1) * side + margin
            if ring > 0 and gap + least * least * (1 - 1e-9) > best:
                break
            low_row, high_row = max(row - ring, 0), min(row + ring, n_rows - 1)
            low_col, high_col = max(col - ring, 0), min(col + ring, n_cols - 1)
            if ring > 0 and row - ring < 0 and row + ring >= n_rows and col - ring < 0 and col + ring >= n_cols:
                break
            for r in range(low_row, high_row + 1):
                is_edge_row = r == row - ring or r == row + ring
                step = 1 if is_edge_row or ring == 0 else 2 * ring
                c = low_col if is_edge_row else col - ring
                while c <= high_col:
                    if c >= 0:
                        for at in range(first[r * n_cols + c], first[r * n_cols + c + 1]):
                            k = member[at]
                            x0, y0 = pieces[k, 0], pieces[k, 1]
                            dx, dy = pieces[k, 2] - x0, pieces[k, 3] - y0
                            square = dx * dx + dy * dy
                            t = 0.0
                            if square > 0:
                                t = min(max(((x - x0) * dx + (y - y0) * dy) / square, 0.0), 1.0)
                            off_x, off_y = x - x0 - t * dx, y - y0 - t * dy
                            off = off_x * off_x + off_y * off_y
                            if off < best or (off == best and (k < piece or piece < 0)):
                                best, best_share, piece = off, t, k
                    c += step
            ring += 1
        if piece >= 0:
            found[i] = piece
            share[i] = best_share
            way[i] = math.sqrt(best)
