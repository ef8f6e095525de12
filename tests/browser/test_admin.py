"""The administrator draws a boundary on the map: moves, adds and removes vertices, takes a file, is shown where a fault is."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD

pytestmark = pytest.mark.browser

WEST, SOUTH, EAST, NORTH = 48.36, 33.48, 48.37, 33.49
SQUARE = [[WEST, SOUTH], [EAST, SOUTH], [EAST, NORTH], [WEST, NORTH], [WEST, SOUTH]]
PADDING_PX = 40


def geojson(ring: list[list[float]]) -> str:
    return json.dumps({"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring]}})


def pixel(page: Page, lon: float, lat: float) -> tuple[float, float]:
    """Return where a point of the square's surroundings is on the screen: the map shows the square with a padding."""
    box = page.locator("[data-canvas]").bounding_box()
    assert box

    def mercator(degrees: float) -> float:
        return math.log(math.tan(math.pi / 4 + math.radians(degrees) / 2))

    low, high = mercator(SOUTH), mercator(NORTH)
    scale = min(
        (box["width"] - 2 * PADDING_PX) / math.radians(EAST - WEST), (box["height"] - 2 * PADDING_PX) / (high - low)
    )
    x = box["x"] + box["width"] / 2 + scale * math.radians(lon - (WEST + EAST) / 2)
    y = box["y"] + box["height"] / 2 - scale * (mercator(lat) - (low + high) / 2)
    return x, y


def rings(page: Page) -> list[list[list[float]]]:
    text = page.locator("[data-text]").input_value()
    return [polygon[0] for polygon in json.loads(text)["coordinates"]] if text else []


def test_a_boundary_is_drawn_on_the_map(open_page: Callable[..., Page], tmp_path: Path) -> None:
    page = open_page("/admin/login/?next=/admin/geo/boundary/add/", language="en", width=1280, height=1100)
    page.fill("input[name=username]", "administrator")
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url("**/admin/geo/boundary/add/")
    page.locator(".select2-selection").first.click()
    page.locator(".select2-search__field").fill("khorramabad")
    page.locator(".select2-results__option", has_text="(khorramabad)").first.click()
    page.fill("input[name=valid_0]", "2030-01-01")
    page.fill("input[name=source]", "drawn in a test")

    crossed = tmp_path / "crossed.geojson"
    crossed.write_text(geojson([SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3], SQUARE[0]]))
    page.set_input_files("[data-file]", str(crossed))
    expect(page.locator("[data-status]")).to_have_text("4 vertices in 1 parts")
    page.locator("input[name=_continue]").click()
    expect(page.locator(".errorlist").first).to_contain_text("(48.365000, 33.485000)")
    expect(page.locator(".maplibregl-marker")).to_be_visible()

    right = tmp_path / "right.geojson"
    right.write_text(geojson(SQUARE))
    page.set_input_files("[data-file]", str(right))
    page.locator("[data-do=fit]").click()
    expect(page.locator("[data-status]")).to_have_text("4 vertices in 1 parts")
    expect(page.locator("[data-canvas]")).to_have_attribute("aria-busy", "false")
    drag(page, (EAST, NORTH), (40, -20))
    moved = rings(page)[0]
    assert len(moved) == 5
    assert moved[2][0] > EAST
    assert moved[2][1] > NORTH
    assert moved[0] == moved[-1] == [WEST, SOUTH]
    drag(page, ((WEST + EAST) / 2, SOUTH), (0, 30))
    assert len(rings(page)[0]) == 6
    page.keyboard.press("Delete")
    assert len(rings(page)[0]) == 5
    page.locator("[data-do=undo]").click()
    assert len(rings(page)[0]) == 6
    page.locator("[data-do=draw]").click()
    x, y = pixel(page, WEST, SOUTH)
    for dx, dy in ((-60, -40), (-20, -40), (-20, -90)):
        page.mouse.click(x + dx, y + dy)
        page.wait_for_timeout(350)  # two clicks in short order are a double click, which ends the drawing
    page.keyboard.press("Enter")
    assert len(rings(page)) == 2
    page.locator("input[name=_continue]").click()
    expect(page.locator(".messagelist")).to_contain_text("added successfully")
    saved = rings(page)
    assert [len(ring) for ring in saved] == [6, 4]
    page.locator(".deletelink").click()
    page.locator("input[type=submit]").click()
    expect(page.locator(".messagelist")).to_contain_text("deleted successfully")


def drag(page: Page, start: tuple[float, float], by_px: tuple[int, int]) -> None:
    """Pull what is at a place on the map, once the map has drawn it."""
    x, y = pixel(page, *start)
    expect(page.locator("[data-canvas]")).to_have_attribute("aria-busy", "false")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + by_px[0] / 2, y + by_px[1] / 2, steps=4)
    page.mouse.move(x + by_px[0], y + by_px[1], steps=4)
    page.mouse.up()


@pytest.mark.parametrize("language", ["fa", "en"])
def test_lists_and_forms_open_without_complaint(open_page: Callable[..., Page], language: str) -> None:
    page: Any = open_page("/admin/login/?next=/admin/", language=language, width=390, height=844)
    page.fill("input[name=username]", "administrator")
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url("**/admin/")
    for path in (
        "geo/place/",
        "geo/boundary/",
        "geo/assignment/add/",
        "layers/release/",
        "layers/standard/",
        "analysis/run/",
    ):
        page.goto(f"/admin/{path}")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 1, path
    page.goto("/admin/geo/boundary/?status__exact=approved")
    page.locator("#result_list tbody th a").first.click()
    expect(page.locator("[data-canvas] canvas")).to_be_visible()
    assert page.locator("textarea[name=geometry]").count() == 0
