"""Files that somebody brings, and the worker's part done in the test's own process and transaction."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import shapely
from affine import Affine
from pyogrio import raw as pyogrio_raw

from layers.jobs import steps
from layers.jobs.child import outcome
from layers.jobs.process import Outcome
from layers.models import Upload
from layers.selectors import folder_of
from layers.services.uploads import Received, incoming_folder
from layers.tasks import outcome_keep

WEST, SOUTH = 48.30, 33.45
"""A corner of the demo city."""


def points_file(path: Path, n: int = 20, *, seed: int = 1, shift: float = 0.0, epsg: int | None = 4326) -> Path:
    """Write points with names and capacities, in the format that the file's ending says."""
    rng = np.random.default_rng(seed)
    x, y = WEST + shift + rng.random(n) * 0.1, SOUTH + rng.random(n) * 0.08
    shapes = shapely.to_wkb(shapely.points(x, y))
    names = np.array([f"چیز {i + 1}" for i in range(n)], dtype=object)
    driver = {".gpkg": "GPKG", ".fgb": "FlatGeobuf", ".geojson": "GeoJSON", ".shp": "ESRI Shapefile"}[path.suffix]
    pyogrio_raw.write(
        path, shapes, [names, np.arange(n, dtype=np.int64)], ["نام", "cap"], geometry_type="Point",
        driver=driver, crs=f"EPSG:{epsg}" if epsg else None, layer=path.stem,
    )  # fmt: skip
    return path


def broken_file(path: Path) -> Path:
    """Write a file of areas, one of which crosses itself."""
    shapes = [
        shapely.box(WEST, SOUTH, WEST + 0.01, SOUTH + 0.01),
        shapely.Polygon([(WEST, SOUTH), (WEST + 0.02, SOUTH + 0.02), (WEST + 0.02, SOUTH), (WEST, SOUTH + 0.02)]),
    ]
    features = [
        {"type": "Feature", "geometry": json.loads(shapely.to_geojson(shape)), "properties": {"name": f"n{i}"}}
        for i, shape in enumerate(shapes)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def raster_file(path: Path, *, value: float = 1.0) -> Path:
    """Write a raster of people."""
    values = np.full((60, 50), value, dtype=np.float32)
    with rasterio.open(
        path, "w", driver="GTiff", width=50, height=60, count=1, dtype="float32", crs="EPSG:32639", nodata=-1,
        transform=Affine(20, 0, 250_000, 0, -20, 3_710_000),
    ) as file:  # fmt: skip
        file.write(values, 1)
    return path


def received(path: Path, name: str = "") -> Received:
    """Have a file come in, as the server leaves it."""
    content = path.read_bytes()
    target = incoming_folder() / f"test-{time.monotonic_ns()}"
    target.write_bytes(content)
    return Received(target, name or path.name, len(content), hashlib.sha256(content).hexdigest())


def worked(upload: Upload) -> Upload:
    """Do for an upload what the worker would, here; return it as it is then."""
    upload.refresh_from_db()
    step = "examine" if upload.state in ("received", "examining") else "store"
    state = {"examine": Upload.State.EXAMINING, "store": Upload.State.STORING}[step]
    job = upload.job
    assert job is not None
    task = {"step": step, "upload": str(upload.pk), "job": job, "folder": str(folder_of(upload.pk))}

    def apart(_: Upload) -> Outcome:
        told: dict[str, Any] = outcome(lambda: steps.STEPS[step](task, lambda *_: None))
        (kind, content), *_rest = json.loads(json.dumps(told)).items()
        return Outcome(kind, content)

    outcome_keep(upload.pk, job, state, 0, apart)
    return Upload.objects.select_related("city", "layer", "release", "author").get(pk=upload.pk)
