"""Pages of siting: a plan asked for, followed, opened, kept as a scenario and made a proposal; what cannot be is refused in words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from analysis.models import Run, RunOrder, Scenario
from analysis.siting.orders import order_work
from geo.models import Place
from tests.workbooks import codebook_of, rows_by_sheet

pytestmark = pytest.mark.django_db

PAGE = "/khorramabad/siting/"
FEW = {"service": "clinic", "model": "mclp", "sites": "2", "spacing_m": "1500"}


@pytest.fixture
def planner(demo_city: Place, client_as: Callable[[str], Client]) -> Client:
    client = client_as("planner")
    client.cookies["django_language"] = "en"
    return client


def ordered(client: Client, **asked: str) -> tuple[str, Any]:
    """Ask for a plan, let the worker's step run, and return where its order is and how that answers then."""
    response = client.post(PAGE, FEW | asked)
    assert response.status_code == 302, response.content
    order = RunOrder.objects.order_by("-created_at").first()
    assert order is not None
    assert response.url == f"{PAGE}orders/{order.pk}/"
    order_work(order.pk, order.job or 0)
    return response.url, client.get(response.url)


def plan_of(client: Client, **asked: str) -> tuple[Run, str]:
    _, answer = ordered(client, **asked)
    assert answer.status_code == 302, answer.content.decode()
    page = client.get(answer.url)
    assert page.status_code == 200
    return Run.objects.get(pk=int(answer.url.rstrip("/").rsplit("/", 1)[1])), page.content.decode()


def heading(html: str) -> str:
    found = re.search(r'<h1 class="finding">(.*?)</h1>', html, re.DOTALL)
    assert found
    return found[1].strip()


