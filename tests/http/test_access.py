"""Every address of the site, asked by everybody: what each may see and do, and that nothing hidden shows through.

The table below names every address. An address that is not in it fails the first test, so nobody adds a page without saying
who may see it. Hidden things carry the word ``zzhush`` in every text, so that any answer with it is a leak; and what outsiders
are answered must be the same, byte for byte, whether the hidden things exist or not: so they show in no total either.
"""

from __future__ import annotations

import copy
import io
import json
import math
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
import shapely
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.contrib.gis.geos import Point, Polygon
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from analysis.models import Run
from geo.models import Assignment, Boundary, Place
from geo.services import to_geos
from interventions.models import Need, Organisation, Round, Sector
from interventions.services.tallies import tallies_count
from layers.models import Feature, Layer, PopulationSource, Release, Service, Standard, Supply, Theme
from maps.models import Publication
from maps.published.services import publication_create, publication_withdraw
from tests.http.access_actions import action_rows, hidden_actions
from tests.http.access_blocks import blocks_rows
from tests.http.access_catalogue import catalogue_rows
from tests.http.access_exports import export_rows
from tests.http.access_import_pages import import_page_rows
from tests.http.access_imports import hidden_uploads, import_rows
from tests.http.access_index_editions import editions_hide, editions_put, index_edition_rows
from tests.http.access_layers_ogc import layers_ogc_rows
from tests.http.access_measures import measure_rows
from tests.http.access_needs import need_rows
from tests.http.access_network import network_rows
from tests.http.access_notices import notice_rows
from tests.http.access_ogc import ogc_rows
from tests.http.access_organisations import hidden_organisations, organisation_rows
from tests.http.access_outcomes import hidden_outcomes, outcome_rows
from tests.http.access_proposals import proposal_rows
from tests.http.access_reviews import review_rows
from tests.http.access_scenarios import scenario_rows
from tests.http.access_siting import siting_rows
from tests.http.access_weights import weight_rows
from tests.http.access_what_if_pages import what_if_page_rows
from tests.http.access_workbench import workbench_rows
from tests.http.publishing import published_once

pytestmark = pytest.mark.django_db

HUSH = "zzhush"
GONE = "zzgone"

INSIDERS = ("viewer", "reporter", "agency", "analyst", "planner", "supervisor")
OUTSIDERS = ("anonymous", "planner_elsewhere")
EVERYBODY = (*OUTSIDERS, *INSIDERS, "administrator")
PUBLISHERS = ("analyst", "planner", "administrator")


# ---------------------------------------------------------------- the world


@dataclass
class World:
    """What there is to ask about."""

    city: Place
    quarter: Place
    tile: str
    slug: str
    withdrawn_slug: str
    hush: dict[str, str] = field(default_factory=dict)


@pytest.fixture
def world(demo_city: Place) -> World:
    """The demo city with a published map and a withdrawn one, and nothing hidden."""
    analyst = User.objects.create_user("access-author", password=None)
    Assignment.objects.create(user=analyst, role="analyst", place=demo_city)
    shown = published_map(demo_city, analyst)
    taken = copy.copy(shown)
    taken.pk, taken.slug = None, "access-taken"
    taken.save(force_insert=True)
    publication_withdraw(taken, by=analyst)
    editions_put(demo_city, analyst)
    quarter = (
        Place.objects.filter(parent__path__startswith=demo_city.path, kind="neighbourhood").order_by("path").first()
    )
    assert quarter is not None
    centre = quarter.boundaries.current().get().geometry.point_on_surface
    extra = Service.objects.create(
        code="access-extra",
        name_fa="خدمت دیگر",
        name_en="Other service",
        theme=Theme.objects.get(code="health"),
        position=99,
    )
    Standard.objects.create(service=extra, value=700, source="test")
    return World(demo_city, quarter, tile_at(centre.x, centre.y, 14), "access-shown", "access-taken")


