"""Capacities recorded on a phone: kept without a connection, sent when it is back, once, and by whoever recorded them alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in_apart
from tests.browser.test_main_job import unfit

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("_patient")]

FORM = "/khorramabad/capacities/new/"
NEEDS = "/khorramabad/needs/report/"
LIST = "/khorramabad/capacities/?kind=equipment"
API = "**/api/v1/cities/khorramabad/capacities"


def open_form(page: Page, path: str = FORM, *, is_kept: bool = True) -> None:
    """Open a form, and wait until the phone keeps it."""
    page.goto(path)
    form = page.locator(".need-form")
    expect(form).to_have_attribute("data-ready", "true")
    if is_kept:
        expect(form).to_have_attribute("data-kept", "true")


def fill(page: Page, text: str, *, kind: str = "equipment", amount: str = "۱٬۲۰۰") -> None:
    area = page.locator("#f-place")
    if not area.input_value():
        area.select_option(index=1)
    page.locator(f"input[name=kind][value={kind}]").check()
    page.locator("#f-text_fa").fill(text)
    page.locator("#f-amount").fill(amount)
    page.locator("#f-contact").fill("خانم کریمی ۰۹۱۲")
    page.locator("input[name=sectors][value=health]").check()
    page.locator("input[name=sectors][value=sport]").check()


def found(page: Page, words: str) -> int:
    """Return how many capacities of the list say so."""
    page.goto(LIST)
    return page.locator(".need-list.capacities h2").filter(has_text=words).count()


def lose_first(page: Page, pattern: str) -> list[str]:
    """Lose the first answer to what is sent on its way back; give what it was."""
    lost: list[str] = []

    def lose(route: Any) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.fetch().text())
            route.abort()
        else:
            route.continue_()

    page.context.route(pattern, lose)
    return lost


def test_what_is_recorded_offline_is_sent_later_and_once(phone: Callable[[str], Page]) -> None:
    page = phone("reporter")
    open_form(page)
    page.context.set_offline(True)
    expect(page.locator("#offline")).to_be_visible()

    # What is missing is told beside its field, and nothing is kept of it.
    page.locator("#send").click()
    expect(page.locator("[data-field=kind] .wrong")).to_be_visible()
    expect(page.locator("#refusal")).to_be_focused()
    rows = page.locator("#queue-list > li")
    expect(rows).to_have_count(0)

    fill(page, "چادر رویان برای بحران")
    page.locator("#send").click()
    expect(rows).to_have_count(1)
    expect(page.locator("#queue-title")).to_be_focused()
    fill(page, "پتوی بلوران", amount="")
    page.locator("#send").click()
    expect(rows).to_have_count(2)
    expect(rows.first).to_have_class("is-waiting")
    expect(rows.first).to_contain_text("ظرفیت")
    expect(page.locator("#queue-title")).to_contain_text("۲")
    expect(page.locator("#queue")).not_to_contain_text("کریمی")  # who gives it is for the form alone

    # What waits can be changed and thrown away.
    rows.nth(0).get_by_role("button", name="ویرایش").click()
    expect(page.locator("#f-text_fa")).to_have_value("چادر رویان برای بحران")
    expect(page.locator("input[name=sectors]:checked")).to_have_count(2)
    page.locator("input[name=sectors][value=sport]").uncheck()
    page.locator("#f-text_fa").fill("چادر رویان برای زلزله")
    page.locator("#send").click()
    expect(rows).to_have_count(2)
    rows.filter(has_text="بلوران").get_by_role("button", name="حذف").click()
    expect(rows).to_have_count(1)

    # The page opens without a connection too, and what waits is still there, all of it.
    page.reload()
    expect(rows).to_have_count(1)
    rows.nth(0).get_by_role("button", name="ویرایش").click()
    expect(page.locator("#f-text_fa")).to_have_value("چادر رویان برای زلزله")
    expect(page.locator("#f-amount")).to_have_value("۱٬۲۰۰")
    expect(page.locator("#f-contact")).to_have_value("خانم کریمی ۰۹۱۲")
    expect(page.locator("input[name=kind][value=equipment]")).to_be_checked()
    expect(page.locator("input[name=sectors]:checked")).to_have_count(1)

    # The first answer is lost on the way back: the capacity is there, and the phone does not know.
    lost = lose_first(page, API)
    page.context.set_offline(False)
    expect(page.locator("#queue-said")).to_contain_text("دوباره تلاش")
    page.locator("#queue-send").click()
    expect(page.locator("#queue")).to_have_attribute("data-waiting", "0")
    expect(rows.first).to_have_class("is-sent")
    assert len(lost) == 1
    page.goto(str(rows.first.locator("a").get_attribute("href")))
    expect(page.locator("#main")).to_contain_text("چادر رویان برای زلزله")
    expect(page.locator("#main")).to_contain_text("۱٬۲۰۰")
    assert found(page, "رویان") == 1
    assert found(page, "بلوران") == 0


def test_what_was_changed_after_it_arrived_is_not_lost(phone: Callable[[str], Page]) -> None:
    page = phone("reporter")
    open_form(page)
    lost = lose_first(page, API)
    fill(page, "برانکار نخست")
    page.locator("#send").click()
    row = page.locator("#queue-list > li")
    expect(page.locator("#queue-said")).to_contain_text("دوباره تلاش")
    row.get_by_role("button", name="ویرایش").click()
    expect(page.locator("#f-text_fa")).to_have_value("برانکار نخست")
    page.locator("#f-text_fa").fill("برانکار دوم")
    page.locator("#send").click()
    expect(row).to_have_class("is-refused")
    expect(row).to_contain_text("نسخهٔ پیشین")
    expect(row).to_contain_text("برانکار دوم")
    expect(row.get_by_role("link")).to_have_attribute("href", json.loads(lost[0])["address"])
    assert (found(page, "برانکار نخست"), found(page, "برانکار دوم")) == (1, 0)


def test_two_windows_show_the_same_and_one_of_them_sends(phone: Callable[[str], Page]) -> None:
    page = phone("reporter")
    open_form(page)
    other = page.context.new_page()
    open_form(other)
    page.context.set_offline(True)
    fill(page, "ژنراتور ناژین")
    page.locator("#send").click()
    rows, others = (one.locator("#queue-list > li") for one in (page, other))
    expect(rows).to_have_count(1)
    expect(others).to_have_class("is-waiting")
    # One window is changing it while the other sends it: the change is told of, and nothing is recorded twice.
    others.get_by_role("button", name="ویرایش").click()
    expect(other.locator("#f-text_fa")).to_have_value("ژنراتور ناژین")
    sent: list[str] = []
    page.context.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.context.set_offline(False)
    for one in (page, other):
        expect(one.locator("#queue")).to_have_attribute("data-waiting", "0")
    expect(rows.first).to_have_class("is-sent")
    expect(others.first).to_have_class("is-sent")
    assert len([url for url in sent if url.endswith("/capacities")]) == 1
    other.locator("#f-text_fa").fill("ژنراتور ناژین، بزرگ‌تر")
    other.locator("#send").click()
    expect(others.filter(has_text="بزرگ‌تر")).to_have_class("is-refused")
    expect(others.filter(has_text="بزرگ‌تر")).to_contain_text("نسخهٔ پیشین")
    assert found(page, "ناژین") == 1


def test_another_person_at_the_same_phone_sees_nothing_of_it(phone: Callable[[str], Page]) -> None:
    page = phone("reporter")
    open_form(page)
    page.context.set_offline(True)
    fill(page, "آمبولانس نهان")
    page.locator("#send").click()
    expect(page.locator("#queue-list > li")).to_have_count(1)
    page.context.route(API, lambda route: route.abort())  # from here on the connection is there and nothing arrives
    page.context.set_offline(False)
    sent: list[str] = []
    page.context.on(
        "request", lambda request: sent.append(request.url) if request.url.endswith("/capacities") else None
    )

    # Whoever signs out leaves no form behind that opens without a connection under their name.
    page.goto("/khorramabad/capacities/")
    page.locator("form[data-leave] button").click()
    expect(page.locator("form[data-leave]")).to_have_count(0)
    assert page.evaluate("caches.keys()") == []
    sign_in_apart(page.context, "supervisor")
    sent.clear()
    for path in (FORM, NEEDS):
        open_form(page, path)
        expect(page.locator("#queue")).to_be_hidden()
        expect(page.locator("body")).not_to_contain_text("آمبولانس نهان")
    assert sent == []

    # They are still there for whom they are of.
    page.context.clear_cookies()
    sign_in_apart(page.context, "reporter")
    page.context.add_cookies([{"name": "django_language", "value": "fa", "url": page.url}])
    open_form(page)
    expect(page.locator("#queue-list > li")).to_contain_text("نهان")
    page.context.unroute(API)
    page.locator("#queue-send").click()
    expect(page.locator("#queue-list > li")).to_have_class("is-sent")
    assert found(page, "آمبولانس نهان") == 1


def test_each_form_shows_and_sends_what_the_other_kept(phone: Callable[[str], Page]) -> None:
    page = phone("reporter")
    open_form(page, NEEDS)
    open_form(page)
    page.context.set_offline(True)
    fill(page, "پمپ آب دیبا")
    page.locator("#send").click()
    rows = page.locator("#queue-list > li")
    expect(rows).to_have_count(1)
    page.goto(NEEDS)  # opened without a connection
    expect(rows).to_contain_text("پمپ آب دیبا")
    rows.get_by_role("link", name="ویرایش").click()
    expect(page.locator("#f-text_fa")).to_have_value("پمپ آب دیبا")
    expect(page).to_have_url(re.compile(f"{FORM}$"))
    page.locator("#f-text_fa").fill("پمپ آب دیبا و شلنگ")
    page.locator("#send").click()
    expect(rows).to_contain_text("شلنگ")
    page.goto(NEEDS)
    expect(rows).to_contain_text("شلنگ")
    page.context.set_offline(False)
    expect(rows).to_have_class("is-sent")
    assert found(page, "شلنگ") == 1


def test_needs_that_phones_kept_before_are_sent(phone: Callable[[str], Page]) -> None:
    page = phone("reporter")
    page.context.route("**/api/v1/cities/khorramabad/needs**", lambda route: route.abort())
    open_form(page, NEEDS)
    page.evaluate(
        """async () => {
          const form = new FormData(document.getElementById("need-form"));
          const values = Object.fromEntries([...form].filter(([name]) => name !== "csrfmiddlewaretoken"));
          Object.assign(values, {place: "s01", sector: "sport", approach: "social", severity: "3", people_affected: "40", text_fa: "دوچرخه‌راه کهن"});
          const item = {ticket: crypto.randomUUID(), user: "reporter", city: "khorramabad", values, standing: "waiting", isOther: true, said: "",
            field: "", isTried: false, isEdited: false, similar: [], need: null, photos: [], at: 1};
          const base = await new Promise((resolve) => { indexedDB.open("mahalleh-needs", 1).onsuccess = (event) => resolve(event.target.result); });
          await new Promise((resolve) => { base.transaction("reports", "readwrite").objectStore("reports").put(item).onsuccess = resolve; });
          const cache = await caches.open("mahalleh-needs-form");
          await cache.put(location.href, new Response("before"));
        }"""
    )
    page.reload()
    rows = page.locator("#queue-list > li")
    expect(rows).to_contain_text("کهن")
    expect(page.locator("#need-form")).to_have_attribute("data-kept", "true")
    assert (
        page.evaluate("caches.open('mahalleh-needs-form').then((cache) => cache.keys()).then((keys) => keys.length)")
        == 0
    )
    page.context.unroute("**/api/v1/cities/khorramabad/needs**")
    page.evaluate("dispatchEvent(new Event('online'))")  # it may be on its way already: the page tries again by itself
    expect(rows).to_have_class("is-sent")
    page.goto("/khorramabad/needs/?standing=all&q=کهن")
    expect(page.locator(".need-list > li")).to_have_count(1)


def test_what_the_server_does_not_take_stays_with_its_reason(phone: Callable[[str], Page]) -> None:
    page = phone("reporter")
    open_form(page, is_kept=False)
    fill(page, "بیل دور")
    page.locator("#f-lon").fill("51.4")
    page.locator("#f-lat").fill("۳۵٫۷")
    page.locator("#send").click()
    row = page.locator("#queue-list > li")
    expect(row).to_have_class("is-refused")
    row.get_by_role("button", name="ویرایش").click()
    expect(page.locator("[data-field=geometry] .wrong")).to_be_visible()
    page.locator("#f-lon").fill("")
    page.locator("#f-lat").fill("")
    page.locator("#send").click()
    expect(row).to_have_class("is-sent")


@pytest.mark.parametrize("language", ["fa", "en"])
def test_the_form_fits_a_phone_and_has_no_barriers_while_something_waits(
    phone: Callable[..., Page], language: str
) -> None:
    page = phone("reporter", language)
    open_form(page)
    page.context.set_offline(True)
    for n in range(2):
        fill(page, f"چیزی با نامی بسیار بلند که در یک خط جا نمی‌شود، شمارهٔ {n}")
        page.locator("#send").click()
        expect(page.locator("#queue-list > li")).to_have_count(n + 1)
    assert unfit(page) == (0, [])
    # By keyboard alone: from the title of what waits to its first action, and back into the form.
    expect(page.locator("#queue-title")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#f-place")).to_be_focused()
    for row in range(2):
        page.locator("#queue-list > li .actions button").nth(1).click()
        expect(page.locator("#queue-list > li")).to_have_count(1 - row)
    lead = phone("supervisor", language)
    lead.goto("/khorramabad/capacities/1/amend/")
    expect(lead.locator("#send")).to_be_visible()
    assert unfit(lead) == (0, [])


def test_the_form_works_without_scripts(browser: Any, live_server_url: str) -> None:
    context = browser.new_context(base_url=live_server_url, java_script_enabled=False)
    sign_in_apart(context, "reporter")
    page = context.new_page()
    page.goto(FORM)
    expect(page.locator("#refusal")).to_be_hidden()
    expect(page.locator("#offline")).to_be_hidden()
    page.locator("#send").click()
    expect(page.locator("#f-kind-wrong")).to_be_visible()
    fill(page, "نردبان بی‌اسکریپت")
    page.locator("#send").click()
    expect(page).to_have_url(re.compile(r"/capacities/\d+/$"))
    expect(page.locator("#main")).to_contain_text("نردبان بی‌اسکریپت")
    context.close()
