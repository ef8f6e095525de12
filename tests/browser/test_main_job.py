"""The main job as one person would do it: open the city, ask, look, publish, and see the public map without an account.

Every page opened through `open_page` fails the test on a request to another host or an error on the console.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PASSWORD
from tests.environment import ROOT

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
PHONE: dict[str, Any] = {"width": 390, "height": 844, "is_mobile": True, "has_touch": True}
PERSIAN_DIGITS = re.compile(r"[۰-۹]")
LATIN_DIGITS = re.compile(r"[0-9]")


def sign_in(page: Page, name: str) -> None:
    page.goto("/accounts/login/")
    page.fill("input[name=username]", name)
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda url: "/accounts/login/" not in url)


def barriers(page: Page) -> list[Any]:
    """Return what axe objects to on a page as it is now: rules, and what breaks them."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text() + ";0")
    found: list[Any] = page.evaluate(
        "axe.run({resultTypes: ['violations']}).then(r => r.violations.map(v => [v.id, v.nodes.map(n => n.html)]))"
    )
    return found


def faded_px(table: Locator) -> tuple[int, int]:
    """Return over how many pixels a table fades out at the beginning and the end of its lines."""
    said = "it => ['--fade-start', '--fade-end'].map(name => Math.round(parseFloat(getComputedStyle(it).getPropertyValue(name))))"
    start, end = table.evaluate(said)
    return start, end


def ranking(page: Page) -> list[str]:
    return page.locator("#ranking tbody tr").evaluate_all("rows => rows.map(row => row.dataset.code)")


def move_slider(page: Page, selector: str, value: str) -> None:
    """Move a slider as a person's hand does: its value changes, then it says so."""
    page.locator(selector).evaluate(
        "(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input', {bubbles: true}));"
        " slider.dispatchEvent(new Event('change', {bubbles: true})); }",
        value,
    )


