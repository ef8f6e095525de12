"""Sets of weights of institutions: who keeps them, what is refused, that nothing is lost, and what they make of a city."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from django.db import IntegrityError, transaction

from analysis.indicators import indicator_rows
from analysis.indices.computing import IndexQuestion, index_compute
from analysis.indices.weighing import MOST_SETS, GivenWeights, weights_compare
from geo.errors import Conflict, Forbidden, InvalidInput, NotFound
from geo.models import Place
from geo.querysets import system_user
from interventions.models import LogEntry, WeightSet
from interventions.selectors import history_of, keeping_of, weight_set_found, weight_sets_of
from interventions.services import WeightSetSpec, weight_set_record, weight_set_review, weight_set_save
from tests.db.network_world import IN_TIME, network_world

pytestmark = pytest.mark.django_db
PAIRS = (("health", "infrastructure", 3.0),)


@pytest.fixture
def world() -> SimpleNamespace:
    made = network_world()
    made.spec = WeightSetSpec(
        made.office,
        made.city,
        "given",
        {"early-care": 2, "water-all-day": 1, "food-worry": 0},
        name_fa="  وزن‌هاي اداره ",
    )
    return made


def test_a_set_is_kept_cleaned_and_logged(world: SimpleNamespace) -> None:
    user = world.people["agency@city"]
    made = weight_set_save(user=user, spec=world.spec, at=IN_TIME)
    made.refresh_from_db()
    assert (made.name_fa, made.weights, made.version) == ("وزن‌های اداره", {"early-care": 2, "water-all-day": 1}, 1)
    assert (made.author, made.saved_by, made.saved_at, made.state) == (user, user, IN_TIME, "kept")
    changed = weight_set_save(
        user=world.people["planner@city"],
        spec=replace(world.spec, weights={"early-care": 1}),
        weight_set=made,
        version=1,
    )
    assert (changed.version, changed.saved_by, changed.author) == (2, world.people["planner@city"], user)
    entries = LogEntry.objects.filter(subject="weights", subject_id=made.pk).order_by("pk")
    assert [entry.event for entry in entries] == ["record", "amend"]
    assert entries[1].details == {"weights": {"early-care": 2, "water-all-day": 1}}
    # Saving what it says already changes nothing.
    same = weight_set_save(user=user, spec=replace(world.spec, weights={"early-care": 1}), weight_set=made, version=2)
    assert same.version == 2
    assert len(history_of(made, user)) == 2


def test_nobody_saves_over_another(world: SimpleNamespace) -> None:
    user = world.people["analyst@city"]
    made = weight_set_save(user=user, spec=world.spec)
    weight_set_save(user=user, spec=replace(world.spec, note="۱"), weight_set=made, version=1)
    with pytest.raises(Conflict) as caught:
        weight_set_save(user=user, spec=replace(world.spec, note="۲"), weight_set=made, version=1)
    assert caught.value.code == "stale"
    made.refresh_from_db()
    assert (made.note, made.version) == ("۱", 2)


@pytest.mark.parametrize(
    ("name", "may"),
    [
        ("agency@city", True), ("reporter@city", True), ("planner@city", True), ("analyst@city", True), ("supervisor@city", True),
        ("viewer@city", False), ("planner@elsewhere", False), ("nobody", False), ("anonymous", False), ("gone", False), ("root", True),
    ],
)  # fmt: skip
def test_members_and_those_who_plan_keep_weights(world: SimpleNamespace, name: str, may: bool) -> None:
    user = world.people[name]
    assert (world.office in keeping_of(user, world.city)) == may
    kept = weight_set_record(world.spec, author=None, saved_at=IN_TIME)
    if may:
        made = weight_set_save(user=user, spec=world.spec)
        assert made in weight_sets_of(world.city, user)
        weight_set_review(user=user, weight_set=kept, event="withdraw")
        assert kept not in weight_sets_of(world.city, user)
        assert kept in weight_sets_of(world.city, user, with_archived=True)
        assert weight_set_review(user=user, weight_set=kept, event="restore").state == "kept"
        return
    for act in (
        lambda: weight_set_save(user=user, spec=world.spec),
        lambda: weight_set_save(user=user, spec=world.spec, weight_set=kept, version=1),
        lambda: weight_set_review(user=user, weight_set=kept, event="withdraw"),
    ):
        with pytest.raises(Forbidden):
            act()
    assert WeightSet.objects.filter(city=world.city).count() == 1


def test_a_member_keeps_them_for_the_own_organisation_alone(world: SimpleNamespace) -> None:
    member = world.people["agency@city"]
    assert keeping_of(member, world.city) == (world.office,)
    with pytest.raises(Forbidden):
        weight_set_save(user=member, spec=replace(world.spec, organisation=world.ngo_a))


def test_who_has_no_role_there_does_not_know_of_it(world: SimpleNamespace) -> None:
    kept = weight_set_record(world.spec, author=None, saved_at=IN_TIME)
    assert weight_set_found(kept.pk, world.people["viewer@city"], world.city).events == ()
    for name in ("planner@elsewhere", "nobody", "anonymous", "gone"):
        with pytest.raises(NotFound):
            weight_set_found(kept.pk, world.people[name], world.city)


def test_what_is_put_away_is_not_changed(world: SimpleNamespace) -> None:
    user = world.people["planner@city"]
    kept = weight_set_save(user=user, spec=world.spec)
    away = weight_set_review(user=user, weight_set=kept, event="withdraw")
    with pytest.raises(Conflict):
        weight_set_save(user=user, spec=world.spec, weight_set=kept, version=away.version)
    with pytest.raises(Conflict):
        weight_set_review(user=user, weight_set=kept, event="withdraw")
    with pytest.raises(InvalidInput):
        weight_set_review(user=user, weight_set=kept, event="delete")


def test_comparisons_make_weights(world: SimpleNamespace) -> None:
    ticked = {"early-care": 1, "clinic-uncovered-share": 1, "water-all-day": 1}
    spec = replace(world.spec, how="pairwise", weights=ticked, comparisons=(*PAIRS, ("social", "health", 9.0)))
    made = weight_set_record(spec, author=None, saved_at=IN_TIME)
    assert {code: round(weight, 9) for code, weight in made.weights.items()} == {
        "clinic-uncovered-share": 37.5, "early-care": 37.5, "water-all-day": 25.0,
    }  # fmt: skip
    assert made.comparisons == [["health", "infrastructure", 3.0]]
    turned = replace(spec, comparisons=(("infrastructure", "health", 1 / 3),))
    again = weight_set_record(turned, author=None, saved_at=IN_TIME)
    assert again.comparisons == [["health", "infrastructure", pytest.approx(3)]]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"weights": {"early-care": 0}}, "bad_weight"),
        ({"weights": {}}, "bad_weight"),
        ({"weights": {"early-care": -1}}, "bad_number"),
        ({"weights": {"early-care": float("nan")}}, "bad_number"),
        ({"weights": {"early-care": float("inf")}}, "bad_number"),
        ({"weights": {"castle": 1}}, "unknown_indicator"),
        ({"weights": dict.fromkeys(map(str, range(501)), 1)}, "too_many"),
        ({"how": "allocation", "weights": {"early-care": 60, "water-all-day": 39}}, "bad_points"),
        ({"how": "pairwise", "weights": {"early-care": 1}}, "one_domain"),
        ({"how": "pairwise"}, "bad_comparison"),
        ({"how": "pairwise", "comparisons": (("health", "infrastructure", 10.0),)}, "bad_number"),
        ({"how": "pairwise", "comparisons": (("health", "infrastructure", float("nan")),)}, "bad_number"),
        ({"how": "pairwise", "comparisons": (*PAIRS, *PAIRS)}, "bad_comparison"),
        ({"how": "magic"}, "bad_value"),
        ({"name_fa": " "}, "bad_value"),
        ({"name_en": "n" * 201}, "bad_value"),
        ({"note": "n" * 2001}, "bad_value"),
    ],
)
def test_what_cannot_be_kept_is_refused(world: SimpleNamespace, change: dict[str, object], code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        weight_set_save(user=world.people["root"], spec=replace(world.spec, **change))
    assert caught.value.code == code
    assert caught.value.where.startswith(("weights", "comparisons", "indicators"))
    assert not WeightSet.objects.filter(city=world.city).exists()


def test_an_organisation_weighs_cities_it_works_in(world: SimpleNamespace) -> None:
    with pytest.raises(InvalidInput):
        weight_set_save(user=world.people["root"], spec=replace(world.spec, city=world.elsewhere))
    inside = weight_set_save(user=world.people["root"], spec=replace(world.spec, organisation=world.ngo_a))
    assert inside.organisation == world.ngo_a  # which works in a part of the city


@pytest.mark.parametrize(
    "change",
    [{"name_fa": "", "name_en": ""}, {"how": "magic"}, {"comparisons": [["a", "b", 1]]}, {"how": "pairwise"}, {"weights": {}},
     {"version": 0}],
)  # fmt: skip
def test_the_database_refuses_what_a_form_would_let_through(world: SimpleNamespace, change: dict[str, object]) -> None:
    kept = weight_set_record(world.spec, author=None, saved_at=IN_TIME)
    with pytest.raises(IntegrityError), transaction.atomic():
        WeightSet.objects.filter(pk=kept.pk).update(**change)


# ---- side by side


def test_the_demo_institutions_disagree_and_each_ranking_is_the_one_of_the_index(demo_city: Place) -> None:
    user = system_user()
    known = [one.code for one in indicator_rows(demo_city, user)]
    kept = list(weight_sets_of(demo_city, user))
    assert {one.how for one in kept} == set(WeightSet.How.values)
    given = [GivenWeights(str(one.pk), one.weights, tuple(map(tuple, one.comparisons))) for one in kept]
    question = IndexQuestion(kinds=("settlement",), first=3)
    found = weights_compare(city=demo_city, user=user, sets=given, known=known, question=question)
    assert found.agreement.concordance is not None
    assert 0.5 < found.agreement.concordance < 0.9
    assert 1 <= found.agreement.first_of_all.sum() < 3
    assert found.agreement.spread.max() >= 5
    for k, one in enumerate(kept):
        index = index_compute(city=demo_city, user=user, question=replace(question, weights=one.weights, draws=100))
        assert found.ranks[k].tolist() == index.priority.rank.tolist()
    # Together: the mean of the three rows of shares.
    assert found.joined == "shares"
    np.testing.assert_allclose(found.joint_shares, found.shares.mean(axis=0))
    np.testing.assert_allclose(found.shares.sum(axis=1), 1)


def test_comparisons_of_the_same_domains_are_put_together_by_geometric_means(demo_city: Place) -> None:
    user, codes = system_user(), ("early-care", "clinic-uncovered-share", "water-all-day")
    sets = [
        GivenWeights("a", dict.fromkeys(codes, 1.0), (("health", "infrastructure", 9.0),)),
        GivenWeights("b", dict.fromkeys(codes, 1.0), (("health", "infrastructure", 1.0),)),
    ]
    found = weights_compare(city=demo_city, user=user, sets=sets, known=codes)
    joint = dict(zip((one.code for one in found.matrix.indicators), found.joint_shares.tolist(), strict=True))
    assert found.joined == "comparisons"
    assert joint["water-all-day"] == pytest.approx(0.25)  # √(9·1) = 3 to 1
    assert joint["early-care"] == joint["clinic-uncovered-share"] == pytest.approx(0.375)


def test_what_cannot_be_compared_is_refused_or_told(demo_city: Place) -> None:
    user, known = system_user(), ["early-care", "disabled-unsupported"]
    one = GivenWeights("a", {"early-care": 1, "disabled-unsupported": 1, "castle": 4})
    found = weights_compare(city=demo_city, user=user, sets=[one], known=known)
    assert ([row.code for row in found.left_out], found.unknown) == (["disabled-unsupported"], ("castle",))
    assert found.joint is None
    for sets in (
        [],
        [one] * (MOST_SETS + 1),
        [GivenWeights("a", {"castle": 1})],
        [GivenWeights("a", {"disabled-unsupported": 1})],
    ):
        with pytest.raises(InvalidInput):
            weights_compare(city=demo_city, user=user, sets=sets, known=known)
    with pytest.raises(InvalidInput) as caught:
        weights_compare(city=demo_city, user=user, sets=[one], known=known, question=IndexQuestion(aggregation="magic"))  # type: ignore[arg-type]
    assert caught.value.code == "bad_method"
