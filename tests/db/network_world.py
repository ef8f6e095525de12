"""A small network that tests share: a country with one city, settlements, a round, organisations, and people by role and place."""

from __future__ import annotations

import itertools
from datetime import date, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import shapely
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.db import connection, transaction

from geo.models import Assignment, Boundary, Place
from geo.services import PlaceSpec, boundary_approve, place_put
from interventions.core.phases import PhaseKind
from interventions.core.transitions import RoundState
from interventions.models import (
    Action,
    Activation,
    Assessment,
    Capacity,
    Committee,
    Council,
    Decision,
    LogEntry,
    Membership,
    Need,
    Organisation,
    Programme,
    Proposal,
    Round,
    Sector,
)
from interventions.services import NeedSpec, OrganisationSpec, RoundSpec, organisation_record, round_record

TEHRAN = timezone(timedelta(hours=3, minutes=30))
OPENED = datetime(2026, 9, 23, 8, 0, tzinfo=TEHRAN)
IN_TIME = datetime(2026, 11, 1, 9, 0, tzinfo=TEHRAN)
NEEDS_DUE = datetime(2026, 12, 21, 23, 59, 59, tzinfo=TEHRAN)
PROPOSALS_DUE = datetime(2027, 3, 20, 23, 59, 59, tzinfo=TEHRAN)
LATE = PROPOSALS_DUE + timedelta(seconds=1)
ROLES = tuple(Assignment.Role.values)


def network_world(root: str = "net") -> SimpleNamespace:
    """A country of its own with one city, settlements a and b, an unpublished one, a round, and people."""
    chain: Place | None = None
    for kind, code in (
        ("country", root),
        ("province", "lorestan"),
        ("county", "khorramabad-county"),
        ("city", f"{root}-city"),
    ):
        chain = place_put(PlaceSpec(kind, code, f"جا {code}", f"Place {code}", chain))
    city = chain
    assert city is not None
    here = {
        code: place_put(PlaceSpec("settlement", code, f"سکونتگاه {code}", f"Settlement {code}", city, code != "hidden"))
        for code in ("a", "b", "hidden")
    }
    elsewhere = place_put(PlaceSpec("country", f"{root}-elsewhere", "جای دیگر", "Elsewhere"))
    boundary_approve(
        place=here["a"],
        geometry_4326=shapely.box(48.30, 33.40, 48.31, 33.41),
        valid_from=date(2026, 1, 1),
        source="test",
        certainty="modelled",
    )
    sectors = {
        code: Sector.objects.create(
            code=f"{root}-{code}", name_fa=f"حوزهٔ {code}", name_en=code.title(), position=900 + i
        )
        for i, code in enumerate(("health", "water"))
    }
    users = get_user_model().objects
    people: dict[str, Any] = {"anonymous": AnonymousUser(), "root": users.create_superuser(f"{root}-root")}
    for role, (where, place) in itertools.product(ROLES, (("city", city), ("elsewhere", elsewhere))):
        people[f"{role}@{where}"] = users.create_user(f"{root}-{role}-{where}")
        Assignment.objects.create(user=people[f"{role}@{where}"], role=role, place=place)
    for role in ("reporter", "supervisor"):
        people[f"{role}@a"] = users.create_user(f"{root}-{role}-a")
        Assignment.objects.create(user=people[f"{role}@a"], role=role, place=here["a"])
    people["nobody"] = users.create_user(f"{root}-nobody")
    people["gone"] = users.create_user(f"{root}-gone", is_active=False)
    Assignment.objects.create(user=people["gone"], role="supervisor", place=city)
    programme = Programme.objects.create(place=city, code="upgrading", name_fa="برنامه", name_en="Programme")
    round_spec = RoundSpec(
        programme=programme,
        place=city,
        name_fa="دور نخست",
        name_en="First round",
        due={PhaseKind.NEEDS: NEEDS_DUE, PhaseKind.PROPOSALS: PROPOSALS_DUE},
    )
    opened = round_record(round_spec, state=RoundState.OPENED, opened_at=OPENED)
    office = organisation_record(OrganisationSpec(city, "office", "agency", "اداره", "Office"))
    ngo_a = organisation_record(OrganisationSpec(here["a"], "ngo-a", "ngo", "سمن", "Association"))
    for organisation, names in ((office, ("reporter@city", "agency@city", "reporter@a")), (ngo_a, ("reporter@city",))):
        for name in names:
            Membership.objects.create(organisation=organisation, user=people[name], state="approved")
    need_spec = NeedSpec(
        round=opened,
        place=here["a"],
        sector=sectors["health"],
        organisation=office,
        approach="social",
        severity=3,
        people_affected=100,
        text_fa="درمانگاه نیست",
        text_en="No clinic",
    )
    return SimpleNamespace(
        city=city, **here, elsewhere=elsewhere, sectors=sectors, people=people, programme=programme, round=opened,
        round_spec=round_spec, office=office, ngo_a=ngo_a, need_spec=need_spec,
    )  # fmt: skip


def network_swept(root: str) -> None:
    """Take a network away that was committed, row by row, as the other tests' data must stay."""
    roots = (root, f"{root}-elsewhere")
    for code in roots:
        at = {"place__path__startswith": code}
        of_round = {"round__place__path__startswith": code}
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("ALTER TABLE interventions_logentry DISABLE TRIGGER interventions_log_kept")
            LogEntry.objects.filter(**at).delete()
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE interventions_logentry ENABLE TRIGGER interventions_log_kept")
            for model in (Decision, Assessment):
                model.objects.filter(proposal__round__place__path__startswith=code).delete()
            Action.objects.filter(**at).delete()
            Capacity.objects.filter(**at).delete()
            Proposal.objects.filter(**of_round).delete()
            Need.objects.filter(**of_round, merged_into__isnull=False).delete()
            Need.objects.filter(**of_round).delete()
            for model in (Round, Programme, Council, Activation, Committee):
                model.objects.filter(**at).delete()
            Membership.objects.filter(organisation__place__path__startswith=code).delete()
            Organisation.objects.filter(**at).delete()
            Boundary.objects.filter(**at).delete()
            Assignment.objects.filter(**at).delete()
            for place in Place.objects.filter(path__startswith=code).order_by("-path"):
                place.delete()
    Sector.objects.filter(code__startswith=f"{root}-").delete()
    get_user_model().objects.filter(username__startswith=f"{root}-").delete()
