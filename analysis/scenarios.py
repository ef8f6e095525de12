"""Scenarios: changes to a city that are kept, shared and asked about. Nothing here touches the data themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import shapely
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from analysis import selectors
from analysis.core.changes import (
    Bounds,
    Change,
    FacilityAdded,
    StreetDrawn,
    changes_to_json,
)
from analysis.disclosure import is_insider
from analysis.forms import question_from
from analysis.ground import grid_kept
from analysis.models import Scenario, ScenarioDraft
from analysis.questions import question_from_json, question_to_json
from analysis.results import Question, ScenarioRow
from analysis.selectors import CityReading, services_asked
from analysis.what_if import facility_known
from geo.errors import Conflict, Forbidden, InvalidInput, NotFound
from geo.models import Place
from geo.querysets import User
from layers.models import Layer, Supply

LONGEST_NAME: Final = 200
LONGEST_NOTE: Final = 10_000


@dataclass(frozen=True, slots=True)
class Content:
    """What a person says of a scenario; the question holds the changes."""

    name: str
    question: Question
    note: str = ""
    is_shared: bool = False

    def as_json(self) -> dict[str, Any]:
        """Give it as it was sent."""
        return {
            "name": self.name,
            "note": self.note,
            "question": question_to_json(self.question),
            "changes": changes_to_json(self.question.changes),
            "is_shared": self.is_shared,
        }


class StaleScenario(Conflict):
    """The scenario was saved by somebody else since it was read; what was sent is kept as a draft.

    Attributes
    ----------
    mine, theirs
        What was sent, and the scenario as it stands.
    """

    default_code = "stale_version"

    def __init__(self, mine: Content, theirs: Scenario) -> None:
        super().__init__(
            f"The scenario was saved in version {theirs.version} meanwhile.",
            where="If-Match",
            remedy="Look at both versions, and save again on the newest one; what you sent is kept as your draft.",
        )
        self.mine = mine
        self.theirs = theirs


# ---- reads


def role_required(city: Place, user: User) -> None:
    """Refuse a person without a role in a city: what would be is thought about by people who answer for it.

    Raises
    ------
    Forbidden
        With what to ask for.
    """
    if not is_insider(user, city):
        raise Forbidden(
            f"You may not try changes to {city.name_en}.",
            code="may_not_suppose",
            where=city.code,
            remedy="Ask the administrator for a role there.",
            details={"city": city.name},
        )


def scenarios_of(city: Place, user: User, *, with_archived: bool = False) -> QuerySet[Scenario]:
    """Return the scenarios of a city that a user may see, the last saved first."""
    found = Scenario.objects.visible_to(user).filter(city=city).select_related("author", "saved_by", "city")
    return found if with_archived else found.current()


def scenario_get(number: int, user: User, city: Place | None = None) -> Scenario:
    """Return a scenario a user may see, archived ones too.

    Raises
    ------
    NotFound
        Where there is none, it is another city's, or the user may not know of it; they are not told apart.
    """
    known = Scenario.objects.visible_to(user).select_related("author", "saved_by", "city")
    found: Scenario | None = known.filter(pk=number, **({"city": city} if city else {})).first()
    if found is None:
        raise NotFound(
            f"There is no scenario {number} here, or you may not see it.",
            code="unknown_scenario",
            where="scenario",
            remedy="Choose one from the list of scenarios.",
        )
    return found


def scenario_row(scenario: Scenario) -> ScenarioRow:
    """Return what results say of the scenario they were computed for."""
    made_on = {str(code): str(found.get("content_hash", "")) for code, found in scenario.releases.items()}
    return ScenarioRow(scenario.pk, scenario.name, scenario.version, made_on)


def scenario_question(scenario: Scenario, user: User) -> Question:
    """Return what a scenario asks, as far as a user may see its services.

    Thresholds and weights of services that the city has no longer, or whose layers the user may not see, are left out;
    changes of such services stay, and the result says that they are left out.
    """
    asked = question_from_json(scenario.question, scenario.changes)
    return replace(asked.about(_service_codes(scenario.city, user)), scenario=scenario_row(scenario))


def question_asked(parameters: Mapping[str, str], *, city: Place, user: User) -> Question:
    """Read a question about a city from a query string; ``scenario=<number>`` asks for the city with that scenario's changes.

    What else the query string says goes before what the scenario asks.

    Raises
    ------
    InvalidInput
        As `question_from`, and where the scenario is no number.
    NotFound
        Where there is no such scenario of this city that the user may see.
    """
    return with_scenario(question_from(parameters), parameters.get("scenario", ""), city=city, user=user)


def with_scenario(asked: Question, number: str, *, city: Place, user: User) -> Question:
    """Return a question with what a scenario of the city asks where the question says nothing; as it is for no number.

    Raises
    ------
    InvalidInput, NotFound
        As `question_asked`.
    """
    if not number:
        return asked
    if not (number.isdecimal() and len(number) <= 9):
        raise InvalidInput(
            f"{number[:40]!r} is not the number of a scenario.",
            code="bad_scenario",
            where="scenario",
            remedy="Choose one from the list of scenarios.",
            details={"value": number[:40]},
        )
    kept = scenario_question(scenario_get(int(number), user, city), user)
    return replace(
        kept,
        thresholds_m={**kept.thresholds_m, **asked.thresholds_m},
        weights={**kept.weights, **asked.weights},
        needs_per_1000={**kept.needs_per_1000, **asked.needs_per_1000},
        **{
            name: getattr(asked, name) or getattr(kept, name)
            for name in ("services", "normalisation", "aggregation", "travel", "population", "programme")
        },
    )


def seen_by(question: Question, city: Place, user: User) -> Question:
    """Return a question without the changes of services whose layers a user may not see, of which nothing shall be said."""
    known = _service_codes(city, user)
    seen = tuple(c for c in question.changes if isinstance(c, StreetDrawn) or c.service in known)
    return replace(question, changes=seen)


def bounds_of(reading: CityReading) -> Bounds:
    """Return west, south, east and north of a city's places in degrees."""
    west, south, east, north = (float(value) for value in shapely.total_bounds(reading.places.geometries_4326))
    return west, south, east, north


