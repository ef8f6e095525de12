"""The boundary workbench as a planner uses it: by hand, by keyboard, on a phone, through a crash, and beside somebody else.

Every page opened through `open_page` fails the test on a request to another host or an error on the console.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import SLOW_MS
from tests.browser.test_main_job import barriers

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("_patient")]

PATH = "/khorramabad/edit/"


def address(place: str = "") -> str:
    return f"{PATH}?place={place}" if place else PATH


def open_workbench(open_page: Callable[..., Page], place: str = "", *, user: str = "planner", **options: Any) -> Page:
    """Open the workbench signed in, with a place chosen, and nothing kept from before."""
    page = open_page(address(place), user=user, **({"language": "en"} | options))
    begin(page)
    return page


def enter(page: Page, place: str = "", *, is_afresh: bool = True) -> None:
    page.goto(address(place))
    begin(page, is_afresh=is_afresh)


def begin(page: Page, *, is_afresh: bool = True) -> None:
    page.locator("#loading").wait_for(state="hidden", timeout=SLOW_MS)
    if not is_afresh:
        return
    ready = page.locator("#workbench[data-ready], #recover[open]")
    ready.first.wait_for(state="attached", timeout=SLOW_MS)
    if page.locator("#recover[open]").count():
        page.locator("#recover [data-answer=afresh]").click()
        page.locator("#workbench[data-ready]").wait_for(state="attached", timeout=SLOW_MS)
    at_rest(page)


def at_rest(page: Page) -> None:
    """Wait until the map has stayed where it is for a while; it moves at once, not little by little."""
    before, times = None, 0
    for _ in range(300):
        now = page.locator("#map").get_attribute("data-view")
        times = times + 1 if now == before else 0
        if times == 3:
            return
        before = now
        page.wait_for_timeout(100)


def pixel(page: Page, at: tuple[float, float]) -> tuple[float, float]:
    """Return where on the page a longitude and latitude are."""
    zoom, lat, lon = map(float, (page.locator("#map").get_attribute("data-view") or "").split("/"))
    world = 512 * 2**zoom

    def y(latitude: float) -> float:
        return (1 - math.log(math.tan(math.pi / 4 + math.radians(latitude) / 2)) / math.pi) / 2 * world

    box = page.locator("#map").bounding_box()
    assert box
    return (
        box["x"] + box["width"] / 2 + (at[0] - lon) / 360 * world,
        box["y"] + box["height"] / 2 + y(at[1]) - y(lat),
    )


def middle(page: Page) -> tuple[float, float]:
    box = page.locator("#map").bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def click_points(page: Page, offsets: list[tuple[int, int]]) -> None:
    """Click points round the middle of the map, without snapping."""
    x, y = middle(page)
    page.keyboard.down("Alt")
    for i, (dx, dy) in enumerate(offsets):
        page.mouse.move(x + dx - 4, y + dy - 4)
        page.mouse.move(x + dx, y + dy)
        page.mouse.click(x + dx, y + dy)
        expect(page.locator("#announcer")).to_have_text(re.compile(rf"{i + 1}$"), timeout=SLOW_MS)
    page.keyboard.up("Alt")


def area_m2(page: Page) -> float:
    """Return the area that the readout shows."""
    text = page.locator("#readout dd b").first.inner_text()
    number = float(re.sub(r"[^\d.]", "", text.replace("m²", "").replace("km²", "")))
    return number * (1e6 if "km²" in text else 1e4 if "ha" in text else 1)


def held(page: Page) -> tuple[float, float]:
    return float(page.input_value("#vertex-lon")), float(page.input_value("#vertex-lat"))


def answered(page: Page) -> None:
    """Wait for the server's numbers."""
    expect(page.locator("#readout")).to_have_attribute("aria-busy", "false", timeout=SLOW_MS)


def changed(page: Page) -> Locator:
    return page.locator("#changes li")


