"""What a reader asks of the page of measures, read from the query string once and checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, get_args

from django.http import HttpRequest

from analysis.measures.access import HowShared
from analysis.measures.results import Decaying
from analysis.results import Question, ServiceRow
from maps.measures.parameters import number_of, sharing_of
from maps.pages.forms import CityState, service_chosen

DECAYS: Final[tuple[str, ...]] = get_args(Decaying)


@dataclass(frozen=True, slots=True)
class MeasuresState:
    """What the page shows: of which service, how capacity is shared, and which land is demanded.

    Attributes
    ----------
    column
        The service's place among the services.
    is_counted
        Whether the reader asks for each facility to count as one.
    m2_per_person
        None for the standard.
    """

    city: CityState
    column: int
    how: HowShared
    is_counted: bool
    m2_per_person: float | None

    @property
    def is_more(self) -> bool:
        """Whether more is chosen than the service, the way of travel and the source of people."""
        return self.how != HowShared() or self.m2_per_person is not None or self.city.question.programme != ""

    def query(self, **changes: str) -> str:
        """Return the query string of this state with some keys changed; an empty value leaves the key out."""
        own: dict[str, str] = {}
        if self.how.decay != "2sfca":
            own["decay"] = self.how.decay
        if self.is_counted:
            own["capacity"] = "count"
        if self.how.per_1000 is not None:
            own["per-1000"] = f"{self.how.per_1000:g}"
        if self.how.limit_m is not None:
            own["limit"] = f"{self.how.limit_m:g}"
        if self.m2_per_person is not None:
            own["m2-per-person"] = f"{self.m2_per_person:g}"
        return self.city.query(**{**own, **changes})


def measures_state_from(
    request: HttpRequest, question: Question, services: tuple[ServiceRow, ...]
) -> MeasuresState | None:
    """Read the state of the page; None where the city has no service.

    Raises
    ------
    NotFound, InvalidInput
        Where there is no such service, or a value is not possible.
    """
    code = request.GET.get("service", "")[:80]
    column = service_chosen(code, services)
    how = sharing_of(request)
    land = number_of(request, "m2-per-person", 0.001, 100_000)
    if column is None:
        return None
    if not code:
        column = next((k for k, service in enumerate(services) if service.kind == "facility"), 0)
    state = CityState("priority", services[column].code, "rank", False, question)
    return MeasuresState(state, column, how, how.counts_one, land)
