"""What a reader asks of a page, read from the query string once and checked; and the form that publishes a map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeVar
from urllib.parse import urlencode

from analysis.results import Question, ServiceRow
from geo.errors import InvalidInput, NotFound

Show = Literal["priority", "coverage", "uncovered"]
SHOWS: Final[tuple[Show, ...]] = ("priority", "coverage", "uncovered")
SORTS: Final = ("rank", "name", "value", "people")
S = TypeVar("S", bound=str)


@dataclass(frozen=True, slots=True)
class CityState:
    """What the city page shows: which measure, of which service, in which order, under which question."""

    show: Show
    service: str
    sort: str
    is_reversed: bool
    question: Question

    def query(self, **changes: str) -> str:
        """Return the query string of this state with some keys changed; an empty value leaves the key out.

        Only what differs from the page's defaults is written, so that addresses stay short.
        """
        values: dict[str, str] = {}
        if self.show != "priority":
            values["show"] = self.show
        if self.service:
            values["service"] = self.service
        if self.sort != "rank" or self.is_reversed:
            values["sort"] = ("-" if self.is_reversed else "") + self.sort
        values |= {f"threshold-{code}": f"{metres:g}" for code, metres in self.question.thresholds_m.items()}
        values |= {f"weight-{code}": f"{weight:g}" for code, weight in self.question.weights.items()}
        values |= {f"need-{code}": f"{need:g}" for code, need in self.question.needs_per_1000.items()}
        chosen = ("aggregation", "normalisation", "travel", "population", "programme")
        values |= {key: value for key in chosen if (value := getattr(self.question, key))}
        if self.question.scenario is not None:
            values["scenario"] = str(self.question.scenario.id)
        values |= changes
        text = urlencode({key: value for key, value in values.items() if value})
        return f"?{text}" if text else "?"

    @property
    def is_changed(self) -> bool:
        """Tell whether thresholds, weights, methods, the way of travel or the source of people differ from the city's own."""
        return replace(self.question, services=()) != Question()

    @property
    def is_own_measure(self) -> bool:
        """Tell whether thresholds, weights or methods differ from the city's own, and not only what is measured on."""
        question = self.question
        numbers = question.thresholds_m or question.weights or question.needs_per_1000
        return bool(numbers or question.normalisation or question.aggregation)


def city_state_from(parameters: Mapping[str, str], question: Question) -> CityState:
    """Read the state of a city page.

    Raises
    ------
    InvalidInput
        Where a value is none of the page's choices.
    """
    show = show_chosen(parameters, SHOWS)
    sort = parameters.get("sort") or "rank"
    if sort.removeprefix("-") not in SORTS:
        raise InvalidInput(
            f"The table cannot be sorted by {sort[:40]!r}.",
            code="bad_sort",
            where="sort",
            remedy=f"Choose one of: {', '.join(SORTS)}.",
            details={"value": sort[:40], "choices": SORTS},
        )
    return CityState(show, parameters.get("service", "")[:60], sort.removeprefix("-"), sort.startswith("-"), question)


def show_chosen(parameters: Mapping[str, str], shows: tuple[S, ...]) -> S:
    """Return which of its measures a page shows; the first where nothing is said.

    Raises
    ------
    InvalidInput
        Where it is none of them.
    """
    said = parameters.get("show") or shows[0]
    for show in shows:
        if show == said:
            return show
    raise InvalidInput(
        f"{said[:40]!r} cannot be shown.",
        code="bad_show",
        where="show",
        remedy=f"Choose one of: {', '.join(shows)}.",
        details={"value": said[:40], "choices": shows},
    )


def service_chosen(code: str, services: tuple[ServiceRow, ...]) -> int | None:
    """Return which service a code names; the first one for no code, None where the city has none.

    Raises
    ------
    NotFound
        Where the city has no such service.
    """
    if not code:
        return 0 if services else None
    for index, service in enumerate(services):
        if service.code == code:
            return index
    raise NotFound(
        f"There is no service {code!r} here.",
        code="unknown_service",
        where="service",
        remedy=f"Choose one of: {', '.join(s.code for s in services)}.",
        details={"service": code, "choices": [s.code for s in services]},
    )