def test_a_plan_is_asked_for_followed_opened_and_kept(planner: Client) -> None:
    empty = planner.get(PAGE).content.decode()
    assert "There is no plan yet." in empty
    response = planner.post(PAGE, FEW)
    state = planner.get(f"{response.url}?part=state").json()
    assert (state["is_open"], state["step"]) == (True, "Waiting for the worker …")
    assert "The plan is being computed" in planner.get(response.url).content.decode()
    assert planner.get(PAGE).content.decode().count("A plan of yours is on its way") == 1
    order = RunOrder.objects.get()
    order_work(order.pk, order.job or 0)
    assert planner.get(f"{response.url}?part=state").json()["is_open"] is False
    run = Run.objects.get(kind="siting")
    html = planner.get(f"{PAGE}{run.pk}/").content.decode()
    people = f"{round(run.result['people_gained']):,}"
    assert heading(html) == f"Clinic: 2 new facilities would bring {people} more people within 800 m."
    assert "Proven: no other choice among the candidates reaches more." in html
    # The table, the drawing and the map say the same sites.
    rows = re.findall(r'<tr data-number="(\d+)" data-lon="([\d.]+)" data-lat="([\d.]+)">', html)
    assert [(float(lon), float(lat)) for _, lon, lat in rows] == [(s["lon"], s["lat"]) for s in run.result["sites"]]
    assert html.count('<g class="site">') == 2
    config = json.loads(re.search(r'<script id="plan-config" type="application/json">(.*?)</script>', html).group(1))  # type: ignore[union-attr]
    assert len(config["plan"]["sites"]["features"]) == 2
    # The curve's third bar is the best of three, and the second what this plan does, in blocks.
    assert [point["sites"] for point in run.result["curve"]] == list(range(1, 9))
    assert run.result["curve"][1]["people"] == run.result["people_gained_in_blocks"]
    # Kept: the what-if page opens with it, and says the same people.
    kept = planner.post(f"{PAGE}{run.pk}/", {"name": "Two clinics", "is_shared": "1"})
    scenario = Scenario.objects.get(name="Two clinics")
    assert kept.url == f"/khorramabad/what-if/?scenario={scenario.pk}&service=clinic"
    assert scenario.is_shared
    assert people in planner.get(kept.url).content.decode()
    nameless = planner.post(f"{PAGE}{run.pk}/", {"name": " "})
    assert nameless.status_code == 400
    assert "The scenario needs a name." in nameless.content.decode()
    listed = planner.get(PAGE).content.decode()
    assert heading(listed) == heading(html)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"model": "lscp"}, r"\d+ new facilities would reach everybody who can be reached within 800 m"),
        ({"model": "p-median"}, r"2 new facilities would shorten the mean way from \d+ m to \d+ m\."),
        ({"model": "p-centre"}, r"with 2 new facilities the farthest would have [\d.]+ km to go instead of [\d.]+ km\."),
        ({"model": "capacitated", "capacity": "1,500"}, r"2 new facilities would have room for 3,000 more people within 800 m\."),
        ({"limit": "budget", "budget": "۵۰٬۰۰۰", "site_cost": "20 000", "demand": "priority"}, r"2 new facilities would bring"),
        ({"candidates": "mosque", "forbidden": "flood-zones", "threshold_m": "600"}, r"more people within 600 m\."),
    ],
)  # fmt: skip
def test_each_aim_says_what_it_promises(planner: Client, asked: dict[str, str], said: str) -> None:
    run, html = plan_of(planner, **asked)
    assert re.search(said, heading(html)), heading(html)
    assert "Proven" in html
    assert "NaN" not in html
    assert "nan" not in json.dumps(run.result)
    again = re.search(r'href="(/khorramabad/siting/\?[^"]+)">Change the question', html)
    assert again
    form = planner.get(again[1].replace("&amp;", "&")).content.decode()
    for name, value in asked.items():
        if name in ("model", "limit"):
            assert re.search(f'name="{name}" value="{value}" checked', form), name


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ({"sites": "0"}, 400, "cannot be used here"),
        ({"sites": "NaN"}, 400, "cannot be used here"),
        ({"model": "castle"}, 400, "is not known"),
        ({"sites": ""}, 400, "Neither a number of sites nor a budget is given."),
        ({"model": "capacitated"}, 400, "Nothing is said of how many people a new facility takes."),
        ({"limit": "budget", "budget": "5"}, 400, "nothing is known of what the sites cost"),
        ({"candidates": "castle"}, 404, "has no layer"),
        ({"forbidden": "roads"}, 400, "cannot be used for this"),
        ({"forbidden": "flood-zones", "forbidden_where": "=;="}, 400, "is not a condition"),
        ({"geometry": "{"}, 400, "Ground is drawn as polygons."),
        ({"geometry": '{"type":"Point","coordinates":[48,33]}'}, 400, "Ground is drawn as polygons."),
        ({"travel": "broom"}, 400, "is not a way of travel"),
    ],
)
def test_what_cannot_be_asked_is_refused_at_once_and_the_form_stays(
    planner: Client, asked: dict[str, str], status: int, said: str
) -> None:
    response = planner.post(PAGE, FEW | asked)
    html = response.content.decode()
    assert response.status_code == status
    assert said in html
    assert 'role="alert"' in html
    assert 'name="spacing_m" value="1500"' in html
    assert not RunOrder.objects.exists()


def test_what_cannot_be_planned_is_said_with_who_and_a_remedy(planner: Client) -> None:
    _, answer = ordered(planner, model="lscp", candidates="mosque", must_reach_all="1")
    html = answer.content.decode()
    assert re.search(r"[\d,]+ people are out of reach of every candidate, most of them in ", html)
    assert "or leave these people out" in html
    planner.cookies["django_language"] = "fa"
    persian = planner.get(RunOrder.objects.get().pk and f"{PAGE}orders/{RunOrder.objects.get().pk}/").content.decode()
    alert = re.search(r'role="alert"><p>(.*?)</p>', persian)
    assert alert
    assert not re.search("[A-Za-z]{3,}", re.sub("<.*?>", "", alert[1])), alert[1]


def test_a_plan_is_cancelled(planner: Client) -> None:
    response = planner.post(PAGE, FEW)
    cancelled = planner.post(response.url, {"do": "cancel"})
    assert cancelled.url.startswith(f"{PAGE}?service=clinic")
    assert RunOrder.objects.get().state == RunOrder.State.CANCELLED
    assert "This plan was cancelled" in planner.get(response.url).content.decode()


