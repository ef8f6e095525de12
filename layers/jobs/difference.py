"""What a file would change in a layer, estimated before it is stored: by the names of things and where they lie."""

from __future__ import annotations

import re
from typing import Any, Final

import shapely
from django.contrib.gis.db.models.functions import Envelope
from django.db.models import FloatField, Func
from django.db.models.fields.json import KeyTextTransform

from geo.core.text import normalise
from layers.models import Feature, Layer
from layers.reading import Rows

MOST_ROWS: Final = 300_000
"""Above this it would take longer than anybody waits; storing says it exactly."""
_MOVED_DEGREES: Final = 1e-5
"""About a metre."""
_EXAMPLES: Final = 20


Places = dict[str, tuple[float, float]]


class _Of(Func):
    output_field = FloatField()


class Things:
    """The things of a file by what tells them apart, and where they lie, gathered while it is read."""

    def __init__(self, key_field: str) -> None:
        self._key_field = key_field
        self._keys: list[str] = []
        self._x: list[float] = []
        self._y: list[float] = []
        self.n_rows = 0

    def add(self, rows: Rows) -> None:
        """Take the next rows."""
        self.n_rows += len(rows)
        if self.n_rows > MOST_ROWS:
            return
        values = rows.columns.get(self._key_field, [None] * len(rows)) if self._key_field else rows.names
        self._keys += ["" if value is None else str(value) for value in values]
        boxes = shapely.bounds(rows.geometries_4326)
        self._x += boxes[:, 0].tolist()
        self._y += boxes[:, 1].tolist()

    def places(self) -> Places | None:
        """Give the place of each; None where they cannot be told apart."""
        return _told_apart(self._keys, self._x, self._y)


def difference_estimated(layer: Layer, things: Things) -> dict[str, Any]:
    """Say what of a file is new, gone or elsewhere against the newest release of its layer.

    Things are told apart by the layer's key field, else by name; where neither tells them apart, only numbers are given.

    Returns
    -------
    dict
        ``is_first``, or ``release``, ``rows_before``, ``rows_now``, and, where things can be told apart, ``added``,
        ``removed``, ``moved`` with up to 20 examples each. Always ``is_estimate``.
    """
    newest = layer.releases.order_by("-number").first()
    if newest is None:
        return {"is_estimate": True, "is_first": True, "rows_now": things.n_rows}
    said: dict[str, Any] = {
        "is_estimate": True,
        "is_first": False,
        "release": newest.number,
        "rows_before": newest.row_count,
        "rows_now": things.n_rows,
    }
    if max(newest.row_count, things.n_rows) > MOST_ROWS:
        return said
    now = things.places()
    before = _places_before(newest, layer.key_field) if now is not None else None
    if now is None or before is None:
        return said
    added = [key for key in now if key not in before]
    removed = [key for key in before if key not in now]
    moved = [key for key, at in now.items() if key in before and _is_elsewhere(at, before[key])]
    for name, keys in (("added", added), ("removed", removed), ("moved", moved)):
        there = before if name == "removed" else now
        said[name] = {
            "count": len(keys),
            "examples": [
                {"name": key, "lon": round(there[key][0], 6), "lat": round(there[key][1], 6)}
                for key in sorted(keys, key=_in_order)[:_EXAMPLES]
            ],
        }
    return said


def _in_order(key: str) -> list[tuple[int, str]]:
    """Return what sorts names as people do: numbers in them by their size."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"([0-9]+)", key)]


def _is_elsewhere(now: tuple[float, float], before: tuple[float, float]) -> bool:
    return max(abs(now[0] - before[0]), abs(now[1] - before[1])) > _MOVED_DEGREES


def _places_before(release: Any, key_field: str) -> Places | None:
    west = _Of(Envelope("geometry"), function="ST_XMin")
    south = _Of(Envelope("geometry"), function="ST_YMin")
    rows = Feature.objects.of(release).order_by().annotate(_west=west, _south=south)
    if key_field:
        rows = rows.annotate(_key=KeyTextTransform(key_field, "attributes"))
    found = list(rows.values_list("_key" if key_field else "name", "_west", "_south"))
    return _told_apart([key or "" for key, _, _ in found], [x for _, x, _ in found], [y for _, _, y in found])


def _told_apart(keys: list[str], x: Any, y: Any) -> Places | None:
    """Give the place of each thing by its key; None where keys are missing or stand for several."""
    plain = [normalise(key) for key in keys]
    if "" in plain or len(set(plain)) != len(plain):
        return None
    return {key: (float(a), float(b)) for key, a, b in zip(plain, x, y, strict=True)}
