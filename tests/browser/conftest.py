"""A real server on a copy of the test database, and a real browser that may talk to it alone."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from config.setup import CHROMIUM

ROOT = Path(__file__).resolve().parent.parent.parent
FLAGS = [
    "--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
]  # fmt: skip


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def live_server_url(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """The address of the service, as `make run` would serve it, on a copy of the test database."""
    from django.db import connection

    with django_db_blocker.unblock():
        source = connection.settings_dict["NAME"]
        connection.close()
        url = os.environ["DATABASE_URL"]
        _sql(
            url, 'DROP DATABASE IF EXISTS "mahalleh_browser"', f'CREATE DATABASE "mahalleh_browser" TEMPLATE "{source}"'
        )
    port = _free_port()
    environment = {
        **os.environ,
        "DATABASE_URL": url.replace("/mahalleh?", "/mahalleh_browser?"),
        "MAHALLEH_SERVING": "1",
        "MAHALLEH_ENV": "development",
    }
    log = Path(os.environ["MAHALLEH_VAR"]) / "browser-server.log"
    with log.open("w") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread",
             "--threads", "8", "--no-control-socket"],
            cwd=ROOT, env=environment, stdout=out, stderr=out,
        )  # fmt: skip
    base = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            assert server.poll() is None, log.read_text()
            try:
                urllib.request.urlopen(f"{base}/healthz", timeout=2).read()
                break
            except OSError:
                time.sleep(0.1)
        yield base
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=20)


def _sql(url: str, *statements: str) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    executable = next((path for path in CHROMIUM if Path(path).exists()), None)
    assert executable, "Chromium is missing: run `make test`, which installs it."
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser, live_server_url: str) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a page; at the end the test fails on any outside request or console error of these pages."""
    contexts, complaints = [], []

    def open_(
        path: str = "/",
        *,
        language: str = "fa",
        width: int = 1280,
        height: int = 800,
        allow_status: tuple[int, ...] = (),
        **context_options: Any,
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height}, base_url=live_server_url, **context_options
        )
        context.add_cookies([{"name": "django_language", "value": language, "url": live_server_url}])
        contexts.append(context)

        def listen(page: Page) -> None:
            page.on(
                "request",
                lambda r: (
                    complaints.append(f"outside request: {r.url}")
                    if r.url.startswith("http") and not r.url.startswith(live_server_url)
                    else None
                ),
            )
            page.on(
                "console",
                lambda m: complaints.append(f"console: {m.text} at {page.url}")
                if m.type == "error" and not any(f"status of {status}" in m.text for status in allow_status) else None,
            )  # fmt: skip
            page.on("pageerror", lambda e: complaints.append(f"script error: {e} at {page.url}"))

        context.on("page", listen)
        page = context.new_page()
        page.goto(path)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []
