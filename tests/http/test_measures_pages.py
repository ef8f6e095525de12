"""Pages of measures: what they say is what was computed, in the chosen way, as the reader may see it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from analysis.caching import caches_clear
from geo.models import Place
from layers.models import Layer, PopulationSource

pytestmark = pytest.mark.django_db

CITY = "/khorramabad"
API = "/api/v1/cities/khorramabad"
SECTIONS = ("equity", "capacity", "land", "groups", "sources", "standards", "method")


def text_of(client: Client, address: str, language: str = "en") -> str:
    client.cookies["django_language"] = language
    response = client.get(address)
    assert response.status_code == 200, (address, response.status_code)
    return response.content.decode()


def section(page: str, name: str) -> str:
    """Return a section of a page, as it stands in its source."""
    found = re.search(rf'<section [^>]*id="{name}".*?</section>', page, re.DOTALL)
    assert found, name
    return found[0]


def words(part: str) -> str:
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", part).split()))


def answer(client: Client, query: str) -> Any:
    return json.loads(client.get(f"{API}/{query}").content)["tables"]


def test_the_page_says_what_the_measures_answer(demo_city: Place, client_as: Callable[[str], Client]) -> None:
    planner = client_as("planner")
    page = text_of(planner, f"{CITY}/measures/?service=clinic&per-1000=2")
    for name in SECTIONS:
        assert words(section(page, name)), name
    assert "nan" not in page.lower().split()
    (equity,) = answer(planner, "equity?service=clinic")["services"]
    fairness = words(section(page, "equity"))
    assert f"{equity['gini']:.2f}" in fairness
    assert f"{equity['distance_m_settlements']:.0f} m" in words(page)
    half = next(
        row["distance_share"]
        for row in answer(planner, "equity?service=clinic")["lorenz"]
        if row["people_share"] == 0.5
    )
    assert f"{half:.0%} of all distance" in fairness
    access = answer(planner, "access?service=clinic&per-1000=2")
    (clinic,) = access["services"]
    capacity = words(section(page, "capacity"))
    assert f"need of {clinic['city_unmet_people']:,.0f} people is not met" in capacity
    assert len(re.findall(r'<tr><th scope="row"><a href="/khorramabad/', section(page, "capacity"))) == 298
    crowded = max(access["facilities"], key=lambda row: row["load"])
    assert f"facility={crowded['number']}" in section(page, "capacity")
    land = words(section(page, "land"))
    (park,) = answer(planner, "land")["services"]
    assert f"{park['city_per_person_m2']:.1f} m² for each person" in land
    assert "The standard is 7 m²" in land
    assert "unverified" in section(page, "standards")


def test_every_chart_can_be_pointed_at_and_has_its_table(demo_city: Place) -> None:
    page = text_of(Client(), f"{CITY}/measures/?service=park")
    for name in ("capacity", "land"):
        part = section(page, name)
        columns = re.findall(r'<g class="column" tabindex="0" role="img" aria-label="([^"]+)">', part)
        rows = re.findall(r'<tr><th scope="row">([^<]+)</th><td class="num">([^<]+)</td>', part)
        assert len(columns) > 3
        assert [f"{ends}: {people} people" for ends, people in rows[: len(columns)]] == columns
        total = sum(int(people.replace(",", "")) for _ends, people in rows[: len(columns)])
        assert total == pytest.approx(364_800, rel=0.01)  # everybody once
    points = re.findall(r'<circle class="mark" tabindex="0" role="img" aria-label="([^"]+)"', section(page, "equity"))
    assert len(points) == 9


def test_the_way_of_travel_is_chosen_and_told_on_every_page(demo_city: Place) -> None:
    client = Client()
    place = re.search(r'href="/khorramabad/(n\d+)/', text_of(client, f"{CITY}/coverage/"))
    assert place
    pages = {
        "city": f"{CITY}/?show=coverage&service=clinic",
        "coverage": f"{CITY}/coverage/?",
        "place": f"{CITY}/{place[1]}/?",
        "measures": f"{CITY}/measures/?service=clinic",
    }
    for name, address in pages.items():
        plain = text_of(client, address)
        assert '<option value="" selected>in a straight line</option>' in plain, name
        assert "straight-line distance" in words(section(plain, "method"))
        walked = text_of(client, f"{address}&travel=walking")
        assert '<option value="walking" selected>on foot, by slope and stairs</option>' in walked, name
        assert "m (10 min)" in words(walked), name
        assert "distances on foot, by slope and stairs" in words(walked), name
        method = words(section(walked, "method"))
        assert "straight-line distance" not in method
        assert "is measured on foot, by slope and stairs" in method
        assert "Measured on: Streets" in method
        assert "min)" not in words(plain), name
    finding = words(text_of(client, f"{pages['city']}&travel=streets").split("</h1>")[0].split("<h1")[1])
    assert "more than 800 m along streets from the nearest clinic" in finding
    water = words(text_of(client, f"{CITY}/?show=coverage&service=water&travel=walking"))
    assert "within 100 m of the nearest" in water  # a utility is measured in a straight line
    told = json.loads(
        client.get("/api/khorramabad/results?show=coverage&service=clinic&travel=streets&with=html").content
    )
    assert told["travel"] == {"code": "streets", "is_time": False}
    assert "along streets" in told["html"]["finding"]
    assert "along streets" in told["html"]["legend"]


def test_sources_of_people_stand_side_by_side(demo_city: Place, client_as: Callable[[str], Client]) -> None:
    client = client_as("planner")
    assert 'name="population"' not in text_of(client, f"{CITY}/measures/")
    layer = Layer.objects.get(city=demo_city, code="park")
    PopulationSource.objects.create(
        city=demo_city, layer=layer, code="visitors", is_main=False, field="capacity", name_en="Count of visitors",
        name_fa="شمار بازدیدکنندگان", groups={"women": "capacity"},
    )  # fmt: skip
    caches_clear()
    page = text_of(client, f"{CITY}/measures/?service=clinic")
    rows = re.findall(r"<tr><th scope=\"row\"><bdi>([^<]+)</bdi>", section(page, "sources"))
    assert len(rows) == 2
    assert rows[1].startswith("Count of visitors")
    assert "a spread of" in words(section(page, "sources"))
    assert "no groups are" in words(section(page, "groups"))
    by_visitors = text_of(client, f"{CITY}/measures/?service=clinic&population=visitors")
    assert "women" in words(section(by_visitors, "groups"))
    assert "people after Count of visitors" in words(by_visitors)
    finding = text_of(client, f"{CITY}/?show=coverage&service=clinic&population=visitors").split('id="finding"')[1]
    assert "people after Count of visitors" in words(finding.split("</div>")[0])
    caches_clear()


def test_a_scenario_is_named_with_the_way_back(demo_city: Place, client_as: Callable[[str], Client]) -> None:
    planner = client_as("planner")
    change = {"type": "facility-closed", "service": "clinic", "number": 1}
    made = planner.post(
        f"{API}/scenarios",
        json.dumps({"name": "Without the first clinic", "question": {}, "changes": [change]}),
        content_type="application/json",
    )
    assert made.status_code in (200, 201), made.content
    number = json.loads(made.content)["id"]
    for address in ("", "coverage/", "n001/", "measures/"):
        page = text_of(planner, f"{CITY}/{address}?scenario={number}&weight-clinic=2")
        banner = re.search(r'<p class="as-in-scenario".*?</p>', page, re.DOTALL)
        assert banner, address
        assert "Without the first clinic" in words(banner[0])
        assert "weight-clinic=2" in banner[0]
        assert "scenario=" not in banner[0]
        assert "as-in-scenario" not in text_of(planner, f"{CITY}/{address}")
    assert Client().get(f"{CITY}/measures/?scenario={number}").status_code == 404


def test_outsiders_are_told_no_small_counts(demo_city: Place) -> None:
    for service in ("park", "clinic"):
        page = text_of(Client(), f"{CITY}/measures/?service={service}&per-1000=1")
        for name in ("capacity", "land"):
            part = section(page, name).split('<details class="places">')[1].split("</table>")[0]
            assert re.search(r'<td class="num">[1-9]</td></tr>', part) is None  # the last column counts people


def test_curves_and_workbooks_of_the_coverage_page(demo_city: Place) -> None:
    page = text_of(Client(), f"{CITY}/coverage/?travel=streets")
    curves = section(page, "curves")
    assert len(re.findall(r'<polyline class="settled"', curves)) == 16
    assert len(re.findall(r'<tr><th scope="row">', curves)) == 16
    clinic = re.search(r'aria-label="Clinic: ([^"]+)"', curves)
    assert clinic
    (row,) = answer(Client(), "equity?service=clinic&travel=streets")["services"]
    told = [int(text) for text in re.findall(r"(\d+)%", clinic[1])]
    assert told[0] == pytest.approx(
        100 * row["covered_settlements"], abs=2.5
    )  # a curve of points, a square cut in part
    assert told[1] == pytest.approx(100 * row["covered_rest"], abs=2.5)
    links = [html.unescape(link) for link in re.findall(r'href="(/api/v1/[^"]+format=xlsx)"', page)]
    assert len(links) == 2
    assert all("travel=streets" in link for link in links)
    assert Client().get(links[0])["Content-Disposition"] == 'attachment; filename="khorramabad-coverage.xlsx"'


def test_the_place_page_names_the_nearest_facilities(demo_city: Place, client_as: Callable[[str], Client]) -> None:
    planner = client_as("planner")
    caches_clear()
    alone = section(text_of(planner, f"{CITY}/n001/"), "nearest")  # this place alone is measured
    tables = answer(planner, "curves?steps=1&nearest=1&service=hospital&service=bakery")
    found = {row["service"]: row for row in tables["nearest"] if row["code"] == "n001"}
    assert found.keys() == {"hospital", "bakery"}
    for code, row in found.items():
        assert row["name"] in html.unescape(alone)
        assert f"service={code}&amp;facility={row['number']}" in alone
    assert f"{round(found['bakery']['mean_distance_m']):.0f} m" in words(alone)
    assert section(text_of(planner, f"{CITY}/n001/"), "nearest") == alone  # as where all places are


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("service=nothing", 404),
        ("travel=by-air", 400),
        ("population=nothing", 404),
        ("programme=nothing", 404),
        ("decay=no", 400),
        ("capacity=all", 400),
        ("per-1000=0", 400),
        ("per-1000=nan", 400),
        ("m2-per-person=-1", 400),
        ("limit=1e99", 400),
        ("scenario=1", 404),
        ("service=%00", 404),
        ("service=<script>alert(1)</script>", 404),
    ],
)
def test_what_cannot_be_is_refused(demo_city: Place, query: str, status: int) -> None:
    response = Client().get(f"{CITY}/measures/?{query}")
    assert response.status_code == status
    assert b"<script>alert(1)" not in response.content


def test_a_utility_has_no_capacity_to_share(demo_city: Place) -> None:
    page = text_of(Client(), f"{CITY}/measures/?service=water", "fa")
    assert "<svg" not in section(page, "capacity")
    assert "<svg" in section(page, "equity")


def test_more_lines_than_can_be_measured_are_refused_and_the_other_measures_stay(
    demo_city: Place, client_as: Callable[[str], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    planner = client_as("planner")
    monkeypatch.setattr("analysis.measures.frequency.MOST_EFFORT_S", 1e-9)
    for travel in ("straight", "streets", "walking", "surface"):
        refused = planner.get(f"{API}/frequency?service=bus-stop&travel={travel}")
        problem = json.loads(refused.content)
        assert (refused.status_code, problem["code"], problem["where"]) == (413, "too_much_work", "service"), travel
    page = text_of(planner, f"{CITY}/measures/?service=clinic")
    assert "lines leave would take about 0 s, more than 0 s." in words(section(page, "frequency"))
    assert "<table" not in section(page, "frequency")
    assert all(words(section(page, name)) for name in SECTIONS)


def test_departures_of_public_transport_on_the_page(demo_city: Place, client_as: Callable[[str], Client]) -> None:
    """The classes with their people and sources; with another service chosen, the one that has a timetable."""
    planner = client_as("planner")
    told = answer(planner, "frequency?service=bus-stop")
    (city,) = told["city"]
    for chosen in ("bus-stop", "clinic"):
        part = section(text_of(planner, f"{CITY}/measures/?service={chosen}"), "frequency")
        shown = words(part)
        assert f"{city['departures_week']:,.0f} departures a week of {city['lines_each']:.1f} lines" in shown
        for n, name in enumerate(("None within reach", "Low fewer than 392", "Medium 392 to 980", "High 980 and more")):
            assert f"{name} {city[f'class{n}_people']:,.0f} " in shown, shown[:900]
            assert city[f"class{n}_share"] == pytest.approx(city[f"class{n}_people"] / city["population"])
        assert ("shown is “Bus stop”" in shown) == (chosen != "bus-stop")
        assert shown.count("unverified") == 3
        assert len(re.findall(r'<tr><th scope="row"><a href="/khorramabad/', part)) == 298
    persian = words(section(text_of(planner, f"{CITY}/measures/?service=bus-stop", "fa"), "frequency"))
    assert "پولمن" in persian
    outside = words(section(text_of(Client(), f"{CITY}/measures/?service=bus-stop"), "frequency"))
    kept = [
        row
        for row in answer(Client(), "frequency?service=bus-stop")["places"]
        if "class0_people" in row.get("withheld", ())
    ]
    assert outside.count("withheld") >= 4 * len(kept) > 0
    custom = answer(planner, "frequency?service=bus-stop&edges=100,200,300")
    assert [row["from_week"] for row in custom["classes"]] == [None, 0, 100, 200, 300]
    assert planner.get(f"{API}/frequency?edges=5,4").status_code == 400
    assert planner.get(f"{API}/frequency?edges=many").status_code == 400
