"""geopandas as a peer: read from the same database, project, buffer, dissolve, overlay; every step vectorised."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import shapely
from django.db import connection
from exactextract import exact_extract

from tests.benchmarks.question import Asked

PLACES = "SELECT id, geometry FROM geo_boundary WHERE id = ANY(%(editions)s)"
FEATURES = "SELECT release_id, geometry FROM layers_feature WHERE release_id = ANY(%(releases)s)"
_COLLECTION = 7
SEGMENTS = 8
"""Straight pieces per quarter circle, as PostGIS has by default; geopandas itself would take 16."""


def read(sql: str, asked: Asked) -> geopandas.GeoDataFrame:
    """Read a table of geometries, in metres."""
    connection.ensure_connection()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # pandas would like SQLAlchemy, which changes nothing
        frame = geopandas.read_postgis(
            sql, connection.connection, geom_col="geometry", crs=4326, params=asked.parameters()
        )
    return frame.to_crs(asked.epsg)


def tables(asked: Asked) -> tuple[geopandas.GeoDataFrame, geopandas.GeoDataFrame]:
    """Read places and features."""
    return read(PLACES, asked), read(FEATURES, asked)


def reach(features: geopandas.GeoDataFrame, asked: Asked) -> geopandas.GeoDataFrame:
    """Buffer every feature by its service's threshold, and dissolve by service."""
    threshold_m = {release: threshold for _, release, threshold in asked.services}
    distances = features["release_id"].map(threshold_m).to_numpy()
    buffers = features.set_geometry(features.geometry.buffer(distances, quad_segs=SEGMENTS))
    return buffers.dissolve("release_id").reset_index()


def shares_by_overlay(places: geopandas.GeoDataFrame, features: geopandas.GeoDataFrame, asked: Asked) -> np.ndarray:
    """Compute coverage by `geopandas.overlay`, the way its manual shows."""
    pieces = geopandas.overlay(places, reach(features, asked), how="intersection", keep_geom_type=True)
    area = pieces.assign(area=pieces.area).pivot_table(index="id", columns="release_id", values="area", aggfunc="sum")
    area = area.reindex(index=list(asked.editions), columns=[r for _, r, _ in asked.services]).fillna(0.0)
    whole = places.set_index("id").area.reindex(list(asked.editions))
    return np.asarray(area.to_numpy() / whole.to_numpy()[:, None])


def shares_by_arrays(places: geopandas.GeoDataFrame, features: geopandas.GeoDataFrame, asked: Asked) -> np.ndarray:
    """Compute coverage by one vectorised intersection a service: faster than `overlay`, as it builds no tables."""
    shapes, pieces = _pieces(places, features, asked)
    return np.asarray(shapely.area(pieces).T / shapely.area(shapes)[:, None])


def _pieces(
    places: geopandas.GeoDataFrame, features: geopandas.GeoDataFrame, asked: Asked
) -> tuple[np.ndarray, np.ndarray]:
    """Return the places, and of each service (first axis) what it reaches of each place."""
    united = reach(features, asked).set_index("release_id").geometry
    shapes = np.asarray(places.set_index("id").geometry.reindex(list(asked.editions)))
    pieces = np.full((len(asked.services), len(shapes)), shapely.Polygon(), dtype=object)
    for k, (_, release, _) in enumerate(asked.services):
        if release in united.index:
            pieces[k] = shapely.intersection(shapes, united[release])
    return shapes, pieces


def area_and_people_shares(asked: Asked, people: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the shares of land and of people as tables of places × services, from the database and a raster on.

    The people of what is reached are counted by exactextract, the fastest tool that counts them by exact shares of pixels.
    """
    shapes, pieces = _pieces(*tables(asked), asked)
    area = shapely.area(pieces)
    # Only polygons can be asked about; where a place and a reach touch besides, there are lines and points too.
    mixed = shapely.get_type_id(pieces) == _COLLECTION
    pieces[mixed] = shapely.buffer(pieces[mixed], 0)
    living = np.zeros(area.shape)
    living[area > 0] = _people(pieces[area > 0], asked, people)
    return area.T / shapely.area(shapes)[:, None], _of_places(living.T, _people(shapes, asked, people))


def _people(shapes: np.ndarray, asked: Asked, people: Path) -> np.ndarray:
    frame = geopandas.GeoDataFrame(geometry=shapes, crs=asked.epsg)
    return np.asarray(exact_extract(people, frame, ["sum"], output="pandas")["sum"], dtype=float)


def _of_places(living: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return shares of places; NaN of those without people."""
    shares = np.full(living.shape, np.nan)
    np.divide(living, whole[:, None], out=shares, where=whole[:, None] > 0)
    return shares


METHODS: dict[str, Any] = {"overlay": shares_by_overlay, "arrays": shares_by_arrays}


def area_shares(name: str, asked: Asked) -> np.ndarray:
    """Return coverage as a table of places × services, from the database on."""
    return np.asarray(METHODS[name](*tables(asked), asked))