@pytest.mark.browser
def test_from_the_city_to_a_public_map(open_page: Callable[..., Page]) -> None:
    page = open_page("/", language="fa", as_seen=True)
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    sign_in(page, "analyst")

    # The city: its finding, its map, its ranking.
    page.goto("/khorramabad/")
    expect(page.locator("h1")).to_contain_text("خرم‌آباد")
    expect(page.locator("#map canvas")).to_be_visible()
    expect(page.get_by_text("دادهٔ نمایشی، نه مرز رسمی").first).to_be_visible()
    before = ranking(page)
    assert len(before) == 298

    # A threshold is moved: the places change rank, the address says what is asked.
    page.locator("input[name=show][value=coverage]").check(force=True)
    expect(page.locator("#threshold")).to_be_visible()
    page.wait_for_load_state("networkidle")
    by_coverage = ranking(page)
    slider = page.locator("#threshold input[type=range]")
    name = slider.get_attribute("name")
    assert name
    with page.expect_response(lambda r: "/api/khorramabad/results" in r.url and r.status == 200):
        move_slider(page, f"#threshold input[name={name}]", "2000")
    page.wait_for_function(
        "before => [...document.querySelectorAll('#ranking tbody tr')].map(r => r.dataset.code).join() !== before",
        arg=",".join(by_coverage),
    )
    assert sorted(ranking(page)) == sorted(before)
    assert f"{name}=2000" in page.url

    # Along streets it is farther; a facility says from where it is within the limit.
    with page.expect_response(lambda r: "/isochrone?" in r.url and r.status == 200):
        page.goto(f"{page.url}&facility=1&travel=streets")
    expect(page.locator("#finding h1")).to_contain_text("در امتداد معابر")
    expect(page.locator("#reach")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#reach")).to_be_hidden()
    with page.expect_response(lambda r: "/api/khorramabad/results" in r.url and r.status == 200):
        page.locator("#travel").select_option("")
    expect(page.locator("#finding h1")).not_to_contain_text("در امتداد معابر")
    assert "travel" not in page.url

    # A weight is moved: the priority is ranked anew.
    page.locator("input[name=show][value=priority]").check(force=True)
    page.wait_for_load_state("networkidle")
    by_priority = ranking(page)
    page.locator("#weights summary").click()
    with page.expect_response(lambda r: "/api/khorramabad/results" in r.url and r.status == 200):
        move_slider(page, "#weights input[type=range] >> nth=0", "0")
    page.wait_for_function(
        "before => [...document.querySelectorAll('#ranking tbody tr')].map(r => r.dataset.code).join() !== before",
        arg=",".join(by_priority),
    )

    # A place says why.
    first = page.locator("#ranking tbody tr").first.locator("a").first
    place = first.inner_text().strip()
    first.click()
    page.wait_for_load_state("networkidle")
    expect(page.locator("h1")).to_contain_text(place)
    expect(page.get_by_role("heading", name="چرا این رتبه")).to_be_visible()

    # Publish, and look at it logged out, in a browser of its own.
    page.goto("/khorramabad/?show=uncovered&service=clinic")
    page.wait_for_load_state("networkidle")
    page.locator("[data-open=publish]").first.click()
    page.fill("#publish-title-fa", "کجا درمانگاه دور است")
    page.fill("#publish-title-en", "Where a clinic is far away")
    page.fill("#publish-slug", "clinic-far-away")
    page.locator("#publish-form button[type=submit]").click()
    page.wait_for_url("**/m/clinic-far-away/")

    public = open_page("/m/clinic-far-away/", language="fa")
    expect(public.locator("h1")).to_have_text("کجا درمانگاه دور است")
    frame = public.frame_locator("iframe#map")
    expect(frame.get_by_role("application")).to_be_visible()
    expect(frame.locator("path.leaflet-interactive")).to_have_count(298)
    assert public.locator("main table tbody tr").count() >= 298
    text = public.locator("main table").first.inner_text()
    assert PERSIAN_DIGITS.search(text)
    assert not LATIN_DIGITS.search(text)

    # English.
    public.locator("button[name=language][value=en]").click()
    public.wait_for_load_state("networkidle")
    expect(public.locator("html")).to_have_attribute("lang", "en")
    expect(public.locator("h1")).to_have_text("Where a clinic is far away")
    assert not PERSIAN_DIGITS.search(public.locator("main table").first.inner_text())


def unfit(page: Page) -> tuple[int, list[Any]]:
    """Return how far a page overflows to the side, px, and what axe objects to; (0, []) is as it should be."""
    page.wait_for_load_state("networkidle")
    return max(0, page.evaluate("document.documentElement.scrollWidth - innerWidth") - 1), barriers(page)


@pytest.mark.browser
@pytest.mark.parametrize("language", ["fa", "en"])
def test_pages_fit_a_phone_and_have_no_barriers(open_page: Callable[..., Page], language: str) -> None:
    """Nothing overflows at 390 px; axe finds no violation."""
    page = open_page("/", language=language, **PHONE)
    found = {"/": unfit(page)}
    for path in (
        "/khorramabad/",
        "/khorramabad/coverage/",
        "/khorramabad/measures/",
        "/khorramabad/s01/",
        "/layers/",
        "/accounts/login/",
    ):
        page.goto(path)
        found[path] = unfit(page)
    assert found == dict.fromkeys(found, (0, []))


@pytest.mark.browser
@pytest.mark.parametrize("language", ["fa", "en"])
def test_on_a_phone_a_table_fades_where_it_goes_on(open_page: Callable[..., Page], language: str) -> None:
    """Towards its end at first, in both directions of writing; arrows move it, and at its end the fading is gone."""
    page = open_page("/khorramabad/measures/", language=language, **PHONE)
    standards = page.get_by_role("group", name=page.locator("#standards-title").inner_text())
    assert faded_px(standards) == (0, 40)
    page.goto("/khorramabad/coverage/")
    heat = page.locator(".heat-scroll")
    assert faded_px(heat) == (0, 40)
    heat.focus()
    page.keyboard.press("ArrowLeft" if language == "fa" else "ArrowRight")
    page.wait_for_function("() => document.querySelector('.heat-scroll').scrollLeft")
    heat.evaluate("(it, onwards) => it.scrollTo(onwards * it.scrollWidth, 0)", -1 if language == "fa" else 1)
    page.wait_for_function(
        "it => parseFloat(getComputedStyle(it).getPropertyValue('--fade-end')) < 1", arg=heat.element_handle()
    )
    assert faded_px(heat) == (0, 0)  # its first column stays in sight


@pytest.mark.browser
def test_everything_can_be_reached_by_keyboard(open_page: Callable[..., Page]) -> None:
    """Tab leads to the skip link, the measures, and the table; `?` lists the shortcuts; the focus shows."""
    page = open_page("/khorramabad/", language="en")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("document.activeElement.name || document.activeElement.id || document.activeElement.tagName")
        )
    assert {"show", "ranking"} <= reached, reached
    page.keyboard.press("?")
    expect(page.locator("dialog[open]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)


@pytest.mark.browser
def test_without_javascript_the_page_still_answers(open_page: Callable[..., Page]) -> None:
    page = open_page("/khorramabad/?show=coverage&service=clinic&threshold-clinic=1500", java_script_enabled=False)
    assert page.locator("#ranking tbody tr").count() == 298
    expect(page.locator("noscript button, form#question button[type=submit]").first).to_be_attached()
