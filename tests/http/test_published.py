"""Publishing and published maps over HTTP: who may, what is told, what is refused, what it weighs."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client

from analysis.models import Run
from analysis.services import coverage_compute
from geo.errors import Conflict, Forbidden
from geo.models import Place
from layers.models import Layer
from maps.models import Publication
from maps.published import services
from tests.http.publishing import published_once

pytestmark = pytest.mark.django_db

TITLES = {"title_fa": "مردم دور از درمانگاه در خرم‌آباد", "title_en": "People far from a clinic in Khorramabad"}
FORM = {"show": "uncovered", "service": "clinic", "slug": "far-from-clinics", **TITLES}
As = Callable[[str], Client]
PAGES = ("", "map.html", "download.geojson", "download.csv")


def publish(client: Client, **changes: str) -> Any:
    return client.post("/khorramabad/publish/", {**FORM, **changes})


@pytest.fixture
def published(demo_city: Place, client_as: As, personas: dict[str, Any]) -> Publication:
    """A map of people far from clinics, published by an analyst."""

    def published_by_form() -> None:
        response = publish(client_as("analyst"))
        assert response.status_code == 302, response.content.decode()
        assert response["Location"] == "/m/far-from-clinics/"

    return published_once("far-from-clinics", personas["analyst"], published_by_form)


def csv_rows(client: Client, slug: str) -> list[dict[str, str]]:
    text = client.get(f"/m/{slug}/download.csv").content.decode()
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def in_english(client: Client) -> Client:
    client.cookies["django_language"] = client.cookies["language"] = "en"
    return client


# ---- what is published


def test_anybody_sees_a_published_map_in_both_languages(published: Publication, client_as: As) -> None:
    anybody = client_as("anonymous")
    persian, english = anybody.get("/m/far-from-clinics/"), in_english(anybody).get("/m/far-from-clinics/")
    assert (persian.status_code, english.status_code) == (200, 200)
    assert TITLES["title_fa"] in persian.content.decode()
    assert TITLES["title_en"] in english.content.decode()
    assert "map.html?lang=fa#bare" in persian.content.decode()
    assert "map.html?lang=en#bare" in english.content.decode()
    for language, title in (("fa", TITLES["title_fa"]), ("en", TITLES["title_en"])):
        page = anybody.get(f"/m/far-from-clinics/map.html?lang={language}").content.decode()
        assert f"<title>{title}</title>" in page
        assert f'lang="{language}"' in page


def test_the_numbers_are_those_of_the_analysis_as_anybody_sees_it(
    published: Publication, client_as: As, personas: dict[str, Any]
) -> None:
    covered = coverage_compute(city=published.city, user=personas["anonymous"])
    column = covered.service_index("clinic")
    assert column is not None
    rows = {row["code"]: row for row in csv_rows(client_as("anonymous"), published.slug)}
    assert set(rows) == {place.code for place in covered.places}
    told = 0
    for i, place in enumerate(covered.places):
        expected = covered.values.uncovered_people[i, column]
        if rows[place.code]["uncovered_people"]:
            assert float(rows[place.code]["uncovered_people"]) == pytest.approx(expected, abs=0.51)
            told += 1
        else:
            assert 0 < expected < 10 or covered.values.population[i] < 10
    assert told > 200


def test_a_published_map_keeps_the_run_it_came_from(published: Publication, personas: dict[str, Any]) -> None:
    assert published.run.kind == Run.Kind.COVERAGE
    assert published.run.author == personas["analyst"] == published.author
    assert published.document["run"] == {
        "number": published.run.pk, "hash": published.run.input_hash, "code_version": published.run.code_version
    }  # fmt: skip
    assert set(published.run.inputs["boundaries"]["editions"]) == {row["code"] for row in published.document["rows"]}


def test_a_threshold_of_the_city_page_is_published_as_asked(demo_city: Place, client_as: As) -> None:
    assert publish(client_as("planner"), **{"threshold-clinic": "۴۰۰", "show": "coverage"}).status_code == 302
    made = Publication.objects.get()
    assert made.measure == "coverage"
    assert made.document["services"][0]["threshold_m"] == 400
    assert "400 m" in made.page_en
    assert "chosen by the analyst" in made.page_en


def test_priority_is_published_with_its_weights_and_reasons(demo_city: Place, client_as: As) -> None:
    assert publish(client_as("analyst"), show="priority", **{"weight-clinic": "5"}).status_code == 302
    made = Publication.objects.get()
    assert made.run.kind == Run.Kind.PRIORITY
    weights = {service["code"]: service["weight"] for service in made.document["services"]}
    assert weights["clinic"] == 5
    first = made.document["rows"][0]
    assert first["numbers"]["rank"] == 1
    assert len(first["reasons"]) == 3
    by_row = [
        (row["score"], [value for key, value in row.items() if key.startswith("contribution_")])
        for row in csv_rows(client_as("anonymous"), made.slug)
    ]
    assert {len(parts) for _, parts in by_row} == {len(weights)}
    told = [(float(score), [float(part) for part in parts]) for score, parts in by_row if score and all(parts)]
    assert told, "No place's parts are all told."
    for score, parts in told:
        assert sum(parts) == pytest.approx(score, abs=0.05 * len(parts) + 0.05)


def test_the_real_city_is_published_with_roads_and_units(sao_vicente: Place, client_as: As) -> None:
    made = services.publication_create(
        city=sao_vicente,
        author=None,
        measure="uncovered",
        service="clinic",
        slug="sv",
        title_fa="دور از درمانگاه",
        title_en="Far from clinics",
    )
    assert len(made.document["rows"]) == 68
    assert made.document["facilities"] == 65
    assert {"outline", "facility", "green", "transit"} <= set(made.document["backdrops"])
    assert made.document["is_illustrative"] is False
    assert "not official" not in made.page_en


# ---- downloads


def test_the_geojson_opens_with_other_software_and_says_where_it_is_from(
    published: Publication, client_as: As, tmp_path: Path
) -> None:
    import pyogrio

    response = client_as("anonymous").get("/m/far-from-clinics/download.geojson")
    assert response["Content-Type"] == "application/geo+json"
    assert response["Content-Disposition"] == 'attachment; filename="far-from-clinics.geojson"'
    file = tmp_path / "a.geojson"
    file.write_bytes(response.content)
    table = pyogrio.read_dataframe(file)
    assert len(table) == len(published.document["rows"])
    assert table.crs.to_epsg() == 4326
    assert table.geometry.is_valid.all()
    about = json.loads(response.content)["metadata"]
    assert about["illustrative"] is True
    assert {entry["column"] for entry in about["codebook"]} <= set(table.columns)
    assert {source["role"] for source in about["sources"]} == {"boundaries", "population", "service", "backdrop"}


def test_the_csv_has_a_mark_for_spreadsheets_and_one_line_a_place(published: Publication, client_as: As) -> None:
    response = client_as("anonymous").get("/m/far-from-clinics/download.csv")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response.content.startswith(b"\xef\xbb\xbf")
    rows = csv_rows(client_as("anonymous"), "far-from-clinics")
    assert len(rows) == len(published.document["rows"])
    assert {row["publication"] for row in rows} == {"/m/far-from-clinics/"}
    assert all(row["sources"] and row["licence"] for row in rows)


def test_small_counts_are_told_nowhere(demo_city: Place, client_as: As) -> None:
    # A threshold that leaves a handful of people on either side in many places.
    assert publish(client_as("analyst"), **{"threshold-clinic": "760"}).status_code == 302
    made = Publication.objects.get()
    bounded = [row for row in made.document["rows"] if isinstance(row["numbers"]["uncovered_people"], list)]
    assert bounded, "The test needs places with few uncovered people."
    for row in csv_rows(client_as("anonymous"), made.slug):
        people = float(row["population"] or 0)
        for count in (row["uncovered_people"], row["population"]):
            assert not count or float(count) == 0 or float(count) >= 10
        if row["covered_share"]:
            share = float(row["covered_share"])
            for part in (people * share, people * (1 - share)):
                assert part < 0.5 or part > 9.4
    for row in bounded:
        kind, bound = row["numbers"]["uncovered_people"]
        assert (kind, bound) == ("below", 10) or kind == "above"
        assert made.page_en.count(f">{row['name_en']}<") >= 1
    assert "fewer than 10" in made.page_en


# ---- nothing unpublished


def test_what_only_insiders_see_is_on_no_published_map(demo_city: Place, client_as: As) -> None:
    hidden = Place.objects.filter(path__startswith=demo_city.path + "/", kind="neighbourhood").order_by("code")[3]
    Place.objects.filter(pk=hidden.pk).update(is_published=False, name_fa="محلهٔ پنهان", name_en="Hidden quarter")
    Layer.objects.filter(city=demo_city, code="roads").update(visibility="assigned")
    analyst = client_as("analyst")
    assert "Hidden quarter" in in_english(analyst).get("/khorramabad/").content.decode()
    assert publish(analyst, show="priority").status_code == 302
    made = Publication.objects.get()
    stored = "".join(
        (made.page_fa, made.page_en, json.dumps([made.document, made.geojson, made.run.result], ensure_ascii=False))
    )
    assert "پنهان" not in stored
    assert "Hidden quarter" not in stored
    assert hidden.code not in {row["code"] for row in made.document["rows"]}
    assert "road-1" not in made.document["backdrops"]


def test_a_service_whose_layer_is_not_public_cannot_be_published(demo_city: Place, client_as: As) -> None:
    Layer.objects.filter(city=demo_city, code="clinic").update(visibility="assigned")
    response = publish(client_as("analyst"))
    assert response.status_code == 400
    assert TITLES["title_fa"] in response.content.decode()
    assert Publication.objects.count() == 0


def test_a_city_that_is_not_public_cannot_be_published(
    demo_city: Place, client_as: As, personas: dict[str, Any]
) -> None:
    Place.objects.filter(path__startswith=demo_city.path).update(is_published=False)
    response = publish(client_as("analyst"))
    assert response.status_code == 400
    assert FORM["slug"] in response.content.decode()
    assert publish(client_as("planner_elsewhere")).status_code == 404


# ---- who may


@pytest.mark.parametrize("name", ["viewer", "reporter", "agency", "supervisor", "planner_elsewhere"])
def test_others_may_not_publish(demo_city: Place, client_as: As, personas: dict[str, Any], name: str) -> None:
    assert client_as(name).get("/khorramabad/publish/").status_code == 403
    assert publish(client_as(name)).status_code == 403
    with pytest.raises(Forbidden):
        services.publication_create(
            city=demo_city, author=personas[name], measure="priority", slug="x", title_fa="عنوان", title_en="Title"
        )
    assert Publication.objects.count() == 0


def test_anonymous_readers_are_asked_to_sign_in_before_publishing(demo_city: Place, client_as: As) -> None:
    assert client_as("anonymous").get("/khorramabad/publish/")["Location"].startswith("/accounts/login/?next=")
    assert publish(client_as("anonymous")).status_code == 302
    assert Publication.objects.count() == 0


@pytest.mark.parametrize("name", ["analyst", "planner", "administrator"])
def test_those_who_analyse_may_publish(demo_city: Place, client_as: As, name: str) -> None:
    page = client_as(name).get("/khorramabad/publish/?show=uncovered&service=clinic&threshold-clinic=600&sort=name")
    assert page.status_code == 200
    text = page.content.decode()
    for key, value in (("show", "uncovered"), ("service", "clinic"), ("threshold-clinic", "600")):
        assert f'<input type="hidden" name="{key}" value="{value}">' in text
    assert 'value="khorramabad-uncovered-clinic"' in text


# ---- mistakes


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("slug", ""), ("slug", "Not A Slug"), ("slug", "a--b"), ("slug", "a" * 81), ("slug", "../../etc"), ("slug", "نشانی"), ("slug", "x\n"),
        ("title_fa", ""), ("title_fa", "  \u200c "), ("title_en", "۱۲"), ("title_en", "x" * 201), ("title_en", "\u202e\u202e"),
        ("service", "no-such-service"), ("show", "everything"), ("threshold-clinic", "-5"), ("threshold-clinic", "nan"),
        ("threshold-no-such", "400"), ("weight-clinic", "1e9"), ("aggregation", "magic"),
    ],
)  # fmt: skip
def test_a_wrong_form_is_explained_and_kept(demo_city: Place, client_as: As, field: str, value: str) -> None:
    runs = Run.objects.count()
    response = publish(client_as("analyst"), **{field: value})
    if value == "x\n":  # browsers and forms strip the line's end
        assert response.status_code == 302
        return
    assert response.status_code == 400
    text = response.content.decode()
    assert 'role="alert"' in text
    kept = {**FORM, field: value}
    assert all(kept[key] in text for key in ("title_fa", "slug") if key != field)
    assert Publication.objects.count() == 0
    assert Run.objects.count() == runs


def test_an_address_is_given_once_even_after_withdrawing(
    published: Publication, client_as: As, personas: dict[str, Any]
) -> None:
    services.publication_withdraw(published, by=personas["analyst"])
    runs = Run.objects.count()
    response = publish(client_as("analyst"), title_en="Another finding altogether")
    assert response.status_code == 400
    assert "Another finding altogether" in response.content.decode()
    with pytest.raises(Conflict):
        services.publication_create(
            city=published.city,
            author=personas["analyst"],
            measure="priority",
            slug=published.slug,
            title_fa="عنوان",
            title_en="Title",
        )
    assert (Publication.objects.count(), Run.objects.count()) == (1, runs)
    suggested = client_as("analyst").get("/khorramabad/publish/?show=uncovered&service=clinic").content.decode()
    assert 'value="khorramabad-uncovered-clinic"' in suggested


def test_the_suggested_address_is_free(demo_city: Place, client_as: As) -> None:
    assert publish(client_as("analyst"), slug="khorramabad-uncovered-clinic").status_code == 302
    assert (
        'value="khorramabad-uncovered-clinic-2"'
        in client_as("analyst").get("/khorramabad/publish/?show=uncovered").content.decode()
    )


# ---- withdrawing


def test_a_withdrawn_map_is_gone_for_the_public_and_can_be_put_back(published: Publication, client_as: As) -> None:
    assert client_as("analyst").post("/m/far-from-clinics/withdraw/").status_code == 302
    anybody = client_as("anonymous")
    assert [anybody.get(f"/m/far-from-clinics/{page}").status_code for page in PAGES] == [410, 404, 404, 404]
    assert TITLES["title_fa"] not in anybody.get("/m/far-from-clinics/").content.decode()
    assert client_as("analyst").get("/m/far-from-clinics/").status_code == 200
    published.refresh_from_db()
    assert published.withdrawn_by is not None
    assert client_as("analyst").post("/m/far-from-clinics/withdraw/", {"restore": "1"}).status_code == 302
    assert [anybody.get(f"/m/far-from-clinics/{page}").status_code for page in PAGES] == [200] * 4


@pytest.mark.parametrize("name", ["viewer", "reporter", "agency", "supervisor", "planner_elsewhere", "anonymous"])
def test_others_may_not_withdraw(published: Publication, client_as: As, name: str) -> None:
    response = client_as(name).post("/m/far-from-clinics/withdraw/")
    assert response.status_code == (302 if name == "anonymous" else 403)
    published.refresh_from_db()
    assert published.withdrawn_at is None
    assert "withdraw/" not in client_as(name).get("/m/far-from-clinics/").content.decode()


def test_withdrawing_needs_a_post(published: Publication, client_as: As) -> None:
    assert client_as("analyst").get("/m/far-from-clinics/withdraw/").status_code == 405


def test_maps_of_a_city_taken_back_are_gone_too(published: Publication, client_as: As) -> None:
    Place.objects.filter(pk=published.city_id).update(is_published=False)
    assert [client_as("anonymous").get(f"/m/far-from-clinics/{page}").status_code for page in PAGES] == [404] * 4
    assert client_as("anonymous").get("/m/no-such-map/").status_code == 404


# ---- how they are served


def test_the_frozen_page_may_be_framed_anywhere_and_do_nothing(published: Publication, client_as: As) -> None:
    page = client_as("anonymous").get("/m/far-from-clinics/map.html?lang=en")
    policy = page["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none';")
    assert "frame-ancestors *" in policy
    assert "allow-same-origin" not in policy
    assert "X-Frame-Options" not in page
    around = client_as("anonymous").get("/m/far-from-clinics/")
    assert around["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in around["Content-Security-Policy"]
    assert 'sandbox="allow-scripts"' in around.content.decode()


def test_the_frozen_page_is_sent_once(published: Publication, client_as: As) -> None:
    anybody = client_as("anonymous")
    first = anybody.get("/m/far-from-clinics/map.html?lang=fa")
    again = anybody.get("/m/far-from-clinics/map.html?lang=fa", HTTP_IF_NONE_MATCH=first["ETag"])
    other = anybody.get("/m/far-from-clinics/map.html?lang=en", HTTP_IF_NONE_MATCH=first["ETag"])
    assert (first.status_code, again.status_code, again.content, other.status_code) == (200, 304, b"", 200)
    assert again["Content-Security-Policy"] == first["Content-Security-Policy"]


def test_the_page_can_be_kept_as_a_file(published: Publication, client_as: As) -> None:
    response = client_as("anonymous").get("/m/far-from-clinics/map.html?lang=en&save=1")
    assert response["Content-Disposition"] == 'attachment; filename="far-from-clinics.en.html"'


@pytest.mark.parametrize("city", ["khorramabad", "sao-vicente"])
def test_the_public_page_weighs_less_than_300_kb(demo_city: Place, client_as: As, city: str) -> None:
    """Everything a first visitor receives: our page, its styles, scripts and fonts, and the frozen page in the frame."""
    made = services.publication_create(
        city=Place.objects.get(kind="city", code=city) if city == "khorramabad" else _real_city(),
        author=None, measure="uncovered", service="clinic", slug="weighed", title_fa="دور از درمانگاه", title_en="Far from clinics",
    )  # fmt: skip
    anybody = client_as("anonymous")
    page = anybody.get(f"/m/{made.slug}/").content
    frame = anybody.get(f"/m/{made.slug}/map.html?lang=fa").content
    named = set(re.findall(rb'(?:href|src)="/static/([^"]+)"', page))
    total = len(gzip.compress(page, 6)) + len(gzip.compress(frame, 6))
    assert named
    for name in [*named, b"maps/published/table.js"]:
        file = finders.find(re.sub(r"\.[0-9a-f]{12}(?=\.\w+$)", "", name.decode()))
        assert isinstance(file, str), name
        content = Path(file).read_bytes()
        total += len(content) if file.endswith(".woff2") else len(gzip.compress(content, 6))
    assert total < 300_000
    assert len(gzip.compress(frame, 6)) < 200_000


def _real_city() -> Place:
    found = Place.objects.filter(kind="city", code="sao-vicente").first()
    return found or Place.objects.get(
        kind="city", code="khorramabad"
    )  # where the real data are absent the demo city is weighed twice


class Scripts(HTMLParser):
    """Elements and attributes that could run something."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.risky: list[str] = []
        self.scripts = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        if tag in {"img", "object", "embed", "base", "meta"} and any(k in {"src", "data", "href"} for k, _ in attrs):
            self.risky.append(tag)
        self.risky += [f"{tag} {key}" for key, value in attrs if key.startswith("on") or "javascript:" in (value or "")]


