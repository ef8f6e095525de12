"""Change sets, histories and past days as a browser gets them: what a change does in numbers and lines, and what may be done.

Who may see which page is in `access_reviews`; here is what the pages say, and that what they say is so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from html import unescape
from typing import Any

import pytest
import shapely
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from analysis.ground import people_counter
from analysis.selectors import people_reading
from geo.core.measuring import area_m2
from geo.models import Assignment, Boundary, ChangeSet, Place
from geo.selectors import lasting_shapes
from geo.services import Edit, Saved, change_set_approve, change_set_propose, change_set_save, to_shapely
from maps.pages import formats
from tests.db.grid_city import GridCity, cells, grid_city, people_by_area, today
from tests.http.test_pages import LATIN, Reading, read

pytestmark = pytest.mark.django_db


@pytest.fixture
def grid() -> GridCity:
    return grid_city()


def client_of(user: Any, language: str = "en") -> Client:
    client = Client()
    if user is not None:
        client.force_login(user)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    return client


def text_of(response: Any) -> str:
    """The words of a page, without tags and isolates, single-spaced."""
    main = re.search(r"<main.*?</main>", response.content.decode(), re.S)
    assert main
    words = re.sub("[\u2066-\u2069]", "", unescape(re.sub(r"<[^>]+>", " ", main[0])))
    return re.sub(r"\s+", " ", words)


def rows_of(response: Any, table: str) -> list[list[str]]:
    """The cells of the body of a table, by its class."""
    found = re.search(rf'<table class="{table}">.*?<tbody>(.*?)</tbody>', response.content.decode(), re.S)
    assert found, table
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", found[1], re.S)
    clean = [
        [re.sub(r"<[^>]+>", " ", cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)] for row in rows
    ]
    return [
        [re.sub(r"\s+", " ", re.sub("[\u2066-\u2069]", "", unescape(cell))).strip() for cell in row] for row in clean
    ]


def paths_of(response: Any, css: str) -> list[str]:
    """The drawn paths of a class, all drawings together, but not the samples of the key."""
    return re.findall(rf'<path class="{css}" d="([^"]+)">', response.content.decode())


def version_in_form(response: Any) -> str:
    found = re.search(r'name="version" value="(\d+)"', response.content.decode())
    assert found
    return found[1]


def in_force(grid: GridCity, code: str) -> Boundary:
    """The edition of a place that new ones are based on."""
    edition = grid.base(code)
    assert edition is not None
    return edition


def url(grid: GridCity, change_set: ChangeSet | None = None) -> str:
    return f"/{grid.city.code}/changes/" + (f"{change_set.pk}/" if change_set else "")


def step(client: Client, grid: GridCity, change_set: ChangeSet, name: str, **more: Any) -> Any:
    version = ChangeSet.objects.get(pk=change_set.pk).version
    return client.post(url(grid, change_set), {"step": name, "version": version, "comment": "", **more})


# ---------------------------------------------------------------- the list


def test_the_list_says_who_changed_what_and_whom_it_waits_for(grid: GridCity) -> None:
    grid.save(*grid.shifted(0, 0, 0.2), title="First", people_of=people_by_area)
    grid.proposed(*grid.shifted(2, 2, 0.2), title="Second", people_of=people_by_area)
    response = client_of(grid.people["viewer"]).get(url(grid))
    rows = rows_of(response, "change-list")
    assert [row[0].split(" ")[0] for row in rows] == ["Second", "First"]
    assert "Q 2 2 and Q 3 2" in rows[0][0]
    assert re.search(r"[\d,]+ m² with \d+ people", rows[0][0])
    assert (rows[0][2], rows[1][2]) == ("proposed", "draft")
    # decided by planners, supervisors and administrators above, but not by who drew it; nor by the local planners
    assert rows[0][3] == "gridtown-above, gridtown-colleague and gridtown-supervisor"
    assert rows[1][3] == "gridtown-planner"


def test_the_list_is_filtered(grid: GridCity) -> None:
    grid.save(*grid.shifted(0, 0, 0.2), title="A draft")
    grid.proposed(*grid.shifted(2, 2, 0.2), title="A proposal")
    grid.approved(*grid.shifted(0, 2, 0.2), title="An approval")

    def titles(name: str, query: str) -> set[str]:
        response = client_of(grid.people[name]).get(url(grid) + query)
        assert response.status_code == 200
        body = response.content.decode()
        return set(re.findall(r'changes/\d+/">([^<]+)</a>', body))

    assert titles("supervisor", "") == {"A draft", "A proposal"}
    assert titles("supervisor", "?show=all") == {"A draft", "A proposal", "An approval"}
    assert titles("supervisor", "?show=approved") == {"An approval"}
    assert titles("supervisor", "?show=mine") == {"A proposal"}
    assert titles("planner", "?show=mine") == {"A draft"}
    assert titles("viewer", "?show=mine") == set()
    assert titles("viewer", "?show=all&place=q2-2") == {"A proposal"}
    assert titles("neighbour", "?show=all") == {"A draft"}  # has a role in one of its places
    assert titles("stranger", "?show=all") == set()
    assert client_of(grid.people["viewer"]).get(url(grid) + "?show=everything").status_code == 400


def test_the_list_asks_the_database_equally_often_however_long_it_is(grid: GridCity) -> None:
    client = client_of(grid.people["supervisor"])
    counts = []
    for i, j in ((0, 0), (2, 2), (0, 2), (2, 0)):
        grid.proposed(*grid.shifted(i, j, 0.2))
        client.get(url(grid))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(url(grid)).status_code == 200
        counts.append(len(queries))
    assert counts[1:] == counts[1:2] * 3


def test_a_long_list_has_pages(grid: GridCity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maps.reviews.selectors.PER_PAGE", 2)
    for title in ("one", "two", "three"):
        grid.save(*grid.shifted(0, 0, 0.2), title=title)
    client = client_of(grid.people["viewer"])
    first, last = client.get(url(grid)), client.get(url(grid) + "?page=99")
    assert len(rows_of(first, "change-list")) == 2
    assert "?page=2" in first.content.decode()
    assert [row[0].split(" ")[0] for row in rows_of(last, "change-list")] == ["one"]


def test_outsiders_learn_where_to_look_and_nothing_else(grid: GridCity) -> None:
    grid.proposed(*grid.shifted(0, 0, 0.2), title="Secret plan")
    for user in (None, grid.people["stranger"]):
        text = text_of(client_of(user).get(url(grid) + "?show=all"))
        assert "Secret plan" not in text
        assert "Proposals are seen by people with a role in this city." in text


# ---------------------------------------------------------------- what a change does


def test_a_shift_is_told_in_square_metres_and_people(grid: GridCity) -> None:
    change_set = grid.proposed(*grid.shifted(0, 0, 0.2), people_of=people_by_area, title="By the brook")
    bulge = shapely.difference(cells(1, 0), to_shapely(change_set.changes.get(place__code="q1-0").boundary.geometry))
    moved_m2 = float(area_m2([bulge])[0])
    response = client_of(grid.people["supervisor"]).get(url(grid, change_set))
    area, people = formats.number(moved_m2, "en"), formats.number(moved_m2 / 100, "en")
    text = text_of(response)
    assert f"{area} m² with {people} people pass from Q 1 0 to Q 0 0." in text
    west, east = rows_of(response, "touched-places")
    assert west[2:4] == [f"+{area}", "–"]
    assert east[2:4] == ["–", f"−{area}"]
    assert (west[5:], east[5:]) == ([f"+{people}", "–", f"+{people}"], ["–", f"−{people}", f"−{people}"])
    whole_m2 = float(area_m2([cells(0, 0)])[0])
    assert (west[1], west[4]) == (formats.number(whole_m2, "en"), formats.number(whole_m2 + moved_m2, "en"))


def test_a_change_is_drawn_by_hatch_and_sign_as_well_as_colour(grid: GridCity) -> None:
    change_set = grid.proposed(*grid.shifted(0, 0, 0.2))
    client = client_of(grid.people["supervisor"])
    whole = client.get(url(grid, change_set) + "?place=")
    gains = client.get(url(grid, change_set) + "?place=q0-0")
    loses = client.get(url(grid, change_set) + "?place=q1-0")
    assert (len(paths_of(whole, "moved")), len(paths_of(gains, "gained")), len(paths_of(loses, "lost"))) == (1, 1, 1)
    drawn = [paths_of(whole, "moved")[0], paths_of(gains, "gained")[0], paths_of(loses, "lost")[0]]
    assert len({frozenset(_absolute(d).split(", ")) for d in drawn}) == 1
    assert (len(paths_of(gains, "edge-before")), len(paths_of(gains, "edge-after"))) == (1, 1)
    body = gains.content.decode()
    assert '<g class="sign gained">' in body
    assert 'id="ground-gained"' in body
    assert "gained by Q 0 0 (+)" in text_of(gains)
    assert "lost by Q 1 0 (−)" in text_of(loses)
    # before and after, side by side: the same places, another course
    before, after = re.findall(r"<figure><figcaption>.*?</svg>", body, re.S)
    courses = [re.findall(r'class="whole" d="([^"]+)"', part) for part in (before, after)]
    assert [len(part) for part in courses] == [2, 2]
    assert courses[0] != courses[1]
    assert client.get(url(grid, change_set) + "?place=q3-2").status_code == 404


def test_the_drawn_ground_has_the_size_that_the_table_says(grid: GridCity) -> None:
    """The picture is measured: its path, by the length of its scale bar."""
    change_set = grid.proposed(*grid.shifted(0, 0, 0.3))
    response = client_of(grid.people["supervisor"]).get(url(grid, change_set) + "?place=q0-0")
    corners = [
        tuple(map(float, pair)) for pair in re.findall(r"(-?\d+) (-?\d+)", _absolute(paths_of(response, "gained")[0]))
    ]
    bar = re.search(
        r'class="halo" d="M24 [\d.]+V[\d.]+h([\d.]+)V.*?<text[^>]*>(\d+) m<', response.content.decode(), re.S
    )
    assert bar
    metres_per_unit = float(bar[2]) / float(bar[1])
    drawn_m2 = shapely.Polygon(corners).area * metres_per_unit**2
    told_m2 = change_set.changes.get(place__code="q0-0").gained_m2
    assert drawn_m2 == pytest.approx(told_m2, rel=0.02)


def _absolute(d: str) -> str:
    """A path of straight lines with every corner written as a pair."""
    x = y = "0"
    found = []
    for letter, numbers in re.findall(r"([MLHV])([-\d ]+)", d):
        if letter in "ML":
            x, y = numbers.split(" ")
        elif letter == "H":
            x = numbers
        else:
            y = numbers
        found.append(f"{x} {y}")
    return ", ".join(found)


def test_a_split_and_a_merge_are_told_with_their_lineage(grid: GridCity) -> None:
    client = client_of(grid.people["supervisor"])
    split = client.get(url(grid, grid.proposed(*grid.split(1, 1, "q-new"), people_of=people_by_area)))
    assert re.search(r"Quarter q-new is made of [\d,]+ m² with \d+ people taken from Q 1 1\.", text_of(split))
    lineage = rows_of(split, "lineage")
    assert [row[:3] for row in lineage] == [["Q 1 1", "Q 1 1", "split"], ["Q 1 1", "Quarter q-new", "split"]]
    assert [row[3] for row in lineage] == ["50.0%", "50.0%"]
    assert [row[5] for row in lineage] == ["100%", "100%"]
    merge = client.get(url(grid, grid.proposed(*grid.merge(2, 2), people_of=people_by_area)))
    assert re.search(r"Q 3 2 becomes part of Q 2 2, which grows by [\d,]+ m² with \d+ people\.", text_of(merge))
    assert rows_of(merge, "lineage")[0][:4] == ["Q 3 2", "Q 2 2", "merge", "100%"]


def test_ground_that_nobody_counted_is_told_without_people(grid: GridCity) -> None:
    text = text_of(client_of(grid.people["supervisor"]).get(url(grid, grid.proposed(*grid.shifted(0, 0, 0.2)))))
    assert re.search(r"[\d,]+ m² pass from Q 1 0 to Q 0 0\.", text)


def test_a_new_name_alone_is_told_as_such(grid: GridCity) -> None:
    change_set = grid.proposed(grid.edit("q0-0", grid.shape("q0-0"), name_en="Brook Quarter"))
    response = client_of(grid.people["supervisor"]).get(url(grid, change_set))
    assert "The boundary of Brook Quarter stays where it is" in text_of(response)
    row = rows_of(response, "touched-places")[0]
    assert row[0].startswith("Brook Quarter renamed until now Q 0 0")


def test_the_demo_city_counts_its_own_people(demo_city: Place) -> None:
    """Where a save left people out, the page counts them by the city's population layer; cells of a place add up to its people."""
    planner = User.objects.create_user("review-planner")
    Assignment.objects.create(user=planner, role="planner", place=demo_city)
    place = Place.objects.within(demo_city).filter(kind="neighbourhood").order_by("code")[40]
    saved = whole_place_ends(demo_city, place, planner)
    change = saved.change_set.changes.get()
    assert change.people_lost is None
    shape = to_shapely(change.base.geometry)
    count = people_counter(people_reading(demo_city, planner))
    assert count
    people = float(count(_array(shape))[0])
    assert people > 50
    response = client_of(planner).get(f"/khorramabad/changes/{saved.change_set.pk}/")
    assert f"−{formats.number(people, 'en')}" in rows_of(response, "touched-places")[0][6]
    shown = re.search(
        r"<dt>people</dt><dd><a[^>]*>([\d,]+)<", client_of(planner).get(f"/khorramabad/{place.code}/").content.decode()
    )
    assert shown
    assert int(shown[1].replace(",", "")) == pytest.approx(people, abs=1)


