"""An index made, questioned and published in the browser, and read by everybody: on a phone, in Persian, without a mouse."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pictures import picture
from tests.browser.test_main_job import LATIN_DIGITS, PHONE, barriers

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("_patient")]
PATH = "/khorramabad/index/"


def test_an_index_is_questioned_published_and_withdrawn(open_page: Callable[..., Page]) -> None:
    page = open_page(
        f"{PATH}?kind=settlement&first=3&methods=1", language="en", user="analyst", allow_status=(400, 410)
    )
    # What is slow is worked out when it is opened, by keyboard, and follows what is chosen.
    depends = page.locator("details[data-part=sensitivity]")
    depends.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(depends.locator(".says")).to_contain_text("The ranks depend most on")
    expect(depends.locator(".factors tbody tr")).not_to_have_count(0)
    page.uncheck("[name=methods]")
    expect(depends).to_have_attribute("open", "")
    expect(depends.locator(".says")).to_be_visible()
    expect(depends).not_to_contain_text("how values become scores")
    page.locator("details[data-part=pattern] summary").click()
    expect(page.locator("details[data-part=pattern]")).to_contain_text("do not touch each other")
    page.check("[name=methods]")
    expect(depends).to_contain_text("how values become scores")
    picture(page, "index-questioned-en")
    assert barriers(page) == []

    # Published only after what does not hold was read.
    page.get_by_role("link", name="Publish this index").click()
    expect(page.locator("h1")).to_have_text("Publish an index")
    assert page.locator("#id_title_en").input_value()
    page.locator("#id_note").fill("A trial of the page.")
    page.get_by_role("button", name="Publish").click()
    expect(page.locator(".error-box")).to_contain_text("confirm it")
    assert page.locator("#id_note").input_value() == "A trial of the page."
    picture(page, "index-publish-en")
    assert barriers(page) == []
    page.check("#id_reversals_seen")
    page.get_by_role("button", name="Publish").click()
    expect(page.locator(".messages")).to_contain_text("The index is published.")
    expect(page).to_have_url(re.compile(r"/index/editions/2/$"))
    expect(page.locator(".basis")).to_contain_text("Edition 2")
    expect(page.get_by_role("heading", name="Since edition 1")).to_be_visible()
    expect(page.locator(".years-chart path.line-1")).to_have_count(1)
    page.reload()
    picture(page, "index-edition-en")
    assert barriers(page) == []
    with page.expect_download() as kept:
        page.get_by_role("link", name="Workbook (XLSX)").click()
    assert kept.value.suggested_filename == "khorramabad-index-2.xlsx"

    # Withdrawn with a reason, which is all that others read.
    page.get_by_text("Withdraw this index").click()
    page.get_by_role("button", name="Withdraw").click()
    expect(page.locator(".wrong")).to_have_text("A reason is missing.")
    page.locator("#withdraw-reason").fill("It was a trial.")
    page.get_by_role("button", name="Withdraw").click()
    expect(page.locator(".messages")).to_contain_text("The index is withdrawn.")
    other = open_page(page.url, language="en", allow_status=(410,))
    expect(other.locator(".reason")).to_have_text("It was a trial.")


def test_clusters_of_neighbourhoods_are_drawn_and_listed(open_page: Callable[..., Page]) -> None:
    page = open_page(f"{PATH}?kind=neighbourhood&first=10&methods=1", language="en", user="analyst")
    page.locator("details[data-part=pattern] summary").click()
    part = page.locator("details[data-part=pattern]")
    expect(part.locator(".says")).to_have_text("Places of high need lie together: a place is like its neighbours.")
    drawn = part.locator(".outline-map path.lisa-hh").count()
    assert drawn > 0
    assert part.locator(".clusters tbody .lisa-hh").count() == drawn
    picture(page, "index-pattern-en")
    # While a slider moves, fewer rankings are drawn; at rest all are, and the part that was open opens again.
    page.locator(".weight input").first.fill("3")
    expect(page.locator(".basis")).to_contain_text("10,000 rankings drawn")
    expect(part.locator(".says")).to_contain_text("Places of high need lie together")


@pytest.mark.parametrize(
    ("language", "shape"), [("fa", {}), ("fa", PHONE), ("en", PHONE)], ids=["fa", "fa-phone", "en-phone"]
)
def test_everybody_reads_a_published_index(
    open_page: Callable[..., Page], language: str, shape: dict[str, object]
) -> None:
    page = open_page(f"{PATH}editions/", language=language, **shape)
    picture(page, f"index-editions-{language}{'-phone' if shape else ''}")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.locator(".editions h2 a").last.click()
    expect(page).to_have_url(re.compile(r"/index/editions/1/$"))
    expect(page.locator(".ranks tbody tr")).to_have_count(10)
    picture(page, f"index-edition-{language}{'-phone' if shape else ''}")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert barriers(page) == []
    if language == "fa":
        for part in (".finding", ".basis", ".ranks", ".years-chart", ".years table", ".index-key", ".moves"):
            for text in page.locator(part).all_text_contents():
                assert not LATIN_DIGITS.search(text), (part, text)


def test_parts_are_pages_without_script(open_page: Callable[..., Page]) -> None:
    page = open_page(
        f"{PATH}?kind=settlement&first=3&methods=1", language="en", user="analyst", java_script_enabled=False
    )
    page.locator("details[data-part=sensitivity] summary").click()
    page.locator("details[data-part=sensitivity] a").click()
    expect(page.locator("details[data-part=sensitivity] .factors")).to_be_visible()
    expect(page.locator(".ranks tbody tr")).to_have_count(10)
