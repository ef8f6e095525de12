"""A round in which agencies propose: its place, needs, organisations and the people who act for them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser

from geo.models import Assignment, Place
from geo.services import PlaceSpec, place_put
from interventions.core.phases import PhaseKind
from interventions.core.transitions import NeedState, RoundState
from interventions.models import Membership, Need, Organisation, Programme, Proposal, Round, Sector
from interventions.services import (
    NeedSpec,
    OrganisationSpec,
    ProposalSpec,
    RoundSpec,
    need_record,
    organisation_record,
    proposal_submit,
    round_record,
)

TEHRAN = timezone(timedelta(hours=3, minutes=30))
OPENED = datetime(2026, 9, 23, 8, 0, tzinfo=TEHRAN)
IN_TIME = datetime(2026, 10, 1, 9, 0, tzinfo=TEHRAN)
NEEDS_DUE = datetime(2026, 10, 22, 23, 59, 59, tzinfo=TEHRAN)
PROPOSALS_DUE = datetime(2026, 11, 21, 23, 59, 59, tzinfo=TEHRAN)
ASSESSED = datetime(2026, 12, 1, 9, 0, tzinfo=TEHRAN)
ASSESSMENT_DUE = datetime(2026, 12, 21, 23, 59, 59, tzinfo=TEHRAN)
SECOND = timedelta(seconds=1)
BILLION = Decimal(10**9)


@dataclass
class Proposing:
    """The round, its people and what they can say."""

    city: Place
    areas: list[Place]
    round: Round
    sector: Sector
    works: Organisation
    health: Organisation
    water: Organisation
    ngo: Organisation
    needs: list[Need]
    people: dict[str, Any] = field(default_factory=dict)

    def spec(self, *needs: Need, **values: Any) -> ProposalSpec:
        """A proposal for some needs, the first one where none is named."""
        offered = ProposalSpec(
            round=self.round,
            organisation=self.works,
            needs=needs or (self.needs[0],),
            cost_irr=10 * BILLION,
            title_fa="طرح",
            title_en="Proposal",
        )
        return replace(offered, **values)

    def submitted(self, *needs: Need, at: datetime = IN_TIME, by: str = "agency", **values: Any) -> Proposal:
        """One that is handed in."""
        return proposal_submit(user=self.people[by], spec=self.spec(*needs, **values), at=at)


def small_city(prefix: str) -> tuple[Place, list[Place]]:
    """Make a city of two settlements without boundaries."""
    country = place_put(PlaceSpec("country", f"{prefix}-land", "کشور", "Land"))
    city = place_put(PlaceSpec("city", f"{prefix}-town", "شهر", "Town", country))
    return city, [
        place_put(PlaceSpec("settlement", f"{prefix}-{n}", f"سکونتگاه {n}", f"Settlement {n}", city)) for n in (1, 2)
    ]


def proposing(
    city: Place,
    areas: list[Place],
    prefix: str,
    budget_irr: Decimal | None = 25 * BILLION,
    due: dict[str, datetime] | None = None,
) -> Proposing:
    """Make a round in a city, with a need of each of some areas of it, and people by what they may do."""
    sector = Sector.objects.create(code=f"{prefix}-health", name_fa="سلامت", name_en="Health", position=950)
    programme = Programme.objects.create(place=city, code=f"{prefix}-upgrading", name_fa="برنامه", name_en="Programme")
    opened = round_record(
        RoundSpec(
            programme=programme,
            place=city,
            name_fa="دور",
            name_en="Round",
            due=due
            or {
                PhaseKind.NEEDS: NEEDS_DUE,
                PhaseKind.PROPOSALS: PROPOSALS_DUE,
                PhaseKind.ASSESSMENT: ASSESSMENT_DUE,
            },
            budget_irr=budget_irr,
        ),
        state=RoundState.OPENED,
        opened_at=OPENED,
    )
    made = {
        name: organisation_record(OrganisationSpec(city, f"{prefix}-{name}", kind, f"سازمان {name}", name.title()))
        for name, kind in (("works", "municipality"), ("health", "agency"), ("water", "agency"), ("ngo", "ngo"))
    }
    needs = [
        need_record(
            NeedSpec(
                round=opened,
                place=area,
                sector=sector,
                organisation=made["ngo"],
                approach="infrastructural",
                severity=4,
                people_affected=100 * (n + 1),
                text_fa="درمانگاه نیست",
                text_en="There is no clinic",
            ),
            state=NeedState.CONFIRMED,
            reporter=None,
            reported_at=IN_TIME,
        )
        for n, area in enumerate(areas)
    ]
    users = get_user_model().objects
    people: dict[str, Any] = {"anonymous": AnonymousUser()}
    roles = {
        "agency": ("agency", city, "works"),
        "health": ("agency", city, "health"),
        "water": ("agency", city, "water"),
        "reporter": ("reporter", city, "ngo"),
        "ngo-agency": ("agency", city, "ngo"),
        "stranger": ("agency", city, ""),
        "agency-area": ("agency", areas[0], "works"),
        "health-area": ("agency", areas[0], "health"),
        "supervisor": ("supervisor", city, ""),
        "second": ("supervisor", city, ""),
        "supervisor-area": ("supervisor", areas[0], ""),
        "planner": ("planner", city, ""),
        "viewer": ("viewer", city, ""),
    }
    for name, (role, place, organisation) in roles.items():
        people[name] = users.create_user(f"{prefix}-{name}")
        Assignment.objects.create(user=people[name], role=role, place=place)
        if organisation:
            Membership.objects.create(organisation=made[organisation], user=people[name], state="approved")
    people["nobody"] = users.create_user(f"{prefix}-nobody")
    people["root"] = users.create_superuser(f"{prefix}-root")
    return Proposing(
        city=city,
        areas=areas,
        round=opened,
        sector=sector,
        works=made["works"],
        health=made["health"],
        water=made["water"],
        ngo=made["ngo"],
        needs=needs,
        people=people,
    )
