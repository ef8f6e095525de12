"""Expressions that draw rows into a tile inside the statement that finds them.

Their SQL stands in ``maps/sql``; Django's compiler fills in the query and its values. What is put in by text (`z`, `x`,
`y`, limits, names of MVT layers) are numbers checked by `TileAddress` and constants of this package, never input.
"""

from __future__ import annotations

from typing import Any, Final

from django.contrib.gis.db.models import GeometryField
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BinaryField, Func, QuerySet, Subquery
from django.db.models.sql.compiler import SQLCompiler

from geo.core.crs import TILE_EPSG
from geo.db.sql import statement
from maps.tiles.address import TileAddress
from maps.tiles.encoding import EXTENT
from maps.tiles.grid import BUFFER

MARGIN: Final = BUFFER / EXTENT

MOST_FEATURES: Final = 10_000
"""The most places a tile may hold."""


class TileGeometry(Func):
    """A Web Mercator geometry drawn into a tile's grid.

    Every vertex is moved to the nearest step of the grid, the same for all, so two places that share a boundary still share it:
    the tile has no gaps where the map has none. What is smaller than a step would vanish; it is drawn one step wide instead.
    What does not touch the tile is NULL.
    """

    output_field = GeometryField(srid=TILE_EPSG)

    def __init__(self, geometry: Any, tile: TileAddress) -> None:
        super().__init__(
            geometry,
            template=statement("maps", "tile_geometry"),
            z=tile.z,
            x=tile.x,
            y=tile.y,
            extent=EXTENT,
            buffer=BUFFER,
            unit_m=repr(tile.width_m / EXTENT),
        )

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, *args: Any, **extra: Any
    ) -> tuple[str, tuple[str | int, ...]]:
        """Compile; the geometry stands in the text several times, so it must hold no values of its own."""
        sql, params = super().as_sql(compiler, connection, *args, **extra)
        if params:
            raise TypeError("The geometry of a tile must be a column, or a transformation of one without values.")
        return sql, params


class InTileCrs(Func):
    """``ST_Transform`` of a column to Web Mercator."""

    template = f"ST_Transform(%(expressions)s, {TILE_EPSG})"
    output_field = GeometryField(srid=TILE_EPSG)


class VectorTile(Subquery):
    """The rows of a queryset as one MVT layer; NULL if they are more than `MOST_FEATURES`.

    Parameters
    ----------
    queryset : QuerySet
        Gives the features' properties and their `TileGeometry` under the name ``geom``; ordered.
    name : str
        Of the MVT layer.
    """

    template = statement("maps", "vector_tile")
    output_field = BinaryField()

    def __init__(self, queryset: QuerySet[Any, Any], name: str) -> None:
        super().__init__(queryset[: MOST_FEATURES + 1], name=name, extent=EXTENT, most=MOST_FEATURES)


__all__ = [
    "BUFFER",
    "EXTENT",
    "MARGIN",
    "MOST_FEATURES",
    "InTileCrs",
    "TileGeometry",
    "VectorTile",
]