def _array(shape: shapely.Geometry) -> Any:
    import numpy as np

    return np.array([shape], dtype=object)


def whole_place_ends(city: Place, place: Place, user: Any) -> Saved:
    base = lasting_shapes([place])[place.pk]
    return change_set_save(city=city, user=user, edits=[Edit(code=place.code, base_edition_id=base.pk, geometry=None)])


# ---------------------------------------------------------------- decisions


def test_from_draft_to_force_by_two_people(grid: GridCity) -> None:
    change_set = grid.save(*grid.shifted(0, 0, 0.2), title="Brook").change_set
    planner, supervisor = client_of(grid.people["planner"]), client_of(grid.people["supervisor"])
    page = planner.get(url(grid, change_set))
    assert 'value="propose"' in page.content.decode()
    assert 'value="approve"' not in page.content.decode()
    assert step(planner, grid, change_set, "propose", comment="Please look").status_code == 302
    assert 'value="approve"' not in planner.get(url(grid, change_set)).content.decode()
    assert "You drew it, so a second person decides" in text_of(planner.get(url(grid, change_set)))
    assert 'value="approve"' in supervisor.get(url(grid, change_set)).content.decode()
    done = step(supervisor, grid, change_set, "approve", comment="Walked it myself.")
    assert (done.status_code, done["Location"]) == (302, url(grid, change_set))
    change_set.refresh_from_db()
    assert (change_set.status, change_set.reviewer) == ("approved", grid.people["supervisor"])
    assert in_force(grid, "q0-0").version == 2
    text = text_of(supervisor.get(url(grid, change_set)))
    for words in ("Please look", "Walked it myself.", "gridtown-planner proposed", "gridtown-supervisor approved"):
        assert words in text
    assert "What can be done" not in text


