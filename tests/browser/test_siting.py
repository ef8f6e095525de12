"""Three clinics sited in the page: asked for, waited for, seen on the map, kept as a scenario; the same on a phone, in Persian."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pictures import picture
from tests.browser.test_main_job import LATIN_DIGITS, PHONE, barriers

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("_patient")]
PATH = "/khorramabad/siting/"


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def test_three_clinics_are_sited_and_become_a_scenario(open_page: Callable[..., Page]) -> None:
    page = open_page(PATH, language="en", user="analyst")
    # What the chosen aim does not need is put away.
    expect(page.locator("#f-capacity")).to_be_hidden()
    page.get_by_label(re.compile("each facility takes only so many")).check()
    expect(page.locator("#f-capacity")).to_be_visible()
    page.get_by_label(re.compile("^Most people newly reached")).check()
    page.locator("#f-sites").fill("3")
    page.get_by_role("button", name="Look for the best sites").click()
    # The worker computes; the page follows by itself.
    expect(page.locator("#sites tbody tr")).to_have_count(3, timeout=120_000)
    expect(page.locator("h1")).to_contain_text(
        re.compile(r"Clinic: 3 new facilities would bring [\d,]+ more people within 800 m")
    )
    expect(page.locator(".map-pane .live.is-ready")).to_be_attached()
    expect(page.locator(".site-mark")).to_have_count(3)
    # The table leads to the map, by keyboard too.
    page.locator("#sites tbody tr a").nth(1).focus()
    expect(page.locator(".site-mark.is-chosen")).to_have_text("2")
    page.locator(".site-mark").first.dispatch_event("click")
    expect(page.locator("#sites tr.is-chosen")).to_have_attribute("data-number", "1")
    assert barriers(page) == []
    picture(page, "plan-en")
    gained = re.search(r"bring ([\d,]+) more", page.locator("h1").inner_text())
    assert gained
    page.locator("#f-name").fill("Three clinics")
    page.get_by_role("button", name="Keep as a scenario").click()
    expect(page).to_have_url(re.compile(r"/what-if/\?scenario=\d+"))
    expect(page.locator("#finding")).to_contain_text(gained[1])

    # A refusal keeps what was typed, and is reached by keyboard at once.
    page = open_page(PATH, language="en", user="analyst", allow_status=(400,))
    page.locator("#f-sites").fill("999")
    page.get_by_role("button", name="Look for the best sites").click()
    expect(page.locator("#refusal")).to_be_focused()
    assert page.locator("#f-sites").input_value() == "999"

    # Ground is drawn on a map.
    page.locator("#ground summary").click()
    expect(page.locator("#ground.is-drawn #where")).to_be_visible()
    for at in ((60, 60), (120, 60), (120, 120)):
        page.locator("#map canvas").click(position={"x": at[0], "y": at[1]})
    expect(page.locator("#marked")).to_contain_text(re.compile("A surface of .?3.? corners is marked."))
    assert '"Polygon"' in page.locator("#f-geometry").input_value()


@pytest.mark.parametrize(("language", "shape"), [("fa", {}), ("fa", PHONE)], ids=["fa", "fa-phone"])
def test_it_reads_well_in_persian_and_on_a_phone(
    open_page: Callable[..., Page], language: str, shape: dict[str, object]
) -> None:
    page = open_page(PATH, language=language, user="analyst", **shape)
    name = f"{language}{'-phone' if shape else ''}"
    assert fits(page)
    assert barriers(page) == []
    picture(page, f"siting-{name}")
    page.locator("#f-spacing_m").evaluate("(field) => { field.value = '1000'; }")
    page.locator("#siting-form button[type=submit]").click()
    expect(page.locator("#sites tbody tr")).to_have_count(3, timeout=120_000)
    expect(page.locator(".map-pane .live.is-ready")).to_be_attached()
    assert fits(page)
    assert barriers(page) == []
    picture(page, f"plan-{name}")
    for part in (".finding", ".basis", ".plan-facts", ".sites", ".curve-chart", ".curve-table", ".places", ".asked"):
        for text in page.locator(part).all_text_contents():
            assert not LATIN_DIGITS.search(text), (part, text)
