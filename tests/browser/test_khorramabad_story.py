"""The Khorramabad plan from end to end, as its people do it in their browsers.

The governorate opens a round for the ten areas until the end of Farvardin and approves ten associations with a hundred members; one
of them reports a need on a phone without a connection; two agencies propose the same and one gives way; departments assess, the
governorate decides within its budget and publishes; what was decided is done, what is late is seen, and the year's end tells what
changed.

With ``MAHALLEH_PICTURES`` naming a folder, the pictures of ``docs/khorramabad.md`` are taken on the way.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from tests.environment import ROOT, VAR, WORKER
from tests.prepared import environment_of

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("_patient")]

CITY: Final = "/khorramabad"
AREAS: Final = tuple(f"s{number:02}" for number in range(1, 11))
PICTURES: Final = os.environ.get("MAHALLEH_PICTURES", "")
PHONE: Final[dict[str, Any]] = {"width": 390, "height": 844, "is_mobile": True, "has_touch": True}
DEADLINES: Final = {
    "needs": "۱۴۰۶/۰۱/۳۱",
    "proposals": "۱۴۰۶/۰۱/۳۱",
    "assessment": "۱۴۰۶/۰۲/۳۱",
    "decision": "۱۴۰۶/۰۳/۳۱",
    "execution": "۱۴۰۶/۱۲/۲۹",
    "evaluation": "۱۴۰۷/۰۱/۳۱",
}

APPLYING: Final = """
from django.contrib.auth.models import User
from geo.models import Place
from interventions.services import OrganisationSpec, membership_apply, organisation_apply
for number in range(1, 11):
    place = Place.objects.get(path=f"ir/lorestan/khorramabad-county/khorramabad/s{number:02}")
    first, *others = [User.objects.create_user(f"member-{number}-{n}", password=None) for n in range(10)]
    names = f"انجمن یاران {place.name_fa}", f"Friends of {place.name_en}"
    body = organisation_apply(user=first, spec=OrganisationSpec(place, f"friends-{number}", "ngo", *names))
    for person in others:
        membership_apply(user=person, organisation=body)
