"""A boundary's way from a drawing to what is in force, through the pages alone: two people, one comment, one decision.

Every page opened through `open_page` fails the test on a request to another host or an error on the console.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SLOW_MS
from tests.browser.test_workbench import (
    PATH,
    answered,
    area_m2,
    at_rest,
    changed,
    enter,
    held,
    open_workbench,
)  # fmt: skip

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("_patient")]

CITY = "/khorramabad/"
PLACE = "n200"
TITLE = "The edge along the wall"
COMMENT = "The wall stands further out; measure it again."


def push_vertex(page: Page, steps: int = 2) -> tuple[float, float]:
    """Hold a vertex of the chosen place and move it ten metres at a time by keys; return where it is then."""
    page.locator("#place-actions button").first.click()
    expect(page.locator("#vertex")).to_be_visible()
    for _ in range(3):
        page.keyboard.press(".")
    before = held(page)
    _, lat, lon = map(float, (page.locator("#map").get_attribute("data-view") or "").split("/"))
    away = (lon - before[0], lat - before[1])
    key = ("ArrowRight" if away[0] > 0 else "ArrowLeft") if abs(away[0]) > abs(away[1]) else (
        "ArrowUp" if away[1] > 0 else "ArrowDown"
    )  # fmt: skip
    for _ in range(steps):
        page.keyboard.press(f"Shift+{key}")
    expect(page.locator("#changes-count")).to_be_visible()
    assert held(page) != before
    return held(page)


def tile_address(at: tuple[float, float], zoom: int = 15) -> str:
    """The tile of places that a position lies in."""
    count = 2**zoom
    x = int((at[0] + 180) / 360 * count)
    y = int((1 - math.log(math.tan(math.pi / 4 + math.radians(at[1]) / 2)) / math.pi) / 2 * count)
    return f"/tiles/khorramabad/places/{zoom}/{x}/{y}.mvt"


def tile(page: Page, address: str) -> int:
    """Fetch a tile as the map does, with what the browser has kept of it; return a number that stands for its bytes."""
    found = page.evaluate(
        """async address => {
            const bytes = new Uint8Array(await (await fetch(address)).arrayBuffer());
            return bytes.reduce((sum, byte) => (sum * 31 + byte) % 2147483647, bytes.length);
        }""",
        address,
    )
    return int(found)


def test_two_people_bring_a_boundary_into_force(open_page: Callable[..., Page]) -> None:
    """Propose, return with a comment, mend, propose again, approve; the author is never asked to approve."""
    planner = open_workbench(open_page, PLACE)
    answered(planner)
    old_m2 = area_m2(planner)
    name = planner.locator("#place-name").inner_text()
    first = push_vertex(planner)
    planner.locator("#tab-changes").click()
    planner.fill("#change-title", TITLE)
    planner.fill("#change-source", "A walk along the wall")
    planner.locator("#save").click()
    expect(planner.locator("#notices")).to_contain_text("The draft is saved.")
    page_of_change = planner.locator("#change-set-link a").get_attribute("href")
    assert page_of_change
    planner.locator("#notices .link").click()

    # The page of the change set: its author may propose it, not approve it.
    approve = "#decide button[value=approve]"
    expect(planner.locator("h1")).to_be_visible()
    assert page_of_change in planner.url
    expect(planner.locator("main")).to_contain_text(TITLE)
    assert planner.locator(approve).count() == 0
    planner.fill("#comment", "Please look at the north.")
    planner.locator("#decide button[value=propose]").click()
    expect(planner.locator(".standing").first).to_have_text("proposed")
    assert planner.locator(approve).count() == 0
    expect(planner.locator("#decide")).to_contain_text("You drew it")

    # A second person finds it in the list, misses the comment once, and returns it with one.
    judge = open_page(f"{CITY}changes/", user="supervisor", language="en", allow_status=(400,))
    judge.locator(".change-list a", has_text=TITLE).first.click()
    expect(judge.locator(approve)).to_be_visible()
    expect(judge.locator("#steps")).to_contain_text("Please look at the north.")
    judge.locator("#decide button[value=return]").click()
    expect(judge.locator(".has-error, .error-box, [role=alert]").first).to_be_visible()
    judge.fill("#comment", COMMENT)
    judge.locator("#decide button[value=return]").click()
    expect(judge.locator(".standing").first).to_have_text("returned")
    assert judge.locator(approve).count() == 0

    # The author reads why, on the page and beside the map, and draws on.
    planner.goto(f"{CITY}changes/")
    planner.locator(".change-list a", has_text=TITLE).first.click()
    expect(planner.locator("#steps")).to_contain_text(COMMENT)
    planner.locator("#decide a", has_text="workbench").click()
    planner.locator("#workbench[data-ready]").wait_for(state="attached", timeout=SLOW_MS)
    planner.locator("#tab-changes").click()
    expect(planner.locator("#change-said")).to_contain_text(COMMENT)
    expect(planner.locator("#change-said")).to_contain_text("supervisor")
    expect(planner.locator("#change-title")).to_have_value(TITLE)
    planner.locator("#changes .task-show", has_text=name).first.click()
    at_rest(planner)
    second = push_vertex(planner, steps=1)
    assert second != first
    answered(planner)
    proposed_m2 = area_m2(planner)
    with planner.expect_response(lambda r: r.url.endswith("/propose") and r.status == 200):
        planner.locator("#propose").click()
    expect(planner.locator("#notices")).to_contain_text("proposed")
    expect(planner.locator("#changes-count")).to_be_hidden()
    planner.locator("#notices .link").click()
    expect(planner.locator(".standing").first).to_have_text("proposed")
    assert planner.locator(approve).count() == 0

    # Until it is approved, the map shows everybody what was in force.
    address = tile_address(second)
    judge.goto(f"{CITY}{PLACE}/history/")
    in_force = judge.locator(".editions tr.is-in-force")
    edition_before = in_force.locator("th").inner_text()
    expect(judge.locator(".editions tbody tr", has_text=TITLE).first).to_contain_text("proposed")
    tile_before = tile(judge, address)
    judge.goto(f"{CITY}changes/")
    judge.locator(".change-list a", has_text=TITLE).first.click()
    judge.locator(approve).click()
    expect(judge.locator(".standing").first).to_have_text("approved")
    assert judge.locator(approve).count() == 0

    # The map and the history show the new edition in force, to the reader who looked before too.
    assert tile(judge, address) != tile_before
    judge.goto(f"{CITY}{PLACE}/history/")
    expect(in_force).to_have_count(1)
    assert in_force.locator("th").inner_text() != edition_before
    expect(in_force).to_contain_text(TITLE)
    expect(in_force).to_contain_text("A walk along the wall")
    enter(planner, PLACE)
    answered(planner)
    expect(planner.locator("#changes-count")).to_be_hidden()
    assert area_m2(planner) == proposed_m2 != old_m2
    planner.goto(page_of_change)
    expect(planner.locator(".standing").first).to_have_text("approved")
    assert planner.locator(approve).count() == 0
    # What has been decided is not drawn on: the workbench says so, and begins with what is in force.
    planner.goto(f"{PATH}?change_set={page_of_change.rstrip('/').rsplit('/', 1)[1]}&place={PLACE}")
    planner.locator("#workbench[data-ready]").wait_for(state="attached", timeout=SLOW_MS)
    expect(planner.locator("#notices")).to_contain_text("approved")
    expect(changed(planner)).to_have_count(0)
    answered(planner)
    assert area_m2(planner) == proposed_m2
