"""The project's private PostgreSQL + PostGIS cluster: found, made, started, stopped and wiped here, with the standard library alone.

The cluster listens on a Unix socket only, in a directory nobody else can enter, so that local connections need no password.
PostgreSQL refuses to run as root: there the server runs as the system user ``postgres`` and its data live outside the
checkout, because ``/root`` is closed to that user.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BASE_DIR = Path(__file__).resolve().parent.parent
DATABASE_NAME = "mahalleh"
ROLE = "mahalleh"
_INSTALL_REMEDY = (
    "On Debian or Ubuntu run `make setup`, which installs it by apt. "
    "Elsewhere install PostgreSQL 15 or later with PostGIS 3.3 or later."
)


class ClusterError(RuntimeError):
    """The private cluster cannot be made, started or stopped; the message says what to do."""


def bin_dir() -> Path:
    """Return the directory of the newest PostgreSQL server programs that have PostGIS beside them.

    Raises
    ------
    ClusterError
        Where there is no ``initdb`` on this machine, or none with PostGIS.
    """
    candidates = sorted(Path("/usr/lib/postgresql").glob("[0-9]*/bin"), key=lambda p: int(p.parent.name), reverse=True)
    for candidate in candidates:
        version = candidate.parent.name
        control = Path(f"/usr/share/postgresql/{version}/extension/postgis.control")
        if (candidate / "initdb").exists() and control.exists():
            return candidate
    found = shutil.which("initdb")
    if found:
        # Systems other than Debian keep the extensions under share/ beside bin/, up to two folders deep.
        folder = Path(found).resolve().parent
        if any(any(folder.parent.glob(f"share/{deep}extension/postgis.control")) for deep in ("", "*/", "*/*/")):
            return folder
    raise ClusterError(f"PostgreSQL with PostGIS was not found. {_INSTALL_REMEDY}")


@dataclass(frozen=True, slots=True)
class Cluster:
    """One PostgreSQL cluster in a directory of its own, reached through a Unix socket.

    Parameters
    ----------
    root_dir : Path
        Holds ``data/`` and the server's log.
    socket_dir : Path
        Short path (PostgreSQL allows 107 bytes) with mode 0700.
    durable : bool
        False switches fsync off: for clusters that tests throw away.
    """

    root_dir: Path
    socket_dir: Path
    durable: bool = True

    @property
    def data_dir(self) -> Path:
        """The directory that ``initdb`` fills."""
        return self.root_dir / "data"

    @property
    def log_file(self) -> Path:
        """Where the server writes what it has to say."""
        return self.root_dir / "server.log"

    def url(self, database: str = DATABASE_NAME) -> str:
        """Return the connection URL of a database of this cluster."""
        return f"postgresql://{ROLE}@/{database}?host={self.socket_dir}"

    def is_running(self) -> bool:
        """Tell whether a server answers on the socket."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(2)
            try:
                client.connect(str(self.socket_dir / ".s.PGSQL.5432"))
            except OSError:
                return False
        return True

    def start(self) -> bool:
        """Make the cluster where it is missing and start it; return whether this call started it.

        Raises
        ------
        ClusterError
            With the last lines of the server's log where it does not start.
        """
        if self.is_running():
            return False
        binaries = bin_dir()
        self._own(self.root_dir)
        self._own(self.socket_dir)
        with (self.socket_dir / "start.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two commands at once: the second waits and finds it running
            return False if self.is_running() else self._start(binaries)

    def _start(self, binaries: Path) -> bool:
        if not (self.data_dir / "PG_VERSION").exists():
            self._initialise(binaries)
        self._write_configuration()
        result = self._run(
            [str(binaries / "pg_ctl"), "-D", str(self.data_dir), "-l", str(self.log_file), "-w", "-t", "60", "start"]
        )
        if result.returncode != 0 and not self.is_running():
            tail = self.log_file.read_text(errors="replace").splitlines()[-8:] if self.log_file.exists() else []
            raise ClusterError("The private database did not start:\n  " + "\n  ".join([result.stderr.strip(), *tail]))
        return True

    def stop(self) -> bool:
        """Stop the server, letting running transactions roll back; return whether there was one."""
        if not (self.data_dir / "postmaster.pid").exists():
            return False
        result = self._run(
            [str(bin_dir() / "pg_ctl"), "-D", str(self.data_dir), "-m", "fast", "-w", "-t", "60", "stop"]
        )
        return result.returncode == 0

    def wipe(self) -> None:
        """Stop the server and delete all its data."""
        self.stop()
        shutil.rmtree(self.root_dir, ignore_errors=True)
        shutil.rmtree(self.socket_dir, ignore_errors=True)

    def ensure_database(self, name: str = DATABASE_NAME) -> bool:
        """Create the database where it is missing; return whether it was."""
        psql = [
            str(bin_dir() / "psql"),
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            str(self.socket_dir),
            "-U",
            ROLE,
        ]
        found = self._run(
            [*psql, "-d", "postgres", "-v", f"name={name}"], stdin="SELECT 1 FROM pg_database WHERE datname = :'name';"
        )
        if found.returncode != 0:
            raise ClusterError(f"The private database does not answer: {found.stderr.strip()}")
        if found.stdout.strip() == "1":
            return False
        made = self._run(
            [*psql, "-d", "postgres", "-v", f"name={name}"],
            stdin="CREATE DATABASE :\"name\" ENCODING 'UTF8' TEMPLATE template0;",
        )
        if made.returncode != 0 and "already exists" not in made.stderr:
            raise ClusterError(f"The database {name} could not be made: {made.stderr.strip()}")
        return True

    def _initialise(self, binaries: Path) -> None:
        result = self._run(
            [
                str(binaries / "initdb"),
                "-D",
                str(self.data_dir),
                "-U",
                ROLE,
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "--no-instructions",
            ]
            + ([] if self.durable else ["--no-sync"])
        )
        if result.returncode != 0:
            raise ClusterError(f"initdb failed: {result.stderr.strip()}")

    def _write_configuration(self) -> None:
        lines = [
            "listen_addresses = ''",
            f"unix_socket_directories = '{self.socket_dir}'",
            "unix_socket_permissions = 0700",
            "max_connections = 80",
            "shared_buffers = 256MB",
            "work_mem = 32MB",
            "maintenance_work_mem = 256MB",
            "jit = off",
            "random_page_cost = 1.1",
            "timezone = 'UTC'",
            "log_timezone = 'UTC'",
        ]
        if not self.durable:
            lines += ["fsync = off", "synchronous_commit = off", "full_page_writes = off"]
        text = "\n".join(lines) + "\n"
        target = self.data_dir / "postgresql.auto.conf"
        if not target.exists() or target.read_text() != text:
            target.write_text(text)
            if os.geteuid() == 0:
                user = _server_user()
                os.chown(target, user.pw_uid, user.pw_gid)

    def _own(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        owner = _server_user()
        if os.geteuid() == 0:
            os.chown(directory, owner.pw_uid, owner.pw_gid)
        elif directory.stat().st_uid != owner.pw_uid:
            raise ClusterError(f"{directory} belongs to another user; remove it or set DATABASE_URL.")
        directory.chmod(0o700)

    def _run(self, command: list[str], stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        # A file, not a pipe: the server that pg_ctl leaves behind inherits it, and would keep a pipe open for ever.
        drop: dict[str, Any] = {}
        if os.geteuid() == 0:
            user = _server_user()
            drop = {
                "user": user.pw_uid,
                "group": user.pw_gid,
                "extra_groups": os.getgrouplist(user.pw_name, user.pw_gid),
            }
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            code = subprocess.run(  # noqa: S603 - fixed programs, no shell
                command,
                input=stdin,
                stdin=subprocess.DEVNULL if stdin is None else None,
                stdout=out,
                stderr=err,
                text=True,
                cwd="/",
                start_new_session=True,
                env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8"},
                check=False,
                **drop,
            ).returncode
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(command, code, out.read(), err.read())


def _server_user() -> pwd.struct_passwd:
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        raise ClusterError(
            f"PostgreSQL does not run as root and there is no user `postgres` to run it as. {_INSTALL_REMEDY}"
        ) from None


def private_cluster() -> Cluster:
    """Return the cluster of this checkout (not started).

    Two checkouts on one machine have two clusters: the path of the checkout is part of the names.
    """
    mark = hashlib.sha256(str(BASE_DIR).encode()).hexdigest()[:10]
    root = Path("/var/lib/mahalleh") / mark if os.geteuid() == 0 else BASE_DIR / "var" / "cluster"
    return Cluster(root_dir=root, socket_dir=Path(f"/tmp/mahalleh-{os.geteuid()}-{mark}"))  # noqa: S108 - mode 0700, owner checked


def ensure_private_database() -> str:
    """Start the private cluster and make its database where needed; return the database's URL."""
    cluster = private_cluster()
    if cluster.start():
        print("Started the private database.", file=sys.stderr)
    cluster.ensure_database()
    return cluster.url()


def throwaway_cluster() -> Cluster:
    """Return a fresh cluster in temporary directories, for tests; the caller starts and wipes it."""
    socket_dir = Path(tempfile.mkdtemp(prefix="mh-"))
    return Cluster(root_dir=Path(tempfile.mkdtemp(prefix="mahalleh-test-")), socket_dir=socket_dir, durable=False)


def main(arguments: list[str]) -> int:
    """Run ``start``, ``stop``, ``wipe`` or ``url`` from the command line."""
    cluster = private_cluster()
    match arguments:
        case ["start"]:
            print(ensure_private_database())
        case ["stop"]:
            # The server takes the database down with it; what is left to stop was started by a command.
            stopped = [name for name, did in (("server", _stop_server()), ("private database", cluster.stop())) if did]
            print(f"Stopped the {' and the '.join(stopped)}." if stopped else "Nothing was running.")
        case ["wipe"]:
            _stop_server()
            cluster.wipe()
            print("Deleted the private database.")
        case ["url"]:
            print(cluster.url())
        case _:
            print("usage: python -m config.cluster start|stop|wipe|url", file=sys.stderr)
            return 2
    return 0


def _stop_server() -> bool:
    """Stop a web server of this checkout, and a worker, which would lose their database; return whether there was one."""
    var = Path(os.environ.get("MAHALLEH_VAR") or BASE_DIR / "var")
    # The server stops the worker that it started; what is left then was started by `manage.py work`.
    return any([_stop_process(var / "server.pid"), _stop_process(var / "worker.pid")])


def _stop_process(pid_file: Path) -> bool:
    try:
        pid = int(pid_file.read_text())
        command = Path(f"/proc/{pid}/cmdline")
        if command.exists() and b"manage.py" not in command.read_bytes():
            pid_file.unlink()  # killed long ago: another program has its number by now
            return False
        os.kill(pid, signal.SIGTERM)
    except (OSError, ValueError):
        return False
    for _ in range(200):
        if not pid_file.exists():
            break
        time.sleep(0.1)
    return True


if __name__ == "__main__":
    try:
        raise SystemExit(main(sys.argv[1:]))
    except ClusterError as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None
