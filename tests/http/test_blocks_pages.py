"""Pages and interface of settlement form: what an analyst measures, plans and takes away, and what is refused in words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import shapely
from django.contrib.auth.models import User
from django.test import Client

from analysis.models import Run
from analysis.settlement_form import FormQuestion, ground_of, settlement_form
from geo.models import Place
from geo.querysets import system_user

pytestmark = pytest.mark.django_db

CITY, PLACE = "/khorramabad/blocks/", "/khorramabad/s04/blocks/"
API = "/api/v1/cities/khorramabad/places/s04/blocks"
QUESTION = FormQuestion(narrowest_m=4.0)


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


@pytest.fixture
def ground(demo_city: Place) -> Any:
    return ground_of(settlement_form(city=demo_city, user=system_user(), place_code="s04", asked=QUESTION))


def test_a_city_is_measured_place_by_place_and_ranked(analyst: Client, demo_city: Place) -> None:
    assert "Nothing has been measured here yet." in text_of(analyst.get(CITY))
    for code in ("s04", "s10"):
        assert analyst.post(CITY, {"place": code}).status_code == 302
    runs = Run.objects.filter(kind="blocks").order_by("pk")
    assert [run.parameters["place"] for run in runs] == ["s04", "s10"]
    assert {run.author.get_username() for run in runs if run.author} == {"test-analyst"}
    page = analyst.get(CITY)
    text = text_of(page)
    without = sum(run.result["homes_without_access"] for run in runs)
    homes = sum(run.result["buildings"] for run in runs)
    assert f"{without:,} of {homes:,} homes stand on no street at least 4 m wide" in text
    assert "2 of 10 places are measured." in text
    # The place with the larger share of homes without access comes first, those not measured come last.
    shares = {run.parameters["place"]: run.result["homes_without_access"] / run.result["buildings"] for run in runs}
    order = re.findall(r"khorramabad/(s\d\d)/blocks/", page.content.decode())
    assert order[:2] == sorted(shares, key=lambda code: -shares[code])
    # With another width nothing is measured yet: the runs of before say nothing of it.
    assert "Nothing has been measured here yet." in text_of(analyst.get(f"{CITY}?narrowest=6"))
    assert "depends on what is not known (2 of 2 known)" in text_of(analyst.get(f"{CITY}?marks=3"))


def test_a_place_is_told_in_a_sentence_a_table_and_a_drawing(analyst: Client, ground: Any) -> None:
    page = analyst.get(PLACE)
    form, text = ground.form, text_of(page)
    assert (
        f"{int(form.homes_without_access):,} of {form.buildings:,} homes stand on no street at least 4 m wide" in text
    )
    assert f"behind {form.k - 1} other plots" in text
    assert page.content.decode().count('data-block="') == int((form.complexity.homes > 0).sum())
    assert Run.objects.count() == 0, "looking at a page writes nothing"
    persian = Client()
    persian.force_login(User.objects.get(username="test-analyst"))
    assert "/en/" not in persian.get(PLACE).content.decode()


def test_alternatives_are_found_kept_and_begun_from(analyst: Client, ground: Any) -> None:
    answer = analyst.post(f"{PLACE}?width=3&cost=۱۲۰۰۰۰۰۰", {"do": "paths"})
    assert answer.status_code == 302
    run = Run.objects.get(kind="blocks")
    assert (run.parameters["holds"], run.parameters["path_width_m"], run.parameters["cost_per_m"]) == (
        "paths",
        3.0,
        12e6,
    )
    page = analyst.get(answer["Location"])
    text = text_of(page)
    for words in ("Shortest paths", "Fewest homes touched", "Through streets", "billion rials"):
        assert words in text
    again = analyst.post(f"{PLACE}?width=3&cost=12000000", {"do": "paths"})
    assert (again.status_code, Run.objects.count()) == (302, 1)
    begun = analyst.get(f"{PLACE}?width=3&cost=12000000&from=least-homes")
    homes = next(one for one in run.result["alternatives"] if one["goal"] == "least-homes")
    assert f'value="{" ".join(homes["pieces"])}"' in begun.content.decode()


def test_a_viewer_is_shown_alternatives_but_keeps_nothing(client_as: Callable[[str], Client], ground: Any) -> None:
    viewer = client_as("viewer")
    viewer.cookies["django_language"] = "en"
    answer = viewer.post(PLACE, {"do": "paths"}, follow=True)
    assert answer.status_code == 200
    assert "Shortest paths" in text_of(answer)
    assert "Keep this plan" not in text_of(answer)
    assert viewer.post(PLACE, {"do": "keep", "name": "x", "pieces": "0-1"}).status_code == 403
    assert viewer.post(CITY, {"place": "s04"}).status_code == 403
    assert Run.objects.count() == 0


def test_a_plan_is_kept_opened_exported_and_made_a_proposal(
    analyst: Client, client_as: Callable[[str], Client], ground: Any
) -> None:
    pieces = ground.alternative("least-length", width_m=4.0, cost_per_m=0.0).pieces
    kept = analyst.post(
        f"{PLACE}?cost=1000",
        {"do": "keep", "name": "Plan <b>one</b>", "note": "Talk first.", "pieces": " ".join(pieces)},
    )
    run = Run.objects.get(kind="blocks")
    assert kept.status_code == 302
    assert f"plan={run.pk}" in kept["Location"]
    page = analyst.get(kept["Location"].partition("#")[0])
    assert "Plan &lt;b&gt;one&lt;/b&gt;" in page.content.decode()
    assert f'value="{run.result["pieces"][0]} ' in page.content.decode()
    file = analyst.get(f"{PLACE}plans/{run.pk}.geojson")
    told = json.loads(file.content)
    assert file["Content-Type"] == "application/geo+json"
    assert sum(one["properties"]["length_m"] for one in told["features"]) == pytest.approx(
        run.result["length_m"], abs=1
    )
    assert told["properties"]["homes_without_access_after"] == 0
    # With other choices the plots are others: the plan is laid on them, and that is said.
    older = text_of(analyst.get(f"{PLACE}?narrowest=6&plan={run.pk}"))
    assert "It was laid on the plots as they are now" in older
    supervisor = client_as("supervisor")
    supervisor.cookies["django_language"] = "en"
    form = supervisor.get(f"/khorramabad/proposals/new/?paths={run.pk}&place=s04")
    assert form.status_code == 200
    assert "MultiLineString" in form.content.decode()
    assert "homes gain access" in text_of(form)
    assert supervisor.get("/khorramabad/proposals/new/?paths=999999999&place=s04").status_code == 404


@pytest.mark.parametrize(
    ("pieces", "name", "said"),
    [
        ("", "x", "The plan has no piece of path."),
        ("0-999999", "x", "There is no piece of path"),
        ("0-1", "", "The plan has no name."),
        ("<script>", "x", "There is no piece of path"),
    ],
)
def test_what_cannot_be_kept_is_said_and_nothing_typed_is_lost(
    analyst: Client, ground: Any, pieces: str, name: str, said: str
) -> None:
    if pieces == "0-1":
        pieces = "-".join(map(str, ground.pieces[0]))
    answer = analyst.post(PLACE, {"do": "keep", "name": name, "note": "kept note", "pieces": pieces})
    assert answer.status_code == 400
    assert said in text_of(answer)
    assert "<script>" not in answer.content.decode().partition('role="alert"')[2].partition("</div>")[0]
    assert "kept note" in answer.content.decode()
    assert Run.objects.count() == 0


def test_the_interface_draws_and_recounts(analyst: Client, ground: Any) -> None:
    drawn = json.loads(analyst.get(f"{API}/map").content)
    assert len(drawn["pieces"]["features"]) == len(ground.pieces)
    assert len(drawn["homes"]["features"]) == int(ground.form.homes_without_access)
    assert len(drawn["plots"]["features"]) == len(ground.form.parcels.polygons)
    outline = shapely.from_wkt(
        Place.objects.get(code="s04", kind="settlement").boundaries.current().get().geometry.wkt
    ).buffer(2e-5)
    assert all(outline.covers(shapely.geometry.shape(one["geometry"])) for one in drawn["pieces"]["features"])

    def recount(**body: Any) -> Any:
        return analyst.post(f"{API}/recount", body, content_type="application/json")

    none = recount().json()
    assert none["homes_without_access_after"] == int(ground.form.homes_without_access)
    best = ground.alternative("least-length", width_m=4.0, cost_per_m=0.0)
    every = recount(pieces=list(best.pieces), cost="10").json()
    assert (every["homes_without_access_after"], every["not_joined"]) == (0, [])
    assert every["cost"] == pytest.approx(10 * every["length_m"], abs=0.1)
    # One piece less: only its block is counted again.
    less = recount(pieces=list(best.pieces[1:]), cost="10").json()
    assert less["length_m"] < every["length_m"]
    assert less["server_ms"] < 1000
    inner = next(
        f"{block}-{edge}"
        for block, edge in ground.pieces
        if not ground.blocks[block]
        .graph.is_street[[ground.blocks[block].graph.u[edge], ground.blocks[block].graph.v[edge]]]
        .any()
    )
    assert recount(pieces=[inner]).json()["not_joined"] == [inner]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"pieces": ["0-999999"]}, "unknown_piece"),
        ({"pieces": ["castle"]}, "unknown_piece"),
        ({"pieces": ["0-1"] * 20_001}, "unknown_piece"),
        ({"pieces": "0-1"}, "bad_body"),
        ({"pieces": [None]}, "bad_body"),
        ({"width": "0"}, "bad_number"),
        ({"width": "nan"}, "bad_number"),
        ({"cost": "-1"}, "bad_number"),
        ({"narrowest": "1e999"}, "bad_number"),
    ],
)
def test_bodies_that_cannot_be_counted_are_refused_in_words(
    analyst: Client, ground: Any, body: dict[str, Any], code: str
) -> None:
    answer = analyst.post(f"{API}/recount", body, content_type="application/json")
    assert answer.status_code in (400, 413, 422)
    assert answer.json()["code"] in (code, "too_many_pieces")


@pytest.mark.parametrize(
    "query",
    ["narrowest=x", "width=0", "cost=nan", "marks=9", "share=101", "narrowest=%00", "cost=" + "9" * 400, "share=-1"],
)
def test_choices_that_cannot_be_made_are_said_on_the_page(analyst: Client, demo_city: Place, query: str) -> None:
    for path in (CITY, PLACE):
        answer = analyst.get(f"{path}?{query}")
        assert answer.status_code == 400
        assert "cannot be used here" in text_of(answer)


def test_a_place_without_streets_or_buildings_is_told_in_words(analyst: Client, demo_city: Place) -> None:
    from layers.models import Layer

    Layer.objects.filter(city=demo_city, code="buildings").update(code="houses")
    answer = analyst.get(PLACE)
    assert answer.status_code == 404
    assert analyst.get(CITY).status_code == 404


def test_the_place_page_leads_insiders_here_and_nobody_else(analyst: Client, client: Client, demo_city: Place) -> None:
    assert PLACE in analyst.get("/khorramabad/s04/").content.decode()
    assert PLACE not in client.get("/khorramabad/s04/").content.decode()
    assert CITY in analyst.get("/khorramabad/").content.decode()
    assert CITY not in client.get("/khorramabad/").content.decode()