"""
"""A hundred people, each with an account of their own, apply as members of ten associations."""


def apply_for_ten_associations() -> None:
    """Let people apply, as they do one by one on the page of organisations."""
    environment = environment_of(f"mahalleh_browser_{WORKER}", VAR / "browser")
    command = [sys.executable, "manage.py", "shell", "--no-imports"]
    subprocess.run(command, input=APPLYING, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)


def test_a_round_from_its_opening_to_what_is_done(open_page: Callable[..., Page]) -> None:
    seen = {"as_seen": bool(PICTURES)}
    apply_for_ten_associations()
    governorate = open_page(f"{CITY}/rounds/", user="supervisor", **seen)
    round_number = round_opened(governorate)
    associations_approved(governorate)

    reporter = open_page(f"{CITY}/needs/report/", user="reporter", goes_offline=True, **PHONE, **seen)
    need = need_reported_without_a_connection(reporter)
    governorate.goto(f"{CITY}/needs/{need}/")
    governorate.locator("button[name=do][value=confirm]").click()
    expect(governorate.locator(".state-word")).to_have_class(re.compile("is-confirmed"))

    municipality = open_page(f"{CITY}/proposals/new/", user="agency", **seen)
    first = proposed(municipality, need, "درمانگاه شبانه‌روزی علی‌آباد", cost="۳۰۰٬۰۰۰٬۰۰۰٬۰۰۰")
    expect(municipality.locator(".lede").first).to_contain_text("نفر")
    governorate.goto(f"{CITY}/proposals/new/")
    second = proposed(governorate, need, "مرکز سلامت علی‌آباد", cost="۴۰۰٬۰۰۰٬۰۰۰٬۰۰۰", organisation="شبکهٔ بهداشت")
    overlap_is_seen_and_resolved(municipality, governorate, first, second)

    assessed(governorate, municipality, first)
    decided_within_the_budget(governorate, round_number, first)
    action = begun(municipality, first)
    progress_reported(municipality, action)
    late_is_seen(municipality, governorate)
    what_changed_is_told(open_page(f"{CITY}/changed/", **seen))


def round_opened(page: Page) -> int:
    """Close the round before, and open one for the ten areas."""
    page.locator(".plain-list h2 a").first.click()
    page.locator("#lead summary").last.click()
    page.locator("button[name=do][value=close]").click()
    expect(page.locator(".messages")).to_be_visible()
    page.goto(f"{CITY}/rounds/open/")
    page.locator("#open-name_fa").fill("دورهٔ دوم: ده محدودهٔ خرم‌آباد")
    page.locator("#open-name_en").fill("Second round: the ten areas of Khorramabad")
    for phase, day in DEADLINES.items():
        page.locator(f"#open-{phase}_due").fill(day)
    for area in AREAS:
        page.locator(f"input[name=areas][value={area}]").check()
    for approach in ("infrastructural", "social"):
        page.locator(f"input[name=approaches][value={approach}]").check()
    page.locator("#open-budget").fill("۵۰۰٬۰۰۰٬۰۰۰٬۰۰۰")
    page.locator("form button.main").click()
    expect(page).to_have_url(re.compile(rf"{CITY}/rounds/\d+/$"))
    expect(page.locator(".phases li").first).to_contain_text("۳۱ فروردین ۱۴۰۶")
    picture(page, "1-round")
    return number_in(page.url)


def associations_approved(page: Page) -> None:
    """Approve ten associations and one that waited already, and then their members, each by one form."""
    page.goto(f"{CITY}/organisations/")
    waiting = page.locator("#waiting input[name=organisations]")
    expect(waiting).to_have_count(11)
    picture(page, "2-associations")
    page.locator("#waiting button[value=approve]").click()
    expect(waiting).to_have_count(0)
    bodies = page.locator("#waiting input[name=bodies]")
    expect(bodies).to_have_count(11)
    page.locator("#waiting button[value=approve-members]").click()
    expect(bodies).to_have_count(0)
    expect(page.locator(".messages")).to_contain_text("۱۰۴")


def need_reported_without_a_connection(page: Page) -> int:
    """Report on a phone that is offline; it is sent by itself when the connection is back."""
    expect(page.locator("#need-form")).to_have_attribute("data-kept", "true")
    page.context.set_offline(True)
    page.locator("#f-place").select_option("s01")
    page.locator("#f-text_fa").fill("درمانگاه شبانه‌روزی نزدیک نداریم؛ شب‌ها تا مرکز شهر می‌رویم.")
    page.locator("#f-sector").select_option("health")
    page.locator("input[name=severity][value='4']").check()
    page.locator("input[name=approach][value=infrastructural]").check()
    page.locator("#f-people_affected").fill("۴٬۲۰۰")
    page.locator("#f-service").select_option("clinic")
    page.locator("#send").click()
    expect(page.locator("#queue-list > li")).to_have_class(re.compile("is-waiting"))
    picture(page, "3-need")
    page.context.set_offline(False)
    row = page.locator("#queue-list > li")
    expect(row).to_have_class(re.compile("is-sent|is-similar"))
    if "is-similar" in (row.get_attribute("class") or ""):
        row.get_by_role("button", name="نیاز من چیز دیگری است").click()
        expect(row).to_have_class(re.compile("is-sent"))
    return number_in(row.locator("a").first.get_attribute("href") or "")


def proposed(page: Page, need: int, title: str, *, cost: str, organisation: str = "") -> int:
    """Hand in a clinic in the middle of the area that answers the need."""
    if organisation:
        option = page.locator("#f-organisation option").filter(has_text=organisation).first
        page.locator("#f-organisation").select_option(option.get_attribute("value"))
    page.locator("#f-title_fa").fill(title)
    box = page.locator(f"input[name=needs][value='{need}']")
    page.locator("details").filter(has=box).locator("summary").click()
    box.check()
    page.locator("#f-cost_irr").fill(cost)
    page.locator("#f-starts_on").fill("۱۴۰۶/۰۴/۰۱")
    page.locator("#f-ends_on").fill("۱۴۰۶/۱۲/۱۰")
    page.locator("#f-service").select_option("clinic")
    page.locator("#map[data-ready=true]").wait_for()
    page.locator("#mark-middle").click()
    page.locator("button[name=do][value=submit]").click()
    expect(page).to_have_url(re.compile(rf"{CITY}/proposals/\d+/$"))
    return number_in(page.url)


def overlap_is_seen_and_resolved(municipality: Page, network: Page, first: int, second: int) -> None:
    """Both sides are shown the other; the later one gives way."""
    expect(network.locator(".mark-twice").first).to_contain_text("درمانگاه شبانه‌روزی علی‌آباد")
    municipality.goto(f"{CITY}/proposals/{first}/")
    expect(municipality.locator(".mark-twice").first).to_contain_text("مرکز سلامت علی‌آباد")
    picture(municipality, "4-overlap")
    network.locator("#steps summary").last.click()
    network.locator("#steps form").last.locator("button").click()
    expect(network.locator(".state-word").first).to_have_class(re.compile("is-withdrawn"))
    municipality.reload()
    expect(municipality.locator(".mark-twice")).to_have_count(0)


def assessed(governorate: Page, municipality: Page, proposal: int) -> None:
    """Ask a department, and answer for it."""
    governorate.goto(f"{CITY}/proposals/{proposal}/")
    governorate.locator("#steps summary").first.click()
    governorate.locator("label.tick").filter(has_text="شبکهٔ بهداشت").locator("input").check()
    governorate.locator("#steps form").first.locator("button").click()
    governorate.locator("#say input[value=approve]").check()
    governorate.locator("#say button.main").click()
    expect(governorate.locator(".said-list")).to_contain_text("شبکهٔ بهداشت")
    expect(governorate.locator(".said-list li").first).to_have_class(re.compile("approved"))


def decided_within_the_budget(page: Page, round_number: int, proposal: int) -> None:
    """Let a selection be proposed, take it, and publish it."""
    page.goto(f"{CITY}/rounds/{round_number}/decision/")
    page.locator("button[name=propose]").click()
    expect(page.locator("#selection-title")).to_be_visible()
    expect(page.locator(f"input[name=chosen][value='{proposal}']")).to_be_checked()
    picture(page, "5-decision")
    page.locator("#decide-reason").fill("بیشترین مردم تازه‌پوشش برای هر ریال؛ نزدیک‌ترین درمانگاه دور است.")
    page.locator("button[name=do][value=accept]").click()
    page.locator("button[name=do][value=publish]").click()
    expect(page).to_have_url(re.compile(r"/decisions/(#.*)?$"))
    expect(page.locator(".told-table")).to_contain_text("درمانگاه شبانه‌روزی علی‌آباد")


def begun(page: Page, proposal: int) -> int:
    """Turn the accepted proposal into an action, and start it."""
    page.goto(f"{CITY}/actions/new/?proposal={proposal}")
    page.locator("form.describe button.main").click()
    expect(page).to_have_url(re.compile(rf"{CITY}/actions/\d+/$"))
    number = number_in(page.url)
    page.locator("button[name=event][value=start]").click()
    expect(page.locator(".state-line .mark")).to_have_class(re.compile("a-under-way"))
    return number


def progress_reported(page: Page, action: int) -> None:
    page.locator("#done_percent").fill("۴۰")
    page.locator("#spent_irr").fill("۹۰٬۰۰۰٬۰۰۰٬۰۰۰")
    page.locator("#people_reached").fill("۱٬۸۰۰")
    page.locator("#report-text").fill("پی و اسکلت تمام شد.")
    page.locator("#progress button.main").click()
    expect(page.locator("table.reports")).to_contain_text("۴۰")


def late_is_seen(municipality: Page, governorate: Page) -> None:
    """Enter an action whose last day has passed: its own page, the list and the round say so."""
    municipality.goto(f"{CITY}/actions/new/")
    municipality.locator("#title_fa").fill("روشنایی گذرهای گل‌سفید")
    municipality.locator("#place").select_option("s02")
    municipality.locator("#starts_on").fill("۱۴۰۵/۰۶/۰۱")
    municipality.locator("#ends_on").fill("۱۴۰۵/۰۸/۱۵")
    municipality.locator("form.describe button.main").click()
    expect(municipality.locator(".state-line .late")).to_be_visible()
    governorate.goto(f"{CITY}/actions/?late=1")
    expect(governorate.locator("table.actions")).to_contain_text("روشنایی گذرهای گل‌سفید")
    governorate.goto(f"{CITY}/actions/")
    picture(governorate, "6-actions")


def what_changed_is_told(page: Page) -> None:
    """Read, as anybody may, what became of the areas, beyond error and beside those where nothing was done."""
    expect(page.locator("h1")).to_contain_text(re.compile("[۰-۹]"))
    expect(page.locator("#matrix tbody tr")).not_to_have_count(0)
    expect(page.locator("#matrix .is-better").first).to_be_visible()
    picture(page, "7-changed")


def picture(page: Page, name: str) -> None:
    """Take a picture of what is on the screen, where pictures are asked for."""
    if PICTURES:
        page.wait_for_timeout(3000)  # maps draw themselves
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=Path(PICTURES) / f"{name}.jpg", type="jpeg", quality=70)


def number_in(address: str) -> int:
    """Return the number of a record at the end of its address."""
    found = re.search(r"/(\d+)/?$", address)
    assert found, address
    return int(found[1])