def test_nobody_approves_what_they_drew(grid: GridCity) -> None:
    change_set = grid.proposed(*grid.shifted(0, 0, 0.2))
    response = step(client_of(grid.people["planner"]), grid, change_set, "approve", comment="Mine is fine")
    assert response.status_code == 403
    assert "You drew this change set yourself" in text_of(response)
    assert "Mine is fine</textarea>" in response.content.decode()
    assert ChangeSet.objects.get(pk=change_set.pk).status == "proposed"


def test_a_return_needs_a_reason(grid: GridCity) -> None:
    change_set = grid.proposed(*grid.shifted(0, 0, 0.2))
    client = client_of(grid.people["supervisor"])
    refused = step(client, grid, change_set, "return", comment="  ")
    assert refused.status_code == 400
    assert "Say why it is returned" in text_of(refused)
    assert step(client, grid, change_set, "return", comment="The council was\nnot asked <b>").status_code == 302
    page = client.get(url(grid, change_set))
    assert "The council was<br>not asked &lt;b&gt;" in page.content.decode()
    assert "waits for gridtown-planner" in text_of(page)


def test_a_withdrawal_is_the_drawers_own(grid: GridCity) -> None:
    change_set = grid.proposed(*grid.shifted(0, 0, 0.2))
    assert step(client_of(grid.people["supervisor"]), grid, change_set, "withdraw").status_code == 403
    assert step(client_of(grid.people["planner"]), grid, change_set, "withdraw", comment="Mistake").status_code == 302
    assert ChangeSet.objects.get(pk=change_set.pk).status == "withdrawn"


