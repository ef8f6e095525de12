"""How distances were measured and where people were counted, in words and as choices of the reader. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from django.utils.translation import gettext as _

from analysis.results import TRAVELS, CityCoverage, Question, ServiceRow, TravelRow
from maps.pages import formats
from maps.pages.forms import CityState
from maps.pages.reader import language


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several ways to ask.

    Attributes
    ----------
    value
        For a form: empty for what is taken where nothing is asked.
    """

    value: str
    name: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Source:
    """A source of people as a reader may choose it."""

    code: str
    name: str
    date: date | None


@dataclass(frozen=True, slots=True)
class Choices:
    """How a page measures, and how else it could.

    Attributes
    ----------
    travels, populations
        Empty where the city has one of them only.
    travel_text, population_text
        For the line below the finding; empty where they go without saying.
    scenario_name, today_query
        The scenario as in which the city is shown, and the query string of the same page without it.
    kept
        Hidden values of a form of these choices alone.
    """

    travels: tuple[Choice, ...]
    populations: tuple[Choice, ...]
    travel_text: str
    population_text: str
    scenario_name: str
    today_query: str
    kept: tuple[tuple[str, str], ...]


def goes_straight(service: ServiceRow, travel: TravelRow) -> bool:
    """Tell whether a service is measured in a straight line: utilities are, however people travel."""
    return travel.code == "straight" or service.kind == "utility"


def cost_text(metres: float | None, service: ServiceRow, travel: TravelRow) -> str:
    """Write how far a service is, with minutes where metres stand for time."""
    return formats.cost(metres, language(), travel.is_time and not goes_straight(service, travel))


def limit_text(service: ServiceRow, travel: TravelRow) -> str:
    """Write the threshold of a service, with minutes where metres stand for time."""
    return cost_text(service.threshold_m, service, travel)


def limit_phrase(service: ServiceRow, travel: TravelRow) -> str:
    """Write the threshold of a service as sentences name it, such as “800 m along streets”."""
    text = limit_text(service, travel)
    if goes_straight(service, travel):
        return text
    return {
        "streets": _("%(distance)s along streets"),
        "walking": _("%(distance)s on foot"),
        "cycling": _("%(distance)s by bicycle"),
        "surface": _("%(distance)s on foot over the land"),
    }[travel.code] % {"distance": text}


def travel_name(code: str) -> str:
    """Return the name of a way of travel in the language of the reader."""
    return TRAVELS[code][language() == "en"]


def choices_of(
    state: CityState, covered: CityCoverage, travels: Sequence[str], own: str, sources: Sequence[Source]
) -> Choices:
    """Return the choices of a page.

    Parameters
    ----------
    state, covered
        What is asked, and its answer.
    travels, own
        Codes of the ways of travel that the city has data for, and of its own.
    sources
        Of people; the main one first.
    """
    question, lang = state.question, language()
    is_own = question.scenario is None
    population = covered.population
    chosen = population.code if population else ""
    ways = tuple(
        Choice("" if is_own and code == own else code, travel_name(code), code == covered.travel.code)
        for code in travels
    )
    counts = tuple(
        Choice("" if is_own and at == 0 else source.code, source_name(source), source.code == chosen)
        for at, source in enumerate(sources)
    )
    is_straight = covered.travel.code == "straight"
    return Choices(
        travels=ways if len(ways) > 1 else (),
        populations=counts if len(counts) > 1 else (),
        travel_text="" if is_straight else _("distances %(how)s") % {"how": travel_name(covered.travel.code)},
        population_text=_("people after %(source)s") % {"source": formats.isolated(population.name, lang)}
        if population and len(counts) > 1
        else "",
        scenario_name=question.scenario.name if question.scenario else "",
        today_query=today_query(state),
        kept=kept_values(state),
    )


def source_name(source: Source) -> str:
    """Return the name of a source of people, with its date where it is known."""
    return f"{source.name}, {formats.day(source.date, language())}" if source.date else source.name


def today_query(state: CityState) -> str:
    """Return the query string of a page with the city as it is, and all else as the page has it."""
    return replace(state, question=state.question.as_is).query()


def kept_values(state: CityState) -> tuple[tuple[str, str], ...]:
    """Return the names and values that a form of the choices alone hands on."""
    question: Question = state.question
    values = [(f"threshold-{code}", f"{metres:g}") for code, metres in question.thresholds_m.items()]
    values += [(f"weight-{code}", f"{weight:g}") for code, weight in question.weights.items()]
    values += [(f"need-{code}", f"{need:g}") for code, need in question.needs_per_1000.items()]
    for name in ("aggregation", "normalisation", "programme"):
        if value := getattr(question, name):
            values.append((name, str(value)))
    if question.scenario is not None:
        values.append(("scenario", str(question.scenario.id)))
    if state.service:
        values.append(("service", state.service))
    return tuple(values)


def method_text(covered: CityCoverage) -> str:
    """Say how distances were measured, for a method without markup."""
    words = {"cell": formats.number(covered.cell_m, language()), "how": covered.travel.name}
    if covered.travel.code == "straight":
        return (
            _(
                "People are counted on a grid of %(cell)s m squares whose total equals the source. From every square the straight-line "
                "distance to the nearest facility is measured; facilities outside a boundary count too, and a square cut by the limit "
                "counts in part."
            )
            % words
        )
    text = (
        _(
            "People are counted on a grid of %(cell)s m squares whose total equals the source. From every square the way to the nearest "
            "facility is measured %(how)s; facilities outside a boundary count too, and a square cut by the limit counts in part. "
            "Utilities are measured in a straight line to their main."
        )
        % words
    )
    if covered.travel.code == "cycling":
        return f"{text} " + _(
            "A limit is the time in which it is walked on level ground, at 5 km/h: by bicycle one gets farther in the same time."
        )
    if covered.travel.is_time:
        return f"{text} " + _(
            "Metres stand for time: those that are walked meanwhile on level ground, at 5 km/h; 1,000 m are 12 minutes."
        )
    return text
