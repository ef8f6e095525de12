"""Rasters as coloured tiles, as legends, and as values at a point.

Colours are classes, so that a legend can say exactly what each means. People are counted per pixel: readers from outside the city are
shown larger squares, and no square or pixel with fewer people than may be told.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from PIL import Image
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.warp import reproject, transform, transform_bounds
from rasterio.windows import Window

from analysis.disclosure import SMALL_COUNT, counts_people
from geo.core.crs import STORAGE_EPSG, TILE_EPSG
from geo.errors import InvalidInput, NotFound
from layers.models import Layer
from layers.squares import people_added, pixel_sides_m, square_px
from maps.tiles.address import TileAddress

DRAWING: Final = "2"
"""Part of the name of every finished tile: raise it when the same raster is drawn differently."""

TILE_PX: Final = 256
DEEPEST_RASTER_ZOOM: Final = 18

_FEW: Final = 1e-9
"""What stands for few people: more than nobody, less than any bound between classes."""

_LOCAL_ZOOM: Final = 6
_MOST_READ: Final = 4096
_SAMPLE_PX: Final = 512
_SIGNIFICANT: Final = 2

RAMPS: Final[dict[str, tuple[str, ...]]] = {
    Layer.Purpose.POPULATION: ("#f0f9e8", "#bae4bc", "#7bccc4", "#43a2ca", "#0868ac"),
    Layer.Purpose.ELEVATION: ("#f3eee0", "#dccfae", "#bfa97d", "#977f55", "#655134"),
    Layer.Purpose.SLOPE: ("#ffffd4", "#fed98e", "#fe9929", "#d95f0e", "#993404"),
    Layer.Purpose.HAZARD: ("#f1eef6", "#d7b5d8", "#df65b0", "#dd1c77", "#980043"),
    Layer.Purpose.GENERAL: ("#edf3f3", "#bcd6d6", "#86b5b5", "#4a8f8f", "#0f6b6b"),
}
"""Five classes each, light to dark, told apart by the colour-blind too; dark is more, or worse."""

UNITS: Final[dict[str, str]] = {Layer.Purpose.POPULATION: "people/ha", Layer.Purpose.ELEVATION: "m"}
_BY_CODE: Final = {
    "elevation": Layer.Purpose.ELEVATION, "slope": Layer.Purpose.SLOPE, "flood": Layer.Purpose.HAZARD,
}  # fmt: skip

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Look:
    """How a raster is shown to a reader.

    Attributes
    ----------
    file : Path
        Named by its content.
    purpose : str
        Of `Layer.Purpose`.
    is_guarded : bool
        Whether small counts of people are kept back.
    """

    file: Path
    purpose: str
    is_guarded: bool

    @property
    def counts_people(self) -> bool:
        """Whether its pixels hold numbers of people."""
        return self.purpose == Layer.Purpose.POPULATION


@dataclass(frozen=True, slots=True)
class Classes:
    """Classes of values: `bounds` between them, one fewer than `colours`; least and greatest value."""

    bounds: tuple[float, ...]
    colours: tuple[str, ...]
    least: float
    greatest: float


def purpose_of(layer: Layer) -> str:
    """Return what a raster stands for: as it is said, else as its code says."""
    if counts_people(layer):
        return Layer.Purpose.POPULATION
    return (
        layer.purpose if layer.purpose in RAMPS and layer.purpose != "general" else _BY_CODE.get(layer.code, "general")
    )


def classes_of(look: Look) -> Classes:
    """Return the classes of a raster: fifths of its pixels, at round bounds; the same for every tile."""
    return _classes(look.file, look.purpose)


@lru_cache(maxsize=256)
def _classes(file: Path, purpose: str) -> Classes:
    with _opened(file) as source:
        shape = [max(1, round(side * min(1.0, _SAMPLE_PX / max(source.shape)))) for side in source.shape]
        band = source.read(1, out_shape=tuple(shape), masked=True, resampling=Resampling.nearest)
        values = band.compressed().astype(np.float64)
        values = values[np.isfinite(values)]
        if purpose == Layer.Purpose.POPULATION:
            values = values[values > 0] / _pixel_hectares(source)
    colours = RAMPS[purpose]
    if not len(values):
        return Classes((), colours[:1], 0.0, 0.0)
    # What most pixels have, such as no depth of water, is no reason to show the others as one class.
    above = values[values > values.min()]
    quantiles = np.quantile(above, np.arange(1, len(colours)) / len(colours)) if len(above) else np.empty(0)
    spread = float(values.max() - values.min())
    bounds = sorted({_rounded(float(q), spread) for q in quantiles if values.min() < q})
    kept = np.linspace(0, len(colours) - 1, len(bounds) + 1).round().astype(int)
    return Classes(tuple(bounds), tuple(colours[i] for i in kept), float(values.min()), float(values.max()))


def _rounded(value: float, spread: float) -> float:
    """Round so that a hundredth of the spread is still told apart.

    Examples
    --------
    >>> _rounded(1234.56, 900.0), _rounded(0.4567, 1.0)
    (1235.0, 0.46)
    """
    if spread <= 0:
        return value
    return round(value, max(0, _SIGNIFICANT - math.ceil(math.log10(spread))))


def colour_tile(look: Look, tile: TileAddress) -> bytes:
    """Draw a tile of a raster as PNG; empty where the raster does not reach. What has no data is transparent."""
    values = _guarded_values(look, tile) if look.is_guarded and look.counts_people else _values(look, tile)
    known = np.isfinite(values)
    if not known.any():
        return b""
    classes = classes_of(look)
    index = np.zeros(values.shape, dtype=np.uint8)
    index[known] = 1 + np.searchsorted(np.array(classes.bounds), values[known], side="right")
    if look.counts_people:
        index[known & (values <= 0)] = 0  # where nobody lives, the map below is seen
    image = Image.fromarray(index, mode="P")
    palette = [0, 0, 0, *(part for colour in classes.colours for part in bytes.fromhex(colour[1:]))]
    image.putpalette(palette)
    content = io.BytesIO()
    image.save(content, "PNG", transparency=0, optimize=False, compress_level=6)
    return content.getvalue()


def value_at(look: Look, lon: float, lat: float) -> tuple[float | None, bool] | None:
    """Return the value of the pixel at a point, and whether it is kept back; None outside the raster.

    Population is people in the pixel; to readers who are not told of few, in its square.
    """
    is_by_squares = look.is_guarded and look.counts_people
    with _opened(look.file) as source:
        (x,), (y,) = transform(CRS.from_epsg(STORAGE_EPSG), source.crs, [lon], [lat])
        if not (math.isfinite(x) and math.isfinite(y)):
            return None
        column, row = (math.floor(part) for part in ~source.transform @ (x, y))
        if not (0 <= row < source.height and 0 <= column < source.width):
            return None
        wide, high = square_px(source) if is_by_squares else (1, 1)
        left, top = column // wide * wide, row // high * high
        window = Window(left, top, min(wide, source.width - left), min(high, source.height - top))
        value = float(people_added(source.read(1, window=window, masked=True), high, wide)[0, 0])
    if math.isnan(value):
        return None, False
    return (None, True) if is_by_squares and 0 < value < SMALL_COUNT else (value, False)


def square_m(look: Look) -> float | None:
    """Return how wide about the squares are in which people are told; None where pixels are told one by one."""
    if not (look.is_guarded and look.counts_people):
        return None
    with _opened(look.file) as source:
        wide, high = square_px(source)
        return math.sqrt(_pixel_hectares(source) * 10_000 * wide * high)


def _values(look: Look, tile: TileAddress) -> Array:
    """Return the values on a tile's pixels, read from the overview that is just fine enough; NaN where there is none."""
    nothing = np.full((TILE_PX, TILE_PX), np.nan)
    with _opened(look.file) as whole:
        window = _bounds_inside(whole, tile)
        if window is None:
            return nothing
        hectares = _pixel_hectares(whole)
        west, south, east, north = window
        factor = min((east - west) / abs(whole.transform.a), (north - south) / abs(whole.transform.e)) / TILE_PX
        levels = [i for i, overview in enumerate(whole.overviews(1)) if overview <= factor]
        is_smooth = look.purpose in (Layer.Purpose.ELEVATION, Layer.Purpose.SLOPE)
    options = {"OVERVIEW_LEVEL": levels[-1]} if levels else {}
    with (
        rasterio.open(look.file, **options) as source,
        WarpedVRT(
            source,
            crs=TILE_EPSG,
            transform=_transform(tile),
            width=TILE_PX,
            height=TILE_PX,
            resampling=Resampling.bilinear if is_smooth else Resampling.nearest,
            add_alpha=source.nodata is None,
        ) as warped,
    ):
        values: Array = warped.read(1).astype(np.float64)
        known = warped.read_masks(1) if warped.nodata is not None else warped.read(warped.count)
    values[known == 0] = np.nan
    return values / hectares if look.counts_people else values


