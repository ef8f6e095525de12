"""The private cluster: made, started, stopped and wiped; two commands at once start one server."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from config.cluster import Cluster, throwaway_cluster
from tests.environment import ROOT

START = (
    "import sys; from pathlib import Path; from config.cluster import Cluster;"
    "print(Cluster(Path(sys.argv[1]), Path(sys.argv[2]), durable=False).start())"
)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    made = throwaway_cluster()
    yield made
    made.wipe()


def test_a_cluster_starts_once_holds_postgis_and_leaves_nothing(cluster: Cluster) -> None:
    assert not cluster.is_running()
    assert cluster.start()
    assert not cluster.start()
    assert cluster.ensure_database("somewhere")
    assert not cluster.ensure_database("somewhere")
    with psycopg.connect(cluster.url("somewhere"), autocommit=True) as connection:
        connection.execute("CREATE EXTENSION postgis")
        (listening,) = connection.execute("SHOW listen_addresses").fetchone() or ("?",)
    assert listening == ""
    assert cluster.socket_dir.stat().st_mode & 0o077 == 0
    assert cluster.stop()
    assert not cluster.stop()
    cluster.wipe()
    assert not cluster.root_dir.exists()
    assert not cluster.socket_dir.exists()
    assert cluster.root_dir.parent == cluster.socket_dir.parent == Path(tempfile.gettempdir()), (
        "no folder around it is left"
    )


def test_commands_that_start_it_at_once_start_one_server(cluster: Cluster) -> None:
    command = [sys.executable, "-c", START, str(cluster.root_dir), str(cluster.socket_dir)]
    running = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)
    ]
    outputs = [process.communicate(timeout=120) for process in running]
    assert sorted(out.strip() for out, _ in outputs) == ["False", "False", "False", "True"], outputs


def test_a_name_cannot_carry_sql(cluster: Cluster) -> None:
    cluster.start()
    assert cluster.ensure_database("""odd"; DROP DATABASE "postgres""")
    with psycopg.connect(cluster.url("postgres")) as connection:
        names = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
    assert "postgres" in names
