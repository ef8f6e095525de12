"""A raster into a plan: where it is, what is in it, and every problem with its place and remedy; then into a GeoTIFF.

The only module of `layers.reading` that reads rasters. Values are looked at window by window, so that memory does
not grow with the raster. Whatever format a raster came in, it is kept as a cloud-optimised GeoTIFF.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import rasterio
import rasterio.shutil
from affine import Affine
from rasterio.crs import CRS
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.errors import CRSError, RasterioError
from rasterio.windows import Window

from layers.reading.candidates import suggested_epsg
from layers.reading.grids import require_few_pixels, require_whole_raw
from layers.reading.limits import DEFAULT, Limits
from layers.reading.plan import Problem, ProblemLog, RasterPlan, RefusedError
from layers.reading.projection import (
    Bounds,
    Floats,
    Reference,
    padded,
    reference_of,
)
from layers.reading.quiet import quiet
from layers.reading.source import Source, open_source
from layers.reading.wording import COMMAND, Wording, option

_WINDOW_PIXELS: Final = 4_000_000
_BLOCK_BYTES: Final = 256 << 20
_EDGE_POINTS: Final = 21
_PRJ_BYTES: Final = 65_536
# Values that stand for "no data" in files that do not say so.
_USUAL_NODATA: Final = (-9999.0, -99999.0, -32768.0, -32767.0, -2147483648.0, float(np.finfo(np.float32).min))


def read_raster(
    path: Path,
    *,
    band: int | None = None,
    source_epsg: int | None = None,
    non_negative: bool = False,
    near: Bounds | None = None,
    limits: Limits = DEFAULT,
    wording: Wording = COMMAND,
) -> RasterPlan:
    """Read what a raster holds, with every problem located. Never raises for a bad file.

    Parameters
    ----------
    path
        A GeoTIFF, ESRI ASCII grid, ERDAS Imagine, classic netCDF, SRTM or XYZ file, or a zip with one of them or with
        ENVI or BIL pixels and their header. Files beside it (.aux.xml, .ovr, .tfw, .prj) are not read; in a zip .prj,
        .tfw and .hdr are.
    band
        The band meant, from 1; may be left out if there is only one.
    source_epsg
        EPSG code of the raster, where the file says nothing or something wrong.
    non_negative
        True for rasters of counts, such as people per pixel: a negative value is then an error.
    near
        Bounds of the city in degrees (west, south, east, north), to notice a raster that lies elsewhere.
    limits
        Sizes accepted.
    wording
        How remedies call these options: in the caller's words.

    Returns
    -------
    RasterPlan
        Loadable only if it has no error. In problems, the row is a row of pixels, from 1 at the top.
    """
    log = ProblemLog(limits, wording)
    facts: dict[str, Any] = {}
    try:
        with open_source(Path(path), limits) as source:
            facts |= {"format": source.format, "sha256": source.sha256}
            if source.way != "raster":
                raise RefusedError(
                    "not_a_raster", f"The file is a {source.format}, not a raster.", "Choose another file."
                )
            _read(source, _Wanted(band, source_epsg, non_negative, near, limits), facts, log)
    except RefusedError as refused:
        log.add(refused.problem)
    known = {"format": "", "sha256": ""} | facts
    return RasterPlan(file_name=Path(path).name, problems=log.problems(), counts=log.counts(), **known)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the person asked for; see `read_raster`."""

    band: int | None
    source_epsg: int | None
    non_negative: bool
    near: Bounds | None
    limits: Limits


def _read(source: Source, wanted: _Wanted, facts: dict[str, Any], log: ProblemLog) -> None:
    with _opened(source) as dataset:
        facts |= {"width": dataset.width, "height": dataset.height, "bands": dataset.count}
        require_few_pixels(dataset.width, dataset.height, wanted.limits)
        band = _band(dataset, wanted, log)
        dtype, nodata = _stored_as(dataset, band)
        facts |= {"band": band, "dtype": dtype, "nodata": nodata}
        _require_readable(dataset, band)
        if source.format in _RAW:
            bits = np.dtype(dataset.dtypes[band - 1]).itemsize * 8
            require_whole_raw(source.path, dataset.width, dataset.height, dataset.count, bits)
        _locate(source, dataset, wanted, facts, log)
        _look_at_values(dataset, band, wanted, facts, log)


# Opening


