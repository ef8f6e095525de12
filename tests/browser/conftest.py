"""A real server on a copy of the test database, and a real browser that may talk to it alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from config.setup import CHROMIUM
from tests.environment import VAR, WORKER
from tests.prepared import DEMO, PASSWORD, copied, served

__all__ = ["PASSWORD"]

FLAGS = [
    "--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    # Pages are put together without the graphics library, which there is done by software too, and takes longer.
    "--disable-gpu-compositing",
]  # fmt: skip

COARSE_MAPS = "Object.defineProperty(window, 'devicePixelRatio', {get: () => 0.1})"
"""Lets maps draw one pixel where they would draw a hundred: drawing by software is most of what a test costs, and no test looks
at the colours. Pages are laid out as ever; maps load, place, find and tell as ever.
"""

SLOW_MS = 30_000


@pytest.fixture
def _patient() -> Iterator[None]:
    """Give the browser time: it draws its maps by software here, next to other tests."""
    expect.set_options(timeout=SLOW_MS)
    yield
    expect.set_options(timeout=5_000)


@pytest.fixture(scope="session")
def live_server_url() -> Iterator[str]:
    """The address of the service as `make run` serves it the second time, in a database and folder of its own.

    The first time, in which the demo city is built, is what all databases of the tests are copied from.
    """
    database = f"mahalleh_browser_{WORKER}"
    folder = VAR / "browser"
    folder.mkdir()
    copied(DEMO, database, folder)
    with served(database, folder) as base:
        yield base


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


def sign_in_apart(context: BrowserContext, name: str) -> None:
    """Sign a browser in without opening a page: the form is sent as a browser sends it."""
    address = "/accounts/login/"
    form = {"username": name, "password": PASSWORD}
    assert context.request.get(address).ok
    token = next(cookie["value"] for cookie in context.cookies() if cookie["name"] == "csrftoken")
    answer = context.request.post(address, form=form | {"csrfmiddlewaretoken": token}, max_redirects=0)
    assert answer.status == 302, answer.text()


@pytest.fixture(scope="session")
def sessions() -> dict[str, list[Any]]:
    """The cookies of people who have signed in, by name: once for all tests, as each time takes a page and a slow hash."""
    return {}


@contextmanager
def opening(browser: Browser, base_url: str, sessions: dict[str, list[Any]]) -> Iterator[Callable[..., Page]]:
    """Give a function that opens a page; at the end fail on any outside request or console error of these pages.

    Parameters of the function
    --------------------------
    path
        Where to begin.
    language, width, height
        Of the page.
    user
        Who is signed in; nobody if empty.
    as_seen
        Draw maps with all their pixels and let them move, as most readers see them.
    allow_status
        Answers that are no complaint.
    goes_offline
        That the server cannot be reached is no complaint.
    """
    contexts, complaints = [], []

    def open_(
        path: str = "/",
        *,
        language: str = "fa",
        width: int = 1280,
        height: int = 800,
        user: str = "",
        as_seen: bool = False,
        allow_status: tuple[int, ...] = (),
        goes_offline: bool = False,
        **context_options: Any,
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            base_url=base_url,
            reduced_motion="no-preference" if as_seen else "reduce",
            **context_options,
        )
        contexts.append(context)
        if not as_seen:
            context.add_init_script(COARSE_MAPS)
        if user:
            if user not in sessions:
                sign_in_apart(context, user)
                sessions[user] = context.cookies()
            context.add_cookies(sessions[user])
        context.add_cookies([{"name": "django_language", "value": language, "url": base_url}])
        allowed = (*(f"status of {status}" for status in allow_status), *("ERR_INTERNET_DISCONNECTED",)[:goes_offline])

        def listen(page: Page) -> None:
            page.on(
                "request",
                lambda r: (
                    complaints.append(f"outside request: {r.url}")
                    if r.url.startswith("http") and not r.url.startswith(base_url)
                    else None
                ),
            )
            page.on(
                "console",
                lambda m: complaints.append(f"console: {m.text} at {page.url}")
                if m.type == "error" and not any(words in m.text for words in allowed) else None,
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


@pytest.fixture
def open_page(browser: Browser, live_server_url: str, sessions: dict[str, list[Any]]) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a page (see `opening`)."""
    with opening(browser, live_server_url, sessions) as open_:
        yield open_


@pytest.fixture
def phone(browser: Browser, live_server_url: str) -> Iterator[Callable[[str], Page]]:
    """Give a function that opens a page on a phone; that it cannot reach the server is no complaint here."""
    contexts, faults = [], []

    def open_(user: str, language: str = "fa") -> Page:
        context = browser.new_context(
            viewport={"width": 390, "height": 844},
            base_url=live_server_url,
            is_mobile=True,
            has_touch=True,
            geolocation={"longitude": 48.3, "latitude": 33.4},
            reduced_motion="reduce",
        )
        contexts.append(context)
        context.add_init_script(COARSE_MAPS)
        sign_in_apart(context, user)
        context.add_cookies([{"name": "django_language", "value": language, "url": live_server_url}])
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        return page

    yield open_
    for context in contexts:
        context.close()
    assert faults == []
