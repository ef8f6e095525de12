"""Pages of what-ifs and scenarios: what they tell without script, who may do what there, and that hostile input is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from analysis.models import Scenario
from geo.models import Place
from layers.models import PopulationSource, Service, Standard
from maps.scenarios.page_presenters import change_class

pytestmark = pytest.mark.django_db

CITY = "/khorramabad/"
API = "/api/v1/cities/khorramabad/"


@pytest.fixture
def planner(demo_city: Place, client_as: Callable[[str], Client]) -> Client:
    client = client_as("planner")
    client.cookies["django_language"] = "en"
    return client


def kept(client: Client, name: str, closed: int, **content: Any) -> dict[str, Any]:
    """Save a scenario in which the first clinics are closed."""
    clinics = client.get(f"{API}facilities?service=clinic").json()["facilities"][:closed]
    changes = [{"type": "facility-closed", "service": "clinic", "number": one["number"]} for one in clinics]
    sent = json.dumps({"name": name, "changes": changes, **content})
    response = client.post(f"{API}scenarios", sent, content_type="application/json")
    assert response.status_code == 201, response.content
    return dict(response.json())


def config_of(html: str) -> dict[str, Any]:
    found = re.search(r'<script id="what-if-config" type="application/json">(.*?)</script>', html, re.DOTALL)
    assert found
    return dict(json.loads(found[1]))


def test_the_page_tells_what_a_scenario_does_without_script(planner: Client) -> None:
    """Sentence, map, table and the browser's beginning say the same as the interface."""
    scenario = kept(planner, "Two clinics closed <script>alert(1)</script>", 2)
    html = planner.get(f"{CITY}what-if/?service=clinic&scenario={scenario['id']}&show=change").content.decode()
    told = planner.get(f"/api/v1/scenarios/{scenario['id']}/what-if").json()
    lost = told["totals"]["clinic"]["lost"]
    heading = re.search(r'<h1 class="finding" id="finding">(.*?)</h1>', html)
    assert heading
    assert heading[1].startswith(f"{round(lost):,} people would lose their clinic within 800 m")
    assert "<script>alert(1)" not in html
    losers = [code for code, place in told["places"].items() if round(place["services"].get("clinic", [0] * 4)[3]) > 0]
    rows = re.findall(r'<tr data-code="([^"]+)">', html)
    assert len(rows) == min(10, len(losers))
    assert set(rows) <= set(losers)
    worse = [
        code
        for code, place in told["places"].items()
        if "clinic" in place["services"]
        and change_class((told["base"]["places"][code]["services"]["clinic"][0] - place["services"]["clinic"][0]) * 100)
        == 0
    ]
    assert worse
    painted = set(re.findall(r'class="(?:settlement )?c-change-0" data-code="([^"]+)"', html))
    assert painted == set(worse)
    config = config_of(html)
    assert (config["scenario"]["id"], config["service"], config["show"]) == (scenario["id"], "clinic", "change")
    assert config["answer"]["totals"] == told["totals"]


def test_limits_and_ways_of_travel_of_the_address_are_asked(planner: Client) -> None:
    html = planner.get(f"{CITY}what-if/?service=clinic&threshold-clinic=400&travel=streets").content.decode()
    config = config_of(html)
    assert config["question"] == {"thresholds_m": {"clinic": 400.0}, "travel": "streets"}
    assert config["answer"]["base"]["travel"] == "streets"
    assert "With a limit of 400 m instead of 800 m" in html
    assert "Measured along streets" in html


def test_weights_people_and_capacity_are_asked_on_the_page(planner: Client, demo_city: Place) -> None:
    main = PopulationSource.objects.get(city=demo_city, is_main=True)
    PopulationSource.objects.create(
        city=demo_city, code="again", is_main=False, layer=main.layer, field=main.field, name_en="Counted again"
    )
    address = f"{CITY}what-if/?service=clinic&weight-park=4&population=again&need-clinic=13&show=priority"
    html = planner.get(address).content.decode()
    config = config_of(html)
    assert config["question"] == {
        "weights": {"park": 4.0}, "needs_per_1000": {"clinic": 13.0}, "population": "again",
    }  # fmt: skip
    assert config["answer"]["base"]["population"] == "again"
    assert re.search(r"With other weights than the city has, \d+ places have another rank of priority", html)
    assert re.search(r'<option value="again" selected>Counted again', html)
    assert re.search(r'id="weight-park"[^>]*value="4"', html)
    assert re.search(r'id="need"[^>]*value="13"', html)
    assert "people after “Counted again”" in html
    rows = re.findall(r'<tr data-code="([^"]+)">', html)
    places, base = config["answer"]["places"], config["answer"]["base"]["places"]
    moved = [abs(places[code]["rank"] - base[code]["rank"]) for code in rows]
    assert moved == sorted(moved, reverse=True)
    assert moved[0] > 0


