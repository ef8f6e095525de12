"""An index as an analyst makes it: sliders and methods, ranks that follow at once, the same after a reload and without script."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pictures import picture
from tests.browser.test_main_job import LATIN_DIGITS, PHONE, barriers

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("_patient")]
PATH = "/khorramabad/index/"


def ranks(page: Page) -> list[str]:
    return page.locator(".ranks tbody tr th a").all_inner_texts()


def settled(page: Page) -> None:
    expect(page.locator("#index-result")).to_have_attribute("aria-busy", "false")


def test_sliders_and_methods_rank_anew_at_once(open_page: Callable[..., Page]) -> None:
    page = open_page(PATH, language="en", user="analyst")
    expect(page.locator(".ranks tbody tr")).to_have_count(10)
    before, finding = ranks(page), page.locator("h1").inner_text()
    assert "whatever is chosen" in finding or "depends on what is chosen" in finding
    picture(page, "index-en")

    # All weight on water: those with the least come first.
    for slider in page.locator(".weight input").all():
        if slider.get_attribute("name") != "w-water-all-day":
            slider.fill("0")
    expect(page.locator(".basis")).to_contain_text("1 indicator ·")
    settled(page)
    assert ranks(page) != before
    expect(page).to_have_url(re.compile("w-water-all-day=1"))
    page.select_option("#aggregation", "vikor")
    expect(page.locator("#aggregation-means")).to_contain_text("Half counts the sum")
    page.select_option("#vary", "0")
    page.uncheck("[name=methods]")
    settled(page)

    # By keyboard, and the same after a reload.
    page.locator("#w-early-care").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".basis")).to_contain_text("2 indicators ·")
    settled(page)
    chosen = ranks(page)
    page.reload()
    assert ranks(page) == chosen
    assert page.locator("#w-early-care").input_value() == "0.5"
    expect(page.locator("#aggregation")).to_have_value("vikor")


def test_what_cannot_be_ranked_is_said_and_nothing_chosen_is_lost(open_page: Callable[..., Page]) -> None:
    page = open_page(PATH, language="en", user="analyst", allow_status=(400,))
    for slider in page.locator(".weight input").all():
        slider.fill("0")
    expect(page.locator("[role=alert]")).to_contain_text("All weights are zero.")
    page.locator("#w-early-care").fill("2")
    expect(page.locator(".ranks tbody tr")).to_have_count(10)
    page.locator("#w-disabled-unsupported").fill("1")
    expect(page.locator("[role=alert]")).to_contain_text("has no goalposts")
    assert page.locator("#w-early-care").input_value() == "2"
    page.select_option("#normalisation", "percentile")
    expect(page.locator("[role=alert]")).to_have_count(0)
    expect(page.locator(".basis")).to_contain_text("2 indicators ·")


@pytest.mark.parametrize(
    ("language", "shape"), [("fa", {}), ("fa", PHONE), ("en", PHONE)], ids=["fa", "fa-phone", "en-phone"]
)
def test_it_reads_well_in_both_languages_and_on_a_phone(
    open_page: Callable[..., Page], language: str, shape: dict[str, object]
) -> None:
    page = open_page(PATH, language=language, user="analyst", **shape)
    expect(page.locator(".ranks tbody tr")).to_have_count(10)
    picture(page, f"index-{language}{'-phone' if shape else ''}")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert barriers(page) == []
    if language == "fa":
        for part in (".finding", ".basis", ".ranks", ".weight output", ".index-key"):
            for text in page.locator(part).all_inner_texts():
                assert not LATIN_DIGITS.search(text), (part, text)
