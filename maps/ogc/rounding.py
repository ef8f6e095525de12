"""Boundaries that come back rounded: a vertex that was only rounded on its way is the vertex it was.

QGIS writes the coordinates of a feature it replaces with six decimals, whatever it read. In degrees that moves every vertex
by up to some centimetres, also of a feature of which an attribute alone was changed, and neighbours would no longer meet.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely
from scipy.spatial import cKDTree

DECIMALS: Final = 6
_ROUNDED_DEG: Final = 0.5 * 10.0**-DECIMALS * (1 + 1e-6)
_PROJECTED_DEG: Final = 1e-9
"""What projecting there and back, and the sixth decimal of a metre, can amount to: a tenth of a millimetre."""


def unrounded(geometry: shapely.Geometry, before: shapely.Geometry) -> shapely.Geometry:
    """Return a geometry with those vertices as they were that differ from the ones before by rounding alone.

    Parameters
    ----------
    geometry, before : shapely.Geometry
        As sent, and as it was read; longitude and latitude.

    Returns
    -------
    shapely.Geometry
        What was there before, if all of it differs by rounding alone.

    Examples
    --------
    >>> before = shapely.Polygon([(48.123456789, 33), (48.2, 33), (48.2, 33.1)])
    >>> sent = shapely.Polygon([(48.123457, 33), (48.2, 33), (48.2, 33.2)])
    >>> unrounded(sent, before).exterior.coords[0]
    (48.123456789, 33.0)
    """
    old, new = shapely.get_coordinates(before), shapely.get_coordinates(geometry)
    if not len(new) or not len(old) or not np.isfinite(new).all():
        return geometry
    reach = _ROUNDED_DEG if np.array_equal(new, np.round(new, DECIMALS)) else _PROJECTED_DEG
    parts_old, parts_new = (
        [len(shapely.get_coordinates(ring)) for ring in shapely.get_rings(shapely.get_parts(shape))]
        for shape in (before, geometry)
    )
    if parts_old == parts_new and (np.abs(old - new) <= reach).all():
        return before
    distance, index = cKDTree(old).query(new, p=np.inf, distance_upper_bound=np.nextafter(reach, np.inf))
    found = np.isfinite(distance)
    if not found.any():
        return geometry
    moved = new.copy()
    moved[found] = old[index[found]]
    return shapely.set_coordinates(shapely.from_wkb(shapely.to_wkb(geometry)), moved)
