"""Checks of place: coordinates are where their system says, near the city, and not torn at the 180th meridian."""

from typing import Final

import numpy as np
import shapely

from layers.reading.candidates import candidates, suggested_epsg
from layers.reading.examination import Examination, Indices, Mask
from layers.reading.plan import Candidate
from layers.reading.projection import Bounds, Floats, padded, within
from layers.reading.wording import option

# Beyond this a projected system is used far outside the area it was made for (a UTM zone is 6° wide).
_STRAY_DEGREES: Final = 12.0
# A line or area that touches 0, 0 is stray only if the rest of it is this far away.
_NULL_ISLAND_DEGREES: Final = 5.0
_HALF_GLOBE_DEGREES: Final = 180.0
_SAMPLE: Final = 2_000
_SAMPLED_BATCHES: Final = 8


def check_null_island(rows: Examination) -> None:
    """Find coordinates of exactly (0, 0), which stand for a missing place."""
    zero = (rows.xy[:, 0] == 0) & (rows.xy[:, 1] == 0)
    indices = rows.owners_of(zero)
    if len(indices) and rows.kind != "point":
        # Only degrees are compared here; a plane with its origin at a corner of the work is in order.
        extent = shapely.bounds(rows.geometries[indices])
        width = np.maximum(extent[:, 2] - extent[:, 0], extent[:, 3] - extent[:, 1])
        indices = indices[(width > _NULL_ISLAND_DEGREES) & rows.rules.reference.is_geographic]
    rows.report(
        "error", "null_island", indices,
        lambda _: (
            "A coordinate is exactly (0, 0): a missing place written as a number.",
            "Give the true coordinates, or delete the row.",
        ),
        placed=False,
    )  # fmt: skip


