"""Published indices: frozen as anybody may see them, with what is new; back-cast, patterns and what ranks depend on."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import shapely
from django.contrib.auth.models import AnonymousUser, User
from django.core.management import call_command
from django.db import IntegrityError, transaction

from analysis.disclosure import public_share
from analysis.indices.checks import GAP_M, index_pattern, index_reversals, index_sensitivity
from analysis.indices.computing import IndexQuestion, index_compute
from analysis.indices.documents import index_document
from analysis.indices.editions import (
    editions_read,
    index_public,
    index_publish,
    index_withdraw,
)
from analysis.indices.workbook import index_workbook
from analysis.models import IndexEdition, Indicator, IndicatorValue, Run
from analysis.selectors import places_read
from geo.core.crs import project
from geo.errors import Conflict, Forbidden, InvalidInput
from geo.models import Assignment, Place
from geo.querysets import system_user
from layers.models import Layer

pytestmark = pytest.mark.django_db
STORED = {"early-care": 1.0, "water-all-day": 2.0, "out-of-school": 1.0}


def asked(**other: Any) -> IndexQuestion:
    return IndexQuestion(**{"kinds": ("settlement",), "draws": 300, "first": 3, **other})


def published(city: Place, question: IndexQuestion | None = None, **other: Any) -> IndexEdition:
    titles = {"title_fa": "یافته", "title_en": "Finding", "reversals_seen": True}
    return index_publish(city=city, author=system_user(), question=question or asked(), **(titles | other))


def person(name: str, role: str, place: Place) -> User:
    user = User.objects.create_user(name)
    Assignment.objects.create(user=user, role=role, place=place)
    return user


def test_an_edition_stays_as_it_was_published_whatever_changes_afterwards(demo_city: Place) -> None:
    made = published(demo_city, asked(weights=STORED))
    assert (made.number, made.run.kind, made.author) == (1, Run.Kind.INDEX, None)
    assert made.question["weights"] == STORED
    assert [one["code"] for one in made.codebook] == [one["code"] for one in made.document["indicators"]]
    result = index_compute(city=demo_city, user=system_user(), question=asked(weights=STORED))
    assert [row["code"] for row in made.document["places"]] == [row["code"] for row in made.run.result["places"]]
    ranks = {row["code"]: row["rank"] for row in made.document["places"]}
    assert ranks == {
        place.code: int(rank) for place, rank in zip(result.matrix.places, result.priority.rank, strict=True)
    }

    # Somebody measures anew, and everything else is published a second time.
    first = made.document["places"][0]["code"]
    for code, value in (("early-care", 100.0), ("water-all-day", 100.0), ("out-of-school", 0.0)):
        IndicatorValue.objects.filter(indicator__code=code, place__code=first).update(value=value)
    again = published(demo_city, asked(weights=STORED, aggregation="geometric"), note="  New method. ")
    assert IndexEdition.objects.get(pk=made.pk).document == made.document
    assert (again.number, again.note) == (2, "New method.")
    since = again.document["since"]
    assert (since["number"], since["methods"]) == (1, ["aggregation"])
    assert since["ranks"][first] == 1
    assert {row["code"]: row["rank"] for row in again.document["places"]}[first] > 1
    # Of other places there is nothing to compare with.
    assert published(demo_city, asked(kinds=("neighbourhood",), draws=100)).document["since"] is None


def test_what_is_told_of_few_people_is_withheld_and_nothing_tells_it(demo_city: Place) -> None:
    question = asked(weights={"fire-station-uncovered-share": 1.0, "early-care": 1.0})
    public = index_public(city=demo_city, user=system_user(), question=question)
    whole = index_document(public.result)
    few = 0
    for told, row in zip(public.document["places"], whole["places"], strict=True):
        i = [place.code for place in public.result.matrix.places].index(row["code"])
        share = row["values"]["fire-station-uncovered-share"]
        is_few = public_share(share, float(public.result.matrix.people[i])) is None
        assert told["withheld"] == (["fire-station-uncovered-share"] if is_few else [])
        assert told["score"] == round(row["score"])
        for name in ("values", "scores", "contributions"):
            assert (told[name]["fire-station-uncovered-share"] is None) == is_few
        few += is_few
    assert few > 0
    assert whole["places"][0]["withheld"] == []


def test_only_what_everybody_may_see_is_published(demo_city: Place) -> None:
    Layer.objects.filter(city=demo_city, code="clinic").update(visibility="assigned")
    analyst = person("edition-analyst", "analyst", demo_city)
    named = asked(weights={"clinic-uncovered-share": 1.0, "early-care": 1.0})
    assert index_compute(city=demo_city, user=analyst, question=named).priority.rank.min() == 1
    with pytest.raises(InvalidInput) as caught:
        index_public(city=demo_city, user=analyst, question=named)
    assert (caught.value.code, caught.value.where) == ("not_public", "clinic-uncovered-share")
    told = index_public(city=demo_city, user=analyst, question=asked()).document
    assert "clinic-uncovered-share" not in [one["code"] for one in told["indicators"]]
    with pytest.raises(Forbidden):
        index_public(city=demo_city, user=person("edition-viewer", "viewer", demo_city), question=asked())
    with pytest.raises(Forbidden):
        index_publish(city=demo_city, author=None, question=asked(), title_fa="ع", title_en="T")


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"title_fa": " "}, "no_title"),
        ({"title_en": "t" * 301}, "text_too_long"),
        ({"note": "n" * 4001}, "text_too_long"),
        ({"reversals_seen": False}, "reversals_unseen"),
        ({"question": asked(weights={"castle": 1.0})}, "unknown_indicator"),
        ({"question": asked(aggregation="castle")}, "bad_method"),
    ],
)
def test_what_cannot_be_published_leaves_nothing_behind(demo_city: Place, other: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        published(demo_city, **other)
    assert caught.value.code == code
    assert not IndexEdition.objects.exists()
    assert not Run.objects.filter(kind=Run.Kind.INDEX).exists()


def test_reversals_need_not_be_confirmed_where_there_are_none(demo_city: Place) -> None:
    alone = asked(weights={"early-care": 1.0})
    assert index_reversals(index_compute(city=demo_city, user=system_user(), question=alone)).found == ()
    assert published(demo_city, alone, reversals_seen=False).document["reversals"]["found"] == []


def test_whoever_withdraws_gives_a_reason_once(demo_city: Place) -> None:
    made, analyst = published(demo_city), person("withdrawing", "analyst", demo_city)
    viewer = person("looking", "viewer", demo_city)
    with pytest.raises(Forbidden):
        index_withdraw(edition=made, by=viewer, reason="No")
    with pytest.raises(InvalidInput):
        index_withdraw(edition=made, by=analyst, reason="  ")
    assert [one.number for one in editions_read(demo_city, AnonymousUser())] == [1]
    index_withdraw(edition=made, by=analyst, reason="A layer was wrong.")
    made.refresh_from_db()
    assert (made.withdrawn_by, made.withdrawn_reason) == (analyst, "A layer was wrong.")
    with pytest.raises(Conflict):
        index_withdraw(edition=made, by=analyst, reason="Again.")
    assert editions_read(demo_city, AnonymousUser()) == []
    assert [one.number for one in editions_read(demo_city, viewer)] == [1]
    # Its number is not given again, and nothing is compared with it.
    again = published(demo_city)
    assert (again.number, again.document["since"]) == (2, None)
    with pytest.raises(IntegrityError), transaction.atomic():
        IndexEdition.objects.filter(pk=again.pk).update(withdrawn_reason="without a date")


def test_earlier_dates_are_ranked_by_the_same_method_from_their_own_values(demo_city: Place) -> None:
    codes = {"early-care": 1.0, "water-all-day": 3.0}
    years = published(demo_city, asked(weights=codes)).document["years"]
    assert [one["is_before"] for one in years["dates"]] == [True, False]
    assert (years["stored"], years["of_today"]) == (["early-care", "water-all-day"], [])
    posts = {one.code: (one.goalpost_low, one.goalpost_high) for one in Indicator.objects.filter(code__in=codes)}
    for at, kind in enumerate(("baseline", "measured")):
        expected = {}
        for place in Place.objects.filter(kind="settlement", path__startswith=demo_city.path + "/"):
            values = {
                one.indicator.code: one.value
                for one in IndicatorValue.objects.in_force()
                .filter(place=place, kind=kind, indicator__code__in=codes)
                .select_related("indicator")
            }
            needs = [
                (weight, 1 - np.clip((values[code] - posts[code][0]) / (posts[code][1] - posts[code][0]), 0, 1))
                for code, weight in codes.items()
            ]
            expected[place.code] = round(100 * sum(w * s for w, s in needs) / 4, 1)
        assert {code: one["scores"][at] for code, one in years["places"].items()} == pytest.approx(expected, abs=0.11)
    worst = min(years["places"].values(), key=lambda one: one["ranks"][0])
    assert worst["scores"][0] == max(one["scores"][0] for one in years["places"].values())


def test_earlier_dates_are_left_out_where_nothing_was_brought_by_people(demo_city: Place) -> None:
    made = published(demo_city, asked(weights={"park-uncovered-share": 1.0}))
    assert made.document["years"] is None


def test_neighbours_are_places_whose_borders_are_near_and_settlements_have_none(demo_city: Place) -> None:
    places = places_read(demo_city, system_user())
    result = index_compute(city=demo_city, user=system_user(), question=asked(kinds=(), draws=100))
    found = index_pattern(result, places)
    assert found.is_of_neighbourhoods_alone
    assert {place.kind for place in found.places} == {"neighbourhood"}
    by_code = dict(zip((row.code for row in places.rows), project(places.geometries_4326, 4326, 32639), strict=True))
    shapes = [by_code[place.code] for place in found.places]
    touching = np.array([shapely.distance(shapes[7], other) <= GAP_M for other in shapes])
    touching[7] = False
    assert (found.neighbours.weights.toarray()[7] > 0).tolist() == touching.tolist()
    assert found.whole.i > 0.5
    assert set(found.kind.tolist()) <= {0, 1, 2, 3, 4}
    alone = index_compute(city=demo_city, user=system_user(), question=asked(weights=STORED))
    with pytest.raises(InvalidInput) as caught:
        index_pattern(alone, places)
    assert caught.value.code == "no_neighbours"


def test_ranks_depend_on_what_is_drawn_and_on_nothing_else(demo_city: Place) -> None:
    def of(**other: Any) -> Any:
        return index_compute(city=demo_city, user=system_user(), question=asked(weights=STORED, **other))

    found = index_sensitivity(of()).found
    assert found.factors == (
        "weights-social",
        "weights-health",
        "weights-infrastructure",
        "normalisation",
        "aggregation",
        "errors",
    )
    assert found.indices.total[0].max() > 0.1
    plain = index_sensitivity(of(vary_methods=False)).found
    assert {"normalisation", "aggregation"}.isdisjoint(plain.factors)
    certain = replace(asked(weights={"park-uncovered-share": 1.0}), vary_weights=0.0, vary_methods=False)
    with pytest.raises(InvalidInput) as caught:
        index_sensitivity(index_compute(city=demo_city, user=system_user(), question=certain))
    assert caught.value.code == "nothing_drawn"


def test_a_workbook_has_all_sheets_and_no_formula(demo_city: Place) -> None:
    Place.objects.filter(kind="settlement", code="s01").update(name_en="=1+1")
    made = published(demo_city, asked(weights=STORED))
    with zipfile.ZipFile(io.BytesIO(index_workbook(made.document))) as book:
        names = book.read("xl/workbook.xml").decode()
        sheets = [book.read(f"xl/worksheets/sheet{n}.xml").decode() for n in range(1, 8)]
    for name in ("ranks", "scores", "values", "years", "weights", "codebook", "method"):
        assert f'name="{name}"' in names
    assert sheets[0].count("<row ") == 11
    assert sheets[2].count("<row ") == 31
    assert "=1+1" in sheets[0]
    assert not any("<f>" in sheet for sheet in sheets)
    assert made.document["input_hash"] in sheets[6]


def test_the_command_publishes_and_says_where(demo_city: Place) -> None:
    out, err = io.StringIO(), io.StringIO()
    options = {"kind": ["settlement"], "indicators": "early-care,water-all-day=2", "draws": "200", "first": "3"}
    person("publishes", "analyst", demo_city)
    call_command(
        "index", "khorramabad", publish="یافته", title_en="Found", author="publishes", reversals_seen=True, json=True,
        stdout=out, stderr=err, **options,
    )  # fmt: skip
    made = IndexEdition.objects.get()
    assert (made.title_fa, made.title_en, made.author.username) == ("یافته", "Found", "publishes")
    assert made.question["weights"] == {"early-care": 1.0, "water-all-day": 2.0}
    assert "changes tried swap" in err.getvalue()
    json.dumps(made.document, allow_nan=False)
    with pytest.raises(SystemExit):
        call_command("index", "khorramabad", publish="ع", author="nobody-here", stdout=out, stderr=err, **options)
    assert "There is no user" in err.getvalue()