_RAW: Final = frozenset({"ENVI", "EHdr"})
_OPEN_OPTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    # Else the first rows decide whether the numbers of the others keep their decimals.
    "AAIGrid": {"DATATYPE": "Float64"},
}
_PARTS: Final = (".hdr", ".prj", ".tfw")


@contextmanager
def _opened(source: Source) -> Iterator[Any]:
    """Open a raster by the driver of its format and no other."""
    path = source.path
    # A side file may say anything about any other file, so the folder is not even listed; except for the parts that
    # were unpacked with the raster into a folder with nothing else in it.
    has_parts = any(path.with_suffix(suffix).exists() for suffix in _PARTS)
    try:
        with (
            quiet(),
            rasterio.Env(
                GDAL_DISABLE_READDIR_ON_OPEN="TRUE" if has_parts else "EMPTY_DIR",
                GDAL_PAM_ENABLED="NO",
                GDAL_GEOREF_SOURCES="INTERNAL,WORLDFILE",
            ),
            rasterio.open(path, driver=source.format, **_OPEN_OPTIONS.get(source.format, {})) as dataset,
        ):
            yield dataset
    except (RasterioError, CRSError, OSError, UnicodeError) as error:
        raise _broken(error, path) from error


def _broken(error: BaseException, path: Path | None = None, row: int | None = None) -> RefusedError:
    said = str(error.__cause__ or error)
    detail = (said.replace(str(path), "the file") if path else said).split(";")[0].strip().rstrip(".")[:160]
    return RefusedError(
        "broken_file",
        f"The raster cannot be read: {detail}.",
        "Copy or upload it again; it may be cut off.",
        row=row,
    )


def _stored_as(dataset: Any, band: int) -> tuple[str, float | None]:
    """Give the type of a band's values and what stands for none: numbers that are packed into smaller ones are unpacked."""
    dtype, nodata = dataset.dtypes[band - 1], dataset.nodatavals[band - 1]
    if not _is_packed(dataset, band):
        return dtype, nodata
    return "float32" if dtype in ("uint8", "int8", "uint16", "int16") else "float64", math.nan


def _is_packed(dataset: Any, band: int) -> bool:
    return bool((dataset.scales[band - 1], dataset.offsets[band - 1]) != (1.0, 0.0))


def _values(dataset: Any, band: int, window: Window) -> "np.ma.MaskedArray[Any, Any]":
    """Read some pixels of a band, as the values they stand for."""
    try:
        values: np.ma.MaskedArray[Any, Any] = dataset.read(band, window=window, masked=True)
    except (RasterioError, OSError) as error:
        raise _broken(error, row=int(window.row_off) + 1) from error
    if not _is_packed(dataset, band):
        return values
    dtype, _ = _stored_as(dataset, band)
    plain = values.data.astype(np.float64) * dataset.scales[band - 1] + dataset.offsets[band - 1]
    return np.ma.MaskedArray(plain.astype(dtype), np.ma.getmaskarray(values))


# Is it a raster of values that can be read?


def _band(dataset: Any, wanted: _Wanted, log: ProblemLog) -> int:
    if wanted.band is not None:
        if 1 <= wanted.band <= dataset.count:
            return wanted.band
        raise RefusedError(
            "no_such_band",
            f"The raster has no band {wanted.band}; it has {dataset.count}.",
            f"Choose one of them with {option('band')}.",
        )
    if dataset.count == 1:
        return 1
    if dataset.count == 0:
        raise RefusedError(
            "several_rasters",
            f"The file holds {len(dataset.subdatasets):,} rasters, not one.",
            "Write the one that is meant to a file of its own (gdal_translate NETCDF:file.nc:name name.tif).",
        )
    if ColorInterp.red in dataset.colorinterp:
        raise RefusedError(
            "picture",
            "The raster is a picture in red, green and blue, not a raster of values.",
            f"Bring the data behind the picture; or choose a band with {option('band')} if it really holds values.",
        )
    message = f"The raster has {dataset.count} bands; the first is read."
    log.add(Problem("warning", "several_bands", message, f"Choose another one with {option('band')}."))
    return 1


