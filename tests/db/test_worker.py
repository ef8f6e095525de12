"""The worker as a process: files go through it, people cancel, files exhaust it; it and the database are killed, and nothing is lost.

A service of its own: a database cluster that keeps what it acknowledges, ``manage.py serve`` with its worker, and a client over HTTP.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from pyogrio import raw as pyogrio_raw

from tests.load.imports import Imports, areas_file, imports, imports_killed, texts_for
from tests.load.service import ROOT

MOST_S = 60.0


@pytest.fixture(scope="module")
def running() -> Iterator[Imports]:
    """The service, with little memory and time for a file; its worker reads one file at a time."""
    with imports(MAHALLEH_IMPORT_MEMORY_MB="300", MAHALLEH_IMPORT_SECONDS="12", MAHALLEH_WORKER_JOBS="1") as made:
        yield made


def until(holds: Callable[[], Any], what: str, most_s: float = MOST_S) -> Any:
    """Wait until something holds, and return it."""
    ends = time.monotonic() + most_s
    while time.monotonic() < ends:
        found = holds()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"Not in {most_s} s: {what}")


def busy_reader(running: Imports) -> int:
    """Return the process that reads a file: the older of those of the worker, the other waits."""
    return min(
        running.readers(), key=lambda pid: int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    )


def examined(running: Imports, path: Path, layer: str) -> dict[str, Any]:
    upload = running.bring(path, **texts_for(running, layer))
    return running.wait(upload["address"], "examined", most_s=MOST_S)


def frozen_while(running: Imports, address: str, state: str) -> int:
    """Stop the process that works on an upload as soon as it does, so that nothing is over before the test is; return it."""
    until(lambda: running.once("GET", address)[1]["state"] == state, state)
    reader = busy_reader(running)
    os.kill(reader, signal.SIGSTOP)
    assert running.read(address)["state"] == state, "It was over before it could be stopped."
    return reader


def test_imports_survive_kills(running: Imports) -> None:
    """The worker, the reading process and the database, each killed in the midst of an import."""
    report = imports_killed(running, 3, seed=12, rows=12_000)
    assert report.missed == [], report.table()
    assert sum(line.hit for line in report.lines) >= 2, report.table()
    there = running.standing()
    assert there["tables"], "None of the releases had a table of its own."


def test_cancelling_while_it_is_stored_leaves_nothing(running: Imports, tmp_path: Path) -> None:
    before = running.standing()
    upload = examined(running, areas_file(tmp_path / "a.gpkg", 60_000, 11), "cancelled")
    running.store(upload["address"])
    reader = frozen_while(running, upload["address"], "storing")
    status, answered = running.post(upload["address"], "cancel")
    assert (status, answered["state"]) == (200, "cancelled")
    until(lambda: not Path(f"/proc/{reader}").exists() or "Z" in state_of(reader), "the process is gone", 10)
    until(lambda: not running.standing()["upload_files"][1:], "its files are gone")
    after = running.standing()
    assert after["releases"] == before["releases"]
    assert after["rows_in_all"] == before["rows_in_all"]
    assert after["loose_tables"] == []
    follows = examined(running, areas_file(tmp_path / "b.gpkg", 500, 12), "follows")
    running.store(follows["address"])
    assert running.wait(follows["address"], "stored")["state"] == "stored", "The worker goes on with the next."


def state_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def test_progress_is_told_while_it_runs(running: Imports, tmp_path: Path) -> None:
    upload = examined(running, areas_file(tmp_path / "a.gpkg", 150_000, 13), "progress")
    running.store(upload["address"])
    seen = []
    while (found := running.read(upload["address"]))["state"] == "storing":
        seen.append((found["step"], found["done"], found["of"]))
        time.sleep(0.1)
    assert found["state"] == "stored", found["problem"]
    counted = [(done, of) for step, done, of in seen if step == "storing"]
    assert any(0 < done < of == 150_000 for done, of in counted), seen
    assert counted == sorted(counted)


def test_a_file_that_takes_too_long_is_given_up(running: Imports, tmp_path: Path) -> None:
    upload = examined(running, areas_file(tmp_path / "a.gpkg", 60_000, 14), "slow")
    running.store(upload["address"])
    frozen_while(running, upload["address"], "storing")
    found = running.wait(upload["address"], "stored", most_s=MOST_S)
    assert (found["state"], found["problem"]["code"], found["problem"]["status"]) == ("failed", "too_much_time", 413)
    assert not any(name.startswith("slow/") for name in running.standing()["releases"])
    running.store_again(upload["address"])
    assert running.wait(upload["address"], "stored")["state"] == "stored", "It can be tried again."


def test_a_file_that_takes_too_much_memory_kills_nothing_else(running: Imports, tmp_path: Path) -> None:
    """One row of half a gigabyte: its reader runs into the limit of its memory, the worker lives on."""
    path = tmp_path / "heavy.gpkg"
    shape = shapely.linestrings(np.column_stack([48.3 + np.linspace(0, 0.1, 16_000_000), np.full(16_000_000, 33.45)]))
    pyogrio_raw.write(
        path, np.array([shapely.to_wkb(shape)], dtype=object), [np.array(["x"], dtype=object)], ["نام"],
        geometry_type="LineString", driver="GPKG", crs="EPSG:4326",
    )  # fmt: skip
    del shape
    worker = running.worker()
    upload = running.bring(path, **texts_for(running, "heavy"))
    found = running.wait(upload["address"], "examined", most_s=MOST_S)
    told = [found["problem"]] if found["problem"] else found["report"]["problems"]
    assert found["state"] == "failed" or not found["report"]["is_loadable"], found
    assert told[0]["remedy"]
    assert running.worker() == worker
    running.post(upload["address"], "cancel")


APART = """
import sys
from layers.jobs.child import limit, outcome
import django; django.setup()
def memory(): return {"n": len(bytearray(1_000_000_000))}
def disk():
    with open(sys.argv[1], "wb") as file:
        for _ in range(100): file.write(bytes(1_000_000))
