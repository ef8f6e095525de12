"""New paths of a place, piece by piece: each piece is a stretch of plots' edges that can be taken into a plan or left out."""

from __future__ import annotations

import re
import threading
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, get_args

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.caching import ArrayCache
from analysis.core.path_counts import BlockGround, Recount, block_ground, recount
from analysis.core.reblocking import Goal, Reblocking, reblock
from analysis.settlement_form.measuring import SettlementForm
from geo.core.crs import STORAGE_EPSG, project
from geo.errors import InvalidInput, LimitExceeded

Geometries = NDArray[np.object_]
Piece = tuple[int, int]

GOALS: Final[tuple[Goal, ...]] = get_args(Goal)

MOST_PIECES: Final = 20_000
"""Of one plan: more than any place has."""

_NAME: Final = re.compile(r"(\d{1,6})-(\d{1,6})")
_MOST_COUNTS: Final = 512

grounds: Final = ArrayCache(max_bytes=64 * 24)
"""The grounds of the places that were asked about last; each counts as 64 bytes, so that two dozen are kept."""


@dataclass(frozen=True, slots=True)
class BlockCount:
    """What paths do in one block."""

    block: int
    length_m: float
    homes_touched: int
    homes_without_access_before: int
    homes_without_access: int
    k_before: int
    k: int


@dataclass(frozen=True, slots=True)
class PathsCount:
    """What paths do for a place.

    Attributes
    ----------
    homes_touched
        Buildings within half the width of a path.
    homes_without_access, k
        With the paths, in all blocks of the place.
    not_joined
        Pieces from which no path leads to a street: they give no access.
    blocks
        Those that have paths.
    """

    length_m: float
    cost: float
    homes_touched: int
    homes_without_access: int
    k: int
    not_joined: tuple[str, ...]
    blocks: tuple[BlockCount, ...]


@dataclass(frozen=True, slots=True)
class Alternative:
    """New paths chosen for a goal.

    Attributes
    ----------
    gap
        By how much the paths may at most be longer than the shortest; None where length is not the goal.
    detour
        The largest detour that is left; None where it was not asked for.
    unreachable
        Plots that no path along edges can reach.
    """

    goal: Goal
    pieces: tuple[str, ...]
    count: PathsCount
    gap: float | None
    detour: float | None
    unreachable: int


