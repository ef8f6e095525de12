"""What all tests stand on, made once for a whole run: databases to copy, and the files that belong to them.

Whoever needs one first makes it, the others wait for it; from then on nobody opens it: each copies it, within the cluster
(``CREATE DATABASE … TEMPLATE …``), together with its files.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from tests.environment import CLUSTER, REAL_DATA, ROOT, SHARED

PASSWORD = "a-password-for-tests-only"  # noqa: S105

DEMO = "prepared_demo"
"""What ``manage.py serve --demo`` leaves when it is started for the first time."""
LOADED = "prepared_loaded"
"""The demo city and, where its data are, São Vicente; no run of an analysis is recorded."""


def copied(name: str, target: str, folder: Path) -> None:
    """Copy a prepared database, and its rasters into a folder of the copy's own."""
    make_once(name)
    database_copy(name, target)
    rasters_copy(name, folder)


def rasters_copy(name: str, folder: Path) -> None:
    """Copy the rasters that a prepared database names."""
    rasters = SHARED / name / "rasters"
    if rasters.is_dir():
        shutil.copytree(rasters, folder / "rasters")


def demo_folder() -> Path:
    """Return the folder of the demo city's files; nobody may write into it."""
    make_once(DEMO)
    return SHARED / DEMO / "demo"


def database_copy(source: str, target: str) -> None:
    """Make a database that is the same as one that nobody has open."""
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(target), sql.Identifier(source))
    with psycopg.connect(CLUSTER.url("postgres"), autocommit=True) as connection:
        connection.execute(statement)


def database_drop(name: str) -> None:
    """Take a database away, whoever has it open."""
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    with psycopg.connect(CLUSTER.url("postgres"), autocommit=True) as connection:
        connection.execute(statement)


def make_once(name: str) -> None:
    """Make what is to be copied, unless it was made in this run; one process at a time."""
    with (SHARED / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = SHARED / f"{name}.done"
        if done.exists():
            return
        database_drop(name)  # of a process that failed at it
        shutil.rmtree(SHARED / name, ignore_errors=True)
        _MAKERS[name](name, SHARED / name)
        done.touch()


def _demo_make(name: str, folder: Path) -> None:
    """Start the service as `make run` does on a machine that has nothing yet, and stop it when it answers."""
    CLUSTER.ensure_database(name)
    folder.mkdir()
    with served(name, folder):
        pass


def _loaded_make(name: str, folder: Path) -> None:
    make_once(DEMO)
    database_copy(DEMO, name)
    shutil.copytree(SHARED / DEMO / "rasters", folder / "rasters")
    if REAL_DATA.is_dir():
        cities = ROOT / "fixtures" / "cities"
        _run(name, folder, "load_city", str(cities / "sao-vicente.toml"), "--data", str(REAL_DATA / "sao_vicente"))
    with psycopg.connect(CLUSTER.url(name), autocommit=True) as connection:
        connection.execute("DELETE FROM analysis_indexedition")  # published by `build_demo`
        connection.execute("DELETE FROM analysis_run")  # `load_city` records two for each city


_MAKERS: dict[str, Callable[[str, Path], None]] = {DEMO: _demo_make, LOADED: _loaded_make}


def _run(database: str, folder: Path, *arguments: str) -> None:
    result = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT, env=environment_of(database, folder), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr


def environment_of(database: str, folder: Path) -> dict[str, str]:
    """The environment of a process that works on a database and a folder."""
    return {**os.environ, "DATABASE_URL": CLUSTER.url(database), "MAHALLEH_VAR": str(folder)}


@contextmanager
def served(database: str, folder: Path) -> Iterator[str]:
    """Serve a database and a folder with `manage.py serve --demo`; gives the address, once it answers."""
    (folder / "static").symlink_to(ROOT / "var" / "static")
    (folder / "demo-password").write_text(PASSWORD)
    environment = environment_of(database, folder) | {"MAHALLEH_ENV": "development"}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    log = folder / "server.log"
    with log.open("w") as out:
        server = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--demo", "--port", str(port)],
            cwd=ROOT, env=environment, stdout=out, stderr=out,
        )  # fmt: skip
    base = f"http://127.0.0.1:{port}"
    try:
        for _ in range(6000):  # a busy machine takes long; a server that died is told at once
            assert server.poll() is None, log.read_text()
            try:
                urllib.request.urlopen(f"{base}/healthz", timeout=2).read()
                break
            except OSError:
                time.sleep(0.1)
        else:
            raise AssertionError(f"The server does not answer:\n{log.read_text()}")
        yield base
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=30) == 0, log.read_text()
