"""Which square of the world a tile is: the WebMercatorQuad scheme, y counted from the north."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from geo.errors import InvalidInput, NotFound

DEEPEST_ZOOM: Final = 18
"""At zoom 18 a tile is about 130 m wide in Khorramabad; deeper views enlarge these tiles."""

HALF_WORLD_M: Final = math.pi * 6378137.0
"""Half the width of the Web Mercator square, in its own (stretched) metres."""

_NUMBER: Final = re.compile(r"[0-9]{1,9}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class TileAddress:
    """One tile.

    Attributes
    ----------
    z, x, y : int
        Zoom, column from the west, row from the north.
    """

    z: int
    x: int
    y: int

    @classmethod
    def parse(cls, z: str, x: str, y: str, *, deepest: int = DEEPEST_ZOOM) -> TileAddress:
        """Read an address as it stands in a URL.

        Raises
        ------
        InvalidInput
            If a part is not a whole number.
        NotFound
            If there is no such tile at that zoom, or no tiles at that zoom.

        Examples
        --------
        >>> TileAddress.parse("1", "1", "0")
        TileAddress(z=1, x=1, y=0)
        """
        for name, text in (("z", z), ("x", x), ("y", y)):
            if not _NUMBER.match(text):
                raise InvalidInput(
                    "A part of the tile's address is not a whole number.",
                    code="bad_tile",
                    where=name,
                    remedy="Give z/x/y, each zero or more.",
                )
        address = cls(int(z), int(x), int(y))
        if address.z > deepest:
            raise NotFound(
                f"There are no tiles at zoom {address.z}.",
                code="no_such_zoom",
                where="z",
                remedy=f"Ask for zooms 0 to {deepest}.",
            )
        width = 2**address.z
        if address.x >= width or address.y >= width:
            raise NotFound(
                f"There is no tile {address.x}, {address.y} at zoom {address.z}.",
                code="no_such_tile",
                where="x" if address.x >= width else "y",
                remedy=f"At this zoom x and y go from 0 to {width - 1}.",
            )
        return address

    @property
    def width_m(self) -> float:
        """The tile's width in Web Mercator metres."""
        return math.ldexp(2 * HALF_WORLD_M, -self.z)

    @property
    def bounds_3857(self) -> tuple[float, float, float, float]:
        """West, south, east, north in Web Mercator metres.

        Examples
        --------
        >>> [round(v) for v in TileAddress(1, 1, 0).bounds_3857]
        [0, 0, 20037508, 20037508]
        """
        west = -HALF_WORLD_M + self.x * self.width_m
        north = HALF_WORLD_M - self.y * self.width_m
        return west, north - self.width_m, west + self.width_m, north