class PlaceGround:
    """A place made ready for paths: the blocks in which homes have no access, and the pieces that paths can be put together from.

    Attributes
    ----------
    blocks
        By number: those that a street leads to.
    isolated
        Numbers of blocks with homes that no street leads to: paths inside cannot help them.
    """

    def __init__(self, form: SettlementForm) -> None:
        self.form = form
        self.blocks: dict[int, BlockGround] = {}
        isolated: list[int] = []
        self._lock = threading.Lock()
        self._counts: dict[tuple[int, float, frozenset[int]], Recount] = {}
        for block in np.flatnonzero(form.complexity.homes_without_access > 0).tolist():
            try:
                self.blocks[block] = block_ground(form.parcels, block, form.blocks.streets, form.houses)
            except InvalidInput as error:
                if error.code != "no_street":
                    raise
                isolated.append(block)
        self.isolated = tuple(isolated)

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """All pieces: what runs along a street already is none."""
        return tuple(
            (block, int(edge))
            for block, ground in self.blocks.items()
            for edge in np.flatnonzero(~ground.graph.along_street)
        )

    @cached_property
    def lines_4326(self) -> Geometries:
        """The lines of all pieces, in the order of `pieces`."""
        lines = [ground.graph.lines[~ground.graph.along_street] for ground in self.blocks.values()]
        found = np.concatenate(lines) if lines else np.empty(0, dtype=object)
        return np.asarray(project(found, self.form.epsg, STORAGE_EPSG), dtype=object)

    def read(self, names: Iterable[str]) -> tuple[Piece, ...]:
        """Return pieces by their names, such as ``3-12``, each once.

        Raises
        ------
        InvalidInput
            Where there is no such piece; the place of the block is told as far as it is known.
        LimitExceeded
            For more than `MOST_PIECES`.
        """
        found: dict[Piece, None] = {}
        for number, name in enumerate(names):
            if number >= MOST_PIECES:
                raise LimitExceeded(
                    f"More than {MOST_PIECES} pieces of path.",
                    code="too_many_pieces",
                    where="pieces",
                    remedy="Choose fewer.",
                    details={"most": MOST_PIECES},
                )
            match = _NAME.fullmatch(name)
            piece = (int(match[1]), int(match[2])) if match else (-1, -1)
            ground = self.blocks.get(piece[0])
            if ground is None or piece[1] >= len(ground.graph.u) or ground.graph.along_street[piece[1]]:
                raise InvalidInput(
                    f"There is no piece of path {name[:40]!r} along the plots of this place.",
                    code="unknown_piece",
                    where=f"pieces[{number}]",
                    remedy="Load the page again, and choose among the pieces on the map.",
                    details={"piece": name[:40]},
                )
            found[piece] = None
        return tuple(found)

    def count(self, pieces: Collection[Piece], *, width_m: float, cost_per_m: float) -> PathsCount:
        """Count what paths of these pieces do; only blocks that were not counted so before cost time."""
        form = self.form
        by_block: dict[int, list[int]] = {}
        for block, edge in pieces:
            by_block.setdefault(block, []).append(edge)
        counts = {block: self._counted(block, edges, width_m) for block, edges in sorted(by_block.items())}
        touched = [found.homes_touched for found in counts.values()]
        without, k = form.complexity.homes_without_access.copy(), form.complexity.k.copy()
        for block, found in counts.items():
            without[block], k[block] = found.homes_without_access_after, found.k_after
        length_m = sum(found.length_m for found in counts.values())
        return PathsCount(
            length_m=length_m,
            cost=length_m * cost_per_m,
            homes_touched=len(np.unique(np.concatenate(touched))) if touched else 0,
            homes_without_access=int(without.sum()),
            k=int(k.max(initial=0)),
            not_joined=tuple(
                piece_name((block, sorted(by_block[block])[at]))
                for block, found in counts.items()
                for at in found.not_joined.tolist()
            ),
            blocks=tuple(
                BlockCount(
                    block, found.length_m, len(found.homes_touched), int(found.homes_without_access_before),
                    int(found.homes_without_access_after), found.k_before, found.k_after,
                )
                for block, found in counts.items()
            ),
        )  # fmt: skip

    def alternative(self, goal: Goal, *, width_m: float, cost_per_m: float) -> Alternative:
        """Find the paths of a goal in all blocks."""
        found: dict[int, Reblocking] = {
            block: reblock(ground, goal, width_m=width_m, cost_per_m=cost_per_m)
            for block, ground in self.blocks.items()
        }
        pieces = tuple(
            (block, int(edge))
            for block, plan in found.items()
            for edge in plan.stretches
            if not self.blocks[block].graph.along_street[edge]
        )
        bounds = [plan.bound_m for plan in found.values()]
        count = self.count(pieces, width_m=width_m, cost_per_m=cost_per_m)
        gap = None
        if goal == "least-length" and count.length_m > 0:
            gap = max(1.0 - sum(bound or 0.0 for bound in bounds) / count.length_m, 0.0)
        detours = [plan.detour for plan in found.values() if plan.detour is not None]
        return Alternative(
            goal,
            tuple(map(piece_name, pieces)),
            count,
            gap,
            max(detours, default=None),
            sum(len(plan.unreachable) for plan in found.values()),
        )

    def lines(self, pieces: Sequence[Piece]) -> Geometries:
        """Return the paths of pieces in metres, joined where nothing forks."""
        chosen = [self.blocks[block].graph.lines[edge] for block, edge in pieces]
        if not chosen:
            return np.empty(0, dtype=object)
        return np.asarray(shapely.get_parts(shapely.line_merge(shapely.union_all(chosen))))

    def beside(self, lines: Geometries, within_m: float = 0.1) -> tuple[tuple[Piece, ...], float]:
        """Find the pieces that lie along lines in metres, and how much of the lines follows none."""
        every = np.array([self.blocks[block].graph.lines[edge] for block, edge in self.pieces], dtype=object)
        if not len(lines) or not len(every):
            return (), float(shapely.length(lines).sum())
        around = shapely.buffer(shapely.union_all(lines), within_m, cap_style="flat")
        chosen = np.flatnonzero(shapely.covers(shapely.buffer(around, within_m), every))
        left = shapely.difference(shapely.union_all(lines), shapely.buffer(shapely.union_all(every[chosen]), within_m))
        return tuple(self.pieces[at] for at in chosen.tolist()), float(shapely.length(left))

    def _counted(self, block: int, edges: list[int], width_m: float) -> Recount:
        key = (block, width_m, frozenset(edges))
        with self._lock:
            known = self._counts.pop(key, None)
            if known is not None:
                self._counts[key] = known  # the last asked for goes last
                return known
        ground = self.blocks[block]
        found = recount(ground, ground.graph.lines[sorted(edges)], width_m=width_m)
        with self._lock:
            self._counts[key] = found
            while len(self._counts) > _MOST_COUNTS:
                self._counts.pop(next(iter(self._counts)))
        return found


