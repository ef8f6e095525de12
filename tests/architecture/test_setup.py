"""The set-up tells a PostgreSQL without PostGIS from one that has it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ASK = """
import sys
from pathlib import Path
from config import cluster, setup
glob = Path.glob
# Debian's own folder is left out, so that only the one on the search path is asked.
Path.glob = lambda self, *a, **k: iter(()) if str(self) == "/usr/lib/postgresql" else glob(self, *a, **k)
print(setup.has_postgis())
"""


@pytest.mark.parametrize(
    "extension", [None, "share/extension", "share/pgsql/extension", "share/postgresql/17/extension"]
)
def test_an_initdb_without_postgis_beside_it_does_not_do(tmp_path: Path, extension: str | None) -> None:
    (tmp_path / "bin").mkdir()
    shutil.copy(shutil.which("true") or "/bin/true", tmp_path / "bin" / "initdb")
    if extension:
        (tmp_path / extension).mkdir(parents=True)
        (tmp_path / extension / "postgis.control").touch()
    said = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=ROOT,
        env={"PATH": str(tmp_path / "bin")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == str(extension is not None)
