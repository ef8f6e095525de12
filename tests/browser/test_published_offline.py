"""Published maps in a real browser: from disk without a network, in our frame, in another site's frame, with hostile names."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from maps.published.folium_map import render
from tests.browser.conftest import opening
from tests.unit.maps import town

pytestmark = pytest.mark.browser

HOSTILE = (
    "</script><script>window.ran=1</script><img src=x onerror=\"window.ran=1\"><svg onload='window.ran=1'>"
    "{{7*7}}\u202egnp.\u2066\u2028\"'`--><iframe srcdoc='<script>top.ran=1</script>'>"
)  # fmt: skip
SHOWN = HOSTILE.replace("\u202e", "").replace("\u2066", "").replace("\u2028", " ")


class Watched:
    """A page with everything that went wrong on it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on(
            "console",
            lambda message: self.complaints.append(message.text) if message.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: (self.complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))


@pytest.fixture
def from_disk(live_server_url: str, browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Watched]]:
    """Return a function that opens the town's map from a file, with no network.

    The server is named only to be started before the browser, whose event loop Django would refuse to set the database up in.
    """
    contexts = []

    def open_(language: str = "fa", name: str = "", *, size: tuple[int, int] = (1280, 800), **options: Any) -> Watched:
        document = town.town_document(
            name, **({"title_en": name, "title_fa": name, "city_name_en": name} if name else {})
        )
        file = tmp_path / f"map.{language}.html"
        file.write_text(render(document, town.drawn_town(name).numbers, language), encoding="utf-8")  # type: ignore[arg-type]
        context = browser.new_context(offline=True, viewport={"width": size[0], "height": size[1]}, **options)
        contexts.append(context)
        watched = Watched(context.new_page())
        watched.page.goto(file.as_uri())
        watched.page.wait_for_selector("html[data-ready]")
        return watched

    yield open_
    for context in contexts:
        context.close()


def zoom_of(frame: Page | Frame) -> float:
    return float(frame.evaluate("published_map.getZoom()"))


@pytest.mark.parametrize("language", ["fa", "en"])
@pytest.mark.parametrize("size", [(1280, 800), (390, 844)])
def test_it_opens_from_disk_without_a_network(
    from_disk: Callable[..., Watched], language: str, size: tuple[int, int]
) -> None:
    watched = from_disk(language, size=size)
    page = watched.page
    assert [url for url in watched.requests if not url.startswith(("file:", "data:"))] == []
    assert len([url for url in watched.requests if url.startswith("file:")]) == 1
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert (
        page.evaluate("[...document.fonts].filter(f => f.status === 'loaded' && f.family === 'Vazirmatn').length") >= 1
    )
    assert page.locator("path.leaflet-interactive").count() == 5
    scale = page.locator(".map-scale").inner_text()
    assert re.fullmatch(r"[۰-۹٫]+ \S+" if language == "fa" else r"[0-9.]+ k?m", scale.strip())
    box = page.locator("path.leaflet-interactive").first.bounding_box()
    assert box is not None
    assert box["width"] > 60
    assert watched.complaints == []


def test_hovering_and_choosing_a_place_tells_its_row(from_disk: Callable[..., Watched]) -> None:
    watched = from_disk("en")
    page = watched.page
    before = zoom_of(page)
    page.get_by_role("button", name="Place s", exact=True).press("Enter")
    tip = page.locator(".map-tip")
    expect(tip).to_be_visible()
    expect(tip).to_contain_text("Place s")
    expect(tip).to_contain_text("informal settlement")
    expect(tip.locator("dd").first).to_have_text("190")
    assert zoom_of(page) > before
    assert page.locator("tr.is-shown .pub-place").inner_text() == "Place s"
    page.get_by_role("button", name="Whole city", exact=True).press("Enter")
    page.mouse.move(1, 1)  # away from the map, where a place under the pointer would tell its row again
    expect(tip).to_have_count(0)
    assert zoom_of(page) == before
    for x in (20, 24):  # a pointer that goes on, as a hand does: the map may still move under the first stop
        page.locator("path.leaflet-interactive").nth(0).hover(position={"x": x, "y": 20})
        expect(tip).to_contain_text("Place d")
    expect(page.locator("tr.is-shown .pub-place")).to_have_text("Place d")
    assert watched.complaints == []


