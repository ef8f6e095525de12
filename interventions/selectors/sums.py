"""Sums of needs that everybody may be told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, Q

from analysis.disclosure import is_insider, suppressed
from geo.models import Place
from geo.querysets import User
from interventions.core.transitions import NeedState
from interventions.models import Need, Proposal
from interventions.selectors.rows import NamedRow


@dataclass(frozen=True, slots=True)
class SectorSummary:
    """What is lacking in a place in one sector.

    Attributes
    ----------
    sector
        The sector.
    needs
        Needs reported or confirmed; merged and rejected ones are left out.
    confirmed
        Those of them that the supervisor confirmed.
    people_affected
        People affected, at least: of each place the need that affects most, summed over places, so that a person with
        several needs is not counted several times. None where it is too small a number to be told to the public.
    severity_max
        The gravest of the needs, 1 to 5.
    proposals
        Proposals that answer at least one of these needs, handed in and not refused.
    """

    sector: NamedRow
    needs: int
    confirmed: int
    people_affected: int | None
    severity_max: int
    proposals: int


def needs_summary(place: Place, user: User) -> tuple[SectorSummary, ...]:
    """Return what is lacking in a place, sector by sector; sectors without needs are left out.

    People with a role in the place are told about its whole subtree, exactly. All others are told about the published
    places in it, and small numbers of people not at all; nor is a sum told where what is withheld of its parts is
    small, because the parts that are told could be subtracted from it.
    """
    insider = is_insider(user, place)
    needs = Need.objects.within(place).counted()
    if not insider:
        needs = needs.filter(place__in=Place.objects.within(place).visible_to(user).order_by().values("pk"))
    grouped = (
        needs.order_by()
        .values("sector__code", "sector__name_fa", "sector__name_en", "sector__position", "place_id")
        .annotate(
            needs=Count("pk"),
            confirmed=Count("pk", filter=Q(state=NeedState.CONFIRMED)),
            people=Max("people_affected"),
            worst=Max("severity"),
        )
    )
    by_sector: dict[tuple[int, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in grouped:
        by_sector[row["sector__position"], row["sector__code"]].append(row)
    if not by_sector:
        return ()
    answers = Proposal.needs.through.objects.filter(need__in=needs, proposal__in=Proposal.objects.standing())
    proposals = dict(
        answers.order_by().values_list("need__sector__code").annotate(found=Count("proposal_id", distinct=True))
    )
    return tuple(
        SectorSummary(
            sector=NamedRow(code, rows[0]["sector__name_fa"], rows[0]["sector__name_en"]),
            needs=sum(row["needs"] for row in rows),
            confirmed=sum(row["confirmed"] for row in rows),
            people_affected=_told([row["people"] for row in rows], exactly=insider),
            severity_max=max(row["worst"] for row in rows),
            proposals=proposals.get(code, 0),
        )
        for (_, code), rows in sorted(by_sector.items())
    )


def _told(by_place: list[int], *, exactly: bool) -> int | None:
    withheld = sum(people for people in by_place if suppressed(people))
    return sum(by_place) if exactly or not (suppressed(sum(by_place)) or suppressed(withheld)) else None
