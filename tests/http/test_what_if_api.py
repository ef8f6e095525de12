"""What-ifs and scenarios over JSON: what is told, kept and compared, who may, and that hostile bodies are refused."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.models import Scenario, ScenarioDraft
from analysis.scenarios import question_asked
from analysis.services import priority_compute
from geo.models import Place
from layers.models import Layer, Release
from maps.published.services import publication_create

pytestmark = pytest.mark.django_db

API = "/api/v1/"
CITY = f"{API}cities/khorramabad/"
EVERYBODY = (
    "anonymous", "viewer", "reporter", "agency", "analyst", "planner", "supervisor", "planner_elsewhere", "administrator",
)  # fmt: skip


def ask(client: Client, method: str, path: str, body: Any = None, version: Any = None) -> Any:
    headers = {} if version is None else {"If-Match": f'"{version}"'}
    sent = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
    return getattr(client, method)(path, headers=headers, **sent)


@pytest.fixture
def planner(demo_city: Place, client_as: Callable[[str], Client]) -> Client:
    return client_as("planner")


def facilities(client: Client, service: str = "clinic") -> list[dict[str, Any]]:
    response = ask(client, "get", f"{CITY}facilities?service={service}")
    assert response.status_code == 200, response.content
    return list(response.json()["facilities"])


def close(facility: dict[str, Any]) -> dict[str, Any]:
    return {"type": "facility-closed", "service": "clinic", "number": facility["number"]}


def test_a_what_if_tells_what_differs_and_nothing_else(
    planner: Client, demo_city: Place, personas: dict[str, Any]
) -> None:
    one, two, *_ = facilities(planner)
    moved = {
        "type": "facility-moved",
        "service": "clinic",
        "number": one["number"],
        "lon": two["lon"],
        "lat": two["lat"],
    }
    question = {"travel": "straight"}
    first = ask(planner, "post", f"{CITY}what-if", {"question": question, "changes": []}).json()
    assert (first["places"], first["totals"], first["warnings"]) == ({}, {}, [])
    told = ask(planner, "post", f"{CITY}what-if", {"question": question, "changes": [moved], "since": first["since"]})
    assert told.status_code == 200, told.content
    found = told.json()
    assert found["since"] == first["since"]
    assert "base" not in found
    assert set(found["totals"]) == {"clinic"}
    assert found["totals"]["clinic"]["lost"] > 0
    whole = ask(planner, "post", f"{CITY}what-if", {"question": question, "changes": [moved]}).json()
    assert whole["base"] == first["base"]
    base = first["base"]
    for code, place in found["places"].items():
        for service, (share, people, gained, lost) in place["services"].items():
            was = base["places"][code]["services"][service]
            assert people - was[1] == pytest.approx(lost - gained, abs=0.05)
            assert 0 <= share <= 1
    gone = sum(
        p["services"].get("clinic", [0] * 4)[3]
        for c, p in found["places"].items()
        if base["places"][c]["kind"] == "neighbourhood"
    )
    assert gone == pytest.approx(found["totals"]["clinic"]["lost"], abs=1.0)
    result = priority_compute(city=demo_city, user=personas["planner"])
    assert len(base["places"]) == len(result.coverage.places)
    assert found["server_ms"] > 0


def test_a_limit_has_winners_and_losers_and_weights_move_ranks(planner: Client) -> None:
    """What is asked otherwise than the city does is compared with the city's own, which stays the same base."""
    first = ask(planner, "post", f"{CITY}what-if", {}).json()
    base = first["base"]
    for metres, people, nobody in ((500, "lost", "gained"), (1200, "gained", "lost")):
        body = {"question": {"thresholds_m": {"clinic": metres}}, "since": first["since"]}
        found = ask(planner, "post", f"{CITY}what-if", body).json()
        assert (found["since"], "base" in found) == (first["since"], False)
        total = found["totals"]["clinic"]
        assert total[people] > 0
        assert total[nobody] == 0
        differs = total["uncovered_people"] - base["totals"]["clinic"]["uncovered_people"]
        assert differs == pytest.approx(total["lost"] - total["gained"], abs=0.1)
        assert any(place["rank"] != base["places"][code]["rank"] for code, place in found["places"].items())
    body = {"question": {"weights": {"park": 5, "clinic": 0}}, "since": first["since"]}
    found = ask(planner, "post", f"{CITY}what-if", body).json()
    assert (found["since"], found["totals"]) == (first["since"], {})
    assert all(place["services"] == {} for place in found["places"].values())
    assert any(place["rank"] != base["places"][code]["rank"] for code, place in found["places"].items())


