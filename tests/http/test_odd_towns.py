"""Every measure by every way of travel where data are missing or wrong: a defined answer, or a problem with its remedy."""

from __future__ import annotations

import io
import json
import logging
import math
import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.models import NationalCity
from analysis.national.city import city_compute
from analysis.national.running import country_get, national_begin
from analysis.national.totals import national_answer
from analysis.results import Question
from geo.models import Place
from geo.querysets import system_user
from tests.http.test_measures import sheets_of, strict
from tests.odd_towns import CODE, TOWNS, town

pytestmark = pytest.mark.django_db

API = f"/api/v1/cities/{CODE}"
WAYS = ("straight", "streets", "walking", "cycling", "surface")
HERE = "lon=49.0752&lat=33.4331"
MEASURES = (
    "coverage?", "access?capacity=count", "access?service=clinic&decay=e2sfca&per-1000=2", "access?service=clinic&decay=power",
    "land?", "land?service=park&m2-per-person=9", "equity?", "curves?nearest=1&steps=5", "groups?population=count",
    "utility?of=water", "utility?of=water&way=zone&layer=park", "utility?of=water&way=survey&layer=count&field=share",
    f"isochrone?{HERE}&limit=300", "isochrone?of=clinic&number=1&limit=1500", f"nearest?{HERE}",
)  # fmt: skip
PAGES = (
    "/",
    "/coverage/",
    "/measures/",
    "/measures/?service=park",
    "/measures/?service=water",
    "/a/",
    "/what-if/",
    "/scenarios/",
)
CHANGES: tuple[dict[str, Any], ...] = (
    {"type": "facility-moved", "service": "clinic", "number": 1, "lon": 49.0805, "lat": 33.436},
    {"type": "facility-added", "service": "clinic", "id": "a1", "lon": 49.073, "lat": 33.427, "capacity": 0},
    {"type": "street-drawn", "kind": "bridge", "coordinates": [[49.07, 33.426], [49.08, 33.437]]},
)  # fmt: skip
COMMANDS = (
    "coverage", "prioritise", "population", "access", "land", "equity", "curves", "groups --population count",
    "utility --of water", "isochrone --lon 49.0752 --lat 33.4331 --limit 500",
)  # fmt: skip
NO_NUMBER = re.compile(r"(?<![\w/.=-])(nan|NaN|-?inf|-?Infinity|None|undefined)(?![\w/-])")


def wrong_with(client: Client, path: str, sent: Any = None) -> str:
    """Ask, and say what is wrong with the answer; nothing where it is as it must be."""
    if sent is None:
        response = client.get(path)
    else:
        response = client.post(path, json.dumps(sent), content_type="application/json")
    if response.status_code >= 500:
        return str(response.status_code)
    kind, content = response["Content-Type"], response.content
    try:
        if "json" in kind:
            told = strict(content)
            if response.status_code >= 400 and not (told["code"] and told["title"] and told.get("remedy")):
                return f"no remedy: {told}"
        elif "html" in kind:
            html = content.decode()
            for script in re.findall(r'(?s)<script[^>]*type="application/json"[^>]*>(.*?)</script>', html):
                strict(script.encode())
            read = re.sub(r"(?s)<script[^>]*>.*?</script>|<style.*?</style>", " ", html)
            if response.status_code >= 400 and not (response.context or {}).get("problem", {}).get("remedy"):
                return f"{response.status_code} without a remedy"
            if response.status_code < 400 and (found := NO_NUMBER.search(read)):  # a refusal says what was sent
                return f"{found[0]} on the page: …{read[found.start() - 80 : found.end() + 40]}…"
        elif "sheet" in kind:
            for name, rows in sheets_of(content).items():
                for cell in (cell for row in rows for cell in row):
                    if cell in ("nan", "inf", "-inf", "NaN") or (isinstance(cell, float) and not math.isfinite(cell)):
                        return f"{cell} in the sheet {name}"
    except (AssertionError, ValueError) as error:
        return str(error)
    return ""