def test_who_acts_on_an_old_version_is_told_what_happened_and_keeps_the_comment(grid: GridCity) -> None:
    change_set = grid.proposed(*grid.shifted(0, 0, 0.2))
    above, supervisor = client_of(grid.people["above"]), client_of(grid.people["supervisor"])
    seen = version_in_form(above.get(url(grid, change_set)))
    step(supervisor, grid, change_set, "return", comment="Ask the council first.")
    response = above.post(url(grid, change_set), {"step": "approve", "version": seen, "comment": "Fine with me"})
    assert response.status_code == 409
    text = text_of(response)
    assert "Somebody acted on this change set while you were looking at it" in text
    refusal = text[text.index("Somebody acted") : text.index("What changes on the ground")]
    assert "gridtown-supervisor returned" in refusal
    assert "Ask the council first." in refusal
    assert "Fine with me</textarea>" in response.content.decode()
    assert version_in_form(response) == str(int(seen) + 1)
    assert ChangeSet.objects.get(pk=change_set.pk).status == "returned"
    assert Boundary.objects.filter(change_set=change_set, status="approved").count() == 0


def test_a_decision_that_was_made_meanwhile_keeps_the_comment_too(grid: GridCity) -> None:
    change_set = grid.proposed(*grid.shifted(0, 0, 0.2))
    viewer_then = client_of(grid.people["above"])
    seen = version_in_form(viewer_then.get(url(grid, change_set)))
    step(client_of(grid.people["supervisor"]), grid, change_set, "approve")
    response = viewer_then.post(url(grid, change_set), {"step": "return", "version": seen, "comment": "Not like this"})
    assert response.status_code == 409
    assert "Not like this</textarea>" in response.content.decode()
    assert "Your comment, which was not stored" in text_of(response)


