"""Two institutions disagree: where, how much and why; and a third one says what counts, in three ways, by mouse, keyboard and phone."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_index_builder import picture, ranks
from tests.browser.test_main_job import LATIN_DIGITS, PHONE, barriers

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("_patient")]
PATH = "/khorramabad/index/weights/"


def slide(page: Page, name: str, value: str) -> None:
    """Move a slider, as a hand does."""
    page.locator(f"[name='{name}']").fill(value)


def test_institutions_disagree_and_a_third_one_says_what_counts(open_page: Callable[..., Page]) -> None:
    page = open_page("/khorramabad/index/", language="en", user="analyst", allow_status=(400, 409))
    page.get_by_role("link", name="How institutions weigh, side by side").click()
    expect(page.locator("h1")).to_contain_text("3 institutions agree on")
    expect(page.locator("#ranks tbody tr")).to_have_count(10)
    picture(page, "weights-en")

    # Two of them: the sentence names both, and the place about which they differ most.
    page.get_by_label("County Health Network", exact=True).uncheck()
    page.get_by_role("button", name="Compare the marked ones").click()
    expect(page.locator("h1")).to_contain_text("Municipality of Khorramabad and County Relief Committee")
    expect(page.locator(".order.is-strong")).to_have_count(3)
    page.get_by_role("row", name=re.compile("Jahangirabad")).wait_for()

    # The municipality's weights lead to its order in the index.
    header = page.locator("#ranks thead th").all_inner_texts()
    column = header.index("Municipality of Khorramabad")
    rows = page.locator("#ranks tbody tr").all()
    order = sorted(
        (int(row.locator("td").nth(column - 1).inner_text()), row.locator("th a").inner_text()) for row in rows
    )
    page.get_by_role("link", name=re.compile("Use in the index.*Municipality")).click()
    assert ranks(page) == [name for _, name in order]

    # The weights of the index are kept for another institution; what they lead to follows at once.
    slide(page, "w-food-worry", "5")
    expect(page.locator("#index-result")).to_have_attribute("aria-busy", "false")
    expect(page).to_have_url(re.compile("w-food-worry=5"))
    page.get_by_role("link", name="Keep these weights for an institution").click()
    expect(page.locator("[name=w-food-worry]")).to_have_value("5")
    expect(page.locator("#live")).to_contain_text("come first.")
    page.get_by_role("button", name="Keep these weights").click()
    expect(page.locator("#refusal")).to_be_focused()
    expect(page.locator("#refusal")).to_contain_text("Choose the organisation.")
    expect(page.locator("[name=w-food-worry]")).to_have_value("5")

    # 100 points: the remainder runs along, by keyboard.
    page.locator("#how-allocation").check()
    expect(page.locator(".way-given")).to_be_hidden()
    page.locator("[name=p-early-care]").press_sequentially("93")
    expect(page.locator("#points-left")).to_have_text("7 points are left.")
    page.keyboard.press("Tab")
    page.locator("[name=p-food-worry]").fill("7")
    expect(page.locator("#points-left")).to_have_text("All 100 points are divided.")

    # Two at a time, of those domains of which an indicator counts: words, contradiction, and which comparison it is.
    page.locator("#how-pairwise").check()
    expect(page.locator(".pair:visible")).to_have_count(3)
    slide(page, "c-livelihood-health", "-4")
    expect(page.locator(".pair", has=page.locator("[name=c-livelihood-health]")).locator("output")).to_have_text(
        "livelihood matters much more · 5"
    )
    page.locator("[name=c-health-infrastructure]").focus()
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    slide(page, "c-livelihood-infrastructure", "7")
    expect(page.locator("#live")).to_contain_text("contradict each other")
    expect(page.locator(".pair.is-at-odds")).to_have_count(1)
    picture(page, "weights-form-en")
    # Food counts four times as much as the rest, health twice.
    for pair, steps in (
        ("livelihood-health", "-1"),
        ("livelihood-infrastructure", "-3"),
        ("health-infrastructure", "-1"),
    ):
        slide(page, f"c-{pair}", steps)
    expect(page.locator("#live")).to_contain_text("The comparisons agree with each other")
    expect(page.locator(".pair.is-at-odds")).to_have_count(0)
    page.get_by_label("For which organisation").select_option(label="County Welfare Office")
    page.locator("[name=name_en]").fill("Food first")
    page.get_by_role("button", name="Keep these weights").click()
    expect(page.get_by_text("The weights are kept.")).to_be_visible()
    expect(page.locator("h1")).to_contain_text("County Welfare Office")

    # Somebody else changes them meanwhile: nothing is lost on either side.
    page.get_by_role("link", name="Change").click()
    other = page.context.new_page()
    other.goto(page.url)
    slide(other, "c-health-infrastructure", "-2")
    other.get_by_role("button", name="Keep the change").click()
    expect(other.get_by_text("The weights are changed.")).to_be_visible()
    slide(page, "c-livelihood-health", "-3")
    page.get_by_role("button", name="Keep the change").click()
    expect(page.get_by_role("heading", name="As it stands now, and as you have it")).to_be_visible()
    expect(page.locator("[name=c-livelihood-health]")).to_have_value("-3")
    page.get_by_role("button", name="Keep the change").click()
    expect(page.locator(".history li")).to_have_count(3)
    page.goto(PATH)
    expect(page.locator("h1")).to_contain_text("4 institutions")
    page.goto(page.get_by_role("link", name="Food first").get_attribute("href") or "")
    page.get_by_role("button", name="Put away").click()
    page.goto(PATH)
    expect(page.locator("h1")).to_contain_text("3 institutions")


@pytest.mark.parametrize(
    ("language", "shape"), [("fa", {}), ("fa", PHONE), ("en", PHONE)], ids=["fa", "fa-phone", "en-phone"]
)
def test_they_read_well_in_both_languages_and_on_a_phone(
    open_page: Callable[..., Page], language: str, shape: dict[str, object]
) -> None:
    page = open_page(PATH, language=language, user="analyst", **shape)
    name = f"{language}{'-phone' if shape else ''}"
    expect(page.locator("#ranks tbody tr")).to_have_count(10)
    first = page.locator(".sets a").first.get_attribute("href") or ""
    for part, path in (("", PATH), ("-set", first), ("-amend", f"{first}amend/"), ("-new", f"{PATH}new/")):
        page.goto(path)
        picture(page, f"weights{part}-{name}")
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path
        assert barriers(page) == [], path
        if language == "fa":
            for where in (
                "h1",
                ".basis",
                "#ranks",
                ".orders",
                ".weight-table",
                ".weight output",
                ".pair output",
                "#live",
                ".index-key",
            ):
                for text in page.locator(where).all_text_contents():
                    assert not LATIN_DIGITS.search(text), (path, where, text)


def test_it_works_without_script(open_page: Callable[..., Page]) -> None:
    page = open_page(f"{PATH}new/", language="en", user="planner", java_script_enabled=False)
    page.locator("#how-allocation").check()
    expect(page.locator(".way-given")).to_be_hidden()
    page.locator("[name=p-early-care]").fill("40")
    page.get_by_role("button", name="See what follows").click()
    expect(page.locator("#live")).to_contain_text("60 points are left.")
    expect(page.locator("[name=p-early-care]")).to_have_value("40")
