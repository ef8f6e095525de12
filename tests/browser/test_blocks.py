"""A settlement opened up as a planner does it: measured, alternatives side by side, edited by mouse and keyboard, kept, exported."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pictures import picture
from tests.browser.test_main_job import LATIN_DIGITS, PHONE, barriers
from tests.browser.test_workbench import pixel

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("_patient")]
PATH = "/khorramabad/s04/blocks/"
LONG_MS = 120_000


def ready(page: Page) -> None:
    page.locator("#map[data-ready=true]").wait_for(timeout=LONG_MS)


def read(page: Page, name: str) -> str:
    expect(page.locator("#readout")).to_have_attribute("aria-busy", "false")
    return page.locator(f"[data-read={name}]").inner_text()


def number_of(text: str) -> int:
    return int(text.split("→")[-1].replace(",", "").replace("m", "").strip())


def test_a_settlement_is_opened_up_by_hand(open_page: Callable[..., Page]) -> None:
    page = open_page(PATH, language="en", user="planner")
    expect(page.locator("h1")).to_contain_text("homes stand on no street at least 4 m wide; the deepest lies behind")
    ready(page)
    picture(page, "blocks-en")

    # Alternatives side by side: told that it takes a while, then kept.
    page.click("#find button[type=submit]")
    expect(page.locator("#find-words")).to_contain_text("Looking for paths")
    expect(page.locator(".alternatives thead th")).to_have_count(3, timeout=LONG_MS)
    ready(page)
    page.click("[data-from=least-length]")
    expect(page.locator("[data-read=homes]")).to_have_text("406 → 0")
    expect(page.locator("[data-read=k]")).to_have_text("6 → 1")
    whole = number_of(read(page, "length"))

    # With the keyboard: a piece among those in reach, taken away, put back, undone and redone.
    page.click("[data-block] >> nth=0")
    page.locator("#reach summary").focus()
    page.keyboard.press("Enter")
    chosen = page.locator("#reach-list button[aria-pressed=true]").first
    expect(chosen).to_be_visible()
    name, at = chosen.get_attribute("data-piece"), chosen.get_attribute("data-at")
    assert name
    assert at
    button = page.locator(f"#reach-list [data-piece='{name}']")
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(page.locator("[data-read=homes]")).not_to_have_text("406 → 0")
    shorter = number_of(read(page, "length"))
    assert shorter < whole
    page.click("#undo")
    expect(page.locator("[data-read=homes]")).to_have_text("406 → 0")
    expect(page.locator("#redo")).to_be_enabled()
    page.click("#redo")
    expect(button).to_have_attribute("aria-pressed", "false")

    # With the mouse: the same piece pressed on the map is back.
    page.locator("#map").scroll_into_view_if_needed()
    lon, lat = map(float, at.split(","))
    page.mouse.click(*pixel(page, (lon, lat)))
    expect(page.locator("#undo")).to_be_enabled()
    expect(page.locator("[data-read=homes]")).to_have_text("406 → 0")
    picture(page, "blocks-edited-en")
    page.click("#clear")
    expect(page.locator("[data-read=homes]")).to_have_text("406")
    page.click("#undo")
    expect(page.locator("[data-read=homes]")).to_have_text("406 → 0")

    # Kept under a name, there after a reload, and out as a file.
    page.fill("#keep-name", "First plan")
    page.fill("#keep-note", "To be talked about.")
    page.click("#keep button[type=submit]")
    expect(page.locator("#plans tbody th")).to_contain_text("First plan")
    ready(page)
    expect(page.locator("[data-read=homes]")).to_have_text("406 → 0")
    assert number_of(read(page, "length")) == whole
    with page.expect_download() as download:
        page.click("#plans a[download]")
    told: dict[str, Any] = json.loads(Path(download.value.path()).read_text())
    assert round(sum(one["properties"]["length_m"] for one in told["features"])) == pytest.approx(whole, abs=1)
    assert page.locator("#plans a", has_text="Make a proposal of it").get_attribute("href")


def test_the_recount_follows_within_a_moment(open_page: Callable[..., Page]) -> None:
    page = open_page(PATH, language="en", user="analyst")
    ready(page)
    page.locator("#reach summary").click()
    button = page.locator("#reach-list button").first
    button.click()
    expect(page.locator("[data-read=length]")).not_to_have_text("0 m")
    with page.expect_response(lambda answer: answer.url.endswith("/recount")) as answer:
        page.locator("#reach-list button").nth(1).click()
    assert answer.value.json()["server_ms"] < 1000
    assert answer.value.ok


def test_a_city_is_measured_with_its_progress_told(open_page: Callable[..., Page]) -> None:
    page = open_page("/khorramabad/blocks/?narrowest=3", language="en", user="analyst")
    expect(page.locator("h1")).to_have_text("Nothing has been measured here yet.")
    page.click("#measure button[type=submit]")
    expect(page.locator("#measure-words")).to_contain_text("of 10: ")
    expect(page.locator(".basis")).to_contain_text("10 of 10 places are measured.", timeout=LONG_MS)
    expect(page.locator("h1")).to_contain_text("homes stand on no street at least 3 m wide; most of all in")
    expect(page.locator(".places-form tbody tr")).to_have_count(10)
    picture(page, "blocks-city-en")
    for shape in ({}, PHONE):
        persian = open_page("/khorramabad/blocks/?narrowest=3", language="fa", user="analyst", **shape)
        picture(persian, f"blocks-city-fa{'-phone' if shape else ''}")
        assert persian.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert barriers(persian) == []
        for part in (".finding", ".basis", ".places-form", ".blocks-key"):
            for text in persian.locator(part).all_inner_texts():
                assert not LATIN_DIGITS.search(text.replace("k", "")), (part, text)


@pytest.mark.parametrize(
    ("language", "shape"), [("fa", {}), ("fa", PHONE), ("en", PHONE)], ids=["fa", "fa-phone", "en-phone"]
)
def test_it_reads_well_in_both_languages_and_on_a_phone(
    open_page: Callable[..., Page], language: str, shape: dict[str, object]
) -> None:
    page = open_page(PATH, language=language, user="analyst", **shape)
    ready(page)
    picture(page, f"blocks-{language}{'-phone' if shape else ''}")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert barriers(page) == []
    if language == "fa":
        for part in (".finding", ".figures", ".blocks-table", ".readout", ".blocks-key"):
            for text in page.locator(part).all_inner_texts():
                assert not LATIN_DIGITS.search(text), (part, text)


def test_without_scripts_a_place_is_told_and_paths_are_found(open_page: Callable[..., Page]) -> None:
    page = open_page(PATH, language="en", user="supervisor", java_script_enabled=False)
    expect(page.locator("h1")).to_contain_text("homes stand on no street")
    expect(page.locator(".form-drawing path").first).to_be_visible()
    if page.locator("#find button").count():
        page.click("#find button[type=submit]")
    expect(page.locator(".alternatives thead th")).to_have_count(3, timeout=LONG_MS)