def test_capacity_counts_where_a_need_is_said(planner: Client) -> None:
    """A clinic with fewer places turns people away, one with more takes them in: coverage, index and ranks follow."""
    one = facilities(planner)[0]

    def asked(capacity: float | None, **question: Any) -> Any:
        changed = {"type": "capacity-changed", "service": "clinic", "number": one["number"], "capacity": capacity}
        body = {"question": question, "changes": [] if capacity is None else [changed]}
        response = ask(planner, "post", f"{CITY}what-if", body)
        assert response.status_code == 200, response.content
        return response.json()

    assert asked(0)["totals"] == {}, "without a need, capacity does not count"
    need = {"needs_per_1000": {"clinic": 13}}
    as_is = asked(None, **need)
    assert as_is["totals"] == {}
    without = as_is["base"]["totals"]["clinic"]["uncovered_people"]
    assert without > asked(None)["base"]["totals"]["clinic"]["uncovered_people"]
    assert "نیاز هر ۱٬۰۰۰ نفر ۱۳ است" in " ".join(as_is["warnings"])
    none, many = asked(0, **need), asked(100_000, **need)
    assert none["totals"]["clinic"]["lost"] > 0 == none["totals"]["clinic"]["gained"]
    assert none["totals"]["clinic"]["uncovered_people"] == pytest.approx(
        without + none["totals"]["clinic"]["lost"], abs=0.1
    )
    assert many["totals"].get("clinic", {"lost": 0})["lost"] == 0
    worse = [code for code, p in none["places"].items() if p["score"] > as_is["base"]["places"][code]["score"]]
    assert worse, "the index of places around it is higher"
    assert any(p["rank"] != as_is["base"]["places"][code]["rank"] for code, p in none["places"].items())
    for wrong in (0, -1, 1e9, "many"):
        body = {"question": {"needs_per_1000": {"clinic": wrong}}}
        assert ask(planner, "post", f"{CITY}what-if", body).status_code == 400, wrong
    unknown = ask(planner, "post", f"{CITY}what-if", {"question": {"needs_per_1000": {"castle": 1}}})
    assert unknown.status_code == 404
    net = ask(planner, "post", f"{CITY}what-if", {"question": {"needs_per_1000": {"water": 1}}}).json()
    assert "ظرفیتش به شمار نمی\u200cآید" in " ".join(net["warnings"])


