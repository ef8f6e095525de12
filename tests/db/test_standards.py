"""Which standard holds: the city's own, that of the programme, of the band of sizes, or the general one."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from django.core.management import call_command

from analysis.measures.asking import UNITS
from analysis.results import Question
from analysis.services import coverage_compute
from geo.errors import InvalidInput
from geo.models import Place
from geo.querysets import system_user
from layers.models import Service, Standard
from layers.services import standard_put
from layers.standards import programmes_known, standard_for, standards_read
from tests.environment import ROOT

pytestmark = pytest.mark.django_db


def test_which_one_holds() -> None:
    city = Place(pk=1)

    def standard(value: float, **more: Any) -> Standard:
        return Standard(value=value, kind=more.pop("kind", "distance"), **more)

    general, of_sdg = standard(1), standard(2, programme="sdg")
    small, large = standard(3, population_max=50_000), standard(4, population_min=50_000)
    narrow = standard(5, population_min=40_000, population_max=60_000)
    own, land = standard(6, city=city), standard(7, kind="land")
    every = [land, large, general, narrow, of_sdg, own, small]

    for left_out, programme, people, value in (
        ((), "sdg", 50_000, 6),
        ((own,), "sdg", 50_000, 2),
        ((own,), "sphere", 50_000, 5),
        ((own,), "", 50_000, 5),
        ((own, narrow), "", 50_000, 4),
        ((own, narrow), "", 49_999, 3),
        ((own,), "", 60_000, 4),
        ((own,), "", None, 1),
        ((own, general), "", None, 0),
    ):
        # Unsaved standards are told apart by being the same object.
        candidates = [one for one in every if not any(one is other for other in left_out)]
        found = standard_for(candidates, programme=programme, people=lambda people=people: people)  # type: ignore[misc]
        assert (found.value if found else 0) == value, (programme, people)
    assert standard_for(every, "land") is land
    assert standard_for(every, "capacity") is None
    asked: list[int] = []
    assert standard_for([general, own], people=lambda: asked.append(1)) is own  # type: ignore[func-returns-value]
    assert not asked, "The people of a city are counted only where a standard depends on them."


def test_what_ships_with_the_program_is_marked_and_sourced(demo_city: Place) -> None:
    rows = tomllib.loads((ROOT / "fixtures" / "taxonomy" / "standards.toml").read_text(encoding="utf-8"))["standards"]
    assert all(row["unverified"] and row["source"] and row["source_fa"] for row in rows)
    general = Standard.objects.filter(city=None)
    assert general.count() == len(rows)
    assert not general.filter(is_verified=True).exists()
    assert set(general.values_list("kind", flat=True)) == set(UNITS)
    assert set(programmes_known()) == {"sdg", "sphere"}
    call_command("load_taxonomy")
    assert general.count() == len(rows), "Loaded again, nothing comes twice."
    residential = Service.objects.get(code="residential-land")
    candidates = standards_read(demo_city, [residential.pk])[residential.pk]
    bands = {
        people: standard_for(candidates, "land", people=lambda people=people: people)  # type: ignore[misc]
        for people in (10_000, 49_999, 50_000, 250_000, 999_999, 1_000_000, 9_000_000)
    }
    assert {people: found.value for people, found in bands.items() if found} == {
        10_000: 50, 49_999: 50, 50_000: 40, 250_000: 35, 999_999: 35, 1_000_000: 25, 9_000_000: 25,
    }  # fmt: skip


def test_coverage_by_a_programme(demo_city: Place) -> None:
    """Where the programme says nothing, the general standard holds; a threshold in the question goes before all."""
    standard_put(service_code="park", value=300, source="programme", programme="green")
    standard_put(service_code="clinic", value=700, source="band", population_min=100_000)
    asked = Question(services=("clinic", "park", "pharmacy"), programme="green", thresholds_m={"pharmacy": 500})
    found = coverage_compute(city=demo_city, user=system_user(), question=asked)
    told = {s.code: (s.threshold_m, s.standard_m, s.standard_source, s.standard_programme) for s in found.services}
    assert told["park"] == (300, 300, "programme", "green")
    assert told["clinic"][:3] == (700, 700, "band")
    assert told["pharmacy"][:2] == (500, 650)
    plain = coverage_compute(city=demo_city, user=system_user(), question=Question(services=("park",)))
    assert plain.services[0].threshold_m == 400


@pytest.mark.parametrize(
    "wrong",
    [
        {"value": 0.0}, {"value": float("nan")}, {"value": 100_001.0}, {"service_code": "no-such"},
        {"population_min": 5, "population_max": 5},
    ],
)  # fmt: skip
def test_what_cannot_be_a_standard(db: None, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        standard_put(**({"service_code": "park", "value": 300.0, "source": "s"} | wrong))
