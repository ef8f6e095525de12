"""What the fields of any layer of roads say, as attributes of the street graph."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import numpy as np

from analysis.core.streets import Roads

_YES: Final = frozenset({
    "yes", "true", "t", "1", "1.0", "y", "بله", "بلی",
    # Kinds of bridges and tunnels, as OpenStreetMap names them.
    "viaduct", "boardwalk", "cantilever", "covered", "movable", "trestle", "aqueduct", "culvert", "avalanche_protector",
})  # fmt: skip
_AGAINST: Final = frozenset({"-1", "-1.0", "reverse", "t"})
_ALONG: Final = frozenset({"1", "1.0", "yes", "true", "y", "f", "بله", "بلی"})


def roads_of_fields(columns: Mapping[str, Sequence[str | None]], n: int, closed_classes: Collection[str] = ()) -> Roads:
    """Read fields of roads.

    Parameters
    ----------
    columns
        Values as text by what they tell: ``class``, ``oneway``, ``stairs``, ``bridge``, ``tunnel``, ``level``, ``speed``
        (km/h). What is left out is as `Roads` has it.
    n
        Number of lines.
    closed_classes
        Classes that nobody walks on.

    Returns
    -------
    Roads
        A road whose class is ``steps`` is stairs. One-way is ``1`` or ``yes`` along the line and ``-1`` against it, or as
        in many files ``F`` along, ``T`` against, ``B`` both ways. A speed or level that is no number is not known.

    Examples
    --------
    >>> roads = roads_of_fields({"class": ["lane", "steps"], "oneway": ["F", None]}, 2, closed_classes=["lane"])
    >>> roads.is_stairs.tolist(), roads.oneway.tolist(), roads.may_walk.tolist()
    ([False, True], [1, 0], [False, True])
    """

    def texts(name: str) -> list[str]:
        return [(value or "").strip() for value in columns.get(name, [""] * n)]

    def flags(name: str) -> list[bool]:
        return [value.casefold() in _YES for value in texts(name)]

    classes = texts("class")
    ways = [value.casefold() for value in texts("oneway")]
    closed = frozenset(closed_classes)
    speeds = np.array([_number(value) for value in texts("speed")])
    levels = np.array([_number(value) for value in texts("level")])
    return Roads(
        road_class=np.array(classes, dtype=str),
        oneway=np.array([-1 if way in _AGAINST else int(way in _ALONG) for way in ways], dtype=np.int8),
        is_stairs=np.array([a or b == "steps" for a, b in zip(flags("stairs"), classes, strict=True)], dtype=bool),
        is_bridge=np.array(flags("bridge"), dtype=bool),
        is_tunnel=np.array(flags("tunnel"), dtype=bool),
        level=np.where(np.isnan(levels), 0.0, levels),
        speed_kmh=np.where(speeds > 0, speeds, np.nan),
        may_walk=np.array([name not in closed for name in classes], dtype=bool),
    )


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return np.nan
    return value if np.isfinite(value) else np.nan
