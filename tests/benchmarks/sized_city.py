"""A city of an exact size: places, services, inhabited cells and streets in the numbers asked for, loaded as everybody's city is."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.core.crs import STORAGE_EPSG, project_xy
from tests.benchmarks.city import FACILITIES

EPSG = 32639
WEST_M, SOUTH_M = 700_000.0, 3_600_000.0
CELL_M = 20.0
SEED = 20261122
_FACILITIES = 40
_BLOCK_M = 150.0
"""Between streets."""
_ALONG = 12
"""Vertices along each side of a place."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large a city is.

    Attributes
    ----------
    columns, rows
        Places in each direction.
    cells
        Inhabited cells, at least.
    """

    columns: int
    rows: int
    cells: int

    @property
    def side_m(self) -> float:
        """Side of a place: whole cells, so that the city has as many as it should."""
        return CELL_M * math.ceil(math.sqrt(self.cells / (self.columns * self.rows)))


def sized_city_load(folder: Path, size: Size, code: str = "sized") -> None:
    """Write the files of a city and load it; the taxonomy must be there.

    Parameters
    ----------
    folder
        For its files.
    size
        Of the city.
    code
        Of the city.
    """
    from config.loading import city_load

    rng = np.random.default_rng(SEED)
    width_m, height_m = size.columns * size.side_m, size.rows * size.side_m
    _write(folder / "places.geojson", _places(size, rng))
    for service in FACILITIES:
        xy = rng.uniform((0, 0), (width_m, height_m), size=(_FACILITIES, 2))
        points = [({"name": f"{service} {i}"}, "Point", at) for i, at in enumerate(_degrees(xy).tolist())]
        _write(folder / f"{service}.geojson", points)
    _write(folder / "streets.geojson", _streets(width_m, height_m, rng))
    description = folder / "city.toml"
    description.write_text(_description(code), encoding="utf-8")
    city_load(description, data=folder)


def _degrees(xy_m: NDArray[np.float64]) -> NDArray[np.float64]:
    return project_xy(xy_m + np.array((WEST_M, SOUTH_M)), EPSG, STORAGE_EPSG)


def _places(size: Size, rng: np.random.Generator) -> list[tuple[dict[str, Any], str, Any]]:
    """Give places that tile the city, with borders as wavy as drawn ones; as many people in each as there are."""
    side_m, n = size.side_m, _ALONG
    wave = 0.04 * side_m
    # Every vertex of every border once, so that neighbours share theirs; the rim of the city stays straight.
    inner = np.ones((size.rows * n + 1, size.columns * n + 1, 1))
    inner[[0, -1]] = inner[:, [0, -1]] = 0
    at = np.stack(np.meshgrid(np.arange(size.columns * n + 1), np.arange(size.rows * n + 1)), axis=-1) * (side_m / n)
    lattice = at + inner * rng.uniform(-wave, wave, size=at.shape)
    found: list[tuple[dict[str, Any], str, Any]] = []
    for row in range(size.rows):
        for column in range(size.columns):
            x, y = column * n, row * n
            ring = [
                *lattice[y, x : x + n],
                *lattice[y : y + n, x + n],
                *lattice[y + n, x + n : x : -1],
                *lattice[y + n : y : -1, x],
            ]
            ring = _degrees(np.array([*ring, ring[0]])).tolist()
            name = f"p{row:02d}-{column:02d}"
            properties = {"code": name, "name_fa": name, "name_en": name, "people": int(rng.integers(500, 5000))}
            found.append((properties, "Polygon", [ring]))
    return found


def _streets(width_m: float, height_m: float, rng: np.random.Generator) -> list[tuple[dict[str, Any], str, Any]]:
    """Give streets that cross each other every block, none of them quite straight."""
    columns, rows = int(width_m // _BLOCK_M) + 1, int(height_m // _BLOCK_M) + 1
    at = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1) * _BLOCK_M
    lattice = _degrees((at + rng.uniform(-30, 30, size=at.shape)).reshape(-1, 2)).reshape(at.shape)
    lines = [*lattice, *lattice.swapaxes(0, 1)]
    return [({"class": "residential"}, "LineString", line.tolist()) for line in lines]


def _write(path: Path, rows: list[tuple[dict[str, Any], str, Any]]) -> None:
    features = [
        {"type": "Feature", "properties": properties, "geometry": {"type": kind, "coordinates": coordinates}}
        for properties, kind, coordinates in rows
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")


def _description(code: str) -> str:
    about = 'source = "Invented for benchmarks"\n'
    parts = [
        "format = 1\n",
        f'[[chain]]\nkind = "country"\ncode = "{code}-land"\nname_fa = "س"\nname_en = "Sizedland"\nillustrative = true\n',
        f'[city]\ncode = "{code}"\nname_fa = "شهر"\nname_en = "Sized"\nillustrative = true\n',
        '[[places]]\nkind = "neighbourhood"\nfile = "places.geojson"\ncode = "code"\nname_fa = "name_fa"\n'
        f'name_en = "name_en"\n{about}certainty = "modelled"\nvalid_from = 2025-01-01\n',
        _layer("population", "population", "places", "polygon"),
        _layer("roads", "transport", "streets", "line"),
        *(_layer(service, "health", service, "point") for service in FACILITIES),
        *(f'[[supply]]\nservice = "{service}"\nlayer = "{service}"\n' for service in FACILITIES),
        '[population]\nlayer = "population"\nfield = "people"\n',
        f"[analysis]\ncell_m = {CELL_M:g}\n",
        '[travel]\nway = "straight"\nroads = "roads"\nroad_fields = { class = "class" }\n',
    ]
    return "\n".join(parts)


def _layer(code: str, theme: str, file: str, kind: str) -> str:
    return (
        f'[[layers]]\ncode = "{code}"\ntheme = "{theme}"\nfile = "{file}.geojson"\nkind = "{kind}"\nname_fa = "{code}"\n'
        f'name_en = "{code}"\nsource = "Invented for benchmarks"\nreference_date = 2025-01-01\n'
    )