def little(): return {"n": len(bytearray(10_000_000))}
def time():
    while True: pass
limit(100_000_000, int(sys.argv[2]), 20_000_000)
for what in sys.argv[3:]: print(what, outcome(globals()[what]), flush=True)
"""


@pytest.mark.parametrize(
    ("seconds", "said", "status"),
    [
        (30, {"memory": {"exhausted": "memory"}, "disk": {"exhausted": "disk"}, "little": {"result": {"n": 10_000_000}}}, 0),
        (1, {"time": None}, -signal.SIGXCPU),
    ],
)  # fmt: skip
def test_the_kernel_holds_a_reader_to_its_limits(
    tmp_path: Path, seconds: int, said: dict[str, Any], status: int
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", APART, str(tmp_path / "large"), str(seconds), *said], cwd=ROOT, capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip
    told = [f"{what} {outcome}" for what, outcome in said.items() if outcome]
    assert (ended.stdout.splitlines(), ended.returncode) == (told, status), ended.stderr
    assert not (tmp_path / "large").exists() or (tmp_path / "large").stat().st_size <= 20_000_000


def test_a_job_outlives_a_worker_that_is_stopped(running: Imports, tmp_path: Path) -> None:
    """The whole service is stopped while a file is stored, and started again: then it is stored."""
    upload = examined(running, areas_file(tmp_path / "a.gpkg", 60_000, 15), "stopped")
    running.store(upload["address"])
    frozen_while(running, upload["address"], "storing")
    worker, readers = running.worker(), running.readers()
    running.stop()
    assert running.serving is not None
    assert running.serving.returncode == 0
    for pid in (worker, *readers):
        assert pid is not None
        until(lambda pid=pid: state_of(pid) == "Z", "every process is gone", 10)
    assert not (running.service.var / "worker.pid").exists()
    assert running.standing()["uploads"][upload["id"]] == "storing"
    running.serve()
    assert running.wait(upload["address"], "stored")["state"] == "stored"


def test_a_dead_worker_is_started_again_and_its_readers_die_with_it(running: Imports) -> None:
    worker = running.worker()
    readers = until(running.readers, "a reader waits")
    assert worker is not None
    os.kill(worker, signal.SIGKILL)
    for pid in readers:
        until(lambda pid=pid: state_of(pid) == "Z", "the reader is gone", 10)
    until(lambda: running.worker() not in (None, worker), "there is a new worker", 20)


def test_a_worker_ends_when_there_is_nothing_left_to_do(running: Imports) -> None:
    ended = subprocess.run(
        [sys.executable, "manage.py", "work", "--until-idle"], env=running.environment, cwd=ROOT, timeout=60, check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr


def test_no_file_is_left_when_all_is_over(running: Imports) -> None:
    for key, state in running.standing()["uploads"].items():
        if state not in ("stored", "cancelled"):
            running.post(f"/api/v1/uploads/{key}", "cancel")
    there = until(lambda: (found := running.standing())["upload_files"] == ["incoming"] and found, "no files are left")
    assert (there["jobs"], there["loose_rasters"], there["loose_tables"]) == ([], [], [])
    assert json.dumps(there["releases"])
