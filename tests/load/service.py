"""What is put under load: a durable cluster, the demo city in it, and the server as ``manage.py serve`` starts it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.cluster import Cluster, bin_dir

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass
class Service:
    """A cluster, a folder and a server, all of this run alone.

    The cluster keeps what it acknowledges when it is killed (``fsync`` and ``synchronous_commit`` are on), unlike those of
    other tests: here that is what is tested.
    """

    cluster: Cluster
    var: Path
    port: int
    server: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def address(self) -> tuple[str, int]:
        """Where the server listens."""
        return "127.0.0.1", self.port

    @property
    def server_log(self) -> Path:
        """What the server had to say, of all its lives."""
        return self.var / "server.log"

    @property
    def environment(self) -> dict[str, str]:
        """For processes that belong to the service."""
        return {
            **{name: value for name, value in os.environ.items() if name != "MAHALLEH_DEBUG"},
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "MAHALLEH_ENV": "development",
            "MAHALLEH_VAR": str(self.var),
            "DATABASE_URL": self.cluster.url(),
        }

    def asked(self, *arguments: str) -> Any:
        """Run a module beside the service, and return the JSON that it prints."""
        command = [sys.executable, "-m", *arguments]
        result = subprocess.run(command, env=self.environment, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        return json.loads(result.stdout.splitlines()[-1])

    # ---- the server

    def serve(self) -> None:
        """Start the server, with the arguments of ``manage.py serve``, and wait until it answers."""
        with self.server_log.open("ab") as log:
            self.server = subprocess.Popen(
                [
                    sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{self.port}",
                    "--worker-class", "gthread", "--threads", "8", "--workers", "1", "--timeout", "120",
                    "--graceful-timeout", "5", "--log-level", "warning", "--no-control-socket",
                ],
                env={**self.environment, "MAHALLEH_SERVING": "1"},
                cwd=ROOT, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.wait_until_it_answers()

    def wait_until_it_answers(self, most_s: float = 60) -> None:
        """Wait for an answer."""
        until = time.monotonic() + most_s
        while time.monotonic() < until:
            if self.server is None or self.server.poll() is not None:
                raise RuntimeError(f"The server ended:\n{self.server_log.read_text()[-2000:]}")
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"The server does not answer:\n{self.server_log.read_text()[-2000:]}")

    def kill_server(self) -> None:
        """Kill the server and its worker, which get no word of it."""
        assert self.server is not None
        os.killpg(self.server.pid, signal.SIGKILL)
        self.server.wait()

    def cpu_s(self) -> tuple[float, float]:
        """Return the seconds of a processor that the server and the database have taken in their present lives."""
        server = self.server.pid if self.server is not None and self.server.poll() is None else 0
        pid_file = self.cluster.data_dir / "postmaster.pid"
        database = int(pid_file.read_text().splitlines()[0]) if pid_file.exists() else 0
        return taken_s(server), taken_s(database)

    def stop_server(self) -> None:
        """Stop the server as an administrator does."""
        if self.server is not None and self.server.poll() is None:
            self.server.terminate()
            try:
                self.server.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.kill_server()

    # ---- the database

    def kill_database(self, *, is_immediate: bool) -> None:
        """Stop the database without a checkpoint: by ``pg_ctl stop -m immediate``, or by killing all its processes."""
        if is_immediate:
            self.cluster._run(
                [str(bin_dir() / "pg_ctl"), "-D", str(self.cluster.data_dir), "-m", "immediate", "-w", "stop"]
            )
            return
        first = int((self.cluster.data_dir / "postmaster.pid").read_text().splitlines()[0])
        for pid in (first, *children(first)):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        until = time.monotonic() + 10
        while Path(f"/proc/{first}").exists() and time.monotonic() < until:
            time.sleep(0.05)

    def start_database(self) -> None:
        """Start the database again; it recovers from its log."""
        self.cluster.start()


def taken_s(pid: int) -> float:
    """Return the seconds of a processor that a process and those it started have taken; 0 where there is none."""
    ticks = 0
    for each in (pid, *children(pid)) if pid else ():
        try:
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        # Of the first also what children took that have ended.
        ticks += sum(int(value) for value in fields[11 : 15 if each == pid else 13])
    return ticks / os.sysconf("SC_CLK_TCK")


def children(pid: int) -> list[int]:
    """Return the processes that a process started."""
    return [child for child, parent in _parents().items() if parent == pid]


def families(roots: Iterable[int]) -> list[int]:
    """Return processes with those they started, and those these did, each once, by looking at all processes once."""
    started: dict[int, list[int]] = {}
    for child, parent in _parents().items():
        started.setdefault(parent, []).append(child)
    found, next_ = set[int](), list(roots)
    while next_:
        found.update(next_)
        next_ = [child for pid in next_ for child in started.get(pid, []) if child not in found]
    return sorted(found)


def _parents() -> dict[int, int]:
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                # The name of the program is in brackets and may hold anything; what follows it is plain.
                found[int(name)] = int(Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                continue
    return found


@contextmanager
def service() -> Iterator[Service]:
    """Make a cluster and a folder that are gone afterwards; the server is not started yet."""
    static = ROOT / "var" / "static"
    if not static.is_dir():
        raise SystemExit("Static files are not collected: run `make setup` first.")
    cluster = Cluster(Path(tempfile.mkdtemp(prefix="mahalleh-load-")), Path(tempfile.mkdtemp(prefix="mh-")))
    var = Path(tempfile.mkdtemp(prefix="mahalleh-load-var-"))
    (var / "static").symlink_to(static)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    made = Service(cluster, var, port)
    try:
        cluster.start()
        cluster.ensure_database()
        yield made
    finally:
        made.stop_server()
        cluster.wipe()
        shutil.rmtree(var, ignore_errors=True)