def server_side(page: Page, method: str, address: str, body: dict[str, Any] | None = None, version: int = 0) -> Any:
    """Ask the API as the person of the page."""
    return page.evaluate(
        """async ([method, address, body, version]) => {
            const csrf = JSON.parse(document.getElementById('workbench-config').textContent).csrf;
            const headers = {'Content-Type': 'application/json', 'X-CSRFToken': csrf};
            if (version) headers['If-Match'] = `"${version}"`;
            const answer = await fetch('/api/v1/' + address, {method, headers, body: body ? JSON.stringify(body) : undefined});
            return [answer.status, answer.status === 204 ? null : await answer.json()];
        }""",
        [method, address, body, version],
    )


def test_a_settlement_is_drawn_named_and_saved(open_page: Callable[..., Page]) -> None:
    page = open_workbench(
        open_page, "n020", allow_status=(409,)
    )  # where another test has drawn one under the same code
    page.locator("button[data-tool=draw]").click()
    expect(page.locator("#hint")).to_be_visible()
    click_points(page, [(-60, -50), (50, -60), (70, 40), (-40, 60)])
    page.keyboard.press("Enter")
    expect(page.locator("#name-en")).to_be_focused(timeout=SLOW_MS)
    page.fill("#name-en", "Tappeh")
    page.fill("#name-fa", "تپه")
    page.press("#name-fa", "Tab")
    expect(page.locator("#place-name")).to_have_text("Tappeh")
    answered(page)
    assert area_m2(page) > 100

    page.locator("#tab-changes").click()
    expect(changed(page)).to_have_count(1)
    page.fill("#change-source", "A visit")
    page.select_option("#change-certainty", "walked")
    with page.expect_response(lambda r: r.url.endswith("/change-sets") and r.status == 201) as saved:
        page.locator("#save").click()
    number = saved.value.json()["id"]
    page.wait_for_url(f"**?change_set={number}*")
    status, stored = server_side(page, "GET", f"change-sets/{number}/diff")
    assert status == 200
    (change,) = stored["changes"]
    assert (change["name_en"], change["name_fa"], change["kind"], change["what"]) == (
        "Tappeh", "تپه", "settlement", "new",
    )  # fmt: skip

    # Opened again, it is as it was saved.
    page.reload()
    page.locator("#workbench[data-ready]").wait_for(state="attached", timeout=SLOW_MS)
    page.locator("#tab-changes").click()
    expect(changed(page)).to_have_count(1)
    expect(page.locator("#recover[open]")).to_have_count(0)


def test_a_shared_edge_moves_for_both_places(open_page: Callable[..., Page]) -> None:
    page = open_workbench(open_page, "n045")
    answered(page)
    before_m2 = area_m2(page)
    page.locator("#place-actions button").first.click()
    page.keyboard.press(".")
    page.keyboard.press(".")
    expect(page.locator("#vertex")).to_be_visible()
    shared = page.locator("#vertex-said").inner_text()
    at_rest(page)
    here = held(page)
    x, y = pixel(page, here)
    cx, cy = middle(page)
    page.keyboard.down("Alt")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + (cx - x) * 0.1, y + (cy - y) * 0.1, steps=2)
    page.mouse.move(x + (cx - x) * 0.2, y + (cy - y) * 0.2, steps=2)
    # While the hand moves: the browser's own numbers, for both.
    expect(page.locator("#neighbours-rows tr")).to_have_count(2, timeout=SLOW_MS)
    page.mouse.up()
    page.keyboard.up("Alt")
    assert held(page) != here
    answered(page)
    assert area_m2(page) < before_m2
    rows = page.locator("#neighbours-rows tr")
    expect(rows).to_have_count(2)
    names = rows.locator("th").all_inner_texts()
    assert all(name in shared for name in names)
    # What one loses the other gains, and the server counts people for each.
    areas = [re.sub(r"[⁦-⁩]", "", text) for text in rows.locator("td:nth-of-type(1)").all_inner_texts()]
    assert sorted(text[0] for text in areas) == ["+", "−"], areas
    assert areas[0][1:] == areas[1][1:]
    assert "–" not in rows.locator("td:nth-of-type(2)").all_inner_texts()
    expect(page.locator("#tasks-count")).to_be_hidden()

    page.locator("#undo").click()
    expect(rows).to_have_count(0)
    assert area_m2(page) == before_m2
    page.locator("#redo").click()
    expect(rows).to_have_count(2)
    page.keyboard.press("Control+z")
    expect(page.locator("#changes-count")).to_be_hidden()


