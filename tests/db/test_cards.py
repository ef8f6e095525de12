"""Cards of the first page: made once for the same content, and anew for whatever they depend on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils.translation import override

from analysis.models import Index, Weight
from analysis.selectors import city_key, city_read
from geo.models import Boundary, Place
from layers.models import Layer, PopulationSource, Release, Standard, Supply, TravelData
from maps.pages.cards import city_card

pytestmark = pytest.mark.django_db
ANYBODY = AnonymousUser()


def a_place(city: Place) -> Place:
    return Place.objects.filter(path__startswith=city.path + "/", kind="neighbourhood").order_by("path")[0]


def rename(city: Place) -> None:
    place = a_place(city)
    place.name_fa = "نام تازه"
    place.save()


def end_a_boundary(city: Place) -> None:
    Boundary.objects.filter(place=a_place(city)).update(status="withdrawn")


def redraw(city: Place) -> None:
    other = Boundary.objects.current().filter(place__path__startswith=city.path, place__kind="settlement").first()
    assert other is not None
    Boundary.objects.filter(place=a_place(city)).update(geometry=other.geometry)


def hide_a_layer(city: Place) -> None:
    Layer.objects.filter(city=city, code="clinic").update(visibility="assigned")


def a_nearer_limit(city: Place) -> None:
    Standard.objects.filter(city=None, service__code="clinic", kind="distance").update(value=300)


def another_weight(city: Place) -> None:
    Weight.objects.filter(index__city=city, indicator__service__code="park").update(value=9)


def another_method(city: Place) -> None:
    Index.objects.filter(city=city).update(aggregation="geometric")


def another_release(city: Place) -> None:
    Release.objects.filter(layer__city=city, layer__code="clinic").update(content_hash="0" * 64)


def fewer_suppliers(city: Place) -> None:
    Supply.objects.filter(city=city, service__code="clinic").update(where={"capacity": 1})


def no_people(city: Place) -> None:
    PopulationSource.objects.filter(city=city).delete()


def other_roads(city: Place) -> None:
    Layer.objects.filter(city=city, code="roads").update(name_en="Roads")


def no_roads(city: Place) -> None:
    TravelData.objects.filter(city=city).update(roads=None)


def another_source(city: Place) -> None:
    elevation = Layer.objects.get(city=city, code="elevation")
    PopulationSource.objects.create(city=city, layer=elevation, is_main=False)


def rename_the_city(city: Place) -> None:
    Place.objects.filter(pk=city.pk).update(name_en="Elsewhere")


@pytest.mark.parametrize(
    "change",
    [
        rename, end_a_boundary, redraw, hide_a_layer, a_nearer_limit, another_weight, another_method, another_release,
        fewer_suppliers, no_people, other_roads, no_roads, another_source, rename_the_city,
    ],
)  # fmt: skip
def test_a_card_depends_on_all_that_an_analysis_reads(demo_city: Place, change: Callable[[Place], None]) -> None:
    before = city_key(demo_city, ANYBODY)
    assert city_key(demo_city, ANYBODY) == city_read(demo_city, ANYBODY).key == before
    change(demo_city)
    changed = Place.objects.get(pk=demo_city.pk)
    assert city_key(changed, ANYBODY) == city_read(changed, ANYBODY).key != before


def test_what_is_not_read_changes_no_card(demo_city: Place) -> None:
    before = city_key(demo_city, ANYBODY)
    current = a_place(demo_city).boundaries.current().get()
    Boundary.objects.create(
        place=current.place, geometry=current.geometry, valid=current.valid, status="draft", source="test", version=2
    )
    Layer.objects.filter(city=demo_city, code="buildings").update(name_en="Houses")
    assert city_key(demo_city, ANYBODY) == before


def test_the_same_card_is_given_again_and_computes_nothing(
    demo_city: Place, django_assert_max_num_queries: Any
) -> None:
    with override("fa"):
        first = city_card(demo_city, ANYBODY)
        with django_assert_max_num_queries(12):
            again = city_card(demo_city, ANYBODY)
    assert again["view"] is first["view"]
    assert again["drawing"] is first["drawing"]


def test_each_reader_gets_a_card_of_their_own(demo_city: Place, personas: dict[str, Any]) -> None:
    with override("fa"):
        persian, insider = city_card(demo_city, ANYBODY), city_card(demo_city, personas["analyst"])
    with override("en"):
        english = city_card(demo_city, ANYBODY)
    assert persian["view"].finding != english["view"].finding
    assert insider["view"] is not persian["view"]


def test_a_changed_limit_is_on_the_card_at_once(demo_city: Place) -> None:
    with override("en"):
        before = city_card(demo_city, ANYBODY)["view"].rows
        Standard.objects.filter(city=None, kind="distance").update(value=90_000)
        after = city_card(demo_city, ANYBODY)["view"].rows
    assert [row.code for row in before] != [row.code for row in after]


def test_a_city_without_boundaries_says_what_is_missing(demo_city: Place) -> None:
    Boundary.objects.filter(place__path__startswith=demo_city.path + "/").update(status="withdrawn")
    with override("en"):
        card = city_card(demo_city, ANYBODY)
    assert "view" not in card
    assert card["problem"]["code"] == "no_places"