def test_a_change_on_a_replaced_boundary_says_so_before_and_after_the_attempt(grid: GridCity) -> None:
    first = grid.proposed(*grid.shifted(0, 0, 0.2), title="First")
    second = grid.proposed(*grid.shifted(0, 0, 0.4), title="Second")
    client = client_of(grid.people["supervisor"])
    assert "replaced since" not in text_of(client.get(url(grid, second)))
    step(client, grid, first, "approve")
    page = client.get(url(grid, second))
    assert "It was drawn on a boundary that has been replaced since" in text_of(page)
    old = second.changes.get(place__code="q0-0").base_id
    link = f"/gridtown/q0-0/history/?a={old}&amp;b={in_force(grid, 'q0-0').pk}"
    assert link in page.content.decode()
    assert client.get(unescape(link)).status_code == 200
    refused = step(client, grid, second, "approve", comment="Looks right")
    assert refused.status_code == 409
    assert "The boundary of Q 0 0 and Q 1 0 has been replaced since this was drawn" in text_of(refused)
    assert "Looks right</textarea>" in refused.content.decode()


def test_gaps_are_tasks_with_place_and_size_and_are_acknowledged_one_by_one(grid: GridCity) -> None:
    shrunk = shapely.MultiPolygon([shapely.box(*shapely.buffer(cells(1, 1), -0.0001).bounds)])
    change_set = grid.proposed(grid.edit("q1-1", shrunk))
    (finding,) = change_set.findings
    client = client_of(grid.people["supervisor"])
    page = client.get(url(grid, change_set))
    text = text_of(page)
    assert "Gap between" in text
    assert (
        f"{formats.number(finding['area_m2'], 'en')} m² · up to {formats.number(finding['width_m'], 'en', 1)} m wide"
        in text
    )
    assert f"{finding['lat']:.5f}, {finding['lon']:.5f}" in text
    assert '<g class="mark">' in page.content.decode()
    refused = step(client, grid, change_set, "approve", comment="Let it be")
    assert refused.status_code == 409
    assert "It would open 1 gap or overlap" in text_of(refused)
    assert "Let it be</textarea>" in refused.content.decode()
    assert ChangeSet.objects.get(pk=change_set.pk).status == "proposed"
    key = unescape(re.findall(r'name="acknowledged" value="([^"]+)"', page.content.decode())[0])
    assert step(client, grid, change_set, "approve", acknowledged=[key]).status_code == 302
    assert "meant so" in text_of(client.get(url(grid, change_set)))


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({}, 400),
        ({"step": "destroy", "version": "2"}, 400),
        ({"step": "approve"}, 400),
        ({"step": "approve", "version": "two"}, 400),
        ({"step": "approve", "version": "-1"}, 400),
        ({"step": "approve", "version": "9" * 30}, 400),
        ({"step": "approve", "version": "999999999999999999"}, 409),
        ({"step": "return", "version": "2", "comment": "a\x00b"}, 400),
        ({"step": "return", "version": "2", "comment": "x" * 5001}, 400),
    ],
)
def test_a_broken_form_is_answered_not_crashed(grid: GridCity, form: dict[str, str], status: int) -> None:
    change_set = grid.proposed(*grid.shifted(0, 0, 0.2))
    response = client_of(grid.people["supervisor"]).post(url(grid, change_set), form)
    assert response.status_code == status
    assert 'role="alert"' in response.content.decode()
    assert ChangeSet.objects.get(pk=change_set.pk).version == change_set.version


def test_addresses_that_are_none(grid: GridCity) -> None:
    client = client_of(grid.people["supervisor"])
    other = grid_city(2, 2, "othertown")
    foreign = other.save(*other.shifted(0, 0, 0.2)).change_set
    for number in (foreign.pk, 0, 10**18, 10**40):
        assert client.get(f"/gridtown/changes/{number}/").status_code == 404
    assert client.get(url(grid) + f"?page={10**30}").status_code == 200
    for query in ("?a=x", "?a=1&b=x", f"?a={10**17}&b=1", f"?b={'9' * 40}"):
        assert client.get("/gridtown/q0-0/history/" + query).status_code == 404, query


def test_who_has_a_role_in_one_place_sees_that_place_alone(grid: GridCity) -> None:
    shrunk = shapely.MultiPolygon([shapely.box(*shapely.buffer(cells(2, 2), -0.0001).bounds)])
    change_set = grid.proposed(*grid.shifted(0, 0, 0.2), grid.edit("q2-2", shrunk))
    whole = text_of(client_of(grid.people["viewer"]).get(url(grid, change_set)))
    part = text_of(client_of(grid.people["local"]).get(url(grid, change_set)))
    assert "Q 2 2 reshaped" in whole
    assert "Q 0 0 reshaped" in part
    assert "Q 2 2 reshaped" not in part
    assert "Q 1 0 reshaped" not in part
    assert "It touches other places too" in part
    assert "It touches other places too" not in whole
    assert 'value="approve"' not in client_of(grid.people["local"]).get(url(grid, change_set)).content.decode()


