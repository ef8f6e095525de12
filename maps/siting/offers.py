"""A plan, or a scenario, as the form of a proposal is filled in with it: sites, service, and what they would do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from analysis.comparing import counted_rows, what_if_compute
from analysis.core.changes import FacilityAdded
from analysis.results import Question
from analysis.scenarios import scenario_get, scenario_question
from analysis.siting import planned_question, run_get
from geo.errors import NotFound
from geo.models import Place
from geo.querysets import User
from layers.models import Service
from maps.pages import formats
from maps.pages.reader import language
from maps.siting.telling import limit_phrase, people_text

LANGUAGES = ("fa", "en")


def planned_values(parameters: Mapping[str, str], city: Place, user: User) -> dict[str, str]:
    """Return what the form of a proposal says first: of ``plan=<run>`` or ``scenario=<number>``; nothing without either.

    Raises
    ------
    NotFound
        Where there is no such plan or scenario that the user may see.
    """
    if number := parameters.get("plan", ""):
        run = run_get(_whole(number), city, user)
        spent = run.result["spent"]
        cost = {} if spent is None else {"cost_irr": formats.number(spent, language())}
        return cost | _values(
            planned_question(run).changes, run.parameters["service"], run.result["people_gained"],
            run.parameters["threshold_m"], run.parameters["travel"], "",
        )  # fmt: skip
    if number := parameters.get("scenario", ""):
        scenario = scenario_get(_whole(number), user, city)
        question = scenario_question(scenario, user)
        new = [change for change in question.changes if isinstance(change, FacilityAdded)]
        if new:
            return _of_scenario(city, user, question, new, scenario.name)
    return {}


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise NotFound(
            f"There is no plan {text[:40]!r} here, or you may not see it.",
            code="unknown_run",
            where="plan",
            remedy="Choose one from the list of plans.",
        )
    return int(text)


def _of_scenario(
    city: Place, user: User, question: Question, new: Sequence[FacilityAdded], name: str
) -> dict[str, str]:
    """Tell of the service of which a scenario adds most facilities: a proposal gives one service."""
    codes = [change.service for change in new]
    service = max(codes, key=codes.count)
    found = what_if_compute(city=city, user=user, question=question)
    after = found.after.coverage
    column = after.service_index(service)
    if column is None:
        return {}
    gained = float(found.effect.gained_people[counted_rows(after.places), column].sum())
    chosen = [change for change in new if change.service == service]
    return _values(chosen, service, gained, after.services[column].threshold_m, after.travel.code, name)


def _values(
    changes: Sequence[Any], code: str, people: float, threshold_m: float, travel: str, name: str
) -> dict[str, str]:
    points = [[change.lon, change.lat] for change in changes]
    if not points:
        return {}
    capacities = [change.capacity for change in changes if change.capacity]
    service = Service.objects.filter(code=code).first()
    geometry: dict[str, Any] = (
        {"type": "Point", "coordinates": points[0]}
        if len(points) == 1
        else {"type": "MultiPoint", "coordinates": points}
    )
    values = {
        "service": code,
        "geometry": json.dumps(geometry),
        "lon": str(points[0][0]) if len(points) == 1 else "",
        "lat": str(points[0][1]) if len(points) == 1 else "",
        "people_targeted": formats.digits(str(round(people)), language()),
        "capacity": formats.digits(f"{sum(capacities):.0f}", language()) if capacities else "",
    }
    for lang in LANGUAGES:
        with override(lang):
            told = {
                "n": formats.number(len(points), lang),
                "service": "" if service is None else (service.name_en if lang == "en" else service.name_fa),
                "people": people_text(people, lang),
                "limit": limit_phrase(threshold_m, travel, lang),
            }
            title = ngettext("%(n)s new facility: %(service)s", "%(n)s new facilities: %(service)s", len(points)) % told
            values[f"title_{lang}"] = (name or title)[:200]
            values[f"effect_{lang}"] = _("%(people)s more people would be within %(limit)s.") % told
    return values


__all__ = ["planned_values"]