def test_a_scenario_is_kept_shared_renamed_put_away_and_asked_for(
    planner: Client, client_as: Callable[[str], Client], demo_city: Place
) -> None:
    one, two, *_ = facilities(planner)
    sent = {
        "name": "Clinic closed", "note": "Just a thought", "question": {"weights": {"park": 2}}, "changes": [close(one)],
    }  # fmt: skip
    made = ask(planner, "post", f"{CITY}scenarios", sent)
    assert made.status_code == 201, made.content
    path = made["Location"]
    kept = made.json()
    assert kept["version"] == 1
    assert kept["changes"] == [{**close(one), "was": [one["lon"], one["lat"]]}]
    assert kept["newer_releases"] == []
    analyst, viewer, stranger = client_as("analyst"), client_as("viewer"), client_as("planner_elsewhere")
    for other in (analyst, viewer, stranger):
        assert ask(other, "get", path).status_code == 404
        assert ask(other, "put", path, sent, version=1).status_code == 404
    assert ask(analyst, "get", f"{CITY}scenarios").json() == {"scenarios": []}

    shared = ask(planner, "put", path, {**sent, "is_shared": True}, version=1)
    assert (shared.status_code, shared.json()["version"]) == (200, 2)
    assert ask(stranger, "get", path).status_code == 404
    assert ask(viewer, "get", path).json()["may_save"] is False
    assert ask(viewer, "put", path, sent, version=2).status_code == 403
    assert ask(viewer, "patch", path, {"name": "Mine"}, version=2).status_code == 403
    renamed = ask(analyst, "patch", path, {"name": "One clinic fewer"}, version=2)
    assert (renamed.json()["name"], renamed.json()["saved_by"]) == ("One clinic fewer", "test-analyst")

    stale = ask(planner, "put", path, {**sent, "changes": [close(two)], "is_shared": True}, version=2)
    assert stale.status_code == 412
    assert (stale.json()["code"], stale.json()["version"]) == ("stale_version", 3)
    assert stale.json()["mine"]["changes"] == [close(two)]
    assert stale.json()["theirs"]["name"] == "One clinic fewer"
    draft = ask(planner, "get", path).json()["draft"]
    assert (draft["based_on"], draft["changes"]) == (2, [close(two)])
    assert ask(analyst, "get", path).json()["draft"] is None
    assert ask(planner, "delete", f"{path}/draft").status_code == 204
    assert not ScenarioDraft.objects.exists()

    assert ask(planner, "post", f"{path}/archive").status_code == 428
    assert ask(planner, "post", f"{path}/archive", version=3).json()["archived_at"]
    assert ask(planner, "get", f"{CITY}scenarios").json() == {"scenarios": []}
    assert len(ask(planner, "get", f"{CITY}scenarios?archived=true").json()["scenarios"]) == 1
    assert ask(planner, "post", f"{path}/restore", version=4).json()["archived_at"] is None

    supposed = ask(planner, "get", f"{path}/what-if").json()
    asked = {"question": sent["question"], "changes": sent["changes"]}
    by_hand = ask(planner, "post", f"{CITY}what-if", asked).json()
    for told in (supposed, by_hand):
        told.pop("server_ms")
    assert supposed == by_hand


def test_scenarios_are_compared_side_by_side(planner: Client, client_as: Callable[[str], Client]) -> None:
    one, two, *_ = facilities(planner)
    numbers = []
    for name, facility in (("A", one), ("B", two)):
        body = {"name": name, "changes": [close(facility)], "question": {"services": ["clinic", "park"]}}
        numbers.append(ask(planner, "post", f"{CITY}scenarios", body).json()["id"])
    response = ask(planner, "get", f"{CITY}scenarios/compare?with=now,{numbers[0]},{numbers[1]}")
    assert response.status_code == 200, response.content
    found = response.json()
    assert [side["name"] for side in found["sides"]] == [None, "A", "B"]
    assert [service["code"] for service in found["services"]] == ["clinic", "park"]
    total = found["totals"]["clinic"]
    assert total["fewer_uncovered"][0] == 0
    assert max(total["fewer_uncovered"][1:]) <= 0
    assert min(total["fewer_uncovered"][1:]) < 0
    assert found["totals"]["park"]["fewer_uncovered"] == [0, 0, 0]
    alone = ask(planner, "get", f"{API}scenarios/{numbers[0]}/what-if").json()
    for place in found["places"]:
        people = place["services"]["clinic"]["uncovered_people"]
        told = alone["places"].get(place["code"], {}).get("services", {}).get("clinic")
        assert people[1] == (told[1] if told else people[0])
    assert found["warnings"] == []
    for wrong, status in (
        ("now", 400),
        ("now,now", 400),
        ("1;drop", 400),
        ("now,999999", 404),
        ("now,1,2,3,4,5,6", 404),
    ):
        assert ask(planner, "get", f"{CITY}scenarios/compare?with={wrong}").status_code == status
    assert ask(client_as("viewer"), "get", f"{CITY}scenarios/compare?with=now,{numbers[0]}").status_code == 404


