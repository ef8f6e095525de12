"""Needs reported on a phone: in a place without a connection, sent when it is back, and once however often they are sent."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.test_main_job import unfit

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("_patient")]

FORM = "/khorramabad/needs/report/"
API = "**/api/v1/cities/khorramabad/needs"


def fill(page: Page, text: str, *, sector: str = "sport", people: str = "۱٬۲۰۰") -> None:
    area = page.locator("#f-place")
    if not area.input_value():
        area.select_option(index=1)
    page.locator("#f-text_fa").fill(text)
    page.locator("#f-sector").select_option(sector)
    page.locator("input[name=severity][value='4']").check()
    page.locator("input[name=approach][value=social]").check()
    page.locator("#f-people_affected").fill(people)


def found(page: Page, words: str) -> int:
    """Return how many needs the list finds."""
    page.goto(f"/khorramabad/needs/?standing=all&q={words}")
    return page.locator(".need-list > li").count()


def test_what_is_reported_offline_is_sent_later_and_once(phone: Callable[[str], Page]) -> None:
    page = phone("reporter")
    page.goto(FORM)
    expect(page.locator("#need-form")).to_have_attribute("data-ready", "true")
    expect(page.locator("#need-form")).to_have_attribute("data-kept", "true")
    page.context.set_offline(True)
    expect(page.locator("#offline")).to_be_visible()

    # What is missing is told beside its field, and nothing is kept of it.
    page.locator("#send").click()
    expect(page.locator("[data-field=sector] .wrong")).to_be_visible()
    expect(page.locator("#refusal")).to_be_focused()

    fill(page, "زمین بازی رویان نیست")
    page.locator("#send").click()
    expect(page.locator("#queue-list > li")).to_have_count(1)
    fill(page, "سالن ورزش بلوران نیست", sector="culture")
    page.locator("#send").click()
    rows = page.locator("#queue-list > li")
    expect(rows).to_have_count(2)
    expect(rows.first).to_have_class("is-waiting")
    expect(page.locator("#queue-title")).to_contain_text("۲")

    # The page opens without a connection too, and what waits is still there; it can be changed and thrown away.
    page.reload()
    expect(rows).to_have_count(2)
    rows.nth(0).get_by_role("button", name="ویرایش").click()
    expect(page.locator("#f-text_fa")).to_have_value("زمین بازی رویان نیست")
    page.locator("#f-text_fa").fill("زمین بازی رویان خراب است")
    page.locator("#send").click()
    expect(rows).to_have_count(2)
    rows.filter(has_text="بلوران").get_by_role("button", name="حذف").click()
    expect(rows).to_have_count(1)

    # The first answer is lost on the way back: the need is there, and the phone does not know.
    lost: list[str] = []

    def lose(route: Any) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.fetch().text())
            route.abort()
        else:
            route.continue_()

    page.context.route(API, lose)
    page.context.set_offline(False)
    expect(page.locator("#queue-said")).to_contain_text("دوباره تلاش")
    page.locator("#queue-send").click()
    expect(page.locator("#queue")).to_have_attribute("data-waiting", "0")
    expect(rows.first).to_have_class("is-sent")
    assert len(lost) == 1
    assert found(page, "رويان خراب") == 1
    assert found(page, "بلوران") == 0


def picture(colour: str) -> dict[str, Any]:
    """A photo as a phone has it, in its own gallery."""
    out = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(out, "JPEG")
    return {"name": f"{colour}.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


def test_photos_wait_for_the_connection_and_arrive_once(phone: Callable[[str], Page]) -> None:
    page = phone("reporter")
    page.goto(FORM)
    expect(page.locator("#need-form")).to_have_attribute("data-ready", "true")
    expect(page.locator("#need-form")).to_have_attribute("data-kept", "true")
    page.context.set_offline(True)
    fill(page, "چراغ کوچهٔ سپیدار خاموش است", sector="culture")
    page.locator("#f-photos").set_input_files([picture("red"), picture("green"), picture("blue")])
    expect(page.locator("#photo-list img")).to_have_count(3)
    page.locator("#f-photos").set_input_files([{"name": "a.heic", "mimeType": "image/heic", "buffer": b"x"}])
    expect(page.locator("#photo-said")).to_contain_text("a.heic")
    page.locator("#photo-list li").nth(1).get_by_role("button").click()
    expect(page.locator("#photo-list img")).to_have_count(2)
    page.locator("#f-photos_title").fill("کوچه در شب")
    page.locator("#send").click()
    expect(page.locator("#queue-list > li")).to_have_count(1)
    expect(page.locator("#photo-list img")).to_have_count(0)

    # They outlive the page, and the first answer to a photo is lost on its way back.
    page.reload()
    expect(page.locator("#queue-list > li")).to_have_count(1)
    lost: list[str] = []

    def lose(route: Any) -> None:
        if not lost:
            lost.append(route.fetch().text())
            route.abort()
        else:
            route.continue_()

    page.context.route("**/photos/*", lose)
    page.context.set_offline(False)
    expect(page.locator("#queue-said")).not_to_be_empty()
    page.locator("#queue-send").click()
    expect(page.locator("#queue")).to_have_attribute("data-waiting", "0")
    expect(page.locator("#queue-list > li")).to_have_class("is-sent")
    assert len(lost) == 1
    page.goto(str(page.locator("#queue-list a").get_attribute("href")))
    shown = page.locator("#photos .pictures img")
    expect(shown).to_have_count(2)
    expect(shown.first).to_have_attribute("alt", "کوچه در شب")
    # Later ones are added on its page, several at once.
    page.locator("#photos summary").click()
    page.locator("#file").set_input_files([picture("white"), picture("black")])
    page.locator("#photo-form button").click()
    expect(shown).to_have_count(4)
    assert unfit(page) == (0, [])


def test_what_is_alike_is_shown_before_it_is_sent(phone: Callable[[str], Page]) -> None:
    page = phone("reporter")
    for text in ("کتابخانهٔ دیبا برای نوجوانان نیست", "کتابخانه دیبا برای نوجوانان نداریم"):
        page.goto(FORM)
        expect(page.locator("#need-form")).to_have_attribute("data-ready", "true")
        fill(page, text, sector="education")
        page.locator("#send").click()
        expect(page.locator("#queue-list > li:not(.is-waiting)")).to_have_count(1)
    row = page.locator("#queue-list > li")
    expect(row).to_have_class("is-similar")
    expect(row).to_contain_text("کتابخانهٔ دیبا برای نوجوانان نیست")
    row.get_by_role("button", name="همان است").click()
    expect(page.locator("#queue-list > li")).to_have_count(0)
    assert found(page, "دیبا") == 1


def test_a_point_is_marked_on_the_map_and_a_line_drawn(phone: Callable[[str], Page]) -> None:
    page = phone("supervisor")
    page.goto(f"{FORM}?area=s02")
    page.locator("#map[data-ready=true]").wait_for()
    page.locator("#mark-middle").click()
    assert "Point" in page.locator("input[name=geometry]").input_value()
    expect(page.locator("#f-lon")).to_have_value(re.compile(r"^48\."))
    page.locator("[data-draw=LineString]").click()
    box = page.locator("#map").bounding_box()
    assert box
    page.locator("#map canvas").click(position={"x": box["width"] * 0.6, "y": box["height"] * 0.4})
    assert "LineString" in page.locator("input[name=geometry]").input_value()
    page.locator("#mark-undo").click()
    assert page.locator("input[name=geometry]").input_value() == ""
    page.locator("#f-lon").fill("48.3")
    page.locator("#f-lat").fill("۳۳٫۴")
    page.locator("#f-service").select_option("clinic")
    expect(page.locator("#indicator")).to_contain_text("درمانگاه")


@pytest.mark.parametrize("language", ["fa", "en"])
def test_pages_fit_a_phone_and_have_no_barriers(open_page: Callable[..., Page], language: str) -> None:
    page = open_page(FORM, language=language, user="supervisor", width=390, height=844)
    expect(page.locator("#need-form")).to_have_attribute("data-ready", "true")
    fits = {FORM: unfit(page)}
    for path in ("/khorramabad/needs/", "/khorramabad/needs/1/", "/khorramabad/rounds/", "/khorramabad/rounds/1/"):
        page.goto(path)
        fits[path] = unfit(page)
    assert all(fit == (0, []) for fit in fits.values()), fits


def test_a_deadline_is_chosen_from_the_calendar_by_keyboard(open_page: Callable[..., Page]) -> None:
    page = open_page("/khorramabad/rounds/", language="fa", user="supervisor")
    page.locator(".plain-list h2 a").first.click()  # the newest: other tests may have closed the one before
    page.get_by_text("تمدید مهلت‌ها").click()
    field = page.locator("#extend-needs_due")
    field.fill("۱۴۰۵/۰۹/۳۰ ۲۳:۵۹")
    page.locator("#extend-needs_due ~ .date-open").click()
    expect(page.locator(".date-panel:visible [aria-pressed=true]")).to_be_focused()
    page.keyboard.press("ArrowLeft")  # the next day, as the page is read
    page.keyboard.press("Enter")
    expect(field).to_have_value("۱۴۰۵/۱۰/۰۱ ۲۳:۵۹")
    expect(field).to_be_focused()
