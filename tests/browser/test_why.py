"""Why a place stands where it does: opened from the ranking, read, and taken across the line by what the page offers."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pictures import picture
from tests.browser.test_main_job import LATIN_DIGITS, PHONE, barriers

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("_patient")]
RANKING = "/khorramabad/index/?kind=settlement&methods=1&first=3"


def rank_of(page: Page, code: str) -> int:
    return int(page.locator(f"#rank-{code} .rank").inner_text())


def test_the_worst_place_is_opened_read_and_flipped(open_page: Callable[..., Page]) -> None:
    page = open_page(RANKING, language="en", user="analyst")
    expect(page.locator(".ranks tbody tr")).to_have_count(10)
    code = (page.locator(".ranks tbody tr").first.get_attribute("id") or "").removeprefix("rank-")
    name = page.locator(".ranks tbody tr").first.locator("a").inner_text()
    page.locator(".ranks tbody tr").first.locator("a").click()
    expect(page.locator("h1")).to_contain_text(f"{name} ranks 1 of 10 and is robustly among the worst 3")
    assert page.locator("#parts tbody tr").count() == 23

    # What takes seconds comes by itself.
    expect(page.locator("#moves-found")).to_have_attribute("aria-busy", "false")
    lead = page.locator("#moves .lead").first
    expect(lead).to_contain_text(f"{name} would not be among the first 3 if “")
    picture(page, "why-en")
    others = page.locator("#moves p", has_text="would then be among the first 3.").inner_text()
    page.locator("#moves .try-it").click()

    # The ranking of these weights has the place outside, marked, and whoever takes its place inside.
    row = page.locator(f"#rank-{code}")
    expect(row).to_be_in_viewport()
    assert row.evaluate("row => row.matches(':target')")
    assert rank_of(page, code) > 3
    inside = page.locator(".ranks tbody tr").evaluate_all(
        "rows => rows.filter(row => Number(row.querySelector('.rank').innerText) <= 3).map(row => row.querySelector('a').innerText)"
    )
    assert any(other in others for other in inside)
    picture(page, "why-flipped-en")

    # The sliders stand where the weights are, not where the nearest half is.
    weights = dict(re.findall(r"w-([a-z-]+)=([\d.]+)", page.url))
    for slider in page.locator(".weight input").all():
        weight = float(weights.get((slider.get_attribute("name") or "").removeprefix("w-"), 0))
        assert float(slider.input_value()) == pytest.approx(weight, abs=1e-4)
    # The place explained by these weights stands outside.
    row.locator("a").click()
    expect(page.locator("h1")).to_contain_text(f"{name} ranks {4}")


def test_working_it_out_can_be_stopped_and_asked_for_again(open_page: Callable[..., Page]) -> None:
    page = open_page("/", language="en", user="analyst")
    base = page.url.rstrip("/")
    held: list[str] = []
    page.route("**/why/*part=moves*", lambda route: held.append(route.request.url))
    page.goto(f"{base}/khorramabad/s06/why/")
    busy = page.locator("#moves .busy")
    expect(busy).to_be_visible()
    assert len(held) == 1
    busy.get_by_role("button", name="Stop").click()
    expect(busy).to_be_hidden()
    page.get_by_role("link", name="Work it out").click()
    expect(page.locator("#moves .lead").first).to_contain_text("first 3")
    assert len(held) == 1


@pytest.mark.parametrize(
    ("language", "shape"), [("fa", {}), ("fa", PHONE), ("en", PHONE)], ids=["fa", "fa-phone", "en-phone"]
)
def test_it_reads_well_in_both_languages_and_on_a_phone(
    open_page: Callable[..., Page], language: str, shape: dict[str, object]
) -> None:
    page = open_page("/khorramabad/s03/why/", language=language, user="analyst", **shape)
    expect(page.locator("#moves .lead").first).to_be_visible()
    picture(page, f"why-{language}{'-phone' if shape else ''}")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert barriers(page) == []
    if language == "fa":
        for part in (".figures dd", ".parts td.num", "#moves td.num", "#neighbours td.num", ".near td"):
            for text in page.locator(part).all_inner_texts():
                assert not LATIN_DIGITS.search(text), (part, text)
