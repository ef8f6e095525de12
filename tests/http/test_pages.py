"""Pages as a browser gets them: the finding first, in the reader's language, with the same content for everybody's means.

Who may see what is tested in `test_access`; how it looks and moves, in the browser tests.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.db import OperationalError, connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.utils.translation import gettext, override

from geo.core.measuring import area_m2
from geo.db.shapes import to_shapely
from geo.models import Boundary, Change, ChangeSet, Place
from layers.models import Layer, Standard
from maps.assets import import_map_json
from maps.pages.answers import edition_facts

pytestmark = pytest.mark.django_db

PERSIAN, LATIN = "۰۱۲۳۴۵۶۷۸۹", "0123456789"
CITY_PAGES = (
    "/khorramabad/",
    "/khorramabad/?show=coverage&service=park",
    "/khorramabad/?show=uncovered",
    "/khorramabad/coverage/",
    "/khorramabad/s05/",
)
PAGES = ("/", "/?q=کرگانه", "/layers/", "/accounts/login/", *CITY_PAGES)


class Reading(HTMLParser):
    """What a reader sees of a page, and what it is made of."""

    SILENT = frozenset({"script", "style", "title", "code", "template", "noscript"})
    VOID = frozenset({"meta", "link", "input", "br", "img", "hr", "path", "rect", "circle", "line", "use", "polyline"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[tuple[str, bool]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        if tag not in self.VOID:
            is_foreign = self.is_foreign or found.get("lang") == "en" or tag == "bdi"
            self.open.append((tag, is_foreign))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    @property
    def is_foreign(self) -> bool:
        return bool(self.open and self.open[-1][1])

    def handle_data(self, data: str) -> None:
        if data.strip() and not self.is_foreign and not any(tag in self.SILENT for tag, _ in self.open):
            self.texts.append(
                re.sub("\u2068[^\u2069]*\u2069", "", data.strip())
            )  # isolated text is of the other script

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def read(client: Client, path: str, language: str = "fa", status: int = 200) -> Reading:
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    response = client.get(path)
    assert response.status_code == status, f"{path}: {response.status_code}"
    return Reading(response.content.decode())


def gettext_in(language: str, text: str) -> str:
    with override(language):
        return gettext(text)


@pytest.fixture
def anonymous(client_as: Callable[[str], Client], demo_city: Place) -> Client:
    return client_as("anonymous")


def rows_of(text: str) -> list[str]:
    return re.findall(r'<tr data-code="([^"]+)">', text)


# ---------------------------------------------------------------- languages


@pytest.mark.parametrize("path", PAGES)
def test_persian_pages_are_persian_to_the_last_digit(anonymous: Client, path: str) -> None:
    page = read(anonymous, path)
    html = page.of("html")[0]
    assert (html["lang"], html["dir"]) == ("fa", "rtl")
    words = [text for text in page.texts if text not in ("English", "Tab", "Esc", "?", "/")]
    latin = [text for text in words if set(text) & set(LATIN)]
    assert latin == []
    arabic_letters = [text for text in words if set(text) & set("يك")]
    assert arabic_letters == []


@pytest.mark.parametrize("path", [page for page in PAGES if "?q" not in page])
def test_english_pages_are_english(anonymous: Client, path: str) -> None:
    page = read(anonymous, path, "en")
    html = page.of("html")[0]
    assert (html["lang"], html["dir"]) == ("en", "ltr")
    persian = [text for text in page.texts if re.search(r"[\u0600-\u06ff]", text) and text not in ("فارسی",)]
    assert persian == []


def test_the_language_switch_keeps_the_place_and_is_remembered(anonymous: Client) -> None:
    response = anonymous.post("/language/", {"language": "en", "next": "/khorramabad/?show=coverage"})
    assert (response.status_code, response["Location"]) == (302, "/khorramabad/?show=coverage")
    assert "Khorramabad" in anonymous.get("/khorramabad/").content.decode()
    outside = anonymous.post("/language/", {"language": "en", "next": "https://elsewhere.example/"})
    assert outside["Location"].startswith("/")


def test_a_browser_that_asks_for_english_still_gets_persian_first(anonymous: Client) -> None:
    assert 'lang="fa"' in anonymous.get("/", headers={"accept-language": "en-GB,en"}).content.decode()


# ---------------------------------------------------------------- every page


@pytest.mark.parametrize("path", PAGES)
def test_a_page_obeys_its_own_policy(anonymous: Client, path: str) -> None:
    """No style attribute, no inline script but the import map and data: the policy would block them."""
    response = anonymous.get(path)
    page = Reading(response.content.decode())
    assert [attrs for _, attrs in page.tags if "style" in attrs] == []
    assert [name for _, attrs in page.tags for name in attrs if name.startswith("on")] == []
    for script in page.of("script"):
        assert "src" in script or script.get("type") in ("importmap", "application/json")
    assert f'<script type="importmap">{import_map_json()}</script>' in response.content.decode()
    policy = response["Content-Security-Policy"]
    assert "'unsafe-inline'" not in policy
    assert "http" not in policy.replace("http-equiv", "")
    addresses = [
        attrs.get("src") or attrs.get("href") or "" for tag, attrs in page.tags if tag in ("script", "link", "img")
    ]
    assert all(address.startswith("/") for address in addresses if address)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_can_be_read_by_ear_and_used_by_keyboard(anonymous: Client, path: str) -> None:
    page = read(anonymous, path)
    assert len(page.of("h1")) == 1
    assert len(page.of("main")) == 1
    first_link = next(attrs for tag, attrs in page.tags if tag == "a")
    assert first_link["href"] == "#main"
    labelled = {attrs["for"] for attrs in page.of("label") if attrs.get("for")}
    for field in page.of("input"):
        if field.get("type") in ("hidden", "radio"):
            continue
        assert field.get("id") in labelled, field
    for picture in page.of("svg"):
        assert picture.get("aria-hidden") == "true" or picture.get("aria-label") or picture.get("aria-labelledby"), (
            picture
        )
    ids = [attrs["id"] for _, attrs in page.tags if attrs.get("id")]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("path", CITY_PAGES)
def test_the_demo_says_everywhere_that_it_is_one(anonymous: Client, path: str) -> None:
    assert "دادهٔ نمایشی، نه مرز رسمی" in read(anonymous, path).texts
    assert "Illustrative data, not official boundaries" in read(anonymous, path, "en").texts


def test_a_real_city_does_not(anonymous: Client, sao_vicente: Place) -> None:
    for path in ("/sao-vicente/", "/sao-vicente/coverage/"):
        assert "Illustrative data, not official boundaries" not in read(anonymous, path, "en").texts


def test_titles_tell_pages_apart(anonymous: Client) -> None:
    titles = [
        re.search(r"<title>(.*?)</title>", anonymous.get(path).content.decode()) for path in PAGES if "?q" not in path
    ]
    found = [title.group(1) for title in titles if title]
    assert len(found) == len(set(found)) == len(titles)


# ---------------------------------------------------------------- the city page


def test_the_sentence_comes_first_then_map_legend_table_and_method(anonymous: Client) -> None:
    text = anonymous.get("/khorramabad/?show=coverage").content.decode()
    order = ['id="finding"', 'id="map"', 'id="legend"', 'id="ranking"', 'id="method"']
    assert [text.index(part) for part in order] == sorted(text.index(part) for part in order)


def test_the_drawing_the_table_and_the_data_of_the_live_map_agree(anonymous: Client) -> None:
    text = anonymous.get("/khorramabad/?show=uncovered&service=pharmacy").content.decode()
    config = json.loads(
        re.search(r'<script id="city-config" type="application/json">(.*?)</script>', text, re.S).group(1)
    )  # type: ignore[union-attr]
    codes = rows_of(text)
    assert codes == [place["code"] for place in config["results"]["places"]]
    drawn = {
        code: css.removeprefix("settlement ")
        for css, code in re.findall(r'<path d="[^"]+" class="([^"]+)" data-code="([^"]+)"/>', text)
    }
    assert drawn == {place["code"]: place["css"] for place in config["results"]["places"]}
    assert set(codes) == set(config["points"])
    assert Place.objects.filter(path__startswith="ir/", kind__in=["neighbourhood", "settlement"]).count() == len(codes)


def test_the_form_without_scripts_gives_what_the_script_fetches(anonymous: Client) -> None:
    query = "?show=coverage&service=clinic&threshold-clinic=500&weight-park=2&sort=-people"
    page = anonymous.get(f"/khorramabad/{query}").content.decode()
    answer = anonymous.get(f"/api/khorramabad/results{query}&with=html").json()
    assert rows_of(page) == [place["code"] for place in answer["places"]] == rows_of(answer["html"]["ranking"])
    for part, html in answer["html"].items():
        assert html.strip() in page, part
    assert f"<title>{answer['title']} · " in page


def test_a_farther_limit_never_leaves_more_people_uncovered(anonymous: Client) -> None:
    def uncovered(metres: int) -> dict[str, float]:
        answer = anonymous.get(
            f"/api/khorramabad/results?show=uncovered&service=pharmacy&threshold-pharmacy={metres}"
        ).json()
        return {place["code"]: place["value"] or 0.0 for place in answer["places"]}

    near, far = uncovered(400), uncovered(900)
    assert all(far[code] <= near[code] or far[code] == 10 for code in near)
    assert sum(far.values()) < sum(near.values())


def test_weights_move_ranks_and_the_page_says_by_how_many(anonymous: Client) -> None:
    standard = anonymous.get("/api/khorramabad/results").json()["places"]
    changed = anonymous.get("/api/khorramabad/results?weight-pharmacy=50").json()["places"]
    before, after = ({place["code"]: place["rank"] for place in answer} for answer in (standard, changed))
    assert before != after
    assert {place["code"]: place["move"] for place in changed} == {code: before[code] - after[code] for code in after}
    assert not any(place["move"] for place in standard)
    page = anonymous.get("/khorramabad/?weight-pharmacy=50").content.decode()
    assert "▲" in page
    assert "▼" in page


def test_the_public_api_tells_no_count_of_few_people(anonymous: Client, client_as: Callable[[str], Client]) -> None:
    for query in (
        "?show=uncovered&service=bus-stop",
        "?show=uncovered&service=clinic&threshold-clinic=1300",
        "?show=coverage&service=gas",
    ):
        for place in anonymous.get(f"/api/khorramabad/results{query}").json()["places"]:
            assert place["people"] is None or place["people"] >= 10
            if "uncovered" in query and place["value_is"] == "exact":
                assert not 0 < place["value"] < 10, place
    exact = client_as("analyst").get("/api/khorramabad/results?show=uncovered&service=bus-stop").json()["places"]
    assert all(place["value_is"] in ("exact", "none") for place in exact)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("show=nothing", 400, "bad_show"),
        ("sort=size", 400, "bad_sort"),
        ("threshold-clinic=far", 400, "bad_number"),
        ("threshold-clinic=-5", 400, "bad_number"),
        ("threshold-clinic=nan", 400, "bad_number"),
        ("weight-clinic=inf", 400, "bad_number"),
        ("aggregation=magic", 400, "bad_method"),
        ("service=harbour&show=coverage", 404, "unknown_service"),
        ("threshold-harbour=500", 404, "unknown_service"),
        ("weight-clinic=0&weight-nothing=1", 404, "unknown_service"),
    ],
)
def test_a_bad_question_is_answered_with_what_is_wrong_and_what_to_do(
    anonymous: Client, query: str, status: int, code: str
) -> None:
    problem = anonymous.get(f"/api/khorramabad/results?{query}")
    assert (problem.status_code, problem["Content-Type"]) == (status, "application/problem+json")
    answer = problem.json()
    assert answer["code"] == code
    assert answer["remedy"]
    page = read(anonymous, f"/khorramabad/?{query}", status=status)
    assert page.of("html")[0]["lang"] == "fa"
    assert any(re.search(r"[\u0600-\u06ff]{3}", text) for text in page.texts)


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/nowhere/", 404, ("There is no city “%(city)s”.", {"city": "nowhere"})),
        ("/khorramabad/nowhere/", 404, ("%(city)s has no place “%(place)s”.", {"city": "خرم‌آباد", "place": "nowhere"})),
        (
            "/khorramabad/?service=harbour&show=coverage",
            404,
            ("There is no service “%(service)s” here.", {"service": "harbour"}),
        ),
        ("/khorramabad/?threshold-clinic=far", 400, ("“%(value)s” cannot be used here.", {"value": "far"})),
        ("/khorramabad/?aggregation=magic", 400, ("“%(value)s” is not a method.", {"value": "magic"})),
        ("/khorramabad/?show=magic", 400, ("“%(value)s” cannot be shown.", {"value": "magic"})),
        ("/khorramabad/?sort=magic", 400, ("The table cannot be sorted by “%(value)s”.", {"value": "magic"})),
        (
            "/khorramabad/coverage/?service=harbour",
            404,
            ("There is no service “%(service)s” here.", {"service": "harbour"}),
        ),
        ("/khorramabad/coverage/?sort=magic", 404, ("The table has no column “%(value)s”.", {"value": "magic"})),
        ("/m/no-such-map/", 404, ("There is no such published map.", {})),
    ],
)
def test_what_went_wrong_is_told_in_persian_on_a_persian_page(
    anonymous: Client, path: str, status: int, told: tuple[str, dict[str, str]]
) -> None:
    with override("fa"):
        sentence = gettext(told[0]) % {name: f"\u2068{value}\u2069" for name, value in told[1].items()}
    assert re.search(r"[\u0600-\u06ff]{3}", gettext_in("fa", told[0]))
    response = anonymous.get(path)
    page = response.content.decode()
    assert response.status_code == status
    assert f'<bdi lang="fa">{sentence}</bdi>' in page
    assert not re.search(r">[^<]*(Choose one|Give a number|Look for it)[^<]*<", page)
    anonymous.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    english = anonymous.get(path).content.decode()
    assert '<bdi lang="en">' in english
    assert not re.search(r"[\u0600-\u06ff]", english.partition("<dl")[2].partition("</dl>")[0])


def test_a_program_is_told_in_its_readers_language_with_the_same_code(anonymous: Client) -> None:
    persian = anonymous.get("/api/khorramabad/results?threshold-clinic=-5").json()
    anonymous.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    english = anonymous.get("/api/khorramabad/results?threshold-clinic=-5").json()
    assert (persian["code"], persian["status"], persian["where"]) == ("bad_number", 400, "threshold-clinic")
    assert (persian["language"], english["language"]) == ("fa", "en")
    assert english["title"] == "'-5' cannot be used here."
    assert english["remedy"] == "Give a number from 1 to 100000."
    assert "۱۰۰٬۰۰۰" in persian["remedy"]


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("/tiles/nowhere/places/0/0/0.mvt", "nowhere"),
        ("/ogc/collections/boundaries/items?offset=-1", "parameter offset"),
        ("/ogc/collections/boundaries/items?filter=kind+IS", "filter, character"),
        ("/ogc/collections/boundaries/items/nothing", "item nothing"),
        ("/api/v1/cities/khorramabad/working-copy", ""),
        ("/api/v1/nowhere", ""),
    ],
)
def test_every_program_is_told_what_where_and_what_to_do_in_persian(path: str, where: str, anonymous: Client) -> None:
    problem = anonymous.get(path, headers={"Accept": "application/json"}).json()
    persian = re.compile("[\u0600-\u06ff]")
    assert problem["language"] == "fa"
    assert persian.search(problem["title"])
    assert persian.search(problem["remedy"])
    assert problem.get("where", "").startswith(where)
    assert " " not in where or persian.search(problem["place"])
    anonymous.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    english = anonymous.get(path, headers={"Accept": "application/json"}).json()
    assert (english["language"], english["code"]) == ("en", problem["code"])
    assert not persian.search(english["title"] + english["remedy"])


def test_who_may_not_is_told_so_in_persian(client_as: Callable[[str], Client]) -> None:
    response = client_as("viewer").get("/khorramabad/publish/")
    assert response.status_code == 403
    assert gettext_in("fa", "Ask for the role of an analyst.") in response.content.decode()


@pytest.mark.parametrize("path", ["/khorramabad/", "/api/khorramabad/results", "/tiles/khorramabad/places.json"])
def test_a_method_that_an_address_does_not_take_is_told(anonymous: Client, path: str) -> None:
    response = anonymous.put(path)
    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD"
    sentence = gettext_in("fa", "This address does not take the method %(method)s.") % {"method": "\u2068PUT\u2069"}
    if path == "/khorramabad/":
        assert f'<bdi lang="fa">{sentence}</bdi>' in response.content.decode()
    else:
        assert (response.json()["title"], response.json()["code"]) == (sentence, "method_not_allowed")


def test_all_weights_zero_is_refused_and_not_divided_by(anonymous: Client, demo_city: Place) -> None:
    codes = demo_city.supplies.values_list("service__code", flat=True)
    response = anonymous.get("/khorramabad/?" + "&".join(f"weight-{code}=0" for code in codes))
    assert response.status_code == 400
    assert gettext_in("fa", "All weights are zero.") in response.content.decode()


def test_persian_digits_are_read_in_addresses_too(anonymous: Client) -> None:
    persian = anonymous.get("/api/khorramabad/results", {"show": "coverage", "threshold-clinic": "۵۰۰"}).json()
    ascii_ = anonymous.get("/api/khorramabad/results", {"show": "coverage", "threshold-clinic": "500"}).json()
    assert persian["places"] == ascii_["places"]


def test_hostile_text_is_shown_as_text(anonymous: Client, demo_city: Place) -> None:
    place = Place.objects.filter(parent__path__startswith=demo_city.path, kind="neighbourhood").order_by("path").first()
    assert place is not None
    hostile = '"><img src=x onerror=alert(1)></script>'
    place.name_fa = place.name_en = hostile
    place.save()
    for path in (
        "/khorramabad/",
        "/khorramabad/coverage/",
        f"/khorramabad/{place.code}/",
        "/?q=onerror",
        f"/?q={hostile}",
    ):
        text = anonymous.get(path).content.decode()
        assert "<img" not in text, path
        assert "onerror=alert(1)></script>" not in text, path


def test_publishing_is_offered_to_those_who_may(client_as: Callable[[str], Client], demo_city: Place) -> None:
    for name, is_offered in (
        ("anonymous", False),
        ("viewer", False),
        ("planner_elsewhere", False),
        ("analyst", True),
        ("administrator", True),
    ):
        text = client_as(name).get("/khorramabad/?show=coverage&service=park&threshold-park=700").content.decode()
        assert ('id="publish-form"' in text) == is_offered, name
    form = text[text.index('id="publish-form"') :]
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form))
    assert {key: fields[key] for key in ("show", "service", "threshold-park")} == {
        "show": "coverage",
        "service": "park",
        "threshold-park": "700",
    }
    assert re.search(r'name="title_fa"[^>]*>[^<]*۷۰۰ متر', form)
    assert re.search(r'name="title_en"[^>]*>[^<]*700 m', form)


def test_a_city_page_costs_few_queries(anonymous: Client, django_assert_max_num_queries: Any) -> None:
    anonymous.get("/khorramabad/")
    with django_assert_max_num_queries(45):
        anonymous.get("/khorramabad/?weight-park=3")
    with django_assert_max_num_queries(30):
        anonymous.get("/api/khorramabad/results?weight-park=4")


# ---------------------------------------------------------------- the other pages


def test_the_place_page_leads_every_number_to_its_source(anonymous: Client) -> None:
    page = read(anonymous, "/khorramabad/s05/", "en")
    assert any(text.startswith("In Darreh") for text in page.texts)
    for word in ("Why this rank", "The boundary", "modelled", "approved", "23 September 2025", "The same as a table"):
        assert word in page.texts, word
    anchors = {attrs["href"] for attrs in page.of("a") if (attrs.get("href") or "").startswith("#")}
    ids = {attrs["id"] for _, attrs in page.tags if attrs.get("id")}
    assert {anchor[1:] for anchor in anchors if anchor} <= ids
    assert {"#why", "#people", "#boundary"} <= anchors


@pytest.mark.parametrize(
    "path", ["/khorramabad/?service=clinic&show=coverage", "/khorramabad/coverage/", "/khorramabad/s05/", "/layers/"]
)
def test_sources_are_told_in_the_readers_language(anonymous: Client, path: str) -> None:
    persian = anonymous.get(path).content.decode()
    anonymous.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    english = anonymous.get(path).content.decode()
    layer = Layer.objects.get(city__code="khorramabad", code="clinic")
    assert layer.source_fa in persian
    assert layer.source in english
    assert layer.source_fa not in english
    if path != "/layers/":
        standard = Standard.objects.get(city=None, service__code="clinic")
        assert standard.source_fa in persian
        assert standard.source not in persian
        assert standard.source in english


def test_the_place_page_tells_of_the_edition_its_numbers_were_computed_with(client_as: Callable[[str], Client]) -> None:
    place = Place.objects.get(path__startswith="ir/", code="s05")
    current = place.boundaries.current().get()
    small = MultiPolygon(Polygon.from_bbox((48.35, 33.48, 48.351, 33.481)), srid=4326)
    for version in range(2, 25):
        Boundary.objects.create(
            place=place, geometry=small, valid=DateRange(date(2027, 1, version), None), status="draft",
            source=f"draft {version}", version=version,
        )  # fmt: skip
    with override("en"):
        computed = edition_facts(current, float(area_m2(np.array([to_shapely(current.geometry)]))[0]))
    planner = client_as("planner")
    english = read(planner, "/khorramabad/s05/", "en")
    page = planner.get("/khorramabad/s05/").content.decode()
    assert "draft 24" in page, "insiders see drafts in the history"
    facts = page.partition('<dl class="facts-list">')[2].partition("</dl>")[0]
    assert current.source in facts
    assert "draft" not in facts
    assert english.texts.count(computed.area_text) == 2


def test_every_place_of_the_city_has_a_page(anonymous: Client) -> None:
    codes = rows_of(anonymous.get("/khorramabad/").content.decode())
    for code in codes[::25]:
        assert anonymous.get(f"/khorramabad/{code}/").status_code == 200, code


def test_a_place_keeps_the_readers_own_question(anonymous: Client) -> None:
    page = read(anonymous, "/khorramabad/s05/?threshold-clinic=300&service=clinic", "en")
    assert "Computed with your own limits and weights." in " ".join(page.texts)
    assert any("300 m" in text for text in page.texts)


def test_the_heat_table_has_every_place_and_service(anonymous: Client, demo_city: Place) -> None:
    text = anonymous.get("/khorramabad/coverage/?sort=-pharmacy").content.decode()
    table = text[text.index('<table class="heat">') : text.index("</table>")]
    services = demo_city.supplies.count()
    assert table.count("<tr") == 2 + 298
    assert table.count("<td") == (1 + 298) * services
    assert 'aria-sort="descending"' in table
    assert anonymous.get("/khorramabad/coverage/?sort=nothing").status_code == 404


def found_by(client: Client, text: str) -> list[str]:
    """Addresses of what a search finds."""
    page = client.get("/", {"q": text}).content.decode()
    results = re.search(r'<ul class="results">(.*?)</ul>', page, re.DOTALL)
    return re.findall(r'href="([^"]+)"', results[1]) if results else []


def test_search_finds_places_by_either_name_however_spelt(anonymous: Client) -> None:
    for text in ("کرگانه", "كرگانه", "Karganeh", "karganeh"):
        assert "/khorramabad/s07/" in found_by(anonymous, text), text
    assert found_by(anonymous, "هیچ‌جا") == []


@pytest.mark.parametrize(
    "text",
    [
        "علی‌آباد",
        "علی آباد",
        "علیآباد",
        "علی اباد",
        "علياباد",
        "عليآباد",
        "علي\u200cآباد",
        "AliAbad",
        "ali abad",
        "لی‌آبا",
    ],
)
def test_search_finds_a_compound_name_with_a_half_space_a_space_or_nothing(anonymous: Client, text: str) -> None:
    assert "/khorramabad/s01/" in found_by(anonymous, text)


@pytest.mark.parametrize("text", ["پشتبازار", "پشت بازار", "پشت‌بازار"])
def test_search_finds_a_name_of_two_words_and_no_other_place(anonymous: Client, text: str) -> None:
    assert found_by(anonymous, text) == ["/khorramabad/s04/"]


def test_search_for_nothing_but_marks_finds_nothing(anonymous: Client) -> None:
    assert found_by(anonymous, "؟ … —") == []


def test_the_catalogue_tells_the_public_of_public_layers_only(
    anonymous: Client, client_as: Callable[[str], Client], demo_city: Place
) -> None:
    secret = Layer.objects.filter(city=demo_city, visibility="assigned").first()
    assert secret is not None
    assert secret.name_fa not in [text.split("\n")[0] for text in _layer_names(anonymous)]
    assert secret.name_fa in _layer_names(client_as("analyst"))


def _layer_names(client: Client) -> list[str]:
    text = client.get("/layers/?city=khorramabad").content.decode()
    return [name.strip() for name in re.findall(r'<th scope="row"><a href="[^"]+">([^<]+)<', text)]


def test_home_says_what_waits_for_whoever_signs_in(client_as: Callable[[str], Client], demo_city: Place) -> None:
    place = Place.objects.filter(parent__path__startswith=demo_city.path, kind="neighbourhood").first()
    assert place is not None
    author = User.objects.create_user("draws", password=None)
    drawn = ChangeSet.objects.create(place=demo_city, author=author, status="proposed", title="x")
    Change.objects.create(change_set=drawn, place=place, base=place.boundaries.current().get())
    planner = " ".join(read(client_as("planner"), "/", "en").texts)
    assert "1 change of boundaries in Khorramabad waits for a decision" in planner
    assert client_as("planner").get("/khorramabad/changes/?show=proposed").status_code == 200
    assert "Your roles:" in planner
    anonymous = " ".join(read(client_as("anonymous"), "/", "en").texts)
    assert "waits for a decision" not in anonymous
    assert "What needs your attention" not in anonymous


def test_signing_in_answers_a_wrong_password_in_words_and_keeps_the_name(anonymous: Client) -> None:
    response = anonymous.post("/accounts/login/", {"username": "analyst", "password": "wrong"})
    text = response.content.decode()
    assert response.status_code == 200
    assert 'role="alert"' in text
    assert 'value="analyst"' in text
    assert "wrong" not in text


@pytest.mark.parametrize("path", ["/nowhere/", "/khorramabad/nowhere/", "/a/b/c/d/", "/api/nowhere/results"])
def test_an_address_that_leads_nowhere_says_so_in_the_readers_language(anonymous: Client, path: str) -> None:
    response = anonymous.get(path)
    assert response.status_code == 404
    if path.startswith("/api/"):
        assert response.json()["code"] == "unknown_city"
    else:
        assert re.search(r"<h1>[^<]*[\u0600-\u06ff]", response.content.decode())


def test_the_fault_page_stands_without_anything_else(settings: Any) -> None:
    from django.template.loader import render_to_string

    for name in ("500.html", "503.html", "400.html", "403_csrf.html"):
        text = render_to_string(name)
        assert "<h1>" in text
        assert 'lang="en"' in text
        assert not re.search(r"https?://", text)


@pytest.mark.parametrize("path", [page for page in PAGES if "?q" not in page])
def test_pages_answer_to_reading_only(anonymous: Client, path: str) -> None:
    if "login" in path:
        return
    assert anonymous.post(path).status_code == 405
    assert anonymous.head(path).status_code == 200


@pytest.mark.parametrize(
    "path", ["/", "/khorramabad/", "/api/khorramabad/results", "/api/v1/cities/khorramabad/partition"]
)
def test_a_database_that_is_away_is_said_so(anonymous: Client, path: str) -> None:
    """Not one statement gets through, as between a fall of the database and its next start."""

    def away(*_: Any) -> None:
        raise OperationalError("the connection is lost")

    anonymous.raise_request_exception = False
    with connection.execute_wrapper(away):
        answer = anonymous.get(path)
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    if path.startswith("/api/"):
        assert answer.json()["code"] == "database_away"
    else:
        assert "پایگاه داده" in answer.content.decode()
