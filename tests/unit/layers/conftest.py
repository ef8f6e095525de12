"""Real files of every format, written where a test needs them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import rasterio
import shapely
from rasterio import Affine

DRIVERS = {".gpkg": "GPKG", ".fgb": "FlatGeobuf", ".shp": "ESRI Shapefile", ".geojson": "GeoJSON"}

KHORRAMABAD_PIXELS = Affine(20, 0, 253_000, 0, -20, 3_709_000)


@pytest.fixture
def write_layer(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes geometries and attributes as a file of the format its name says."""

    def write(
        file_name: str,
        geometries: list[Any],
        /,
        *,
        crs: str | None = "EPSG:4326",
        layer: str | None = None,
        append: bool = False,
        encoding: str = "UTF-8",
        kind: str | None = None,
        **columns: Any,
    ) -> Path:
        path = tmp_path / file_name
        path.parent.mkdir(parents=True, exist_ok=True)
        columns = columns or {"id": np.arange(1, len(geometries) + 1)}
        data = [
            np.array(v, dtype=object) if len(v) and isinstance(v[0], str) else np.asarray(v) for v in columns.values()
        ]
        kinds = {geometry.geom_type for geometry in geometries if geometry is not None}
        options = {"encoding": encoding} if path.suffix == ".shp" else {}
        if path.suffix == ".fgb":
            options["SPATIAL_INDEX"] = "NO"  # its index puts the rows into another order
        pyogrio.raw.write(
            path,
            geometry=shapely.to_wkb(np.array(geometries, dtype=object), output_dimension=3),
            field_data=data,
            fields=list(columns),
            geometry_type=kind or (kinds.pop() if len(kinds) == 1 else "Unknown"),
            crs=crs,
            driver=DRIVERS[path.suffix],
            layer=layer,
            append=append,
            **options,
        )
        return path

    return write


@pytest.fixture
def write_geojson(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes GeoJSON from shapely geometries or bare GeoJSON geometries."""

    def write(geometries: list[Any], properties: list[dict[str, Any]] | None = None, **members: Any) -> Path:
        features = [
            {
                "type": "Feature",
                "properties": (properties or [{}] * len(geometries))[i],
                "geometry": shapely.geometry.mapping(g) if isinstance(g, shapely.Geometry) else g,
            }
            for i, g in enumerate(geometries)
        ]
        path = tmp_path / "layer.geojson"
        text = json.dumps({"type": "FeatureCollection", **members, "features": features}, ensure_ascii=False)
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def write_raster(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a GeoTIFF; 20 m pixels in Khorramabad unless told otherwise."""

    def write(values: Any, *, transform: Affine | None = KHORRAMABAD_PIXELS, **profile: Any) -> Path:
        values = np.asarray(values)
        bands = values if values.ndim == 3 else values[None]
        options = {"crs": "EPSG:32639", "dtype": values.dtype} | profile
        if transform is not None:
            options["transform"] = transform
        path = tmp_path / "raster.tif"
        count, height, width = bands.shape
        with rasterio.open(path, "w", driver="GTiff", height=height, width=width, count=count, **options) as dataset:
            dataset.write(bands)
        return path

    return write
