"""Pages of decisions: the table of those who lead, a selection proposed under the budget, and what everybody reads."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from geo.models import Place
from interventions.core.phases import PhaseKind
from interventions.models import Decision, Proposal, Round
from interventions.services import round_close
from tests.db.proposing import BILLION, Proposing, proposing
from tests.http.test_proposals_pages import clinic, signed_in, submitted, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(demo_city: Place) -> Proposing:
    areas = list(Place.objects.within(demo_city).filter(kind="settlement").order_by("code")[:2])
    now = timezone.now()
    due = {kind: now + timedelta(days=10 * n) for n, kind in enumerate(list(PhaseKind)[:3], start=1)}
    return proposing(demo_city, areas, "dc", due=due)


def address(world: Proposing, page: str = "decision") -> str:
    return f"/khorramabad/rounds/{world.round.pk}/{page}/"


def chosen(*proposals: Proposal, do: str = "accept", **values: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"do": do, "reason": "Serves most", "chosen": [one.pk for one in proposals]}
    for one in proposals:
        one.refresh_from_db()
        body |= {f"version-{one.pk}": one.version, f"granted-{one.pk}": f"{one.cost_irr - one.own_funding_irr:,}"}
    return body | values


def test_only_those_who_lead_see_the_table(world: Proposing) -> None:
    submitted(world)
    for name in world.people:
        if name == "anonymous":
            assert Client().get(address(world)).status_code == 302
            continue
        wanted = 200 if name in ("supervisor", "second", "root") else 403
        assert signed_in(world, name).get(address(world)).status_code == wanted, name
        if wanted == 403:
            assert signed_in(world, name).post(address(world), {"do": "publish"}).status_code == 403


def test_the_table_says_what_is_needed_answered_and_left(world: Proposing) -> None:
    made = submitted(world, title_en="Clean wells")
    page = signed_in(world, "supervisor").get(address(world))
    told = text_of(page)
    assert "1 proposal waits for a decision; 25 billion rials of the budget of 25 billion rials are left" in told
    assert "Clean wells" in told
    assert f'name="version-{made.pk}" value="1"' in page.content.decode()
    assert 'data-left="25000000000"' in page.content.decode()


def test_a_selection_is_proposed_and_nothing_is_stored(world: Proposing) -> None:
    dear = submitted(world, title_en="Dear", cost_irr=20 * BILLION)
    cheap = submitted(world, title_en="Cheap", needs=(world.needs[1],), cost_irr=9 * BILLION)
    page = signed_in(world, "supervisor").get(address(world), {"propose": "1", "budget": "۱۰٬۰۰۰٬۰۰۰٬۰۰۰"})
    told = text_of(page)
    assert "With 10 billion rials, 1 proposal serves 200 people and leaves 1 billion rials" in told
    assert "Proven: no selection within this sum serves more people." in told
    assert "Dear" in told
    assert "costs more than is left" in told
    body = page.content.decode()
    assert f'value="{cheap.pk}" checked' in body
    assert f'value="{dear.pk}" checked' not in body
    assert "What more money would reach" in told
    assert set(Proposal.objects.filter(round=world.round).values_list("state", flat=True)) == {"submitted"}


def test_computed_effects_are_what_a_selection_counts(world: Proposing) -> None:
    made = clinic(world, title_en="Clinic")
    page = signed_in(world, "supervisor").get(address(world), {"propose": "1"})
    made.refresh_from_db()
    assert f"{round(made.effect['people']):,} people newly covered" in text_of(page)
    assert f"serves {round(made.effect['people']):,} people" in text_of(page)


def test_several_are_decided_together_and_published(world: Proposing) -> None:
    one, two = submitted(world, title_en="First"), submitted(world, title_en="Second")
    leader = signed_in(world, "supervisor")
    answer = leader.post(
        address(world), chosen(one, two, **{f"granted-{two.pk}": "۵٬۰۰۰٬۰۰۰٬۰۰۰", f"reason-{two.pk}": "Half of it"})
    )
    assert (answer.status_code, answer["Location"]) == (302, address(world))
    assert set(Decision.objects.filter(proposal__round=world.round).values_list("granted_irr", "reason")) == {
        (10 * BILLION, "Serves most"),
        (5 * BILLION, "Half of it"),
    }
    public = Client()
    public.cookies["django_language"] = public.cookies["language"] = "en"
    assert "First" not in text_of(public.get(address(world, "decisions"), headers={"accept-language": "en"}))
    assert "10 billion rials" in text_of(leader.get(address(world)))
    assert leader.post(address(world), {"do": "publish"}).status_code == 302
    told = text_of(public.get(address(world, "decisions"), headers={"accept-language": "en"}))
    assert "2 of 2 proposals are accepted, with 15 billion rials" in told
    for shown in ("First", "Second", "Serves most", "Half of it"):
        assert shown in told
    # People and authors are in no public page.
    assert world.people["supervisor"].get_username() not in told
    assert world.people["agency"].get_username() not in told


def test_over_the_budget_nothing_is_decided_and_the_form_is_kept(world: Proposing) -> None:
    made = [submitted(world, title_en=f"P{n}") for n in range(3)]
    page = signed_in(world, "supervisor").post(address(world), chosen(*made, reason="All of them"))
    assert page.status_code == 409
    assert "more than the budget of the round" in text_of(page)
    assert "All of them" in page.content.decode()
    assert page.content.decode().count("checked>") >= 3
    assert not Decision.objects.filter(proposal__round=world.round).exists()


def test_a_closed_round_is_read_and_not_decided_about(world: Proposing) -> None:
    made = submitted(world, title_en="Clean wells")
    body, leader = chosen(made), signed_in(world, "supervisor")
    round_close(user=world.people["supervisor"], round_=world.round)
    answer = leader.post(address(world), body)
    assert answer.status_code == 409
    assert "The round is closed. Wait for the next round." in text_of(answer)
    made.refresh_from_db()
    assert made.state == "submitted"
    page = leader.get(address(world))
    assert "Nothing is decided in it any more." in text_of(page)
    assert "Clean wells" in text_of(page)
    assert 'value="accept"' not in page.content.decode()
    assert "Decide, beside the other proposals" not in text_of(leader.get(f"/khorramabad/proposals/{made.pk}/"))


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"reason": " "}, 400),
        ({"chosen": []}, 400),
        ({"chosen": ["999999999"]}, 400),
        ({"chosen": ["nonsense"]}, 400),
        ({"do": "bless"}, 400),
        ({"do": ""}, 400),
    ],
)
def test_what_cannot_be_decided_is_refused(world: Proposing, values: dict[str, Any], status: int) -> None:
    made = submitted(world)
    page = signed_in(world, "supervisor").post(address(world), chosen(made) | values)
    assert page.status_code == status
    made.refresh_from_db()
    assert made.state == "submitted"


def test_grants_are_read_as_typed_and_refused_beside_their_field(world: Proposing) -> None:
    made = submitted(world)
    leader = signed_in(world, "supervisor")
    assert leader.post(address(world), chosen(made, **{f"granted-{made.pk}": "much"})).status_code == 400
    assert leader.post(address(world), chosen(made, **{f"granted-{made.pk}": "11,000,000,000"})).status_code == 400
    assert leader.post(address(world), chosen(made, **{f"version-{made.pk}": "9"})).status_code == 409
    assert leader.post(address(world), chosen(made, do="refuse")).status_code == 302
    made.refresh_from_db()
    assert made.state == "refused"


def test_a_round_without_a_budget_asks_for_the_sum(world: Proposing) -> None:
    submitted(world)
    Round.objects.filter(pk=world.round.pk).update(budget_irr=None)
    leader = signed_in(world, "supervisor")
    assert "The round has no budget." in text_of(leader.get(address(world), {"propose": "1"}))
    told = text_of(leader.get(address(world), {"propose": "1", "budget": str(Decimal(30 * BILLION))}))
    assert "With 30 billion rials, 1 proposal serves 100 people" in told


def test_a_round_without_proposals_and_decisions_explains_itself(world: Proposing) -> None:
    assert "No proposal waits for a decision" in text_of(signed_in(world, "supervisor").get(address(world)))
    told = Client().get(address(world, "decisions"), headers={"accept-language": "en"})
    assert told.status_code == 200