@pytest.fixture
def client(db: None) -> Iterator[Client]:
    """Somebody who sees and may do everything; what goes wrong is an answer, no error."""
    made = Client(raise_request_exception=False)
    made.force_login(User.objects.create_superuser("everything"))
    logging.getLogger("django.request").setLevel(logging.ERROR)
    yield made
    logging.getLogger("django.request").setLevel(logging.NOTSET)


@pytest.mark.parametrize("odd", TOWNS)
def test_every_measure_by_every_way_is_answered_or_refused_with_a_remedy(
    odd: str, tmp_path: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = town(tmp_path, *TOWNS[odd])
    Place.objects.filter(pk=city.pk).update(is_published=True)
    anybody = Client(raise_request_exception=False)
    wrong: dict[str, str] = {}

    def ask(path: str, sent: Any = None, by: Client = client) -> None:
        if said := wrong_with(by, path, sent):
            wrong[f"{path} {len(sent['changes']) if sent else ''}"] = said

    made = client.post(
        f"{API}/scenarios", json.dumps({"name": "As it might be", "changes": CHANGES}), content_type="application/json"
    )
    if made.status_code >= 500:
        wrong["scenarios"] = str(made.status_code)
    scenario = made.json().get("id", 1)
    for way in WAYS:
        for measure in MEASURES:
            ask(f"{API}/{measure}&travel={way}")
        ask(f"{API}/what-if", {"question": {"travel": way}, "changes": CHANGES})
        if odd != "all water, no streets" or way in ("straight", "surface"):
            ask(f"/{CODE}/measures/?travel={way}")
    ask(f"{API}/what-if", {"changes": []})
    for measure in MEASURES[:11]:
        ask(f"{API}/{measure}&format=xlsx&scenario={scenario}")
        ask(f"{API}/{measure}", by=anybody)
    if odd != "no place":  # pages then say that there is none
        for page in PAGES:
            ask(f"/{CODE}{page}")
        for page in PAGES[:3]:
            ask(f"/{CODE}{page}", by=anybody)
        ask(f"/{CODE}/scenarios/compare/?with=now,{scenario}")
    ask(f"{API}/scenarios/compare?with=now,{scenario}&format=xlsx")
    ask(f"{API}/facilities?service=clinic")
    ask(f"/api/{CODE}/results")
    assert wrong == {}, "\n".join(f"{path}\n    {said}" for path, said in wrong.items())

    for command in COMMANDS:
        printed, ended = io.StringIO(), 0
        name, *options = command.split()
        with redirect_stdout(printed):
            try:
                call_command(name, CODE, *options, "--json", stderr=io.StringIO())
            except SystemExit as exit_:
                ended = int(exit_.code or 0)
        assert ended in (0, 2), command
        assert (printed.getvalue() == "") == (ended == 2), command
        if ended == 0:
            strict(printed.getvalue().encode())
    monkeypatch.setattr(
        "analysis.national.city.close_old_connections", lambda: None
    )  # it would end the test's transaction
    national, _ = national_begin(country_get("paper-land", system_user()), Question(), again=True)
    NationalCity.objects.create(national=national, city=city)
    told = city_compute(national.pk, "paper-land", city.pk, national.code_version)
    assert told["state"] in ("done", "problem")
    assert told.get("problem", {}).get("code") != "unexpected", told
    json.dumps([told, national_answer(national, None)], allow_nan=False)


# ---- hostile questions

WORDS = st.sampled_from(
    ("", " ", "0", "-1", "1e9", "1e999", "-1e-300", "nan", "inf", "-inf", "۵۰۰", "۱٫۵", "٣٠٠", "۵۰۰ متر", "0x10", "1_0", "\x00", "٪",
     "clinic", "water", "castle", "CLINIC", "a" * 3_000, "../..", "<b>", "surface", "streets", "survey", "count", "1,2", "now,now",
     "3000000000", "9" * 400)
)  # fmt: skip
NAMES = st.sampled_from(
    ("service", "threshold-clinic", "threshold-castle", "weight-clinic", "weight-park", "travel", "population", "programme",
     "scenario", "decay", "limit", "capacity", "per-1000", "m2-per-person", "steps", "farthest", "nearest", "of", "way", "layer",
     "field", "lon", "lat", "number", "format", "normalisation", "aggregation", "with", "show", "rows", "sort")
)  # fmt: skip
ADDRESSES = st.sampled_from(
    (*(f"{API}/{name}" for name in ("coverage", "access", "land", "equity", "curves", "groups", "utility", "isochrone", "nearest",
     "facilities", "scenarios", "scenarios/compare")), f"/{CODE}/", f"/{CODE}/coverage/", f"/{CODE}/measures/", f"/{CODE}/a/",
     f"/{CODE}/what-if/", f"/{CODE}/scenarios/compare/")
)  # fmt: skip
SETTINGS = settings(
    max_examples=80, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # fmt: skip
JSON = st.recursive(
    st.sampled_from(
        (None, True, 0, -1, 1e308, 10**400, "", "clinic", "a1", "۵", "\x00", 49.07, 33.43, [49.07, 33.43], 48)
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(("clinic", "lon", "type", "services", "thresholds_m")), inner, max_size=3)
    ),
    max_leaves=6,
)
CHANGE = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            ("facility-added", "facility-moved", "facility-closed", "capacity-changed", "street-drawn", "x")
        )
    },
    optional=dict.fromkeys(
        ("service", "number", "lon", "lat", "id", "capacity", "coordinates", "kind", "was", "more"), JSON
    ),
)


