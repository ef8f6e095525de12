"""The facility of each service that most people of a place have nearest, as a table. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from analysis.measures.results import NearestFacility
from analysis.results import ServiceRow, TravelRow
from maps.pages import formats, measured, telling
from maps.pages.reader import language


@dataclass(frozen=True, slots=True)
class NearestRow:
    """One service of the table; ``number`` is the facility's row, 0 for one that a scenario adds."""

    service_code: str
    service_name: str
    facility: str
    number: int
    distance_text: str
    share_text: str
    others_text: str


def nearest_view(
    found: Sequence[tuple[ServiceRow, NearestFacility]], travel: TravelRow, people: float, *, is_insider: bool
) -> tuple[NearestRow, ...]:
    """Present the nearest facilities of a place where so many people live."""
    lang = language()
    rows = []
    for service, nearest in found:
        is_time = travel.is_time and not measured.goes_straight(service, travel)
        share = telling.share(round(nearest.share, 6) * people, people, is_insider)
        rows.append(
            NearestRow(
                service_code=service.code,
                service_name=service.name,
                facility=nearest.name or _("number %(n)s") % {"n": formats.number(nearest.number, lang)},
                number=nearest.number,
                distance_text=telling.distance(nearest.mean_distance_m, nearest.people, is_insider).as_distance(
                    lang, is_time=is_time
                ),
                share_text=share.as_percent(lang),
                others_text=formats.number(nearest.others, lang),
            )
        )
    return tuple(rows)