def published_map(city: Place, author: User) -> Publication:
    """Publish a map of the city."""
    titles = {"title_fa": "نقشه", "title_en": "Map"}
    return published_once(
        "access-shown",
        author,
        lambda: publication_create(city=city, author=author, measure="priority", slug="access-shown", **titles),
    )


def tile_at(lon: float, lat: float, z: int) -> str:
    width = 2**z
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * width
    return f"{z}/{int((lon + 180) / 360 * width)}/{int(y)}"


def hide_things(world: World) -> None:
    """Put hidden things of every kind where they would show: in the published city, and a whole city that is not published."""
    within = world.quarter.boundaries.current().get().geometry
    centre = within.point_on_surface
    spot = Polygon.from_bbox((centre.x - 0.001, centre.y - 0.001, centre.x + 0.001, centre.y + 0.001))
    shape = to_geos(shapely.MultiPolygon([shapely.from_wkt(spot.wkt)]))
    hidden = place_put(world.city, f"{HUSH}-settlement", "settlement", is_published=False)
    edition_put(hidden, shape, "approved")
    edition_put(world.quarter, shape, "draft")
    edition_put(world.quarter, shape, "proposed")
    edition_put(world.quarter, shape, "withdrawn")
    layer_put(world.city, f"{HUSH}-layer", shape, is_published=False, service="access-extra")
    Run.objects.create(
        kind="priority",
        city=world.city,
        parameters={"note": HUSH},
        inputs={},
        input_hash="0" * 64,
        code_version="1",
        result={},
        duration_ms=1,
    )
    need_put(hidden)
    hidden_actions(world, HUSH)
    hidden_organisations(world, HUSH)
    hidden_outcomes(hidden, HUSH)

    city = place_put(world.city.parent, f"{HUSH}town", "city", is_published=False)
    edition_put(city, shape, "approved")
    quarter = place_put(city, f"{HUSH}-quarter", "neighbourhood", is_published=True)
    edition_put(quarter, shape, "approved")
    layer = layer_put(city, f"{HUSH}-open", shape, is_published=True, service="access-extra")
    PopulationSource.objects.create(city=city, layer=layer, field="people")
    now = timezone.now()
    run = Run.objects.create(
        kind="priority",
        city=city,
        parameters={},
        inputs={},
        input_hash="0" * 64,
        code_version="1",
        result={},
        duration_ms=1,
    )
    for slug, withdrawn_at in ((f"{HUSH}-map", None), (f"{HUSH}-taken", now)):
        Publication.objects.create(
            slug=slug,
            city=city,
            run=run,
            measure="priority",
            title_fa=HUSH,
            title_en=HUSH,
            page_fa=HUSH,
            page_en=HUSH,
            geojson={"note": HUSH},
            document=Publication.objects.get(slug=world.slug).document,
            published_at=now,
            withdrawn_at=withdrawn_at,
        )
    editions_hide(city, HUSH)
    world.hush = {
        "city": city.code,
        "quarter": quarter.code,
        "place": hidden.code,
        "layer": f"{HUSH}-layer",
        "open": f"{HUSH}-open",
        **hidden_uploads(world.city, city, User.objects.get(username="access-author"), HUSH),
    }


def place_put(parent: Place | None, code: str, kind: str, *, is_published: bool) -> Place:
    return Place.objects.create(
        kind=kind, code=code, parent=parent, name_fa=f"نهان {code}", name_en=f"Hidden {code}", is_published=is_published
    )


def edition_put(place: Place, shape: Any, status: str) -> Boundary:
    return Boundary.objects.create(
        place=place, geometry=shape, valid=DateRange(date(2021, 1, 1), None), status=status, source=f"{HUSH} {status}"
    )


