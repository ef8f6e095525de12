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
from tests.environment import CLUSTER, ROOT, VAR

PASSWORD = "a-password-for-tests-only"  # noqa: S105


FLAGS = [
    "--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
]  # fmt: skip


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def live_server_url() -> Iterator[str]:
    """The address of the service as `make run` serves it: migrated, demo city built, in a database and folder of its own."""
    url = CLUSTER.url("mahalleh_browser")
    CLUSTER.ensure_database("mahalleh_browser")
    port = _free_port()
    folder = VAR / "browser"
    folder.mkdir()
    (folder / "static").symlink_to(ROOT / "var" / "static")
    (folder / "demo-password").write_text(PASSWORD)
    environment = {**os.environ, "DATABASE_URL": url, "MAHALLEH_VAR": str(folder), "MAHALLEH_ENV": "development"}
    log = folder / "server.log"
    with log.open("w") as out:
        server = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--demo", "--port", str(port)],
            cwd=ROOT, env=environment, stdout=out, stderr=out,
        )  # fmt: skip
    base = f"http://127.0.0.1:{port}"
    try:
        for _ in range(1200):
            assert server.poll() is None, log.read_text()
            try:
                urllib.request.urlopen(f"{base}/healthz", timeout=2).read()
                break
            except OSError:
                time.sleep(0.1)
        yield base
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=30) == 0, log.read_text()


@pytest.fixture(scope="module")
def browser(live_server_url: str) -> Iterator[Browser]:
    """Debian's Chromium, one for each file of tests.

    Playwright runs an event loop in this thread while it lives, in which Django refuses to use the database: so it ends
    before the tests of other folders begin.
    """
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
