"""An import killed midway leaves nothing behind: no row of any table, no raster that a release names and that is not whole.

The import runs as a process of its own on a database of its own, is killed with SIGKILL at several moments told by what it
says, and succeeds when it is run again.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import rasterio

from tests.benchmarks.city import PLACES, described
from tests.environment import CLUSTER, ROOT

DATABASE = "imports_killed"
LAYERS = ("population", "clinic", "park", "water-mains", "buildings")
TABLES = (
    "geo_place", "geo_boundary", "geo_changeset", "layers_layer", "layers_release", "layers_feature", "layers_raster",
    "layers_supply", "layers_populationsource", "layers_standard", "analysis_index", "analysis_indicator",
    "analysis_weight", "analysis_run",
)  # fmt: skip


@dataclass(frozen=True)
class Service:
    """A database with the taxonomy alone, a folder for files, and the city's files."""

    var: Path
    files: Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DATABASE_URL": CLUSTER.url(DATABASE),
            "MAHALLEH_VAR": str(self.var),
            "PYTHONUNBUFFERED": "1",
        }

    @property
    def rasters(self) -> Path:
        return self.var / "rasters"

    def manage(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        return subprocess.Popen(
            command, env=self.environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )

    def done(self, *arguments: str) -> str:
        """Run a command to its end, which must be good, and return what it said."""
        process = self.manage(*arguments)
        _, said = process.communicate(timeout=240)
        assert process.returncode == 0, said
        return said

    def load(self) -> subprocess.Popen[str]:
        return self.manage("load_city", str(self.files / "city.toml"))

    def killed_after(self, words: str, delay_s: float = 0.0) -> None:
        """Start loading, and kill the process as soon as it has said these words (and a little later)."""
        process = self.load()
        assert process.stderr is not None
        for line in process.stderr:
            if words in line:
                time.sleep(delay_s)
                break
        else:
            raise AssertionError(f"The import never said {words!r}.")
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL, "The import was over before it could be killed."
        self.wait_for_the_server()

    def killed_before(self, table: str, mode: str = "ACCESS EXCLUSIVE") -> None:
        """Start loading with a table locked, and kill the process when it waits for that table."""
        with psycopg.connect(CLUSTER.url(DATABASE)) as connection:
            connection.execute(f"LOCK TABLE {table} IN {mode} MODE")
            self.killed_when(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
        self.wait_for_the_server()

    def killed_when(self, counted: str) -> None:
        """Start loading, and kill the process as soon as a query counts something."""
        process = self.load()
        with psycopg.connect(CLUSTER.url(DATABASE), autocommit=True) as watch:
            while watch.execute(counted).fetchone() == (0,):
                assert process.poll() is None, "The import was over before it could be killed."
                time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL, "The import was over before it could be killed."

    def wait_for_the_server(self) -> None:
        """Wait until PostgreSQL has noticed that its client is gone."""
        with psycopg.connect(CLUSTER.url(DATABASE), autocommit=True) as connection:
            for _ in range(300):
                others = connection.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    " AND backend_type = 'client backend'"
                ).fetchone()
                if others == (0,):
                    return
                time.sleep(0.1)
        raise AssertionError("The server still works for the killed import.")

    def contents(self) -> dict[str, tuple[int, str]]:
        """Number and hash of the rows of every table, and the tables that large releases have of their own."""
        found = {}
        with psycopg.connect(CLUSTER.url(DATABASE)) as connection:
            for table in TABLES:
                key = "t.release_id, t.number" if table == "layers_feature" else "t.id"
                found[table] = connection.execute(
                    f"SELECT count(*), md5(coalesce(string_agg(md5(t::text), '' ORDER BY {key}), '')) FROM {table} AS t"
                ).fetchone()
            found["tables"] = connection.execute(
                "SELECT count(*), md5(coalesce(string_agg(relname, ' ' ORDER BY relname), '')) FROM pg_class"
                " WHERE relkind = 'r' AND relname LIKE 'layers_feature%'"
            ).fetchone()
        return found

    def counts(self) -> dict[str, int]:
        return {table: rows for table, (rows, _) in self.contents().items()}

    def assert_rasters_are_whole(self) -> None:
        """Every raster that a release names can be read to its last pixel, and adds up to what is stored of it."""
        with psycopg.connect(CLUSTER.url(DATABASE)) as connection:
            named = dict(connection.execute("SELECT file, total FROM layers_raster").fetchall())
        for name, total in named.items():
            with rasterio.open(self.rasters / name) as file:
                assert file.read(1).sum() == pytest.approx(total, rel=1e-5)
        for path in self.rasters.glob("[!.]*.tif") if self.rasters.is_dir() else []:
            with rasterio.open(path) as file:  # not named by a release, and yet never half a file under its final name
                assert file.read(1).size == file.width * file.height


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, demo_files: Path) -> Iterator[Service]:
    """Make the database and the files once; the tests below run in order, the last one loads for good."""
    folder = tmp_path_factory.mktemp("killed")
    made = Service(folder / "var", folder / "files")
    made.var.mkdir()
    CLUSTER.ensure_database(DATABASE)
    made.done("migrate", "-v0")
    made.done("load_taxonomy")
    made.files.mkdir()
    for file in sorted(demo_files.iterdir()):
        if file.stem in {*PLACES, *LAYERS}:
            shutil.copy(file, made.files)
    (made.files / "city.toml").write_text(described(LAYERS), encoding="utf-8")
    yield made
    with psycopg.connect(CLUSTER.url("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
    shutil.rmtree(folder, ignore_errors=True)


MOMENTS = {
    "while reading the first file": ("districts.fgb", 0.0),
    "while reading the largest file": ("water-mains.fgb", 0.05),
    "after the places": ("Placed 288 neighbourhoods.", 0.0),
    "after the raster": ("Stored population", 0.0),
    "after all but the largest layer": ("Stored water-mains", 0.0),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_first_import_killed_leaves_nothing(service: Service, moment: str) -> None:
    before = service.contents()
    assert before["geo_place"][0] == 0
    assert before["layers_standard"][0] > 0
    service.killed_after(*MOMENTS[moment])
    assert service.contents() == before
    service.assert_rasters_are_whole()


def test_a_first_import_killed_while_copying_the_largest_layer_leaves_nothing(service: Service) -> None:
    """Its rows go into a table of its own, which is not there before."""
    before = service.contents()
    service.killed_when(
        "SELECT count(*) FROM pg_stat_progress_copy WHERE datname = current_database() AND tuples_processed > 0"
        " AND relid NOT IN ('layers_feature'::regclass, 'layers_feature_shared'::regclass)"
    )
    service.wait_for_the_server()
    assert service.contents() == before
    service.assert_rasters_are_whole()


def test_a_first_import_killed_while_making_its_table_part_of_the_whole_leaves_nothing(service: Service) -> None:
    """Whoever attaches a table needs this lock, and whoever fills the shared one does not."""
    before = service.contents()
    service.killed_before("layers_feature", "SHARE UPDATE EXCLUSIVE")
    assert service.contents() == before
    service.assert_rasters_are_whole()


def test_a_first_import_killed_at_its_last_step_leaves_nothing(service: Service) -> None:
    """All places, layers, supplies and standards are written, the index is not."""
    before = service.contents()
    service.killed_before("analysis_index")
    assert service.contents() == before
    service.assert_rasters_are_whole()


def test_it_succeeds_when_run_again(service: Service) -> None:
    said = service.load()
    _, words = said.communicate(timeout=240)
    assert said.returncode == 0, words
    counts = service.counts()
    assert counts["geo_place"] == 4 + 5 + 288 + 10
    assert counts["geo_boundary"] == counts["geo_place"]
    assert counts["layers_layer"] == counts["layers_release"] == len(LAYERS)
    assert counts["layers_raster"] == 1
    assert counts["tables"] == 2  # the shared one, and that of the buildings
    assert counts["layers_supply"] == 3
    assert counts["analysis_run"] == 2
    service.assert_rasters_are_whole()


def test_an_update_killed_leaves_the_old_city(service: Service) -> None:
    """New people and newer layers in the files, and a kill when some of them are written."""
    before = service.contents()
    with rasterio.open(service.files / "population.tif", "r+") as file:
        file.write(file.read(1) * 2, 1)
    text = (service.files / "city.toml").read_text(encoding="utf-8")
    (service.files / "city.toml").write_text(
        text.replace("reference_date = 2025-09-23", "reference_date = 2026-03-21"), encoding="utf-8"
    )
    service.killed_after("Stored park, release 2", 0.1)
    assert service.contents() == before
    service.assert_rasters_are_whole()
    service.done("load_city", str(service.files / "city.toml"))
    after = service.counts()
    assert after["layers_release"] == 2 * len(LAYERS)
    assert after["geo_boundary"] == before["geo_boundary"][0]
    service.assert_rasters_are_whole()