def layer_put(city: Place, code: str, shape: Any, *, is_published: bool, service: str) -> Layer:
    layer = Layer.objects.create(
        city=city,
        theme=Theme.objects.get(code="health"),
        code=code,
        kind="polygon",
        name_fa=f"نهان {code}",
        name_en=code,
        source=f"{HUSH} source",
        visibility="public" if is_published else "assigned",
    )
    release = Release.objects.create(
        layer=layer,
        number=1,
        file_name=f"{HUSH}.gpkg",
        file_sha256="0" * 64,
        content_hash=f"{code:<64}",
        row_count=1,
        warnings=[{"message": HUSH}],
    )
    Feature.objects.create(
        release=release, number=1, name=HUSH, geometry=shape, attributes={"class": HUSH, "people": 500}
    )
    Supply.objects.create(city=city, service=Service.objects.get(code=service), layer=layer)
    return layer


def need_put(place: Place) -> None:
    """Report a need, which the public is never shown."""
    opened = Round.objects.first()
    sector, organisation = Sector.objects.first(), Organisation.objects.first()
    if opened and sector and organisation:
        Need.objects.create(
            round=opened,
            place=place,
            sector=sector,
            organisation=organisation,
            approach="social",
            text_fa=HUSH,
            text_en=HUSH,
            severity=3,
            people_affected=5,
            geometry=Point(48.36, 33.49, srid=4326),
        )


# ---------------------------------------------------------------- the table


@dataclass(frozen=True)
class Ask:
    """One request and the status each person gets."""

    path: str
    status: dict[str, int]
    method: str = "GET"
    data: dict[str, str] = field(default_factory=dict)
    to_login: tuple[str, ...] = ()


def everybody(status: int, **others: int) -> dict[str, int]:
    return dict.fromkeys(EVERYBODY, status) | others


def insiders(status: int, otherwise: int, **others: int) -> dict[str, int]:
    return everybody(otherwise) | dict.fromkeys((*INSIDERS, "administrator"), status) | others


def publishers(status: int, otherwise: int, **others: int) -> dict[str, int]:
    return everybody(otherwise) | dict.fromkeys(PUBLISHERS, status) | others


def administrator(status: int, otherwise: int = 404) -> dict[str, int]:
    return everybody(otherwise, administrator=status)


Table = dict[str, Callable[[World], list[Ask]]]


def in_city(template: str, *, hidden: str = "", status: int = 200) -> Callable[[World], list[Ask]]:
    """Give the asks of a page of a city: the published one, an unpublished one, one that is not there."""

    def asks(world: World) -> list[Ask]:
        found = [
            Ask(template.format(city=world.city.code, tile=world.tile), everybody(status)),
            Ask(template.format(city="nowhere", tile=world.tile), everybody(404)),
        ]
        if world.hush:
            found.append(
                Ask(
                    (hidden or template).format(city=world.hush["city"], tile=world.tile, **hush_names(world)),
                    administrator(status),
                )
            )
        return found

    return asks


def hush_names(world: World) -> dict[str, str]:
    return {name: code for name, code in world.hush.items() if name != "city"}


def with_layer(suffix: str) -> Callable[[World], list[Ask]]:
    """Give the asks about layers: a published one, a hidden one, a published one of an unpublished city."""

    def asks(world: World) -> list[Ask]:
        suffix_ = suffix.format(tile=world.tile)
        city = world.city.code
        found = [
            Ask(f"/tiles/{city}/layers/roads{suffix_}", everybody(200)),
            Ask(f"/tiles/{city}/layers/nothing{suffix_}", everybody(404)),
            Ask(f"/tiles/{city}/layers/elevation{suffix_}", everybody(400)),
        ]
        if world.hush:
            found += [
                Ask(f"/tiles/{city}/layers/{world.hush['layer']}{suffix_}", insiders(200, 404)),
                Ask(f"/tiles/{world.hush['city']}/layers/{world.hush['open']}{suffix_}", administrator(200)),
            ]
        return found

    return asks


