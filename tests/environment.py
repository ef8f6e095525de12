"""The environment of the tests: a throwaway cluster and folders, named before Django reads its settings.

Loaded by ``-p tests.environment`` in pyproject.toml, because pytest-django reads the settings before any conftest.

One cluster serves a whole run: the process that was started makes it and takes it away, and the workers it starts (``-n``)
are told of it. Each worker has databases and a folder of its own in it; what they share is made once and never changed
(`tests.prepared`).
"""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from config.cluster import Cluster, throwaway_cluster

ROOT = Path(__file__).resolve().parent.parent
REAL_DATA = Path(os.environ.get("MAHALLEH_DATA") or ROOT.parent / "shared" / "data")
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
"""The name of this worker; empty in the process that was started, which alone makes and takes away what all share."""
_TOLD = "MAHALLEH_TEST_RUN"


def _the_run() -> tuple[Cluster, Path]:
    """Return the cluster of this run and the folder that its processes share."""
    if WORKER:
        root, sockets, shared = map(Path, os.environ[_TOLD].split(os.pathsep))
        return Cluster(root, sockets, durable=False), shared
    cluster = throwaway_cluster()
    shared = Path(tempfile.mkdtemp(prefix="mahalleh-shared-"))
    os.environ[_TOLD] = os.pathsep.join(map(str, (cluster.root_dir, cluster.socket_dir, shared)))
    return cluster, shared


CLUSTER, SHARED = _the_run()
VAR = Path(tempfile.mkdtemp(prefix="mahalleh-var-"))

os.environ.pop("MAHALLEH_DEBUG", None)
os.environ.update(
    DJANGO_SETTINGS_MODULE="config.settings",
    MAHALLEH_ENV="test",
    MAHALLEH_VAR=str(VAR),
    DATABASE_URL=CLUSTER.url(),
)
# What Python compiles is kept, whatever the shell says: each worker would compile all tests, each child all of the service.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# What numba compiles outlives the run.
os.environ.setdefault("NUMBA_CACHE_DIR", str(ROOT / "var" / "cache" / "numba"))


gc.disable()  # until the tests are collected: what makes them stays, and there are over a million objects of it


def pytest_collection_finish(session: pytest.Session) -> None:
    """Collect garbage from here on, less often than Python does, and look no more at what stays until the end."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 10)
    gc.enable()


def pytest_configure(config: pytest.Config) -> None:
    """Start the cluster, and let the service find the collected static files."""
    static = ROOT / "var" / "static"
    if not static.is_dir():
        pytest.exit("Static files are not collected: run `make test`, or `make setup` first.", returncode=3)
    (VAR / "static").symlink_to(static)
    if not WORKER:
        CLUSTER.start()
        CLUSTER.ensure_database()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Take away what this process made: the cluster, too, where it is the one that was started."""
    shutil.rmtree(VAR, ignore_errors=True)
    if not WORKER:
        CLUSTER.wipe()
        shutil.rmtree(SHARED, ignore_errors=True)
