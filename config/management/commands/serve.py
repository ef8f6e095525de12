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
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command

from config.cluster import private_cluster
from geo.models import Place


class Command(BaseCommand):
    help = "Migrate, build the demo city where asked, and serve until stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--demo", action="store_true", help="build the demo city where it is missing")
        parser.add_argument("--threads", type=int, default=8)

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
            code = server.wait()
        finally:
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