def test_a_newer_release_and_hidden_layers_are_minded(
    planner: Client, client_as: Callable[[str], Client], demo_city: Place
) -> None:
    one, *_ = facilities(planner)
    body = {"name": "Shared", "is_shared": True, "changes": [close(one)]}
    made = ask(planner, "post", f"{CITY}scenarios", body).json()
    own = f"{API}scenarios/{ask(client_as('viewer'), 'post', f'{CITY}scenarios', body).json()['id']}"
    layer = Layer.objects.get(city=demo_city, code="clinic")
    last = layer.releases.order_by("-number").first()
    assert last is not None
    Release.objects.create(layer=layer, number=last.number + 1, content_hash="0" * 64, row_count=0)
    found = ask(planner, "get", f"{API}scenarios/{made['id']}").json()
    assert found["newer_releases"] == ["clinic"]
    warnings = " ".join(
        ask(
            planner,
            "get",
            f"{API}scenarios/{made['id']}/what-if",
        ).json()["warnings"]
    )
    assert "clinic" in warnings
    Layer.objects.filter(pk=layer.pk).update(visibility="assigned", seen_by_roles=["planner"])
    viewer, path = client_as("viewer"), f"{API}scenarios/{made['id']}"
    assert ask(viewer, "get", path).json()["changes"] == []
    # Who saves what they are shown of their own drops nothing that they are not shown any more.
    assert ask(viewer, "get", own).json()["changes"] == []
    body = {"name": "Again", "is_shared": True, "changes": [], "question": {"weights": {"park": 2}}}
    assert ask(viewer, "put", own, body, version=1).status_code == 200
    kept = ask(planner, "get", own).json()
    assert (kept["name"], kept["changes"], kept["newer_releases"]) == ("Again", found["changes"], ["clinic"])
    assert kept["question"]["weights"] == {"park": 2}


def test_pages_exports_and_publications_are_asked_for_a_scenario(
    planner: Client, client_as: Callable[[str], Client], demo_city: Place, personas: dict[str, Any]
) -> None:
    Layer.objects.filter(city=demo_city, code="park").update(visibility="assigned")
    one, two, *_ = facilities(planner)
    added = {"type": "facility-added", "service": "park", "id": "p", "lon": one["lon"], "lat": one["lat"]}
    body = {"name": "Two fewer", "changes": [close(one), close(two), added], "question": {"weights": {"clinic": 3}}}
    number = ask(planner, "post", f"{CITY}scenarios", body).json()["id"]
    anonymous = client_as("anonymous")
    for client in (planner, anonymous):
        client.cookies["django_language"] = "en"
    page = planner.get(f"/khorramabad/?scenario={number}")
    assert page.status_code == 200
    assert "This shows the scenario “Two fewer”, not the city as it is." in page.content.decode()
    results = "/api/khorramabad/results?show=uncovered&service=clinic"
    assert planner.get(f"{results}&scenario={number}").json()["places"] != planner.get(results).json()["places"]
    for wrong, status in ((number + 1, 404), ("x", 400)):
        assert planner.get(f"/khorramabad/coverage/?scenario={wrong}").status_code == status
    assert anonymous.get(f"/khorramabad/?scenario={number}").status_code == 404

    question = question_asked({"scenario": str(number)}, city=demo_city, user=personas["planner"])
    made = publication_create(
        city=demo_city, author=personas["planner"], measure="coverage", service="clinic", question=question,
        slug="two-fewer", title_fa="دو تا کمتر", title_en="Two fewer",
    )  # fmt: skip
    assert [change["type"] for change in made.run.parameters["changes"]] == ["facility-closed", "facility-closed"]
    public = anonymous.get("/m/two-fewer/").content.decode()
    assert "this map shows the scenario “Two fewer”, not the city as it is" in public
    assert "this map shows the scenario “Two fewer”" in made.page_en
    assert "park" not in json.dumps(made.run.warnings)


def test_comparisons_are_downloaded_with_their_codebook(planner: Client) -> None:
    one, *_ = facilities(planner)
    body = {"name": "=1+1", "changes": [close(one)], "question": {"services": ["clinic"]}}
    number = ask(planner, "post", f"{CITY}scenarios", body).json()["id"]
    path = f"{CITY}scenarios/compare?with=now,{number}"
    told = ask(planner, "get", path).json()
    text = planner.get(f"{path}&format=csv").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 2 * len(told["places"])
    place = told["places"][0]["services"]["clinic"]
    assert [float(row["uncovered_people"]) for row in rows[:2]] == place["uncovered_people"]
    assert {row["scenario_name"] for row in rows} == {"", "'=1+1"}
    book = planner.get(f"{path}&format=csv&sheet=codebook").content.decode("utf-8-sig")
    assert "uncovered_share" in book
    assert "facility-closed" in book
    with zipfile.ZipFile(io.BytesIO(planner.get(f"{path}&format=xlsx").content)) as workbook:
        sheets = [name for name in workbook.namelist() if name.startswith("xl/worksheets/")]
        assert len(sheets) == 4
        assert b"uncovered_people" in workbook.read("xl/worksheets/sheet1.xml")
    assert planner.get(f"{path}&format=pdf").status_code == 400