@pytest.fixture
def whole(tmp_path: Path, client: Client) -> Client:
    """The town in which nothing is odd, and who asks about it."""
    town(tmp_path)
    return client


def test_hostile_parameters_are_answered_or_refused_with_a_remedy(whole: Client) -> None:
    @SETTINGS
    @given(ADDRESSES, st.lists(st.tuples(NAMES, WORDS), max_size=6))
    def asked(address: str, parameters: list[tuple[str, str]]) -> None:
        path = f"{address}?{urlencode(parameters)}"
        assert wrong_with(whole, path) == "", path

    asked()


def test_hostile_changes_are_answered_or_refused_with_a_remedy(whole: Client) -> None:
    @SETTINGS
    @given(
        st.fixed_dictionaries(
            {"changes": st.lists(CHANGE | st.sampled_from(CHANGES), max_size=4) | JSON},
            optional={"question": JSON, "since": JSON},
        )
    )
    def asked(body: dict[str, Any]) -> None:
        for path in ("what-if", "scenarios"):
            assert wrong_with(whole, f"{API}/{path}", {"name": "x", **body}) == "", body

    asked()


def test_catchments_that_would_take_too_long_are_refused_before_they_are_begun(
    whole: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.measures.catchments.MOST_EFFORT_S", 1e-9)
    for path in ("access?capacity=count&limit=100000", "land?service=park&travel=surface&threshold-park=100000"):
        refused = whole.get(f"{API}/{path}")
        assert refused.status_code == 413, path
        problem = strict(refused.content)
        assert (problem["code"], problem["where"]) == ("too_much_work", "limit")
        assert problem["remedy"]


def test_more_streets_than_can_be_joined_are_refused(whole: Client) -> None:
    """What is drawn within the limits of a body may still cross itself a million times."""
    to_and_fro = [[49.07 + 0.001 * (i % 2), 33.426 + 1e-5 * i] for i in range(400)]
    up_and_down = [[49.07 + 5e-6 * i, 33.426 + 0.004 * (i % 2)] for i in range(200)]
    for lines in ([to_and_fro, up_and_down], [to_and_fro[:100]] * 60, [[[48.7, 33.43], [49.4, 33.43]]] * 4):
        changes = [{"type": "street-drawn", "coordinates": line} for line in lines]
        body = {"question": {"travel": "streets"}, "changes": changes}
        refused = whole.post(f"{API}/what-if", json.dumps(body), content_type="application/json")
        assert refused.status_code == 413
        assert strict(refused.content)["code"] == "too_much_drawn"