def of_map(suffix: str, withdrawn: int = 404) -> Callable[[World], list[Ask]]:
    """Give the asks of a published map: standing, withdrawn, of an unpublished city."""

    def asks(world: World) -> list[Ask]:
        found = [
            Ask(f"/m/{world.slug}/{suffix}", everybody(200)),
            Ask(f"/m/{world.withdrawn_slug}/{suffix}", insiders(200, withdrawn)),
            Ask(f"/m/nothing/{suffix}", everybody(404)),
        ]
        if world.hush:
            found += [Ask(f"/m/{HUSH}-{name}/{suffix}", administrator(200)) for name in ("map", "taken")]
        return found

    return asks


def of_place(suffix: str) -> Callable[[World], list[Ask]]:
    """Give the asks of a page of a place: a published one, an unpublished one, one of an unpublished city."""

    def asks(world: World) -> list[Ask]:
        city = world.city.code
        found = [
            Ask(f"/{city}/{world.quarter.code}/{suffix}", everybody(200)),
            Ask(f"/{city}/nothing/{suffix}", everybody(404)),
        ]
        if world.hush:
            found += [
                Ask(f"/{city}/{world.hush['place']}/{suffix}", insiders(200, 404)),
                Ask(f"/{world.hush['city']}/{world.hush['quarter']}/{suffix}", administrator(200)),
            ]
        return found

    return asks


def publish_asks(world: World) -> list[Ask]:
    form = {"show": "priority", "slug": "access-made", "title_fa": "نقشه‌ی آزمون", "title_en": "A map"}
    status = publishers(200, 403, anonymous=302)
    path = f"/{world.city.code}/publish/"
    found = [
        Ask(path, status, to_login=("anonymous",)),
        Ask(path, publishers(302, 403, anonymous=302), "POST", form, to_login=("anonymous",)),
        Ask("/nowhere/publish/", everybody(404, anonymous=302), to_login=("anonymous",)),
    ]
    if world.hush:
        found.append(
            Ask(
                f"/{world.hush['city']}/publish/",
                everybody(404, anonymous=302, administrator=400),
                to_login=("anonymous",),
            )
        )
    return found


def withdraw_asks(world: World) -> list[Ask]:
    found = [
        Ask(f"/m/{world.slug}/withdraw/", everybody(405, anonymous=302), to_login=("anonymous",)),
        Ask(f"/m/{world.slug}/withdraw/", publishers(302, 403), "POST", to_login=("anonymous",)),
        Ask(
            f"/m/{world.withdrawn_slug}/withdraw/",
            publishers(302, 403, planner_elsewhere=404, anonymous=302),
            "POST",
            {"restore": "1"},
            to_login=("anonymous",),
        ),
    ]
    found[1] = Ask(found[1].path, publishers(302, 403, anonymous=302), "POST", to_login=("anonymous",))
    if world.hush:
        found.append(
            Ask(
                f"/m/{HUSH}-map/withdraw/",
                everybody(404, anonymous=302, administrator=302),
                "POST",
                to_login=("anonymous",),
            )
        )
    return found


