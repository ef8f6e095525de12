"""What OpenStreetMap's tags say about a road, as attributes of the street graph."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from analysis.core.streets import Roads

_YES: Final = frozenset({"yes", "true", "1"})
_CLOSED: Final = frozenset({"no", "private", "agricultural", "forestry", "military", "customers", "delivery"})
_OPEN: Final = frozenset({"yes", "designated", "permissive", "destination"})

#: Ways that nobody can use yet or any more, or that are no ways for people.
_NO_STREETS: Final = frozenset({"proposed", "construction", "abandoned", "razed", "platform", "raceway", "corridor"})
_NOT_ON_FOOT: Final = frozenset({"motorway", "motorway_link"})


def roads_of_osm(tags: Sequence[Mapping[str, str]]) -> Roads:
    """Read the tags of ways.

    Parameters
    ----------
    tags
        For each line, its tags by key.

    Returns
    -------
    Roads
        A building passage is no tunnel: it is entered from the street. ``motorway`` and roundabouts are one-way where
        nothing else is said. People may walk wherever ``foot``, ``access`` and ``motorroad`` do not forbid it, but
        not on motorways.

    Examples
    --------
    >>> roads = roads_of_osm([{"highway": "steps"}, {"highway": "trunk", "oneway": "-1", "bridge": "yes", "layer": "1"}])
    >>> roads.is_stairs.tolist(), roads.oneway.tolist(), roads.is_bridge.tolist(), roads.level.tolist()
    ([True, False], [0, -1], [False, True], [0.0, 1.0])
    """
    return Roads(
        road_class=np.array([way.get("highway", "") for way in tags], dtype=str),
        oneway=np.array([_oneway(way) for way in tags], dtype=np.int8),
        is_stairs=np.array([way.get("highway") == "steps" for way in tags], dtype=bool),
        is_bridge=np.array([way.get("bridge", "no") != "no" for way in tags], dtype=bool),
        is_tunnel=np.array([way.get("tunnel", "no") not in ("no", "building_passage") for way in tags], dtype=bool),
        level=np.array([_level(way) for way in tags], dtype=np.float64),
        speed_kmh=np.array([_speed_kmh(way) for way in tags], dtype=np.float64),
        may_walk=np.array([_may_walk(way) for way in tags], dtype=bool),
    )


def _oneway(way: Mapping[str, str]) -> int:
    said = way.get("oneway", "")
    if said in ("-1", "reverse"):
        return -1
    if said:
        return int(said in _YES)
    return int(way.get("highway") == "motorway" or way.get("junction") in ("roundabout", "circular"))


def _level(way: Mapping[str, str]) -> float:
    try:
        level = float(way.get("layer", "0"))
    except ValueError:
        return 0.0
    return level if np.isfinite(level) else 0.0


def _speed_kmh(way: Mapping[str, str]) -> float:
    """Read ``maxspeed``: km/h where nothing is said; NaN where it is no number."""
    number, _, unit = way.get("maxspeed", "").strip().partition(" ")
    try:
        speed = float(number) * (1.609344 if unit == "mph" else 1.0)
    except ValueError:
        return float("nan")
    return speed if np.isfinite(speed) and speed > 0 else float("nan")


def _may_walk(way: Mapping[str, str]) -> bool:
    if way.get("highway") in _NO_STREETS:
        return False
    said = way.get("foot", "")
    if said in _OPEN:
        return True
    if said in _CLOSED or said == "use_sidepath" or way.get("motorroad") == "yes":
        return False
    return way.get("access", "") not in _CLOSED and way.get("highway") not in _NOT_ON_FOOT