def _guarded_values(look: Look, tile: TileAddress) -> Array:
    """Return people per hectare by squares; those with few people are brought to the lowest class.

    A square's people are the sum of its pixels, counted exactly wherever a tile shows squares one by one.
    """
    found = np.full((TILE_PX, TILE_PX), np.nan)
    with _opened(look.file) as source:
        window = _bounds_inside(source, tile)
        if window is None:
            return found
        west, south, east, north = window
        first_column, first_row = ~source.transform @ (west, north)
        last_column, last_row = ~source.transform @ (east, south)
        wide, high = square_px(source)
        top = max(0, math.floor(first_row / high)) * high
        left = max(0, math.floor(first_column / wide)) * wide
        bottom = min(source.height, math.ceil(last_row / high) * high)
        right = min(source.width, math.ceil(last_column / wide) * wide)
        if bottom <= top or right <= left:
            return found
        shrink = 2 ** max(0, math.ceil(math.log2(max(bottom - top, right - left) / _MOST_READ)))
        shape = (math.ceil((bottom - top) / shrink), math.ceil((right - left) / shrink))
        band = source.read(
            1,
            window=Window(left, top, right - left, bottom - top),
            out_shape=shape,
            masked=True,
            resampling=Resampling.average,
        )
        people = np.where(np.ma.getmaskarray(band), np.nan, band.data.astype(np.float64)) * shrink**2
        columns, rows = max(1, wide // shrink), max(1, high // shrink)
        squares = people_added(people, rows, columns)
        corner = source.transform @ Affine.translation(left, top) @ Affine.scale(columns * shrink, rows * shrink)
        hectares = _pixel_hectares(source) * columns * rows * shrink**2
        few = (squares > 0) & (squares < SMALL_COUNT)
        shown = np.where(few, _FEW, squares / hectares)
        reproject(
            shown, found, src_transform=corner, src_crs=source.crs, src_nodata=np.nan,
            dst_transform=_transform(tile), dst_crs=CRS.from_epsg(TILE_EPSG), dst_nodata=np.nan, resampling=Resampling.nearest,
        )  # fmt: skip
    return found


def _bounds_inside(source: rasterio.DatasetReader, tile: TileAddress) -> tuple[float, float, float, float] | None:
    """Return a tile's bounds in a raster's reference system; None where they do not meet."""
    west, south, east, north = tile.bounds_3857
    covered = transform_bounds(source.crs, TILE_EPSG, *source.bounds)
    if west >= covered[2] or east <= covered[0] or south >= covered[3] or north <= covered[1]:
        return None
    if tile.z >= _LOCAL_ZOOM:
        return _four(transform_bounds(TILE_EPSG, source.crs, west, south, east, north))
    # A large part of the world has no place in the system of one zone: what both share is brought there, and widened.
    shared = (max(west, covered[0]), max(south, covered[1]), min(east, covered[2]), min(north, covered[3]))
    left, bottom, right, top = transform_bounds(TILE_EPSG, source.crs, *shared)
    wider = tile.width_m / max(shared[2] - shared[0], 1e-9)
    return left, top - (top - bottom) * wider, left + (right - left) * wider, top


def _four(bounds: tuple[float, ...]) -> tuple[float, float, float, float]:
    return bounds[0], bounds[1], bounds[2], bounds[3]


def _pixel_hectares(source: rasterio.DatasetReader) -> float:
    """Return the area of a pixel on the ground."""
    wide_m, high_m = pixel_sides_m(source)
    return wide_m * high_m / 10_000


def _opened(file: Path) -> rasterio.DatasetReader:
    if not file.is_file():
        raise NotFound(
            "The file of the raster is missing.",
            code="raster_missing",
            where=file.name,
            remedy="Import the layer again.",
        )
    return rasterio.open(file)


def _transform(tile: TileAddress) -> Affine:
    west, _, _, north = tile.bounds_3857
    pixel_m = tile.width_m / TILE_PX
    return Affine(pixel_m, 0.0, west, 0.0, -pixel_m, north)


def point_of(given: Any) -> tuple[float, float]:
    """Read the parameters ``lon`` and ``lat``.

    Raises
    ------
    InvalidInput
        If one is missing, no number, or not on the earth.
    """
    found = []
    for name, most in (("lon", 180.0), ("lat", 90.0)):
        try:
            value = float(str(given.get(name, ""))[:40])
        except ValueError:
            value = math.nan
        if not abs(value) <= most:
            raise InvalidInput(
                "This is not a longitude or latitude in degrees.",
                code="bad_coordinate",
                where=name,
                remedy="Give lon=48.35&lat=33.49.",
            )
        found.append(value)
    return found[0], found[1]