def _require_readable(dataset: Any, band: int) -> None:
    dtype = np.dtype(dataset.dtypes[band - 1]) if dataset.dtypes[band - 1] != "complex_int16" else np.dtype(complex)
    if dtype.kind not in "iuf":
        raise RefusedError(
            "wrong_dtype",
            f"The pixels are of type {dataset.dtypes[band - 1]}, not plain numbers.",
            "Convert it to Float32 (gdal_translate -ot Float32).",
        )
    rows, columns = dataset.block_shapes[band - 1]
    if rows * columns * dtype.itemsize > _BLOCK_BYTES:
        raise RefusedError(
            "raster_too_large",
            f"The raster is stored in blocks of {columns:,} × {rows:,} pixels, too large to be read one by one.",
            "Store it in tiles (gdal_translate -co TILED=YES).",
        )


# Where is it?


def _locate(source: Source, dataset: Any, wanted: _Wanted, facts: dict[str, Any], log: ProblemLog) -> None:
    transform = dataset.transform
    if transform.is_identity:
        raise RefusedError(
            "no_georeference",
            "The raster does not say where on the ground its pixels are.",
            "Give it a place (gdal_translate -a_ullr … -a_srs …), and export it as GeoTIFF.",
        )
    facts["transform"] = tuple(float(value) for value in transform[:6])
    if transform.b != 0 or transform.d != 0:
        raise RefusedError(
            "rotated",
            "The raster is rotated: its rows do not run from west to east.",
            "Turn it upright (gdalwarp to the same reference system).",
        )
    if not (transform.a > 0 > transform.e) or not all(math.isfinite(v) for v in transform[:6]):
        raise RefusedError(
            "upside_down",
            f"Pixels of {transform.a:g} × {transform.e:g} do not run from west to east and from north to south.",
            "Turn it upright (gdalwarp to the same reference system).",
        )
    declared = None
    if crs := dataset.crs or _crs_beside(source):
        code = _epsg_of(crs)
        declared = f"EPSG:{code}" if code else crs.to_wkt()
    reference = reference_of(declared, wanted.source_epsg)
    facts |= {"crs": reference.label, "epsg": reference.crs.to_epsg()}
    facts["is_crs_named"] = wanted.source_epsg is not None and facts["crs"] != declared
    if facts["epsg"] is None:
        raise RefusedError(
            "unusable_crs",
            f"The reference system '{reference.label}' has no EPSG code.",
            f"Reproject the raster to a UTM zone (gdalwarp), or name its code with {option('source_epsg')}.",
        )
    bounds = dataset.bounds
    facts["bounds_4326"] = _bounds_4326(tuple(bounds), reference, wanted.near)
    if wanted.near is not None and not _overlap(facts["bounds_4326"], padded(wanted.near)):
        west, south, east, north = facts["bounds_4326"]
        log.add(
            Problem(
                "error",
                "far_from_city",
                f"The raster lies far from the city: longitude {west:.4g} to {east:.4g}, latitude {south:.4g} to {north:.4g}.",
                f"Check that it is the right file, and its reference system ({reference.label}).",
                lon=(west + east) / 2,
                lat=(south + north) / 2,
            )
        )


def _epsg_of(crs: CRS) -> int | None:
    """Give the code of a reference system; a geographic one is also known by its name, whatever order its axes have."""
    code: int | None = crs.to_epsg()
    if code is None and crs.is_geographic:
        with suppress(CRSError):
            code = CRS.from_wkt(crs.to_wkt(version="WKT1_ESRI"), morph_from_esri_dialect=True).to_epsg()
    return code


def _crs_beside(source: Source) -> CRS | None:
    """Read the reference system from the .prj part, for formats whose drivers do not."""
    part = source.path.with_suffix(".prj")
    if not part.exists():
        return None
    with part.open("rb") as file:
        text = file.read(_PRJ_BYTES).decode("utf-8", errors="replace").strip().lstrip("\ufeff")
    try:
        return CRS.from_wkt(text, morph_from_esri_dialect=True) if text else None
    except CRSError as error:
        raise RefusedError(
            "unknown_crs",
            f"The reference system named in the file is not known: {text[:80]!r}.",
            f"Name the system the coordinates are in with {option('source_epsg')}, for example {option('source_epsg', 32639)}.",
        ) from error