def test_hostile_names_run_nowhere(demo_city: Place, client_as: As) -> None:
    hostile = "</script><img src=x onerror=alert(1)>{{7*7}}\"'`=cmd"
    place = Place.objects.filter(path__startswith=demo_city.path + "/", kind="settlement").first()
    assert place is not None
    Place.objects.filter(pk=place.pk).update(name_fa=hostile, name_en=hostile)
    Layer.objects.filter(city=demo_city, code="clinic").update(
        name_fa=hostile, name_en=hostile, source=hostile, licence=hostile
    )
    assert publish(client_as("analyst"), title_fa=hostile, title_en=hostile).status_code == 302
    for path in (
        "/m/far-from-clinics/",
        "/m/far-from-clinics/map.html?lang=fa",
        "/m/far-from-clinics/map.html?lang=en",
    ):
        page = client_as("anonymous").get(path).content.decode()
        found = Scripts(page)
        assert found.risky == []
        assert "<img src=x" not in page
        assert "{{7*7}}" in page
        assert found.scripts == (5 if "map.html" in path else 4)
    assert all(row["sources"][0] != "=" for row in csv_rows(client_as("anonymous"), "far-from-clinics"))


# ---- the command


def test_the_command_publishes_and_writes_the_pages(demo_city: Place, tmp_path: Path) -> None:
    out = io.StringIO()
    call_command(
        "publish_map",
        "khorramabad",
        show="coverage",
        service=["bakery"],
        threshold_m=["300"],
        save=str(tmp_path),
        stdout=out,
        stderr=io.StringIO(),
    )
    made = Publication.objects.get()
    assert out.getvalue().strip() == "/m/khorramabad-coverage-bakery/" == f"/m/{made.slug}/"
    assert made.document["services"][0]["threshold_m"] == 300
    assert (tmp_path / "khorramabad-coverage-bakery.fa.html").read_text(encoding="utf-8") == made.page_fa


@pytest.mark.parametrize(
    "options",
    [
        {"service": ["no-such"]},
        {"threshold_m": ["far"]},
        {"slug": "Bad Slug"},
        {"author": "nobody"},
        {"weights": "clinic"},
    ],
)
def test_the_command_refuses_with_status_2(demo_city: Place, options: dict[str, Any]) -> None:
    said = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("publish_map", "khorramabad", show="uncovered", stdout=io.StringIO(), stderr=said, **options)
    assert ended.value.code == 2
    assert len(said.getvalue()) > 20
    assert Publication.objects.count() == 0
