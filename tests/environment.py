"""The environment of the tests: a throwaway cluster and folder, named before Django reads its settings.

Loaded by ``-p tests.environment`` in pyproject.toml, because pytest-django reads the settings before any conftest.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from config.cluster import Cluster, throwaway_cluster

ROOT = Path(__file__).resolve().parent.parent
REAL_DATA = Path(os.environ.get("MAHALLEH_DATA") or ROOT.parent / "shared" / "data")
VAR = Path(tempfile.mkdtemp(prefix="mahalleh-var-"))
CLUSTER: Cluster = throwaway_cluster()

os.environ.pop("MAHALLEH_DEBUG", None)
os.environ.update(
    DJANGO_SETTINGS_MODULE="config.settings",
    MAHALLEH_ENV="test",
    MAHALLEH_VAR=str(VAR),
    DATABASE_URL=CLUSTER.url(),
)


def pytest_configure(config: pytest.Config) -> None:
    """Start the cluster, and let the service find the collected static files."""
    CLUSTER.start()
    CLUSTER.ensure_database()
    static = ROOT / "var" / "static"
    if not static.is_dir():
        pytest.exit("Static files are not collected: run `make test`, or `make setup` first.", returncode=3)
    (VAR / "static").symlink_to(static)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop and remove the cluster."""
    CLUSTER.wipe()
    shutil.rmtree(VAR, ignore_errors=True)