def test_a_place_is_split_and_merged_again(open_page: Callable[..., Page]) -> None:
    page = open_workbench(open_page, "n060")
    answered(page)
    whole_m2 = area_m2(page)
    name = page.locator("#place-name").inner_text()
    page.locator("button[data-tool=split]").click()
    box = page.locator("#map").bounding_box()
    assert box
    reach = int(box["height"] / 2) - 15
    click_points(page, [(0, -reach), (5, 0), (0, reach)])
    page.keyboard.press("Enter")
    expect(page.locator("#place-name")).to_have_text(f"{name} 2", timeout=SLOW_MS)
    answered(page)
    part_m2 = area_m2(page)
    assert 0 < part_m2 < whole_m2
    page.locator("#tab-changes").click()
    expect(page.locator("#changes")).to_contain_text("new, from")

    # The part goes back into the place it came from.
    page.locator("#changes .task-show").filter(has=page.get_by_text(name, exact=True)).click()
    expect(page.locator("#place-name")).to_have_text(name)
    page.locator("#place-actions button").nth(1).click()
    before = page.locator("#readout dd b").first.inner_text()
    page.locator("#choose-list button").filter(has_text=f"{name} 2").click()
    expect(page.locator("#readout dd b").first).not_to_have_text(before, timeout=SLOW_MS)
    answered(page)
    assert area_m2(page) == pytest.approx(whole_m2, rel=1e-3)
    page.locator("#undo").click()
    page.locator("#undo").click()
    expect(page.locator("#changes-count")).to_be_hidden()


def test_a_gap_is_found_shown_and_filled(open_page: Callable[..., Page]) -> None:
    page = open_workbench(open_page, "n070")
    answered(page)
    whole_m2 = area_m2(page)
    for way in ("task", "tool"):
        if way == "tool":
            enter(page, "n070")
        page.locator("button[data-tool=hole]").click()
        click_points(page, [(-25, -20), (25, -18), (5, 25)])
        page.keyboard.press("Enter")
        expect(page.locator("#tasks-count")).to_have_text("1", timeout=SLOW_MS)
        assert area_m2(page) < whole_m2
        if way == "task":
            page.locator("#tab-tasks").click()
            expect(page.locator("#tasks li")).to_have_attribute("data-kind", "gap")
            page.locator("#tasks .repairs button").first.click()
            # The repair is drawn before it is made.
            expect(page.locator("#diff-key")).to_be_visible(timeout=SLOW_MS)
            page.locator("#preview-actions .main").click()
        else:
            page.locator("button[data-tool=fill]").click()
            at_rest(page)
            page.mouse.click(*middle(page))
        expect(page.locator("#tasks-count")).to_be_hidden(timeout=SLOW_MS)
        expect(page.locator("#changes-count")).to_be_hidden()
        page.locator("#tab-place").click()
        if page.locator("#places").is_visible():
            page.fill("#q", "n070")
            page.press("#q", "Enter")
        answered(page)
        assert area_m2(page) == whole_m2