def _service_codes(city: Place, user: User) -> set[str]:
    """Return the codes of the services of a city whose layers a user may see."""
    visible = Layer.objects.visible_to(user).filter(city=city)
    return set(Supply.objects.filter(city=city, layer__in=visible).values_list("service__code", flat=True))


# ---- writes


@transaction.atomic
def scenario_create(*, city: Place, author: Any, content: Content) -> Scenario:
    """Keep a scenario.

    Raises
    ------
    Forbidden
        Where the author has no role in the city.
    InvalidInput
        Where it has no name, or name or note are too long.
    NotFound
        Where it names a service that the city has not.
    """
    role_required(city, author)
    scenario = Scenario(city=city, author=author, saved_by=author)
    _put(scenario, content, author)
    scenario.save()
    return scenario


def scenario_save(*, scenario: Scenario, user: Any, version: int, content: Content) -> Scenario:
    """Save a scenario again, in place of what it held.

    Raises
    ------
    Forbidden
        Where it is not the user's to change.
    StaleScenario
        Where it has another version by now; what was sent is kept as the user's draft.
    InvalidInput, NotFound
        As `scenario_create`.
    """
    _checked(content)
    with transaction.atomic():
        held = _held(scenario, user)
        if held.version == version:
            _put(held, content, user)
            _saved(held, user)
            ScenarioDraft.objects.filter(scenario=held, user=user).delete()
            return held
    kept = {"based_on": version, "content": content.as_json()}
    ScenarioDraft.objects.update_or_create(scenario=held, user=user, defaults=kept)
    raise StaleScenario(content, held)


def scenario_rename(*, scenario: Scenario, user: Any, version: int, name: str) -> Scenario:
    """Give a scenario another name.

    Raises
    ------
    Forbidden, StaleScenario, InvalidInput
        As `scenario_save`; no draft is kept of a name.
    """
    with transaction.atomic():
        held = _current(scenario, user, version)
        held.name = _text(name, "name", LONGEST_NAME, is_needed=True)
        return _saved(held, user)


def scenario_archive(*, scenario: Scenario, user: Any, version: int, is_archived: bool = True) -> Scenario:
    """Put a scenario away, or take it out again; nothing is deleted.

    Raises
    ------
    Forbidden, StaleScenario
        As `scenario_save`.
    """
    with transaction.atomic():
        held = _current(scenario, user, version)
        held.archived_at = timezone.now() if is_archived else None
        return _saved(held, user)


def draft_drop(scenario: Scenario, user: Any) -> None:
    """Give up what a user wanted to save of a scenario."""
    ScenarioDraft.objects.visible_to(user).filter(scenario=scenario).delete()


