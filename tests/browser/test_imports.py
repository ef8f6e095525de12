"""Bringing data as an analyst does it: by drag and drop, by keyboard, on a phone, without scripts, over a slow line, in two windows.

Every page opened through `open_page` fails the test on a request to another host or an error on the console.
"""

from __future__ import annotations

import base64
import io
import json
import random
import re
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely
from playwright.sync_api import Page, expect
from pyproj import Transformer

from tests.browser.test_main_job import barriers

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("_patient")]

PATH = "/khorramabad/layers/import/"
SLOW_MS = 30_000
ROWS = 24
BAD_ROW = 8
WORDS = ("پارک", "چمن", "ژاله", "گلشن")


@pytest.fixture
def _patient() -> Iterator[None]:
    """Give the browser and the worker time: maps are drawn by software here, next to other tests."""
    expect.set_options(timeout=SLOW_MS)
    yield
    expect.set_options(timeout=5_000)


class Brought:
    """The shapefile that is brought, and what must come of it."""

    def __init__(self, folder: Path) -> None:
        chance = random.Random(4)
        to_utm = Transformer.from_crs(4326, 32639, always_xy=True)
        self.names = [f"قطعه {WORDS[i % 4]} {i + 1}" for i in range(ROWS)]
        self.hectares = [round(chance.uniform(0.2, 3), 2) for _ in range(ROWS)]
        shapes = []
        for i in range(ROWS):
            lon, lat = 48.33 + 0.004 * (i % 6), 33.47 + 0.004 * (i // 6)
            ring = [(lon, lat), (lon + 0.003, lat), (lon + 0.003, lat + 0.003), (lon, lat + 0.003)]
            if i + 1 == BAD_ROW:
                ring = [ring[0], ring[2], ring[1], ring[3]]  # crosses itself
            shapes.append(shapely.Polygon([to_utm.transform(*point) for point in ring]))
        to_degrees = Transformer.from_crs(32639, 4326, always_xy=True)
        self.shapes_4326 = [
            shapely.transform(
                shapely.make_valid(shape, method="structure"),
                lambda xy: np.column_stack(to_degrees.transform(*xy.T)),
            )
            for shape in shapes
        ]
        pyogrio.raw.write(
            str(folder / "zones.shp"),
            np.array([shapely.to_wkb(shape) for shape in shapes], dtype=object),
            [np.array(self.names, dtype=object), np.array(self.hectares), np.arange(1, ROWS + 1, dtype="int32")],
            ["NAM", "HEKTAR", "KOD"], geometry_type="Polygon", crs="EPSG:32639", encoding="CP1256", driver="ESRI Shapefile",
        )  # fmt: skip
        assert "قطعه".encode("cp1256") in (folder / "zones.dbf").read_bytes()
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for part in ("shp", "shx", "dbf"):  # neither .prj nor .cpg
                archive.write(folder / f"zones.{part}", f"zones.{part}")
        self.bytes = packed.getvalue()
        self.payload = {"name": "zones.zip", "mimeType": "application/zip", "buffer": self.bytes}


@pytest.fixture
def brought(tmp_path: Path) -> Brought:
    return Brought(tmp_path)


def points_file(rows: int, name: str = "places.csv") -> dict[str, Any]:
    """Make a table of points in the city, some of them twice."""
    chance = random.Random(5)
    lines = ["name,lon,lat,capacity"]
    for i in range(rows):
        lines.append(f"جا {i},{48.3 + 0.1 * chance.random():.6f},{33.44 + 0.08 * chance.random():.6f},{i % 400}")
    text = "\n".join(lines).encode()
    return {"name": name, "mimeType": "text/csv", "buffer": text}


def town_file() -> dict[str, Any]:
    """Make a small OpenStreetMap file: streets, a path, a clinic and two pharmacies."""
    places = [(48.33 + 0.005 * (n % 3), 33.47 + 0.004 * (n // 3)) for n in range(9)]
    tags = {1: ("clinic", "درمانگاه"), 5: ("pharmacy", "داروخانهٔ ۱"), 9: ("pharmacy", "داروخانهٔ ۲")}
    said = {n: f'<tag k="amenity" v="{kind}"/><tag k="name" v="{name}"/>' for n, (kind, name) in tags.items()}
    nodes = "".join(
        f'<node id="{n}" lat="{lat}" lon="{lon}">{said.get(n, "")}</node>'
        for n, (lon, lat) in enumerate(places, start=1)
    )
    ways = "".join(
        f'<way id="{n}"><nd ref="{a}"/><nd ref="{b}"/><tag k="highway" v="{kind}"/><tag k="name" v="خیابان {n}"/></way>'
        for n, (a, b, kind) in enumerate(
            [(1, 2, "primary"), (2, 5, "residential"), (5, 6, "residential"), (6, 9, "footway")], start=1
        )
    )
    text = f'<?xml version="1.0" encoding="UTF-8"?><osm version="0.6">{nodes}{ways}</osm>'
    return {"name": "town.osm", "mimeType": "application/xml", "buffer": text.encode()}


def open_form(open_page: Callable[..., Page], **options: Any) -> Page:
    return open_page(PATH, user="analyst", **({"language": "en"} | options))


def dropped(page: Page, selector: str, name: str, content: bytes) -> None:
    """Let a file fall on a part of the page."""
    carried = page.evaluate_handle(
        """([name, text]) => {
            const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
            const carried = new DataTransfer();
            carried.items.add(new File([bytes], name, {type: 'application/zip'}));
            return carried;
        }""",
        [name, base64.b64encode(content).decode()],
    )
    for kind in ("dragenter", "dragover", "drop"):
        page.dispatch_event(selector, kind, {"dataTransfer": carried})


def in_state(page: Page, state: str) -> None:
    expect(page.locator("#upload")).to_have_attribute("data-state", state, timeout=SLOW_MS)


def map_drawn(page: Page) -> None:
    """Wait until the map of an upload has been drawn."""
    expect(page.locator("#map")).to_have_attribute("data-drawn", re.compile(r"^[1-9]"), timeout=SLOW_MS)


def sent(page: Page, payload: dict[str, Any]) -> None:
    page.set_input_files("#file", payload)
    page.click("#send")
    page.wait_for_url("**/imports/**")


def describe_layer(page: Page, code: str) -> None:
    """Say what a new layer is."""
    page.check("input[name=which][value=new]")
    page.fill("#name_fa", "قطعه‌های آزمون")
    page.fill("#name_en", "Plots of the test")
    page.fill("#source", "Field survey")
    page.select_option("#theme", index=1)
    page.fill("#code", code)
    page.fill("#reference_date", "1404/07/01")


def field_row(page: Page, source: str) -> Any:
    return page.locator(f"#mapping tr[data-source={source}]")


def test_a_shapefile_without_a_system_becomes_a_release(
    open_page: Callable[..., Page], brought: Brought, tmp_path: Path
) -> None:
    page = open_form(open_page)

    # Dropped, and sent.
    dropped(page, "#drop", "zones.zip", brought.bytes)
    expect(page.locator("#chosen")).to_contain_text("zones.zip")
    page.click("#send")
    page.wait_for_url("**/imports/**")
    in_state(page, "examined")

    # Nothing says where it is: the system that puts it into the city is offered.
    expect(page.locator("h1")).to_contain_text("does not say its coordinate system")
    expect(page.locator("#store")).to_have_count(0)
    offered = page.locator(".crs-choices .choice", has_text="EPSG:32639")
    expect(offered).to_contain_text("100%")
    expect(offered.locator("input")).to_be_checked()
    # Where the file would fall so, against the outline of the city; and its texts in each encoding.
    assert len(offered.locator("svg.dots path.city").get_attribute("d") or "") > 100
    inside, outside = (offered.locator(f"svg.dots .{name}").count() for name in ("in", "out"))
    assert inside > 10
    assert 50 < inside + outside <= 100
    encodings = page.locator(".way[data-part=encoding] .choice")
    expect(encodings.filter(has_text="cp1256").locator(".sample").first).to_have_text(brought.names[0])
    expect(encodings.filter(has_text="utf-8")).to_contain_text("cannot be read")
    page.click("#examine")
    in_state(page, "examined")

    # Read in the right encoding; one polygon is not valid, and is shown before and after.
    expect(page.locator("h1")).to_contain_text("24 polygons")
    expect(page.locator("h1")).to_contain_text("cannot be stored yet: shapes are not valid")
    expect(page.locator(".way[data-part=encoding] .choice", has_text="cp1256")).to_contain_text("قطعه پارک")
    expect(page.locator(".way[data-part=encoding] .choice", has_text="cp1252")).not_to_contain_text("قطعه پارک")
    fault = page.locator(".fault[data-code=invalid_geometry]")
    before, after = (fault.locator(f".mendings path.{name}").get_attribute("d") for name in ("before", "after"))
    assert before
    assert after
    assert before.count("M") == 1
    assert after.count("M") == 2, "two triangles"
    page.locator("#map.is-ready").wait_for(timeout=SLOW_MS)
    assert int(page.locator("#map").get_attribute("data-faults") or 0) >= 1
    fault.locator("button.place").first.click()
    expect(page.locator("#map")).to_have_attribute("data-view", re.compile(r"/33\.4755\d/48\.3355\d$"))

    # Mended, mapped, described.
    page.check("input[name=repair]")
    nam, hectares, code = (field_row(page, name) for name in ("NAM", "HEKTAR", "KOD"))
    nam.locator("input[name=name-field]").check()
    nam.locator("input[name^=name-][type=text]").fill("title")
    expect(page.locator("#preview thead")).to_contain_text("title")
    hectares.locator("input[type=text]").fill("area_m2")
    hectares.locator("select[name^=type-]").select_option("number")
    hectares.locator("select[name^=from-]").select_option("ha")
    hectares.locator("select[name^=to-]").select_option("m2")
    code.locator("input[type=checkbox]").uncheck()
    expect(page.locator("#preview thead th", has_text="KOD")).to_be_hidden()
    expect(page.locator("#unsaved")).to_be_visible()
    describe_layer(page, "import-show")
    page.click("#examine")
    in_state(page, "examined")

    # What would be stored.
    expect(page.locator("h1")).to_contain_text("24 polygons and can be stored in the new layer")
    expect(page.locator(".fault-repaired")).to_contain_text("will be repaired")
    first = page.locator("#preview tbody tr").first.locator("td")
    assert first.all_inner_texts() == ["1", brought.names[0], brought.names[0], f"{brought.hectares[0] * 10_000:.12g}"]
    expect(page.locator("#store")).to_contain_text("Store as release 1")
    page.click("#store")
    in_state(page, "stored")

    # Stored, and seen on the map.
    expect(page.locator("h1")).to_contain_text("release 1")
    map_drawn(page)

    # Exported, and compared with what was brought.
    answer = page.request.get("/khorramabad/layers/import-show/export/?format=gpkg&bare=1")
    assert answer.status == 200, answer.text()
    exported = tmp_path / "exported.gpkg"
    exported.write_bytes(answer.body())
    meta, _, geometries, columns = pyogrio.raw.read(str(exported))
    found = dict(zip(meta["fields"].tolist(), columns, strict=True))
    assert "KOD" not in found
    rows = {name: i for i, name in enumerate(found["title"].tolist())}
    assert sorted(rows) == sorted(brought.names)
    for name, hectare, shape in zip(brought.names, brought.hectares, brought.shapes_4326, strict=True):
        assert found["area_m2"][rows[name]] == pytest.approx(hectare * 10_000, rel=1e-12)
        drawn = shapely.from_wkb(geometries[rows[name]])
        assert drawn.is_valid
        # Where the bad one crosses itself is computed in degrees, and a straight line there is none in metres.
        near = 1e-7 if name == brought.names[BAD_ROW - 1] else 1e-9
        assert shapely.hausdorff_distance(drawn, shape) < near, name

    # The list knows it; the page, opened again, says the same.
    address = page.url
    page.goto(PATH)
    expect(page.locator("table.uploads tbody tr").first).to_contain_text("stored as release 1")
    page.goto(address)
    expect(page.locator("h1")).to_contain_text("release 1")


def test_sending_shows_how_far_it_is_and_can_be_stopped(open_page: Callable[..., Page]) -> None:
    page = open_form(open_page)
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    slow = {"offline": False, "latency": 20, "downloadThroughput": -1, "uploadThroughput": 40_000}
    line.send("Network.emulateNetworkConditions", slow)
    page.set_input_files("#file", points_file(60_000, "stopped.csv"))
    page.click("#send")
    expect(page.locator("#sending-text")).to_contain_text(re.compile(r"stopped\.csv.*of .*MB.*\([1-9]\d?%\)"))
    expect(page.locator("#stop")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#chosen")).to_have_text("Stopped; nothing was sent.")
    expect(page.locator("#send")).to_be_visible()
    line.send("Network.emulateNetworkConditions", slow | {"latency": 0, "uploadThroughput": -1})
    page.goto(PATH)
    expect(page.locator("#send")).to_be_visible()
    assert page.get_by_text("stopped.csv").count() == 0, "what was stopped left nothing"


def test_what_is_stopped_after_it_arrived_is_given_up(open_page: Callable[..., Page]) -> None:
    page = open_form(open_page)
    line = page.context.new_cdp_session(page)
    held: list[str] = []
    line.on("Fetch.requestPaused", lambda event: held.append(event["requestId"]))
    line.send("Fetch.enable", {"patterns": [{"urlPattern": f"*{PATH}", "requestStage": "Response"}]})
    page.set_input_files("#file", points_file(100, "late.csv"))
    page.click("#send")
    expect(page.locator("#sending-text")).to_contain_text("has arrived")
    page.click("#stop")
    expect(page.locator("#sending-text")).to_have_text("The file had arrived already. It is being given up…")
    expect(page.locator("#stop")).to_be_disabled()
    ends = time.monotonic() + SLOW_MS / 1000
    while not held and time.monotonic() < ends:
        page.wait_for_timeout(50)  # the answer is held back, once there is one
    line.send("Fetch.continueRequest", {"requestId": held[0]})
    expect(page.locator("#chosen")).to_have_text("Stopped; the file that had arrived was given up.")
    expect(page.locator("#send")).to_be_focused()
    line.send("Fetch.disable")
    page.goto(PATH)
    expect(page.locator("table.uploads tbody tr").first).to_contain_text("late.csv")
    expect(page.locator("table.uploads tbody tr").first).to_contain_text("given up")


def test_one_may_leave_and_come_back_and_give_up(open_page: Callable[..., Page]) -> None:
    page = open_form(open_page)
    sent(page, points_file(30_000))
    address = page.url
    page.goto("/")
    page.goto(PATH)
    row = page.locator("table.uploads tbody tr").first
    expect(row).to_contain_text("places.csv")
    row.locator("a").click()
    assert page.url == address
    in_state(page, "examined")
    expect(page.locator("h1")).to_contain_text("30,000 points")
    map_drawn(page)  # what is fetched while the file is given up is not there any more
    page.get_by_role("button", name="Give this file up").click()
    in_state(page, "cancelled")
    expect(page.locator("h1")).to_contain_text("given up")
    page.goto(PATH)
    expect(page.locator("table.uploads tbody tr").first).to_contain_text("given up")


def test_an_examination_shows_how_far_it_is_and_can_be_cancelled(open_page: Callable[..., Page]) -> None:
    page = open_form(open_page)
    sent(page, points_file(400_000))
    in_state(page, "examining")
    expect(page.locator("#step")).to_contain_text(re.compile(r"Reading and checking the rows · [\d,]+"))
    expect(page.locator("#bar")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    in_state(page, "cancelled")


def test_of_two_windows_the_later_is_told_and_loses_nothing(open_page: Callable[..., Page], brought: Brought) -> None:
    page = open_form(open_page, allow_status=(409,))
    sent(page, brought.payload)
    in_state(page, "examined")
    page.click("#examine")
    in_state(page, "examined")
    expect(page.locator("h1")).to_contain_text("24 polygons")

    other = page.context.new_page()
    other.goto(page.url)
    page.bring_to_front()
    field_row(page, "NAM").locator("input[type=text]").fill("title of mine")
    other.bring_to_front()
    other.check("input[name=repair]")
    other.click("#examine")
    in_state(other, "examined")
    expect(other.locator(".fault-repaired")).to_have_count(1)

    # The first window says so, keeps what was typed, and its form is refused without loss.
    page.bring_to_front()
    page.click("#examine")
    refusal = page.locator("#refusal")
    expect(refusal).to_contain_text("changed meanwhile")
    expect(field_row(page, "NAM").locator("input[type=text]")).to_have_value("title of mine")
    expect(page.locator("input[name=repair]")).not_to_be_checked()
    page.click("#examine")
    in_state(page, "examined")
    expect(field_row(page, "NAM").locator("input[type=text]")).to_have_value("title of mine")

    # A window in which nothing was typed follows by itself.
    other.bring_to_front()
    expect(field_row(other, "NAM").locator("input[type=text]")).to_have_value("title of mine", timeout=SLOW_MS)


def test_without_scripts_it_is_an_ordinary_form(open_page: Callable[..., Page], brought: Brought) -> None:
    page = open_form(open_page, java_script_enabled=False)
    page.set_input_files("#file", brought.payload)
    page.click("#send")
    page.wait_for_url("**/imports/**")
    page.locator("#plan").wait_for(timeout=SLOW_MS)  # the page asks again by itself
    page.click("#examine")
    page.locator("#mapping").wait_for(timeout=SLOW_MS)
    expect(page.locator(".mendings path.after")).to_have_count(1)
    page.check("input[name=repair]")
    describe_layer(page, "import-plain")
    page.click("#examine")
    page.locator("#store").wait_for(timeout=SLOW_MS)
    page.click("#store")
    expect(page.locator("h1")).to_contain_text("release 1", timeout=SLOW_MS)


def test_what_a_new_layer_lacks_is_said_at_its_entries(open_page: Callable[..., Page]) -> None:
    page = open_form(open_page, language="fa", allow_status=(400,))
    sent(page, points_file(50))
    in_state(page, "examined")
    page.fill("#name_en", "Places")
    page.click("#store")
    expect(page.locator("#name_fa")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#reference_date")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#name_en")).to_have_value("Places")


def test_a_file_that_cannot_be_read_is_explained(open_page: Callable[..., Page]) -> None:
    page = open_form(open_page)
    sent(page, {"name": "notes.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4\n" + b"0" * 5_000})
    expect(page.locator("#upload")).to_have_attribute("data-state", re.compile("examined|failed"), timeout=SLOW_MS)
    expect(page.locator("h1")).to_contain_text(re.compile("cannot be stored yet|could not be examined"))
    expect(page.locator("#upload")).to_contain_text("kind of file")


def test_rules_for_openstreetmap_are_read_and_changed(open_page: Callable[..., Page]) -> None:
    page = open_form(open_page, allow_status=(400,))
    sent(page, town_file())
    in_state(page, "examined")
    offers = page.locator("[data-part=offers]")
    expect(offers.locator(".choice", has_text="Roads and streets")).to_contain_text("3 rows")
    expect(offers.locator(".choice", has_text="Pharmacies")).to_contain_text("2 rows")
    offers.locator("summary", has_text="find nothing here").click()
    expect(offers.locator(".choice", has_text="Hospitals")).to_be_visible()
    offers.locator(".choice", has_text="Pharmacies").locator("input").check()
    page.click("#examine")
    expect(page.locator("h1")).to_contain_text("2 points")

    # The rule is told in words; a mistake in it leads to its line; a changed one takes other rows.
    way = page.locator("[data-part=rules]")
    way.locator("summary").click()
    expect(way).to_contain_text("It takes what has")
    rule = page.locator("#rules").input_value()
    page.fill("#rules", rule.replace('"point"', '"circle"'))
    page.click("#examine")
    fault = page.locator("#rules-wrong")
    expect(fault).to_contain_text("'geometry' is 'circle'")
    fault.locator("button.place").press("Enter")
    expect(page.locator("#rules")).to_be_focused()
    chosen = page.evaluate("(e => e.value.slice(e.selectionStart, e.selectionEnd))(document.getElementById('rules'))")
    assert chosen == 'geometry = "circle"'
    page.fill("#rules", rule.replace('amenity = ["pharmacy"]', 'amenity = ["pharmacy", "clinic"]'))
    page.click("#examine")
    expect(page.locator("h1")).to_contain_text("3 points")
    expect(offers.locator(".choice", has_text="Pharmacies")).to_contain_text("rule of your own")

    # A new layer is described by the rule; a standard field is taken where somebody says so.
    expect(page.locator("#name_en")).to_have_value("Pharmacies")
    expect(field_row(page, "osm_id").locator(".standard")).to_contain_text("Could be the standard field Code")
    expect(field_row(page, "name_fa").locator(".standard")).to_have_text("Standard field: Persian name")


def test_on_a_phone_rules_and_standard_fields_and_former_releases_are_within_reach(
    open_page: Callable[..., Page],
) -> None:
    page = open_form(open_page, language="fa", width=390, height=844, is_mobile=True, has_touch=True)
    sent(page, town_file())
    in_state(page, "examined")
    page.locator("[data-part=offers] input[value=roads]").check()
    page.tap("#examine")
    page.locator("#mapping").wait_for()
    page.locator("[data-part=rules] summary").tap()
    small = page.evaluate(
        "[...document.querySelectorAll('#plan button, #plan select, #plan .choice, #plan summary')]"
        ".filter(e => e.offsetParent && e.getBoundingClientRect().height < 43 && !e.closest('#map'))"
        ".map(e => e.outerHTML.slice(0, 80))"
    )
    assert small == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 1
    assert barriers(page) == []

    # Two releases; the first is brought back.
    code = "osm-roads-phone"
    describe_layer(page, code)
    page.tap("#examine")
    page.tap("#store")
    in_state(page, "stored")
    page.goto(f"{PATH}?layer={code}")
    sent(page, town_file())
    in_state(page, "examined")
    rule = page.locator("#rules").input_value()
    page.locator("[data-part=rules] summary").tap()
    page.fill("#rules", rule.replace('"residential", ', ""))
    page.tap("#examine")
    page.tap("#store")
    in_state(page, "stored")
    page.locator("#undo-title ~ p a").tap()
    page.wait_for_url("**/releases/1/restore/")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 1
    assert barriers(page) == []
    page.locator("form button.main", has_text=re.compile("3|۳")).press("Enter")
    page.wait_for_url(f"**/layers/{code}/")
    expect(page.locator(".release-list tbody tr")).to_have_count(3)


def test_a_standard_field_is_taken_where_somebody_says_so(open_page: Callable[..., Page]) -> None:
    page = open_form(open_page)
    page.set_input_files("#file", points_file(30))
    describe_layer(page, "import-standard")
    page.select_option("#theme", "health")
    page.select_option("#purpose", "facilities")
    page.click("#send")
    page.wait_for_url("**/imports/**")
    in_state(page, "examined")
    name = field_row(page, "name")
    expect(name.locator(".standard")).to_contain_text("Could be the standard field Persian name: name_fa")
    expect(name.locator("input[type=text]")).to_have_value("name")
    name.get_by_role("button", name="Use it").press("Enter")
    expect(name.locator("input[type=text]")).to_have_value("name_fa")
    expect(name.locator("input[type=text]")).to_be_focused()
    expect(page.locator("#unsaved")).to_be_visible()
    expect(field_row(page, "capacity").get_by_role("button", name="Use it")).to_have_count(0)
    page.click("#examine")
    page.click("#store")
    in_state(page, "stored")
    page.goto("/khorramabad/layers/import-standard/")
    expect(page.locator(".field-list")).to_contain_text("Persian name")
    expect(page.locator(".field-list")).to_contain_text("Capacity")


@pytest.mark.parametrize("language", ["fa", "en"])
def test_on_a_phone_nothing_overflows_and_there_are_no_barriers(
    open_page: Callable[..., Page], brought: Brought, language: str
) -> None:
    page = open_form(open_page, language=language, width=390, height=844, is_mobile=True, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 1
    assert barriers(page) == []
    sent(page, brought.payload)
    in_state(page, "examined")
    assert barriers(page) == []
    page.tap("#examine")
    in_state(page, "examined")
    page.locator("#mapping").wait_for()
    page.locator("#map.is-ready").wait_for(timeout=SLOW_MS)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 1
    assert barriers(page) == []
    small = page.evaluate(
        "[...document.querySelectorAll('#plan button, #plan select, #plan .choice')]"
        ".filter(e => e.offsetParent && e.getBoundingClientRect().height < 43 && !e.closest('#map'))"
        ".map(e => e.outerHTML.slice(0, 80))"
    )
    assert small == []


def test_it_can_be_done_by_keyboard_alone(open_page: Callable[..., Page], brought: Brought) -> None:
    page = open_form(open_page)
    # The browser is told to leave the choosing to us as soon as somebody listens: long before, not as the key is pressed.
    page.on("filechooser", lambda _: None)

    def tab_to(selector: str) -> None:
        for _ in range(120):
            page.keyboard.press("Tab")
            if page.evaluate("s => document.activeElement.matches(s)", selector):
                assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
                return
        raise AssertionError(f"The keyboard does not reach {selector}.")

    tab_to("#file")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(brought.payload)
    tab_to("#send")
    page.keyboard.press("Enter")
    page.wait_for_url("**/imports/**")
    in_state(page, "examined")
    tab_to("input[name=crs]")
    tab_to("#examine")
    page.keyboard.press("Enter")
    page.locator("#mapping").wait_for(timeout=SLOW_MS)
    page.locator("#map.is-ready").wait_for(timeout=SLOW_MS)
    tab_to("button.place")
    page.keyboard.press("Enter")
    expect(page.locator("#map")).to_have_attribute("data-view", re.compile(r"/33\.4755\d/48\.3355\d$"))
    tab_to("input[name=repair]")
    page.keyboard.press("Space")
    tab_to("#mapping input[type=checkbox]")
    page.keyboard.press("Space")
    expect(page.locator("#mapping tr.is-left-out")).to_have_count(1)
    tab_to("#examine")
    page.keyboard.press("Enter")
    expect(page.locator(".fault-repaired")).to_have_count(1, timeout=SLOW_MS)
    assert json.loads(page.locator("#import-config").text_content() or "{}")["bounds"]