def test_whoever_has_no_role_may_not_try_changes(demo_city: Place, client_as: Callable[[str], Client]) -> None:
    body = {"question": {"services": ["clinic"]}, "changes": []}
    status = {name: ask(client_as(name), "post", f"{CITY}what-if", body).status_code for name in EVERYBODY}
    assert status == dict.fromkeys(EVERYBODY, 200) | {"anonymous": 401, "planner_elsewhere": 403}


MOVE = {"type": "facility-moved", "service": "clinic", "number": 1, "lon": 48.35, "lat": 33.48}


@pytest.mark.parametrize(
    ("body", "status", "where"),
    [
        ([], 400, "body"),
        ({"changes": {}}, 400, "changes"),
        ({"changes": [MOVE] * 2}, 400, "changes[1]"),
        ({"changes": [MOVE] * 201}, 413, "changes"),
        ({"changes": [{**MOVE, "lon": 10}]}, 400, "changes[0]"),
        ({"changes": [{**MOVE, "number": 10**400}]}, 400, "changes[0].number"),
        ({"changes": [{**MOVE, "lat": 10**400}]}, 400, "changes[0].lat"),
        ({"changes": [{**MOVE, "colour": "red"}]}, 400, "changes[0]"),
        ({"changes": [{"type": "street-drawn", "coordinates": [[48.3, 33.5]] * 501}]}, 413, "changes[0].coordinates"),
        ({"changes": [{"type": "street-drawn", "coordinates": [[48.3, 33.5]] * 2}]}, 400, "changes[0].coordinates"),
        ({"question": {"thresholds_m": {"clinic": 0}}}, 400, "question.thresholds_m.clinic"),
        ({"question": {"thresholds_m": {"castle": 100}}}, 404, "threshold"),
        ({"question": {"travel": "broom"}}, 400, "question.travel"),
        ({"question": {"weights": {"clinic": True}}}, 400, "question.weights.clinic"),
        ({"question": {"services": ["clinic"], "weights": {"clinic": 0}}}, 400, None),
        ({"question": 7}, 400, "question"),
        ({"since": 7}, 400, "body.since"),
    ],
)
def test_hostile_bodies_are_refused_with_their_place(
    planner: Client, body: Any, status: int, where: str | None
) -> None:
    response = ask(planner, "post", f"{CITY}what-if", body)
    assert response.status_code == status, response.content
    assert where is None or response.json()["where"] == where


SCALARS = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | st.text(max_size=8)
TREES = st.recursive(SCALARS, lambda t: st.lists(t, max_size=4) | st.dictionaries(st.text(max_size=8), t, max_size=4))
MEMBERS = st.sampled_from(["service", "number", "lon", "lat", "capacity", "coordinates", "kind", "was", "id", "extra"])
CHANGES = st.lists(
    st.dictionaries(MEMBERS, TREES, max_size=5).flatmap(
        lambda tree: st.sampled_from(
            ["facility-added", "facility-moved", "facility-closed", "capacity-changed", "street-drawn", "x", None]
        ).map(lambda kind: {**tree, "type": kind})
    )
    | TREES,
    max_size=3,
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(changes=CHANGES | TREES, question=st.dictionaries(st.sampled_from(["weights", "services", "x"]), TREES) | TREES)
def test_no_body_breaks_the_server(planner: Client, changes: Any, question: Any) -> None:
    for path in ("what-if", "scenarios"):
        body = {"name": "n", "changes": changes, "question": question}
        assert ask(planner, "post", f"{CITY}{path}", body).status_code < 500
    Scenario.objects.all().delete()