def test_a_plan_and_a_scenario_fill_in_a_proposal(planner: Client, client_as: Callable[[str], Client]) -> None:
    run, _ = plan_of(planner)
    supervisor = client_as("supervisor")
    supervisor.cookies["django_language"] = "en"
    form = supervisor.get(f"/khorramabad/proposals/new/?plan={run.pk}").content.decode()
    assert "2 new facilities: Clinic" in form
    assert "MultiPoint" in form
    assert f'name="people_targeted" value="{round(run.result["people_gained"])}"' in form
    assert '<option value="clinic" selected>' in form
    assert supervisor.get("/khorramabad/proposals/new/?plan=999999999").status_code == 404
    assert supervisor.get("/khorramabad/proposals/new/?plan=castle").status_code == 404
    planner.post(f"{PAGE}{run.pk}/", {"name": "Shared clinics", "is_shared": "1"})
    scenario = Scenario.objects.get(name="Shared clinics")
    html = supervisor.get("/khorramabad/scenarios/").content.decode()
    assert f"/khorramabad/proposals/new/?scenario={scenario.pk}" in html
    same = supervisor.get(f"/khorramabad/proposals/new/?scenario={scenario.pk}").content.decode()
    assert f'name="people_targeted" value="{round(run.result["people_gained"])}"' in same


def test_viewers_open_plans_and_ask_for_none(planner: Client, client_as: Callable[[str], Client]) -> None:
    run, _ = plan_of(planner)
    viewer = client_as("viewer")
    viewer.cookies["django_language"] = "en"
    html = viewer.get(PAGE).content.decode()
    assert f"{PAGE}{run.pk}/" in html
    assert 'id="siting-form"' not in html
    assert viewer.post(PAGE, FEW).status_code == 403
    assert viewer.get(f"{PAGE}{run.pk}/").status_code == 200


# ---- taken along