def place(rows: Examination) -> None:
    """Bring the rows to longitude and latitude, finding those that cannot be where their reference system says."""
    rows.sample = rows.xy[:: max(1, len(rows.xy) // _SAMPLE)]
    if not len(rows.xy):
        return
    if len(rows.seen.samples) < _SAMPLED_BATCHES:
        rows.seen.samples.append(rows.sample.copy())
    xy = rows.xy
    outside: Mask
    if rows.rules.reference.is_geographic:
        outside = np.asarray((np.abs(xy[:, 0]) > 180) | (np.abs(xy[:, 1]) > 90))
    else:
        # A plane in metres that is 360 m wide around its own origin: degrees under a wrong name.
        outside = np.full(len(xy), bool(np.all(np.abs(xy) <= (180, 90))))
    _misplaced(rows, outside)
    lon_lat = rows.rules.reference.to_lon_lat(rows.xy)
    if lon_lat is rows.xy:
        return
    _misplaced(rows, np.asarray(~np.isfinite(lon_lat).all(axis=1)))
    good = rows.good_indices()
    if not len(good):
        return
    lon_lat = rows.rules.reference.to_lon_lat(rows.xy) if len(lon_lat) != len(rows.xy) else lon_lat
    rows.geometries[good] = shapely.set_coordinates(rows.geometries[good], lon_lat)
    rows.xy = lon_lat
    _stray(rows)


def _misplaced(rows: Examination, outside: Mask) -> None:
    """Report coordinates that cannot be what the reference system says."""
    indices = rows.owners_of(outside)
    if not len(indices):
        return
    first = int(np.flatnonzero(outside)[0])
    x, y = rows.xy[first]
    label = rows.rules.reference.label
    remedy = _reference_remedy(rows, rows.xy[outside])
    n_good = int(rows.good.sum())
    if len(indices) > n_good / 2:
        said = f"lie outside the range of {label}; the first has ({x:.10g}, {y:.10g})."
        rows.report_whole("wrong_crs", indices, n_good, lambda which: (f"{which} {said}", remedy))
        return
    places = np.flatnonzero(outside)
    owners, position = np.unique(rows.owner[places], return_index=True)
    sight = {int(o): rows.xy[places[p]] for o, p in zip(owners, position, strict=True)}
    rows.report(
        "error", "out_of_range", indices,
        lambda index: (f"({sight[index][0]:.10g}, {sight[index][1]:.10g}) is outside the range of {label}.", remedy),
        placed=False,
    )  # fmt: skip


def _reference_remedy(rows: Examination, xy: Floats) -> str:
    reference = rows.rules.reference
    fitting = suggested_epsg(xy[:_SAMPLE], rows.rules.near, besides=(reference.label,))
    if fitting is not None:
        return f"In EPSG:{fitting} they would lie near the city: read the file with {option('source_epsg', fitting)}."
    largest = float(np.abs(xy).max())
    if not reference.is_geographic:
        return f"These look like degrees: read the file with {option('source_epsg', 4326)}."
    if largest <= 180 and bool((np.abs(xy[:, 0]) <= 90).all()):
        return "Longitude and latitude seem to be exchanged; x is the longitude."
    if largest > 1000:
        return f"These look like metres: name their system with {option('source_epsg')}, for UTM zone 39N {option('source_epsg', 32639)}."
    return "Longitudes go from -180 to 180 and latitudes from -90 to 90; correct the row."


def _stray(rows: Examination) -> None:
    area = rows.rules.reference.area_of_use
    if rows.rules.reference.is_geographic or area is None:
        return
    west, south, east, north = area
    d = _STRAY_DEGREES
    good = rows.good_indices()
    stray = good[_away(rows, good, (west - d, south - d, east + d, north + d))]
    if not len(stray):
        return
    label = rows.rules.reference.label
    name = rows.rules.reference.crs.name
    remedy = f"Check the reference system; another one is named with {option('source_epsg')}."
    fitting = suggested_epsg(rows.sample, rows.rules.near, besides=(label,))
    if fitting is not None:
        remedy = f"In EPSG:{fitting} they would lie near the city: read the file with {option('source_epsg', fitting)}."
    if len(stray) == len(good):
        said = f"lie far outside the area {label} ({name}) is made for."
        rows.report_whole("wrong_crs", stray, len(good), lambda which: (f"{which} {said}", remedy))
    else:
        rows.report("warning", "far_from_crs_area", stray, lambda _: (f"The row lies far outside {name}.", remedy))


def _away(rows: Examination, indices: Indices, bounds: Bounds) -> Mask:
    west, south, east, north = bounds
    extent = shapely.bounds(rows.geometries[indices])
    return np.asarray((extent[:, 2] < west) | (extent[:, 0] > east) | (extent[:, 3] < south) | (extent[:, 1] > north))


def check_near(rows: Examination) -> None:
    """Find rows far from the city, and those that would be near it with longitude and latitude exchanged."""
    near = rows.rules.near
    good = rows.good_indices()
    rows.seen.n_placed += len(good)
    if near is None or not len(good):
        return
    around = padded(near)
    away = good[_away(rows, good, around)]
    rows.seen.n_away += len(away)
    if not len(away):
        return
    first = rows.xy[np.searchsorted(rows.owner, away)]
    swapped = within(first[:, ::-1], around)
    lon, lat = first[0]
    if len(away) == len(good):
        _all_away(rows, away, float(lon), float(lat), bool(swapped.mean() > 0.5))
        return
    rows.report(
        "error", "swapped_coordinates", away[swapped],
        lambda _: ("Longitude and latitude are exchanged in this row.", "Exchange them back; x is the longitude."),
    )  # fmt: skip
    rows.report(
        "warning", "far_from_city", away[~swapped],
        lambda _: ("The row lies far from the city.", "Check its coordinates; delete it if it is not meant."),
    )  # fmt: skip


def _all_away(rows: Examination, away: Indices, lon: float, lat: float, swapped: bool) -> None:
    where = f"lie far from the city; the first is at {lon:.6g}, {lat:.6g}."
    if swapped:
        rows.report_whole(
            "swapped_coordinates", away, len(away),
            lambda which: (
                f"Longitude and latitude are exchanged. {which} {where}",
                f"Write the longitude first (x), then the latitude (y), or have them exchanged with {option('swap_xy')}.",
            ),
        )  # fmt: skip
        return
    label = rows.rules.reference.label
    better = candidates(rows.sample, rows.rules.near, besides=(label,))
    if better and (better[0].scale != 1 or better[0].swap_xy):
        code = "wrong_unit" if better[0].scale != 1 else "swapped_coordinates"
        what = "The coordinates seem to be in feet." if better[0].scale != 1 else "x and y seem to be exchanged."
        remedy = (
            f"As {better[0].label} they would lie near the city: read the file with {_options_of(better[0], label)}."
        )
        rows.report_whole(code, away, len(away), lambda which: (f"{what} {which} {where}", remedy))
        return
    remedy = (
        f"In EPSG:{better[0].epsg} they would lie near the city: read the file with {option('source_epsg', better[0].epsg)}."
        if better
        else f"Check that it is the right file, and its reference system ({label})."
    )
    rows.report_whole("far_from_city", away, len(away), lambda which: (f"{which} {where}", remedy))


def _options_of(candidate: Candidate, label: str) -> str:
    said = [option("source_epsg", candidate.epsg)] if f"EPSG:{candidate.epsg}" != label else []
    said += [option("swap_xy")] if candidate.swap_xy else []
    said += [option("scale", candidate.scale)] if candidate.scale != 1 else []
    return " and ".join(said)


def check_antimeridian(rows: Examination) -> None:
    """Find geometries that reach around the globe because they were not cut at the 180th meridian."""
    good = rows.good_indices()
    extent = shapely.bounds(rows.geometries[good])
    wide = good[extent[:, 2] - extent[:, 0] > _HALF_GLOBE_DEGREES]
    if not len(wide):
        return
    # Rightly cut at the meridian, a country has parts on both edges of the map, but none across it.
    parts, owner = shapely.get_parts(rows.geometries[wide], return_index=True)
    across = shapely.bounds(parts)
    torn = np.unique(owner[across[:, 2] - across[:, 0] > _HALF_GLOBE_DEGREES])
    rows.report(
        "error", "antimeridian", wide[torn],
        lambda _: (
            "The geometry spans more than 180 degrees of longitude: it crosses the 180th meridian uncut.",
            "Cut it at longitude 180 into a part on either side (ogr2ogr -wrapdateline).",
        ),
    )  # fmt: skip