def test_everything_by_keyboard(open_page: Callable[..., Page]) -> None:
    """Find a place, walk its vertices, nudge, type, insert, remove, undo, draw and save, without a pointer."""
    page = open_workbench(open_page, allow_status=(409,))
    press = page.keyboard.press
    press("?")
    expect(page.locator("#workbench-keys[open]")).to_be_visible()
    press("Escape")
    press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("n088")
    press("ArrowDown")
    expect(page.locator("#place-list button").first).to_be_focused()
    press("Enter")
    expect(page.locator("#place")).to_be_visible()
    at_rest(page)

    press("e")
    expect(page.locator("#vertex")).to_be_visible()
    press(".")
    press(".")
    lon, lat = held(page)
    press("ArrowUp")
    expect(page.locator("#changes-count")).to_be_visible()
    moved = held(page)
    assert moved[0] == lon
    assert 0.5e-5 < moved[1] - lat < 1.5e-5  # a metre north
    press("Enter")
    expect(page.locator("#vertex-lon")).to_be_focused()
    page.fill("#vertex-lat", f"{lat + 2e-5:.7f}")
    press("Enter")
    assert held(page) == pytest.approx((lon, lat + 2e-5), abs=2e-7)
    # What is no longitude is refused, and the input stays.
    press("Enter")
    page.fill("#vertex-lon", "1e9")
    press("Enter")
    expect(page.locator("#vertex-wrong")).to_be_visible()
    press("Escape")
    count = int(re.findall(r"of (\d+)", page.locator("#vertex-said").inner_text())[0])
    press("i")
    expect(page.locator("#vertex-said")).to_contain_text(f"of {count + 1}")
    press("Delete")
    expect(page.locator("#vertex-said, #announcer").first).to_contain_text(f"of {count}")
    for _ in range(6):
        press("Control+z")
    expect(page.locator("#changes-count")).to_be_hidden()

    # Draw at the cross in the middle of the map, moving the map by arrow keys.
    press("Escape")
    press("Escape")
    page.locator("#map canvas").focus()
    press("d")
    for i, key in enumerate(("ArrowRight", "ArrowDown", "ArrowLeft")):
        press("Space")
        expect(page.locator("#announcer")).to_have_text(re.compile(rf"{i + 1}$"))
        before = page.locator("#map").get_attribute("data-view") or ""
        press(key)
        expect(page.locator("#map")).not_to_have_attribute("data-view", before, timeout=SLOW_MS)
        at_rest(page)
    press("Enter")
    expect(page.locator("#name-en")).to_be_focused(timeout=SLOW_MS)
    # A new place must say where it comes from.
    press("Control+s")
    expect(page.locator("#change-source")).to_be_focused()
    page.keyboard.type("A visit")
    with page.expect_response(lambda r: r.url.endswith("/change-sets") and r.status == 201):
        press("Control+s")


def test_a_killed_tab_loses_nothing(open_page: Callable[..., Page]) -> None:
    page = open_workbench(open_page, "n130")
    page.locator("#place-actions button").first.click()
    page.keyboard.press(".")
    page.keyboard.press(".")
    page.keyboard.press("Shift+ArrowUp")
    expect(page.locator("#changes-count")).to_be_visible()
    there = held(page)
    expect(page.locator("#save-state[data-state=kept]")).to_be_visible(timeout=SLOW_MS)
    context = page.context
    page.close(run_before_unload=False)

    page = context.new_page()
    enter(page, "n130", is_afresh=False)
    expect(page.locator("#recover[open]")).to_be_visible(timeout=SLOW_MS)
    assert page.locator("#recover-list li").count() >= 1
    page.locator("#recover [data-answer=recover]").click()
    expect(page.locator("#changes-count")).to_be_visible()
    at_rest(page)
    page.locator("#place-actions button").first.click()
    page.keyboard.press(".")
    page.keyboard.press(".")
    assert held(page) == there
    # The steps are recovered too.
    page.locator("#undo").click()
    expect(page.locator("#changes-count")).to_be_hidden()


