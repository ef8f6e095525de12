"""The workbench by finger on a phone, shapes taken from layers and files, and numbers that keep up with the hand.

Every page opened through `open_page` fails the test on a request to another host or an error on the console.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_main_job import PHONE
from tests.browser.test_workbench import (
    answered,
    at_rest,
    held,
    middle,
    open_workbench,
    pixel,
    server_side,
)  # fmt: skip

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("_patient")]


class Finger:
    """One finger on the glass, as the browser's own input takes it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.input = page.context.new_cdp_session(page)

    def _send(self, kind: str, *points: tuple[float, float]) -> None:
        self.input.send(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]}
        )

    @contextmanager
    def down(self, at: tuple[float, float]) -> Iterator[Finger]:
        self._send("touchStart", at)
        yield self
        self._send("touchEnd")

    def move(self, start: tuple[float, float], end: tuple[float, float], steps: int = 8) -> None:
        for i in range(1, steps + 1):
            share = i / steps
            self._send("touchMove", (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share))
            self.page.wait_for_timeout(40)

    def rest(self, at: tuple[float, float], duration_ms: int = 900) -> None:
        with self.down(at):
            self.page.wait_for_timeout(duration_ms)


def close_sheet(page: Page) -> None:
    """Put the panel down to its tabs, so that the map is free."""
    for _ in range(3):
        if page.locator("#panel").get_attribute("data-sheet") == "closed":
            break
        page.locator("#sheet-handle").tap()
    expect(page.locator("#panel")).to_have_attribute("data-sheet", "closed")


def walk_to_vertex(page: Page, steps: int = 2) -> tuple[float, float]:
    """Hold a vertex of the chosen place, with the panel down; return where on the page it is."""
    page.locator("#place-actions button").first.tap()
    expect(page.locator("#vertex")).to_be_visible()
    for _ in range(steps):
        page.keyboard.press(".")
    close_sheet(page)
    at_rest(page)
    return pixel(page, held(page))


def test_a_vertex_is_moved_opened_and_removed_by_finger(open_page: Callable[..., Page]) -> None:
    page = open_workbench(open_page, "n190", **PHONE)
    finger = Finger(page)
    start = walk_to_vertex(page)
    before = held(page)
    view = page.locator("#map").get_attribute("data-view")
    x, y = middle(page)
    end = (start[0] + (x - start[0]) * 0.4, start[1] + (y - start[1]) * 0.4)
    with finger.down(start):
        finger.move(start, end)
    expect(page.locator("#changes-count")).to_be_visible()
    # The vertex followed the finger, and the map stayed where it was.
    assert page.locator("#map").get_attribute("data-view") == view
    there = pixel(page, held(page))
    assert abs(there[0] - end[0]) < 30, (start, there, end)
    assert abs(there[1] - end[1]) < 30, (start, there, end)
    assert held(page) != before

    # A finger that rests on a vertex opens what can be done with it.
    page.keyboard.press("Escape")
    expect(page.locator("#vertex")).to_be_hidden()
    assert page.locator("#panel").get_attribute("data-sheet") == "closed"
    finger.rest(there)
    expect(page.locator("#panel")).to_have_attribute("data-sheet", "half")
    expect(page.locator("#vertex-remove")).to_be_visible()
    count = int(re.findall(r"of (\d+)", page.locator("#vertex-said").inner_text())[0])
    page.locator("#vertex-remove").tap()
    expect(page.locator("#announcer")).to_contain_text(f"of {count - 1}")
    page.locator("#undo").tap()
    expect(page.locator("#redo")).to_be_enabled()
    expect(page.locator("#undo")).to_have_attribute("title", re.compile("move a vertex"))
    page.locator("#undo").tap()
    expect(page.locator("#undo")).to_be_disabled()
    expect(page.locator("#changes-count")).to_be_hidden()


