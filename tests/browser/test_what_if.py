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


def drag_along(page: Page, selector: str, *shares: float) -> list[float]:
    """Drag a slider from one share of its length to another, and tell who is without the service after each step."""
    slider = page.locator(selector)
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box is not None
    y, found = box["y"] + box["height"] / 2, []
    page.mouse.move(box["x"] + box["width"] * shares[0], y)
    page.mouse.down()
    for share in shares[1:]:
        page.mouse.move(box["x"] + box["width"] * share, y)
        page.wait_for_timeout(STILL_MS)
        expect(page.locator("#map-pane")).to_have_attribute("aria-busy", "false")
        found.append(figure(page, "uncovered"))
    page.mouse.up()
    return found


def test_limits_capacities_and_weights_change_coverage_and_ranks_while_they_are_dragged(
    open_page: Callable[..., Page],
) -> None:
    page = open_page("/accounts/login/", language="en", height=1000)
    sign_in(page, "planner")
    enter(page)
    today = figure(page, "uncovered-today")

    far = drag_along(page, "#threshold", 0.35, 0.3, 0.2)
    assert far[1] > far[0] > today
    expect(page.locator("#finding")).to_contain_text("lose their ⁨clinic⁩")
    expect(page.locator("#effects td.lose").first).to_have_text(re.compile(r"\d"))
    expect(page.locator("#effects .num:last-child").first).to_have_text(re.compile("→"))
    assert figure(page, "uncovered-today") == today
    page.locator("#changes .link").click()
    expect(page.locator("#finding")).to_contain_text("people in ⁨Khorramabad⁩")

    # A capacity counts once it is said how many places people need.
    page.locator("#facilities-section summary").click()
    page.locator("#facilities button").nth(7).click()
    drag_along(page, "#capacity-slide", 0.9, 0.1)
    assert figure(page, "uncovered") == today
    page.locator("#warnings").get_by_role("button", name="Let capacity count").click()
    expect(page.locator("#finding")).to_contain_text("with room")
    page.wait_for_function(
        "today => Number(document.querySelector('#what-if').dataset.uncoveredToday) > today", arg=today
    )
    few, fewer = drag_along(page, "#capacity-slide", 0.2, 0.1, 0.01)
    assert fewer > few
    expect(page.locator("#finding")).to_contain_text("would lose their")
    expect(page.locator("#effects .num:last-child").first).to_have_text(re.compile("→"))

    # Other weights move ranks, though nobody gains or loses.
    for _ in range(3):
        page.locator("#undo").click()
    page.locator("#weights summary").click()
    drag_along(page, "#weight-park", 0.2, 0.6, 0.9)
    expect(page.locator("#finding")).to_contain_text("another rank of priority")
    expect(page.locator("#effects .num:last-child").first).to_have_text(re.compile("→"))
    page.fill("#name", "Parks first")
    page.locator("#save").click()
    expect(page.locator("#scenario-state")).to_contain_text("saved as version")
    page.reload()
    page.locator("#what-if[data-ready=true]").wait_for()
    expect(page.locator("#finding")).to_contain_text("another rank of priority")
    expect(page.locator("#changes")).to_contain_text("Weight of ⁨park⁩")


def test_places_needed_after_a_standard_are_offered(open_page: Callable[..., Page]) -> None:
    page = open_page("/admin/layers/standard/add/", language="en", user="administrator")
    asked = {"app_label": "layers", "model_name": "standard", "field_name": "service", "term": "clinic"}
    (clinic,) = (
        one["id"]
        for one in page.request.get("/admin/autocomplete/", params=asked).json()["results"]
        if one["text"] == "Clinic"
    )
    token = page.locator("#standard_form [name=csrfmiddlewaretoken]").get_attribute("value") or ""
    form = {"csrfmiddlewaretoken": token, "service": clinic, "kind": "capacity", "value": "2.5", "source": "A norm"}
    saved = page.request.post(page.url, form=form, headers={"Referer": page.url}, max_redirects=0)
    assert saved.status == 302, saved.text()
    enter(page)
    page.locator("#need-section summary").click()
    offered = page.locator("#need-standard")
    expect(offered).to_have_text("As the standard: ⁨2.5⁩")
    expect(offered).to_have_attribute("title", "A norm")
    offered.click()
    expect(page.locator("#need")).to_have_value("2.5")
    expect(page.locator("#finding")).to_contain_text("with room")
    expect(offered).to_be_hidden()


def test_on_a_phone_the_bar_of_a_city_is_two_rows_that_show_where_one_is(open_page: Callable[..., Page]) -> None:
    for language in ("fa", "en"):
        page = open_page("/khorramabad/scenarios/", language=language, width=390, height=844, user="planner")
        sections, pages = page.locator(".city-bar"), page.locator(".tabs.pages")
        for row in (sections, pages):
            assert (row.bounding_box() or {"height": 999})["height"] < 60
            expect(row.locator("[aria-current]")).to_be_in_viewport(ratio=0.9)
            row.locator("a").last.focus()
            expect(row.locator("a").last).to_be_in_viewport(ratio=0.9)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        sections.locator("a").nth(1).click()
        expect(pages.locator("[aria-current=page]")).to_have_attribute("href", "/khorramabad/rounds/")
