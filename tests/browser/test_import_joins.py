"""A table of people by age joined to neighbourhoods on the page: what is left over is seen, named and added up, in two examinations."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_imports import _patient, describe_layer, in_state, open_form, sent
from tests.browser.test_main_job import barriers

__all__ = ["_patient"]

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("_patient")]

TABLE = "where,age,people\nn001,0-14,10\nn001,15+,20\nn002,0-14,5\nn003x,15+,7\n"


def test_a_table_is_joined_by_name_with_what_is_left_over(open_page: Callable[..., Page]) -> None:
    page = open_form(open_page)
    sent(page, {"name": "people.csv", "mimeType": "text/csv", "buffer": TABLE.encode()})
    in_state(page, "examined")
    expect(page.locator("h1")).to_contain_text("does not say where its rows are")
    page.fill("#code_field", "where")
    expect(page.locator("#join_layer option").first).to_have_text("the places of the city")
    page.click("#examine")
    in_state(page, "examined")

    # One row belongs to nothing, and its people are told; what it may be is one click away.
    joining = page.locator("#joining")
    expect(joining).to_contain_text("3 of 4 rows found their partner. 1 row belongs to nothing.")
    expect(joining.locator("#totals tbody tr")).to_have_text("people42357")
    expect(joining.locator("#lonely tbody th")).to_have_text("n003x")
    joining.locator("summary").click()
    expect(joining.locator("#left button.place").first).to_be_visible()
    close = joining.locator("button.fill").first
    expect(page.locator("#pair-0")).to_have_value("")
    close.click()
    expect(page.locator("#pair-0")).not_to_have_value("")
    page.fill("#pair-0", "n003")
    page.get_by_label("Add up ⁨people⁩").check()
    expect(page.locator("#unsaved")).to_be_visible()
    describe_layer(page, "joined-people")
    assert barriers(page) == []
    page.click("#examine")
    in_state(page, "examined")

    expect(page.locator("h1")).to_contain_text("3 polygons and can be stored in the new layer")
    expect(page.locator("#joining")).to_contain_text("4 of 4 rows found their partner.")
    expect(page.locator("#preview tbody tr").first).to_contain_text("30")
    page.click("#store")
    in_state(page, "stored")
