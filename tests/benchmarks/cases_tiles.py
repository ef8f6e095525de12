"""Tiles of 200,000 buildings for a session of panning and zooming, against tipg on the same database with the same client.

Both run as they are served: gunicorn with one process here, uvicorn with one process there. The session is what a map of 1280 by 800
pixels asks for while somebody looks around: 300 tiles from zoom 10 to 16, each once. Cold means a server just started with no tile
drawn before; warm is the same session again. tipg keeps no tiles, so both are compared with the same time of its.
"""

from __future__ import annotations

import http.client
import math
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from django.conf import settings
from django.db import connection

from layers.models import Feature, Layer, Release, Theme
from layers.reading import ReadingOptions, reading
from layers.services import LayerSpec, layer_put, release_create
from maps.tiles.descriptions import held_by
from tests.benchmarks.cases_layers import buildings_written
from tests.benchmarks.city import ROOT
from tests.benchmarks.measuring import Report, Row
from tests.benchmarks.peers_installed import PEERS, peers_ready
from tests.benchmarks.question import city
from tests.http.tile_reading import read_tile

REQUIRED_COLD, REQUIRED_WARM = 2.0, 10.0
N_REQUESTS = 300
_VIEW_PX = (1280, 800)
_TILE_PX = 512
_MOST_OF_ZOOM = {10: 8, 11: 12, 12: 24, 13: 40, 14: 60, 15: 80}
_START_S = 60

Tile = tuple[int, int, int]


def tiles_cases(report: Report, runs: int, rows: int) -> None:
    """Measure the session cold and warm, and check that no building is missing.

    Parameters
    ----------
    report
        Where the rows go.
    runs
        Interleaved runs of each.
    rows
        Buildings in the layer.
    """
    release = _loaded(rows)
    bounds = _bounds(release)
    session = recorded_session(bounds)
    paths = [f"/tiles/{city().code}/layers/seen/{z}/{x}/{y}.mvt" for z, x, y in session]
    has_tipg = peers_ready(report)
    times: dict[str, list[float]] = {"cold": [], "warm": [], "tipg": []}
    for _ in range(runs):
        shutil.rmtree(settings.CACHE_DIR / "tiles", ignore_errors=True)
        shutil.rmtree(settings.CACHE_DIR / "overviews", ignore_errors=True)
        with _ours() as port:
            times["cold"].append(_asked_ms(port, paths))
            times["warm"].append(_asked_ms(port, paths))
        if has_tipg:
            with _tipg(release) as port:
                times["tipg"].append(_asked_ms(port, [_tipg_path(release, tile) for tile in session]))
    size = f"{rows:,} × {len(session)} tiles"
    peer, theirs = ("tipg", statistics.median(times["tipg"])) if has_tipg else ("nobody here", None)
    for name, required in (("cold", REQUIRED_COLD), ("warm", REQUIRED_WARM)):
        case = f"tiles of buildings, {name}"
        report.add(Row(case, size, statistics.median(times[name]), peer, theirs, runs, required if has_tipg else None))
    _completeness(report, release, session[0], has_tipg)
    layer = release.layer
    release.delete()
    layer.delete()


def recorded_session(bounds: tuple[float, float, float, float]) -> list[Tile]:
    """Return the tiles, in order, that a map asks for while it goes to and fro over some bounds and ever closer.

    Only tiles within the bounds are asked for, as a map does that knows them from the TileJSON.

    Parameters
    ----------
    bounds : tuple of float
        West, south, east, north in degrees.

    Examples
    --------
    >>> session = recorded_session((48.30, 33.35, 48.39, 33.42))
    >>> len(session), len(set(session)), session[0][0], session[-1][0]
    (300, 300, 10, 16)
    """
    west, south, east, north = bounds
    low, high = _column_row(west, north), _column_row(east, south)
    asked: dict[Tile, None] = {}
    for z in range(10, 17):
        scale, of_zoom = 2**z, 0
        most = _MOST_OF_ZOOM.get(z, N_REQUESTS)
        half = (_VIEW_PX[0] / _TILE_PX / 2, _VIEW_PX[1] / _TILE_PX / 2)
        for x, y in _walk(low, high, scale, half):
            columns = range(math.floor(x - half[0]), math.floor(x + half[0]) + 1)
            for row in range(math.floor(y - half[1]), math.floor(y + half[1]) + 1):
                for column in columns:
                    inside = low[0] * scale <= column + 1 and column <= high[0] * scale
                    inside = inside and low[1] * scale <= row + 1 and row <= high[1] * scale
                    if inside and (z, column, row) not in asked and of_zoom < most and len(asked) < N_REQUESTS:
                        asked[z, column, row] = None
                        of_zoom += 1
    return list(asked)


def _walk(
    low: tuple[float, float], high: tuple[float, float], scale: int, half: tuple[float, float]
) -> Iterator[tuple[float, float]]:
    """Give centres of the view in tiles: from the middle outwards, half a view at a time, line by line and back."""
    middle = ((low[0] + high[0]) / 2 * scale, (low[1] + high[1]) / 2 * scale)
    yield middle
    for ring in range(1, 40):
        steps = [(ring, n) for n in range(-ring, ring + 1)] + [(-n, ring) for n in range(-ring, ring + 1)]
        steps += [(-ring, -n) for n in range(-ring, ring + 1)] + [(n, -ring) for n in range(-ring, ring + 1)]
        for across, down in steps:
            x, y = middle[0] + across * half[0], middle[1] + down * half[1]
            if low[0] * scale <= x <= high[0] * scale and low[1] * scale <= y <= high[1] * scale:
                yield x, y