# ---------------------------------------------------------------- histories


def history(grid: GridCity, code: str, user: str | None, query: str = "") -> Any:
    return client_of(grid.people[user] if user else None).get(f"/{grid.city.code}/{code}/history/{query}")


def test_a_history_tells_insiders_all_and_outsiders_what_was_approved(grid: GridCity) -> None:
    grid.approved(*grid.shifted(0, 0, 0.2), title="Approved one")
    grid.save(*grid.shifted(0, 0, 0.3), title="Drafted one")
    inside, outside = history(grid, "q0-0", "viewer"), history(grid, "q0-0", None)
    assert [row[0] for row in rows_of(inside, "editions")] == ["3 draft", "2 in force", "1 approved"]
    assert [row[0] for row in rows_of(outside, "editions")] == ["2 in force", "1 approved"]
    assert "gridtown-planner" in text_of(inside)
    assert "Approved one" in text_of(inside)
    public = outside.content.decode()
    for hidden in ("gridtown-planner", "gridtown-supervisor", "Approved one", "Drafted one", "Restore", "changes/"):
        assert hidden not in public, hidden
    assert "Q 0 0 has had 2 approved boundaries; the one in force since" in text_of(outside)
    draft = Boundary.objects.get(status="draft", place__code="q0-0").pk
    assert history(grid, "q0-0", None, f"?a={in_force(grid, 'q0-0').pk}&b={draft}").status_code == 404
    assert history(grid, "q0-0", "viewer", f"?a={in_force(grid, 'q0-0').pk}&b={draft}").status_code == 200


def test_two_editions_are_compared(grid: GridCity) -> None:
    old = in_force(grid, "q0-0")
    grid.approved(*grid.shifted(0, 0, 0.2))
    new = in_force(grid, "q0-0")
    grown_m2 = float(area_m2([to_shapely(new.geometry)])[0] - area_m2([to_shapely(old.geometry)])[0])
    area = formats.number(grown_m2, "en")
    forth = history(grid, "q0-0", None, f"?a={old.pk}&b={new.pk}")
    assert f"From edition 1 to edition 2, Q 0 0 gains {area} m²." in text_of(forth)
    assert rows_of(forth, "difference")[0][1] == f"+{area}"
    assert (len(paths_of(forth, "gained")), len(paths_of(forth, "lost"))) == (1, 0)
    back = history(grid, "q0-0", None, f"?a={new.pk}&b={old.pk}")
    assert f"From edition 2 to edition 1, Q 0 0 loses {area} m²." in text_of(back)
    assert set(_absolute(paths_of(back, "lost")[0]).split(", ")) == set(
        _absolute(paths_of(forth, "gained")[0]).split(", ")
    )
    same = history(grid, "q0-0", None, f"?a={new.pk}&b={new.pk}")
    assert "Editions 2 and 2 have the same course." in text_of(same)
    # without a choice: what the last approval changed
    assert f"gains {area} m²" in text_of(history(grid, "q0-0", None))


def test_the_public_is_not_told_of_few_people(demo_city: Place) -> None:
    """The ground between two editions holds a handful of people; insiders are told how many, the public only the bound."""
    planner, second = (User.objects.create_user(f"few-{n}") for n in range(2))
    for user in (planner, second):
        Assignment.objects.create(user=user, role="planner", place=demo_city)
    count = people_counter(people_reading(demo_city, planner))
    assert count
    for place in Place.objects.within(demo_city).filter(kind="settlement").order_by("code"):
        base = lasting_shapes([place])[place.pk]
        shape = to_shapely(base.geometry)
        for shrink in (2e-5, 1e-5, 5e-6, 2e-6):
            smaller = shapely.buffer(shape, -shrink)
            people = float(count(_array(shapely.difference(shape, smaller)))[0])
            if 1 < people < 9:
                break
        else:
            continue
        break
    else:
        raise AssertionError("No settlement of the demo has a thin rim with few people.")
    parts = [part for part in shapely.get_parts(smaller) if part.geom_type == "Polygon"]
    edit = Edit(code=place.code, base_edition_id=base.pk, geometry=shapely.MultiPolygon(parts))
    saved = change_set_save(city=demo_city, user=planner, edits=[edit]).change_set
    saved = change_set_propose(saved, planner, saved.version)
    change_set_approve(saved, second, saved.version)
    path = f"/khorramabad/{place.code}/history/"
    public, insider = client_of(None).get(path), client_of(planner).get(path)
    stored = to_shapely(lasting_shapes([place])[place.pk].geometry)
    people = float(count(_array(shapely.difference(shape, stored)))[0])
    assert 0.5 < people < 9.5
    assert rows_of(public, "difference")[1][2] == "fewer than 10"
    assert rows_of(insider, "difference")[1][2] == formats.number(people, "en")
    assert "fewer than 10 people" in text_of(public)