def _bounds_4326(bounds: Bounds, reference: Reference, near: Bounds | None) -> Bounds:
    left, bottom, right, top = bounds
    xs, ys = np.linspace(left, right, _EDGE_POINTS), np.linspace(bottom, top, _EDGE_POINTS)
    edge: Floats = np.array(
        [(x, y) for x in xs for y in (bottom, top)] + [(x, y) for x in (left, right) for y in ys], dtype=np.float64
    )
    lon_lat = reference.to_lon_lat(edge)
    # A raster of the whole globe may reach half a pixel beyond it.
    spill = (right - left) / 100
    outside = np.asarray(~np.isfinite(lon_lat).all(axis=1))
    if reference.is_geographic:
        outside |= (np.abs(edge[:, 0]) > 180 + spill) | (np.abs(edge[:, 1]) > 90 + spill)
    elif np.all(np.abs(edge) <= (180, 90)):
        outside[:] = True
    if outside.any():
        fitting = suggested_epsg(edge, near, besides=(reference.label,))
        raise RefusedError(
            "wrong_crs",
            f"The raster spans x {left:.10g} to {right:.10g} and y {bottom:.10g} to {top:.10g}, "
            f"which is outside the range of {reference.label}.",
            f"Name the system it is in with {option('source_epsg', fitting or '')}.",
        )
    west, south = (float(v) for v in lon_lat.min(axis=0))
    east, north = (float(v) for v in lon_lat.max(axis=0))
    return west, south, east, north


def _overlap(a: Bounds, b: Bounds) -> bool:
    return a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]


# What is in it?