def _held(scenario: Scenario, user: Any) -> Scenario:
    """Return a scenario as it stands, locked until the end of the transaction.

    Raises
    ------
    Forbidden
        Where it is not the user's to change.
    """
    held: Scenario = (
        Scenario.objects.select_for_update(of=("self",)).select_related("city", "author").get(pk=scenario.pk)
    )
    if not Scenario.objects.editable_by(user).filter(pk=held.pk).exists():
        raise Forbidden(
            "You may not change this scenario.",
            code="not_your_scenario",
            where="scenario",
            remedy="Save it as one of your own.",
        )
    return held


def _current(scenario: Scenario, user: Any, version: int) -> Scenario:
    held = _held(scenario, user)
    if held.version != version:
        raise StaleScenario(content_of(scenario), held)
    return held


def content_of(scenario: Scenario) -> Content:
    """Return what a scenario says, all of it."""
    question = question_from_json(scenario.question, scenario.changes)
    return Content(scenario.name, question, scenario.note, scenario.is_shared)


def content_seen(scenario: Scenario, user: User) -> Content:
    """Return what a scenario says, without the services whose layers a user may not see."""
    question = seen_by(scenario_question(scenario, user), scenario.city, user)
    return Content(scenario.name, question, scenario.note, scenario.is_shared)


def _with_hidden(scenario: Scenario, question: Question, user: User) -> Question:
    """Return what is to be kept of a scenario: what a user says, and what they were not shown of it and so cannot have meant to drop."""
    before, seen = content_of(scenario).question, content_seen(scenario, user).question
    return replace(
        question,
        thresholds_m={**_without(before.thresholds_m, seen.thresholds_m), **question.thresholds_m},
        weights={**_without(before.weights, seen.weights), **question.weights},
        needs_per_1000={**_without(before.needs_per_1000, seen.needs_per_1000), **question.needs_per_1000},
        services=(*question.services, *(code for code in before.services if code not in seen.services)),
        changes=(*question.changes, *(change for change in before.changes if change not in seen.changes)),
    )


def _without(values: Mapping[str, float], known: Mapping[str, float]) -> dict[str, float]:
    return {code: value for code, value in values.items() if code not in known}


def _put(scenario: Scenario, content: Content, user: Any) -> None:
    """Write content into a scenario, with what its changes were made on."""
    _checked(content)
    reading = selectors.city_read(scenario.city, user)
    question = content.question
    known = {found.supply.service.code for found in reading.supplied}
    services_asked(scenario.city, reading.supplied, replace(question, changes=(), scenario=None))
    rows, _ = services_asked(scenario.city, reading.supplied, Question(thresholds_m=dict.fromkeys(known, 1.0)))
    by_code = {row.code: row for row in rows}
    epsg = grid_kept(reading, None).epsg
    anchored: list[Change] = []
    for change in question.changes:
        if isinstance(change, FacilityAdded | StreetDrawn) or change.service not in by_code:
            anchored.append(change)
        else:
            anchored.append(facility_known(by_code[change.service], change, epsg))
    touched = sorted(
        {change.service for change in question.changes if not isinstance(change, StreetDrawn)} & set(by_code)
    )
    kept = _with_hidden(scenario, replace(question, changes=tuple(anchored)), user)
    unseen = {change.service for change in kept.changes if not isinstance(change, StreetDrawn)} - known
    scenario.name, scenario.note, scenario.is_shared = content.name.strip(), content.note, content.is_shared
    scenario.question, scenario.changes = question_to_json(kept), changes_to_json(kept.changes)
    scenario.releases = {code: made_on for code, made_on in scenario.releases.items() if code in unseen} | {
        code: {
            "layer": by_code[code].layer_code,
            "release": by_code[code].release_number,
            "content_hash": by_code[code].release_hash,
        }
        for code in touched
    }


def _checked(content: Content) -> None:
    _text(content.name, "name", LONGEST_NAME, is_needed=True)
    _text(content.note, "note", LONGEST_NOTE)


def _text(value: str, where: str, most: int, *, is_needed: bool = False) -> str:
    text = value.strip()
    if is_needed and not text:
        raise InvalidInput(
            "The scenario needs a name.", code="no_name", where=where, remedy="Say in a few words what it is."
        )
    if len(text) > most:
        raise InvalidInput(
            f"The text has {len(text)} characters, more than {most}.",
            code="text_too_long",
            where=where,
            remedy="Shorten it.",
        )
    return text


def _saved(scenario: Scenario, user: Any) -> Scenario:
    scenario.version += 1
    scenario.saved_by, scenario.saved_at = user, timezone.now()
    scenario.save()
    return scenario
