"""``python -m tests.load.imports [--imports 20] [--seed 1]``: imports whose worker and database are killed at random moments.

Starts a durable database cluster and ``manage.py serve`` of its own, brings file after file over the JSON interface, and kills
the worker, the process that reads, or the database with SIGKILL (or ``pg_ctl stop -m immediate``) at a random moment of each
import. Afterwards every import must be stored once and whole, and nothing may be left over: no half release, no table of a
release that is not there, no file, no job. Prints a table; the exit status is 1 where that does not hold.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import shapely
from affine import Affine
from pyogrio import raw as pyogrio_raw

from tests.load.service import ROOT, Service, children, service

TOKEN = "t" * 32
VICTIMS = ("worker", "database", "reader", "worker", "database at once")
ENDED = ("stored", "failed", "cancelled")
MOST_WAIT_S = 180.0


@dataclass
class Imports:
    """A service with ``manage.py serve`` in front, and somebody signed in."""

    service: Service
    environment: dict[str, str]
    session: str = ""
    serving: subprocess.Popen[bytes] | None = None
    _beside: subprocess.Popen[str] | None = None

    # ---- the service

    def serve(self) -> None:
        """Start the whole service, worker included, and wait until it answers."""
        with self.log.open("ab") as log:
            self.serving = subprocess.Popen(
                [sys.executable, "manage.py", "serve", "--port", str(self.service.port), "--threads", "4"],
                env=self.environment, cwd=ROOT, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        until = time.monotonic() + 120
        while time.monotonic() < until:
            if self.serving.poll() is not None:
                raise RuntimeError(f"The service ended:\n{self.log.read_text()[-3000:]}")
            with suppress(OSError, http.client.HTTPException):
                if self.once("GET", "/healthz")[0] == 200 and self.worker() is not None:
                    return
            time.sleep(0.2)
        raise RuntimeError(f"The service does not answer:\n{self.log.read_text()[-3000:]}")

    @property
    def log(self) -> Path:
        """What the service said."""
        return self.service.var / "serve.log"

    def stop(self) -> None:
        """Stop the service as an administrator does."""
        if self.serving is not None and self.serving.poll() is None:
            self.serving.terminate()
            try:
                self.serving.wait(timeout=40)
            except subprocess.TimeoutExpired:
                os.killpg(self.serving.pid, signal.SIGKILL)
                self.serving.wait()

    def worker(self) -> int | None:
        """Return the worker's process; None while there is none."""
        try:
            pid = int((self.service.var / "worker.pid").read_text())
        except (OSError, ValueError):
            return None
        return pid if Path(f"/proc/{pid}").exists() else None

    def readers(self) -> list[int]:
        """Return the processes of the worker that read files, the one that waits among them."""
        pid = self.worker()
        return children(pid) if pid is not None else []

    def kill(self, victim: str) -> None:
        """Kill a part of the service without a word; a database is started again after a moment."""
        if victim == "worker":
            pid = self.worker()
            if pid is not None:
                os.kill(pid, signal.SIGKILL)
        elif victim == "reader":
            for pid in self.readers():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        else:
            self.service.kill_database(is_immediate=victim == "database at once")
            time.sleep(0.5)
            self.service.start_database()

    # ---- what is asked of it

    def once(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Ask once."""
        connection = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=60)
        try:
            cookies = {"Cookie": f"sessionid={self.session}; csrftoken={TOKEN}", "X-CSRFToken": TOKEN}
            connection.request(method, path, body, cookies | (headers or {}))
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        is_json = "json" in response.headers.get("Content-Type", "")
        return response.status, json.loads(content) if is_json and content else content

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Ask until the service answers otherwise than that its database is away."""
        until = time.monotonic() + MOST_WAIT_S
        while time.monotonic() < until:
            with suppress(OSError, http.client.HTTPException):
                status, answered = self.once(method, path, body, headers)
                if status != 503:
                    return status, answered
            time.sleep(0.3)
        raise RuntimeError(f"{method} {path} is not answered:\n{self.log.read_text()[-3000:]}")

    def bring(self, path: Path, **texts: str) -> dict[str, Any]:
        """Send a file; return the upload."""
        mark = uuid.uuid4().hex
        parts = [
            f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'.encode()
            for name, text in texts.items()
        ]
        head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{path.name}"\r\n\r\n'.encode()
        body = b"".join([*parts, head, path.read_bytes(), f"\r\n--{mark}--\r\n".encode()])
        headers = {"Content-Type": f"multipart/form-data; boundary={mark}"}
        status, answered = self.ask("POST", "/api/v1/cities/killed/uploads", body, headers)
        if status != 201:
            raise RuntimeError(f"The file was not taken: {status} {answered}")
        made: dict[str, Any] = answered
        return made

    def read(self, address: str) -> dict[str, Any]:
        """Read how an upload stands."""
        status, answered = self.ask("GET", address)
        if status != 200:
            raise RuntimeError(f"{address} gives {status}: {answered}")
        found: dict[str, Any] = answered
        return found

    def wait(self, address: str, *states: str, most_s: float = MOST_WAIT_S) -> dict[str, Any]:
        """Wait until an upload is in one of these states, or over."""
        until = time.monotonic() + most_s
        while time.monotonic() < until:
            found = self.read(address)
            if found["state"] in (*states, *ENDED):
                return found
            time.sleep(0.15)
        raise RuntimeError(f"{found['state']} since {most_s} s:\n{self.log.read_text()[-3000:]}")

    def post(self, address: str, step: str, version: int | None = None) -> tuple[int, Any]:
        """Have an upload stored or cancelled."""
        headers = {"Content-Type": "application/json"} | ({"If-Match": f'"{version}"'} if version is not None else {})
        return self.ask("POST", f"{address}/{step}", b"", headers)

    def store(self, address: str) -> None:
        """Have an upload stored; an answer may be lost, so it is asked again until it is on its way."""
        while (found := self.read(address))["state"] == "examined":
            status, answered = self.post(address, "store", found["version"])
            if status not in (202, 409, 412):
                raise RuntimeError(f"Storing gives {status}: {answered}")

    def store_again(self, address: str) -> None:
        """Have an upload stored that failed for no fault of its file."""
        status, answered = self.post(address, "store", self.read(address)["version"])
        if status != 202:
            raise RuntimeError(f"Storing gives {status}: {answered}")

    def standing(self) -> dict[str, Any]:
        """Return what is there."""
        return self.beside("standing")

    def beside(self, what: str) -> dict[str, Any]:
        """Ask the process beside the service, which is started by the first question."""
        if self._beside is None:
            self._beside = subprocess.Popen(
                [sys.executable, "-m", "tests.load.imports_side"], env=self.service.environment, cwd=ROOT,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
        assert self._beside.stdin is not None
        assert self._beside.stdout is not None
        self._beside.stdin.write(f"{what}\n")
        self._beside.stdin.flush()
        line = self._beside.stdout.readline()
        if not line:
            raise RuntimeError("The process beside the service has ended.")
        found: dict[str, Any] = json.loads(line)
        return found

    def end_beside(self) -> None:
        """Let the process beside the service end."""
        if self._beside is not None:
            self._beside.communicate()


@contextmanager
def imports(**environment: str) -> Iterator[Imports]:
    """Make a service with a city and somebody who brings data; all of it is gone afterwards."""
    with service() as made:
        running = Imports(made, made.environment | environment)
        try:
            running.serve()
            running.session = running.beside("city")["session"]
            yield running
        finally:
            running.end_beside()
            running.stop()


# ---- files


def areas_file(path: Path, n: int, seed: int) -> Path:
    """Write small squares with a number each, as a GeoPackage."""
    rng = np.random.default_rng(seed)
    x, y = 48.25 + rng.random(n) * 0.2, 33.42 + rng.random(n) * 0.15
    shapes = shapely.to_wkb(shapely.box(x, y, x + 1e-4, y + 1e-4))
    names = np.array([f"بنا {i}" for i in range(n)], dtype=object)
    pyogrio_raw.write(
        path, shapes, [names, np.arange(n, dtype=np.int64) + seed], ["نام", "cap"], geometry_type="Polygon",
        driver="GPKG", crs="EPSG:4326", layer="areas",
    )  # fmt: skip
    return path


def people_file(path: Path, seed: int) -> Path:
    """Write a raster of people."""
    values = np.random.default_rng(seed).random((1500, 1200)).astype(np.float32)
    with rasterio.open(
        path, "w", driver="GTiff", width=1200, height=1500, count=1, dtype="float32", crs="EPSG:32639", nodata=-1,
        transform=Affine(10, 0, 250_000, 0, -10, 3_710_000),
    ) as file:  # fmt: skip
        file.write(values, 1)
    return path


# ---- killing


@dataclass
class Line:
    """One import."""

    number: int
    victim: str
    moment: str
    hit: bool
    seconds: float
    state: str
    rows: int


@dataclass
class Report:
    """What came of all imports."""

    lines: list[Line] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def table(self) -> str:
        """Say it."""
        head = f"{'import':>6}  {'killed':<17} {'while':<22} {'hit':<4} {'took':>7}  {'rows':>8}  state"
        rows = [
            f"{line.number:>6}  {line.victim:<17} {line.moment:<22} {'yes' if line.hit else 'no':<4} {line.seconds:>5.1f} s  "
            f"{line.rows:>8,}  {line.state}"
            for line in self.lines
        ]
        return "\n".join([head, *rows])


def imports_killed(running: Imports, n: int, seed: int, *, rows: int = 30_000, say: Any = lambda _: None) -> Report:
    """Bring files, kill a part of the service at a random moment of each import, and judge what is there afterwards."""
    random_ = random.Random(seed)
    report = Report()
    folder = Path(tempfile.mkdtemp(prefix="mahalleh-imports-"))
    wanted: dict[str, int] = {}
    try:
        times = _measured(running, folder, rows)
        for number in range(n):
            is_raster = number % 5 == 4
            layer = "people" if is_raster else f"areas-{number // 2}"
            size = random_.choice([rows // 3, rows, 2 * rows])
            path = (
                people_file(folder / f"p{number}.tif", 100 + number)
                if is_raster
                else areas_file(folder / f"a{number}.gpkg", size, 100 + number)
            )
            step = random_.choice(["examined", "stored", "stored"])
            victim = VICTIMS[number % len(VICTIMS)]
            delay_s = random_.random() * times[step] * (1 if is_raster else size / rows)
            line = _one(running, number, path, layer, victim, step, delay_s)
            line.rows = 0 if is_raster else size
            report.lines.append(line)
            wanted[line.moment + str(number)] = line.rows
            say(report.table().splitlines()[-1])
            path.unlink()
        report.missed = judged(running.standing(), n + 1, sum(wanted.values()) + rows)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return report


def _measured(running: Imports, folder: Path, rows: int) -> dict[str, float]:
    """Import one file in peace; return how long its steps take."""
    path = areas_file(folder / "first.gpkg", rows, 1)
    upload = running.bring(path, **texts_for(running, "first"))
    began = time.monotonic()
    running.wait(upload["address"], "examined")
    examined = time.monotonic()
    running.store(upload["address"])
    found = running.wait(upload["address"], "stored")
    if found["state"] != "stored":
        raise RuntimeError(f"An import fails in peace: {found['problem']}")
    return {"examined": examined - began, "stored": time.monotonic() - examined}


def texts_for(running: Imports, layer: str) -> dict[str, str]:
    """Return the parts of a form for a layer, which is made by the first file for it."""
    exists = any(key.startswith(f"{layer}/") for key in running.standing()["releases"])
    new = {"code": layer, "theme": "health", "name_fa": "لایه", "name_en": "Layer", "source": "test"}
    return {"reference_date": "2026-03-21"} | ({"layer": layer} if exists else {"new_layer": json.dumps(new)})


def _one(running: Imports, number: int, path: Path, layer: str, victim: str, step: str, delay_s: float) -> Line:
    upload = running.bring(path, **texts_for(running, layer))
    began = time.monotonic()
    address, seen = upload["address"], ""
    if step == "stored":
        running.wait(address, "examined")
        running.store(address)
    killer = threading.Timer(delay_s, lambda: None)
    killer.start()
    killer.join()
    with suppress(OSError, http.client.HTTPException):
        status, found = running.once("GET", address)
        seen = f"{found['state']} {found['step']}".strip() if status == 200 else ""
    running.kill(victim)
    if step == "examined":
        running.wait(address, "examined")
        running.store(address)
    found = running.wait(address, "stored")
    hit = seen.split(" ")[0] in ("received", "examining", "storing")
    return Line(number + 1, victim, seen, hit, time.monotonic() - began, found["state"], 0)


def judged(there: dict[str, Any], n: int, rows: int) -> list[str]:
    """Return what is not as it must be after all imports are over.

    Parameters
    ----------
    there : dict
        What `Imports.standing` says.
    n, rows : int
        Imports, and the rows of all of them.
    """
    missed = [f"An upload is {state}." for state in there["uploads"].values() if state != "stored"]
    missed += [f"A problem was told: {problem}" for problem in there["problems"]]
    releases = there["releases"]
    if len(releases) != n or len(there["uploads"]) != n:
        missed.append(f"{n} imports made {len(there['uploads'])} uploads and {len(releases)} releases.")
    for name, release in releases.items():
        if not release["raster"] and release["rows"] != release["said"]:
            missed.append(f"{name} says {release['said']} rows and has {release['rows']}.")
    stored = sum(release["rows"] for release in releases.values())
    if stored != rows or there["rows_in_all"] != rows:
        missed.append(f"{rows} rows were brought, {stored} are of releases, {there['rows_in_all']} are there.")
    tables = sorted(release["table"] for release in releases.values() if release["table"])
    if tables != there["tables"] or there["loose_tables"]:
        missed.append(f"Tables of no release: {there['loose_tables']} {set(there['tables']) ^ set(tables)}.")
    for what in ("jobs", "loose_rasters", "missing_rasters"):
        missed += [f"Left over ({what}): {name}" for name in there[what]]
    missed += [f"Left over: {name}" for name in there["upload_files"] if name != "incoming"]
    return missed


def main(arguments: list[str] | None = None) -> int:
    """Run and judge; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--imports", type=int, default=20, help="files to bring, each with a kill; 20 by default")
    parser.add_argument("--rows", type=int, default=30_000, help="of a middling file; 30,000 by default")
    parser.add_argument("--seed", type=int, default=1, help="of all that is random; 1 by default")
    options = parser.parse_args(arguments)
    with imports() as running:
        print(Report().table(), flush=True)
        say = lambda text: print(text, flush=True)  # noqa: E731
        report = imports_killed(running, options.imports, options.seed, rows=options.rows, say=say)
    for text in report.missed[:40]:
        print(f"Missed: {text}", file=sys.stderr)
    hits = sum(line.hit for line in report.lines)
    print(f"{hits} of {len(report.lines)} kills struck a running import; {len(report.missed)} requirements missed.")
    return 1 if report.missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