TABLE: Table = (
    ogc_rows(Ask, everybody)
    | workbench_rows(Ask, everybody)
    | network_rows(Ask, everybody)
    | outcome_rows(Ask, everybody)
    | notice_rows(Ask, everybody)
    | review_rows(Ask, everybody)
    | catalogue_rows(Ask, everybody)
    | import_rows(Ask, everybody)
    | import_page_rows(Ask, everybody)
    | export_rows(Ask, everybody)
    | layers_ogc_rows(Ask, everybody)
    | scenario_rows(Ask, everybody)
    | proposal_rows(Ask, everybody)
    | measure_rows(Ask, everybody)
    | action_rows(Ask, everybody)
    | what_if_page_rows(Ask, everybody)
    | weight_rows(Ask, everybody)
    | blocks_rows(Ask, everybody)
    | siting_rows(Ask, everybody)
    | index_edition_rows(Ask, everybody)
    | need_rows(Ask, everybody)
    | organisation_rows(Ask, everybody)
    | {
        "": lambda w: [
            Ask("/", everybody(200)),
            Ask(f"/?q={w.city.code}", everybody(200)),
            Ask(f"/?q={HUSH}", everybody(200)),
        ],
        "healthz": lambda w: [Ask("/healthz", everybody(200))],
        "accounts/login/": lambda w: [Ask("/accounts/login/", everybody(302, anonymous=200))],
        "accounts/logout/": lambda w: [
            Ask("/accounts/logout/", everybody(405)),
            Ask("/accounts/logout/", everybody(302), "POST"),
        ],
        "language/": lambda w: [Ask("/language/", everybody(302), "POST", {"language": "en", "next": "/"})],
        "api/<slug:city>/results": lambda w: [
            *in_city("/api/{city}/results")(w),
            Ask(f"/api/{w.city.code}/results?show=uncovered&with=html", everybody(200)),
            Ask(
                f"/api/{w.city.code}/results?service=access-extra&show=coverage",
                insiders(200, 404) if w.hush else everybody(404),
            ),
        ],
        "<slug:city>/": lambda w: [
            *in_city("/{city}/")(w),
            Ask(
                f"/{w.city.code}/?show=coverage&service=access-extra", insiders(200, 404) if w.hush else everybody(404)
            ),
        ],
        "<slug:city>/coverage/": in_city("/{city}/coverage/"),
        "<slug:city>/measures/": in_city("/{city}/measures/"),
        "<slug:city>/<slug:place>/": of_place(""),
        "<slug:city>/<slug:place>/brief.pdf": of_place("brief.pdf"),
        "<slug:city>/publish/": publish_asks,
        "m/<slug:slug>/": of_map("", withdrawn=410),
        "m/<slug:slug>/map.html": of_map("map.html"),
        "m/<slug:slug>/download.geojson": of_map("download.geojson"),
        "m/<slug:slug>/download.csv": of_map("download.csv"),
        "m/<slug:slug>/withdraw/": withdraw_asks,
        "tiles/<slug:city>/places.json": in_city("/tiles/{city}/places.json"),
        "tiles/<slug:city>/places/<str:z>/<str:x>/<str:y>.mvt": in_city("/tiles/{city}/places/{tile}.mvt"),
        "tiles/<slug:city>/layers/<slug:code>.json": with_layer(".json"),
        "tiles/<slug:city>/layers/<slug:code>/<str:z>/<str:x>/<str:y>.mvt": with_layer("/{tile}.mvt"),
        "tiles/<slug:city>/terrain.json": lambda w: [
            Ask(f"/tiles/{w.city.code}/terrain.json", everybody(200)),
            Ask("/tiles/nowhere/terrain.json", everybody(404)),
        ],
        "tiles/<slug:city>/terrain/<str:z>/<str:x>/<str:y>.png": lambda w: [
            Ask(f"/tiles/{w.city.code}/terrain/{w.tile}.png", everybody(200)),
            Ask(f"/tiles/nowhere/terrain/{w.tile}.png", everybody(404)),
        ],
        "tiles/<path:rest>": lambda w: [Ask("/tiles/anything/else", everybody(404))],
    }
)


# ---------------------------------------------------------------- asking


