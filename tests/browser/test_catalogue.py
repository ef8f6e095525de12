"""The catalogue in a browser: map and table move together, on a phone, by keyboard, and without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_main_job import PHONE, unfit

LAYER = "/khorramabad/layers/clinic/"

pytestmark = pytest.mark.browser


def test_the_focused_row_is_chosen_and_pages_come_without_losing_the_map(open_page: Callable[..., Page]) -> None:
    page = open_page("/khorramabad/layers/roads/", language="en")
    expect(page.locator("#map.is-ready")).to_be_attached(timeout=20_000)
    page.locator("#rows tbody tr a").nth(4).focus()
    expect(page.locator("#rows tr.is-chosen")).to_have_attribute("data-number", "5")
    page.evaluate("window.stillHere = true")
    page.locator('#rows a[rel="next"]').click()
    expect(page.locator("#rows tbody tr").first).to_have_attribute("data-number", "51")
    assert "after=" in page.url
    page.fill("#row-q", "Meraj")
    page.keyboard.press("Enter")
    expect(page.locator("#rows-status")).to_contain_text("Meraj")
    page.locator("#rows thead a").last.click()
    expect(page.locator("#rows th[aria-sort=ascending] a")).to_be_focused()
    page.go_back()
    page.go_back()
    page.go_back()
    expect(page.locator("#rows tbody tr").first).to_have_attribute("data-number", "1")
    assert page.evaluate("window.stillHere")


def test_what_is_clicked_on_the_map_is_chosen_in_the_table(open_page: Callable[..., Page]) -> None:
    page = open_page(f"{LAYER}?sort=-name", language="en")
    expect(page.locator("#map.is-ready")).to_be_attached(timeout=20_000)
    page.wait_for_load_state("networkidle")
    box = page.locator("#map").bounding_box()
    assert box
    for share in range(5, 96, 3):  # somewhere along the valley there is a clinic
        for other in (0.35, 0.5, 0.65):
            page.mouse.move(box["x"] + box["width"] * other, box["y"] + box["height"] * share / 100)
            if page.evaluate("getComputedStyle(document.querySelector('#map canvas')).cursor") == "pointer":
                page.mouse.down()
                page.mouse.up()
                expect(page.locator("#rows tr.is-chosen")).to_have_count(1)
                expect(page.locator("#rows tr.is-chosen a")).to_be_focused()
                return
    raise AssertionError("No feature was met on the map.")


@pytest.mark.parametrize("language", ["fa", "en"])
def test_pages_fit_a_phone_and_have_no_barriers(open_page: Callable[..., Page], language: str) -> None:
    page = open_page("/layers/", language=language, **PHONE)
    found = {"/layers/": unfit(page)}
    for path in ("/khorramabad/layers/", LAYER, f"{LAYER}rows/3/"):
        page.goto(path)
        found[path] = unfit(page)
    found["edit"] = unfit(open_page(f"{LAYER}edit/", user="analyst", language=language, **PHONE))
    assert found == dict.fromkeys(found, (0, []))


def test_without_scripts_rows_are_sorted_searched_and_paged(open_page: Callable[..., Page]) -> None:
    page = open_page("/khorramabad/layers/roads/", language="en", java_script_enabled=False)
    page.locator("#rows thead a").last.click()
    expect(page.locator("th[aria-sort=ascending]")).to_have_count(1)
    page.locator('#rows a[rel="next"]').click()
    expect(page.locator("#rows tbody tr")).to_have_count(50)
    page.fill("#row-q", "Meraj")
    page.locator(".row-search button").click()
    assert re.search(r"rows? with “Meraj”", page.locator("#rows-status").inner_text())
    page.locator("#rows tbody tr a").first.click()
    expect(page.locator("h1")).to_contain_text("Meraj")


def test_a_photo_is_added_and_seen(open_page: Callable[..., Page]) -> None:
    from tests.db.test_attachments import picture

    page = open_page(f"{LAYER}rows/3/", user="analyst", language="en")
    expect(page.locator("#map.is-ready")).to_be_attached(timeout=20_000)
    page.wait_for_load_state("networkidle")  # tiles that are given up when a page is left are complaints
    page.set_input_files("#file", {"name": "door.jpg", "mimeType": "image/jpeg", "buffer": picture()})
    page.fill("#title", "the door")
    page.locator("form.attach button").click()
    image = page.locator('.pictures img[alt="the door"]').first
    expect(image).to_be_visible()
    expect(image).to_have_js_property("naturalWidth", 320)
    expect(page.locator("#map.is-ready")).to_be_attached(timeout=20_000)
    page.wait_for_load_state("networkidle")
