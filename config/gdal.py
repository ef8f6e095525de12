"""Let GeoDjango use the GDAL and GEOS that come inside the rasterio and shapely wheels.

No system GDAL is then needed. The wheels are imported first, because their libraries find their own companions
(PROJ, libtiff …) only once Python has loaded them. ``GDAL_LIBRARY_PATH`` and ``GEOS_LIBRARY_PATH`` in the environment win.
"""

from __future__ import annotations

import os
from pathlib import Path


def wheel_library(package: str, stem: str) -> str | None:
    """Return the path of a shared library that a wheel carries in its ``<package>.libs`` folder, or None.

    Parameters
    ----------
    package : str
        Import name of the wheel's package, such as ``rasterio``.
    stem : str
        How the library's file name starts, such as ``libgdal-``.
    """
    module = __import__(package)
    libraries = Path(str(module.__file__)).resolve().parent.parent / f"{package}.libs"
    found = sorted(libraries.glob(f"{stem}*")) if libraries.is_dir() else []
    return str(found[0]) if found else None


def wheel_libraries() -> tuple[str | None, str | None]:
    """Return the paths of GDAL and GEOS for GeoDjango; None leaves the search to it."""
    return (
        os.environ.get("GDAL_LIBRARY_PATH") or wheel_library("rasterio", "libgdal-"),
        os.environ.get("GEOS_LIBRARY_PATH") or wheel_library("shapely", "libgeos_c-"),
    )