def persian(text: Any) -> bool:
    return bool(re.search("[\u0600-\u06ff]", text or ""))


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"model": "capacitated", "capacity": "1500", "demand": "priority"},
        {"candidates": "mosque", "limit": "budget", "budget": "50000", "site_cost": "20000", "model": "p-median"},
    ],
)
def test_the_workbook_of_a_plan_says_what_its_run_keeps(planner: Client, asked: dict[str, str]) -> None:
    run, html = plan_of(planner, **asked)
    address = re.search(r'href="([^"]+/export)" download>Workbook with codebook', html)
    assert address
    answer = planner.get(address[1])
    assert answer["Content-Disposition"] == f'attachment; filename="khorramabad-siting-{run.pk}.xlsx"'
    sheets = rows_by_sheet(answer.content)
    assert list(sheets) == ["sites", "curve", "places", "people", "summary", "sources", "codebook"]
    result, parameters = run.result, run.parameters
    told = [
        (
            row["site"], row["lon"], row["lat"], row["place_code"], row["candidate"], row["candidate_name"], row["people_new"],
            row["load"], row["capacity"], row["cost"],
        )
        for row in sheets["sites"]
    ]  # fmt: skip
    assert told == [
        (
            n, site["lon"], site["lat"], site["place"]["code"], site["feature"], site["name"] or None, site["people"],
            site["nearest"], parameters["capacity"], parameters["site_cost"],
        )
        for n, site in enumerate(result["sites"], start=1)
    ]  # fmt: skip
    assert len(told) == 2
    assert sheets["sites"][-1]["people_new_together"] == pytest.approx(result["people_gained"], abs=0.02)
    assert all(persian(row["name_fa"]) and not persian(row["name_en"]) for row in sheets["sites"])
    curve = [(row["facilities"], row["people_new"], row["adds_people"]) for row in sheets["curve"]]
    if result["curve"]:
        assert curve == [(one["sites"], one["people"], one["adds_people"]) for one in result["curve"]]
        bounds = [(row["value"], row["bound"], row["gap"], row["status"]) for row in sheets["curve"]]
        assert bounds == [(one["value"], one["bound"], one["gap"], one["status"]) for one in result["curve"]]
        assert all(value <= bound for value, bound, *_ in bounds)
    else:
        assert curve == [(row["site"], row["people_new_together"], row["people_new"]) for row in sheets["sites"]]
    editions = run.inputs["boundaries"]["editions"]
    assert [
        tuple(
            row[name]
            for name in ("place_code", "edition", "people", "uncovered_before", "uncovered_after", "people_new")
        )
        for row in sheets["places"]
    ] == [
        (row["code"], editions[row["code"]], row["people"], row["before"], row["after"], row["gained"])
        for row in result["places"]
    ]
    for name, is_reached in (("reached", 1), ("left", 0)):
        found = [[row["lon"], row["lat"], row["people"]] for row in sheets["people"] if row["is_reached"] == is_reached]
        assert found == result[name]
    assert {row["layer"]: (row["release"], row["content_hash"]) for row in sheets["sources"]} == {
        one["layer"]: (one["release"], one["content_hash"])
        for one in (*run.inputs["services"].values(), run.inputs["population"], *run.inputs["travel"].values())
    } | {code: (one["release"], one["content_hash"]) for code, one in run.inputs["siting_layers"].items()}
    summary = {row["name"]: row["value"] for row in sheets["summary"]}
    same = ("status", "gap", "value", "bound", "spent", "candidates", "forbidden", "blocks", "people", "people_gained")
    assert {name: summary[name] for name in same} == {name: result[name] for name in same}
    assert [summary["mean_m_before"], summary["mean_m_after"]] == result["mean_m"]
    facts, fields = codebook_of(sheets)
    assert (facts["run"], facts["seed"], facts["input_hash"]) == (run.pk, run.seed, run.input_hash)
    assert facts["asked.model"] == parameters["model"]
    assert facts["asked.threshold_m"] == parameters["threshold_m"]
    assert facts["boundaries"] == run.inputs["boundaries"]["content_hash"]
    for sheet, rows in sheets.items():
        for name in rows[0] if sheet != "codebook" else ():
            field = fields[sheet, name]
            assert persian(field["title_fa"]), (sheet, name)
            assert field["title_en"]
    geojson = planner.get(f"{PAGE}{run.pk}/sites.geojson")
    assert geojson["Content-Type"] == "application/geo+json"
    points = geojson.json()["features"]
    assert [one["geometry"]["coordinates"] for one in points] == [
        [site["lon"], site["lat"]] for site in result["sites"]
    ]
    assert [one["properties"]["people_new"] for one in points] == [site["people"] for site in result["sites"]]


def test_a_plan_without_sites_and_one_of_before_have_workbooks_too(planner: Client) -> None:
    run, _ = plan_of(planner)
    plain = [{k: v for k, v in one.items() if k not in ("value", "bound", "gap")} for one in run.result["curve"]]
    run.result = run.result | {"curve": plain, "sites": [], "gap": None}
    run.save()
    run.city.name_fa = "=1+1"
    run.city.save()
    html = planner.get(f"{PAGE}{run.pk}/").content.decode()
    assert "sites.geojson" not in html
    sheets = rows_by_sheet(planner.get(f"{PAGE}{run.pk}/export").content)
    assert sheets["sites"] == []
    assert [row["bound"] for row in sheets["curve"]] == [None] * len(plain)
    assert {row["title_fa"] for row in sheets["codebook"] if row["name"] == "city"} == {"=1+1"}


def test_whoever_opens_a_plan_takes_it_along_and_nobody_else(
    planner: Client, client_as: Callable[[str], Client]
) -> None:
    run, _ = plan_of(planner)
    for name in ("export", "sites.geojson"):
        address = f"{PAGE}{run.pk}/{name}"
        statuses = {
            who: client_as(who).get(address).status_code
            for who in ("viewer", "agency", "planner_elsewhere", "anonymous")
        }
        assert statuses == {"viewer": 200, "agency": 200, "planner_elsewhere": 403, "anonymous": 302}
        assert planner.post(address).status_code == 405
        assert planner.get(f"{PAGE}99999999999999999999/{name}").status_code == 404