def piece_name(piece: Piece) -> str:
    """Name a piece.

    Examples
    --------
    >>> piece_name((3, 12))
    '3-12'
    """
    return f"{piece[0]}-{piece[1]}"


def ground_of(form: SettlementForm) -> PlaceGround:
    """Return a place made ready for paths, once for the same form."""
    found: PlaceGround = grounds.get(form.key, lambda: PlaceGround(form))
    return found


def count_record(count: PathsCount) -> dict[str, Any]:
    """Return a count as JSON."""
    return {
        "length_m": round(count.length_m, 2),
        "cost": round(count.cost, 2),
        "homes_touched": count.homes_touched,
        "homes_without_access_after": count.homes_without_access,
        "k_after": count.k,
        "not_joined": list(count.not_joined),
        "blocks": [
            {
                "block": one.block, "length_m": round(one.length_m, 2), "homes_touched": one.homes_touched,
                "homes_without_access_before": one.homes_without_access_before,
                "homes_without_access_after": one.homes_without_access, "k_before": one.k_before, "k_after": one.k,
            }
            for one in count.blocks
        ],
    }  # fmt: skip


def alternative_record(found: Alternative) -> dict[str, Any]:
    """Return an alternative as JSON, with the names of its pieces."""
    return {
        "goal": found.goal,
        **count_record(found.count),
        "gap": None if found.gap is None else round(found.gap, 4),
        "detour": None if found.detour is None else round(found.detour, 2),
        "unreachable_plots": found.unreachable,
        "pieces": list(found.pieces),
    }


def lines_record(ground: PlaceGround, pieces: Sequence[Piece]) -> dict[str, Any]:
    """Return the paths of pieces as GeoJSON in EPSG:4326."""
    lines = ground.lines(pieces)
    lines_4326 = project(lines, ground.form.epsg, STORAGE_EPSG) if len(lines) else lines
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": shapely.geometry.mapping(shapely.set_precision(line, 1e-7)),
                "properties": {"length_m": round(float(length), 2)},
            }
            for line, length in zip(lines_4326, shapely.length(lines), strict=True)
        ],
    }


__all__ = [
    "GOALS", "MOST_PIECES", "Alternative", "BlockCount", "PathsCount", "Piece", "PlaceGround", "alternative_record",
    "count_record", "ground_of", "lines_record", "piece_name",
]  # fmt: skip
