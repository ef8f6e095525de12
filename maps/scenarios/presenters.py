"""What-ifs and scenarios as JSON. Whoever is told has a role in the city, so counts are told as they are."""

from __future__ import annotations

from typing import Any

from analysis.caching import content_key
from analysis.comparing import (
    CityComparison,
    WhatIf,
    comparison_record,
    score_told,
    total_told,
    uncovered_told,
    what_if_record,
)
from analysis.measures.facilities import facilities_of as facts_of
from analysis.models import Scenario
from analysis.results import CityPriority, ServiceRow, number_or_none
from analysis.scenarios import content_seen
from analysis.services import priority_parameters
from analysis.what_if import facilities_of
from geo.querysets import User
from maps.problems import text_told


def what_if_json(found: WhatIf, since: str) -> dict[str, Any]:
    """Return what changes do: of each place only what differs from how it is.

    Parameters
    ----------
    since
        Key of the values as they are that the reader holds; others get them too.
    """
    key = content_key(found.before.coverage.inputs_key, priority_parameters(found.before))[:16]
    told: dict[str, Any] = {"since": key}
    if key != since:
        told["base"] = _base_json(found.before)
    told |= what_if_record(found)
    told["warnings"] = [text_told(warning) for warning in told["warnings"]]
    return told


def _base_json(result: CityPriority) -> dict[str, Any]:
    covered = result.coverage
    return {
        "travel": covered.travel.code,
        "is_time": covered.travel.is_time,
        "population": covered.population.code if covered.population else "",
        "population_name": covered.population.name if covered.population else "–",
        "services": [
            {"code": s.code, "name": s.name, "threshold_m": s.threshold_m, "weight": s.weight, "layer": s.layer_code}
            for s in covered.services
        ],
        "places": {
            place.code: {
                "name": place.name,
                "kind": place.kind,
                "people": round(float(covered.values.population[i]), 2),
                "score": score_told(result, i),
                "rank": int(result.priority.rank[i]),
                "services": {s.code: uncovered_told(result, i, k) for k, s in enumerate(covered.services)},
            }
            for i, place in enumerate(covered.places)
        },
        "totals": {s.code: total_told(result, k) for k, s in enumerate(covered.services)},
    }


def facilities_json(service: ServiceRow, epsg: int) -> dict[str, Any]:
    """Return the facilities of a service, each with the number by which changes name it."""
    found, facts = facilities_of(service, epsg), facts_of(service, epsg)
    return {
        "service": service.code,
        "layer": service.layer_code,
        "release": service.release_number,
        "facilities": [
            {
                "number": int(number),
                "lon": round(float(lon), 7),
                "lat": round(float(lat), 7),
                "name": name,
                "capacity": number_or_none(capacity),
            }
            for number, (lon, lat), name, capacity in zip(
                found.numbers, found.middles, facts.names, facts.capacity, strict=True
            )
        ],
    }


def scenario_json(scenario: Scenario, user: User, *, newer: list[str], is_whole: bool = True) -> dict[str, Any]:
    """Return a scenario as a user may see it.

    Parameters
    ----------
    newer
        Codes of the services whose layers have a newer release than its changes were made on.
    is_whole
        With question, changes and the user's draft; a list leaves them out.
    """
    seen = content_seen(scenario, user).as_json()
    told: dict[str, Any] = {
        "id": scenario.pk,
        "city": scenario.city.code,
        "name": scenario.name,
        "note": scenario.note,
        "is_shared": scenario.is_shared,
        "version": scenario.version,
        "author": _name(scenario.author),
        "saved_by": _name(scenario.saved_by),
        "created_at": scenario.created_at.isoformat(),
        "saved_at": scenario.saved_at.isoformat(),
        "archived_at": scenario.archived_at.isoformat() if scenario.archived_at else None,
        "may_save": Scenario.objects.editable_by(user).filter(pk=scenario.pk).exists(),
        "newer_releases": [code for code in newer if any(change.get("service") == code for change in seen["changes"])],
    }
    if not is_whole:
        return told | {"changes_count": len(seen["changes"])}
    draft = scenario.drafts.visible_to(user).first()
    return told | {
        "question": seen["question"],
        "changes": seen["changes"],
        "draft": {"based_on": draft.based_on, "saved_at": draft.saved_at.isoformat(), **draft.content}
        if draft
        else None,
    }


def theirs_json(scenario: Scenario, user: User) -> dict[str, Any]:
    """Return what a scenario says as it stands, for one who wanted to save another version."""
    return content_seen(scenario, user).as_json()


def _name(user: Any) -> str:
    return str(user.get_full_name() or user.get_username())


def comparison_json(found: CityComparison) -> dict[str, Any]:
    """Return scenarios side by side, in the reader's language."""
    told = comparison_record(found)
    for place, row in zip(told["places"], found.places, strict=True):
        del place["name_en"]
        place["name"] = row.name
    for service, rows in zip(told["services"], found.services, strict=True):
        del service["name_en"]
        service["name"] = rows[0].name
    told["warnings"] = [text_told(warning) for warning in told["warnings"]]
    return told