def test_an_old_edition_is_restored_as_a_draft(grid: GridCity) -> None:
    old = in_force(grid, "q0-0")
    grid.approved(*grid.shifted(0, 0, 0.2))
    planner = client_of(grid.people["planner"])
    path = "/gridtown/q0-0/history/"
    assert f'name="restore" value="{old.pk}"' in planner.get(path).content.decode()
    assert 'name="restore"' not in client_of(grid.people["supervisor"]).get(path).content.decode()
    response = planner.post(path, {"restore": old.pk})
    made = ChangeSet.objects.latest("pk")
    assert (response.status_code, response["Location"]) == (302, url(grid, made))
    assert to_shapely(made.changes.get().boundary.geometry).equals_exact(to_shapely(old.geometry))
    assert made.status == "draft"
    assert "restored" in text_of(planner.get(url(grid, made)))
    current = planner.post(path, {"restore": in_force(grid, "q0-0").pk})
    assert current.status_code == 400
    assert "That edition is the one in force already" in text_of(current)
    assert client_of(grid.people["supervisor"]).post(path, {"restore": old.pk}).status_code == 403
    assert ChangeSet.objects.latest("pk") == made


def test_a_place_that_ended_keeps_its_history(grid: GridCity) -> None:
    grid.approved(*grid.merge(0, 0), valid_from=today())
    gone = history(grid, "q1-0", None)
    assert gone.status_code == 200
    assert "its ground became part of Q 0 0." in text_of(gone)
    assert 'href="/gridtown/q0-0/history/"' in gone.content.decode()
    kept = text_of(history(grid, "q0-0", None))
    assert "Came from Q 1 0 merge 50.0% of its land" in kept


def test_the_page_of_a_place_leads_to_its_history(demo_city: Place) -> None:
    body = client_of(None).get("/khorramabad/n010/").content.decode()
    assert 'href="/khorramabad/n010/history/"' in body


# ---------------------------------------------------------------- a city on a day


def as_of(grid: GridCity, text: str, language: str = "en") -> Any:
    return client_of(None, language).get(f"/{grid.city.code}/as-of/", {"date": text})


def test_a_past_day_shows_what_was_there(grid: GridCity) -> None:
    grid.approved(*grid.merge(0, 0), valid_from=today() - timedelta(days=10))
    then, now = as_of(grid, (today() - timedelta(days=11)).isoformat()), client_of(None).get("/gridtown/as-of/")
    assert len(set(re.findall(r'data-code="([^"]+)"', then.content.decode()))) == 13
    assert len(set(re.findall(r'data-code="([^"]+)"', now.content.decode()))) == 12
    assert "Gridtown had 12 neighbourhoods and 1 informal settlement; 2 places differ from today." in text_of(then)
    rows = {row[0].split(" informal")[0]: row for row in rows_of(then, "day-places")}
    assert (rows["Q 0 0"][1], rows["Q 1 0"][1], rows["Q 2 2"][1]) == ("redrawn since", "ended since", "the same")
    assert "Today Gridtown has 11 neighbourhoods and 1 informal settlement" in text_of(now)
    assert set(re.findall(r'class="(?:settlement )?differs" data-code="([^"]+)"', then.content.decode())) == {
        "q0-0",
        "q1-0",
    }


def test_a_day_to_come_shows_what_is_approved(grid: GridCity) -> None:
    grid.approved(*grid.merge(0, 0), valid_from=today() + timedelta(days=30))
    later = as_of(grid, (today() + timedelta(days=31)).isoformat())
    assert "By what is approved so far, Gridtown will have 11 neighbourhoods" in text_of(later)
    assert "Not there on that day, but today: Q 1 0." in text_of(later)


@pytest.mark.parametrize("text", ["1404/01/15", "۱۴۰۴/۰۱/۱۵", "١٤٠٤-١-١٥", "2025-04-04", "۲۰۲۵/۴/۴", " 1404 / 1 / 15 "])
def test_a_day_is_read_in_either_calendar_and_any_digits(grid: GridCity, text: str) -> None:
    response = as_of(grid, text)
    assert response.status_code == 200
    assert "On 4 April 2025 Gridtown had" in text_of(response)
    assert 'value="2025-04-04"' in response.content.decode()
    persian = as_of(grid, text, "fa")
    assert "۱۵ فروردین ۱۴۰۴" in text_of(persian)
    assert 'value="۱۴۰۴/۰۱/۱۵"' in persian.content.decode()


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "1404/13/01",
        "1404/12/30",
        "2025-02-30",
        "0000-01-01",
        "9999-12-31",
        "1404",
        "۱۴۰۴/۱/۱/۱",
        "9" * 5000,
        "\x00",
    ],
)
def test_what_is_no_day_is_said_and_stays_in_the_field(grid: GridCity, text: str) -> None:
    response = as_of(grid, text)
    assert response.status_code == 400
    assert "This is no day. Today is shown instead." in text_of(response)
    shown = re.search(r'name="date" value="([^"]*)"', response.content.decode())
    assert shown
    assert unescape(shown[1]) == text[:40]