def test_the_table_sorts_by_number_and_by_name_and_says_so(from_disk: Callable[..., Watched]) -> None:
    page = from_disk("fa").page

    def order() -> list[str]:
        return [name.split()[-1] for name in page.locator("#places tbody .pub-place").all_inner_texts()]

    assert order() == ["d", "b", "s", "a", "c"]
    people = page.locator("#places thead th").nth(3)
    people.get_by_role("button").click()
    assert (order(), people.get_attribute("aria-sort")) == (["a", "b", "d", "s", "c"], "descending")
    people.get_by_role("button").click()
    assert (order(), people.get_attribute("aria-sort")) == (["c", "s", "d", "b", "a"], "ascending")
    page.locator("#places thead th").nth(1).get_by_role("button").click()
    page.locator("#places thead th").nth(1).get_by_role("button").click()
    assert order()[-1] == "c", "A place without a number comes last either way."
    page.locator("#places thead th").first.get_by_role("button").click()
    assert order() == ["a", "b", "c", "d", "s"]


def test_without_scripts_the_table_says_it_all(
    from_disk: Callable[..., Watched], browser: Browser, tmp_path: Path
) -> None:
    from_disk("en")
    context = browser.new_context(offline=True, java_script_enabled=False)
    page = context.new_page()
    page.goto((tmp_path / "map.en.html").as_uri())
    assert page.locator("#places tbody tr").count() == 5
    assert "switched off" in page.locator("noscript").inner_text()
    context.close()


@pytest.mark.parametrize("language", ["fa", "en"])
def test_nothing_in_a_name_runs(from_disk: Callable[..., Watched], language: str) -> None:
    watched = from_disk(language, HOSTILE)
    page = watched.page
    for row in range(5):
        button = page.locator(f'#places tr[data-row="{row}"] button')
        assert button.inner_text() == SHOWN
        button.click()
        expect(page.locator(".map-tip strong")).to_have_text(SHOWN)
    for shape in page.locator("path.leaflet-interactive").all():
        shape.dispatch_event("mouseover")
    page.locator("#places thead button").first.click()
    page.wait_for_timeout(300)
    assert page.evaluate("typeof window.ran") == "undefined"
    assert page.evaluate("typeof top.ran") == "undefined"
    assert page.locator("img, iframe, object, embed").count() == 0
    assert page.locator("svg[onload], [onerror]").count() == 0
    assert page.title() in (HOSTILE.replace("\u2028", " "), SHOWN, HOSTILE)
    assert [url for url in watched.requests if not url.startswith(("file:", "data:"))] == []
    assert watched.complaints == []


def test_what_would_be_slipped_into_the_page_may_not_run_either(from_disk: Callable[..., Watched]) -> None:
    """The second line of defence: the policy inside the page refuses scripts and requests it was not made with."""
    page = from_disk("en").page
    page.evaluate(
        """() => {
          const script = document.createElement('script');
          script.textContent = 'window.ran = 1';
          document.body.append(script);
          const image = document.createElement('div');
          image.innerHTML = '<img src="http://127.0.0.1:9/x.png" onerror="window.ran = 2">';
          document.body.append(image);
        }"""
    )
    page.wait_for_timeout(300)
    assert page.evaluate("typeof window.ran") == "undefined"
    assert page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'fetched', () => 'refused')") == "refused"


# ---- on our host and on others


@pytest.fixture(scope="module")
def published_path(browser: Browser, live_server_url: str, sessions: dict[str, list[Any]]) -> str:
    """Publish a map through the site, as an analyst does, and return its address: the tests only look at it."""
    with opening(browser, live_server_url, sessions) as open_:
        page = open_("/khorramabad/publish/?show=uncovered&service=clinic", user="analyst", language="en")
        assert "clinic" in page.locator("textarea[name=title_en]").input_value()
        page.get_by_role("button", name="Publish", exact=True).click()
        page.wait_for_url("**/m/**")
        return re.sub(r"^https?://[^/]+", "", page.url)


