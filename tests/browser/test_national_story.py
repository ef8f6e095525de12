"""The national network: the ministry compares provinces, a governor-general looks at counties and sets a crisis committee to work in two of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("_patient")]

LORESTAN = "/network/ir/lorestan/"
STRUCK = ("شهرستان دورود", "شهرستان کوهدشت")


def test_provinces_are_compared_and_a_crisis_committee_works_in_two_counties(open_page: Callable[..., Page]) -> None:
    ministry = open_page("/network/", user="ministry")
    rows = ministry.locator("#parts tbody tr")
    expect(rows).to_have_count(3)
    shares = [_share(text) for text in rows.locator("td:nth-child(4)").all_inner_texts()]
    assert shares == sorted(shares, reverse=True)
    expect(ministry.locator("h1")).to_contain_text(rows.first.locator("th a").inner_text())
    assert not ministry.locator("#committees details").count(), "The ministry looks; it does not lead."

    governor = open_page(LORESTAN, user="governor", allow_status=(400,))
    expect(governor.locator("#parts tbody tr")).to_have_count(5)
    governor.locator("#committees summary").click()
    for name in STRUCK:
        governor.locator("#committees label.tick").filter(has_text=name).locator("input").check()
    governor.locator("#committees button.main").click()
    # Nothing is set to work without a reason, and what was marked stays.
    expect(governor.locator("#committees .wrong")).to_be_visible()
    governor.locator("#activate-reason").fill("سیل در حوضهٔ کشکان")
    governor.locator("#committees button.main").click()
    active = governor.locator("#committees .plain-list > li")
    expect(active).to_have_count(2)
    for name in STRUCK:
        expect(active.filter(has_text=name)).to_contain_text("سیل در حوضهٔ کشکان")

    ministry.goto("/network/")
    expect(rows.filter(has_text="لرستان").locator("td").last).to_contain_text("کمیتهٔ بحران")
    expect(ministry.locator("#committees .plain-list > li")).to_have_count(2)
    anybody = open_page("/network/", language="en")
    expect(anybody.locator("#committees .plain-list > li")).to_have_count(2)

    active.filter(has_text=STRUCK[0]).get_by_role("button").click()
    governor.goto(LORESTAN)
    expect(active).to_have_count(1)
    expect(active).to_contain_text(STRUCK[1])


def _share(text: str) -> float:
    digits = text.translate(str.maketrans("۰۱۲۳۴۵۶۷۸۹٫", "0123456789.")).strip(" ٪%")
    return float(digits) if digits != "–" else -1.0
