"""A town of four squares and a settlement, whose published map a reader can check on paper.

Two by two squares of 0.01° around 48.36° E, 33.49° N:

    c (withheld: 6 people)        d (400 people, 400 uncovered)
    a (1000 people, 50 uncovered) b (600 people, 240 uncovered)

and a settlement ``s`` of 200 people, 190 uncovered, over the middle. The class bounds are 0, 100, 300, 500.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import shapely

from maps.pages.classes import Classes
from maps.pages.telling import NOTHING, WITHHELD, Told
from maps.published.document import Facts, ServiceFact, SourceFact, document
from maps.published.drawing import Backdrop, Drawing, draw
from maps.published.freeze import Column, Frozen, PlaceResult, freeze

WEST, SOUTH, SIDE = 48.35, 33.48, 0.01
RULER = Classes("deficit", (0.0, 100.0, 300.0, 500.0))
COLUMNS = (
    Column("uncovered_people", "people"),
    Column("covered_share", "share", 4),
    Column("population", "people"),
    Column("mean_distance_m", "m"),
    Column("area_km2", "km2", 3, in_table=False),
)
FACTS = Facts(
    slug="town-uncovered-clinic",
    title_fa="۶۹۰ نفر از مردم شهرک از درمانگاه دورند",
    title_en="690 people of the town live far from a clinic",
    city_code="town",
    city_name_fa="شهرک",
    city_name_en="Town",
    is_illustrative=True,
    published_on=date(2025, 9, 23),
    service="clinic",
    services=(ServiceFact("clinic", "درمانگاه", "Clinic", 800.0, 800.0, "A planning guide", False, 1.0),),
    sources=(
        SourceFact("boundaries", "محله‌ها", "neighbourhoods", "Drawn by hand", "CC BY 4.0", date(2022, 8, 1)),
        SourceFact("population", "سرشماری", "Census", "Census office", "", date(2016, 10, 21)),
        SourceFact("service", "درمانگاه‌ها", "Clinics", "Ministry of Health", "ODbL"),
    ),
    cell_m=20.0,
    facilities=1,
    run={"number": 7, "hash": "0123456789abcdef", "code_version": "0.1.0"},
)


def square(column: int, row: int, side: float = SIDE) -> shapely.Polygon:
    """Give the square of a column and row, counted from the south-west."""
    west, south = WEST + column * side, SOUTH + row * side
    return shapely.box(west, south, west + side, south + side)


def place(
    code: str, geometry: shapely.Geometry, people: Told, uncovered: Told, *, kind: str = "neighbourhood", name: str = ""
) -> PlaceResult:
    """Give a place; its need is its uncovered people, half the bound where only that is told."""
    told = uncovered.value
    need = None if told is None else told / 2 if uncovered.kind == "below" else told
    share = NOTHING
    if people.exact and uncovered.exact is not None:
        share = Told(1 - uncovered.exact / people.exact)
    numbers = {
        "uncovered_people": uncovered,
        "covered_share": share if uncovered.kind != "withheld" else WITHHELD,
        "population": people,
        "mean_distance_m": Told(640.4),
        "area_km2": Told(1.0321),
    }
    return PlaceResult(code, kind, name or f"محلهٔ {code}", name or f"Place {code}", geometry, need, numbers)


def places(name: str = "") -> list[PlaceResult]:
    """Give the town's places; every one of them has the name, if one is given."""
    middle = shapely.box(WEST + 0.008, SOUTH + 0.008, WEST + 0.012, SOUTH + 0.012)
    return [
        place("a", square(0, 0), Told(1000.0), Told(50.0), name=name),
        place("b", square(1, 0), Told(600.0), Told(240.0), name=name),
        place("c", square(0, 1), Told(10.0, "below"), WITHHELD, name=name),
        place("d", square(1, 1), Told(400.0), Told(400.0), name=name),
        place("s", middle, Told(200.0), Told(190.0), kind="settlement", name=name),
    ]


def frozen_town(name: str = "") -> Frozen:
    """Give the frozen town."""
    return freeze(places(name), "uncovered", "uncovered_people", COLUMNS, RULER)


def drawn_town(name: str = "") -> Drawing:
    """Give the drawing of the town, with a street, a river and a clinic."""
    backdrops = [
        Backdrop("outline", (shapely.box(WEST, SOUTH, WEST + 2 * SIDE, SOUTH + 2 * SIDE),)),
        Backdrop("facility", (shapely.Point(WEST + 0.005, SOUTH + 0.005),)),
        Backdrop("water", (shapely.LineString([(WEST, SOUTH + 0.01), (WEST + 0.02, SOUTH + 0.012)]),)),
        Backdrop("road-1", (shapely.LineString([(WEST, SOUTH), (WEST + 0.02, SOUTH + 0.02)]),)),
    ]
    return draw(frozen_town(name), backdrops)


def town_document(name: str = "", **changes: Any) -> dict[str, Any]:
    """Give the document of the town's map."""
    return document(frozen_town(name), replace(FACTS, **changes), drawn_town(name))
