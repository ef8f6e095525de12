"""In which other ways a file's coordinates could be read, so that they lie in the city they are brought for.

A file that says nothing of its reference system, or something wrong, mostly holds one of a few things: degrees, the
city's UTM zone or its neighbour, web Mercator; x and y exchanged; feet for metres. Each is tried on a sample.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from pyproj import CRS

from geo.core.crs import STORAGE_EPSG, TILE_EPSG, utm_epsg
from layers.reading.plan import Candidate
from layers.reading.projection import Bounds, Floats, Reference, padded, within

FOOT_M: Final = 0.3048
_LEAST_SHARE: Final = 0.9
_SAMPLE: Final = 2_000
_POINTS: Final = 100
_DECIMALS: Final = 5  # about a metre


def candidates(
    xy: Floats, near: Bounds | None, *, besides: Sequence[str] = (), least: float = _LEAST_SHARE
) -> tuple[Candidate, ...]:
    """Find the ways of reading coordinates that put them into a city.

    Parameters
    ----------
    xy
        Coordinates as in the file, shape ``(n, 2)``; a sample is enough.
    near
        Bounds of the city, degrees.
    besides
        Labels of candidates not to try.
    least
        Share of the coordinates that must lie in the city's bounds, or around them.

    Returns
    -------
    tuple of Candidate
        The simplest first: as they are, exchanged, in feet; of each degrees, the city's UTM zone, web Mercator.

    Examples
    --------
    >>> from layers.reading.candidates import candidates
    >>> import numpy as np
    >>> [c.label for c in candidates(np.array([[33.5, 48.4]]), (48.2, 33.3, 48.5, 33.6))]
    ['EPSG:4326, x and y exchanged']
    """
    if near is None or not len(xy):
        return ()
    sample = xy[:: max(1, len(xy) // _SAMPLE)]
    around = padded(near)
    found = []
    for epsg, swap, scale in _ways(near):
        label = f"EPSG:{epsg}" + (", x and y exchanged" if swap else "") + (", in feet" if scale != 1 else "")
        if label in besides or (epsg == STORAGE_EPSG) != bool(np.abs(sample).max() <= 180):
            continue
        lon_lat = _reference(epsg).to_lon_lat((sample[:, ::-1] if swap else sample) * scale)
        share = float(within(lon_lat, around).mean())
        if share >= least:
            candidate = Candidate(epsg, swap, scale, round(share, 4), label, some_points(lon_lat))
            found.append((candidate, float(within(lon_lat, near).mean())))
    # Of two that put all of it around the city, the one that puts more of it inside; among equals, the simplest.
    return tuple(candidate for candidate, _ in sorted(found, key=lambda pair: -round(pair[1], 2)))


def some_points(lon_lat: Floats) -> tuple[tuple[float, float], ...]:
    """Give not more than 100 points, spread over all of them; those that have no place are left out.

    Examples
    --------
    >>> from layers.reading.candidates import some_points
    >>> import numpy as np
    >>> some_points(np.array([[48.3, 33.4], [np.inf, 0]]))
    ((48.3, 33.4),)
    """
    shown = np.round(lon_lat[np.isfinite(lon_lat).all(axis=1)], _DECIMALS)
    return tuple((x, y) for x, y in shown[:: -(-len(shown) // _POINTS) or 1].tolist())


def suggested_epsg(xy: Floats, near: Bounds | None, *, besides: Sequence[str] = ()) -> int | None:
    """Find a reference system in which most coordinates would lie near a city as they stand; None if none is found."""
    found = candidates(xy, near, besides=besides, least=0.5)
    return next((c.epsg for c in found if not c.swap_xy and c.scale == 1), None)


def _ways(near: Bounds) -> Iterator[tuple[int, bool, float]]:
    west, south, east, north = near
    lon, lat = (west + east) / 2, (south + north) / 2
    zones = [utm_epsg(((lon + shift + 180) % 360) - 180, lat) for shift in (0, -6, 6)]
    for scale in (1.0, FOOT_M):
        for swap in (False, True):
            for epsg in (STORAGE_EPSG, *zones, TILE_EPSG):
                if scale == 1 or epsg != STORAGE_EPSG:
                    yield epsg, swap, scale


def _reference(epsg: int) -> Reference:
    return Reference(CRS.from_epsg(epsg), f"EPSG:{epsg}")