def addresses(patterns: Any = None, prefix: str = "") -> Iterator[str]:
    """Give every address the site knows, as its pattern."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        text = prefix + str(pattern.pattern)
        nested = getattr(pattern, "url_patterns", None)
        if nested is None:
            yield text
        else:
            yield from addresses(nested, text)


def answer(client: Client, ask: Ask) -> Any:
    """Ask, and leave the database and the client (who may have logged out) as they were."""
    cookies = copy.deepcopy(client.cookies)
    with transaction.atomic():
        response = client.get(ask.path) if ask.method == "GET" else client.post(ask.path, ask.data)
        transaction.set_rollback(True)
    client.cookies = cookies
    return response


def asks_of(world: World) -> list[Ask]:
    """Return all asks of the table."""
    return [ask for asks in TABLE.values() for ask in asks(world)]


@pytest.fixture
def clients(client_as: Callable[[str], Client]) -> dict[str, Client]:
    """A signed-in client for each person."""
    return {name: client_as(name) for name in EVERYBODY}


VOLATILE = (
    (rb'name="csrfmiddlewaretoken" value="[^"]+"', b""),
    (rb'"duration_ms": ?[\d.]+', b""),
    (rb"csrf[Tt]oken[\"']?: ?[\"'][^\"']+[\"']", b""),
)


def body(response: Any) -> bytes:
    """Return what was answered without what changes from one time to the next; of a PDF, the digest of what it says, of a workbook its parts."""
    if response.headers.get("Content-Type") == "application/pdf":
        return str(response["ETag"]).encode()
    content = b"".join(response.streaming_content) if response.streaming else response.content
    if content.startswith(b"PK"):  # a workbook says of its parts when they were written
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            content = b"".join(book.read(name) for name in sorted(book.namelist()))
    for pattern, instead in VOLATILE:
        content = re.sub(pattern, instead, content)
    return content


def readable(content: bytes) -> str:
    """Return an answer's text with JSON's escapes undone, so that a name is found however it was written."""
    text = content.decode("utf-8", errors="replace")
    return text + re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text)


# ---------------------------------------------------------------- the tests


def test_every_address_is_in_the_table() -> None:
    known = {address for address in addresses() if not address.startswith("admin/")}
    assert known == set(TABLE)


def wrong_status(name: str, ask: Ask, response: Any) -> list[str]:
    """Say where a person is answered otherwise than the table says."""
    wrong = []
    if response.status_code != ask.status[name]:
        wrong.append(f"{name}: {ask.method} {ask.path} gives {response.status_code}, not {ask.status[name]}")
    if name in ask.to_login and not response.headers.get("Location", "").startswith("/accounts/login/"):
        wrong.append(f"{name}: {ask.method} {ask.path} does not lead to the login")
    return wrong


@pytest.mark.parametrize("names", [INSIDERS[:3], (*INSIDERS[3:], "administrator")], ids=["readers", "editors"])
def test_insiders_get_what_the_table_says(names: tuple[str, ...], world: World, clients: dict[str, Client]) -> None:
    hide_things(world)
    tallies_count()
    wrong = []
    for ask in asks_of(world):
        assert set(ask.status) == set(EVERYBODY)
        for name in names:
            wrong += wrong_status(name, ask, answer(clients[name], ask))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("language", ["fa", "en"])
def test_outsiders_get_what_the_table_says_as_if_hidden_things_did_not_exist(
    language: str, world: World, clients: dict[str, Client]
) -> None:
    """No answer has a hidden word, and what could be asked before is answered as it was before, byte for byte."""
    for name in OUTSIDERS:
        clients[name].cookies["language"] = clients[name].cookies["django_language"] = language
    tallies_count()  # else the pages count a tenth of a second and may tell how many counties are left
    # What is the same in Persian is the same in English, too: words alone are looked for there.
    before = {} if language == "en" else {
        (name, ask.path): body(answer(clients[name], ask))
        for ask in asks_of(world) if ask.method == "GET" for name in OUTSIDERS
    }  # fmt: skip
    hide_things(world)
    tallies_count()
    for path in dict.fromkeys(path for _, path in before):
        answer(clients["planner"], Ask(path, {}))  # fills every cache with what an insider sees
    wrong, changed = [], []
    for ask in asks_of(world):
        for name in OUTSIDERS:
            response = answer(clients[name], ask)
            wrong += wrong_status(name, ask, response)
            content = body(response)
            if ask.method == "GET" and before.get((name, ask.path), content) != content:
                changed.append((name, ask.path))
            text = readable(content)
            if HUSH in ask.path:
                # Asked for by its name: the answer is that for a name that nothing has.
                twin = answer(clients[name], Ask(ask.path.replace(HUSH, GONE), ask.status, ask.method, ask.data))
                assert response.status_code == twin.status_code, ask
                assert text.replace(HUSH, GONE) == readable(body(twin)), ask
            else:
                assert HUSH not in text, (name, ask)
                assert HUSH not in str(response.headers), (name, ask)
    assert not wrong, "\n".join(wrong)
    assert changed == []


def test_insiders_do_see_the_hidden_things(world: World, client_as: Callable[[str], Client]) -> None:
    """Else the tests above would prove nothing."""
    hide_things(world)
    city = world.city.code
    seen = [
        f"/{city}/",
        f"/{city}/coverage/",
        f"/{city}/{world.quarter.code}/",
        f"/api/{city}/results",
        "/layers/",
        f"/?q={HUSH}",
        f"/tiles/{city}/places/{world.tile}.mvt",
        f"/tiles/{city}/layers/{HUSH}-layer/{world.tile}.mvt",
    ]
    for path in seen:
        assert HUSH in readable(client_as("viewer").get(path).content), path
    whole = [
        f"/{HUSH}town/",
        f"/{HUSH}town/{HUSH}-quarter/",
        f"/tiles/{HUSH}town/places/{world.tile}.mvt",
        f"/m/{HUSH}-map/map.html",
    ]
    for path in whole:
        assert HUSH in readable(client_as("administrator").get(path).content), path


def test_totals_leave_hidden_places_out(world: World, client_as: Callable[[str], Client]) -> None:
    def people(name: str) -> float:
        answered = json.loads(client_as(name).get(f"/api/{world.city.code}/results").content)
        return sum(row.get("population") or row.get("people") or 0 for row in rows_of(answered))

    def rows_of(answered: dict[str, Any]) -> list[dict[str, Any]]:
        return next(
            value for value in answered.values() if isinstance(value, list) and value and isinstance(value[0], dict)
        )

    before = people("anonymous")
    hide_things(world)
    assert people("viewer") > before > 0
    assert people("anonymous") == before
    assert people("planner_elsewhere") == before


def test_the_people_of_these_tests_are_who_they_should_be(clients: dict[str, Client]) -> None:
    names = {name: client.get("/").wsgi_request.user.get_username() for name, client in clients.items()}
    assert names.pop("anonymous") == ""
    assert names == {name: f"test-{name.replace('_', '-')}" for name in names}


def test_publishing_is_recorded_for_those_who_may(world: World, client_as: Callable[[str], Client]) -> None:
    form = {"show": "priority", "title_fa": "نقشه‌ی آزمون", "title_en": "A map"}
    for name in EVERYBODY:
        client_as(name).post(f"/{world.city.code}/publish/", {**form, "slug": f"by-{name.replace('_', '-')}"})
    made = set(Publication.objects.filter(slug__startswith="by-").values_list("slug", flat=True))
    assert made == {f"by-{name}" for name in PUBLISHERS}


def test_a_published_map_shows_only_what_anybody_sees(world: World, client_as: Callable[[str], Client]) -> None:
    """Whoever publishes, hidden places and layers do not come along."""
    hide_things(world)
    form = {"show": "priority", "title_fa": "نقشه‌ی آزمون", "title_en": "A map", "slug": "by-an-insider"}
    assert client_as("planner").post(f"/{world.city.code}/publish/", form).status_code == 302
    for suffix in ("", "map.html", "map.html?lang=en", "download.geojson", "download.csv"):
        response = client_as("anonymous").get(f"/m/by-an-insider/{suffix}")
        assert response.status_code == 200
        assert HUSH not in readable(body(response)), suffix


def test_writing_needs_a_token_of_the_page(world: World, personas: dict[str, Any]) -> None:
    hide_things(world)
    client = Client(enforce_csrf_checks=True)
    client.force_login(personas["administrator"])
    asked = 0
    for ask in asks_of(world):
        if ask.method == "POST":
            assert answer(client, ask).status_code == 403, ask.path
            asked += 1
    assert asked >= 4


# ---------------------------------------------------------------- the admin


def admin_addresses(personas: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Give every address of the admin with a path that fits it; objects are the first of their model."""
    for address in addresses():
        if not address.startswith("admin/"):
            continue
        path = address.replace(
            "<path:content_type_id>/<path:object_id>", f"{ContentType.objects.get_for_model(Place).pk}/1"
        )
        path = re.sub(r"\^\(\?P<app_label>[a-z|]+\)/\$", "geo/", path)
        path = path.replace("(?P<url>.*)$", "nothing/like/this").replace("<id>", str(personas["viewer"].pk))
        if "<path:object_id>" in path:
            _, app, model, *_rest = path.split("/")
            first = (
                ContentType.objects.get(app_label=app, model=model)
                .model_class()
                ._default_manager.order_by("pk")
                .first()
            )
            path = path.replace("<path:object_id>", str(first.pk) if first else "0")
        assert not re.search(r"[<(^]", path), f"The test does not know how to ask for {address}."
        yield address, "/" + path