@pytest.mark.parametrize("text", ["0001-01-01", "1699/12/29", "9000-12-31", "1700-01-01"])
def test_days_at_the_ends_of_time(grid: GridCity, text: str) -> None:
    for language in ("fa", "en"):
        assert as_of(grid, text, language).status_code == 200


def test_before_the_first_boundary_there_is_a_way_on(grid: GridCity) -> None:
    response = as_of(grid, "1300/01/01")
    assert "No approved boundary of Gridtown was in force on" in text_of(response)
    assert 'href="?date=2024-01-01"' in response.content.decode()


# ---------------------------------------------------------------- every page, for every reader


@pytest.fixture
def demo_pages(demo_city: Place, personas: dict[str, Any]) -> list[str]:
    """Addresses of a proposed change, an approved one, and what follows from it, in the demo city."""
    supervisor, planner = personas["supervisor"], personas["planner"]
    places = Place.objects.within(demo_city).filter(kind="settlement").order_by("code")[:2]
    numbers = []
    for place in places:
        base = lasting_shapes([place])[place.pk]
        smaller = shapely.MultiPolygon(
            [max(shapely.get_parts(shapely.buffer(to_shapely(base.geometry), -3e-4)), key=shapely.area)]
        )
        edit = Edit(code=place.code, base_edition_id=base.pk, geometry=smaller, source="پیمایش", certainty="walked")
        saved = change_set_save(city=demo_city, user=planner, edits=[edit]).change_set
        numbers.append(change_set_propose(saved, planner, saved.version, "").pk)
    approved = ChangeSet.objects.get(pk=numbers[0])
    change_set_approve(approved, supervisor, approved.version, "")
    return [
        "/khorramabad/changes/?show=all",
        *(f"/khorramabad/changes/{number}/" for number in numbers),
        f"/khorramabad/{places[0].code}/history/",
        f"/khorramabad/as-of/?date={(timezone.localdate() - timedelta(days=1)).isoformat()}",
    ]


def test_pages_keep_the_rules_of_the_house(demo_pages: list[str], client_as: Callable[[str], Client]) -> None:
    """Persian to the last digit, no style and no script of their own, readable by ear, usable by keyboard."""
    client = client_as("supervisor")
    titles = []
    for path in demo_pages:
        page = read(client, path)
        html = page.of("html")[0]
        assert (html["lang"], html["dir"]) == ("fa", "rtl")
        assert [text for text in page.texts if set(text) & set(LATIN) and "test-" not in text] == [], path
        assert "دادهٔ نمایشی، نه مرز رسمی" in page.texts
        keeps_its_policy(page)
        is_readable_by_ear(page)
        titles.append(re.search(r"<title>(.*?)</title>", client.get(path).content.decode(), re.S))
    assert len({title.group(1) for title in titles if title}) == len(demo_pages)


def keeps_its_policy(page: Reading) -> None:
    assert [attrs for _, attrs in page.tags if "style" in attrs] == []
    assert [name for _, attrs in page.tags for name in attrs if name.startswith("on")] == []
    assert all(
        "src" in script or script.get("type") in ("importmap", "application/json") for script in page.of("script")
    )


def is_readable_by_ear(page: Reading) -> None:
    assert len(page.of("h1")) == len(page.of("main")) == 1
    labelled = {attrs["for"] for attrs in page.of("label") if attrs.get("for")}
    for kind in ("input", "textarea"):
        for entry in page.of(kind):
            if entry.get("type") not in ("hidden", "radio", "checkbox"):
                assert entry.get("id") in labelled, entry
    for picture in page.of("svg"):
        assert picture.get("aria-hidden") == "true" or picture.get("aria-label") or picture.get("aria-labelledby"), (
            picture
        )
    ids = [attrs["id"] for _, attrs in page.tags if attrs.get("id")]
    assert len(ids) == len(set(ids))


def test_dates_are_jalali_in_persian(demo_pages: list[str], client_as: Callable[[str], Client]) -> None:
    client = client_as("viewer")
    text = " ".join(read(client, demo_pages[1]).texts)
    assert formats.day(timezone.localdate(), "fa") in text
    assert formats.day(date(2025, 9, 23), "fa") in " ".join(read(client, demo_pages[3]).texts)
