"""Drawings of change as SVG: where land is gained and lost, and the same ground before and after.

Pure: shapes in, text out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from geo.core.measuring import width_m
from geo.core.snapping import SNAP_TOLERANCE_M
from maps.pages.outlines import nice_length
from maps.reviews.frames import WIDTH, Frame

_POLYGON: Final = 3


@dataclass(frozen=True, slots=True)
class Shape:
    """One path with its class; ``title`` is what a pointer is told."""

    d: str
    css: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """A text on the sheet."""

    x: float
    y: float
    text: str
    css: str
    is_mark: bool = False


@dataclass(frozen=True, slots=True)
class ScaleBar:
    """A round length on the ground, and where it stands on the sheet."""

    units: float
    metres: float
    y: float

    @property
    def top(self) -> float:
        """Where its ends reach up to."""
        return self.y - 10

    @property
    def middle(self) -> float:
        """Where its text stands."""
        return 24 + self.units / 2


@dataclass(frozen=True, slots=True)
class Sheet:
    """One drawing, its parts in the order in which they are laid over each other."""

    width: float
    height: float
    shapes: tuple[Shape, ...]
    labels: tuple[Label, ...]
    scale: ScaleBar


def sheet_of(frame: Frame, shapes: Iterable[Shape], labels: Iterable[Label] = ()) -> Sheet:
    """Put a sheet together; what is not on it is left out."""
    length_m = nice_length(frame.metres_per_unit * WIDTH / 4)
    return Sheet(
        width=WIDTH,
        height=frame.height,
        shapes=tuple(shape for shape in shapes if shape.d),
        labels=tuple(label for label in labels if frame.shows(label.x, label.y)),
        scale=ScaleBar(round(length_m / frame.metres_per_unit, 1), length_m, round(frame.height - 22, 1)),
    )


@dataclass(frozen=True, slots=True)
class Side:
    """A place before and after.

    Attributes
    ----------
    name : str
        As labels write it.
    before, after : MultiPolygon or None
        In EPSG:4326; None where it is new, or ends.
    is_settlement : bool
        Whether it lies over the tiling.
    disputed : MultiLineString or None
        Edges in dispute.
    """

    code: str
    name: str
    before: shapely.Geometry | None
    after: shapely.Geometry | None
    is_settlement: bool = False
    disputed: shapely.Geometry | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """Pieces of ground by what happens to them, in EPSG:4326: empty where there are none."""

    gained: shapely.Geometry
    lost: shapely.Geometry
    moved: shapely.Geometry


def ground_of(sides: Sequence[Side], code: str = "") -> Ground:
    """Return which ground is gained and lost: by one place, or, without a code, by all of them together.

    Of all together, ground that passes from one to another is ``moved``; gained is what was nobody's, lost what is
    nobody's any more.

    Examples
    --------
    >>> a = Side("a", "A", shapely.box(0, 0, 2, 1), shapely.box(0, 0, 1, 1))
    >>> b = Side("b", "B", shapely.box(2, 0, 3, 1), shapely.box(1, 0, 4, 1))
    >>> [shape.bounds for shape in (ground_of([a, b]).moved, ground_of([a, b]).gained, ground_of([a, b], "a").lost)]
    [(1.0, 0.0, 2.0, 1.0), (3.0, 0.0, 4.0, 1.0), (1.0, 0.0, 2.0, 1.0)]
    """
    nothing = shapely.MultiPolygon()
    if code:
        side = next(side for side in sides if side.code == code)
        before, after = side.before or nothing, side.after or nothing
        return Ground(_land(shapely.difference(after, before)), _land(shapely.difference(before, after)), nothing)
    gained_each = [ground_of([side], side.code).gained for side in sides]
    lost_each = [ground_of([side], side.code).lost for side in sides]
    gained, lost = shapely.union_all(gained_each), shapely.union_all(lost_each)
    moved = _land(shapely.intersection(gained, lost))
    return Ground(_land(shapely.difference(gained, moved)), _land(shapely.difference(lost, moved)), moved)


def visible(ground: Ground) -> Ground:
    """Leave out pieces that are nowhere wider than what snapping moves: nobody drew those; all, if there are no others."""
    kept = Ground(*(_wide(piece) for piece in (ground.gained, ground.lost, ground.moved)))
    is_all_thin = all(piece.is_empty for piece in (kept.gained, kept.lost, kept.moved))
    return ground if is_all_thin else kept


def _wide(piece: shapely.Geometry) -> shapely.Geometry:
    parts = shapely.get_parts(piece)
    return shapely.MultiPolygon(list(parts[width_m(parts) > SNAP_TOLERANCE_M])) if len(parts) else piece


def _land(geometry: shapely.Geometry) -> shapely.Geometry:
    parts = shapely.get_parts(geometry)
    return shapely.MultiPolygon(list(parts[(shapely.get_type_id(parts) == _POLYGON) & ~shapely.is_empty(parts)]))


def overlay(
    frame: Frame,
    around: Mapping[str, tuple[str, shapely.Geometry]],
    sides: Sequence[Side],
    ground: Ground,
    *,
    chosen: str = "",
    marks: Sequence[tuple[float, float, str]] = (),
) -> Sheet:
    """Draw before and after over each other: old edges dashed, new edges solid, gained and lost ground hatched.

    Parameters
    ----------
    frame : Frame
        What the sheet shows.
    around : mapping
        By code, name and shape of places that do not change.
    sides : sequence of Side
        Places that do.
    ground : Ground
        What is gained, lost or moved.
    chosen : str
        The place whose gain and loss this is, if it is that of one.
    marks : sequence of tuple
        Longitude, latitude and number of tasks.
    """
    shapes = [Shape(frame.path(shape), "around", name) for name, shape in around.values()]
    shapes += [Shape(frame.path(s.after), _over("touched", s), s.name) for s in sides if s.after is not None]
    pieces = (("moved", ground.moved), ("lost", ground.lost), ("gained", ground.gained))
    shapes += [Shape(frame.path(shape), kind) for kind, shape in pieces if not shapely.is_empty(shape)]
    focus = [side for side in sides if side.code == chosen] or list(sides)
    others = [side for side in sides if side not in focus]
    shapes += [Shape(frame.path(s.after), "edge-other") for s in others if s.after is not None]
    shapes += [Shape(frame.path(s.before), "edge-before") for s in focus if s.before is not None]
    shapes += [Shape(frame.path(s.after), "edge-after") for s in focus if s.after is not None]
    shapes += [Shape(frame.line_path(s.disputed), "disputed") for s in focus if s.disputed is not None]
    signs = [*_signs(frame, ground), *_numbers(frame, marks)]
    labels = [*signs, *_names(frame, around, sides, is_after=True, taken=[(s.x, s.y, 22.0) for s in signs])]
    return sheet_of(frame, shapes, labels)


def one_side(
    frame: Frame,
    around: Mapping[str, tuple[str, shapely.Geometry]],
    sides: Sequence[Side],
    *,
    is_after: bool,
) -> Sheet:
    """Draw the places that change as they are, or as they would be."""
    sides = [side for side in sides if (side.after if is_after else side.before) is not None]
    shapes = [Shape(frame.path(shape), "around", name) for name, shape in around.values()]
    present = [(s, s.after if is_after else s.before) for s in sides]
    there = [(s, shape) for s, shape in present if shape is not None]
    there.sort(key=lambda pair: pair[0].is_settlement)
    shapes += [Shape(frame.path(shape), _over("whole", s), s.name) for s, shape in there]
    shapes += [Shape(frame.line_path(s.disputed), "disputed") for s, _ in there if is_after and s.disputed is not None]
    return sheet_of(frame, shapes, _names(frame, around, sides, is_after=is_after))


def _over(css: str, side: Side) -> str:
    """Let what lies below a settlement be seen: it does not take its ground from a neighbourhood."""
    return f"{css} over" if side.is_settlement else css


def _signs(frame: Frame, ground: Ground) -> list[Label]:
    """Put + and − on the largest pieces: they say what the colour says."""
    found = []
    for sign, css, shape in (("+", "sign gained", ground.gained), ("−", "sign lost", ground.lost)):
        parts = shapely.get_parts(shape)
        for part in parts[np.argsort(-shapely.area(parts))][:3]:
            spot = frame.inside(part)
            if spot is not None:
                found.append(Label(spot[0], spot[1], sign, css, is_mark=True))
    return found


def _names(
    frame: Frame,
    around: Mapping[str, tuple[str, shapely.Geometry]],
    sides: Sequence[Side],
    *,
    is_after: bool,
    taken: Sequence[tuple[float, float, float]] = (),
) -> list[Label]:
    """Write the names of places that change, and of those around where there is room, with nothing over anything else."""
    found: list[Label] = []
    taken = list(taken)
    for side in sides:
        shape = _kept(side) if is_after else side.before
        spot = frame.inside(shape) if shape is not None else None
        if spot is not None:
            is_gone = is_after and side.after is None
            text = f"({side.name})" if is_gone else side.name
            found.append(Label(spot[0], _clear(spot, taken), text, "name gone" if is_gone else "name"))
            taken.append((spot[0], found[-1].y, _half(side.name)))
    for name, shape in around.values():
        spot = frame.inside(shape)
        half = _half(name)
        if spot is None or spot[2] < 0.5 * half or not 1.3 * half < spot[0] < WIDTH - 1.3 * half:
            continue
        is_free = all(abs(spot[1] - y) > 40 or abs(spot[0] - x) > 1.2 * (other + half) for x, y, other in taken)
        if is_free:
            found.append(Label(spot[0], spot[1], name, "name aside"))
            taken.append((spot[0], spot[1], half))
    return found


def _kept(side: Side) -> shapely.Geometry | None:
    """Return the ground on which a place is named: what it keeps, if that is much of it, else all it will be, or was."""
    if side.before is None or side.after is None:
        return side.before if side.after is None else side.after
    kept = _land(shapely.intersection(side.before, side.after))
    return kept if kept.area > 0.3 * side.after.area else side.after


def _half(name: str) -> float:
    """Return about half the width of a name on a sheet."""
    return 7.0 * len(name) + 10


def _clear(spot: tuple[float, float, float], taken: Sequence[tuple[float, float, float]]) -> float:
    """Return a height near the spot at which no other name stands."""
    x, y, _radius = spot
    for step in (0.0, 36.0, -36.0, 72.0, -72.0):
        if all(abs(y + step - other_y) > 32 or abs(x - other_x) > half + 80 for other_x, other_y, half in taken):
            return y + step
    return y


def _numbers(frame: Frame, marks: Iterable[tuple[float, float, str]]) -> list[Label]:
    """Put the numbers of tasks where they are."""
    found = []
    for lon, lat, text in marks:
        x, y = frame.point(lon, lat)
        found.append(Label(x, y, text, "mark", is_mark=True))
    return found


__all__ = [
    "Ground",
    "Label",
    "ScaleBar",
    "Shape",
    "Sheet",
    "Side",
    "ground_of",
    "one_side",
    "overlay",
    "sheet_of",
    "visible",
]
