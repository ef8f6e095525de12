"""What a reader asks of the pages of what-ifs, read from the query string or a form once and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from analysis.results import ServiceRow
from geo.errors import InvalidInput
from maps.pages.forms import service_chosen, show_chosen

WhatIfShow = Literal["uncovered", "change", "priority"]
SHOWS: Final[tuple[WhatIfShow, ...]] = ("uncovered", "change", "priority")
STEPS: Final = ("archive", "restore")
_LARGEST: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class WhatIfState:
    """What the page shows: which measure, of which service (``column`` is its place among the services)."""

    show: WhatIfShow
    service: str
    column: int


def what_if_state_from(parameters: Mapping[str, str], services: tuple[ServiceRow, ...]) -> WhatIfState:
    """Read the state of the page; where nothing is said, the first service that people go to.

    Raises
    ------
    InvalidInput, NotFound
        Where a value is none of the page's choices.
    """
    show = show_chosen(parameters, SHOWS)
    code = parameters.get("service", "")[:60]
    own = next((k for k, service in enumerate(services) if service.kind == "facility"), 0)
    column = (service_chosen(code, services) or 0) if code else own
    return WhatIfState(show, services[column].code, column)


@dataclass(frozen=True, slots=True)
class Step:
    """A scenario to be put away, or taken out again, as it was in a version."""

    scenario: int
    version: int
    is_archived: bool


def step_from(parameters: Mapping[str, str]) -> Step:
    """Read the form of a row of the list.

    Raises
    ------
    InvalidInput
        Where it says no step, or no scenario and version.
    """
    step = parameters.get("step", "")
    if step not in STEPS:
        raise InvalidInput(
            f"{step[:40]!r} is no step of a scenario.",
            code="bad_choice",
            where="step",
            remedy=f"Choose one of: {', '.join(STEPS)}.",
            details={"value": step[:40], "choices": STEPS},
        )
    return Step(_number(parameters, "scenario"), _number(parameters, "version"), step == "archive")


def _number(parameters: Mapping[str, str], name: str) -> int:
    text = parameters.get(name, "")
    if text.isascii() and text.isdecimal() and len(text) <= 10 and int(text) <= _LARGEST:
        return int(text)
    raise InvalidInput(
        f"{text[:40]!r} is not the number of a scenario.",
        code="bad_scenario",
        where=name,
        remedy="Choose one from the list of scenarios.",
        details={"value": text[:40]},
    )