def _windows(dataset: Any, band: int) -> Iterator[Window]:
    """Cut the raster into windows of whole blocks, of a few million pixels each."""
    block_rows, block_columns = dataset.block_shapes[band - 1]
    columns = max(1, min(dataset.width, _WINDOW_PIXELS // block_rows) // block_columns) * block_columns
    columns = min(dataset.width, columns)
    rows = max(1, _WINDOW_PIXELS // columns // block_rows) * block_rows
    for top in range(0, dataset.height, rows):
        for left in range(0, dataset.width, columns):
            yield Window(left, top, min(columns, dataset.width - left), min(rows, dataset.height - top))


@dataclass(slots=True)
class _Tally:
    """What was seen in the windows so far; the first place of each oddity as (count, row, column)."""

    valid: int = 0
    minimum: float = math.inf
    maximum: float = -math.inf
    total: float = 0.0
    nan: int = 0
    infinite: int = 0
    negative: int = 0
    infinite_at: tuple[int, int] | None = None
    negative_at: tuple[int, int] | None = None
    negative_value: float = 0.0


def _look_at_values(dataset: Any, band: int, wanted: _Wanted, facts: dict[str, Any], log: ProblemLog) -> None:
    tally = _Tally()
    for window in _windows(dataset, band):
        _count(_values(dataset, band, window), window, tally)
    facts["valid_pixels"] = tally.valid
    if tally.valid:
        facts |= {"minimum": tally.minimum, "maximum": tally.maximum, "total": tally.total}
    _report(dataset, tally, wanted, facts, log)


def _count(values: "np.ma.MaskedArray[Any, Any]", window: Window, tally: _Tally) -> None:
    data = values.data
    valid = ~np.ma.getmaskarray(values)
    if data.dtype.kind == "f":
        nan = np.isnan(data)
        tally.nan += int(nan.sum())
        valid &= ~nan
        infinite = np.isinf(data) & valid
        if infinite.any():
            tally.infinite += int(infinite.sum())
            tally.infinite_at = tally.infinite_at or _first(infinite, window)
            valid &= ~infinite
    seen = data[valid]
    if not seen.size:
        return
    tally.valid += seen.size
    tally.minimum = min(tally.minimum, float(seen.min()))
    tally.maximum = max(tally.maximum, float(seen.max()))
    tally.total += float(seen.sum(dtype=np.float64))
    if data.dtype.kind != "u":
        negative = valid & (data < 0)
        if negative.any():
            tally.negative += int(negative.sum())
            if tally.negative_at is None:
                tally.negative_at = _first(negative, window)
                tally.negative_value = float(data[negative][0])


def _first(mask: Any, window: Window) -> tuple[int, int]:
    row, column = np.unravel_index(int(np.argmax(mask)), mask.shape)
    return int(window.row_off) + int(row), int(window.col_off) + int(column)


def _report(dataset: Any, tally: _Tally, wanted: _Wanted, facts: dict[str, Any], log: ProblemLog) -> None:
    reference = reference_of(f"EPSG:{facts['epsg']}", None)

    def add(severity: Any, code: str, message: str, remedy: str, at: tuple[int, int] | None = None) -> None:
        row = lon = lat = None
        if at is not None:
            x, y = dataset.xy(*at)
            lon, lat = (float(v) for v in reference.to_lon_lat(np.array([[x, y]]))[0])
            row = at[0] + 1
            message = f"{message} The first is in row {row}, column {at[1] + 1} of the pixels."
        log.add(Problem(severity, code, message, remedy, row, lon=lon, lat=lat))

    declares_nan = facts["nodata"] is not None and math.isnan(facts["nodata"])
    if tally.nan and not declares_nan:
        add("warning", "nan_pixels", f"{tally.nan:,} pixels are NaN and count as without data.", "Nothing to do.")
    if tally.infinite:
        message = f"{tally.infinite:,} pixels are infinite."
        add("error", "not_finite", message, "Replace them by the value that stands for no data.", tally.infinite_at)
    if not tally.valid:
        add("error", "no_values", "No pixel of the raster has a value.", "Check its no-data value, or export it again.")
        return
    undeclared = facts["nodata"] is None and tally.minimum in _USUAL_NODATA
    declare = f"Declare it as no data (gdal_edit.py -a_nodata {tally.minimum:g})."
    if wanted.non_negative and tally.negative:
        message = (
            f"{tally.negative:,} pixels are negative (such as {tally.negative_value:g}), where only counts can be."
        )
        add("error", "negative_values", message, declare if undeclared else "Correct the raster.", tally.negative_at)
    elif undeclared:
        message = f"The lowest value, {tally.minimum:g}, looks like an undeclared mark for no data."
        add("warning", "undeclared_nodata", message, declare, tally.negative_at)
    if wanted.non_negative and tally.total == 0:
        add("warning", "all_zero", "Every pixel is zero.", "Check that it is the right file.")


# Keeping it


def store_raster(path: Path, plan: RasterPlan, target: Path, *, limits: Limits = DEFAULT) -> None:
    """Write the band that was read as a cloud-optimised GeoTIFF of one band: values, no data, and place.

    Parameters
    ----------
    path
        The file that was read.
    plan
        What was found in it; loadable.
    target
        Where to write; made anew. Something is written beside it meanwhile, of the same beginning of name.
    limits
        Sizes accepted.

    Raises
    ------
    RefusedError
        If the file was changed since it was read, or can no longer be read.
    """
    with open_source(Path(path), limits) as source:
        if source.sha256 != plan.sha256:
            raise RefusedError("file_changed", "The file was changed while it was read.", "Bring it again.")
        with _opened(source) as dataset:
            says_all = source.format == "GTiff" and dataset.crs is not None and dataset.crs.to_epsg() == plan.epsg
            if says_all and dataset.count == 1 and not _is_packed(dataset, 1):
                _copy(dataset, target)
                return
            plain = target.with_name(f"{target.name}.plain")
            try:
                _write_plain(dataset, plan, plain)
                with rasterio.open(plain, driver="GTiff") as written:
                    _copy(written, target)
            finally:
                plain.unlink(missing_ok=True)


def _copy(dataset: Any, target: Path) -> None:
    rasterio.shutil.copy(
        dataset, target, driver="COG", compress="deflate", predictor="yes", blocksize=256, overview_resampling="average"
    )


def _write_plain(dataset: Any, plan: RasterPlan, target: Path) -> None:
    """Write the pixels as a GeoTIFF that says what the plan says."""
    has_mask = plan.nodata is None and MaskFlags.all_valid not in dataset.mask_flag_enums[plan.band - 1]
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK="YES"),
        rasterio.open(
            target, "w", driver="GTiff", width=plan.width, height=plan.height, count=1, dtype=plan.dtype,
            nodata=plan.nodata, crs=CRS.from_epsg(plan.epsg), transform=Affine(*(plan.transform or ())),
            tiled=True, blockxsize=256, blockysize=256, bigtiff="IF_SAFER",
        ) as written,
    ):  # fmt: skip
        for window in _windows(dataset, plan.band):
            values = _values(dataset, plan.band, window)
            written.write(values.data if plan.nodata is None else values.filled(plan.nodata), 1, window=window)
            if has_mask:
                written.write_mask(~np.ma.getmaskarray(values), window=window)
