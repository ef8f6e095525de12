"""What a person does to a partition: intentions that can be carried out again on what has changed meanwhile."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import shapely

from geo.core.noding import rounded
from geo.core.partition import Partition, merge, split, vertex_add, vertex_move
from geo.errors import GeometryError, MahallehError

_SAME_DEG = 3e-7
"""A vertex put into an edge bends it by a rounding: nothing that a person drew."""


@dataclass(frozen=True, slots=True)
class Intention:
    """An edit as a person means it: by places and by points, not by numbers of arcs.

    Attributes
    ----------
    kind
        ``move``, ``split`` or ``merge``.
    codes
        The places meant: two for a move of their edge and for a merge, one for a split.
    points
        Of a move, from and to; of a split, the line.
    new_code
        Of a split.
    """

    kind: str
    codes: tuple[str, ...]
    points: tuple[tuple[float, float], ...] = ()
    new_code: str = ""

    def done(self, partition: Partition) -> Partition:
        """Carry it out.

        Raises
        ------
        MahallehError
            Where it cannot be done to this partition.
        """
        for code in self.codes:
            if code not in partition.faces:
                raise GeometryError(f"{code} is not there any more.", where=code)
        if self.kind == "split":
            return split(partition, self.codes[0], self.points, self.new_code)
        if self.kind == "merge":
            return merge(partition, *self.codes)
        return self._moved(partition)

    def _moved(self, partition: Partition) -> Partition:
        start, end = np.array(self.points)
        shared = [i for i, users in enumerate(partition.users) if set(self.codes) <= set(users)]
        if not shared:
            raise GeometryError("The places share no edge any more.", where=self.codes[0])
        arc = min(shared, key=lambda i: float(np.hypot(*(partition.arcs[i] - start).T).min()))
        line = partition.arcs[arc]
        if len(line) == 2:  # nothing but nodes: the edge is bent
            return vertex_add(partition, arc, 1, line.mean(axis=0) + (end - start))
        index = 1 + int(np.hypot(*(line[1:-1] - start).T).argmin())
        return vertex_move(partition, arc, index, line[index] + (end - start))

    def from_codes(self, code: str) -> tuple[str, ...]:
        """Return where a place has its ground from."""
        if self.kind == "split" and code == self.new_code:
            return self.codes
        if self.kind == "merge" and code == self.codes[0]:
            return self.codes[1:]
        return ()


def changed(before: Partition, after: Partition) -> list[str]:
    """Return the places that are new, gone, or of another shape."""
    old, new = before.polygons, after.polygons
    codes = sorted((old.keys() | new.keys()) - (old.keys() & new.keys()))
    both = [code for code in old if code in new and old[code] is not new[code]]
    a, b = (np.array([shapes[code] for code in both], dtype=object) for shapes in (old, new))
    is_other = ~shapely.equals_exact(shapely.normalize(a), shapely.normalize(b)) if both else []
    codes += [code for code, other in zip(both, is_other, strict=True) if other and not _is_same(old[code], new[code])]
    return codes


def _is_same(a: shapely.Geometry, b: shapely.Geometry) -> bool:
    return bool(shapely.hausdorff_distance(a.boundary, b.boundary) < _SAME_DEG)


def intention(partition: Partition, near: list[str], rng: random.Random, new_code: str) -> Intention | None:
    """Think of an edit among some places; None where nothing comes to mind."""
    here = [code for code in near if code in partition.faces]
    if not here:
        return None
    kind = rng.choices(("move", "split", "merge"), (70, 15, 15))[0]
    code = rng.choice(here)
    if kind == "split":
        west, south, east, north = partition.polygons[code].bounds
        y = [south + (north - south) * rng.uniform(0.35, 0.65) for _ in range(2)]
        width = east - west
        return Intention("split", (code,), ((west - width / 10, y[0]), (east + width / 10, y[1])), new_code)
    edges = [
        i for i, users in enumerate(partition.users) if len(users) == 2 and code in users and set(users) <= set(here)
    ]
    if not edges:
        return None
    arc = rng.choice(edges)
    a, b = partition.users[arc]
    if kind == "merge":
        return Intention("merge", (a, b))
    line = partition.arcs[arc]
    at = line[rng.randrange(len(line))]
    # Some metres to a side, as far as places of this size bear.
    reach = 0.08 * float(np.sqrt(min(partition.polygons[c].area for c in (a, b))))
    step = rounded((rng.uniform(-reach, reach), rng.uniform(-reach, reach)))
    return Intention("move", (a, b), (tuple(at.tolist()), tuple((at + step).tolist())))


def attempted(partition: Partition, meant: Intention) -> Partition | None:
    """Carry an intention out, or return None where the places do not allow it."""
    try:
        return meant.done(partition)
    except MahallehError:
        return None