def _column_row(lon: float, lat: float) -> tuple[float, float]:
    return (lon + 180) / 360, (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2


def _loaded(rows: int) -> Release:
    folder = Path(os.environ["MAHALLEH_VAR"]) / "tiles"
    folder.mkdir(exist_ok=True)
    path = buildings_written(folder / "buildings.gpkg", rows)
    theme = Theme.objects.first()
    assert theme is not None
    layer = layer_put(LayerSpec(city(), theme.code, "seen", "polygon", "ساختمان‌ها", "Buildings", "Invented"))
    Layer.objects.filter(pk=layer.pk).update(visibility=Layer.Visibility.PUBLIC)
    west, south = 48.2, 33.2
    with reading(path, ReadingOptions(name_field="name", near=(west, south, west + 1, south + 1))) as opened:
        release = release_create(layer=layer, reading=opened)
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM (ANALYZE) {_table(release)}")  # or the first to be measured would wait for it
        cursor.execute("CHECKPOINT")
    return release


def _table(release: Release) -> str:
    return f"layers_feature_{release.pk}" if release.shelf else "layers_feature_shared"


def _bounds(release: Release) -> tuple[float, float, float, float]:
    found = release.bounds_4326 or held_by(release.pk).bounds_4326
    assert found is not None
    return found


# ---------------------------------------------------------------- servers


@contextmanager
def _ours() -> Iterator[int]:
    port = _free_port()
    command = [
        sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread",
        "--threads", "8", "--workers", "1", "--timeout", "120", "--log-level", "warning", "--no-control-socket",
    ]  # fmt: skip
    with _running(command, {**os.environ, "MAHALLEH_SERVING": "1"}, ROOT, port, "/healthz"):
        yield port


@contextmanager
def _tipg(release: Release) -> Iterator[int]:
    port = _free_port()
    database = connection.settings_dict
    socket_dir = database.get("HOST") or unquote(urlsplit(os.environ["DATABASE_URL"]).query.partition("host=")[2])
    url = f"postgresql://{database['USER']}@{quote(str(socket_dir), safe='')}/{database['NAME']}"
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "TIPG_TILE_BUFFER": "64",
        "TIPG_DB_TABLES": f'["public.{_table(release)}", "{_table(release)}"]',
    }
    command = [
        str(PEERS / "bin" / "uvicorn"), "tipg.main:app", "--host", "127.0.0.1", "--port", str(port), "--log-level", "warning",
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder, _running(command, environment, Path(folder), port, "/healthz"):
        yield port


def _tipg_path(release: Release, tile: Tile) -> str:
    z, x, y = tile
    columns = "properties=number,name&geom-column=geometry_3857"
    return f"/collections/public.{_table(release)}/tiles/WebMercatorQuad/{z}/{x}/{y}?{columns}"


@contextmanager
def _running(command: list[str], environment: dict[str, str], folder: Path, port: int, path: str) -> Iterator[None]:
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log, start_new_session=True)
        try:
            ends = time.monotonic() + _START_S
            while not _answers(port, path):
                if process.poll() is not None or time.monotonic() > ends:
                    log.seek(0)
                    raise RuntimeError(f"{command[0]} does not start: {log.read()[-2000:].decode(errors='replace')}")
                time.sleep(0.1)
            yield
        finally:
            process.terminate()
            process.wait(timeout=30)


def _answers(port: int, path: str) -> bool:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        client.request("GET", path)
        return client.getresponse().status < 500
    except OSError:
        return False
    finally:
        client.close()


def _free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


def _asked_ms(port: int, paths: Sequence[str]) -> float:
    """Ask for tiles one after the other over one connection; return how long all took."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    started = time.perf_counter()
    for path in paths:
        client.request("GET", path, headers={"Accept-Encoding": "gzip"})
        answer = client.getresponse()
        answer.read()
        assert answer.status in (200, 204), f"{answer.status} for {path}"
    elapsed = (time.perf_counter() - started) * 1000
    client.close()
    return elapsed


# ---------------------------------------------------------------- completeness


def _completeness(report: Report, release: Release, tile: Tile, has_tipg: bool) -> None:
    """Count the buildings of the first tile in the database, in ours and in theirs."""
    z, x, y = tile
    statement = (
        f"SELECT count(*) FROM {Feature._meta.db_table} WHERE release_id = %s AND shelf = %s "
        "AND geometry_3857 && ST_TileEnvelope(%s, %s, %s, margin => 64.0 / 4096)"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [release.pk, release.shelf, z, x, y])
        (held,) = cursor.fetchone()
    with _ours() as port:
        found = _read(port, f"/tiles/{city().code}/layers/seen/{z}/{x}/{y}.mvt", tile)
    shown = int(found["count"].fillna(1).sum()) if "count" in found else len(found)
    assert shown == held, f"The tile tells of {shown:,} buildings, not of {held:,}."
    text = f"Zoom {z}: {held:,} buildings lie in the first tile; ours tells of all, in {len(found):,} shapes"
    if has_tipg:
        with _tipg(release) as port:
            text += f"; tipg's of {len(_read(port, _tipg_path(release, tile), tile)):,}"
    report.note(text + ".")


def _read(port: int, path: str, tile: Tile):  # type: ignore[no-untyped-def]
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    client.request("GET", path)
    data = client.getresponse().read()
    z, x, y = tile
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / str(z) / str(x) / f"{y}.mvt"
        file.parent.mkdir(parents=True)
        file.write_bytes(data)
        return read_tile(file, CLIP="NO")[1]


if __name__ == "__main__":
    raise SystemExit("Run python -m tests.benchmarks --only tiles.")
