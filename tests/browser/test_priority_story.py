"""A ranking that survives questioning, from the first slider to the printed page: one story over all pages of priority.

An index is built, two institutions disagree about it, the worst place is opened and taken across the line; the index is published
with how sure it is; three clinics are sited and become a scenario; a settlement gets new paths, edited by hand; its brief is printed.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.http.test_brief import unpacked

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("_patient")]
CITY = "/khorramabad/"
WORST = ".ranks tbody tr"


def number(text: str) -> int:
    return int(re.sub(r"\D", "", text))


def test_a_ranking_is_questioned_published_and_acted_on(open_page: Callable[..., Page]) -> None:
    page = open_page(f"{CITY}index/?kind=settlement&first=3&methods=1", language="en", user="analyst")

    # An index is built: what is moved is ranked at once.
    expect(page.locator(WORST)).to_have_count(10)
    page.locator("#w-water-all-day").fill("3")
    expect(page).to_have_url(re.compile("w-water-all-day=3"))
    expect(page.locator("#index-result")).to_have_attribute("aria-busy", "false")
    built = page.url

    # Institutions that weigh otherwise order the places otherwise, and it is said about which they differ most.
    page.get_by_role("link", name="How institutions weigh, side by side").click()
    expect(page.locator("h1.finding")).to_contain_text(re.compile("differ|disagree"))
    expect(page.locator(".weights-sets .sets li")).not_to_have_count(0)

    # The worst place is opened from the ranking, with the same question, and taken across the line by what its page offers.
    page.goto(built)
    first = page.locator(WORST).first
    code, name = (first.get_attribute("id") or "").removeprefix("rank-"), first.locator("a").inner_text()
    first.locator("a").click()
    expect(page.locator("h1")).to_contain_text(f"{name} ranks 1 of 10")
    expect(page.locator("#moves-found")).to_have_attribute("aria-busy", "false")
    page.locator("#moves .try-it").click()
    assert number(page.locator(f"#rank-{code} .rank").inner_text()) > 3

    # It is published as it was built, after what does not hold was read; everybody sees how sure each rank is.
    page.goto(built)
    page.get_by_role("link", name="Publish this index").click()
    if page.locator("#id_reversals_seen").count():
        page.check("#id_reversals_seen")
    page.get_by_role("button", name="Publish").click()
    expect(page).to_have_url(re.compile(r"/index/editions/\d+/$"))
    site, _, edition = page.url.partition("/khorramabad/")
    public = open_page(CITY + edition, language="en")
    expect(public.locator(f"{WORST} .interval span")).to_have_count(10)
    expect(public.locator(WORST).first).to_contain_text(name)

    # Three clinics are sited, and the plan becomes a scenario.
    page.goto(f"{site}{CITY}siting/")
    page.locator("#f-sites").fill("3")
    page.get_by_role("button", name="Look for the best sites").click()
    expect(page.locator("#sites tbody tr")).to_have_count(3, timeout=120_000)
    gained = re.search(r"bring ([\d,]+) more people", page.locator("h1").inner_text())
    assert gained
    page.locator("#f-name").fill("Three clinics")
    page.get_by_role("button", name="Keep as a scenario").click()
    expect(page).to_have_url(re.compile(r"/what-if/\?scenario=\d+"))
    expect(page.locator("#finding")).to_contain_text(gained[1])

    # The settlement gets new paths: the shortest ones, less a piece that a person takes away, counted anew at once.
    page.goto(f"{site}{CITY}{code}/blocks/")
    page.get_by_role("button", name="Find new paths").click()
    expect(page.locator(".alternatives tbody tr")).not_to_have_count(0, timeout=120_000)
    page.locator("[data-from]").first.click()
    left = page.locator('[data-read="homes"]')
    expect(left).to_contain_text("→")
    with_all = left.inner_text()
    page.locator("#reach summary").click()
    page.locator("#reach-list button[aria-pressed=true]").first.click()
    expect(left).not_to_have_text(with_all)
    page.locator("#undo").click()
    expect(left).to_have_text(with_all)
    page.locator("#keep-name").fill("Shortest paths")
    page.get_by_role("button", name="Keep this plan").click()
    expect(page.locator("#plans tbody tr").first).to_contain_text("Shortest paths")

    # Its brief is two pages of paper.
    answer = page.request.get(f"{site}{CITY}{code}/brief.pdf")
    assert answer.ok
    assert answer.headers["content-type"] == "application/pdf"
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", unpacked(answer.body()))) == 2