def test_what_a_standard_says_of_capacity_is_offered(planner: Client, demo_city: Place) -> None:
    """That of the programme asked for goes before the general one, and one for larger cities does not hold."""
    clinic = Service.objects.get(code="clinic")
    for value, more in ((2.0, {}), (3.0, {"programme": "sdg"}), (5.0, {"population_min": 10**9})):
        Standard.objects.create(
            service=clinic, kind="capacity", value=value, source="A norm", source_fa="یک ضابطه", **more
        )
    services = config_of(planner.get(f"{CITY}what-if/").content.decode())["services"]
    assert services["clinic"]["need"] == {"n": 2.0, "source": "A norm"}
    assert services["park"]["need"] is None
    services = config_of(planner.get(f"{CITY}what-if/?programme=sdg").content.decode())["services"]
    assert services["clinic"]["need"]["n"] == 3.0


def test_scenarios_are_listed_put_away_and_taken_out_again(planner: Client, client_as: Callable[[str], Client]) -> None:
    mine = kept(planner, "Mine alone", 1)
    shared = kept(planner, "For all", 1, is_shared=True)
    page = f"{CITY}scenarios/"
    assert "Mine alone" in planner.get(page).content.decode()
    viewer = client_as("viewer")
    seen = viewer.get(page).content.decode()
    assert "For all" in seen
    assert "Mine alone" not in seen
    assert 'name="step"' not in seen

    step = {"step": "archive", "scenario": shared["id"], "version": shared["version"]}
    assert viewer.post(page, step).status_code == 403
    assert planner.post(page, {**step, "version": 7}).status_code == 302
    assert Scenario.objects.get(pk=shared["id"]).archived_at is None, "somebody else's version is not put away"
    assert planner.post(page, step, follow=True).status_code == 200
    assert "For all" not in planner.get(page).content.decode()
    assert "For all" in planner.get(f"{page}?archived=true").content.decode()
    planner.post(page, {**step, "step": "restore", "version": 2})
    assert Scenario.objects.get(pk=shared["id"]).archived_at is None
    for wrong in (
        {},
        {"step": "burn"},
        {**step, "version": ""},
        {**step, "scenario": "1e3"},
        {**step, "version": "9" * 30},
    ):
        assert planner.post(page, wrong).status_code == 400, wrong
    assert client_as("analyst").post(page, {**step, "scenario": mine["id"], "version": 1}).status_code == 404


def test_a_comparison_tells_what_the_interface_tells(planner: Client) -> None:
    one, two = kept(planner, "One closed", 1), kept(planner, "Three closed", 3)
    with_ = f"now,{one['id']},{two['id']}"
    html = planner.get(f"{CITY}scenarios/compare/?with={with_}").content.decode()
    told = planner.get(f"{API}scenarios/compare?with={with_}").json()
    people = [f"{round(value):,}" for value in told["totals"]["clinic"]["uncovered_people"]]
    row = re.search(r'<tr class="is-chosen"><th scope="row">Clinic</th>(.*?)</tr>', html)
    assert row, "the service that differs most is chosen"
    assert re.findall(r'<td class="num(?: is-same)?">([\d,]+)', row[1]) == people
    assert f"than today: {people[0]}." in html
    differing = [p for p in told["places"] if max(map(abs, p["services"]["clinic"]["fewer_uncovered"])) >= 0.5]
    whole = planner.get(f"{CITY}scenarios/compare/?with={with_}&rows=all").content.decode()
    places = re.search(r'<section class="section" aria-labelledby="places-title">(.*?)</section>', whole, re.DOTALL)
    assert places
    assert places[1].count('<th scope="row">') == len(differing)
    assert html.count("outline-map") == 2
    again = planner.get(f"{CITY}scenarios/compare/?with=now&with={one['id']}&show=priority")
    assert again.status_code == 200, "boxes of a form name the sides one by one"
    for query in ("", "with=now", f"with=now,{one['id']}&show=castle", "with=now,now", "with=" + ",".join("9" * 300)):
        assert planner.get(f"{CITY}scenarios/compare/?{query}").status_code in {400, 404, 413}, query


@pytest.mark.parametrize("language", ["fa", "en"])
def test_no_page_shows_what_is_no_number(planner: Client, language: str) -> None:
    planner.cookies["django_language"] = language
    scenario = kept(planner, "سناریو", 1)
    for path in ("what-if/?show=priority", "scenarios/", f"scenarios/compare/?with={scenario['id']},now&show=priority"):
        response = planner.get(f"{CITY}{path}")
        assert response.status_code == 200
        text = re.sub(r"<script.*?</script>", "", response.content.decode(), flags=re.DOTALL)
        assert not re.search(r"\b(nan|NaN|inf|Infinity|None)\b|%\(", text), path