def test_a_lost_connection_loses_nothing(open_page: Callable[..., Page]) -> None:
    page = open_workbench(open_page, "n140", allow_status=(503,))
    page.route("**/working-copy", lambda route: route.fulfill(status=503, body="{}"))
    page.locator("#place-actions button").first.click()
    page.keyboard.press(".")
    page.keyboard.press(".")
    page.keyboard.press("Shift+ArrowUp")
    expect(page.locator("#save-state[data-state=here]")).to_be_visible(timeout=SLOW_MS)
    page.unroute("**/working-copy")
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("#save-state[data-state=kept]")).to_be_visible(timeout=SLOW_MS)


def test_two_browsers_on_one_place(open_page: Callable[..., Page]) -> None:
    """A save made stale by somebody else's approved change shows mine, theirs and what was before; both changes can be kept."""
    mine = open_workbench(open_page, "n150", allow_status=(409,))
    theirs = open_workbench(open_page, "n150", user="administrator")
    expect(theirs.locator("#people")).to_be_visible(timeout=SLOW_MS)

    mine.locator("#place-actions button").first.click()
    for _ in range(3):
        mine.keyboard.press(".")
    mine.keyboard.press("Shift+ArrowUp")
    expect(mine.locator("#changes-count")).to_be_visible()
    my_vertex = held(mine)

    theirs.locator("#place-actions button").first.click()
    total = int(re.findall(r"of (\d+)", theirs.locator("#vertex-said").inner_text())[0])
    for _ in range(total // 2):
        theirs.keyboard.press(".")
    theirs.keyboard.press("Shift+ArrowRight")
    expect(theirs.locator("#changes-count")).to_be_visible()
    their_vertex = held(theirs)
    theirs.locator("#tab-changes").click()
    theirs.fill("#change-title", "An edge by the survey")
    with theirs.expect_response(lambda r: r.url.endswith("/propose") and r.status == 200) as proposed:
        theirs.locator("#propose").click()
    sent = proposed.value.json()
    expect(theirs.locator("#changes-count")).to_be_hidden()

    status, approved = server_side(
        mine, "POST", f"change-sets/{sent['id']}/approve", {"comment": ""}, version=sent["version"]
    )
    assert (status, approved["status"]) == (200, "approved"), approved

    mine.locator("#save").click()
    expect(mine.locator("#conflict[open]")).to_be_visible(timeout=SLOW_MS)
    for kind in ("mine", "theirs", "ancestor"):
        assert mine.locator(f"#conflict-map path.{kind}").count() >= 1
    # Put off, the work stays as it is.
    mine.locator("#conflict [data-answer=later]").click()
    expect(mine.locator("#changes-count")).to_be_visible()
    mine.locator("#save").click()
    expect(mine.locator("#conflict[open]")).to_be_visible(timeout=SLOW_MS)
    for fieldset in mine.locator("#conflict fieldset").all():
        fieldset.locator("input[value=merged]").check()
    with mine.expect_response(lambda r: r.url.endswith("/change-sets") and r.status == 201) as saved:
        mine.locator("#conflict [data-answer=apply]").click()
    number = saved.value.json()["id"]
    _, diff = server_side(mine, "GET", f"change-sets/{number}/diff")
    (change,) = (one for one in diff["changes"] if one["code"] == "n150")
    corners = {tuple(at) for polygon in change["after"]["coordinates"] for ring in polygon for at in ring}
    assert any(math.dist(my_vertex, at) < 2e-7 for at in corners)
    assert any(math.dist(their_vertex, at) < 2e-7 for at in corners)


def test_a_shape_comes_from_a_file(open_page: Callable[..., Page], tmp_path: Path) -> None:
    page = open_workbench(open_page, "n160", allow_status=(400, 415, 422))
    _, lat, lon = map(float, (page.locator("#map").get_attribute("data-view") or "").split("/"))
    d = 0.0005
    ring = [[lon - d, lat - d], [lon + d, lat - d], [lon + d, lat + d], [lon - d, lat + d], [lon - d, lat - d]]
    shape = {"type": "Feature", "properties": {"name": "Bagh"}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    file = tmp_path / "shape.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [shape]}))
    broken = tmp_path / "broken.geojson"
    broken.write_text("{]")
    page.keyboard.press("t")
    page.set_input_files("#trace-file", broken)
    page.locator("#trace-form button[type=submit]").click()
    expect(page.locator("#trace-wrong")).to_be_visible(timeout=SLOW_MS)
    page.set_input_files("#trace-file", file)
    page.locator("#trace-form button[type=submit]").click()
    expect(page.locator("#preview-actions")).to_be_visible(timeout=SLOW_MS)
    page.locator("#preview-actions .main").click()
    expect(page.locator("#place-kind")).to_contain_text("informal settlement")
    expect(page.locator("#changes-count")).to_have_text("1")


def test_an_edge_in_dispute_is_said_and_kept(open_page: Callable[..., Page]) -> None:
    page = open_workbench(open_page, "n170")
    page.locator("#edges summary").click()
    page.locator("#edges-list input").first.check()
    expect(page.locator("#changes-count")).to_have_text("2")
    with page.expect_response(lambda r: r.url.endswith("/change-sets") and r.status == 201) as saved:
        page.locator("#save").click()
    edits = json.loads(saved.value.request.post_data or "{}")["edits"]
    assert [edit["disputed"]["type"] for edit in edits] == ["MultiLineString"] * 2
    number = saved.value.json()["id"]
    page.goto(f"{PATH}?change_set={number}&place=n170")
    page.locator("#workbench[data-ready]").wait_for(state="attached", timeout=SLOW_MS)
    page.locator("#edges summary").click()
    expect(page.locator("#edges-list input").first).to_be_checked()


def test_a_phone(open_page: Callable[..., Page]) -> None:
    """Choose, draw with the finger and finish by a button; nothing overflows, and what is tapped is large enough."""
    page = open_workbench(open_page, "n180", width=390, height=844, is_mobile=True, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 1
    expect(page.locator("#panel")).to_have_attribute("data-sheet", "half")
    small = page.evaluate(
        """[...document.querySelectorAll('.wb-bar button, .wb-tools button, .wb-tabs button, .place-actions button')]
            .filter(b => b.offsetParent && (b.offsetHeight < 44 || b.offsetWidth < 44)).map(b => b.outerHTML)"""
    )
    assert small == []
    handle = page.locator("#sheet-handle")
    handle.tap()
    expect(page.locator("#panel")).to_have_attribute("data-sheet", "full")
    handle.tap()
    expect(page.locator("#panel")).to_have_attribute("data-sheet", "closed")

    page.locator("button[data-tool=draw]").tap()
    expect(page.locator("#sketch-bar")).to_be_visible()
    x, y = middle(page)
    for i, (dx, dy) in enumerate([(-70, -60), (60, -70), (70, 50)]):
        page.touchscreen.tap(x + dx, y + dy)
        expect(page.locator("#announcer")).to_have_text(re.compile(rf"{i + 1}$"), timeout=SLOW_MS)
    page.locator("#sketch-bar [data-command=finish]").tap()
    expect(page.locator("#changes-count")).to_have_text("1", timeout=SLOW_MS)
    expect(page.locator("#panel")).to_have_attribute("data-sheet", "half")


@pytest.mark.parametrize("language", ["fa", "en"])
@pytest.mark.parametrize("size", [(1280, 800), (390, 844)], ids=["desktop", "phone"])
def test_no_barriers(open_page: Callable[..., Page], language: str, size: tuple[int, int]) -> None:
    """Axe finds nothing in any tab, in the list of keys, or while drawing."""
    page = open_workbench(open_page, "n045", language=language, width=size[0], height=size[1])
    answered(page)
    assert barriers(page) == []
    for tab in ("tasks", "changes", "place"):
        page.locator(f"#tab-{tab}").click()
        assert barriers(page) == [], tab
    page.locator("button[data-tool=draw]").click()
    assert barriers(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert barriers(page) == []