def test_the_admin_is_closed_to_all_but_administrators(
    world: World, personas: dict[str, Any], client_as: Callable[[str], Client]
) -> None:
    hide_things(world)
    wrong = []
    clients = {name: client_as(name) for name in EVERYBODY if name != "administrator"}
    walked = 0
    for address, path in admin_addresses(personas):
        for name, client in clients.items():
            for method in ("GET", "POST"):
                response = answer(client, Ask(path, {}, method, {"username": "x", "password": "y"}))
                if address == "admin/login/":
                    is_right = response.status_code == 200 and HUSH not in readable(body(response))
                else:
                    is_right = response.status_code in (302, 403) and (
                        response.status_code == 403 or response["Location"].startswith(("/admin/login/", "/admin/"))
                    )
                    is_right &= response.status_code != 302 or HUSH not in readable(body(response))
                if not is_right:
                    wrong.append(f"{name}: {method} {path} gives {response.status_code}")
                walked += 1
    assert not wrong, "\n".join(wrong)
    assert walked > 1000


def test_administrators_can_open_every_page_of_the_admin(
    world: World, personas: dict[str, Any], client_as: Callable[[str], Client]
) -> None:
    client = client_as("administrator")
    wrong = []
    opened = 0
    for address, path in admin_addresses(personas):
        response = answer(client, Ask(path, {}))
        is_history = re.search(
            r"/(release|feature|raster|run|nationalrun|nationalcity|scenario|changeset|publication|procrastinate\w+|indicatorvalue|indexedition)/",
            path,
        )
        expected = {200, 302}
        if is_history and re.search(r"/(add|delete)/$", path):
            expected = {403}
        if re.search(r"/boundary/\d+/delete/$", path):
            expected = {403}  # the first is approved
        if "(?P<url>" in address or address.startswith("admin/r/"):
            expected = {404, 302}
        if re.search(r"/0/(change|history|delete)/$", path):
            expected |= {302}  # nothing of that model is there yet
        if address == "admin/logout/":
            expected = {405}  # by POST only
        if address == "admin/autocomplete/":
            expected = {403}  # a field must be named
        if response.status_code not in expected and not (response.status_code == 403 and "interventions" in path):
            wrong.append(f"{path} gives {response.status_code}")
        opened += response.status_code == 200
    assert not wrong, "\n".join(wrong)
    assert opened > 60


def test_search_in_the_admin_finds_any_spelling(world: World, client_as: Callable[[str], Client]) -> None:
    Place.objects.create(kind="settlement", code="kyk", parent=world.city, name_fa="کیکی‌آباد ۹۹", name_en="Kyk")
    found = client_as("administrator").get("/admin/geo/place/", {"q": "كيكي اباد ٩٩"})
    assert found.context["cl"].result_count == 1
    asked = {"term": "كيكي", "app_label": "geo", "model_name": "boundary", "field_name": "place"}
    assert len(client_as("administrator").get("/admin/autocomplete/", asked).json()["results"]) == 1
