"""``manage.py serve``: the whole service in one command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command

from config.cluster import private_cluster
from geo.models import Place

_LOOK_S = 0.5
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 15.0
_WELL_S = 5.0

_WORK = [sys.executable, "manage.py", "work", "--with-parent"]


class Keeper:
    """Keeps a program running: starts it again when it ends, ever later when it ends soon each time.

    Parameters
    ----------
    command : list of str
        The program with its arguments.
    """

    def __init__(self, command: list[str]) -> None:
        self.command = command
        self._wait_s, self._next_at, self._began_at = _FIRST_WAIT_S, 0.0, 0.0
        self._process: subprocess.Popen[bytes] | None = None

    def look(self) -> None:
        """Start the program where it does not run and its time has come."""
        now = time.monotonic()
        if self._process is not None and self._process.poll() is not None:
            if now - self._began_at > _WELL_S:
                self._wait_s = _FIRST_WAIT_S
            self._process, self._next_at = None, now + self._wait_s
            self._wait_s = min(2 * self._wait_s, _LONGEST_WAIT_S)
        if self._process is None and now >= self._next_at:
            environment = {name: value for name, value in os.environ.items() if name != "MAHALLEH_SERVING"}
            self._process, self._began_at = (
                subprocess.Popen(self.command, env=environment, cwd=settings.BASE_DIR, start_new_session=True),
                now,
            )

    def stop(self) -> None:
        """End the program, gently and then not."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Command(BaseCommand):
    help = "Migrate, build the demo city where asked, and serve until stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--demo", action="store_true", help="build the demo city where it is missing")
        parser.add_argument("--threads", type=int, default=8)
        parser.add_argument("--no-worker", action="store_true", help="leave the files that people bring to another")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        address = f"http://{options['host']}:{options['port']}"
        if _answers(address):
            raise CommandError(f"Something already answers at {address}; run `make stop`, or choose another --port.")
        call_command("migrate", interactive=False, verbosity=0, stdout=sys.stderr)
        call_command("load_taxonomy", stdout=sys.stderr)
        if options["demo"] and not Place.objects.filter(kind="city", code="khorramabad").exists():
            call_command("build_demo", stdout=sys.stderr)
        pid_file, password_file = settings.VAR_DIR / "server.pid", settings.VAR_DIR / "demo-password"
        server = subprocess.Popen(
            [
                sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"{options['host']}:{options['port']}",
                "--worker-class", "gthread", "--threads", str(options["threads"]), "--workers", "1", "--timeout", "120",
                "--graceful-timeout", "5", "--log-level", "warning", "--no-control-socket",
            ],
            env={**os.environ, "MAHALLEH_SERVING": "1"},
            cwd=settings.BASE_DIR,
            start_new_session=True,
        )  # fmt: skip
        pid_file.write_text(str(os.getpid()))
        worker = None if options["no_worker"] else Keeper(_WORK)

        def stop(*_: object) -> None:
            server.terminate()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        try:
            while server.poll() is None and not _answers(address):
                time.sleep(0.1)
            if server.poll() is None:
                if password_file.exists():
                    self.stderr.write(f"The password of the demo people is in {password_file}.")
                self.stderr.write(
                    f"Mahalleh is at {address} (ready after {time.monotonic() - started:.1f} s). Ctrl-C stops it."
                )
            while server.poll() is None:
                if worker is not None:
                    worker.look()
                with suppress(subprocess.TimeoutExpired):
                    server.wait(timeout=_LOOK_S)
            code = server.wait()
        finally:
            if worker is not None:
                worker.stop()
            pid_file.unlink(missing_ok=True)
            if not os.environ.get("DATABASE_URL"):
                private_cluster().stop()
                self.stderr.write("Stopped the server and the private database.")
        if code not in (0, -signal.SIGTERM):
            raise CommandError(f"The server ended with status {code}.")


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