def test_one_finger_beside_a_vertex_moves_the_map(open_page: Callable[..., Page]) -> None:
    page = open_workbench(open_page, "n190", **PHONE)
    close_sheet(page)
    at_rest(page)
    view = page.locator("#map").get_attribute("data-view") or ""
    x, y = middle(page)
    with Finger(page).down((x, y)) as finger:
        finger.move((x, y), (x - 90, y - 40))
    expect(page.locator("#map")).not_to_have_attribute("data-view", view)
    expect(page.locator("#changes-count")).to_be_hidden()


def find_park(page: Page) -> tuple[float, float, dict[str, Any]]:
    """Find a park that the map shows, by asking for shapes as a click does."""
    _, lat, lon = map(float, (page.locator("#map").get_attribute("data-view") or "").split("/"))
    found = page.evaluate(
        """async ([lon, lat]) => {
            for (let ring = 0; ring < 14; ring++) for (let i = -ring; i <= ring; i++) for (let j = -ring; j <= ring; j++) {
                if (Math.max(Math.abs(i), Math.abs(j)) !== ring) continue;
                const at = [lon + i * 0.0008, lat + j * 0.0006];
                const answer = await fetch(`/api/v1/cities/khorramabad/layers/park/shape?lon=${at[0]}&lat=${at[1]}`);
                if (answer.ok) return [...at, await answer.json()];
            }
            return null;
        }""",
        [lon, lat],
    )
    assert found, "there is no park near"
    return found[0], found[1], found[2]


def choose_layer(page: Page, code_or_name: str) -> None:
    page.locator("button[data-tool=shape]").click()
    page.locator("#choose[open] #choose-list button").filter(has_text=code_or_name).click()
    expect(page.locator("#hint")).to_contain_text("Click a shape")


def test_a_shape_of_a_layer_becomes_a_boundary(open_page: Callable[..., Page]) -> None:
    page = open_workbench(open_page, "n100", allow_status=(404,))
    lon, lat, told = find_park(page)
    code = page.locator("#place-name").inner_text()
    assert code
    # The park is shown, clicked, looked at, and put away again.
    choose_layer(page, "Parks")
    box = page.locator("#map").bounding_box()
    assert box
    offer = page.locator("#preview-actions")

    def brought_into_view() -> tuple[float, float]:
        # A drag may be taken for a shorter one where the page is busy, so it is looked again where the park is.
        for _ in range(5):
            x, y = pixel(page, (lon, lat))
            if box["x"] + 40 < x < box["x"] + box["width"] - 40 and box["y"] + 40 < y < box["y"] + box["height"] - 40:
                break
            page.mouse.move(*middle(page))
            page.mouse.down()
            page.mouse.move(middle(page)[0] * 2 - x, middle(page)[1] * 2 - y, steps=6)
            page.mouse.up()
            at_rest(page)
        return x, y

    def click_it() -> None:
        # What can be clicked is what is drawn, and the layer's tiles arrive a moment after it was chosen.
        for _ in range(20):
            page.mouse.click(*brought_into_view())
            with suppress(AssertionError):
                expect(offer).to_be_visible(timeout=1_500)
                return
        raise AssertionError("No shape was offered.")

    click_it()
    expect(offer).to_be_visible()
    offer.get_by_text("Cancel").click()
    expect(offer).to_be_hidden()
    expect(page.locator("#changes-count")).to_be_hidden()

    # Taken, it is a settlement of its own, exactly as the layer has it.
    choose_layer(page, "Parks")
    click_it()
    offer.get_by_text("New settlement from it").click()
    expect(page.locator("#place-kind")).to_contain_text("informal settlement")
    expect(page.locator("#changes-count")).to_have_text("1")
    answered(page)
    page.locator("#tab-changes").click()
    page.fill("#change-source", "The layer of parks")
    with page.expect_response(lambda r: r.url.endswith("/change-sets") and r.status == 201) as saved:
        page.locator("#save").click()
    _, diff = server_side(page, "GET", f"change-sets/{saved.value.json()['id']}/diff")
    (change,) = diff["changes"]
    assert change["kind"] == "settlement"
    assert change["gained_m2"] == pytest.approx(told["area_m2"], rel=0.02)
