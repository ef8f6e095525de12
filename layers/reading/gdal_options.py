"""What GDAL may do in this process: open the formats that are accepted, from the file it is given, and nothing else.

GDAL knows some two hundred formats. Several of them are descriptions of other data: where it lies, on this machine or
on another. A file of such a kind, behind whatever name, would make the server read what its sender may not. So every
driver that is not needed is taken out of the registry, and what the remaining ones could fetch is switched off.

Everything of this kind is here, and is done once, when `layers.reading` is imported.
"""

import ctypes
import os
import tempfile
from collections.abc import Mapping
from typing import Final

from pyogrio import _ogr

#: Vector drivers that read and write here. KML is read by LIBKML; MEM is what GDAL itself keeps rows in.
DRIVERS: Final = frozenset({
    "CSV", "ESRI Shapefile", "FlatGeobuf", "GML", "GPKG", "GPX", "GeoJSON", "GeoJSONSeq", "LIBKML", "MEM", "OSM",
    "OpenFileGDB", "XLSX",
})  # fmt: skip

#: Columns of a worksheet that GDAL makes attributes of; more are refused by the limit of attributes anyway.
MAX_WORKSHEET_COLUMNS: Final = 2_000

#: Options of every GDAL in the process (the one that reads vectors and the one that reads rasters), as environment
#: variables, which both look at.
OPTIONS: Final[Mapping[str, str]] = {
    # Files beside the one that is opened: world files, statistics, masks, other people's data.
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    # The network. There is none for data: not for addresses in files, not for schemas, not for reference systems.
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".nothing-is-fetched",
    "CPL_VSIL_CURL_ALLOWED_FILENAME": "/vsicurl/nothing-is-fetched",
    "GDAL_HTTP_PROXY": "http://127.0.0.1:9",
    "GDAL_HTTPS_PROXY": "http://127.0.0.1:9",
    "GDAL_HTTP_CONNECTTIMEOUT": "1",
    "GDAL_HTTP_TIMEOUT": "1",
    "GDAL_HTTP_MAX_RETRY": "0",
    "PROJ_NETWORK": "OFF",
    # References from one file to another.
    "GML_SKIP_RESOLVE_ELEMS": "ALL",
    "LIBKML_EXTERNAL_STYLE": "NO",
    "LIBKML_RESOLVE_STYLE": "NO",
    "GDAL_VRT_ENABLE_PYTHON": "NO",
    "GDAL_VRT_RAWRASTERBAND_ALLOWED_SOURCE": "NO",
    # Room that a small file can ask for.
    "OGR_XLSX_MAX_FIELD_COUNT": str(MAX_WORKSHEET_COLUMNS),
}


def guard() -> None:
    """Forbid what GDAL does not need for the accepted formats. Does nothing more when called again."""
    os.environ.update(OPTIONS)
    # Where drivers put what does not fit into memory; without it, that is the folder the program was started in.
    os.environ.setdefault("CPL_TMPDIR", tempfile.gettempdir())
    _deregister_all_but(DRIVERS)


def registered_drivers() -> frozenset[str]:
    """Name the vector drivers that GDAL would try on a file now."""
    return frozenset(_short_names(_library()).values())


def _library() -> ctypes.CDLL:
    # The symbols are found in the GDAL that this module of pyogrio is linked with, wherever that lies.
    library = ctypes.CDLL(_ogr.__file__)
    library.GDALGetDriverCount.restype = ctypes.c_int
    library.GDALGetDriver.argtypes, library.GDALGetDriver.restype = [ctypes.c_int], ctypes.c_void_p
    library.GDALGetDriverShortName.argtypes = [ctypes.c_void_p]
    library.GDALGetDriverShortName.restype = ctypes.c_char_p
    library.GDALDeregisterDriver.argtypes, library.GDALDeregisterDriver.restype = [ctypes.c_void_p], None
    return library


def _short_names(library: ctypes.CDLL) -> dict[int, str]:
    drivers = [library.GDALGetDriver(position) for position in range(library.GDALGetDriverCount())]
    return {driver: (library.GDALGetDriverShortName(driver) or b"").decode() for driver in drivers if driver}


def _deregister_all_but(names: frozenset[str]) -> None:
    library = _library()
    for driver, name in _short_names(library).items():
        if name not in names:
            library.GDALDeregisterDriver(driver)