# Below, what lies outside the frame is pressed and not clicked: right after scrolling, a busy machine still sends clicks to
# where the frame, which is a process of its own, was before.


def frame_of(page: Page) -> Frame:
    frame = page.locator("iframe").element_handle().content_frame()
    assert frame is not None
    frame.wait_for_selector("html[data-ready]")
    return frame


def test_our_page_shows_it_in_a_frame_that_can_do_nothing_to_us(
    open_page: Callable[..., Page], published_path: str
) -> None:
    page = open_page(published_path, language="en")
    frame = frame_of(page)
    assert frame.evaluate("self.origin") == "null"
    assert frame.evaluate("document.documentElement.classList.contains('bare')")
    assert frame.locator(".frozen-head").is_hidden()
    assert (
        frame.evaluate("(() => { try { return document.cookie; } catch (error) { return error.name; } })()")
        == "SecurityError"
    )
    before = zoom_of(frame)
    first = page.locator("#places tbody .pub-place").first
    name = first.inner_text()
    first.get_by_role("button").press("Enter")
    expect(frame.locator(".map-tip strong")).to_have_text(name)
    assert zoom_of(frame) > before
    page.get_by_role("button", name="Copy").press("Enter")
    expect(page.locator(".pub-copied")).to_have_text("Copied")
    rows = page.locator("#places tbody tr").count()
    assert (
        rows
        == frame.locator("#places tbody tr").count()
        == len(frame.evaluate("JSON.parse(document.getElementById('drawing').textContent).shapes"))
    )


def test_the_downloads_come_with_their_names(open_page: Callable[..., Page], published_path: str) -> None:
    page = open_page(published_path, language="en")
    slug = published_path.strip("/").split("/")[1]
    for link, name in (
        ("Table (CSV)", f"{slug}.csv"),
        ("Places (GeoJSON)", f"{slug}.geojson"),
        ("The page, to open without a network", f"{slug}.en.html"),
    ):
        with page.expect_download() as download:
            page.get_by_role("link", name=link).press("Enter")
        assert download.value.suggested_filename == name


def test_a_file_kept_from_our_page_opens_without_us(
    open_page: Callable[..., Page], published_path: str, browser: Browser, tmp_path: Path
) -> None:
    page = open_page(published_path, language="fa")
    with page.expect_download() as download:
        page.locator("a[href*='save=1']").press("Enter")
    file = tmp_path / "kept.html"
    download.value.save_as(file)
    context = browser.new_context(offline=True)
    watched = Watched(context.new_page())
    watched.page.goto(file.as_uri())
    watched.page.wait_for_selector("html[data-ready]")
    assert watched.page.locator("path.leaflet-interactive").count() > 290
    assert [url for url in watched.requests if not url.startswith(("file:", "data:"))] == []
    assert watched.complaints == []
    context.close()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Serve a folder as another site (another port, so another origin), and return its address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the overridden method
            """Say nothing."""

    folder = tmp_path / "site"
    folder.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), lambda *args: Quiet(*args, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", folder
    server.shutdown()
    thread.join()
    server.server_close()


def test_another_site_can_show_it_with_our_code(
    open_page: Callable[..., Page], published_path: str, browser: Browser, elsewhere: tuple[str, Path]
) -> None:
    code = open_page(published_path, language="fa").locator("#embed-code").input_value()
    address, folder = elsewhere
    (folder / "index.html").write_text(f"<!doctype html><title>Elsewhere</title>{code}", encoding="utf-8")
    context = browser.new_context(viewport={"width": 1000, "height": 800})
    watched = Watched(context.new_page())
    watched.page.goto(f"{address}/index.html")
    frame = frame_of(watched.page)
    assert frame.locator("h1").is_visible()
    assert frame.locator("path.leaflet-interactive").count() > 290
    assert frame.evaluate("document.documentElement.lang") == "fa"
    assert [
        complaint for complaint in watched.complaints if "favicon" not in complaint and "404" not in complaint
    ] == []
    context.close()
