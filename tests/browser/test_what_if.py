"""What-ifs as a planner tries them: by hand, by keyboard, through a reload and a lost connection, saved, compared and exported.

Every page opened through `open_page` fails the test on a request to another host or an error on the console.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_main_job import AXE, sign_in
from tests.browser.test_workbench import pixel

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("_patient")]

PATH = "/khorramabad/what-if/?service=clinic"
STILL_MS = 250


def enter(page: Page, path: str = PATH) -> None:
    page.goto(path)
    page.locator("#what-if[data-ready=true]").wait_for()
    page.locator("#map[data-view]").wait_for()
    expect(page.locator("#facilities button").first).to_be_attached()


def figure(page: Page, name: str) -> float:
    return float(page.locator("#what-if").get_attribute(f"data-{name}") or "nan")


def clinics(page: Page) -> list[dict[str, Any]]:
    text = page.evaluate("fetch('/api/v1/cities/khorramabad/facilities?service=clinic').then(answer => answer.text())")
    return list(json.loads(text)["facilities"])


def neediest(page: Page) -> tuple[float, float]:
    """Return a point in the place with most people without a clinic."""
    config = json.loads(page.locator("#what-if-config").text_content() or "{}")
    places = config["answer"]["base"]["places"]
    code = max(places, key=lambda one: places[one]["services"]["clinic"][1])
    lon, lat, *_ = config["points"][code]
    return lon, lat


def test_a_clinic_is_dragged_saved_compared_and_exported(open_page: Callable[..., Page], tmp_path: Path) -> None:
    page = open_page("/accounts/login/", language="en", allow_status=(412,))
    sign_in(page, "planner")
    enter(page)
    today = figure(page, "uncovered")
    expect(page.locator("#finding")).to_contain_text("people in ⁨Khorramabad⁩")

    # Two clinics that stand near each other: one of them is not missed where it is.
    there = clinics(page)
    pairs = ((a, b) for i, a in enumerate(there) for b in there[i + 1 :])
    near = min(pairs, key=lambda pair: (pair[0]["lon"] - pair[1]["lon"]) ** 2 + (pair[0]["lat"] - pair[1]["lat"]) ** 2)
    one = near[0]
    start, end = pixel(page, (one["lon"], one["lat"])), pixel(page, neediest(page))
    page.mouse.move(*start)
    page.mouse.down()
    for part in range(1, 13):
        page.mouse.move(*(a + (b - a) * part / 12 for a, b in zip(start, end, strict=True)))
        page.wait_for_timeout(STILL_MS)
    expect(page.locator("#what-if")).to_have_attribute("data-latency-median-ms", re.compile(r"\d"))
    expect(page.locator("#finding")).to_contain_text("would gain a ⁨clinic⁩")
    page.mouse.up()
    expect(page.locator("#changes li")).to_have_count(1)
    page.wait_for_function("today => Number(document.querySelector('#what-if').dataset.uncovered) < today", arg=today)
    expect(page.locator("#effects tr").first).to_be_visible()
    assert figure(page, "latencies") >= 3
    assert figure(page, "uncovered-today") == today

    # It survives a reload; then it is kept.
    page.reload()
    page.locator("#what-if[data-ready=true]").wait_for()
    expect(page.locator("#notices")).to_contain_text("have been put back")
    page.wait_for_function("today => Number(document.querySelector('#what-if').dataset.uncovered) < today", arg=today)
    page.fill("#name", "A clinic where it is missed")
    page.locator("#save").click()
    expect(page.locator("#scenario-state")).to_contain_text("saved as version")
    page.reload()
    page.locator("#what-if[data-ready=true]").wait_for()
    expect(page.locator("#changes li")).to_have_count(1)
    expect(page.locator("#notices")).to_be_empty()

    # Somebody else saves in between: both versions stand side by side, and nothing is lost.
    page.evaluate(
        """async () => {
          const config = JSON.parse(document.getElementById('what-if-config').textContent);
          const {id, changes} = config.scenario;
          const headers = {'Content-Type': 'application/json', 'X-CSRFToken': config.csrf, 'If-Match': '"1"'};
          const body = JSON.stringify({name: 'Renamed meanwhile', changes});
          await fetch(`/api/v1/scenarios/${id}`, {method: 'PUT', headers, body});
        }"""
    )
    page.fill("#note", "From the meeting")
    page.locator("#save").click()
    expect(page.locator("#stale")).to_be_visible()
    expect(page.locator("#versions")).to_contain_text("Renamed meanwhile")
    expect(page.locator("#versions")).to_contain_text("From the meeting")
    page.locator("#stale-mine").click()
    expect(page.locator("#scenario-state")).to_contain_text("saved as version ⁨3⁩")

    # Compared with today, and taken away.
    uncovered = figure(page, "uncovered")
    page.locator("#link-compare").click()
    expect(page.locator("h1")).to_contain_text("A clinic where it is missed")
    expect(page.locator("h1")).to_contain_text(f"{round(uncovered):,}")
    expect(page.locator(".wi-maps .outline-map")).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_role("link", name="Workbook").click()
    download.value.save_as(tmp_path / "compared.xlsx")
    assert (tmp_path / "compared.xlsx").read_bytes()[:2] == b"PK"


def test_everything_is_done_by_keyboard_and_without_a_connection_nothing_is_lost(
    open_page: Callable[..., Page],
) -> None:
    page = open_page("/accounts/login/", language="en", height=1000, allow_status=(503,))
    sign_in(page, "analyst")
    enter(page)
    page.locator("#facilities-section summary").press("Enter")
    page.locator("#facilities button").first.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#card-name")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#mover")).to_be_focused()
    for _ in range(4):
        page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#changes li")).to_have_count(1)
    expect(page.locator("#changes")).to_contain_text("moved by ⁨410 m⁩")
    page.keyboard.press("Control+z")
    expect(page.locator("#changes li")).to_have_count(0)
    page.keyboard.press("Control+Shift+z")
    expect(page.locator("#changes")).to_contain_text("moved by ⁨410 m⁩")

    # A facility and a bridge in the middle of the map; another is closed and reopened.
    page.locator("#tools [data-tool=add]").press("Enter")
    page.locator("#at-middle").press("Enter")
    expect(page.locator("#changes li")).to_have_count(2)
    expect(page.locator("#card-name")).to_contain_text("new")
    page.fill("#capacity", "75")
    page.locator("#capacity").press("Enter")
    expect(page.locator("#undo")).to_have_attribute("title", re.compile("Capacity"))
    page.locator("#tools [data-tool=draw]").press("Enter")
    page.select_option("#street-kind", "bridge")
    page.locator("#at-middle").press("Enter")
    page.locator("#map canvas").focus()
    before = page.locator("#map").get_attribute("data-view") or ""
    page.keyboard.press("ArrowRight")
    expect(page.locator("#map")).not_to_have_attribute("data-view", before)
    page.locator("#at-middle").press("Enter")
    page.locator("#finish").press("Enter")
    expect(page.locator("#changes")).to_contain_text("Bridge of")
    expect(page.locator("#warnings")).to_contain_text("nothing is measured along streets")
    page.locator("#facilities button").nth(5).press("Enter")
    page.locator("#close-it").press("Enter")
    expect(page.locator("#changes li")).to_have_count(4)
    expect(page.locator("#close-it")).to_contain_text("Reopen")

    # Nobody answers: changes go on, are kept, and are answered when it is back.
    page.route("**/api/v1/cities/khorramabad/what-if", lambda route: route.fulfill(status=503))
    page.locator("#close-it").press("Enter")
    expect(page.locator("#notices")).to_contain_text("cannot be reached")
    expect(page.locator("#changes li")).to_have_count(3)
    page.unroute("**/api/v1/cities/khorramabad/what-if")
    expect(page.locator("#notices")).to_be_empty()
    page.evaluate(AXE.read_text() + ";0")
    violations = page.evaluate("axe.run().then(result => result.violations.map(v => [v.id, v.nodes.length]))")
    assert violations == []
